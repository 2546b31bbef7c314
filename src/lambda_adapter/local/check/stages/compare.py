"""A response through each gateway, beside the one that the application itself gives."""

from collections.abc import Sequence

from lambda_adapter.local.check.finding import Finding
from lambda_adapter.local.check.rules import responses
from lambda_adapter.local.check.rules.requests import Compared, judge_difference
from lambda_adapter.local.check.rules.responses import Answer
from lambda_adapter.local.check.settings import Target
from lambda_adapter.local.check.subject import HOST, Direct, Outcome, Subject


async def compare(
    subject: Subject,
    target: Target,
    direct: Direct,
    outcome: Outcome,
    through: Sequence[str],
) -> list[Finding]:
    """Ask through each gateway, and return what differs.

    Args:
        subject: the application.
        target: what is asked.
        direct: the application's own response.
        outcome: the response through the first of the gateways.
        through: the gateways.
    """
    again = await subject.ask_directly(target, 5)
    steady = again.body == direct.body and again.status == direct.status
    one = _compared(direct.status, direct.fields, direct.body if steady else None)
    findings: list[Finding] = []
    for number, gateway in enumerate(through):
        if number:
            outcome = await subject.ask(target, gateway)
        if _is_known(gateway, direct):
            continue
        body = outcome.body if steady else None
        other = _compared(outcome.status, outcome.fields, body)
        why = outcome.note or outcome.failure
        findings += judge_difference(target.path, gateway, one, other, why)
    if findings and steady:  # a body that changes now and then is no difference
        last = await subject.ask_directly(target, 5)
        if last.body != direct.body:
            findings = [each for each in findings if " body " not in each.title]
    return findings


def _is_known(gateway: str, direct: Direct) -> bool:
    """Return whether a gateway's difference is another finding's: size or base64."""
    answer = Answer("", HOST, direct.status, direct.fields, direct.body)
    if len(direct.body) > responses.MAX_ALB * responses.MARGIN:
        return gateway.startswith("alb") or len(direct.body) > responses.MAX_REPLY * 0.7
    return gateway == "rest-api" and not answer.is_text


def _compared(
    status: int, fields: list[tuple[bytes, bytes]], body: bytes | None
) -> Compared:
    answer = Answer("", HOST, status, fields)
    # VPC Lattice does not say which protocol its client spoke.
    location = answer.value(b"location").replace("https:", "http:", 1)
    return Compared(
        status,
        answer.value(b"content-type"),
        location,
        len(answer.values(b"set-cookie")),
        body.replace(b"https:", b"http:") if body is not None else None,
    )
