"""Risk and odds ratios against other implementations, published rows and the rules for zeros."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from reports.comparing import odds, ratios
from reports.comparing.arms import Arm, Contrast

METHODS: dict[str, Callable[..., Contrast]] = {
    **{f"rr {name}": method for name, method in ratios.METHODS.items()},
    **{f"or {name}": method for name, method in odds.METHODS.items()},
}
PAIRS = [
    (Arm(56, 70), Arm(48, 80)),
    (Arm(9, 10), Arm(3, 10)),
    (Arm(5, 56), Arm(1, 29)),
    (Arm(142, 346), Arm(21, 222)),
    (Arm(1, 2), Arm(1, 2)),
    (Arm(19, 346), Arm(1, 222)),
]
EDGES = [
    (Arm(5, 56), Arm(0, 29)),
    (Arm(0, 29), Arm(5, 56)),
    (Arm(10, 10), Arm(0, 20)),
    (Arm(10, 10), Arm(9, 10)),
    (Arm(1, 1), Arm(0, 1)),
]
LARGE = [(Arm(40_000, 10**9), Arm(39_000, 10**9)), (Arm(3, 10**9), Arm(9, 10**9))]
LEVELS = [0.5, 0.9, 0.95, 0.999]


def limits(contrast: Contrast) -> tuple[float, float]:
    return contrast.low, math.inf if contrast.high is None else contrast.high


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(("arm", "reference"), PAIRS)
def test_score_limits_agree_with_statsmodels(arm: Arm, reference: Arm, level: float) -> None:
    """Miettinen-Nurminen limits of the ratio are those of statsmodels."""
    from statsmodels.stats.proportion import confint_proportions_2indep

    expected = confint_proportions_2indep(
        arm.x,
        arm.n,
        reference.x,
        reference.n,
        compare="ratio",
        method="score",
        correction=True,
        alpha=1 - level,
    )
    ours = ratios.miettinen_nurminen(arm, reference, level)
    assert limits(ours) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("arm", "reference"), EDGES + LARGE)
def test_the_score_at_its_limits_is_the_quantile(arm: Arm, reference: Arm) -> None:
    """What defines the limits holds there, at the edges too (statsmodels' test statistic)."""
    from statsmodels.stats.proportion import score_test_proportions_2indep

    for limit in limits(ratios.miettinen_nurminen(arm, reference)):
        if 0 < limit < math.inf:
            found = score_test_proportions_2indep(
                arm.x, arm.n, reference.x, reference.n, value=limit, compare="ratio"
            )
            assert abs(found.statistic) == pytest.approx(1.959963984540054, rel=1e-6)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(("arm", "reference"), PAIRS + LARGE)
def test_katz_agrees_with_scipy(arm: Arm, reference: Arm, level: float) -> None:
    """Risk ratio and log-normal limits are those of scipy."""
    from scipy.stats.contingency import relative_risk

    theirs = relative_risk(arm.x, arm.n, reference.x, reference.n)
    ours = ratios.katz(arm, reference, level)
    assert ours.value == pytest.approx(theirs.relative_risk, rel=1e-12)
    assert limits(ours) == pytest.approx(theirs.confidence_interval(level), rel=1e-9)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(("arm", "reference"), PAIRS)
def test_woolf_agrees_with_scipy(arm: Arm, reference: Arm, level: float) -> None:
    """The ratio of the odds and its log-normal limits are those of scipy."""
    theirs = scipy_odds(arm, reference, "sample")
    ours = odds.woolf(arm, reference, level)
    assert ours.value == pytest.approx(theirs.statistic, rel=1e-12)
    assert limits(ours) == pytest.approx(theirs.confidence_interval(level), rel=1e-9)


@pytest.mark.parametrize("level", [0.9, 0.95, 0.999])
@pytest.mark.parametrize(("arm", "reference"), PAIRS + EDGES)
def test_exact_limits_agree_with_scipy(arm: Arm, reference: Arm, level: float) -> None:
    """Most likely odds ratio and exact limits are those of scipy, with zeros too."""
    theirs = scipy_odds(arm, reference, "conditional")
    ours = odds.conditional(arm, reference, level)
    value = math.inf if ours.value is None else ours.value
    assert value == pytest.approx(theirs.statistic, rel=1e-9)
    assert limits(ours) == pytest.approx(theirs.confidence_interval(level), rel=1e-9)


def scipy_odds(arm: Arm, reference: Arm, kind: str) -> Any:
    from scipy.stats.contingency import odds_ratio

    table = [[arm.x, arm.without], [reference.x, reference.without]]
    return odds_ratio(table, kind=kind)


@pytest.mark.parametrize(("arm", "reference"), PAIRS + EDGES)
def test_mid_p_limits_cut_off_half_of_the_error(arm: Arm, reference: Arm) -> None:
    """At each limit the tail beyond, with half of the observed count, is 2.5 %."""
    from scipy.stats import nchypergeom_fisher

    contrast = odds.conditional_mid_p(arm, reference)
    for limit, side in ((contrast.low, -1), (contrast.high, 1)):
        if limit:
            given = nchypergeom_fisher(arm.n + reference.n, arm.x + reference.x, arm.n, limit)
            tail = given.cdf(arm.x) if side == 1 else given.sf(arm.x - 1)
            assert tail - given.pmf(arm.x) / 2 == pytest.approx(0.025, rel=1e-7)


# US prescribing information of esketamine nasal spray, 346 against 222 patients; risk ratio and
# log-normal limits worked out from the published counts with another implementation.
@pytest.mark.parametrize(
    ("x", "y", "printed"),
    [
        (142, 21, "4.34 (2.83 to 6.64)"),
        (78, 6, "8.34 (3.70 to 18.81)"),
        (70, 38, "1.18 (0.83 to 1.69)"),
        (19, 1, "12.19 (1.64 to 90.42)"),
        (6, 1, "3.85 (0.47 to 31.76)"),
    ],
)
def test_reproduces_the_ratios_of_the_label(x: int, y: int, printed: str) -> None:
    """Katz, to the printed digit."""
    ours = ratios.katz(Arm(x, 346), Arm(y, 222))
    assert f"{ours.value:.2f} ({ours.low:.2f} to {ours.high:.2f})" == printed


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize(
    ("one", "zero"), [((0, 9), (0, 7)), ((0, 0), (3, 7)), ((3, 7), (0, 0)), ((0, 0), (0, 0))]
)
def test_no_event_or_nobody_is_no_information(
    name: str, one: tuple[int, int], zero: tuple[int, int]
) -> None:
    """No value, no upper bound, and 0 below."""
    ours = METHODS[name](Arm(*one), Arm(*zero))
    assert (ours.value, ours.low, ours.high) == (None, 0.0, None)


@pytest.mark.parametrize("name", METHODS)
def test_no_event_in_the_reference_leaves_only_a_lower_limit(name: str) -> None:
    """Dysarthria of the label: 15 of 346 against 0 of 222."""
    ours = METHODS[name](Arm(15, 346), Arm(0, 222))
    assert (ours.value, ours.high) == (None, None)
    assert ours.low > 1


@pytest.mark.parametrize("name", METHODS)
def test_no_event_in_the_arm_leaves_only_an_upper_limit(name: str) -> None:
    """The same turned round."""
    ours = METHODS[name](Arm(0, 222), Arm(15, 346))
    assert (ours.value, ours.low) == (0.0, 0.0)
    assert ours.high is not None
    assert ours.high < 1


@pytest.mark.parametrize(
    ("name", "arms", "method"),
    [
        ("rr katz", (Arm(15, 346), Arm(0, 222)), "katz-haldane"),
        ("rr katz", (Arm(9, 9), Arm(7, 7)), "katz-haldane"),
        ("rr katz", (Arm(9, 9), Arm(6, 7)), "katz"),
        ("or woolf", (Arm(9, 9), Arm(6, 7)), "woolf-haldane"),
        ("or woolf", (Arm(8, 9), Arm(6, 7)), "woolf"),
    ],
)
def test_an_added_half_is_in_the_name(name: str, arms: tuple[Arm, Arm], method: str) -> None:
    """Whoever reads the limits sees that the cells were changed."""
    assert METHODS[name](*arms).method == method


def test_nothing_but_events_in_both_arms_is_not_certainty() -> None:
    """All of 9 against all of 7: the risk ratio is 1, within limits."""
    for name in ("rr katz", "rr miettinen-nurminen"):
        ours = METHODS[name](Arm(9, 9), Arm(7, 7))
        assert ours.value == 1
        assert ours.high is not None
        assert ours.low < 0.95
        assert ours.high > 1.05


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize(("arm", "reference"), PAIRS + EDGES)
def test_swapping_the_arms_turns_the_ratio_over(name: str, arm: Arm, reference: Arm) -> None:
    """Reference over arm is one over arm over reference."""
    low, high = limits(METHODS[name](arm, reference))
    turned = [1 / limit if limit else math.inf for limit in (high, low)]
    assert limits(METHODS[name](reference, arm)) == pytest.approx(turned, rel=1e-9)


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("level", [0.0, 1.0, math.nan])
@pytest.mark.parametrize("n", [0, 10])
def test_a_level_that_is_none_is_refused(name: str, level: float, n: int) -> None:
    """Also where there is nothing to compare."""
    with pytest.raises(ValueError, match="level must lie between"):
        METHODS[name](Arm(0, n), Arm(0, n), level)


def test_rare_events_among_very_many_keep_their_digits() -> None:
    """Exact limits of 3 against 9 of a thousand million are those of 3 of 12 with even odds."""
    from reports.intervals import clopper_pearson

    ours = odds.conditional(Arm(3, 10**9), Arm(9, 10**9))
    share = clopper_pearson(3, 12)
    assert share.low is not None
    assert share.high is not None
    expected = share.low / (1 - share.low), share.high / (1 - share.high)
    assert limits(ours) == pytest.approx(expected, rel=1e-6)
