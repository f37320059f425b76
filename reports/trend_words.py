"""What a trend shows, in sentences for a reader who decides and does not calculate."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Final

from reports.charts import RULES
from reports.plain_words import counted, percent, several
from reports.rows import PATIENT
from reports.trend_periods import MONTH
from reports.trend_query import RARE
from reports.trend_sequential import Sequential
from reports.trend_times import BY_SESSION, Times
from reports.trends import Trend, TrendRow

CULTURE: Final = (
    "A change in how events are reported looks like a change in safety. Write down below when a "
    "form, a question or the staff changed."
)
_KINDS: Final = {
    "p": "Each point is the share of {units} with the event.",
    "p-exact": "Each point is the share of {units} with the event.",
    "laney": "Each point is the share of {units} with the event.",
    "ewma": "Each point is a moving average of the share of {units} with the event.",
    "u": "Each point is the number of events a session.",
    "u-exact": "Each point is the number of events a session.",
    "g": "Each point is the number of sessions between two sessions with the event: low is bad.",
    "t": "Each point is the number of days between two sessions with the event: low is bad.",
    "cusum": "The line adds up what speaks for twice the rate of the baseline.",
}


def day(at: date) -> str:
    """``12 May 2026``."""
    return f"{at.day} {at:%B %Y}"


def units(trend: Trend) -> str:
    """Sessions or patients."""
    return f"{trend.query.unit}s"


def headline(trend: Trend) -> str:
    """How many of how many in the whole period."""
    rows = trend.rows
    query = trend.query
    when = f"from {day(query.first)} to {day(query.last)}"
    if query.chart in RARE:
        gaps = several(sum(not row.running for row in rows), "gap")
        return f"{gaps.capitalize()} between two sessions with the event {when}."
    with_event, exposed = sum(r.with_event for r in rows), sum(r.exposed for r in rows)
    if not exposed:
        return f"Nobody was treated with this protocol {when}."
    if query.chart in {"u", "u-exact"}:
        return f"{several(with_event, 'event')} in {several(exposed, 'session')} {when}."
    if query.unit == PATIENT:
        return f"{several(len(rows), query.every)} {when}; a patient counts once in each of them."
    return f"{counted(with_event, exposed)} ({percent(with_event / exposed)}) {when}."


def findings(trend: Trend) -> list[str]:
    """What broke which rule, or that nothing did, and how far the limits can be trusted."""
    return [*_signals(trend), *_limits(trend), *_gaps(trend)]


def _signals(trend: Trend) -> Iterator[str]:
    flagged = trend.flagged
    drawn = [row for row in trend.rows if row.estimate is not None]
    if not drawn:
        return
    if not flagged:
        if any(row.upper is not None for row in drawn):
            yield (
                f"None of the {several(len(drawn), 'point')} breaks a rule: what moves here is no "
                "more than chance explains."
            )
        return
    for rule, rows in _by_rule(flagged).items():
        named = ", ".join(f"{day(row.period)} ({_side(trend, row)})" for row in rows[-5:])
        more = f", and {len(rows) - 5} before" if len(rows) > 5 else ""
        yield f"{RULES[rule].removesuffix('.')}: {named}{more}."


def _by_rule(flagged: tuple[TrendRow, ...]) -> dict[str, list[TrendRow]]:
    found: dict[str, list[TrendRow]] = {}
    for row in flagged:
        for rule in row.rule.split("; "):
            found.setdefault(rule, []).append(row)
    return found


def _side(trend: Trend, row: TrendRow) -> str:
    if row.estimate is None or row.centre is None:
        return "no side"
    side = "above" if row.estimate > row.centre else "below"
    return "more events than usual" if side == trend.bad else "fewer events than usual"


def _limits(trend: Trend) -> Iterator[str]:
    said = _KINDS[trend.query.chart].format(units=units(trend))
    days = trend.baseline_days
    if days is None:
        yield said
        return
    yield (
        f"{said} Centre and limits come from the baseline ({trend.baseline}, "
        f"{day(days[0])} to {day(days[1])}) and stay where they are."
    )


def _gaps(trend: Trend) -> Iterator[str]:
    if trend.query.chart in RARE:
        return
    empty = sum(row.exposed == 0 for row in trend.rows)
    if empty:
        yield (
            f"{several(empty, trend.query.every)} without a session: kept in the chart without a "
            "point, and breaking every run."
        )
    cut = [day(row.period) for row in trend.rows if row.partial and row.exposed]
    if cut:
        name = "month" if trend.query.every == MONTH else "week"
        yield f"Not all days are counted in the {name} of {' and of '.join(cut)}."


def crossing(found: Sequential) -> str:
    """Whether the run crosses its limit, and when, with the counts it rests on."""
    if not found.looks:
        return "No week has ended since the baseline, so there was no look yet."
    look = found.signal or found.looks[-1]
    told = f"{counted(look.with_event, look.sessions)} where {look.expected:.1f} were expected"
    if found.signal is not None:
        return f"The run crosses its sequential limit on {day(look.day)}: {told}."
    would = "" if look.signal_at is None else f"; {look.signal_at} would have been a signal"
    return f"The run has not crossed its sequential limit by {day(look.day)}: {told}{would}."


def promise(found: Sequential) -> str:
    """Which chance of a false alarm over how many looks."""
    query = found.query
    share = counted(found.baseline_with_event, found.baseline_sessions)
    return (
        f"One look a week, {several(len(found.looks), 'look')} so far, planned up to "
        f"{several(found.horizon, 'session')}. If the share had stayed at {percent(found.share)} "
        f"({share}, {day(query.baseline[0])} to {day(query.baseline[1])}), the chance that any of "
        f"all looks signals would be at most {100 * query.alpha:g} % "
        f"({100 * found.spent:.1f} % are used up so far). Fewer than "
        f"{several(query.minimum, 'session')} with the event never signal. Sessions of one patient "
        "are alike, and the baseline is taken as known: read a narrow crossing with that in mind."
    )


def first_event(found: Times) -> str:
    """The first-event curve in one sentence, and who is not in it."""
    curve = found.first_event
    if not curve.subjects:
        return "Nobody began this protocol in the period."
    unit = "session" if found.query.scale == BY_SESSION else "day"
    said = f"{counted(curve.events, curve.subjects, 'patient')} had it at least once"
    if curve.steps:
        last = curve.steps[-1]
        said += f"; by {unit} {last.time:g} an estimated {percent(last.value)}"
        said += f" ({several(last.at_risk, 'patient')} followed so far)"
    left = found.began_before
    before = f" Left out: {several(left, 'patient')} who began before the period." if left else ""
    return (
        f"{said}.{before} Who stopped the treatment counts as leaving: the curve takes them to be "
        "like those who stayed."
    )


def repeated(found: Times) -> str:
    """The mean cumulative function in one sentence."""
    curve = found.repeated
    if not curve.steps:
        return "Nothing to add up."
    last = curve.steps[-1]
    unit = "session" if found.query.scale == BY_SESSION else "day"
    return (
        f"By {unit} {last.time:g} a patient has had {last.value:.1f} sessions with it on average "
        f"({several(curve.events, 'session')} with it, {several(curve.subjects, 'patient')}; "
        f"{several(last.at_risk, 'patient')} followed so far)."
    )


def lasting(found: Times) -> str:
    """How long the events last."""
    known, resolved = found.resolution.total, found.resolution.resolved
    missing = f" Left out: {several(found.without_duration, 'event')} without a duration."
    tail = missing if found.without_duration else ""
    if not known:
        return f"No event says how long it lasted.{tail}"
    middle = found.resolution.median
    if middle.value is None:
        said = "Fewer than half were over when last seen"
    else:
        said = f"Half of the events were over after {middle.value:g} minutes"
    return f"{said} ({counted(resolved, known, 'event')} were over).{tail}"
