"""The dot plot of incidence: one row a term, one dot a protocol, each with its interval."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from reports.rows import RateRow
from reports.ui.table import TermRows, interval, of_all, percent

if TYPE_CHECKING:
    import altair as alt

_ROW_PIXELS: Final = 15
_MOST_TERMS: Final = 16


def plotted(terms: Sequence[TermRows]) -> list[TermRows]:
    """The terms that the plot has room for, in the order of the table."""
    return [term for term in terms if term.occurred][:_MOST_TERMS]


def points(terms: Sequence[TermRows], labels: dict[str, str]) -> list[dict[str, Any]]:
    """One point a term and protocol, percentages as numbers. ``labels`` name the protocols."""
    return [
        {
            "term": term.name,
            "protocol": labels[row.protocol],
            "estimate": 100 * row.estimate,
            "low": 100 * (row.low or 0.0),
            "high": 100 * (row.high or 0.0),
            "share": f"{percent(row.estimate)} ({of_all(row)})",
            "interval": interval(row),
        }
        for term in terms
        for row in term.rows
        if row.estimate is not None
    ]


def labels_of(rows: Sequence[RateRow], order: Sequence[str]) -> dict[str, str]:
    """Each protocol's name with its denominator, in the clinic's fixed order."""
    exposed = {row.protocol: row for row in rows}
    return {
        protocol: f"{row.protocol_name} (N = {row.exposed:g})"
        for protocol in order
        if (row := exposed.get(protocol)) is not None
    }


def draw(
    terms: Sequence[TermRows], labels: dict[str, str], order: Sequence[str]
) -> alt.LayerChart | alt.FacetChart:
    """The chart. ``order`` is the clinic's of all protocols: each keeps the colour of its place."""
    import altair as alt

    shown = plotted(terms)
    base = alt.Chart(alt.InlineData(values=points(shown, labels))).encode(
        y=alt.Y("term:N", sort=[t.name for t in shown], title=None, axis=_axis(alt)),
        yOffset=alt.YOffset("protocol:N", sort=list(labels.values())),
        color=alt.Color(
            "protocol:N",
            scale=alt.Scale(domain=[labels.get(protocol, protocol) for protocol in order]),
            legend=alt.Legend(
                values=list(labels.values()),
                title=None,
                orient="top",
                columns=1,
                labelLimit=420,
                rowPadding=3,
                symbolOpacity=1,
            ),
        ),
        tooltip=[
            alt.Tooltip("term:N", title="Effect"),
            alt.Tooltip("protocol:N", title="Protocol"),
            alt.Tooltip("share:N", title="Share"),
            alt.Tooltip("interval:N", title="95 % interval"),
        ],
    )
    along = alt.X(
        "low:Q",
        title="Percent, with 95 % interval",
        scale=alt.Scale(domainMin=0),
        axis=alt.Axis(orient="top"),
    )
    rule = base.mark_rule(strokeWidth=2, opacity=0.55).encode(x=along, x2="high:Q")
    dot = base.mark_point(filled=True, size=70, opacity=1).encode(x="estimate:Q")
    height = len(shown) * max(22, _ROW_PIXELS * len(labels)) + 40
    return alt.layer(rule, dot).properties(height=height)


def _axis(alt: Any) -> Any:
    return alt.Axis(labelLimit=220, ticks=False, domain=False, grid=True)
