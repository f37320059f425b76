"""Risk differences against published tables, other implementations and the edges."""

from __future__ import annotations

import math

import pytest

from reports.comparing.arms import Arm, Contrast
from reports.comparing.differences import METHODS, miettinen_nurminen, newcombe, wald
from reports.intervals import LEVEL

# Newcombe, Stat Med 1998;17:873-890, table II: the eight contrasts with the 95 % limits of
# Miettinen and Nurminen (method 6) and of the hybrid score (method 10).
PUBLISHED = [
    ((56, 70), (48, 80), (0.0528, 0.3382), (0.0524, 0.3339)),
    ((9, 10), (3, 10), (0.1700, 0.8406), (0.1705, 0.8090)),
    ((6, 7), (2, 7), (0.0342, 0.8534), (0.0582, 0.8062)),
    ((5, 56), (0, 29), (-0.0326, 0.1933), (-0.0381, 0.1926)),
    ((0, 10), (0, 20), (-0.1658, 0.2844), (-0.1611, 0.2775)),
    ((0, 10), (0, 10), (-0.2879, 0.2879), (-0.2775, 0.2775)),
    ((10, 10), (0, 20), (0.7156, 1.0000), (0.6791, 1.0000)),
    ((10, 10), (0, 10), (0.6636, 1.0000), (0.6075, 1.0000)),
]
PAIRS = [(Arm(*one), Arm(*zero)) for one, zero, _, _ in PUBLISHED]
LARGE = [
    (Arm(1, 10**9), Arm(0, 10**9)),
    (Arm(5 * 10**8, 10**9), Arm(4 * 10**8, 10**9)),
    (Arm(10**9, 10**9), Arm(7, 10)),
]
LEVELS = [0.5, 0.9, 0.95, 0.999]


def limits(contrast: Contrast) -> tuple[float, float]:
    assert contrast.high is not None
    return contrast.low, contrast.high


@pytest.mark.parametrize(("one", "zero", "score", "hybrid"), PUBLISHED)
def test_reproduces_the_published_table(
    one: tuple[int, int],
    zero: tuple[int, int],
    score: tuple[float, float],
    hybrid: tuple[float, float],
) -> None:
    """Both score methods give the printed limits, to the printed digit."""
    arms = Arm(*one), Arm(*zero)
    assert limits(miettinen_nurminen(*arms)) == pytest.approx(score, abs=0.5001e-4)
    assert limits(newcombe(*arms)) == pytest.approx(hybrid, abs=0.5001e-4)


def test_reproduces_a_validated_program() -> None:
    """46 of 116 against 70 of 119, by a SAS macro (tests of the R package metalite.ae)."""
    ours = miettinen_nurminen(Arm(46, 116), Arm(70, 119))
    assert ours.value == pytest.approx(-0.19168357, abs=1e-8)
    assert limits(ours) == pytest.approx(
        (-0.3133431419, -0.06382126982), abs=1e-6
    )  # its halving stops there


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(("arm", "reference"), PAIRS + LARGE)
@pytest.mark.parametrize(("ours", "theirs"), [(newcombe, "newcomb"), (wald, "wald")])
def test_agrees_with_statsmodels(
    arm: Arm, reference: Arm, level: float, ours: object, theirs: str
) -> None:
    """Newcombe and Wald limits are those of statsmodels, which does not cut them at -1 and 1."""
    from statsmodels.stats.proportion import confint_proportions_2indep

    expected = confint_proportions_2indep(
        arm.x, arm.n, reference.x, reference.n, method=theirs, compare="diff", alpha=1 - level
    )
    cut = max(-1.0, expected[0]), min(1.0, expected[1])
    method = METHODS["newcombe" if ours is newcombe else "wald"]
    assert limits(method(arm, reference, level)) == pytest.approx(cut, abs=1e-9)


