"""What measurements mean on Lambda: values in, findings out."""

import pytest

from lambda_adapter.local.check.finding import Finding, Status, ordered
from lambda_adapter.local.check.rules import bill, crawl, openapi, responses
from lambda_adapter.local.check.rules.causes import Cause, find_cause
from lambda_adapter.local.check.rules.crash import judge_cause
from lambda_adapter.local.check.rules.disk import judge_tmp, judge_writes
from lambda_adapter.local.check.rules.imports import judge_imports, sum_imports
from lambda_adapter.local.check.rules.life import (
    Idle,
    ThreadUse,
    judge_idle,
)
from lambda_adapter.local.check.rules.place import judge_port, judge_readiness
from lambda_adapter.local.check.rules.requests import Timing, judge_timing
from lambda_adapter.local.check.rules.resources import (
    Weight,
    judge_growth,
    judge_memory,
)
from lambda_adapter.local.check.rules.responses import Answer
from lambda_adapter.local.check.rules.start import Start, judge_start
from lambda_adapter.local.check.settings import Target
from lambda_adapter.local.sandbox.attempts import Attempts, Write
from lambda_adapter.local.sandbox.limits import HOME

HOST = "a1b2.execute-api.eu-west-1.amazonaws.com"


def answer(
    *fields: tuple[bytes, bytes], status: int = 200, body: bytes = b""
) -> Answer:
    return Answer("/page", HOST, status, list(fields), body)


def said(findings: list[Finding]) -> list[str]:
    """Return what findings say, in short."""
    return [f"{each.status} {each.kind}" for each in findings]


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("/home", []),
        (f"https://{HOST}/home", []),
        ("https://accounts.example.com/login", []),
        ("http://localhost:8080/home", ["failure redirect"]),
        ("http://127.0.0.1/home", ["failure redirect"]),
        (f"http://{HOST}/home", ["failure redirect"]),
        (f"https://{HOST}:8080/home", ["failure redirect"]),
        (f"https://{HOST}/page", ["failure redirect"]),
    ],
)
def test_redirects(location: str, expected: list[str]):
    """A redirect to this machine, to http, to a port or to itself leads nowhere."""
    page = answer((b"Location", location.encode()), status=302)

    assert said(list(responses.judge_redirect(page))) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'<a href="/x">', []),
        (b'<a href="http://localhost:3000/x">', ["failure link"]),
        (b'{"next":"http:\\/\\/127.0.0.1:8080\\/x"}', ["failure link"]),
        (b"see http://localhost:3000/x", ["warning link"]),
        (f'<a href="http://{HOST}/x">'.encode(), ["warning link"]),
    ],
)
def test_links(body: bytes, expected: list[str]):
    """A link to this machine is a failure; in prose it is only a warning."""
    page = answer((b"Content-Type", b"text/html"), body=body)

    assert said(list(responses.judge_links(page))) == expected


@pytest.mark.parametrize(
    ("cookie", "expected"),
    [
        ("a=1", []),
        (f"a=1; Domain={HOST}; Path=/; Secure", []),
        ("a=1; Domain=localhost", ["failure cookie"]),
        ("a=1; Domain=shop.example.com", ["warning cookie"]),
        ("a=1; Path=/elsewhere", ["warning cookie"]),
        ("a=1; Path=/page", []),
        ("a=1; SameSite=None", ["warning cookie"]),
        ("a=1; SameSite=None; Secure", []),
        ("__Host-a=1; Path=/", ["warning cookie"]),
    ],
)
def test_cookies(cookie: str, expected: list[str]):
    """A cookie that the browser drops, or never sends back, is found."""
    assert said(list(responses.judge_cookie(answer(), cookie))) == expected


def test_a_cookie_value_is_never_shown():
    """A finding about a cookie does not have its value."""
    (found,) = responses.judge_cookie(answer(), "session=s3cr3t; Domain=localhost")

    assert "s3cr3t" not in repr(found)


@pytest.mark.parametrize(
    ("size", "kind", "expected"),
    [
        (100_000, b"text/plain", []),
        (1_000_000, b"text/plain", ["warning response-size"]),
        (5_000_000, b"text/plain", ["warning response-size"]),
        (6_300_000, b"text/plain", ["failure response-size"]),
        (5_000_000, b"image/png", ["failure response-size"]),
    ],
)
def test_sizes(size: int, kind: bytes, expected: list[str]):
    """The size of a body is that of its encoding: four thirds of it in base64."""
    page = answer((b"Content-Type", kind), body=b"x" * size)

    assert said(list(responses.judge_size(page))) == expected


