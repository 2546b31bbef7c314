"""Reports of one result, in each form."""

from xml.etree import ElementTree

import msgspec

from lambda_adapter.local.check.finding import failure, passed, warning
from lambda_adapter.local.check.report import html, json, junit, text
from lambda_adapter.local.check.result import Result
from lambda_adapter.local.check.rules import bill
from lambda_adapter.local.check.rules.start import Start

START = Start(1.0, 0.5)
MEASURED = bill.Measured(0.005, 0.02, START, 80)


def result() -> Result:
    return Result(
        command="gunicorn app:app",
        memory_mb=512,
        sandbox="sandbox  512 MB",
        findings=[
            passed("leak", "memory stays"),
            warning("timers", "works <in> the background", cure="a schedule"),
            failure("disk", "wrote /app/x.db", seen="EROFS \x00 <b>", cure="/tmp"),
        ],
        start=START,
        bill=bill.bill(MEASURED, 1_000_000),
        assumptions=bill.assumptions(MEASURED, 1_000_000),
        weights=[(0, 40.0), (100, 44.0)],
        complete=True,
    )


def test_text():
    """The text begins with the verdict, and has the failure with its cure first."""
    lines = list(text.lines(result()))

    assert lines[0] == "It would not run on Lambda as it is: 1 failure, 1 warning"
    assert lines[3].startswith("FAIL  disk")
    assert "      cure    /tmp" in lines
    assert any(line.startswith("  steady") for line in lines)


def test_what_is_known_so_far():
    """The report of an interrupted check says so, and has its findings so far."""
    early = msgspec.structs.replace(result(), complete=False)

    assert text.verdict(early) == "not finished: 1 failure and 1 warning so far"


def test_json():
    """The JSON has the findings in the order of the text."""
    document = msgspec.json.decode(json.render(result()))

    assert [each["kind"] for each in document["findings"]] == [
        *("disk", "timers", "leak"),
    ]
    assert document["failed"] is True
    assert document["bill"][0]["on_demand"].keys() == {"256", "512", "1024", "1769"}


def test_junit():
    """JUnit's XML is well-formed, whatever was seen, and only failures fail."""
    suites = ElementTree.fromstring(junit.render(result()))

    assert suites.attrib == {"tests": "3", "failures": "1"}
    assert [each.get("classname") for each in suites.iter("testcase")] == [
        *("check.disk", "check.timers", "check.leak"),
    ]
    (failed,) = suites.iter("failure")
    assert "EROFS ? <b>" in (failed.text or "")


def test_html():
    """The page fetches nothing, and shows what was seen as text."""
    page = html.render(result()).decode()

    assert "<b>" not in page
    assert "&lt;b&gt;" in page
    assert "http://" not in page
    assert "https://" not in page
    assert "<script" not in page
    assert page.count("<svg") == 2