def statistic(arm: Arm, reference: Arm, delta: float) -> float:
    """The squared score at a difference, its nuisance proportion by root finding.

    Not from statsmodels, whose nuisance proportion for a difference other than 0 is not the most
    likely one (0.15.0: a coefficient of its cubic has the events where the patients belong).
    """
    from scipy.optimize import brentq

    def slope(p: float) -> float:
        cells = ((reference, p), (arm, p + delta))
        return sum(each.x / q - each.without / (1 - q) for each, q in cells)

    low, high = max(0.0, -delta), min(1.0, 1 - delta)
    edge = 1e-13 * (high - low)
    if slope(low + edge) <= 0:
        p0 = low
    elif slope(high - edge) >= 0:
        p0 = high
    else:
        p0 = brentq(slope, low + edge, high - edge, xtol=1e-15, rtol=1e-14)
    p1, both = p0 + delta, arm.n + reference.n
    variance = p1 * (1 - p1) / arm.n + p0 * (1 - p0) / reference.n
    distance = arm.x / arm.n - reference.x / reference.n - delta
    return distance**2 / (variance * both / (both - 1))


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(
    ("arm", "reference"), [*PAIRS, (Arm(142, 346), Arm(21, 222)), (Arm(3, 9_000), Arm(1, 40))]
)
def test_the_score_at_its_limits_is_the_quantile(arm: Arm, reference: Arm, level: float) -> None:
    """What defines the limits holds there, unless they are the end of what can be."""
    from scipy.stats import chi2

    for limit in limits(miettinen_nurminen(arm, reference, level)):
        if abs(limit) < 1:
            found = statistic(arm, reference, limit)
            assert found == pytest.approx(chi2.ppf(level, 1), rel=1e-7)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("arm", "reference"), PAIRS + LARGE)
def test_swapping_the_arms_changes_the_sign(method: str, arm: Arm, reference: Arm) -> None:
    """Reference against arm is minus arm against reference, to the last bit."""
    there, back = METHODS[method](arm, reference), METHODS[method](reference, arm)
    assert limits(back) == (-limits(there)[1], -limits(there)[0])
    assert there.value is not None
    assert back.value == -there.value


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("arm", "reference"), PAIRS)
def test_counting_those_without_the_event_changes_the_sign(
    method: str, arm: Arm, reference: Arm
) -> None:
    """The difference of having the event is minus that of not having it."""
    without = METHODS[method](Arm(arm.without, arm.n), Arm(reference.without, reference.n))
    low, high = limits(METHODS[method](arm, reference))
    assert limits(without) == pytest.approx((-high, -low), abs=1e-12)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("one", "zero"), [((0, 0), (3, 9)), ((3, 9), (0, 0)), ((0, 0), (0, 0))])
def test_an_empty_arm_is_no_information(
    method: str, one: tuple[int, int], zero: tuple[int, int]
) -> None:
    """Without anybody in an arm there is no value, and every difference is possible."""
    arms = Arm(*one), Arm(*zero)
    assert METHODS[method](*arms) == Contrast(*arms, None, -1.0, 1.0, method)


@pytest.mark.parametrize("method", METHODS)
def test_the_contrast_carries_its_counts_and_the_name_of_its_method(method: str) -> None:
    """The registry's name is the one that is printed, with both numerators and denominators."""
    contrast = METHODS[method](Arm(3, 10), Arm(1, 9))
    assert contrast.method == method
    assert (contrast.arm, contrast.reference) == (Arm(3, 10), Arm(1, 9))


def test_wald_shows_why_it_is_not_the_default() -> None:
    """No event in either arm: Wald is sure of no difference, the score methods are not."""
    arms = Arm(0, 10), Arm(0, 10)
    assert limits(wald(*arms)) == (0.0, 0.0)
    assert limits(newcombe(*arms))[1] > 0.2
    assert next(iter(METHODS)) == "newcombe"


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("level", [0.0, 1.0, -1.0, math.nan])
@pytest.mark.parametrize("n", [0, 10])
def test_a_level_that_is_none_is_refused(method: str, level: float, n: int) -> None:
    """Also where there is nothing to compare."""
    with pytest.raises(ValueError, match="level must lie between"):
        METHODS[method](Arm(0, n), Arm(0, n), level)


@pytest.mark.parametrize("counts", [(4, 3), (-1, 3), (0, -1), (1.0, 3), (1, 3.5), (True, 3)])
def test_impossible_counts_are_refused(counts: tuple[int, int]) -> None:
    """More than exposed, negative, not whole: no arm."""
    with pytest.raises(ValueError, match=r"must be|more than"):
        Arm(*counts)


def test_one_patient_an_arm() -> None:
    """The least that can be compared has wide limits, and no error."""
    for method in ("newcombe", "miettinen-nurminen"):
        low, high = limits(METHODS[method](Arm(1, 1), Arm(0, 1), LEVEL))
        assert low < 0
        assert high == 1