def test_headers_of_a_response():
    """Headers above API Gateway's limit are a failure, close to it a warning."""
    wide, wider = (answer((b"X-A", b"a" * size)) for size in (8_000, 11_000))

    assert said(list(responses.judge_fields(wide))) == ["warning response-headers"]
    assert said(list(responses.judge_fields(wider))) == ["failure response-headers"]


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("OSError: [Errno 30] Read-only file system: 'x'", "disk"),
        ("Error: EROFS: read-only file system, mkdir 'uploads'", "disk"),
        ("sqlite3.OperationalError: attempt to write a readonly database", "disk"),
        (f"mkdir: {HOME}: Read-only file system", "home"),
        ("OSError: [Errno 38] Function not implemented", "shared-memory"),
        ("OSError: [Errno 28] No space left on device", "tmp"),
        ("accept4() failed (24: Too many open files)", "descriptors"),
        ("RuntimeError: can't start new thread", "processes"),
        ("FATAL ERROR: Reached heap limit: JavaScript heap out of memory", "memory"),
        ("[CRITICAL] WORKER TIMEOUT (pid:12)", "thaw"),
        ("Error: listen EADDRINUSE: address already in use", "port"),
        ("PermissionError: [Errno 13] Permission denied: 'x'", "permissions"),
        ("nginx: [emerg] chown() failed (1: Operation not permitted)", "privileges"),
        ("connect ECONNREFUSED 127.0.0.1:5432", "outside"),
    ],
)
def test_causes(line: str, kind: str):
    """A line of a log names its cause, in the words of Python, Node or nginx."""
    found = find_cause(["INFO started", line])

    assert found == Cause(kind, line)
    if kind not in ("disk", "home", "shared-memory", "memory", "permissions"):
        assert judge_cause(found).kind == kind


def test_the_adapters_own_lines_are_no_cause():
    """A line of the adapter's is no cause: it says what followed."""
    assert find_cause(["lambda-adapter: ERROR Connection refused"]) is None


def test_writes_are_judged_by_what_they_broke():
    """A refused write is a failure where something broke, and otherwise a warning."""
    attempts = Attempts([], HOME)
    attempts.add(Write("/app/cache.db", "python"))
    attempts.add(Write("/tmp/fine", "python"))

    copes = list(judge_writes(attempts, [], broke=False))
    breaks = list(judge_writes(attempts, [Cause("disk", "EROFS")], broke=True))

    assert said(copes) == ["warning disk"]
    assert said(breaks) == ["failure disk"]
    assert breaks[0].title == "wrote /app/cache.db: read-only on Lambda"


def test_tmp():
    """A full /tmp is a failure, and one that each request fills is a warning."""
    assert said(list(judge_tmp(480, 512, 0))) == ["failure tmp"]
    assert said(list(judge_tmp(10, 512, 0.2))) == ["warning tmp-leak"]
    assert said(list(judge_tmp(10, 512, 0))) == []


@pytest.mark.parametrize(
    ("memory", "descriptors", "expected"),
    [
        ([40, 44, 45, 45, 45, 45], [9] * 6, ["pass leak"]),
        ([40, 50, 60, 70, 80, 90], [9] * 6, ["warning leak"]),
        ([40, 50, 60, 70, 80, 90, 100, 99, 110, 120], [9] * 10, ["warning leak"]),
        ([40, 60, 70, 76, 80, 83, 85, 86, 86.2, 86.3], [9] * 10, ["pass leak"]),
        (
            [40] * 6,
            [9, 109, 209, 309, 409, 509],
            ["pass leak", "warning descriptor-leak"],
        ),
    ],
)
def test_growth(memory: list[float], descriptors: list[int], expected: list[str]):
    """Memory that grows in the second half as in the first is a leak."""
    weights = [
        Weight(100 * place, mb, count, 4, 0)
        for place, (mb, count) in enumerate(zip(memory, descriptors, strict=True))
    ]

    assert said(list(judge_growth(weights, 512))) == expected


