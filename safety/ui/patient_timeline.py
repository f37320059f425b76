"""A patient's sessions on one time axis: doses, blood pressures and events, one panel each.

The panels are charts of their own with the same axis and the same margins, so that each fits the
page and has a text of its own for those who do not see it. Nothing that says who the patient is
goes into them. Times are those of the site's clock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from safety import grading
from safety.patient_view import PatientRecord
from safety.ui import patient_points as points

if TYPE_CHECKING:
    import altair as alt

_MARGIN: Final = 150  # pixels left of every panel, so that their days stand under one another
_AROUND: Final = 135  # pixels above and below a panel: legend, days and the title of the axis
_DOSES: Final = 110
_PRESSURES: Final = 190
_TERM: Final = 28
_SIZES: Final = (40, 440)  # area of a dot of grade 1 and of grade 5, in square pixels
_GRADES: Final = (1, 5)


@dataclass(frozen=True, slots=True)
class Palette:
    """Ink, quiet ink, the colour of what to look at and the colour of what is serious."""

    ink: str
    quiet: str
    look: str
    serious: str


LIGHT: Final = Palette("#1B2A33", "#5B6B73", "#B45309", "#B42318")
DARK: Final = Palette("#E8EEF0", "#A9B7BE", "#F0AE5B", "#F2877D")


@dataclass(frozen=True, slots=True)
class Panel:
    """A chart, and the same in one sentence."""

    chart: alt.LayerChart | alt.FacetChart
    words: str


def panels(
    record: PatientRecord, protocols: Mapping[str, str], terms: Mapping[str, str], palette: Palette
) -> list[Panel]:
    """The panels that have something to show, in their order.

    ``protocols`` are the names of all protocols in the clinic's fixed order, by id: each keeps the
    colour of its place. ``terms`` are names by id.
    """
    drawn = (
        _doses(record, protocols),
        _pressures(record, palette),
        _events(record, terms, palette),
    )
    return [panel for panel in drawn if panel is not None]


def _doses(record: PatientRecord, protocols: Mapping[str, str]) -> Panel | None:
    import altair as alt

    values = points.dose_points(record.sessions, protocols)
    if not values:
        return None
    given = list(dict.fromkeys(point["protocol"] for point in values))
    every = list(dict.fromkeys([*protocols.values(), *given]))
    colour = alt.Color(
        "protocol:N",
        scale=alt.Scale(domain=every),
        legend=alt.Legend(values=given, title=None, orient="top", labelLimit=420),
    )
    base = alt.Chart(alt.InlineData(values=values)).encode(
        x=_days(record), color=colour, tooltip=_tips("day", "protocol", "dose")
    )
    top = alt.Y(
        "per_kg:Q",
        title=["Dose, mg per kg", f"(n = {_sessions(len(values))})"],
        scale=alt.Scale(domainMin=0, nice=True),
        axis=_left(alt, tickCount=4),
    )
    stems = base.mark_rule(strokeWidth=2).encode(y=top, y2=alt.datum(0))
    heads = base.mark_circle(size=45, opacity=1).encode(y=top)
    words = f"Dose in mg per kg of {_sessions(len(values))}, by day"
    return Panel(alt.layer(stems, heads).properties(height=_DOSES + _AROUND), words)


def _pressures(record: PatientRecord, palette: Palette) -> Panel | None:
    import altair as alt

    values = points.pressure_points(record.sessions)
    if not values:
        return None
    base = alt.Chart(alt.InlineData(values=values)).encode(
        x=_days(record),
        color=alt.Color(
            "said:N",
            scale=alt.Scale(
                domain=list(points.SAID), range=[palette.look, palette.ink, palette.quiet]
            ),
            legend=alt.Legend(
                values=[said for said in points.SAID if any(p["said"] == said for p in values)],
                title=None,
                orient="top",
                symbolType="stroke",
                symbolStrokeWidth=4,
                symbolOpacity=1,
            ),
        ),
        tooltip=_tips("day", "limb", "readings", "said"),
    )
    known = len({point["at"] for point in values})
    scale = alt.Scale(zero=False, nice=True)
    title = ["Blood pressure, mmHg", f"(n = {_sessions(known)})"]
    low = alt.Y("before:Q", title=title, scale=scale, axis=_left(alt, tickCount=5))
    bars = base.mark_rule(strokeWidth=4, opacity=1).encode(y=low, y2="highest:Q")
    tops = base.mark_tick(orient="horizontal", size=9, thickness=3, opacity=1).encode(y="highest:Q")
    limits = alt.Chart(alt.InlineData(values=_LIMITS)).mark_rule(
        strokeDash=[3, 4], strokeWidth=1, color=palette.quiet
    )
    spiked, told = record.spiked
    words = (
        f"Blood pressure before the dose and at its highest after it, {_sessions(known)}; "
        f"{spiked} of {told} with a spike"
    )
    drawn = alt.layer(limits.encode(y="limit:Q"), bars, tops)
    return Panel(drawn.properties(height=_PRESSURES + _AROUND), words)


_LIMITS: Final = [{"limit": grading.SPIKE_SYSTOLIC}, {"limit": grading.SPIKE_DIASTOLIC}]


def _events(record: PatientRecord, terms: Mapping[str, str], palette: Palette) -> Panel | None:
    import altair as alt

    labels = points.term_labels(record, terms)
    values = points.event_points(record, labels)
    if not values:
        return None
    rows = list(labels.values())
    title = ["Events by term", f"(n = {len(values)})"]
    shown = alt.Chart(alt.InlineData(values=values)).mark_point(filled=True, opacity=0.9)
    heavier = alt.Scale(domain=list(_GRADES), range=list(_SIZES))
    legend = alt.Legend(title=None, orient="top")
    dots = shown.encode(
        x=_days(record),
        y=alt.Y("term:N", sort=rows, title=title, axis=_left(alt, grid=True, domain=False)),
        size=alt.Size(
            "grade:Q",
            scale=heavier,
            legend=alt.Legend(
                title="Grade",
                orient="top",
                direction="horizontal",
                titleOrient="left",
                format="d",
                values=_used(values),
                symbolFillColor=palette.quiet,
                symbolStrokeWidth=0,
            ),
        ),
        color=alt.Color(
            "kind:N",
            scale=alt.Scale(domain=list(points.KINDS), range=[palette.serious, palette.quiet]),
            legend=legend,
        ),
        shape=alt.Shape(
            "kind:N",
            scale=alt.Scale(domain=list(points.KINDS), range=["diamond", "circle"]),
            legend=legend,
        ),
        tooltip=_tips("day", "term", "grade", "kind"),
    )
    total = len(record.sessions)
    words = f"{len(values)} events in {record.with_event} of {total} sessions, by day and term"
    return Panel(alt.layer(dots).properties(height=len(rows) * _TERM + _AROUND), words)


def _sessions(number: int) -> str:
    return f"{number} session{'' if number == 1 else 's'}"


def _used(values: Sequence[dict[str, Any]]) -> list[int]:
    return sorted({point["grade"] for point in values})


def _days(record: PatientRecord) -> alt.X:
    import altair as alt

    first, last = record.sessions[0].local_start, record.sessions[-1].local_start
    room = max(timedelta(days=3), (last - first) / 40)
    domain = [_moment(first - room), _moment(last + room)]
    axis = alt.Axis(format="%-d %b %Y", labelOverlap=True, tickCount=8)
    return alt.X("at:T", title="Day of the session", scale=alt.Scale(domain=domain), axis=axis)


def _moment(at: datetime) -> Any:
    import altair as alt

    return alt.DateTime(year=at.year, month=at.month, date=at.day)


def _left(alt: Any, **options: Any) -> Any:
    return alt.Axis(
        minExtent=_MARGIN, maxExtent=_MARGIN, labelLimit=_MARGIN, ticks=False, **options
    )


def _tips(*fields: str) -> list[alt.Tooltip]:
    import altair as alt

    titles = {"said": "Spike", "kind": "Seriousness"}
    return [alt.Tooltip(f"{f}:N", title=titles.get(f, f.capitalize())) for f in fields]
