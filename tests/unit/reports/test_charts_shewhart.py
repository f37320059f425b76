"""p and u charts and the EWMA against printed examples and other implementations."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import pytest

from reports.charts import (
    Annotation,
    Chart,
    Period,
    Point,
    Settings,
    Smoothing,
    ewma_p,
    ewma_u,
    p_chart,
    u_chart,
)

# Montgomery, Introduction to Statistical Quality Control, example 7.1 (orange juice cans, 30
# 0.2313, limits 0.0524 and 0.4102, samples 15 and 23 beyond; without these two, for which a cause
# was found, centre 0.2150 and limits 0.0407 and 0.3893, and sample 21 is beyond.
CANS = """12 15 8 10 4 7 16 9 14 10 5 6 17 12 22 8 10 5 13 11 20 18 24 15 9 12 7 13 9 6"""

# NIST/SEMATECH handbook 6.3.3.1: defects on 25 wafers, c-bar 16, limits 4 and 28. One wafer has 28
# (on the limit) and one 31.
WAFERS = "16 14 28 16 12 20 10 12 10 17 19 17 14 16 15 13 14 16 11 20 11 19 16 31 13"


def periods(counts: Sequence[int], exposed: Sequence[float]) -> list[Period]:
    pairs = zip(counts, exposed, strict=True)
    return [Period(f"{at}", count, size) for at, (count, size) in enumerate(pairs, start=1)]


def cans() -> list[Period]:
    return periods([int(count) for count in CANS.split()], [50] * 30)


def wafers() -> list[Period]:
    return periods([int(count) for count in WAFERS.split()], [1.0] * 25)


def labels(chart: Chart) -> list[str]:
    return [point.label for point in chart.flagged]


def number(value: float | None) -> float:
    assert value is not None
    return value


def printed(point: Point) -> tuple[float, float, float]:
    lines = point.lower, point.centre, point.upper
    first, middle, last = (round(number(line), 4) for line in lines)
    return first, middle, last


def test_reproduces_the_p_chart_of_the_orange_juice_cans() -> None:
    """Centre and limits as printed, and the same two samples beyond them."""
    chart = p_chart(cans(), settings=Settings(range(30), "limits"))
    assert {printed(point) for point in chart.points} == {(0.0524, 0.2313, 0.4102)}
    assert labels(chart) == ["15", "23"]
    assert chart.warnings == ("The baseline holds signals of its own: 15, 23.",)


def test_a_baseline_may_leave_out_points_with_a_known_cause() -> None:
    """Without samples 15 and 23 the printed second limits come out, and sample 21 shows."""
    chosen = [at for at in range(30) if at not in {14, 22}]
    chart = p_chart(cans(), settings=Settings(chosen, "limits"))
    assert {printed(point) for point in chart.points} == {(0.0407, 0.2150, 0.3893)}
    assert labels(chart) == ["15", "21", "23"]


def test_reproduces_the_chart_of_the_wafers() -> None:
    """With one wafer a period the u chart is the c chart; 28 on the limit is not beyond it."""
    chart = u_chart(wafers(), settings=Settings(range(25), "limits"))
    assert {printed(point) for point in chart.points} == {(4.0, 16.0, 28.0)}
    assert labels(chart) == ["24"]


UNEVEN = periods(
    [3, 5, 0, 2, 7, 4, 1, 6, 3, 2, 4, 12, 5, 3, 2, 6, 1, 4, 5, 3, 14, 2],
    [80, 95, 20, 61, 110, 70, 45, 100, 77, 52, 66, 98, 105, 64, 40, 120, 33, 71, 90, 58, 97, 60],
)


@pytest.mark.parametrize("letter", ["p", "u"])
@pytest.mark.parametrize("limits", ["sigma", "laney"])
def test_agrees_with_arithmetic_in_arrays(letter: str, limits: str) -> None:
    """Values, limits and sigma-z of uneven periods equal those worked out with numpy."""
    import numpy as np

    x, n = (np.array([getattr(p, name) for p in UNEVEN]) for name in ("count", "exposed"))
    centre = x[:20].sum() / n[:20].sum()
    sigma = np.sqrt(centre * (1 - centre if letter == "p" else 1) / n)
    z = (x / n - centre) / sigma
    stretch = np.abs(np.diff(z[:20])).mean() / 1.128 if limits == "laney" else 1
    reach = 3 * stretch * sigma
    chart = (p_chart if letter == "p" else u_chart)(UNEVEN, limits)
    assert [p.value for p in chart.points] == pytest.approx(x / n, rel=1e-12)
    assert [p.upper for p in chart.points] == pytest.approx(centre + reach, rel=1e-12)
    assert [p.lower for p in chart.points] == pytest.approx(np.maximum(0, centre - reach), 1e-12)
    assert [p.flag for p in chart.points] == list(np.abs(z) > 3 * stretch)
    assert len(chart.flagged) >= 1


def test_laney_widens_where_patients_are_alike() -> None:
    """Sigma-z is the mean moving range 4 of values that swing by 4 sigma, over 1.128."""
    # Shares 0.4 and 0.6 of 100 around 0.5 are 2 sigma (0.05) on either side of the centre.
    swinging = periods([40, 60] * 10, [100] * 20)
    chart = p_chart(swinging, "laney")
    sigma_z = 4 / 1.128
    assert chart.sigma == f"binomial sigma times {sigma_z:.4g}"
    assert chart.points[0].upper == min(1.0, 0.5 + 3 * sigma_z * 0.05)
    assert (chart.kind, chart.method) == ("p'", "p', laney")


EXPECTED = [(20, 0.01), (35, 0.2), (400, 0.03), (3, 0.5), (1, 0.9), (5_000, 0.4)]


@pytest.mark.parametrize(("exposed", "share"), EXPECTED)
@pytest.mark.parametrize("letter", ["p", "u"])
def test_exact_limits_hold_their_tail(letter: str, exposed: int, share: float) -> None:
    """Counts beyond a limit have 0.135 % at most in scipy's law, and with the limit itself more."""
    from scipy.stats import binom, poisson

    whole = 1_000 * 20
    base = periods([round(whole * share / 20)] * 20, [1_000] * 20)
    chart = (p_chart if letter == "p" else u_chart)([*base, Period("now", 0, exposed)], "exact")
    law = binom(exposed, share) if letter == "p" else poisson(exposed * share)
    low, high = (round(number(edge) * exposed) for edge in printed_limits(chart.points[-1]))
    tail = 0.0013498980316300933
    assert law.sf(high) <= tail < law.sf(high - 1)
    assert law.cdf(low - 1) <= tail < law.cdf(low)