@pytest.mark.parametrize(
    ("processes", "threads", "kilobytes", "expected"),
    [
        (1, 1, 100, ["warning thread-leak"]),
        (0, 1, 100, ["warning thread-leak", "pass leak"]),
        (0, 1, 900, ["warning thread-leak", "warning leak"]),
    ],
)
def test_a_leak_of_processes_or_threads_explains_that_of_memory(
    processes: int, threads: int, kilobytes: int, expected: list[str]
):
    """Memory and files that grow with processes or threads are no leak beside them."""
    weights = [
        Weight(n, 40 + n * kilobytes / 1024, 9, 4 + n * threads, 0, 1 + n * processes)
        for n in range(0, 150, 15)
    ]

    assert said(list(judge_growth(weights, 512))) == expected


def test_a_virtual_machine_warms_up():
    """Java's memory may grow by megabytes while it compiles: that is no leak."""
    weights = [Weight(20 * number, 40 + number, 9, 4, 0) for number in range(9)]

    assert said(list(judge_growth(weights, 512))) == ["warning leak"]
    assert said(list(judge_growth(weights, 512, is_java=True))) == ["pass leak"]


def test_memory():
    """The recommended size is the next one that leaves room above the peak."""
    (enough,) = judge_memory(90, 512, "")
    (close,) = judge_memory(500, 512, "")
    (killed,) = judge_memory(512, 512, "used 513 MB of 512 MB")

    assert "128 MB would be enough" in enough.title
    assert said([close, killed]) == ["warning memory", "failure memory"]


def test_start_at_each_size():
    """With less memory, the CPU time of a start is longer, and its waits are not."""
    start = Start(cpu=1.0, waits=0.5)

    assert start.at(1_769) == 1.5
    assert round(start.at(512), 2) == 3.96
    assert said(list(judge_start(start, 512))) == ["pass start-time"]
    assert said(list(judge_start(Start(4, 0), 512))) == ["failure start-time"]


def test_ports():
    """An application that ignores PORT passes on the adapter's default port alone."""
    assert judge_port(39_000, 8_080).status is Status.PASS
    assert judge_port(39_000, 8_080, wanted_by_user=True).status is Status.FAILURE
    assert judge_port(39_000, 5_000).status is Status.FAILURE
    assert judge_port(39_000, 9_001).kind == "reserved-port"


def test_readiness():
    """A readiness path that fails, is not there or is slow is found."""
    cases = [(200, 0.1, True), (404, 0.1, True), (200, 2.0, True), (503, 0.1, False)]

    found = [
        next(judge_readiness("/", status, seconds, ready=ready))
        for status, seconds, ready in cases
    ]

    assert [each.status for each in found] == ["pass", "warning", "warning", "failure"]


def timing(**given: float | bool | str) -> Timing:
    usual = {"seconds": 0.1, "complete": True, "first_byte": 0.1, "size": 100}
    return Timing(**{"media_type": "text/html", "limit": 30.0, **usual, **given})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, []),
        ({"complete": False, "size": 0, "first_byte": 30.0}, ["failure slow"]),
        ({"seconds": 4.0, "first_byte": 4.0}, ["warning slow"]),
        ({"seconds": 29.5, "first_byte": 29.5}, ["failure slow"]),
        ({"complete": False}, ["failure streaming"]),
        ({"complete": False, "is_broken": True}, ["failure request-failure"]),
        ({"media_type": "text/event-stream"}, ["warning streaming"]),
        ({"seconds": 2.5}, ["warning streaming"]),
    ],
)
def test_timing(given: dict[str, float | bool | str], expected: list[str]):
    """A response that is late, without an end or in parts is found."""
    assert said(list(judge_timing("/", timing(**given)))) == expected


def test_a_stream_where_replies_are_streamed():
    """A function that streams has no finding for a slow response."""
    slow = timing(complete=False)

    assert said(list(judge_timing("/", slow, streamed=True))) == []


def test_idle():
    """CPU, timers, lines and connections are found while no request is sent."""
    nothing = Idle(1, 0, [ThreadUse("node", "node", True, 0)], [], [])
    thread = ThreadUse("python3", "python3", False, 2)
    much = Idle(1, 0.5, [thread], ["tick"], ["10.0.0.1:5432"])

    assert said(list(judge_idle(nothing, []))) == ["pass idle-cpu"]
    assert said(list(judge_idle(much, []))) == [
        *("warning idle-cpu", "warning timers", "warning connections"),
    ]


@pytest.mark.parametrize("name", ["VM Periodic Tas", "G1 Service", "HTTP-Dispatcher"])
def test_a_virtual_machines_own_threads_are_no_timers(name: str):
    """The threads of a Java virtual machine wake up by themselves."""
    idle = Idle(1, 0, [ThreadUse("java", name, False, 20)], [], [])

    assert said(list(judge_idle(idle, []))) == ["pass idle-cpu"]


