"""What each hook of a MicroVM does, with uvicorn behind it and Lambda's calls."""

import json
import time

import pytest

from lambda_adapter.microvm.hooks import Background, payload_headers
from tests.microvm.lambda_side import UVICORN, open_microvm

HEALTH = {"AWS_LWA_READINESS_CHECK_PATH": "/health"}
BEFORE = "AWS_LWA_SNAPSTART_BEFORE_CHECKPOINT_PATH"
AFTER = "AWS_LWA_SNAPSTART_AFTER_RESTORE_PATH"
SUSPEND = "AWS_LWA_MICROVM_SUSPEND_PATH"
WARM = "AWS_LWA_WARM_PATHS"


def test_a_whole_life():
    """An image is built, and a MicroVM run, suspended, resumed and terminated."""
    paths = {BEFORE: "/before", AFTER: "/after", SUSPEND: "/asleep", WARM: "/a,/b?c=d"}
    with open_microvm(**HEALTH, **paths) as microvm:
        assert microvm.build() == [200, 200]
        assert microvm.hook("run", b'{"microvmId": "m-1"}') == 200
        assert microvm.hook("suspend") == 200
        assert microvm.hook("resume") == 200
        called = [
            (each["method"], each["path"])
            for each in json.loads(microvm.get("/seen"))
            if each["path"] != "/health"
        ]
        assert microvm.hook("terminate") == 200
        assert microvm.wait() in {0, -15}

    assert called == [
        ("POST", "/before"),
        ("GET", "/a"),
        ("GET", "/b"),
        ("POST", "/after"),
        ("POST", "/asleep"),
        ("POST", "/after"),
    ]


def test_ready_asks_again():
    """While the application is not ready, Lambda is asked within 1 s to call again."""
    with open_microvm(**HEALTH, SLOW_START="100000") as microvm:
        begun = time.monotonic()

        assert microvm.hook("ready") == 503

        assert time.monotonic() - begun < 15  # of 3,600 that a check could take
        assert microvm.hook("ready") == 503


def test_ready_waits_for_the_application():
    """Once the application's readiness check passes, the snapshot may be taken."""
    with open_microvm(**HEALTH, SLOW_START="60") as microvm:
        assert microvm.build("ready") == [200]


def test_checkpoint_is_made_once():
    """A slow hook before the snapshot is called once, however often Lambda asks."""
    with open_microvm(**HEALTH, **{BEFORE: "/slow/2"}) as microvm:
        microvm.wait_log("hooks of a MicroVM")
        statuses = [microvm.hook("ready") for _ in range(2)]
        assert microvm.build("ready", "ready") == [200, 200]

        assert statuses == [503, 503]
        assert len(microvm.seen("/slow/2")) == 1


@pytest.mark.parametrize(
    ("settings", "hooks", "line"),
    [
        ({BEFORE: "/status/500"}, ["ready"], "ready: POST /status/500 returned status"),
        ({BEFORE: "/status/404"}, ["ready"], "ready: POST /status/404 returned status"),
        ({WARM: "/,/status/500"}, ["ready", "validate"], "GET /status/500 (AWS_LWA_"),
        ({AFTER: "/status/500"}, ["ready", "run"], "run: POST /status/500 returned"),
        ({AFTER: "/status/404"}, ["ready", "resume"], "resume: POST /status/404"),
        (
            {SUSPEND: "/status/500"},
            ["ready", "suspend"],
            "suspend: POST /status/500",
        ),
    ],
)
def test_failures(settings, hooks, line):
    """A hook of the application that fails is a 500, and a line in the log."""
    with open_microvm(**settings) as microvm:
        statuses = microvm.build(*hooks)
        microvm.wait_log(line)

    assert statuses[-1] == 500
    assert set(statuses[:-1]) <= {200}


def test_a_failure_can_be_repeated():
    """After a failure, the next call begins the work again."""
    with open_microvm(**{BEFORE: "/status/500"}) as microvm:
        assert microvm.build("ready", "ready") == [500, 500]

        assert len(microvm.seen("/status/500")) == 2


def test_a_warm_path_that_is_none():
    """An unknown warm-up path is a warning, and the build continues."""
    with open_microvm(**{WARM: "/status/404"}) as microvm:
        assert microvm.build() == [200, 200]
        microvm.wait_log("is it a path of the application?")


