"""What holds for the intervals at every count."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.intervals import METHODS, Estimate, exact_poisson

exposed = st.integers(1, 10**9) | st.integers(1, 50)
counts = exposed.flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
levels = st.floats(0.01, 0.999)
every_method = pytest.mark.parametrize("method", METHODS)


def limits(estimate: Estimate) -> tuple[float, float, float]:
    """The three numbers of an estimate that has all of them."""
    assert estimate.value is not None
    assert estimate.low is not None
    assert estimate.high is not None
    return estimate.low, estimate.value, estimate.high


@every_method
@given(pair=counts, level=levels)
def test_the_interval_contains_the_estimate(
    method: str, pair: tuple[int, int], level: float
) -> None:
    """Low, value and high are in order and within 0 to 1."""
    low, value, high = limits(METHODS[method](*pair, level))
    assert 0 <= low <= value <= high <= 1


@every_method
@given(pair=counts, level=levels)
def test_with_and_without_the_event_mirror_each_other(
    method: str, pair: tuple[int, int], level: float
) -> None:
    """The limits of x of n are one less those of n - x of n."""
    x, n = pair
    low, _, high = limits(METHODS[method](x, n, level))
    mirrored_low, _, mirrored_high = limits(METHODS[method](n - x, n, level))
    assert (low, high) == pytest.approx((1 - mirrored_high, 1 - mirrored_low), abs=1e-12)


@every_method
@given(pair=counts)
def test_one_more_event_raises_both_limits(method: str, pair: tuple[int, int]) -> None:
    """Both limits grow with the number of events."""
    x, n = pair
    if x < n:
        low, _, high = limits(METHODS[method](x, n))
        more_low, _, more_high = limits(METHODS[method](x + 1, n))
        assert low < more_low
        assert high < more_high or more_high == 1.0


@every_method
@given(pair=counts, level=st.floats(0.1, 0.9))
def test_more_confidence_is_wider(method: str, pair: tuple[int, int], level: float) -> None:
    """A higher level never gives a narrower interval."""
    low, _, high = limits(METHODS[method](*pair, level))
    wider_low, _, wider_high = limits(METHODS[method](*pair, level + 0.05))
    assert wider_low <= low
    assert high <= wider_high


@every_method
@given(pair=st.integers(1, 10**6).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_more_of_the_same_is_narrower(method: str, pair: tuple[int, int]) -> None:
    """Ten times the sessions with the same proportion give a narrower interval."""
    x, n = pair
    low, _, high = limits(METHODS[method](x, n))
    more_low, _, more_high = limits(METHODS[method](10 * x, 10 * n))
    assert more_high - more_low < high - low


@given(x=st.integers(0, 10**6), exposure=st.floats(0.1, 1e6), level=levels)
def test_a_rate_lies_between_its_limits(x: int, exposure: float, level: float) -> None:
    """Low, value and high of a rate are in order, and low is 0 without events."""
    low, value, high = limits(exact_poisson(x, exposure, level))
    assert 0 <= low <= value <= high
    assert (low == 0) == (x == 0)
