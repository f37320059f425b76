"""What holds for every comparison at every count."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.clustered import PatientSums, wilson_clustered
from reports.comparing import differences, odds, ratios, stratified
from reports.comparing.arms import Arm, Contrast
from reports.comparing.clustered import compare
from reports.comparing.exact import fisher
from reports.comparing.multiplicity import Representative, TermTest, benjamini_hochberg, double_fdr
from reports.comparing.patients import TwoArms

DIFFERENCES = differences.METHODS
RATIOS: dict[str, Callable[..., Contrast]] = {
    **{f"rr {name}": method for name, method in ratios.METHODS.items()},
    **{f"or {name}": method for name, method in odds.METHODS.items()},
}
STRATIFIED_DIFFERENCES = ("mantel-haenszel rd", "miettinen-nurminen stratified")


def arms(most: int) -> st.SearchStrategy[Arm]:
    return st.integers(0, most).flatmap(lambda n: st.builds(Arm, x=st.integers(0, n), n=st.just(n)))


small, any_size = arms(40), arms(40) | arms(10**9)
levels = st.floats(0.2, 0.99)
# Limits by halving, and lists of arms, take their time: a third of the examples of the profile.
fewer = settings(max_examples=settings().max_examples // 3)
every_difference = pytest.mark.parametrize("method", DIFFERENCES)
every_ratio = pytest.mark.parametrize("method", RATIOS)


@every_difference
@fewer
@given(arm=any_size, reference=any_size, level=levels)
def test_a_difference_lies_between_its_limits(
    method: str, arm: Arm, reference: Arm, level: float
) -> None:
    """Low, value and high are in order and within -1 to 1; without a value nothing is known."""
    ours = DIFFERENCES[method](arm, reference, level)
    assert ours.high is not None
    middle = ours.low if ours.value is None else ours.value
    assert -1 <= ours.low <= middle <= ours.high <= 1
    assert (ours.value is None) == (arm.n == 0 or reference.n == 0)


@every_difference
@fewer
@given(arm=any_size, reference=any_size, level=levels)
def test_swapping_the_arms_negates_a_difference(
    method: str, arm: Arm, reference: Arm, level: float
) -> None:
    """To the last bit."""
    there = DIFFERENCES[method](arm, reference, level)
    back = DIFFERENCES[method](reference, arm, level)
    assert there.high is not None
    assert (back.low, back.high) == (-there.high, -there.low)


@pytest.mark.parametrize("method", ["newcombe", "miettinen-nurminen"])
@given(arm=arms(200), reference=arms(200), level=levels)
def test_one_more_event_in_the_arm_raises_a_difference(
    method: str, arm: Arm, reference: Arm, level: float
) -> None:
    """Neither score limit falls when an event is added."""
    if arm.x < arm.n and reference.n:
        fewer = DIFFERENCES[method](arm, reference, level)
        more = DIFFERENCES[method](Arm(arm.x + 1, arm.n), reference, level)
        assert fewer.high is not None
        assert more.high is not None
        assert fewer.low <= more.low + 1e-12
        assert fewer.high <= more.high + 1e-12


@every_difference
@fewer
@given(arm=any_size, reference=any_size, level=st.floats(0.2, 0.9))
def test_more_confidence_about_a_difference_is_wider(
    method: str, arm: Arm, reference: Arm, level: float
) -> None:
    """A higher level never gives a narrower interval."""
    narrow = DIFFERENCES[method](arm, reference, level)
    wide = DIFFERENCES[method](arm, reference, level + 0.05)
    assert narrow.high is not None
    assert wide.high is not None
    assert wide.low <= narrow.low + 1e-15
    assert narrow.high <= wide.high + 1e-15


def bounds(contrast: Contrast) -> tuple[float, float]:
    return contrast.low, math.inf if contrast.high is None else contrast.high


@every_ratio
@fewer
@given(arm=small, reference=small, level=levels)
def test_a_ratio_lies_between_its_limits(
    method: str, arm: Arm, reference: Arm, level: float
) -> None:
    """Low, value and high are in order and 0 or more, and never not a number."""
    ours = RATIOS[method](arm, reference, level)
    low, high = bounds(ours)
    middle = low if ours.value is None else ours.value
    assert 0 <= low <= middle <= high


@every_ratio
@fewer
@given(arm=small, reference=small, level=levels)
def test_swapping_the_arms_inverts_a_ratio(
    method: str, arm: Arm, reference: Arm, level: float
) -> None:
    """Also where a limit is 0 or there is no bound."""
    ours, back = RATIOS[method](arm, reference, level), RATIOS[method](reference, arm, level)
    low, high = bounds(ours)
    if ours.value is None and back.value is None:
        assert (low, high) == bounds(back) == (0.0, math.inf)  # no information either way
        return
    turned = [1 / each if each else math.inf for each in (high, low)]
    assert bounds(back) == pytest.approx(turned, rel=1e-9)


@given(arm=any_size, reference=any_size, level=levels)
def test_score_limits_of_the_ratio_hold_at_every_size(
    arm: Arm, reference: Arm, level: float
) -> None:
    """Ordered and invertible, from nobody to a thousand million."""
    ours = ratios.miettinen_nurminen(arm, reference, level)
    back = ratios.miettinen_nurminen(reference, arm, level)
    low, high = bounds(ours)
    assert 0 <= low <= (low if ours.value is None else ours.value) <= high
    if arm.n and reference.n and arm.x + reference.x:
        turned = [1 / each if each else math.inf for each in (high, low)]
        assert bounds(back) == pytest.approx(turned, rel=1e-9)


@pytest.mark.parametrize("mid_p", [False, True])
@fewer
@given(arm=small, reference=small, level=levels)
def test_mid_p_limits_lie_within_the_exact_ones(
    arm: Arm, reference: Arm, level: float, mid_p: bool
) -> None:
    """Counting half of the observed table cannot widen; both hold the same value."""
    exact = odds.conditional(arm, reference, level)
    ours = odds.conditional(arm, reference, level, mid_p=mid_p)
    assert exact.low <= ours.low * (1 + 1e-12)
    assert bounds(ours)[1] <= bounds(exact)[1] * (1 + 1e-12)
    assert ours.value == exact.value


@given(arm=small, reference=small)
def test_fishers_test_does_not_know_which_arm_is_which(arm: Arm, reference: Arm) -> None:
    """Swapping the arms, or counting those without the event, gives the same p."""
    ours, back = fisher(arm, reference), fisher(reference, arm)
    without = fisher(Arm(arm.without, arm.n), Arm(reference.without, reference.n))
    if ours.p is None:
        assert back.p is None
        return
    assert ours.mid_p is not None
    assert 0 < ours.mid_p <= ours.p <= 1
    assert (back.p, without.p) == pytest.approx((ours.p, ours.p), rel=1e-9)


@fewer
@given(arm=arms(10**7), reference=arms(10**7) | small)
def test_fishers_test_holds_at_every_size(arm: Arm, reference: Arm) -> None:
    """A probability, whatever the counts."""
    ours = fisher(arm, reference)
    assert (ours.p is None) == (arm.n == 0 or reference.n == 0)
    if ours.p is not None:
        assert ours.mid_p is not None
        assert 0 <= ours.mid_p <= ours.p <= 1


strata_of = st.lists(st.tuples(small, small), max_size=5)


@pytest.mark.parametrize("method", stratified.METHODS)
@fewer
@given(strata=strata_of, level=levels)
def test_a_stratified_value_lies_between_its_limits(
    method: str, strata: list[stratified.Stratum], level: float
) -> None:
    """In order, within what can be; every stratum is counted once, in or out."""
    ours = stratified.METHODS[method](strata, level)
    assert ours.strata + ours.left_out == len(strata)
    high = math.inf if ours.high is None else ours.high
    middle = ours.low if ours.value is None else ours.value
    assert ours.low <= middle <= high
    if method in STRATIFIED_DIFFERENCES:
        assert ours.low >= -1
        assert high <= 1
    else:
        assert ours.low >= 0


@pytest.mark.parametrize("method", stratified.METHODS)
@fewer
@given(strata=strata_of, level=levels)
def test_the_order_of_strata_and_arms_does_not_matter(
    method: str, strata: list[stratified.Stratum], level: float
) -> None:
    """Strata backwards give the same; arms swapped give minus, or one over."""
    ours = stratified.METHODS[method](strata, level)
    again = stratified.METHODS[method](strata[::-1], level)
    back = stratified.METHODS[method]([(r, m) for m, r in strata], level)
    assert again.low == pytest.approx(ours.low, rel=1e-9, abs=1e-9)
    if method in STRATIFIED_DIFFERENCES:
        assert ours.high is not None
        assert (back.low, back.high) == pytest.approx((-ours.high, -ours.low), abs=1e-9)
    elif ours.high is not None and ours.low:
        assert (back.low, back.high) == pytest.approx((1 / ours.high, 1 / ours.low), rel=1e-9)


p_values = st.lists(st.none() | st.floats(0, 1), max_size=12)


@given(given_p=p_values)
def test_adjusting_raises_p_values_and_keeps_their_order(given_p: list[float | None]) -> None:
    """No q below its p, none above 1, none out of order, None where there was None."""
    pairs = list(zip(given_p, benjamini_hochberg(given_p), strict=True))
    assert [p is None for p, _ in pairs] == [q is None for _, q in pairs]
    found = sorted((p, q) for p, q in pairs if p is not None and q is not None)
    assert all(p <= q * (1 + 1e-12) <= 1 + 1e-12 for p, q in found)
    assert [q for _, q in found] == sorted(q for _, q in found)


@pytest.mark.parametrize("representative", Representative)
@fewer
@given(given_p=p_values, socs=st.lists(st.sampled_from("abc"), min_size=12, max_size=12))
def test_stricter_levels_flag_no_more(
    representative: Representative, given_p: list[float | None], socs: list[str]
) -> None:
    """Whatever is flagged at 5 % is flagged at 10 %, and was tested."""
    tests = [TermTest(f"t{i}", socs[i], p) for i, p in enumerate(given_p)]
    strict = double_fdr(tests, 0.05, 0.05, representative).flagged
    loose = double_fdr(tests, 0.1, 0.1, representative).flagged
    assert {each.term for each in strict} <= {each.term for each in loose}
    assert all(each.p is not None for each in loose)


patient = st.tuples(small, small).filter(lambda pair: pair[0].n + pair[1].n > 0)


def limits_of(sums: PatientSums) -> object:
    return wilson_clustered(sums)


@fewer
@given(patients=st.lists(patient, max_size=8))
def test_a_clustered_comparison_holds_for_any_patients(patients: list[tuple[Arm, Arm]]) -> None:
    """Limits in order, p a probability, arms exchangeable, never not a number."""
    there, back = (
        compare(both, (limits_of(both.arm), limits_of(both.reference)))  # type: ignore[arg-type]
        for both in (
            two_arms(patients),
            two_arms([(reference, arm) for arm, reference in patients]),
        )
    )
    assert there.difference.high is not None
    value = there.difference.value
    middle = there.difference.low if value is None else value
    assert -1 <= there.difference.low <= middle <= there.difference.high <= 1
    low, high = bounds(there.ratio)
    assert 0 <= low <= (low if there.ratio.value is None else there.ratio.value) <= high
    assert back.difference.low == pytest.approx(-there.difference.high, abs=1e-9)
    assert there.test.p is None or 0 <= there.test.p <= 1
    assert (back.test.p is None) == (there.test.p is None)
    if there.test.p is not None:
        assert back.test.p == pytest.approx(there.test.p, rel=1e-6)
    assert there.standard_error is None or there.standard_error >= 0


def two_arms(patients: list[tuple[Arm, Arm]]) -> TwoArms:
    return TwoArms.of_patients(
        range(len(patients)),
        ([arm.n for arm, _ in patients], [arm.x for arm, _ in patients]),
        ([reference.n for _, reference in patients], [reference.x for _, reference in patients]),
    )