PAYLOADS = {
    "plain": "hello",
    "json": '{"a": "b"}',
    "lines": "a\r\nx-forged: 1\r\n\r\n",
    "unicode": "héllo 😀 \ud800",
    "nul": "\0",
    "empty": "",
}


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS)
@pytest.mark.parametrize("hook", ["run", "resume"])
def test_payload(payload, hook):
    """The application gets the MicroVM's id and payload, as headers and as body."""
    body = json.dumps({"microvmId": "m-1", "runHookPayload": payload})
    with open_microvm(**{AFTER: "/after"}) as microvm:
        microvm.build("ready")

        assert microvm.hook(hook, body.encode()) == 200

        (request,) = microvm.seen("/after")
    assert request.body == body
    assert request.headers["x-microvm-id"] == "m-1"
    assert json.loads(request.headers["x-microvm-payload"]) == payload
    assert "x-forged" not in request.headers


def test_a_payload_of_the_largest_size():
    """A payload of 16 KB, the most that AWS documents, arrives whole in the body."""
    payload = "\N{SNOWMAN}" * 5_461
    body = json.dumps({"runHookPayload": payload}, ensure_ascii=False)
    with open_microvm(**{AFTER: "/after"}) as microvm:
        microvm.build("ready")

        assert microvm.hook("run", body.encode()) == 200

        (request,) = microvm.seen("/after")
    assert request.body.encode("latin-1").decode() == body
    assert "x-microvm-payload" not in request.headers


BODIES = {
    "none": b"",
    "garbage": b"\xff\xfe\0",
    "list": b"[1]",
    "number": b"1e999",
    "no payload": b"{}",
    "other types": b'{"microvmId": 1, "runHookPayload": {"a": 1}}',
    "id with lines": b'{"microvmId": "a\\r\\nb: c", "runHookPayload": null}',
    "deep": b"[" * 20_000,
    "large": b"x" * 200_000,
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_any_body(body):
    """A hook does not fail because of its body."""
    with open_microvm(**{AFTER: "/after"}) as microvm:
        microvm.build("ready")

        for hook in ("run", "suspend", "resume"):
            assert microvm.hook(hook, body) == 200

        for request in microvm.seen("/after"):
            assert "x-microvm-id" not in request.headers
            assert "x-microvm-payload" not in request.headers


def test_the_token_is_known_to_the_application_alone():
    """Each hook's request has the token that the application's environment has."""
    settings = {BEFORE: "/before", AFTER: "/after", SUSPEND: "/asleep"}
    with open_microvm(**settings) as microvm:
        microvm.build("ready", "run", "suspend")
        token = json.loads(microvm.get("/environ"))["LAMBDA_ADAPTER_HOOK_TOKEN"]

        for path in settings.values():
            (request,) = microvm.seen(path)
            assert request.headers["x-microvm-hook-token"] == token
    assert len(token) == 32


def test_settings_are_the_adapters():
    """The application's environment has no setting of the adapter, but its port."""
    with open_microvm(**HEALTH) as microvm:
        microvm.build("ready")

        environ = json.loads(microvm.get("/environ"))

    assert {name for name in environ if name.startswith("AWS_LWA_")} == set()
    assert environ["PORT"] == str(microvm.app)


def test_run_waits_until_the_application_is_ready():
    """``run`` responds once the application is ready for traffic."""
    with open_microvm(**HEALTH, SLOW_START="10") as microvm:
        assert microvm.hook("run") == 200

        assert len(microvm.seen("/health")) >= 11


def test_one_slow_hook_holds_up_no_other():
    """Hooks are independent: one that waits for the application delays no other."""
    command = [*UVICORN[:-1], "microvm_app:app", "--port", "{port}"]
    with open_microvm(command, **{AFTER: "/hang", SUSPEND: "/asleep"}) as microvm:
        microvm.build("ready")
        with pytest.raises(TimeoutError):
            microvm.hook("run", seconds=0.3)

        assert microvm.hook("suspend") == 200


def test_payload_that_fits_in_no_header():
    """A payload too long for a header of common servers is in the body alone."""
    body = json.dumps({"microvmId": "m-1", "runHookPayload": "x" * 8_000})

    assert payload_headers(body.encode()) == [
        ("content-type", "application/json"),
        ("x-microvm-id", "m-1"),
    ]


def test_work_is_begun_again_after_a_failure():
    """A failure is reported once, and a success is kept."""
    results = iter(["bad", None])
    background = Background()

    reported = [background.poll(lambda: next(results), 10) for _ in range(4)]

    assert reported == [(True, "bad"), (True, None), (True, None), (True, None)]
