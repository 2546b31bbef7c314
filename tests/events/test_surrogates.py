"""JSON with escaped surrogates."""

import json
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_adapter.errors import EventError
from lambda_adapter.events.classify import classify
from lambda_adapter.events.surrogates import is_json, without_surrogates


@pytest.mark.parametrize(
    ("document", "cleaned"),
    [
        (rb'"\ud83d"', b'"?"'),
        (rb'"\uD83D\uDE00"', b'"??"'),
        (rb'"a\\\ud83d"', rb'"a\\?"'),
        (rb'"a\\ud83d"', rb'"a\\ud83d"'),
        (rb'"\ud7ff\ue000\u00e9"', rb'"\ud7ff\ue000\u00e9"'),
        (rb'"\ud83"', rb'"\ud83"'),
        (rb'"\ud83d', b'"?'),
    ],
)
def test_without_surrogates(document, cleaned):
    """Each escaped surrogate becomes ``?``; a backslash before it keeps its meaning."""
    assert without_surrogates(document) == cleaned


@pytest.mark.parametrize("size", [0, 1_000])
def test_nothing_to_replace(size):
    """A document without surrogates is returned itself."""
    document = b'{"a": "' + b"x" * size + rb'\u0041\\"'

    assert without_surrogates(document) is document


TEXTS = st.text(alphabet=st.characters() | st.sampled_from("\\\ud83d\ude00u"))


DOCUMENTS = st.recursive(
    TEXTS, lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner)
)


@given(DOCUMENTS)
def test_is_json_like_the_standard_library(value):
    """Any JSON that Python writes can be read, lone surrogates included."""
    assert is_json(json.dumps(value).encode())


@given(st.text(alphabet='{}[]":,\\ud83e0.-+ \ntrfalsn', max_size=12))
def test_is_json_no_more(text):
    """Text that the standard library refuses is not JSON, except for constants."""
    try:
        json.loads(text)
    except ValueError:
        assert not is_json(text.encode())
    else:
        assert is_json(text.encode())


def cost(work: Callable[[], object]) -> float:
    """Return the least CPU time of this thread that some work took, in seconds."""
    times = []
    for _ in range(3):
        began = time.thread_time()
        work()
        times.append(time.thread_time() - began)
    return min(times)


@pytest.mark.parametrize(
    "piece",
    [
        pytest.param(b"x", id="plain"),
        pytest.param(rb"\n", id="escapes"),
        pytest.param(rb"\\", id="backslashes"),
        pytest.param(rb"\u00e9", id="unicode"),
        pytest.param(rb"\ud83d\ude00", id="surrogates"),
        pytest.param(rb"\\\\\ud83d", id="backslashes-and-surrogates"),
    ],
)
def test_unreadable_event_is_cheap(piece):
    """A large truncated event takes little longer than a valid one."""
    text = piece * (1_000_000 // len(piece))
    readable, broken = b'["' + text + b'"]', b'["' + text

    def fail() -> None:
        with pytest.raises(EventError):
            classify(broken)

    assert cost(fail) < 50 * cost(lambda: readable.translate(None, b"\0"))
