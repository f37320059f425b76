"""What holds for the intervals at every count."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from reports.clustered import PatientSums, design_effect, sandwich_variance, wilson_clustered
from reports.intervals import (
    METHODS,
    RATE_METHODS,
    Estimate,
    clopper_pearson,
    exact_poisson,
    mid_p_poisson,
    upper_for_none,
)

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


every_rate_method = pytest.mark.parametrize("method", RATE_METHODS)


@every_rate_method
@given(x=st.integers(0, 10**6), exposure=st.floats(0.1, 1e6), level=levels)
def test_a_rate_lies_between_its_limits(method: str, x: int, exposure: float, level: float) -> None:
    """Low, value and high of a rate are in order, and low is 0 without events."""
    low, value, high = limits(RATE_METHODS[method](x, exposure, level))
    assert 0 <= low <= value <= high
    assert (low == 0) == (x == 0)


@every_rate_method
@given(x=st.integers(0, 10**5), exposure=st.floats(0.1, 1e6))
def test_one_more_event_raises_both_limits_of_a_rate(method: str, x: int, exposure: float) -> None:
    """Both limits of a rate grow with the number of events."""
    low, _, high = limits(RATE_METHODS[method](x, exposure))
    more_low, _, more_high = limits(RATE_METHODS[method](x + 1, exposure))
    assert low < more_low
    assert high < more_high


@given(x=st.integers(0, 10**6), level=st.floats(0.2, 0.999))
def test_mid_p_lies_within_the_exact_limits(x: int, level: float) -> None:
    """Taking half of P(x) out of each tail can only narrow the interval."""
    low, _, high = limits(exact_poisson(x, 1.0, level))
    mid_low, _, mid_high = limits(mid_p_poisson(x, 1.0, level))
    assert low <= mid_low
    assert mid_high <= high


@given(n=st.integers(1, 10**6), level=st.floats(0.55, 0.999))
def test_the_one_sided_limit_is_the_two_sided_one_with_twice_the_error(
    n: int, level: float
) -> None:
    """One tail of 5 % is one of the two tails of a 90 % interval."""
    _, _, both = limits(clopper_pearson(0, n, 2 * level - 1))
    _, _, one = limits(upper_for_none(n, level))
    assert one == pytest.approx(both, rel=1e-9)


# Patients as (sessions, sessions with the event).
patient = st.integers(1, 60).flatmap(lambda m: st.tuples(st.just(m), st.integers(0, m)))
clinics = st.lists(patient, min_size=1, max_size=40)


def sums_of(clinic: list[tuple[int, int]]) -> PatientSums:
    return PatientSums.of([m for m, _ in clinic], [x for _, x in clinic])


@given(clinic=st.lists(patient, min_size=2, max_size=40))
def test_sums_give_the_variance_of_the_patients(clinic: list[tuple[int, int]]) -> None:
    """The expanded square equals the squares summed patient by patient, in exact arithmetic."""
    k, n = len(clinic), sum(m for m, _ in clinic)
    p = Fraction(sum(x for _, x in clinic), n)
    squares = sum((x - p * m) ** 2 for m, x in clinic)
    expected = Fraction(k, k - 1) * squares / n**2
    assert sandwich_variance(sums_of(clinic)) == pytest.approx(float(expected), rel=1e-12, abs=0)
    if 0 < p < 1:
        effect = float(expected / (p * (1 - p) / n))
        assert design_effect(sums_of(clinic)) == pytest.approx(effect, rel=1e-12, abs=0)


@given(clinic=clinics, level=levels)
def test_the_clustered_interval_contains_the_estimate(
    clinic: list[tuple[int, int]], level: float
) -> None:
    """Low, value and high are in order and within 0 to 1, in every clinic."""
    low, value, high = limits(wilson_clustered(sums_of(clinic), level))
    assert 0 <= low <= value <= high <= 1


@given(clinic=clinics, level=levels)
def test_clustered_limits_with_and_without_the_event_mirror_each_other(
    clinic: list[tuple[int, int]], level: float
) -> None:
    """Counting the sessions without the event gives one less the limits."""
    low, _, high = limits(wilson_clustered(sums_of(clinic), level))
    without = sums_of([(m, m - x) for m, x in clinic])
    mirrored_low, _, mirrored_high = limits(wilson_clustered(without, level))
    assert (low, high) == pytest.approx((1 - mirrored_high, 1 - mirrored_low), abs=1e-12)


@given(clinic=clinics, level=st.floats(0.1, 0.9))
def test_more_confidence_is_wider_over_patients_too(
    clinic: list[tuple[int, int]], level: float
) -> None:
    """A higher level never gives a narrower clustered interval."""
    low, _, high = limits(wilson_clustered(sums_of(clinic), level))
    wider_low, _, wider_high = limits(wilson_clustered(sums_of(clinic), level + 0.05))
    assert wider_low <= low
    assert high <= wider_high


@given(clinic=clinics)
def test_the_clustered_interval_is_never_the_narrower_one(clinic: list[tuple[int, int]]) -> None:
    """Allowing for likeness never makes more of the sessions than independence would."""
    sums = sums_of(clinic)
    assume(0 < sums.affected < sums.sessions)
    low, _, high = limits(METHODS["wilson"](sums.affected, sums.sessions))
    clustered_low, _, clustered_high = limits(wilson_clustered(sums))
    assert clustered_high - clustered_low >= high - low - 1e-12


@given(clinic=st.lists(patient, min_size=2, max_size=40), times=st.integers(2, 50))
def test_more_patients_of_the_same_kind_are_narrower(
    clinic: list[tuple[int, int]], times: int
) -> None:
    """Seeing every patient again in others narrows the interval."""
    low, _, high = limits(wilson_clustered(sums_of(clinic)))
    more_low, _, more_high = limits(wilson_clustered(sums_of(clinic * times)))
    assert more_high - more_low < high - low
