"""g and t charts against a printed example, the geometric law of scipy, and by hand."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from reports.charts import Annotation, Chart, Gap, Running, Settings, g_chart, gaps_between, t_chart

LIMITS_ONLY = Settings(rules="limits")

# Montgomery, Introduction to Statistical Quality Control, table 7.14: hours between failures of a
# valve, and x^0.2777 as printed beside them.
VALVE = """286 948 536 124 816 729 4 143 431 8 2837 596 81 227 603 492 1199 1214 2831 96"""
TURNED = """4.80986 6.70903 5.72650 3.81367 6.43541 6.23705 1.46958 3.96768 5.39007 1.78151 9.09619
5.89774 3.38833 4.51095 5.91690 5.59189 7.16124 7.18601 9.09083 3.55203"""


def gaps(*between: float) -> list[Gap]:
    return [Gap(f"{at}", gap) for at, gap in enumerate(between, start=1)]


def labels(chart: Chart) -> list[str]:
    return [point.label for point in chart.flagged]


def number(value: float | None) -> float:
    assert value is not None
    return value


def valve() -> list[Gap]:
    return gaps(*(float(hours) for hours in VALVE.split()))


def test_reproduces_the_t_chart_of_the_valve() -> None:
    """Centre and limits, turned again, are those of the printed transformed values."""
    import numpy as np

    y = np.array([float(value) for value in TURNED.split()])
    moving = np.abs(np.diff(y)).mean()
    chart = t_chart(valve())
    assert number(chart.centre) ** 0.2777 == pytest.approx(y.mean(), abs=1e-4)
    assert number(chart.points[0].upper) ** 0.2777 == pytest.approx(
        y.mean() + 3 * moving / 1.128, abs=3e-4
    )
    # The lower limit of y lies below 0, which no time does.
    assert y.mean() - 3 * moving / 1.128 < 0
    assert chart.points[0].lower == 0.0
    assert chart.flagged == ()
    assert (chart.bad, chart.provisional) == ("below", False)


def test_a_t_chart_flags_a_short_time_where_times_are_even() -> None:
    """Even times of about 30 days, then 2 days: below; 200 days: above."""
    even = gaps(*[28.0, 32.0] * 10)
    chart = t_chart([*even, Gap("quick", 2.0), Gap("slow", 200.0)], settings=LIMITS_ONLY)
    assert labels(chart) == ["quick", "slow"]
    assert [point.side for point in chart.flagged] == ["below", "above"]
    assert (chart.points[20].numerator, chart.points[20].denominator) == (1, 2.0)


@pytest.mark.parametrize("tail", [0.0013498980316300933, 0.01, 0.05])
@pytest.mark.parametrize("mean", [1, 9, 49, 999, 9_999, 10**6])
def test_g_limits_hold_their_tail(mean: int, tail: float) -> None:
    """Gaps beyond a limit have the tail at most in scipy's law, and with the limit itself more."""
    from scipy.stats import geom

    law = geom(1 / (mean + 1), loc=-1)
    chart = g_chart(gaps(*[mean] * 20), tail=tail)
    low, high = (number(edge) for edge in (chart.points[0].lower, chart.points[0].upper))
    slack = 1e-12
    assert law.sf(high) <= tail + slack
    assert law.sf(high - 1) > tail - slack
    assert law.cdf(low - 1) <= tail + slack
    assert law.cdf(low) > tail - slack
    assert law.cdf(number(chart.centre) - 1) <= 0.5 + slack
    assert law.cdf(number(chart.centre)) > 0.5 - slack


def test_a_g_chart_by_hand() -> None:
    """Mean gap 99, so p is 1 %: limits from 0.99^x = 0.00135, the centre from 0.99^x = 1/2."""
    chart = g_chart(gaps(*[90, 108] * 10))
    upper = math.log(0.0013498980316300933) / math.log(0.99)  # 657.4: 658 or more is too rare
    assert chart.points[0].upper == math.ceil(upper) - 1 == 657
    assert chart.centre == math.floor(math.log(0.5) / math.log(0.99)) == 68
    assert chart.points[0].lower == 0
    assert chart.warnings[-1] == (
        "No gap is short enough to lie below the lower limit: read the runs."
    )
    assert (chart.points[0].numerator, chart.points[0].denominator) == (1, 91)


