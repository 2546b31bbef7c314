"""The arithmetic of the benchmarks."""

import statistics

import pytest
from bench.harness.stats import estimate, quantile, ratios, slope
from hypothesis import given
from hypothesis import strategies as st

times = st.floats(min_value=0, max_value=1e9)


@pytest.mark.parametrize(
    ("values", "q", "expected"),
    [
        ([7], 0.99, 7),
        ([3, 1, 2], 0.5, 2),
        ([1, 2, 3, 4], 0.5, 2.5),
        ([0, 10], 0.9, 9),
        ([1, 2, 3], 0, 1),
        ([1, 2, 3], 1, 3),
    ],
)
def test_quantile(values, q, expected):
    """A quantile between two places is interpolated between their values."""
    assert quantile(values, q) == pytest.approx(expected)


@given(st.lists(times, min_size=1))
def test_half_quantile_is_the_median(values):
    """The quantile of one half is the median."""
    assert quantile(values, 0.5) == pytest.approx(statistics.median(values))


@pytest.mark.parametrize(
    ("values", "q"), [([], 0.5), ([1], -0.1), ([1], 1.1)], ids=["none", "low", "high"]
)
def test_quantile_that_is_none(values, q):
    """A quantile of no values, or outside of 0 to 1, is refused."""
    with pytest.raises(ValueError, match="quantile"):
        quantile(values, q)


@given(st.lists(times, min_size=1, max_size=15))
def test_estimate_lies_within_its_interval(values):
    """A median lies within its interval, and the interval within the values."""
    found = estimate(values)

    assert min(values) <= found.low <= found.median <= found.high <= max(values)


def test_estimate_of_noise_is_wider():
    """The more rounds differ, the wider is the interval of their median."""
    steady, noisy = [99.0, 100.0, 101.0] * 3, [50.0, 100.0, 150.0] * 3

    widths = [found.high - found.low for found in map(estimate, [steady, noisy])]

    assert 0 < widths[0] < widths[1]


def test_estimate_is_repeatable():
    """The same rounds give the same interval each time."""
    rounds = [float(number**3) for number in range(400)]

    assert estimate(rounds) == estimate(rounds)


def test_estimate_of_nothing():
    """No rounds have no median."""
    with pytest.raises(ValueError, match="no values"):
        estimate([])


def test_ratios_are_of_pairs():
    """Ratios are of one round each: what slows a whole round cancels out."""
    assert ratios([2.0, 20.0], [4.0, 40.0]) == [0.5, 0.5]


def test_ratios_without_pairs():
    """Values without a counterpart have no ratios."""
    with pytest.raises(ValueError, match="zip"):
        ratios([1.0], [1.0, 2.0])


def test_slope_leaves_out_what_is_there_once():
    """The cost of an invocation leaves out what two runs have in common."""
    start, each = 500.0, 3.0

    assert slope((100, start + 100 * each), (300, start + 300 * each)) == each
