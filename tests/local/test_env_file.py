"""Files of variables: ``--env-file``."""

import pytest

from lambda_adapter.local.env_file import EnvFileError, parse_env_file


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=1", "1"),
        ("export A=1", "1"),
        ("  A = 1  ", "1"),
        ("A=", ""),
        ("A=a b # a comment", "a b"),
        ("A=a#b", "a#b"),
        ("A=# nothing", ""),
        ("A='a # b' # c", "a # b"),
        (r"A='a\nb'", r"a\nb"),
        (r'A="a\nb\"c"', 'a\nb"c'),
        ("A=postgres://u:p@h/d?x=1&y=2", "postgres://u:p@h/d?x=1&y=2"),
        ("A=1\nA=2", "2"),
        ("# only\n\n\tA=1\r\n", "1"),
        ("A=it's", "it's"),
    ],
)
def test_value(line: str, value: str):
    """A variable has the value that python-dotenv, Node.js and docker agree about."""
    assert parse_env_file(line) == {"A": value}


@pytest.mark.parametrize("line", ["A", "1A=1", "A-B=1", "A='open", "=1", "{}"])
def test_no_variable(line: str):
    """An invalid line is named by its number, not by its content."""
    with pytest.raises(EnvFileError, match=r"^line 2 is not NAME=value$"):
        parse_env_file(f"# one\n{line}\n")
