"""The funnel: each unit's share against the sessions it counts as, with the limits of chance.

A unit outside the limits has a shape of its own and its name in words; colour alone says nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from reports.group_signals import FunnelReport, UnitRow
from reports.plain_words import percent, proportion
from safety.ui.patient_timeline import Palette

if TYPE_CHECKING:
    import altair as alt

WORDS: Final = {None: "Within", "high": "Higher", "low": "Lower"}
_SHAPES: Final = ("circle", "triangle-up", "triangle-down")
_HEIGHT: Final = 420
_FAR_RIGHT: Final = 0.62  # of the axis: from here on a label stands left of its point


def points(report: FunnelReport) -> list[dict[str, Any]]:
    """One point a unit with sessions, percentages as numbers."""
    return [_point(row) for row in report.rows if row.estimate.value is not None]


def _point(row: UnitRow) -> dict[str, Any]:
    said = WORDS[row.flag]
    return {
        "unit": row.unit.name,
        "at": round(row.effective, 1),
        "share": 100 * (row.estimate.value or 0.0),
        "said": said,
        "label": f"{row.unit.name}: {said.lower()}" if row.flag else "",
        "counts": proportion(row.x, row.n, row.estimate),
        "worth": f"{row.n:,} sessions of {row.patients:,} patients, as {row.effective:,.0f}",
    }


def limits(report: FunnelReport) -> list[dict[str, Any]]:
    """The four curves as lines, percentages as numbers."""
    return [
        {"at": each.n, "share": 100 * value, "limit": name, "side": side}
        for each in report.limits
        for name, side, value in (
            ("99.8 %", "low", each.low_998),
            ("95 %", "low", each.low_95),
            ("95 %", "high", each.high_95),
            ("99.8 %", "high", each.high_998),
        )
    ]


def draw(report: FunnelReport, palette: Palette) -> alt.LayerChart | alt.FacetChart:
    """The chart. ``report`` has at least one unit with sessions."""
    import altair as alt

    shown = points(report)
    x = alt.X(
        "at:Q",
        title=f"Sessions that a unit counts as (n = {report.n:,} sessions of {len(shown)} units)",
        scale=alt.Scale(domain=[0, _widest(shown)], nice=False),
    )
    y = alt.Y(
        "share:Q",
        title=f"Percent of sessions with {report.event.name.lower()}",
        scale=alt.Scale(domain=[0, _top(report, shown)], nice=False),
    )
    layers = [
        *_curves(alt, report, x, y, palette),
        _dots(alt, shown, x, y, palette),
        *_labels(alt, shown, x, y, palette.ink),
    ]
    return alt.layer(*layers).properties(height=_HEIGHT)


def _widest(shown: list[dict[str, Any]]) -> float:
    return 1.08 * max(1.0, *(float(point["at"]) for point in shown))


def _top(report: FunnelReport, shown: list[dict[str, Any]]) -> float:
    """Where the share axis ends: above all points and the limits of a middling unit."""
    sizes = sorted(point["at"] for point in shown)
    middling = sizes[len(sizes) // 2]
    curve = [100 * each.high_998 for each in report.limits if each.n >= middling]
    highest = max([float(point["share"]) for point in shown] + curve[:1])
    return min(100.0, max(5.0, 1.12 * highest))


def _curves(alt: Any, report: FunnelReport, x: Any, y: Any, palette: Palette) -> list[Any]:
    if not report.limits or report.centre.value is None:
        return []
    curves = (
        alt.Chart(alt.InlineData(values=limits(report)))
        .mark_line(clip=True, strokeWidth=1.3, color=palette.quiet)
        .encode(
            x=x,
            y=y,
            detail="side:N",
            strokeDash=alt.StrokeDash(
                "limit:N",
                scale=alt.Scale(domain=["99.8 %", "95 %"], range=[[1, 0], [4, 4]]),
                legend=alt.Legend(
                    title="Limits",
                    orient="top",
                    symbolType="stroke",
                    symbolSize=500,
                    symbolStrokeColor=palette.quiet,
                ),
            ),
        )
    )
    middle = [{"share": 100 * report.centre.value, "words": f"All: {percent(report.centre.value)}"}]
    line = (
        alt.Chart(alt.InlineData(values=middle))
        .mark_rule(strokeWidth=1.5, color=palette.ink)
        .encode(y=y, tooltip=[alt.Tooltip("words:N", title="All units")])
    )
    return [curves, line]


def _dots(alt: Any, shown: list[dict[str, Any]], x: Any, y: Any, palette: Palette) -> Any:
    said = list(WORDS.values())
    legend = alt.Legend(
        title=None, orient="top", values=[s for s in said if any(p["said"] == s for p in shown)]
    )
    return (
        alt.Chart(alt.InlineData(values=shown))
        .mark_point(filled=True, size=95, opacity=0.9)
        .encode(
            x=x,
            y=y,
            shape=alt.Shape(
                "said:N", scale=alt.Scale(domain=said, range=list(_SHAPES)), legend=legend
            ),
            color=alt.Color(
                "said:N",
                scale=alt.Scale(domain=said, range=[palette.quiet, palette.look, palette.look]),
                legend=legend,
            ),
            tooltip=[
                alt.Tooltip("unit:N", title="Unit"),
                alt.Tooltip("counts:N", title="With it"),
                alt.Tooltip("worth:N", title="Counts"),
                alt.Tooltip("said:N", title="Limits"),
            ],
        )
    )


def _labels(alt: Any, shown: list[dict[str, Any]], x: Any, y: Any, ink: str) -> list[Any]:
    widest = _widest(shown)
    flagged = [point for point in shown if point["label"]]
    right = [point for point in flagged if point["at"] > _FAR_RIGHT * widest]
    left = [point for point in flagged if point not in right]
    return [
        alt.Chart(alt.InlineData(values=group))
        .mark_text(align=align, dx=dx, fontSize=12, color=ink)
        .encode(x=x, y=y, text="label:N")
        for group, align, dx in ((left, "left", 11), (right, "right", -11))
        if group
    ]
