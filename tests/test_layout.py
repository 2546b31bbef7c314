"""The laws of this repository that no other tool holds."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
ROOT = TESTS.parent
SOURCE = ROOT / "src" / "lambda_adapter"

MODULES = sorted(
    path.relative_to(SOURCE).with_suffix("").as_posix() for path in SOURCE.rglob("*.py")
)

BY_FOLDER = {
    # What a stage finds, and in which order, is seen at whole applications: the zoo.
    "local/check/stages": "zoo/test_zoo",
    "local/check/rules": "local/check/rules/test_responses",
    "local/check/report": "local/check/report/test_html",
    "local/cost": "bench/test_fleet",
    "local/gateways": "local/gateways/test_gateway",
    # An application in this process is served by all of its modules together.
    "app/in_process/asgi": "app/in_process/asgi/test_transport",
    "app/in_process/wsgi": "app/in_process/wsgi/test_transport",
}
"""The test of modules that have none of their own name, by folder."""

TESTED_BY = {
    # A protocol, and what a setting puts around a transport: seen by the loop's tests.
    **dict.fromkeys(
        [
            "app/app",
            "app/middleware/__init__",
            "app/middleware/error_status",
        ],
        "serve/invoke_loop/test_settings",
    ),
    "serve/invoke_loop": "serve/invoke_loop/test_replies",
    "app/server": "serve/test_supervisor",
    "app/readiness_advice": "app/test_readiness",
    "app/in_process/asgi/lifespan": "app/in_process/asgi/test_app",
    "events/http_event": "events/test_event",
    "http/connect": "http/test_connection",
    "http/body_parsers": "http/test_framing",
    "http/encoding": "http/test_parser",
    "http/timer": "http/test_wire",
    **dict.fromkeys(
        ["runtime/persistent_connection", "runtime/streamed_reply"],
        "runtime/test_client",
    ),
    "setting_parsers": "test_settings",
    "given_environ": "e2e/test_zipapp",
    "write_code_file": "test_code_file",
    "code_entries": "test_code_file",
    "quoting": "test_errors",
    "app/readiness_checks": "app/test_readiness",
    # What a command line does is seen at the command, what a gateway does at its reply.
    **dict.fromkeys(
        [
            *("local/advice", "local/cli", "local/cli_options", "local/prepare"),
            *("local/project_file", "local/reporters", "local/session"),
        ],
        "local/test_serve_command",
    ),
    **dict.fromkeys(
        ["local/adapter_process", "local/processes"], "local/test_environment"
    ),
    "local/asgi": "local/test_gateway_app",
    # A sandbox is its kernel's, and seen from inside.
    **dict.fromkeys(
        [
            *("local/sandbox/jail", "local/sandbox/syscalls", "local/sandbox/limits"),
            "local/sandbox/plan",
        ],
        "local/sandbox/test_confine",
    ),
    **dict.fromkeys(
        ["local/sandbox/attempts", "local/sandbox/seccomp"],
        "local/sandbox/test_watcher",
    ),
    "local/sandbox/process_tree": "local/sandbox/test_governor",
    # Seen at whole applications: the zoo.
    **dict.fromkeys(
        [
            *("local/check/prepare", "local/check/run", "local/check/settings"),
            "local/check/subject",
        ],
        "zoo/test_zoo",
    ),
    **dict.fromkeys(
        ["local/check/finding", "local/check/result"], "local/check/test_command"
    ),
    "local/cost/prices": "bench/test_fleet_bill",
    **dict.fromkeys(["local/own_writes", "local/source_files"], "local/test_reload"),
    "local/events_command": "local/test_samples",
    "local/event_text": "local/test_invoke_command",
    "local/debug_start": "local/test_debugging",
    "local/profile_start": "local/test_import_profile",
    **dict.fromkeys(
        ["local/invocation_view", "local/page_token"], "local/test_inspector"
    ),
    "local/http_server": "local/test_guard",
    "local/read_options": "local/test_option_table",
    "local/report": "local/test_pytest_plugin",
    "local/testing": "local/test_pytest_plugin",
    "local/microvm/hook_rows": "local/microvm/test_machine",
    "local/microvm/session": "local/microvm/test_commands",
    "local/extensions_api": "e2e/test_runtime_apis",
    "local/h11_server": "local/test_runtime_api",
    **dict.fromkeys(["microvm/app_requests", "microvm/notices"], "microvm/test_hooks"),
    "app/middleware/request_log": "observe/test_logs",
    "observe/root_json": "observe/test_root_handler",
    "app/middleware/metrics": "observe/test_metrics",
    "serve/metrics_loop": "observe/test_metrics",
    "__init__": "test_cli",  # a version, which the command prints
    "__main__": "test_cli",
}

FILES = sorted(
    path.relative_to(TESTS).as_posix()
    for path in TESTS.rglob("*.py")
    if not path.is_relative_to(TESTS / "programs")
    and not path.is_relative_to(TESTS / "zoo/apps")
)

LEANING = {
    *("Also", "And", "But", "He", "Her", "His", "It", "Its"),
    *("Nobody", "Nor", "Or", "Otherwise", "She", "So", "Such", "That"),
    *("Their", "Them", "These", "They", "This", "Those", "Who"),
}
"""No law begins with one of these: they refer to something outside of it."""

WAITS = {
    # The emulator is AWS's, and says by nothing but its port that it is ready.
    "emulator.py": 3,
    # So is an application in a container.
    "images/container.py": 1,
    # Not the test: the coroutines of the loop that it steps, and an application's.
    "app/in_process/asgi/test_stepped_loop.py": 5,
    "app/in_process/asgi/test_host_asyncio.py": 3,
    # Not the test: the child that it starts.
    "app/test_process.py": 1,
    # How long an environment is frozen, and processes whose end nothing tells.
    "e2e/life.py": 2,
    # The runner of Django's own suite, whose results it reads.
    "frameworks/plugin/lambda_between/django_tests.py": 3,
}

HEAVY = {"msgspec", "re", "signal", "subprocess", "trio", "typing"}


def find_test(module: str) -> str:
    """Return the test of a module, listed or of its own name, or its folder's."""
    path = Path(module)
    own = path.parent / f"test_{path.name}"
    test = TESTED_BY.get(module, own.as_posix())
    if (TESTS / f"{test}.py").is_file() or path.parent.as_posix() not in BY_FOLDER:
        return test
    return BY_FOLDER[path.parent.as_posix()]


