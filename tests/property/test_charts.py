"""What holds for control charts of any counts."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.charts import (
    LIMITS,
    RULE_SETS,
    Case,
    Chart,
    Gap,
    Period,
    Running,
    Settings,
    Smoothing,
    bernoulli_cusum,
    bernoulli_threshold,
    ewma_p,
    ewma_u,
    g_chart,
    gaps_between,
    p_chart,
    t_chart,
    u_chart,
)
from reports.charts.rules import broken_rules
from reports.charts.runlength import bernoulli_run_length, poisson_run_length

few = settings(max_examples=20, deadline=None)
every_limits = pytest.mark.parametrize("limits", LIMITS)
every_rules = pytest.mark.parametrize("chosen", RULE_SETS)
every_draw = pytest.mark.parametrize("draw", [p_chart, u_chart, ewma_p, ewma_u])
LIMITS_ONLY = Settings(rules="limits")


def drawn(draw: object, series: list[Period]) -> Chart:
    assert callable(draw)
    chart = draw(series, settings=LIMITS_ONLY)
    assert isinstance(chart, Chart)
    return chart


sizes = st.integers(1, 400)
shares = sizes.flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
series = st.lists(shares, min_size=1, max_size=30).map(
    lambda pairs: [Period(f"{at}", x, n) for at, (x, n) in enumerate(pairs)]
)
sigmas = st.floats(-4, 4).map(lambda value: round(value, 1))
standardised = st.lists(sigmas | st.none(), max_size=40)


@every_draw
@given(periods=series)
@few
def test_a_value_is_its_count_over_its_exposure_and_lies_with_its_limits(
    draw: object, periods: list[Period]
) -> None:
    """Limits hold the centre and stay within what is possible; numbers are never NaN."""
    for point, period in zip(drawn(draw, periods).points, periods, strict=True):
        assert (point.numerator, point.denominator) == (period.count, period.exposed)
        if draw in {p_chart, u_chart}:
            assert point.value == period.count / period.exposed
        if point.lower is not None and point.upper is not None and point.centre is not None:
            assert 0 <= point.lower <= point.centre + 1 / period.exposed
            assert point.centre - 1 / period.exposed <= point.upper
            assert point.upper <= 1 or draw in {u_chart, ewma_u}


@every_limits
@given(periods=series)
@few
def test_a_point_is_flagged_exactly_beyond_the_limits_that_are_drawn(
    limits: str, periods: list[Period]
) -> None:
    """Line and flag say the same, ties by rounding left aside."""
    for draw in (p_chart, u_chart):
        for point in draw(periods, limits, LIMITS_ONLY).points:
            if point.value is None or point.upper is None or point.lower is None:
                assert not point.flag
                continue
            beyond = max(point.value - point.upper, point.lower - point.value)
            if abs(beyond) > 1e-9:
                assert point.flag == (beyond > 0)


@every_limits
@given(periods=series, scale=st.floats(1e-3, 1e3))
@few
def test_the_unit_of_exposure_does_not_matter(
    limits: str, periods: list[Period], scale: float
) -> None:
    """Exposure in days instead of months, by as many days, is the same u chart."""
    moved = [Period(one.label, one.count, one.exposed * scale) for one in periods]
    first, second = u_chart(periods, limits), u_chart(moved, limits, per=scale)
    for a, b in zip(first.points, second.points, strict=True):
        assert (a.value, a.centre) == pytest.approx((b.value, b.centre), rel=1e-9)
        # An exact limit is a count: it may move by one where rounding meets its tail.
        slack = 1 / a.denominator if limits == "exact" else 1e-6
        for mine, other in ((a.lower, b.lower), (a.upper, b.upper)):
            assert (mine is None) == (other is None)
            if mine is not None and other is not None:
                assert mine == pytest.approx(other, rel=1e-6, abs=slack * 1.000001)


@every_draw
@given(periods=series, at=st.integers(0, 30))
@few
def test_a_period_without_exposure_changes_no_other(
    draw: object, periods: list[Period], at: int
) -> None:
    """All other points keep value, limits and flag beyond the limits."""
    more = [*periods[:at], Period("shut", 0, 0), *periods[at:]]
    chart = drawn(draw, more)
    shut = [point for point in chart.points if point.label == "shut"]
    assert [(point.value, point.flag) for point in shut] == [(None, False)]
    others = tuple(point for point in chart.points if point.label != "shut")
    assert others == drawn(draw, periods).points


@every_draw
@given(periods=st.lists(shares, min_size=21, max_size=23), later=shares)
@few
def test_what_comes_after_the_baseline_moves_no_line(
    draw: object, periods: list[tuple[int, int]], later: tuple[int, int]
) -> None:
    """A new last period leaves all points before it as they were."""
    before = [Period(f"{at}", x, n) for at, (x, n) in enumerate(periods)]
    after = drawn(draw, [*before, Period("new", *later)])
    assert after.points[:-1] == drawn(draw, before).points


@given(periods=series)
@few
def test_with_and_without_the_event_mirror_each_other(periods: list[Period]) -> None:
    """The p chart of sessions without the event is the chart turned upside down."""
    turned = [Period(one.label, int(one.exposed) - one.count, one.exposed) for one in periods]
    for limits in ("sigma", "exact"):
        ours, mirrored = p_chart(periods, limits).points, p_chart(turned, limits).points
        for a, b in zip(ours, mirrored, strict=True):
            assert a.value == pytest.approx(1 - (b.value or 0), abs=1e-12)
            slack = 1e-9 if limits == "sigma" else 1 / a.denominator + 1e-9
            if a.upper is not None and b.lower is not None:
                assert a.upper == pytest.approx(1 - b.lower, abs=slack)


@given(periods=series)
@few
def test_all_weight_on_the_newest_is_the_plain_chart(periods: list[Period]) -> None:
    """An EWMA with weight 1 and 3 sigma is the p chart."""
    for a, b in zip(
        ewma_p(periods, Smoothing(1.0, 3.0)).points,
        p_chart(periods, settings=LIMITS_ONLY).points,
        strict=True,
    ):
        assert a.value == pytest.approx(b.value, rel=1e-12)
        assert (a.lower is None, a.flag) == (b.lower is None, b.flag)
        if a.upper is not None:
            assert (a.lower, a.upper) == pytest.approx((b.lower, b.upper), rel=1e-9, abs=1e-12)


@every_rules
@given(values=standardised)
@few
def test_rules_do_not_care_for_up_and_down(chosen: str, values: list[float | None]) -> None:
    """The mirrored chart breaks the same rules at the same points."""
    mirrored = [None if value is None else -value for value in values]
    assert broken_rules(values, chosen) == broken_rules(mirrored, chosen)


@every_rules
@given(before=standardised, after=standardised)
@few
def test_a_gap_separates_two_charts(
    chosen: str, before: list[float | None], after: list[float | None]
) -> None:
    """What lies before a point without a value has no say in what comes after it."""
    both = broken_rules([*before, None, *after], chosen)
    assert both == [*broken_rules(before, chosen), (), *broken_rules(after, chosen)]


@given(values=standardised)
@few
def test_a_larger_set_of_rules_flags_no_less(values: list[float | None]) -> None:
    """Every flag of the limits is one of all sets, every sparing flag one of Western Electric."""
    flags = {name: [set(names) for names in broken_rules(values, name)] for name in RULE_SETS}
    for small, large in (("limits", "sparing"), ("sparing", "western-electric"),
                         ("limits", "sparing-nelson"), ("sparing-nelson", "nelson")):  # fmt: skip
        assert all(a <= b for a, b in zip(flags[small], flags[large], strict=True))


@given(between=st.lists(st.integers(0, 5_000), max_size=30), running=st.integers(0, 50_000))
@few
def test_the_running_count_is_never_flagged_low(between: list[int], running: int) -> None:
    """Nor does it change any point of an ended gap."""
    gaps = [Gap(f"{at}", gap) for at, gap in enumerate(between)]
    for draw in (g_chart, t_chart):
        chart = draw(gaps, Running("running", running))
        last = chart.points[-1]
        assert not last.flag or last.side == "above"
        assert chart.points[:-1] == draw(gaps).points


@given(events=st.lists(st.booleans(), max_size=200))
@few
def test_gaps_account_for_every_session_from_the_first_event_on(events: list[bool]) -> None:
    """One gap fewer than events, and sessions are neither lost nor counted twice."""
    gaps, running = gaps_between([(f"{at}", event) for at, event in enumerate(events)])
    if not any(events):
        assert (gaps, running) == ([], None)
        return
    assert running is not None
    assert len(gaps) == sum(events) - 1
    sessions = sum(gap.between + 1 for gap in gaps) + 1 + running.between
    assert sessions == len(events) - events.index(True)


@given(between=st.lists(st.integers(0, 5_000), min_size=1, max_size=30))
@few
def test_limits_of_gaps_hold_the_centre(between: list[int]) -> None:
    """Lower, centre and upper are in order and never below 0."""
    gaps = [Gap(f"{at}", gap) for at, gap in enumerate(between)]
    for draw in (g_chart, t_chart):
        point = draw(gaps).points[0]
        if point.lower is not None and point.centre is not None and point.upper is not None:
            assert 0 <= point.lower <= point.centre <= point.upper


@given(events=st.lists(st.booleans(), min_size=1, max_size=60), at=st.integers(0, 59))
@few
def test_one_more_event_never_lowers_a_cusum(events: list[bool], at: int) -> None:
    """Point by point, and the sum is never below 0."""
    more = [event or place == at % len(events) for place, event in enumerate(events)]
    made = bernoulli_threshold(0.1, 0.3, 200)
    few_sum, more_sum = (
        [point.value or 0.0 for point in bernoulli_cusum(
            [Case("", event) for event in row], made, reset=False).points]
        for row in (events, more)
    )  # fmt: skip
    assert all(0 <= a <= b for a, b in zip(few_sum, more_sum, strict=True))


@given(p=st.floats(0.01, 0.9), event=st.integers(1, 30), quiet=st.integers(1, 30))
@few
def test_a_higher_threshold_is_reached_later(p: float, event: int, quiet: int) -> None:
    """And a higher rate reaches it sooner, for sessions and for periods."""
    for length in (bernoulli_run_length, poisson_run_length):
        lengths = [length(p, event, quiet, height) for height in (1, 4, 9, 20)]
        assert all(1 <= a <= b * (1 + 1e-9) for a, b in pairwise(lengths))
        if lengths[-1] < 1e9:
            assert length(p * 1.1, event, quiet, 20) < lengths[-1]
