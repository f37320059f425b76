"""Trend: one rate of one protocol over time, on a control chart with a frozen baseline.

Rows are calendar weeks (from Monday) or months; those in which nobody was treated stay, without a
value. The charts of rare events have a row an event instead, and a last one for what runs since.

| chart | a point is | limits |
| --- | --- | --- |
| ``p``, ``p-exact`` | sessions (or patients) with the event of all | 3 sigma, or exact binomial |
| ``u``, ``u-exact`` | events a session | 3 sigma, or exact Poisson |
| ``laney`` | as p | 3 sigma stretched by how much periods really vary |
| ``ewma`` | moving average of the shares | 2.86 sigma of the average |
| ``g``, ``t`` | sessions, or days, between two sessions with the event | probability |
| ``cusum`` | what speaks for twice the rate of the baseline, added up | a threshold |

Sessions of one patient are alike, which the limits of p and u do not know; ``laney`` does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from reports import trend_charts, trend_counts
from reports.annotations import remarks_between
from reports.charts import Chart, Point
from reports.rates import today
from reports.trend_periods import Span
from reports.trend_query import CHARTS, RARE, TrendQuery
from safety.access import Action, Actor, guarded
from safety.annotations import Remark
from safety.store.handle import Store

__all__ = ["CHARTS", "RARE", "Trend", "TrendQuery", "TrendRow", "trend"]


@dataclass(frozen=True, slots=True)
class TrendRow:
    """One point: ``with_event`` of ``exposed``, the plotted ``estimate`` and its limits.

    ``period`` is the first day of the week or month (of a g or t chart: the day of the event) and
    ``last`` its last. ``with_event`` counts sessions or patients, on a u chart events. ``rule``
    names the broken rules, with "; " between. ``partial`` says that not all days are counted,
    ``running`` that the count since the last event has not ended.
    """

    period: date
    last: date
    with_event: int
    exposed: int
    estimate: float | None
    centre: float | None
    lower: float | None
    upper: float | None
    flag: bool
    rule: str
    partial: bool
    baseline: bool
    running: bool


@dataclass(frozen=True, slots=True)
class Trend:
    """A chart in rows, with the words that must stand beside it.

    ``bad`` is the side of the centre on which a signal is bad news. ``baseline`` says how many
    points it has, ``provisional`` that they are fewer than wanted.
    """

    query: TrendQuery
    term: str
    term_name: str
    protocol: str
    protocol_name: str
    rows: tuple[TrendRow, ...]
    kind: str
    method: str
    sigma: str
    bad: str
    baseline: str
    provisional: bool
    warnings: tuple[str, ...]
    remarks: tuple[Remark, ...]

    @property
    def flagged(self) -> tuple[TrendRow, ...]:
        """The points that break a rule."""
        return tuple(row for row in self.rows if row.flag)

    @property
    def baseline_days(self) -> tuple[date, date] | None:
        """First and last day of the baseline, None without one."""
        days = [row for row in self.rows if row.baseline]
        return (days[0].period, days[-1].last) if days else None


@guarded(Action.READ_RATES)
def trend(store: Store, actor: Actor, query: TrendQuery) -> Trend:
    """The control chart of ``query``. Raises UnknownName and UserError."""
    now = today(store)
    with store.read() as connection:
        what = trend_counts.asked(query.term)
        how = trend_counts.treatment(connection, query.protocol)
        wanted = trend_counts.slice_of(connection, query.events, how.no, (query.first, query.last))
        places, chart = trend_charts.drawn(connection, query, wanted, now)
    return Trend(
        query,
        what.id,
        what.name,
        how.id,
        how.name,
        _rows(places, chart),
        chart.kind,
        chart.method,
        chart.sigma,
        chart.bad,
        chart.baseline.words,
        chart.provisional,
        chart.warnings,
        remarks_between(store, actor, query.first, query.last),
    )


def _rows(places: Sequence[Span], chart: Chart) -> tuple[TrendRow, ...]:
    return tuple(
        _row(place, point, baseline=at in chart.baseline.positions)
        for at, (place, point) in enumerate(zip(places, chart.points, strict=True))
    )


def _row(place: Span, point: Point, *, baseline: bool) -> TrendRow:
    return TrendRow(
        place.first,
        place.last,
        int(point.numerator),
        int(point.denominator),
        point.value,
        point.centre,
        point.lower,
        point.upper,
        point.flag,
        "; ".join(point.rules),
        place.partial,
        baseline,
        point.running,
    )