def printed_limits(point: Point) -> tuple[float | None, float | None]:
    return point.lower, point.upper


def test_three_sigma_cry_wolf_over_rare_events_and_exact_limits_do_not() -> None:
    """At 0.2 expected, two events pass 3 sigma (1.8 % of periods), not the exact limit."""
    from scipy.stats import poisson

    base = periods([0, 0, 0, 0, 1] * 4, [1.0] * 20)
    both = [*base, Period("two", 2, 1.0)]
    assert labels(u_chart(both)) == ["two"]
    assert labels(u_chart(both, "exact")) == []
    assert labels(u_chart([*base, Period("four", 4, 1.0)], "exact")) == ["four"]
    assert poisson(0.2).sf(1) == pytest.approx(0.018, abs=0.0005)
    assert "About 0.2 events are expected a period" in u_chart(both).warnings[0]
    assert u_chart(both, "exact").warnings == ()


def test_the_centre_is_frozen() -> None:
    """What comes after the baseline moves no limit, so a signal cannot hide in its own limits."""
    calm = periods([5] * 20, [100] * 20)
    short = p_chart([*calm, Period("a", 30, 100)])
    long = p_chart([*calm, *(Period(f"{at}", 30, 100) for at in range(50))])
    assert short.centre == long.centre == 0.05
    assert all(point.upper == short.points[0].upper for point in long.points)
    assert len(long.flagged) == 50


def test_a_period_without_exposure_has_no_value_and_breaks_the_run() -> None:
    """Eight on one side are flagged; with an empty period among them they are not."""
    base = periods([4, 6] * 10, [100] * 20)
    high = [Period(f"h{at}", 7, 100) for at in range(8)]
    assert labels(p_chart([*base, Period("low", 4, 100), *high])) == ["h7"]
    empty = p_chart([*base, Period("low", 4, 100), *high[:4], Period("shut", 0, 0), *high[4:]])
    assert labels(empty) == []
    shut = empty.points[25]
    assert (shut.value, shut.lower, shut.upper, shut.denominator) == (None, None, None, 0)


