"""The dot plot by session number: one dot a number with its interval, n on the axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from reports.habituation import label
from reports.rows import RateRow
from reports.ui.table import interval, of_all, percent

if TYPE_CHECKING:
    import altair as alt

_HEIGHT: Final = 380


def points(rows: Sequence[RateRow]) -> list[dict[str, Any]]:
    """One point a number, percentages as numbers."""
    return [
        {
            "number": label(row),
            "estimate": 100 * row.estimate,
            "low": 100 * (row.low or 0.0),
            "high": 100 * (row.high or 0.0),
            "share": f"{percent(row.estimate)} ({of_all(row)} of {row.patients:,} patients)",
            "interval": f"{interval(row)}, {row.method}",
        }
        for row in rows
        if row.estimate is not None
    ]


def draw(rows: Sequence[RateRow]) -> alt.LayerChart | alt.FacetChart:
    """The chart; the numbers stand in the order of the rows."""
    import altair as alt

    values = points(rows)
    base = alt.Chart(alt.InlineData(values=values)).encode(
        x=alt.X(
            "number:N",
            sort=[point["number"] for point in values],
            title="Session of the patient (n = sessions)",
            axis=alt.Axis(
                labelAngle=-40, labelOverlap=False, ticks=False, grid=False, labelLimit=160
            ),
        ),
        tooltip=[
            alt.Tooltip("number:N", title="Session"),
            alt.Tooltip("share:N", title="Share"),
            alt.Tooltip("interval:N", title="95 % interval"),
        ],
    )
    along = alt.Y(
        "low:Q",
        title="Percent of sessions, with 95 % interval",
        scale=alt.Scale(domainMin=0),
    )
    rule = base.mark_rule(strokeWidth=2, opacity=0.55).encode(y=along, y2="high:Q")
    dot = base.mark_point(filled=True, size=80, opacity=1).encode(y="estimate:Q")
    return alt.layer(rule, dot).properties(height=_HEIGHT)