def is_docstring(module: str) -> bool:
    """Return whether there is nothing to test in a module."""
    return len(ast.parse((SOURCE / f"{module}.py").read_bytes()).body) == 1


def test_every_module_has_its_test():
    """What a module does is stated in a test of its name, or in one that is listed."""
    named = {
        module: find_test(module) for module in MODULES if not is_docstring(module)
    }

    missing = [
        f"{module}: tests/{test}.py"
        for module, test in named.items()
        if not (TESTS / f"{test}.py").is_file()
    ]
    assert missing == []


def test_every_test_has_its_module():
    """Every test file has a module of its name."""
    folders = {Path(module).parent for module in MODULES}
    named = {
        (folder / path.stem.removeprefix("test_")).as_posix()
        for folder in folders
        for path in (TESTS / folder).glob("test_*.py")
    }

    assert named - set(MODULES) == {"layout", "microvm/servers"}


@pytest.mark.parametrize("module", ["lambda_adapter.cli", "lambda_adapter.launcher"])
def test_start_imports_next_to_nothing(module):
    """The application's start waits for these imports, so they load no library."""
    run = subprocess.run(
        [sys.executable, "-S", "-X", "importtime", "-c", f"import {module}"],
        env={"PYTHONPATH": str(SOURCE.parent)},
        capture_output=True,
        text=True,
        check=True,
    )

    imported = {line.rpartition("|")[2].strip() for line in run.stderr.splitlines()}
    assert module in imported
    assert {name.partition(".")[0] for name in imported} & HEAVY == set()


def read_tests(file: str) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Return the test functions of a file, methods included."""
    return [
        node
        for node in ast.walk(ast.parse((TESTS / file).read_bytes()))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        and node.name.startswith("test_")
    ]


def test_every_test_states_its_law():
    """A test's docstring says what must be so, and needs no other test to be read."""
    laws = {
        f"{file}::{test.name}": ast.get_docstring(test) or "none"
        for file in FILES
        for test in read_tests(file)
    }

    assert [name for name, law in laws.items() if not law.endswith(".")] == []
    leaning = [name for name, law in laws.items() if law.split()[0] in LEANING]
    assert leaning == []


def test_no_test_pretends_or_waits():
    """Peers are faked at the wire, never patched in, and no test is a matter of time.

    A clock that jumps (trio's MockClock) is no wait.
    """
    pattern = r"unit[t]est|monkey[p]atch|\bm[o]ck\b|Magic[M]ock|\bs[l]eep\("

    texts = {file: (TESTS / file).read_text("utf-8") for file in FILES}
    found = {file: re.findall(pattern, text) for file, text in texts.items()}

    assert {file: len(words) for file, words in found.items() if words} == WAITS


def test_every_test_that_a_page_names_is_there():
    """A claim that names a test names one that exists."""
    pages = sorted((ROOT / "docs").rglob("*.md"))
    named = {
        (file, name): page.relative_to(ROOT)
        for page in pages
        for file, name in re.findall(r"tests/([\w/.]+)::(\w+)", page.read_text("utf-8"))
    }

    there = {
        (file, test.name)
        for file in {file for file, _ in named} & {*FILES}
        for test in read_tests(file)
    }

    missing = {
        f"{page}: {file}::{name}"
        for (file, name), page in named.items()
        if (file, name) not in there
    }
    assert missing == set()


def test_security_page_quotes_the_constants():
    """A number that docs/security.md gives beside a constant's name is its value.

    A name that several modules have counts if one of them has the value.
    """
    text = (ROOT / "docs" / "security.md").read_text("utf-8")
    values: dict[str, set[str]] = {}
    for module in MODULES:
        for node in ast.parse((SOURCE / f"{module}.py").read_bytes()).body:
            if (
                isinstance(node, ast.Assign)
                and isinstance(node.targets[0], ast.Name)
                and isinstance(node.value, ast.Constant)
            ):
                value = str(node.value.value)
                values.setdefault(node.targets[0].id, set()).add(value)

    quoted = re.findall(
        r"([\d,]+(?:\.\d+)?) ?(?:bytes|characters|s|MB|times)?[^`|\d]{0,30}"
        r"\(`([A-Z_]+)`\)",
        text,
    )
    wrong = [
        (number, name)
        for number, name in quoted
        if not any(
            float(number.replace(",", "")) == float(value)
            for value in values.get(name, ())
            if value.replace(".", "", 1).isdigit()
        )
    ]

    assert len(quoted) > 20
    assert not wrong, wrong