def test_a_short_baseline_is_provisional() -> None:
    """Fewer than 20 exposed periods are used, and the chart says so."""
    chart = p_chart([*periods([5] * 7, [100] * 7), Period("shut", 0, 0)])
    assert chart.provisional
    assert chart.baseline.positions == tuple(range(7))
    assert chart.baseline.words == "7 points, provisional: 20 are wanted"
    assert chart.warnings[0] == "Provisional: the baseline has 7 of 20 points."
    assert not p_chart(UNEVEN).provisional
    assert p_chart(UNEVEN, settings=Settings(range(5))).provisional


@pytest.mark.parametrize("draw", [p_chart, u_chart, ewma_p, ewma_u])
def test_nothing_exposed_is_no_information(draw: Callable[..., Chart]) -> None:
    """No period at all, or only empty ones: a chart without centre and limits, no error."""
    for series in ([], [Period("shut", 0, 0)]):
        chart = draw(series)
        assert chart.centre is None
        assert [point.value for point in chart.points] == [None] * len(series)
        assert "No limits: nothing was exposed in the baseline." in chart.warnings


@pytest.mark.parametrize("limits", ["sigma", "exact", "laney"])
@pytest.mark.parametrize("count", [0, 100])
def test_a_baseline_that_does_not_vary_draws_no_limits(limits: str, count: int) -> None:
    """None or all of the baseline with the event: the next event alone is not beyond anything."""
    chart = p_chart([*periods([count] * 20, [100] * 20), Period("now", 1, 100)], limits)
    assert chart.points[-1].upper is None
    assert not chart.flagged
    assert chart.warnings == ("No limits: the baseline does not vary.",)


def test_limits_are_cut_at_what_is_possible() -> None:
    """A share has limits within 0 and 1, a rate none below 0."""
    chart = p_chart(periods([1, 2] * 10, [2] * 20))
    assert {(point.lower, point.upper) for point in chart.points} == {(0.0, 1.0)}
    assert u_chart(periods([1, 2] * 10, [2] * 20)).points[0].lower == 0.0


def test_annotations_are_passed_through() -> None:
    """Labels and texts come out as they went in."""
    notes = (Annotation("2026Q2", "new form"),)
    for draw in (p_chart, u_chart, ewma_p, ewma_u):
        assert draw(UNEVEN, settings=Settings(annotations=notes)).annotations == notes


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Period("a", 1, 0), "a counts 1 without exposure"),
        (lambda: Period("a", -1, 3), "count of 0 or more"),
        (lambda: Period("a", 1.0, 3), "whole number"),  # type: ignore[arg-type]
        (lambda: Period("a", 0, math.nan), "must be 0 or more"),
        (lambda: Period("a", 0, -1), "must be 0 or more"),
        (lambda: p_chart([Period("a", 4, 3)]), "4 sessions with the event of 3"),
        (lambda: p_chart([Period("a", 1, 2.5)]), "whole sessions, not 2.5"),
        (lambda: p_chart(UNEVEN, "tight"), "limits must be one of sigma, exact, laney"),
        (lambda: u_chart(UNEVEN, per=0), "per must be above 0"),
        (lambda: p_chart(UNEVEN, settings=Settings(0)), "1 point or more"),
        (lambda: p_chart(UNEVEN, settings=Settings([])), "each once"),
        (lambda: p_chart(UNEVEN, settings=Settings([1, 1])), "each once"),
        (lambda: p_chart(UNEVEN, settings=Settings(range(30))), "within the 22 points"),
        (lambda: p_chart(UNEVEN, settings=Settings(rules="all")), "rules must be one of"),
        (lambda: Smoothing(0), "weight must lie above 0"),
        (lambda: Smoothing(1.1), "weight must lie above 0"),
        (lambda: Smoothing(0.2, -1), "reach must be above 0"),
    ],
)
def test_the_impossible_is_refused(make: Callable[[], object], said: str) -> None:
    """Each refusal says what is wrong."""
    with pytest.raises(ValueError, match=said):
        make()


def test_three_sigma_limits_of_a_large_share_have_a_run_length_near_370() -> None:
    """With thousands of events expected a period the p chart is as good as normal."""
    import numpy as np

    counts = np.random.default_rng(7).binomial(40_000, 0.5, 40_000).tolist()
    base = periods([20_000] * 20, [40_000] * 20)
    later = periods(counts, [40_000] * 40_000)
    flagged = len(p_chart([*base, *later], settings=Settings(rules="limits")).flagged)
    expected = 40_000 / 370.398
    assert abs(flagged - expected) < 3.5 * math.sqrt(expected)
