"""The table of options: what is made of it, and what it refuses."""

from typing import get_type_hints

import click
import msgspec
import pytest

from lambda_adapter.local.cli import load
from lambda_adapter.local.option_table import OWN, AppOptions, Given, flags
from lambda_adapter.local.read_options import BadOptionError, read_given
from tests.emulator import PROJECT


def test_every_option_is_documented():
    """Each option is on the page on `local`, in its table."""
    page = (PROJECT / "docs" / "local.md").read_text("utf-8")
    options = [f"`--{field.encode_name}" for field in msgspec.structs.fields(Given)]

    assert [option for option in options if f"| {option}" not in page] == []


def test_keywords_of_the_fixtures_are_options():
    """Each keyword of the pytest fixtures is an option, but for their own."""
    keywords = get_type_hints(AppOptions).keys() - OWN

    assert keywords <= flags().keys()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"gatway": "alb"}, "no option gatway; did you mean gateway?"),
        ({"gateway": "httpapi"}, "one of http-api, .*; did you mean http-api?"),
        ({"event": "restapi"}, "one of http-api, .*; did you mean rest-api?"),
        ({"invoke_mode": "stream"}, "not one of buffered, response_stream"),
        ({"environments": 0}, "Expected `int` >= 1, for `environments`"),
        ({"timeout": "long"}, "Expected `float`, got `str`, for `timeout`"),
        ({"function_name": "a b"}, "function-name 'a b' is not 1 to 64 letters, digit"),
    ],
)
def test_what_is_refused(given: dict[str, object], said: str):
    """An unknown option, or a value that it can't have, is named with a way out."""
    with pytest.raises(BadOptionError, match=said):
        read_given(given)


def test_names():
    """Options are read with ``-`` or ``_`` in their names, and by a former name."""
    given = read_given({"binary_media_types": ["a/b"], "app-port": 1, "event": "alb"})

    assert (given.binary_media_types, given.app_port) == (("a/b",), 1)
    assert given.gateway == "alb"


@pytest.mark.parametrize("name", ["", "invoke", "check"])
def test_help_in_words(name: str):
    """The help has defaults and ranges as people write them."""
    command = load(name)
    shown = " ".join(command.get_help(click.Context(command)).split())

    assert "[default: AWS_LWA_PORT, PORT, or 8080; 1 to 65535]" in shown
    assert "<=x<=" not in shown
    assert "default: (" not in shown
    assert ".0;" not in shown