def test_a_short_gap_is_bad_and_a_long_one_good() -> None:
    """With events at 1 in 2,000 even two in successive sessions lie below the limit."""
    usual = gaps(*[1_500, 2_500] * 10)
    chart = g_chart([*usual, Gap("next day", 1), Gap("long", 20_000)], settings=LIMITS_ONLY)
    assert chart.points[0].lower == 2
    assert [(point.label, point.side) for point in chart.flagged] == [
        ("next day", "below"),
        ("long", "above"),
    ]
    assert chart.bad == "below"


def test_a_run_of_short_gaps_is_found() -> None:
    """Eight gaps below the median are flagged though none lies below the limit."""
    usual = gaps(*[40, 160] * 10)
    chart = g_chart([*usual, *(Gap(f"s{at}", 20) for at in range(8))])
    assert labels(chart) == ["s7"]


@pytest.mark.parametrize("between", [0, 5, 100])
def test_the_running_count_is_never_flagged_low(between: int) -> None:
    """Neither by a limit nor as the eighth of a run: it can only grow."""
    usual, short = gaps(*[1_500, 2_500] * 10), [Gap(f"s{at}", 50) for at in range(7)]
    for draw in (g_chart, t_chart):
        chart = draw([*usual, *short], Running("running", between))
        last = chart.points[-1]
        assert (last.running, last.flag, last.value) == (True, False, between)
        assert (last.numerator, last.denominator) == (0, between)
        assert labels(draw([*usual, *short, Gap("8th", between)]))[-1] == "8th"


def test_a_long_running_count_is_good_news() -> None:
    """Longer than the upper limit it is flagged, though it has not ended."""
    usual = gaps(*[9, 11] * 10)
    for draw in (g_chart, t_chart):
        last = draw(usual, Running("running", 500)).points[-1]
        assert (last.rules, last.side) == (("beyond",), "above")


def test_the_running_count_moves_no_limit() -> None:
    """Centre and limits come from ended gaps alone, of the baseline alone."""
    usual = gaps(*[9, 11] * 10)
    for draw in (g_chart, t_chart):
        alone = draw(usual).points[0]
        later = draw([*usual, *gaps(500, 600, 700)], Running("running", 10_000)).points[0]
        assert (alone.centre, alone.lower, alone.upper) == (later.centre, later.lower, later.upper)


def test_gaps_are_counted_between_events() -> None:
    """Sessions before the first event are no gap; those after the last are running."""
    cases = [(f"{at}", event == "x") for at, event in enumerate("..x..xx.x...")]
    found, running = gaps_between(cases)
    assert found == [Gap("5", 2), Gap("6", 0), Gap("8", 1)]
    assert running == Running("running", 3)
    assert gaps_between([("a", False)]) == ([], None)
    assert gaps_between([("a", True)]) == ([], Running("running", 0))


@pytest.mark.parametrize("draw", [g_chart, t_chart])
def test_no_gap_is_no_information(draw: Callable[..., Chart]) -> None:
    """Without gaps there is no centre; the running count is shown all the same."""
    chart = draw([], Running("running", 12))
    assert chart.centre is None
    assert [point.value for point in chart.points] == [12]
    assert not chart.flagged
    assert chart.warnings == (
        "Provisional: the baseline has 0 of 20 points.",
        "No limits: the baseline does not vary.",
    )
    assert draw([]).points == ()


def test_events_in_every_session_draw_no_limits() -> None:
    """Gaps of 0 have no geometric law with a spread."""
    assert g_chart(gaps(*[0] * 20)).centre is None
    assert t_chart(gaps(*[5.0] * 20)).centre is None


def test_two_events_on_one_day_are_a_time_of_zero() -> None:
    """A time of 0 is a value like any other."""
    chart = t_chart(gaps(*[10.0, 0.0, 20.0, 30.0] * 5))
    assert chart.points[1].value == 0.0
    assert number(chart.centre) > 0


def test_annotations_are_passed_through() -> None:
    """Labels and texts come out as they went in."""
    notes = (Annotation("5", "training"),)
    for draw in (g_chart, t_chart):
        assert draw(gaps(1, 2, 3), settings=Settings(annotations=notes)).annotations == notes


def test_the_impossible_is_refused() -> None:
    """Negative and endless gaps, parts of a session, and tails that are none."""
    for wrong in (-1, math.nan, math.inf):
        with pytest.raises(ValueError, match="must be 0 or more"):
            Gap("a", wrong)
    with pytest.raises(ValueError, match="whole number"):
        g_chart(gaps(1, 1.5))
    with pytest.raises(ValueError, match="whole number"):
        g_chart(gaps(1), Running("running", 1.5))
    for tail in (0, 0.5, math.nan):
        with pytest.raises(ValueError, match="tail must lie between"):
            g_chart(gaps(1), tail=tail)
