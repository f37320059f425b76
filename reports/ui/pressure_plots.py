"""Charts of blood pressure: its course under a protocol, and shares of sessions with a spike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from reports.blood_pressure import MEANING, Readings, Spikes
from reports.plain_words import proportion
from reports.pressure_counts import MOMENTS
from safety.ui.patient_timeline import Palette

if TYPE_CHECKING:
    import altair as alt

_COURSE: Final = 300
_ROW: Final = 46
_AROUND: Final = 95  # pixels above and below the rows: legend, axis and its title
_MARKED: Final = "40"
_WORDS: Final = {name: f"{words[0].upper()}{words[1:]}" for name, words in MEANING.items()}


def course_points(readings: Sequence[Readings]) -> list[dict[str, Any]]:
    """One point a moment and limb of one protocol, with its number of sessions on the axis."""
    labels = moment_labels(readings)
    return [
        {
            "when": labels[each.moment],
            "protocol": each.protocol_name,
            "limb": each.limb.capitalize(),
            "low": each.low,
            "median": each.median,
            "high": each.high,
            "counts": f"{each.n:,} of {each.sessions:,} sessions",
            "quartiles": f"{each.low:g} to {each.high:g} mmHg",
        }
        for each in readings
        if each.median is not None
    ]


def moment_labels(readings: Sequence[Readings]) -> dict[str, str]:
    """``Peak|n = 213`` for each moment; both limbs' numbers where they differ."""
    found = {}
    for moment, name in MOMENTS.items():
        numbers = dict.fromkeys(f"{each.n:,}" for each in readings if each.moment == moment)
        found[moment] = f"{name}|n = {' / '.join(numbers) or '0'}"
    return found


def mmhg_range(readings: Sequence[Readings]) -> tuple[float, float]:
    """One axis for all protocols: whole tens around the quartiles."""
    lows = [each.low for each in readings if each.low is not None]
    highs = [each.high for each in readings if each.high is not None]
    return 10 * (min(lows) // 10), 10 * (max(highs) // 10 + 1)


def course(
    readings: Sequence[Readings],
    names: Sequence[str],
    between: tuple[float, float],
    palette: Palette,
) -> alt.LayerChart | alt.FacetChart:
    """Median and quartiles under one protocol.

    ``names`` are those of all protocols in the clinic's fixed order: each keeps the colour of its
    place. There is at least one reading.
    """
    import altair as alt

    labels = moment_labels(readings)
    lines = alt.Axis(labelExpr="split(datum.label, '|')", labelAngle=0, ticks=False)
    x = alt.X("when:O", sort=list(labels.values()), title=None, axis=lines)
    scale = alt.Scale(domain=list(between), nice=False, zero=False)
    base = alt.Chart(alt.InlineData(values=course_points(readings))).encode(
        x=x,
        detail="limb:N",
        color=alt.Color("protocol:N", scale=alt.Scale(domain=list(names)), legend=None),
        tooltip=[
            alt.Tooltip("limb:N", title="Limb"),
            alt.Tooltip("median:Q", title="Median, mmHg", format=".0f"),
            alt.Tooltip("quartiles:N", title="Middle half"),
            alt.Tooltip("counts:N", title="Read in"),
        ],
    )
    y = alt.Y("low:Q", title="mmHg: systolic above, diastolic below", scale=scale)
    middle = alt.Y("median:Q", scale=scale)
    marked = alt.Chart(alt.InlineData(values=[{"when": labels[_MARKED]}])).mark_rule(
        strokeDash=[3, 4], strokeWidth=1.2, color=palette.quiet
    )
    return alt.layer(
        marked.encode(x=x),
        base.mark_area(opacity=0.22).encode(y=y, y2="high:Q"),
        base.mark_rule(strokeWidth=3, opacity=0.45).encode(y=y, y2="high:Q"),
        base.mark_line(strokeWidth=2).encode(y=middle),
        base.mark_point(filled=True, size=70, opacity=1).encode(y=middle),
    ).properties(height=_COURSE)


def spike_points(rows: Sequence[Spikes], names: Mapping[str, str]) -> list[dict[str, Any]]:
    """One point a group and definition, percentages as numbers. ``names`` label the groups."""
    return [
        {
            "group": names[row.group],
            "definition": _WORDS[row.definition],
            "estimate": 100 * estimate.value,
            "low": 100 * (estimate.low or 0.0),
            "high": 100 * (1.0 if estimate.high is None else estimate.high),
            "counts": proportion(estimate.affected, estimate.sessions, estimate),
        }
        for row in rows
        if (estimate := row.estimate).value is not None
    ]


def group_labels(rows: Sequence[Spikes]) -> dict[str, str]:
    """``IV induction (n = 340)`` by id of the group; both numbers where the definitions differ."""
    found = {}
    for row in rows:
        told = (each.estimate.sessions for each in rows if each.group == row.group)
        numbers = " / ".join(dict.fromkeys(f"{number:,}" for number in told))
        found[row.group] = f"{row.group_name} (n = {numbers})"
    return found


def spikes(rows: Sequence[Spikes], palette: Palette) -> alt.LayerChart | alt.FacetChart:
    """Share of sessions with a spike, with intervals: one row a group, one dot a definition."""
    import altair as alt

    labels = group_labels(rows)
    values = spike_points(rows, labels)
    meanings = list(_WORDS.values())
    legend = alt.Legend(title=None, orient="top", columns=1, labelLimit=380, symbolOpacity=1)
    base = alt.Chart(alt.InlineData(values=values)).encode(
        y=alt.Y(
            "group:N",
            sort=[label for label in labels.values() if any(v["group"] == label for v in values)],
            title=None,
            axis=alt.Axis(labelLimit=260, ticks=False, domain=False, grid=True),
        ),
        yOffset=alt.YOffset("definition:N", sort=meanings),
        color=alt.Color(
            "definition:N",
            scale=alt.Scale(domain=meanings, range=[palette.ink, palette.quiet]),
            legend=legend,
        ),
        tooltip=[
            alt.Tooltip("group:N", title="Group"),
            alt.Tooltip("definition:N", title="Spike"),
            alt.Tooltip("counts:N", title="Share"),
        ],
    )
    shape = alt.Shape(
        "definition:N",
        scale=alt.Scale(domain=meanings, range=["circle", "diamond"]),
        legend=legend,
    )
    along = alt.X(
        "low:Q",
        title="Percent of sessions, with 95 % interval",
        scale=alt.Scale(domainMin=0),
        axis=alt.Axis(orient="bottom"),
    )
    rule = base.mark_rule(strokeWidth=2, opacity=0.55).encode(x=along, x2="high:Q")
    dot = base.mark_point(filled=True, size=80, opacity=1).encode(x="estimate:Q", shape=shape)
    shown = len({value["group"] for value in values})
    return alt.layer(rule, dot).properties(height=shown * _ROW + _AROUND)
