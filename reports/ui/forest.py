"""Pictures of a comparison: the forest plot of differences, and the volcano."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from reports.compare_rows import CompareRow
from reports.compare_words import FLAGGED, NOT_FLAGGED, points, verdict
from reports.rows import ANY_EVENT
from safety.ui.patient_timeline import Palette

if TYPE_CHECKING:
    import altair as alt

    Chart = alt.LayerChart | alt.FacetChart

DIFFERENCE: Final = "difference"
RATIO: Final = "ratio"
MOST: Final = 24
"""Rows that the forest plot has room for."""

_LEAST_P: Final = 1e-12  # smaller ones are drawn at this height
_ROW: Final = 26
_AROUND: Final = 110
_VOLCANO: Final = 420
_KINDS: Final = (FLAGGED, NOT_FLAGGED)
_SHAPES: Final = ("diamond", "circle")


def plotted(rows: Sequence[CompareRow]) -> list[CompareRow]:
    """What somebody had, any event first, then from most above to most below the reference.

    Where there is no room for all, those that differ most beyond chance stay.
    """
    known = [row for row in rows if row.occurred and row.risk_difference is not None]
    any_event = [row for row in known if row.term == ANY_EVENT]
    terms = [row for row in known if row.term != ANY_EVENT]
    kept = sorted(terms, key=lambda row: (1.0 if row.p is None else row.p, row.term_name))[:MOST]
    return any_event + sorted(kept, key=lambda row: (-(row.risk_difference or 0.0), row.term_name))


def label(row: CompareRow) -> str:
    """``Nausea (12 / 61 : 4 / 80)``, the protocol compared first."""
    counts = f"{row.with_event} / {row.exposed} : {row.with_event_ref} / {row.exposed_ref}"
    return f"{row.term_name} ({counts})"


def forest_points(rows: Sequence[CompareRow]) -> list[dict[str, Any]]:
    """One point a row of the forest plot, in percentage points."""
    return [
        {
            "term": label(row),
            "value": 100 * (row.risk_difference or 0.0),
            "low": 100 * row.rd_low,
            "high": 100 * (1.0 if row.rd_high is None else row.rd_high),
            "said": points(row),
            "flag": verdict(row),
        }
        for row in rows
    ]


def forest(rows: Sequence[CompareRow], names: tuple[str, str], palette: Palette) -> Chart:
    """Differences with limits; ``names`` of the protocol compared and of the reference."""
    import altair as alt

    order = [label(row) for row in rows]
    base = alt.Chart(alt.InlineData(values=forest_points(rows))).encode(
        y=alt.Y(
            "term:N",
            sort=order,
            title=None,
            axis=alt.Axis(labelLimit=330, ticks=False, domain=False, grid=True),
        ),
        color=_colour(alt, palette),
        tooltip=[
            alt.Tooltip("term:N", title="Effect"),
            alt.Tooltip("said:N", title="95 % interval"),
            alt.Tooltip("flag:N", title="Among all effects"),
        ],
    )
    along = alt.X(
        "low:Q",
        title=_title("Difference in percentage points", rows, names),
        axis=alt.Axis(tickCount=8),
    )
    limits = base.mark_rule(strokeWidth=2, opacity=0.7).encode(x=along, x2="high:Q")
    dots = base.mark_point(filled=True, size=80, opacity=1).encode(x="value:Q", shape=_shape(alt))
    none = _none(alt, palette, 0)
    return alt.layer(none, limits, dots).properties(height=len(order) * _ROW + _AROUND)


def volcano_points(rows: Sequence[CompareRow], across: str) -> list[dict[str, Any]]:
    """One point a term that was tested and, across a ratio, has a ratio above 0."""
    return [
        {
            "term": row.term_name,
            "across": 100 * value if across == DIFFERENCE else value,
            "up": -math.log10(max(row.p, _LEAST_P)),
            "counts": label(row),
            "p": f"{row.p:.3g}",
            "q": "not adjusted" if row.q is None else f"{row.q:.3g}",
            "flag": verdict(row),
        }
        for row in rows
        if row.term != ANY_EVENT
        and row.p is not None
        and (value := row.risk_difference if across == DIFFERENCE else row.risk_ratio) is not None
        and (across == DIFFERENCE or value > 0)
    ]


def volcano(
    rows: Sequence[CompareRow], names: tuple[str, str], palette: Palette, across: str
) -> Chart:
    """Difference or ratio across, -log10 of p upwards: what is far out and high stands out."""
    import altair as alt

    values = volcano_points(rows, across)
    base = alt.Chart(alt.InlineData(values=values))
    words = "Difference in percentage points" if across == DIFFERENCE else "Risk ratio"
    scale = alt.Scale(zero=True) if across == DIFFERENCE else alt.Scale(type="log")
    axis = alt.Axis(tickCount=8)
    x = alt.X("across:Q", title=_title(words, rows, names), scale=scale, axis=axis)
    y = alt.Y("up:Q", title=f"-log10 p, unadjusted (n = {len(values)} effects)")
    dots = base.mark_point(filled=True, size=90, opacity=0.9).encode(
        x=x,
        y=y,
        color=_colour(alt, palette),
        shape=_shape(alt),
        tooltip=[
            alt.Tooltip("counts:N", title="Effect"),
            alt.Tooltip("p:N", title="p"),
            alt.Tooltip("q:N", title="q, double FDR"),
            alt.Tooltip("flag:N", title="Among all effects"),
        ],
    )
    flagged = [value for value in values if value["flag"] == FLAGGED]
    texts = (
        alt.Chart(alt.InlineData(values=flagged))
        .mark_text(dy=-13, color=palette.ink, fontSize=12)
        .encode(x=x, y=y, text="term:N")
    )
    none = _none(alt, palette, 0 if across == DIFFERENCE else 1)
    return alt.layer(none, dots, texts).properties(height=_VOLCANO)


def _title(words: str, rows: Sequence[CompareRow], names: tuple[str, str]) -> list[str]:
    if not rows:
        return [words]
    one = rows[0]
    return [
        f"{words}: {names[0]} (n = {one.exposed:,} {one.unit}s)",
        f"against {names[1]} (n = {one.exposed_ref:,} {one.unit}s)",
    ]


def _none(alt: Any, palette: Palette, at: float) -> Any:
    """The line of no difference."""
    line = alt.Chart(alt.InlineData(values=[{"none": at}]))
    return line.mark_rule(strokeDash=[4, 4], color=palette.quiet).encode(x="none:Q")


def _colour(alt: Any, palette: Palette) -> Any:
    scale = alt.Scale(domain=list(_KINDS), range=[palette.look, palette.quiet])
    return alt.Color("flag:N", scale=scale, legend=_legend(alt))


def _shape(alt: Any) -> Any:
    scale = alt.Scale(domain=list(_KINDS), range=list(_SHAPES))
    return alt.Shape("flag:N", scale=scale, legend=_legend(alt))


def _legend(alt: Any) -> Any:
    return alt.Legend(title=None, orient="top", labelLimit=420, symbolOpacity=1)
