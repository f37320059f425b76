"""Clustered comparisons against regressions with robust errors, by hand, at the edges, in use."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy.stats import chi2_contingency

from reports.clustered import PatientSums, wilson_clustered
from reports.comparing.arms import Contrast
from reports.comparing.clustered import ClusteredComparison, compare
from reports.comparing.differences import newcombe
from reports.comparing.mover import Part, difference_limits, ratio_limits
from reports.comparing.patients import SharedSums, TwoArms
from reports.comparing.sandwich import (
    arm_of,
    sandwich_difference,
    sandwich_ratio,
    sandwich_test,
    spread_of,
)
from reports.intervals import Estimate, wilson

Rows = list[tuple[int, int, int, int]]
"""Sessions and sessions with the event in the arm, then in the reference; a row a patient."""

APART: Rows = [(5, 2, 0, 0), (3, 3, 0, 0), (8, 0, 0, 0), (1, 1, 0, 0),
               (0, 0, 4, 1), (0, 0, 7, 0), (0, 0, 2, 2), (0, 0, 6, 1)]  # fmt: skip
TOGETHER: Rows = [(5, 2, 4, 1), (3, 3, 5, 4), (8, 0, 3, 0), (1, 1, 6, 2), (4, 2, 1, 0)]
MIXED: Rows = [(5, 2, 4, 1), (3, 3, 5, 4), (8, 0, 0, 0), (1, 1, 0, 0), (0, 0, 6, 2), (0, 0, 1, 0)]
ALL = pytest.mark.parametrize("rows", [APART, TOGETHER, MIXED])


def arms_of(rows: Rows) -> TwoArms:
    columns = list(zip(*rows, strict=True)) or [(), (), (), ()]
    m1, x1, m0, x0 = (np.array(column, dtype=int) for column in columns)
    return TwoArms.of_patients(range(len(rows)), (m1, x1), (m0, x0))


def limits_of(sums: PatientSums, level: float = 0.95) -> Estimate:
    """The interval that is printed beside the rate of the arm."""
    return wilson_clustered(sums, level)


def compared(rows: Rows) -> ClusteredComparison:
    arms = arms_of(rows)
    return compare(arms, (limits_of(arms.arm), limits_of(arms.reference)))


def swapped(rows: Rows) -> Rows:
    return [(m0, x0, m1, x1) for m1, x1, m0, x0 in rows]


def sessions(rows: Rows) -> tuple[Any, Any, Any]:
    """Event, arm and patient of each session."""
    long = [
        (int(number < x), arm, patient)
        for patient, (m1, x1, m0, x0) in enumerate(rows)
        for m, x, arm in ((m1, x1, 1), (m0, x0, 0))
        for number in range(m)
    ]
    event, arm, patient = (np.array(column) for column in zip(*long, strict=True))
    return event, np.column_stack([np.ones(len(arm)), arm]), patient


@ALL
def test_standard_errors_are_those_of_regressions_with_clustered_errors(rows: Rows) -> None:
    """Linear for the difference, log-linear for the ratio; k / (k - 1) is put on by hand.

    Both arms have the same number of patients here, so one factor serves for everything.
    """
    from statsmodels.genmod.families import Poisson
    from statsmodels.genmod.generalized_linear_model import GLM
    from statsmodels.regression.linear_model import OLS

    event, design, patient = sessions(rows)
    kinds = {"cov_type": "cluster", "cov_kwds": {"groups": patient, "use_correction": False}}
    linear = OLS(event, design).fit(**kinds)
    poisson = GLM(event, design, family=Poisson()).fit(tol=1e-12, **kinds)
    k = arms_of(rows).arm.patients
    factor = math.sqrt(k / (k - 1))
    ours = compared(rows)
    assert ours.difference.value == pytest.approx(linear.params[1], rel=1e-9)
    assert ours.standard_error == pytest.approx(linear.bse[1] * factor, rel=1e-9)
    assert ours.ratio.value == pytest.approx(math.exp(poisson.params[1]), rel=1e-6)
    assert ours.log_standard_error == pytest.approx(poisson.bse[1] * factor, rel=1e-6)


def test_the_p_value_is_from_t_with_the_degrees_of_both_arms() -> None:
    """By hand for arms without a shared patient: Welch and Satterthwaite."""
    from scipy.stats import t

    spread, test = spread_of(arms_of(APART)), sandwich_test(arms_of(APART))
    assert spread is not None
    v1, v0 = spread.arm, spread.reference
    degrees = (v1 + v0) ** 2 / (v1**2 / 3 + v0**2 / 3)
    expected = (6 / 17 - 4 / 19) / math.sqrt(v1 + v0)
    assert (test.statistic, test.degrees) == pytest.approx((expected, degrees), rel=1e-12)
    assert test.p == pytest.approx(2 * t.sf(abs(expected), degrees), rel=1e-9)
    assert test.method == "sandwich-t"


def test_shared_patients_do_not_count_twice_as_degrees_of_freedom() -> None:
    """Five patients with both arms carry at most four."""
    assert sandwich_test(arms_of(TOGETHER)).degrees == pytest.approx(4.0)
    assert (compared(TOGETHER).patients, compared(TOGETHER).shared) == (5, 5)
    assert (compared(MIXED).patients, compared(MIXED).shared) == (6, 2)


def test_one_session_a_patient_is_newcombe_but_for_students_t() -> None:
    """With very many patients of one session each, the two agree."""
    rows: Rows = [(1, int(i < 90), 0, 0) for i in range(600)]
    rows += [(0, 0, 1, int(i < 50)) for i in range(500)]
    arms = arms_of(rows)
    ours, plain = compared(rows).difference, newcombe(arm_of(arms.arm), arm_of(arms.reference))
    assert (ours.low, ours.high) == pytest.approx((plain.low, plain.high), abs=1.5e-3)


def test_patients_who_do_alike_in_both_arms_make_it_sharper() -> None:
    """A patient is the own control: correlation, and narrower limits than if they were others."""
    apart: Rows = [row for m1, x1, m0, x0 in TOGETHER for row in ((m1, x1, 0, 0), (0, 0, m0, x0))]
    together, others = compared(TOGETHER), compared(apart)
    assert together.correlation > 0.5
    assert others.correlation == 0
    for one, other in ((together.difference, others.difference), (together.ratio, others.ratio)):
        assert one.value == other.value
        assert one.high is not None
        assert other.high is not None
        assert other.low < one.low
        assert one.high < other.high


@ALL
def test_swapping_the_arms_changes_the_sign_and_turns_the_ratio_over(rows: Rows) -> None:
    """Nothing depends on which arm comes first."""
    there, back = compared(rows), compared(swapped(rows))
    assert there.difference.high is not None
    assert (back.difference.low, back.difference.high) == pytest.approx(
        (-there.difference.high, -there.difference.low), abs=1e-12
    )
    assert there.ratio.high is not None
    assert back.ratio.low == pytest.approx(1 / there.ratio.high, rel=1e-9)
    assert back.test.p == pytest.approx(there.test.p, rel=1e-9)


@pytest.mark.parametrize("limits", [sandwich_difference, sandwich_ratio])
def test_symmetric_limits_lie_t_standard_errors_away(limits: Any) -> None:
    """On the scale of the difference, or on the logarithm of the ratio."""
    from scipy.stats import t

    contrast, whole = limits(arms_of(MIXED)), compared(MIXED)
    assert whole.test.degrees is not None
    far = t.ppf(0.975, whole.test.degrees)
    if limits is sandwich_difference:
        assert contrast.value - contrast.low == pytest.approx(far * whole.standard_error)
    else:
        distance = math.log(contrast.high / contrast.value)
        assert distance == pytest.approx(far * whole.log_standard_error)


def with_events(rows: Rows, arm: int | None, reference: int | None) -> Rows:
    """The same sessions with the event in none (0) or all (1) of an arm; None leaves them."""
    return [
        (m1, x1 if arm is None else m1 * arm, m0, x0 if reference is None else m0 * reference)
        for m1, x1, m0, x0 in rows
    ]


@ALL
def test_no_event_in_one_arm_still_compares(rows: Rows) -> None:
    """Limits from those of the arms, p from the residuals at the common share."""
    ours = compared(with_events(rows, None, 0))
    assert ours.difference.value is not None
    assert ours.difference.low < ours.difference.value
    assert (ours.ratio.value, ours.ratio.high, ours.correlation) == (None, None, 0.0)
    assert (ours.standard_error, ours.log_standard_error) == (None, None)
    assert ours.test.method == "score-t"
    assert ours.test.p is not None
    assert 0 < ours.test.p < 1
    turned = compared(with_events(rows, 0, None))
    assert (turned.ratio.value, turned.ratio.low) == (0.0, 0.0)
    assert turned.ratio.high is not None


@pytest.mark.parametrize(("empty", "x", "n"), [(47, 18, 360), (20, 3, 60), (150, 9, 80)])
def test_an_arm_without_events_keeps_the_variance_that_it_could_have_had(
    empty: int, x: int, n: int
) -> None:
    """One session a patient: never surer than the pooled test of two shares, chi-squared."""
    rows: Rows = [(1, int(at < x), 0, 0) for at in range(n)] + [(0, 0, 1, 0)] * empty
    test = compared(rows).test
    pooled = chi2_contingency([[x, n - x], [0, empty]], correction=False)
    assert test.method == "score-t"
    assert test.statistic is not None
    assert 0 < test.statistic < 1.02 * math.sqrt(pooled.statistic)
    assert test.p is not None
    assert test.p > 0.98 * pooled.pvalue
    # The same sessions from a fifth of the patients tell less.
    few: Rows = [(5, 5 * int(at < x // 5), 0, 0) for at in range(n // 5)] + [(0, 0, 1, 0)] * empty
    assert (compared(few).test.p or 1) > (test.p or 0)


@ALL
@pytest.mark.parametrize("events", [0, 1])
def test_the_same_in_every_session_has_no_p_value(rows: Rows, events: int) -> None:
    """No event, or nothing else: no difference was seen, and limits say what is possible."""
    ours = compared(with_events(rows, events, events))
    assert (ours.difference.value, ours.test.p) == (0.0, None)
    assert ours.difference.high is not None
    assert ours.difference.low < -0.2
    assert ours.difference.high > 0.2
    assert ours.ratio.value == (None if events == 0 else 1.0)
    assert sandwich_difference(arms_of(with_events(rows, events, events))) is None


def test_all_against_none_has_limits() -> None:
    """The greatest difference there is, and no upper bound for the ratio."""
    ours = compared(with_events(APART, 1, 0))
    assert (ours.difference.value, ours.difference.high) == (1.0, 1.0)
    assert ours.difference.low < 0.5
    assert (ours.ratio.value, ours.ratio.high) == (None, None)
    assert ours.test.p is not None


@pytest.mark.parametrize("rows", [[], [(3, 1, 0, 0)], [(0, 0, 3, 1)]])
def test_an_empty_arm_is_no_information(rows: Rows) -> None:
    """No value, no p value, every difference and ratio possible."""
    ours = compared(rows)
    assert (ours.difference.value, ours.difference.low, ours.difference.high) == (None, -1.0, 1.0)
    assert (ours.ratio.value, ours.ratio.low, ours.ratio.high) == (None, 0.0, None)
    assert (ours.test.p, ours.standard_error) == (None, None)


def test_one_patient_an_arm_has_no_variance_and_no_p_value() -> None:
    """But a value, and the limits that the arms have."""
    ours = compared([(4, 1, 5, 3)])
    assert ours.difference.value == pytest.approx(0.25 - 0.6)
    assert (ours.test.p, ours.standard_error, ours.correlation) == (None, None, 0.0)


def test_mover_of_two_wilson_intervals_is_newcombe() -> None:
    """And with a correlation it is what the formula says."""
    one, zero = Part.of(wilson(56, 70)), Part.of(wilson(48, 80))
    assert one is not None
    assert zero is not None
    # Newcombe, Stat Med 1998;17:873-890, table II.
    assert difference_limits(one, zero) == pytest.approx((0.0524, 0.3339), abs=5e-5)
    down, up = one.value - one.low, zero.high - zero.value
    expected = 0.2 - math.sqrt(down**2 + up**2 - 2 * 0.4 * down * up)
    assert difference_limits(one, zero, 0.4)[0] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("correlation", [-0.5, 0.0, 0.7])
def test_at_a_limit_of_the_ratio_the_weighted_difference_reaches_zero(correlation: float) -> None:
    """What defines the limits: arm less ratio times reference is 0 at its own limit."""
    one, zero = Part(0.1, 0.25, 0.45), Part(0.3, 0.4, 0.55)
    low, high = ratio_limits(one, zero, correlation)
    assert high is not None

    def reaches(ratio: float, down: float, up: float) -> float:
        square = down**2 + (ratio * up) ** 2 - 2 * correlation * down * ratio * up
        return abs(one.value - ratio * zero.value) - math.sqrt(square)

    assert reaches(low, 0.15, 0.15) == pytest.approx(0, abs=1e-12)
    assert reaches(high, 0.20, 0.10) == pytest.approx(0, abs=1e-12)
    assert low < 0.625 < high


def test_limits_of_something_else_are_refused() -> None:
    """Handing in the limits of another term, or in the wrong order, is noticed."""
    arms = arms_of(APART)
    own = limits_of(arms.arm), limits_of(arms.reference)
    for wrong in (own[::-1], (own[0], wilson(0, 0)), (own[0], wilson(4, 20))):
        with pytest.raises(ValueError, match="are not those of"):
            compare(arms, wrong)
    disordered = Estimate(own[0].value, 0.9, 0.1, "none")
    with pytest.raises(ValueError, match="no proportion between two limits"):
        compare(arms, (disordered, own[1]))


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (((3, 2), (1, 3), (1, 1), (0, 0)), "a patient with 3 affected of 2 sessions"),
        (((3,), (1,), (1, 1), (0, 0)), "columns of different length"),
        (((3.5, 2), (1, 1), (1, 1), (0, 0)), "sessions must be a whole number"),
        (((3, -2), (1, 0), (1, 1), (0, 0)), "sessions must be a count of 0 or more"),
    ],
)
def test_impossible_rows_are_refused(columns: Any, message: str) -> None:
    """With what is wrong, before anything is summed up."""
    m1, x1, m0, x0 = columns
    with pytest.raises(ValueError, match=message):
        TwoArms.of_patients(("a", "b"), (m1, x1), (m0, x0))


def test_a_patient_with_two_rows_is_refused() -> None:
    """It would count as two patients."""
    with pytest.raises(ValueError, match="a patient with two rows"):
        TwoArms.of_patients(("a", "a"), ((1, 1), (0, 1)), ((1, 1), (0, 0)))


def test_impossible_sums_are_refused() -> None:
    """Sums that no patients have."""
    arm = PatientSums(2, 5, 3, 13, 8, 5)  # 2 of 3 and 1 of 2
    for broken in ((0, 5, 3, 13, 8, 5), (6, 5, 3, 13, 8, 5), (2, 5, 3, 4, 8, 5),
                   (2, 5, 3, 13, 14, 5), (2, 5, 3, 13, 4, 5), (2, 5, 6, 13, 8, 5),
                   (2, 5, 3, 13, 9, 5)):  # fmt: skip
        with pytest.raises(ValueError, match=r"no patients|is more than sessions"):
            PatientSums(*broken)
    for wrong in ((3, 2, 0, 0, 0), (1, 4, 5, 0, 0), (1, 4, 2, 0, 1)):
        with pytest.raises(ValueError, match="sums that no patients have"):
            SharedSums(*wrong)
    with pytest.raises(ValueError, match="more patients shared"):
        TwoArms(arm, arm, SharedSums(3, 9, 0, 0, 0))


# --- How often 95 % limits hold the truth, patients being unlike each other


def simulated(rng: np.random.Generator, k: int, both: int, shares: tuple[float, float]) -> Rows:
    """Two arms of ``k`` patients, ``both`` of them shared; likeness of sessions 0.3."""
    from scipy.special import betaincinv

    patients, size = 2 * k - both, 1 / 0.3 - 1
    rank = rng.uniform(size=patients)
    risks = [betaincinv(p * size, (1 - p) * size, rank) for p in shares]
    planned = rng.integers(1, 12, size=(2, patients))
    place = np.arange(patients)
    m1, m0 = np.where(place < k, planned[0], 0), np.where(place >= k - both, planned[1], 0)
    columns = (m1, rng.binomial(m1, risks[0]), m0, rng.binomial(m0, risks[1]))
    return [tuple(map(int, row)) for row in zip(*columns, strict=True)]  # type: ignore[misc]


def holds(contrast: Contrast, truth: float) -> bool:
    return contrast.low <= truth <= (math.inf if contrast.high is None else contrast.high)


SETTINGS = [(10, 0, (0.3, 0.3)), (30, 15, (0.1, 0.05)), (60, 20, (0.4, 0.3)), (60, 60, (0.2, 0.1))]


def coverage(k: int, both: int, shares: tuple[float, float], runs: int) -> tuple[float, ...]:
    """Of clustered difference and ratio, and of Newcombe as if sessions were independent."""
    rng = np.random.default_rng(20_260_301)
    truth, counts = (shares[0] - shares[1], shares[0] / shares[1]), np.zeros(3)
    for _ in range(runs):
        rows = simulated(rng, k, both, shares)
        arms, ours = arms_of(rows), compared(rows)
        naive = newcombe(arm_of(arms.arm), arm_of(arms.reference))
        counts += (
            holds(ours.difference, truth[0]), holds(ours.ratio, truth[1]), holds(naive, truth[0])
        )  # fmt: skip
    return tuple(counts / runs)


@pytest.mark.parametrize(("k", "both", "shares"), SETTINGS)
def test_the_truth_is_held_where_counting_sessions_as_independent_misses_it(
    k: int, both: int, shares: tuple[float, float]
) -> None:
    """At least about 95 %; the naive interval is far below where patients differ."""
    difference, ratio, naive = coverage(k, both, shares, 300)
    assert min(difference, ratio) > 0.91
    assert naive < difference - 0.02


@pytest.mark.slow
@pytest.mark.parametrize(("k", "both", "shares"), SETTINGS)
def test_the_truth_is_held_in_the_long_run(k: int, both: int, shares: tuple[float, float]) -> None:
    """The same over 4 000 comparisons, with a narrower allowance."""
    difference, ratio, _ = coverage(k, both, shares, 4_000)
    assert min(difference, ratio) > 0.93
