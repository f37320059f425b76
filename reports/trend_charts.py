"""The control chart of a trend: what was counted, put on the chart that was asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from itertools import pairwise
from typing import Final

from sqlalchemy import Connection

from reports import charts, trend_counts
from reports.charts import Chart, Gap, Period, Running, Settings
from reports.rows import PATIENT
from reports.trend_counts import Count, Slice
from reports.trend_periods import Span, spans
from reports.trend_query import RARE, TrendQuery
from safety.errors import UserError

MOST_GAPS: Final = 500
"""Default: an event that came more often is not rare, and g and t charts are the wrong ones."""

WORSE: Final = 2.0
"""Default: the CUSUM watches for a rate of twice the baseline."""

RUN_LENGTH: Final = 200.0
"""Default: in control the CUSUM signals once in so many periods, about four years of weeks."""


def drawn(
    connection: Connection, query: TrendQuery, wanted: Slice, now: date
) -> tuple[Sequence[Span], Chart]:
    """The chart, and the days of each of its points. Raises UserError for what it cannot show."""
    draw = _rare if query.chart in RARE else _by_period
    return draw(connection, query, wanted, now)


def _by_period(
    connection: Connection, query: TrendQuery, wanted: Slice, now: date
) -> tuple[Sequence[Span], Chart]:
    places = spans(query.first, query.last, query.every, now)
    counts = trend_counts.by_period(connection, wanted, places, query.every)
    measured = [
        Period(place.first.isoformat(), *_measured(query, count))
        for place, count in zip(places, counts, strict=True)
    ]
    settings = Settings(_baseline(query, places), query.rules)
    return places, _DRAWN[query.chart](measured, settings)


def _measured(query: TrendQuery, count: Count) -> tuple[int, int]:
    if query.chart in {"u", "u-exact"}:
        return count.events, count.sessions
    if query.unit == PATIENT:
        return count.patients_with_event, count.patients
    return count.sessions_with_event, count.sessions


def _baseline(query: TrendQuery, places: Sequence[Span]) -> int | list[int]:
    if isinstance(query.baseline, int):
        return query.baseline
    begin, end = query.baseline
    inside = [at for at, place in enumerate(places) if begin <= place.first and place.last <= end]
    if not inside:
        raise UserError("The baseline holds nothing to compare with. Choose a longer one.")
    return inside


def _cusum(measured: Sequence[Period], settings: Settings) -> Chart:
    """A Poisson CUSUM for a rate of twice that of the baseline, which it is not drawn from."""
    frozen = charts.p_chart(measured, settings=replace(settings, rules="limits"))
    chosen = [measured[at].exposed for at in frozen.baseline.positions]
    if not (chosen and frozen.centre):
        return replace(
            frozen,
            kind="poisson cusum",
            method="poisson cusum",
            points=tuple(replace(p, value=None, rules=()) for p in frozen.points),
            warnings=(
                "No limits: the baseline has no event, so there is no rate to compare with.",
            ),
        )
    usual = sum(chosen) / len(chosen)
    mean = frozen.centre * usual
    try:
        threshold = charts.poisson_threshold(mean, WORSE * mean, RUN_LENGTH)
    except ValueError as error:
        raise UserError(f"No CUSUM can be drawn: {error}. Choose another chart.") from None
    chart = charts.poisson_cusum(measured, threshold, usual=usual)
    short = [said for said in frozen.warnings if said.startswith("Provisional")]
    return replace(chart, baseline=frozen.baseline, warnings=(*short, *chart.warnings))


_Drawing = Callable[[Sequence[Period], Settings], Chart]
_DRAWN: Final[Mapping[str, _Drawing]] = {
    "p": lambda measured, settings: charts.p_chart(measured, "sigma", settings),
    "p-exact": lambda measured, settings: charts.p_chart(measured, "exact", settings),
    "u": lambda measured, settings: charts.u_chart(measured, "sigma", settings),
    "u-exact": lambda measured, settings: charts.u_chart(measured, "exact", settings),
    "laney": lambda measured, settings: charts.p_chart(measured, "laney", settings),
    "ewma": lambda measured, settings: charts.ewma_p(measured, settings=settings),
    "cusum": _cusum,
}


def _rare(
    connection: Connection, query: TrendQuery, wanted: Slice, now: date
) -> tuple[Sequence[Span], Chart]:
    found, sessions = trend_counts.occurrences(connection, wanted, MOST_GAPS)
    if len(found) > MOST_GAPS:
        raise UserError(
            f"More than {MOST_GAPS} sessions had this event, so it is not rare. Choose the chart p "
            "or laney, or a shorter period."
        )
    by_sessions = query.chart == "g"
    gaps = [
        Gap(
            after.day.isoformat(),
            after.number - before.number - 1 if by_sessions else (after.day - before.day).days,
        )
        for before, after in pairwise(found)
    ]
    places = [Span(each.day, each.day, partial=False) for each in found[1:]]
    running = None
    if found:
        end = max(min(query.last, now), found[-1].day)
        since = sessions - found[-1].number if by_sessions else (end - found[-1].day).days
        running = Running(end.isoformat(), since)
        places.append(Span(end, end, partial=True))
    draw = charts.g_chart if by_sessions else charts.t_chart
    settings = Settings(_baseline(query, places[: len(gaps)]), query.rules)
    chart = draw(gaps, running, settings)
    if query.chart == "t" and any(gap.between == 0 for gap in gaps):
        same = sum(gap.between == 0 for gap in gaps)
        said = f"{same} of {len(gaps)} gaps are of 0 days: days are known and not hours."
        chart = replace(chart, warnings=(*chart.warnings, said))
    return places, chart
