"""Funnel: limits, over-dispersion and flags against direct computation and simulation."""

from __future__ import annotations

import math

import pytest

from reports.grouping.dispersion import (
    between_units,
    dispersion,
    expected_square,
    winsorised,
)
from reports.grouping.funnel import Funnel, funnel
from reports.grouping.limits import exact_limits, interpolated
from reports.grouping.units import Settings, Unit
from reports.intervals import Estimate, wilson

SITES = [Unit("a", 12, 60), Unit("b", 3, 55), Unit("c", 25, 140), Unit("d", 40, 90),
         Unit("e", 9, 70), Unit("f", 30, 200), Unit("g", 5, 20)]  # fmt: skip
X, N, CENTRE = 124, 635, 124 / 635


def flags(result: Funnel) -> dict[str, str | None]:
    return {point.name: point.flag for point in result.points}


def spread(number: int, deviation: float, seed: int) -> list[float]:
    import numpy as np

    return [float(z) for z in deviation * np.random.default_rng(seed).standard_normal(number)]


@pytest.mark.parametrize("tail", [0.001, 0.025, 0.975, 0.999])
@pytest.mark.parametrize(
    ("n", "centre"), [(1, 0.3), (7, 0.02), (48, 0.2), (300, 0.9), (10**5, 0.4)]
)
def test_interpolated_limits_against_the_distribution_function(
    n: int, centre: float, tail: float
) -> None:
    """A limit lies between two counts where a line through their tails crosses the level."""
    from scipy.stats import binom

    r = int(binom.ppf(tail, n, centre))
    at, below = binom.cdf(r, n, centre), binom.cdf(r - 1, n, centre)
    assert below < tail <= at
    between = (tail - below) / (at - below)
    expected = (r - 1 + between) / n
    assert interpolated(n, centre, tail) == pytest.approx(expected, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("centre", [0.001, 0.1, 0.25, 0.5, 0.9])
def test_a_tail_of_a_whole_count_gives_that_count(centre: float) -> None:
    """Where the distribution function itself is the level nothing is interpolated."""
    from scipy.stats import binom

    for n, r in ((1, 0), (3, 1), (10, 4), (64, 20), (1000, 300)):
        tail = float(binom.cdf(r, n, centre))
        if 1e-4 < tail < 1 - 1e-4:
            assert interpolated(n, centre, tail) == pytest.approx(r / n, abs=1e-9)


def test_interpolated_limits_by_hand() -> None:
    """Two coins: P(0) = 1/4, P(<= 1) = 3/4, so 97.5 % lies nine tenths on the way from 1 to 2."""
    assert interpolated(2, 0.5, 0.975) == pytest.approx(1.9 / 2, rel=1e-12)
    assert interpolated(2, 0.5, 0.5) == pytest.approx(0.5 / 2, rel=1e-12)
    assert exact_limits(2, 0.5).low_95 == 0.0


def test_limits_lie_at_95_and_99_8_per_cent() -> None:
    """Half of what is outside lies on each side; below 0 there is no proportion."""
    limits = exact_limits(300, 0.2)
    tails = (limits.low_998, limits.low_95, limits.high_95, limits.high_998)
    levels = ((1 - 0.998) / 2, (1 - 0.95) / 2, (1 + 0.95) / 2, (1 + 0.998) / 2)
    assert tails == pytest.approx([interpolated(300, 0.2, tail) for tail in levels], rel=1e-9)
    assert interpolated(3, 0.2, 0.001) < 0
    assert exact_limits(3, 0.2).low_998 == 0.0


def test_curves_close_around_the_centre() -> None:
    """Large units have narrow limits, within 1e-3 of the normal ones."""
    result = funnel(SITES, grid=[10, 100, 10**6])
    assert [limit.n for limit in result.limits] == [10, 100, 10**6]
    widest, wide, narrow = result.limits
    assert widest.high_998 > wide.high_998 > narrow.high_998 > narrow.high_95 > CENTRE
    assert widest.low_998 <= wide.low_998 < narrow.low_998 < narrow.low_95 < CENTRE
    deviation = math.sqrt(result.dispersion.phi or 0) * math.sqrt(CENTRE * (1 - CENTRE) / 10**6)
    assert narrow.high_998 == pytest.approx(CENTRE + 3.0902 * deviation, abs=1e-5)


def test_score_z_phi_and_stretch_by_hand() -> None:
    """Every number of a small funnel, worked out again with numpy."""
    import numpy as np

    x, n = np.array([[unit.x, unit.n] for unit in SITES], dtype=float).T
    z = (x / n - CENTRE) / np.sqrt(CENTRE * (1 - CENTRE) / n)
    low, high = np.quantile(z, [0.1, 0.9])
    raw = np.mean(np.clip(z, low, high) ** 2)
    phi = raw / 0.6786545589528747 * 7 / 6
    result = funnel(SITES)
    assert [point.z for point in result.points] == pytest.approx(list(z), rel=1e-12)
    assert result.dispersion.raw == pytest.approx(raw, rel=1e-12)
    assert result.phi == result.dispersion.phi == pytest.approx(phi, rel=1e-12)
    assert [point.adjusted for point in result.points] == pytest.approx(list(z / np.sqrt(phi)))
    assert result.centre == wilson(X, N)
    assert (result.x, result.n) == (X, N)
    assert result.method == "exact binomial, score z, multiplicative"


def test_arcsine_z_by_hand() -> None:
    result = funnel(SITES, Settings("arcsine", "none"))
    by_hand = 2 * math.sqrt(60) * (math.asin(math.sqrt(0.2)) - math.asin(math.sqrt(CENTRE)))
    assert result.points[0].z == pytest.approx(by_hand, rel=1e-12)
    assert result.points[0].adjusted == result.points[0].z


def test_additive_variance_agrees_with_statsmodels() -> None:
    """Without winsorising it is DerSimonian and Laird's estimate."""
    import numpy as np
    from statsmodels.stats.meta_analysis import combine_effects

    x, n = np.array([[unit.x, unit.n] for unit in SITES], dtype=float).T
    variance = CENTRE * (1 - CENTRE) / n
    theirs = combine_effects(x / n, variance, method_re="chi2")
    result = funnel(SITES, Settings(variant="additive", share=0))
    assert result.between == pytest.approx(theirs.tau2, rel=1e-9)
    expected = (x[0] / n[0] - CENTRE) / math.sqrt(variance[0] + theirs.tau2)
    assert result.points[0].adjusted == pytest.approx(expected, rel=1e-9)


def test_additive_variance_around_a_centre_from_outside() -> None:
    """With a given centre the mean of Q is I + tau squared times the sum of the weights."""
    assert between_units(3.0, [10.0, 30.0]) == pytest.approx(2 * 2 / 40, rel=1e-12)
    assert between_units(0.5, [10.0, 30.0]) == 0.0
    assert between_units(3.0, [10.0, 30.0], lost=1) == pytest.approx(2 / (40 - 1000 / 40))


def test_flags_follow_the_exact_tails() -> None:
    """Without over-dispersion a unit is flagged when its two-sided exact p is below 0.2 %."""
    from scipy.stats import binom

    result = funnel(SITES, Settings(variant="none"))
    for point in result.points:
        tails = binom.cdf(point.x, point.n, CENTRE), binom.sf(point.x - 1, point.n, CENTRE)
        assert point.p == pytest.approx(min(1.0, 2 * min(tails)), rel=1e-9)
    assert flags(result) == {"a": None, "b": None, "c": None, "d": "high", "e": None, "f": None,
                             "g": None}  # fmt: skip


def test_one_of_one_is_not_flagged_and_silence_of_many_is() -> None:
    """The interpolated line lies below 1 of 1; the flag does not go by it."""
    units = [Unit("new", 1, 1), Unit("silent", 0, 80), Unit("rest", 300, 1000)]
    result = funnel(units, grid=[1])
    assert result.limits[0].high_998 < 1
    assert flags(result) == {"new": None, "silent": "low", "rest": None}


def test_few_units_have_no_over_dispersion() -> None:
    """Four units: nothing is estimated, and it is said."""
    result = funnel(SITES[:4])
    assert (result.dispersion.phi, result.dispersion.p, result.phi) == (None, None, 1.0)
    assert result.note == "over-dispersion not estimated: 4 units are too few"
    assert result.dispersion.method == "not estimated: fewer than 5"
    assert funnel(SITES[:5]).dispersion.phi is not None


def test_units_without_sessions_are_no_units() -> None:
    """Zero of zero has no value, no score and no flag, and does not count as a unit."""
    result = funnel([*SITES[:4], Unit("empty", 0, 0)])
    assert result.dispersion.units == 4
    empty = result.points[-1]
    assert empty.estimate == Estimate(None, 0.0, 1.0, "wilson")
    assert (empty.z, empty.adjusted, empty.p, empty.flag) == (None, None, None, None)


@pytest.mark.parametrize("x", [0, 1])
def test_when_all_sessions_are_alike_there_is_nothing_to_draw(x: int) -> None:
    """None of all or all of all: values, but no scores, limits or flags."""
    result = funnel([Unit(str(n), x * n, n) for n in range(1, 9)])
    assert result.centre.value == x
    assert result.limits == ()
    assert {point.z for point in result.points} == {None}
    assert "all sessions are alike" in result.note


def test_no_units_at_all() -> None:
    result = funnel([])
    assert (result.centre.value, result.points, result.limits) == (None, (), ())
    assert funnel([Unit("a", 0, 0)], centre=0.2).points[0].z is None


def test_a_given_centre_replaces_the_overall_proportion() -> None:
    result = funnel(SITES, Settings(variant="none"), centre=0.4)
    assert result.centre == Estimate(0.4, None, None, "given")
    assert flags(result)["b"] == "low"


def test_a_design_effect_counts_as_fewer_sessions() -> None:
    """Four sessions of each patient all alike: a quarter of the sessions, the same scores."""
    whole = funnel([Unit("own", 10, 25), *SITES], Settings(variant="none"), centre=0.2)
    clustered = funnel([Unit("own", 40, 100, 4.0), *SITES], Settings(variant="none"), centre=0.2)
    ours, theirs = clustered.points[0], whole.points[0]
    assert (ours.x, ours.n, ours.effective) == (40, 100, 25.0)
    assert (ours.z, ours.p) == pytest.approx((theirs.z, theirs.p), rel=1e-12)
    score = wilson(10, 25)
    assert ours.estimate.method == "wilson, effective n"
    assert (ours.estimate.low, ours.estimate.high) == pytest.approx((score.low, score.high))


def test_a_design_effect_below_one_is_taken_as_one() -> None:
    assert funnel([Unit("a", 3, 10, 0.5)]).points == funnel([Unit("a", 3, 10)]).points


def test_phi_is_applied_only_when_significant() -> None:
    """A phi of 1.8 among seven units may be chance: the limits stay, and the note says so."""
    units = [Unit(str(x), x, 50) for x in (5, 7, 9, 10, 12, 14, 15)]
    result = funnel(units)
    assert result.dispersion.phi == pytest.approx(1.8, abs=0.1)
    assert result.dispersion.p == pytest.approx(0.12, abs=0.03)
    assert result.phi == 1.0
    assert result.note == "units do not differ significantly more than by chance"


def test_one_outlier_does_not_hide_itself() -> None:
    """Winsorised, one silent nurse of twelve is flagged; with the plain mean square she hides."""
    units = [Unit(str(x), x, 60) for x in (10, 24, 12, 22, 13, 20, 14, 19, 15, 18, 16)]
    units.append(Unit("silent", 1, 110))
    assert flags(funnel(units))["silent"] == "low"
    plain = funnel(units, Settings(share=0))
    assert plain.phi > funnel(units).phi


def test_winsorised_square_against_simulation_and_integral() -> None:
    """Mean 0.68 and variance of the average for 10 %, from the integral and from random scores."""
    import numpy as np
    from scipy.integrate import quad
    from scipy.stats import norm

    mean, variance = expected_square(0.1)
    cut = norm.ppf(0.9)
    integral = quad(lambda z: min(z * z, cut * cut) * norm.pdf(z), -12, 12, points=[-cut, cut])[0]
    assert mean == pytest.approx(integral, abs=1e-9)
    draws = np.random.default_rng(5).standard_normal((4000, 200))
    low, high = np.quantile(draws, [0.1, 0.9], axis=1, keepdims=True)
    squares = (np.clip(draws, low, high) ** 2).mean(axis=1)
    assert squares.mean() == pytest.approx(mean, abs=0.005)
    assert squares.var() * 200 == pytest.approx(variance, rel=0.08)
    assert expected_square(0) == (1.0, 2.0)


def test_plain_phi_is_the_chi_squared_test() -> None:
    """Without winsorising phi and its p are those of a chi-squared test."""
    from scipy.stats import chi2

    scores = spread(12, 1.5, 1)
    found = dispersion(scores, 0)
    total = sum(score**2 for score in scores)
    assert found.phi == pytest.approx(total / 12, rel=1e-12)
    assert found.p == pytest.approx(chi2.sf(total, 12), rel=1e-9)


def test_winsorised_keeps_the_number_of_scores() -> None:
    assert winsorised([0.0, 1.0, 2.0, 3.0, 100.0], 0.25) == [1.0, 1.0, 2.0, 3.0, 3.0]


@pytest.mark.parametrize(("units", "off"), [(5, 0.12), (8, 0.10), (30, 0.04)])
def test_phi_is_right_on_average_and_significant_as_often_as_stated(units: int, off: float) -> None:
    """Among units that differ by chance phi is 1, a tenth more for few; p is below 5 % in 5 %."""
    found = [dispersion(spread(units, 1.0, seed)) for seed in range(1500)]
    phis = [one.phi for one in found if one.phi is not None]
    assert sum(phis) / 1500 == pytest.approx(1, abs=off)
    assert 0.025 < sum(one.p is not None and one.p < 0.05 for one in found) / 1500 < 0.07


def test_the_published_mean_square_is_too_small() -> None:
    """Scores with deviation 2: limits by phi leave 0.2 to 0.5 % outside, by the raw number 1 %."""
    scores = spread(20_000, 2.0, 7)
    found = dispersion(scores)
    assert found.phi is not None
    assert found.raw is not None
    outside, published = (
        sum(abs(score) > 3.0902 * math.sqrt(phi) for score in scores) / len(scores)
        for phi in (found.phi, found.raw)
    )
    assert outside < 0.004
    assert published > 0.008


def share_flagged(repeats: int, units: int, alike: float | None, settings: Settings) -> float:
    """Share of units flagged when none is special; ``alike`` is the correlation in a unit."""
    import numpy as np

    rng, flagged = np.random.default_rng(11), 0
    for _ in range(repeats):
        n = rng.integers(20, 200, size=units)
        scale = 0 if alike is None else (1 - alike) / alike
        rates = np.full(units, 0.2) if alike is None else rng.beta(0.2 * scale, 0.8 * scale, units)
        x = rng.binomial(n, rates)
        sites = [Unit(str(i), int(x[i]), int(n[i])) for i in range(units)]
        flagged += sum(point.flag is not None for point in funnel(sites, settings, grid=[]).points)
    return flagged / (repeats * units)


def test_false_flags_without_and_with_over_dispersion() -> None:
    """0.2 % by chance; when units differ, 5 % without a stretch and about 0.5 % with it."""
    assert share_flagged(150, 20, None, Settings()) < 0.004
    assert share_flagged(100, 20, 0.02, Settings(variant="none")) > 0.04
    assert share_flagged(100, 20, 0.02, Settings(variant="multiplicative")) < 0.012
    assert share_flagged(100, 20, 0.02, Settings(variant="additive")) < 0.008


@pytest.mark.slow
@pytest.mark.parametrize("units", [6, 12, 30])
@pytest.mark.parametrize("alike", [None, 0.02, 0.05])
def test_false_flags_at_length(units: int, alike: float | None) -> None:
    """2000 funnels each: never above 0.2 % by chance, never above 1 % when units differ."""
    bound = 0.0020 if alike is None else 0.010
    for variant in ("multiplicative", "additive"):
        assert share_flagged(2000, units, alike, Settings(variant=variant)) < bound


@pytest.mark.parametrize(
    ("x", "n", "effect", "words"),
    [(4, 3, 1.0, "more than"), (-1, 3, 1.0, "count of 0"), (1.0, 3, 1.0, "whole number"),
     (True, 3, 1.0, "count of 0"), (1, 3, 0.0, "design_effect"), (1, 3, math.nan, "design_effect"),
     (1, 3, math.inf, "design_effect")],
)  # fmt: skip
def test_impossible_units_are_refused(x: int, n: int, effect: float, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Unit("a", x, n, effect)


def test_impossible_funnels_are_refused() -> None:
    """Centres of 0 or 1, grids with 0, names that come twice, settings that are none."""
    for centre in (0.0, 1.0, math.nan):
        with pytest.raises(ValueError, match="centre must lie"):
            funnel(SITES, centre=centre)
    with pytest.raises(ValueError, match="grid"):
        funnel(SITES, grid=[0])
    with pytest.raises(ValueError, match="each unit must come once"):
        funnel([SITES[0], SITES[0]])
    with pytest.raises(ValueError, match="scale must be"):
        Settings(scale="log")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="variant must be"):
        Settings(variant="both")  # type: ignore[arg-type]
    for share in (-0.1, 0.5, math.nan):
        with pytest.raises(ValueError, match="share must be"):
            Settings(share=share)
        with pytest.raises(ValueError, match="share must be"):
            dispersion([1.0] * 9, share)
    with pytest.raises(ValueError, match="finite number"):
        dispersion([math.nan] * 9)