def test_paths_of_a_page():
    """A page's links within the site are followed, and those elsewhere are not."""
    body = b'<a href="/a?b=1&amp;c=2">x</a><img src=logo.png><a href="https://x.y/z">'

    found = list(crawl.find_paths("/dir/", "text/html", body, HOST))

    assert found == ["/a?b=1&c=2", "/dir/logo.png"]
    assert list(crawl.find_paths("/", "application/json", b'{"a":"/b"}', HOST)) == [
        "/b"
    ]


@pytest.mark.parametrize("path", ["/logout", "/account/delete?id=1", "/sign-out"])
def test_what_may_do_harm_is_not_asked(path: str):
    """A link whose name suggests a change is not followed."""
    assert not crawl.is_safe(path)
    assert crawl.is_safe("/orders")


def test_paths_of_a_file():
    """A file of paths may have methods and comments; anything else is named."""
    targets = openapi.read_paths("/a\n# no\nPOST /b  # yes\n\n")

    assert targets == [Target("/a"), Target("/b", "POST")]
    with pytest.raises(openapi.SourceError, match="line 2 is not a path: 'nonsense'"):
        openapi.read_paths("/a\nnonsense\n")


def test_paths_of_an_openapi_document():
    """GET operations are requested if no parameter has to be made up."""
    document = b"""{"paths": {"/a": {"get": {}}, "/b": {"post": {}},
        "/c/{id}": {"get": {"parameters": [{"name": "id", "in": "path"}]}},
        "/d/{id}": {"get": {"parameters":
            [{"name": "id", "in": "path", "example": 7}]}},
        "/e": {"get": {"parameters":
            [{"name": "q", "in": "query", "required": true}]}}}}"""

    assert openapi.read_openapi(document) == [Target("/a"), Target("/d/7")]
    with pytest.raises(openapi.SourceError, match="not an OpenAPI document"):
        openapi.read_openapi(b"openapi: 3.1")


def test_paths_of_a_browsers_archive():
    """Only the page's own paths are taken: headers, cookies, queries hold secrets."""
    document = b"""{"log": {"entries": [
        {"request": {"method": "GET", "url": "https://u:s3cr3t@x.y/a?token=s3cr3t",
                     "headers": [{"name": "Authorization", "value": "s3cr3t"}]}},
        {"request": {"method": "GET", "url": "https://x.y/logout"}},
        {"request": {"method": "GET", "url": "https://statistics.example/s3cr3t"}},
        {"request": {"method": "DELETE", "url": "https://x.y/b"}}]}}"""

    found = openapi.read_har(document)

    assert found == [Target("/a")]
    assert "s3cr3t" not in repr(found)
    with pytest.raises(openapi.SourceError, match="not a HAR"):
        openapi.read_har(b"{}")


def test_the_bill():
    """More CPU costs more on demand, and a Fargate task always costs the same."""
    cheap = bill.Measured(0.005, 0.02, Start(0.5, 0.2), 80)
    dear = bill.Measured(0.5, 0.02, Start(0.5, 0.2), 300)

    (low, *_), (high, *_) = (bill.bill(each, 1_000_000) for each in (cheap, dear))

    assert list(low.on_demand) == [256, 512, 1_024, 1_769]
    assert list(high.on_demand) == [512, 1_024, 1_769]
    assert high.on_demand[512] > 5 * low.on_demand[512]
    assert low.fargate == high.fargate


def test_imports():
    """The imports of a start are summed up by package, without the adapter's own."""
    lines = [
        "import time:       300 |        400 |   flask.app",
        "import time:       100 |        100 | flask",
        "import time:       600 |        900 | pandas.core.api",
        "import time:       900 |        900 | trio._core",
        "Listening at: http://0.0.0.0:8080",
    ]

    (found,) = judge_imports(sum_imports(lines))

    assert found.title == "imports of a start: pandas 60%, flask 40%"
    assert judge_imports({}) == []


def test_order():
    """Failures are first, and causes precede consequences."""
    kinds = [("request-failure", "failure"), ("disk", "failure"), ("home", "warning")]
    findings = [Finding(kind, Status(status), "") for kind, status in kinds]

    assert [each.kind for each in ordered(findings)] == [
        *("disk", "request-failure", "home"),
    ]
