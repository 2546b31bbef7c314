"""How much of it: a little within ``make test``, all of it with ``--torture``."""

from pathlib import Path

import pytest

LONGEST = 600
"""Seconds that a test of the long form may take; a soak takes 70."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Only known where this folder is named; elsewhere it is the short form."""
    parser.addoption("--torture", action="store_true", help="the long form, of minutes")


@pytest.fixture(scope="session")
def long(request: pytest.FixtureRequest) -> bool:
    """Whether this is the long form."""
    return is_long(request.config)


def is_long(config: pytest.Config) -> bool:
    return bool(config.getoption("torture", default=False))


def pytest_configure(config: pytest.Config) -> None:
    for line in (
        "cases(names, cases, short): tries each, or in the short form one in so many",
        "long: has no short form",
    ):
        config.addinivalue_line("markers", line)


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.torture)
    if not is_long(config):
        items[:] = [item for item in items if not item.get_closest_marker("long")]
        return
    for item in items:
        item.add_marker(pytest.mark.timeout(LONGEST))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give a test its cases: all of them, or in the short form one in so many."""
    if marker := metafunc.definition.get_closest_marker("cases"):
        names, cases, short = marker.args
        chosen = cases if is_long(metafunc.config) else cases[::short]
        ids = ["-".join(map(str, case)) for case in chosen]
        metafunc.parametrize(names.split(", "), chosen, ids=ids)
