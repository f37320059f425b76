"""The control chart of a trend, and curves over sessions or days. Nothing is said by colour alone.

Points that break a rule have a shape and a text of their own; the baseline is shaded; a remark is a
vertical rule with its text.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

from reports.times import Curve
from reports.trend_query import RARE
from reports.trends import Trend, TrendRow
from reports.ui.table import percent
from safety.ui.patient_timeline import Palette

if TYPE_CHECKING:
    import altair as alt

KEPT: Final = "keeps the rules"
PARTIAL: Final = "not all days counted"
MARKED: Final = "breaks a rule"
CROSSED: Final = "crosses its sequential limit"
_KINDS: Final = (KEPT, PARTIAL, MARKED)
_SHAPES: Final = ("circle", "square", "diamond")
_HEIGHT: Final = 400
_CURVE: Final = 300
_AROUND: Final = 138  # pixels of legend, days and the title of the axis
_SHARES: Final = frozenset({"p", "p-exact", "laney", "ewma"})
_A_HUNDRED: Final = _SHARES | {"u", "u-exact"}


def points(trend: Trend) -> list[dict[str, Any]]:
    """One entry a point: its day, value and limits as they are drawn, and words to show."""
    factor = 100.0 if trend.query.chart in _A_HUNDRED else 1.0
    found = [_point(trend, row, factor) for row in trend.rows]
    # A run of points that break the same rules is named once, or the names cover one another.
    named = ""
    for point in found:
        point["label"] = "" if point["mark"] == named else point["mark"]
        named = point["mark"]
    return found


def _point(trend: Trend, row: TrendRow, factor: float) -> dict[str, Any]:
    return {
        "at": _moment(row.period),
        "until": _moment(row.last + timedelta(days=1)),
        "value": _scaled(row.estimate, factor),
        "centre": _scaled(row.centre, factor),
        "lower": _scaled(row.lower, factor),
        "upper": _scaled(row.upper, factor),
        "kind": MARKED if row.flag else PARTIAL if row.partial else KEPT,
        "mark": row.rule.replace("; ", ", "),
        "day": f"{row.period.day} {row.period:%B %Y}",
        "told": f"{row.with_event} / {row.exposed}",
        "shown": _shown(trend, row),
    }


def _scaled(value: float | None, factor: float) -> float | None:
    return None if value is None else factor * value


def _shown(trend: Trend, row: TrendRow) -> str:
    if row.estimate is None:
        return "no data"
    if trend.query.chart in _SHARES:
        return percent(row.estimate)
    return f"{100 * row.estimate:.1f} per 100" if trend.kind == "u" else f"{row.estimate:.3g}"


def _moment(day: date) -> str:
    # Without a zone Vega reads it on the clock of the screen and so shows this very day.
    return f"{day.isoformat()}T00:00:00"


def axis_title(trend: Trend) -> str:
    """What the points are, in words."""
    name = trend.term_name
    unit = f"{trend.query.unit}s"
    words = {
        "u": f"{name}, events per 100 sessions",
        "u-exact": f"{name}, events per 100 sessions",
        "ewma": f"{name}, moving average, % of {unit}",
        "g": f"Sessions between two with: {name}",
        "t": f"Days between two with: {name}",
        "cusum": f"{name}, evidence for twice the rate",
    }
    return words.get(trend.query.chart, f"{name}, % of {unit}")


def days_title(trend: Trend) -> str:
    """What a place along the axis is, with n."""
    rows = trend.rows
    exposed = [row.exposed for row in rows if row.exposed]
    if trend.query.chart in RARE:
        return f"Day of the event (n = {sum(not row.running for row in rows)} gaps)"
    begin = f"First day of the {trend.query.every}"
    if not exposed:
        return f"{begin} (n = 0)"
    each = f"{min(exposed)} to {max(exposed)} a {trend.query.every}"
    if trend.query.unit == "patient":
        return f"{begin} (n = {each})"
    return f"{begin} (n = {sum(exposed):,} sessions, {each})"


def draw(
    trend: Trend, palette: Palette, crossed: date | None = None
) -> alt.LayerChart | alt.FacetChart:
    """The chart; ``crossed`` is the day of the look at which the run crossed its limit."""
    import altair as alt

    values = points(trend)
    base = alt.Chart(alt.InlineData(values=values))
    across = alt.X(
        "at:T", title=days_title(trend), axis=alt.Axis(format="%-d %b %Y", labelOverlap=True)
    )
    up = alt.Y("value:Q", title=axis_title(trend), scale=alt.Scale(domainMin=0, nice=True))
    layers = [
        *_shade(alt, trend, palette),
        *_limits(base, across, palette, joined=trend.query.chart in RARE),
        base.mark_line(color=palette.quiet, strokeWidth=1.5).encode(x=across, y=up),
        _dots(alt, base, palette).encode(x=across, y=up),
        base.transform_filter("datum.label != ''")
        .mark_text(dy=-14, fontWeight="bold", color=palette.ink)
        .encode(x=across, y=up, text="label:N"),
        *_upright(alt, _said(trend, crossed), palette),
    ]
    return alt.layer(*layers).properties(height=_HEIGHT)


def _dots(alt: Any, base: Any, palette: Palette) -> Any:
    colours = [palette.ink, palette.quiet, palette.look]
    legend = alt.Legend(title=None, orient="top", symbolOpacity=1)
    return base.mark_point(filled=True, size=75, opacity=1).encode(
        color=alt.Color(
            "kind:N", scale=alt.Scale(domain=list(_KINDS), range=colours), legend=legend
        ),
        shape=alt.Shape(
            "kind:N", scale=alt.Scale(domain=list(_KINDS), range=list(_SHAPES)), legend=legend
        ),
        tooltip=[
            alt.Tooltip("day:N", title="From"),
            alt.Tooltip("shown:N", title="Value"),
            alt.Tooltip("told:N", title="n / N"),
            alt.Tooltip("kind:N", title="Rules"),
            alt.Tooltip("mark:N", title="Which"),
        ],
    )


def _limits(base: Any, across: Any, palette: Palette, *, joined: bool) -> list[Any]:
    """Centre and limits: steps as long as their period, or lines between the points."""
    lines = (("centre:Q", [1, 0]), ("lower:Q", [5, 4]), ("upper:Q", [5, 4]))
    style = {"color": palette.quiet, "strokeWidth": 1.5}
    if joined:
        return [base.mark_line(**style, strokeDash=d).encode(x=across, y=y) for y, d in lines]
    return [
        base.mark_rule(**style, strokeDash=d).encode(x=across, x2="until:T", y=y) for y, d in lines
    ]


def _shade(alt: Any, trend: Trend, palette: Palette) -> list[Any]:
    days = trend.baseline_days
    if days is None:
        return []
    place = {
        "from": _moment(days[0]),
        "to": _moment(days[1] + timedelta(days=1)),
        "said": "baseline",
    }
    base = alt.Chart(alt.InlineData(values=[place]))
    return [
        base.mark_rect(color=palette.quiet, opacity=0.09).encode(x="from:T", x2="to:T"),
        base.mark_text(align="left", baseline="bottom", dx=4, dy=-4, color=palette.quiet).encode(
            x="from:T", y=alt.value(_HEIGHT - _AROUND), text="said:N"
        ),
    ]


def _said(trend: Trend, crossed: date | None) -> list[tuple[date, str]]:
    """Days with a text of their own, in order."""
    found = [(each.day, each.text) for each in trend.remarks]
    return sorted([*found, *([] if crossed is None else [(crossed, CROSSED)])])


def _upright(alt: Any, said: Sequence[tuple[date, str]], palette: Palette) -> list[Any]:
    """A rule a day, with its text."""
    if not said:
        return []
    # Each stands a line lower than the one before, so that neighbours can be read.
    values = [
        {"at": _moment(day), "text": text, "line": 8 + 14 * (place % 4)}
        for place, (day, text) in enumerate(said)
    ]
    base = alt.Chart(alt.InlineData(values=values)).encode(x="at:T")
    texts = [
        base.transform_filter(f"datum.line == {line}")
        .mark_text(align="left", baseline="top", dx=4, color=palette.ink, limit=260)
        .encode(y=alt.value(line), text="text:N")
        for line in dict.fromkeys(value["line"] for value in values)
    ]
    rule = base.mark_rule(color=palette.ink, strokeDash=[2, 3], strokeWidth=1.5)
    return [rule.encode(tooltip=[alt.Tooltip("text:N", title="Remark")]), *texts]


def curve(
    found: Curve, titles: Sequence[str], palette: Palette, *, share: bool
) -> alt.LayerChart | alt.FacetChart:
    """A step curve with its 95 % band. ``titles`` are those of the two axes; the first has n."""
    import altair as alt

    base = alt.Chart(alt.InlineData(values=steps(found, 100.0 if share else 1.0)))
    across = alt.X("time:Q", title=titles[0], axis=alt.Axis(tickMinStep=1))
    up = alt.Scale(domainMin=0, nice=True)
    band = base.mark_area(interpolate="step-after", opacity=0.18, color=palette.quiet)
    line = base.mark_line(interpolate="step-after", color=palette.ink, strokeWidth=2)
    return alt.layer(
        band.encode(x=across, y=alt.Y("low:Q", scale=up, title=titles[1]), y2="high:Q"),
        line.encode(
            x=across,
            y=alt.Y("value:Q", scale=up, title=titles[1]),
            tooltip=["time:Q", "value:Q", "at_risk:Q", "events:Q"],
        ),
    ).properties(height=_CURVE)


def steps(found: Curve, factor: float) -> list[dict[str, Any]]:
    """The steps of a curve, from its beginning to the end of the longest follow-up."""
    drawn = [
        {
            "time": step.time,
            "value": factor * step.value,
            "low": _scaled(step.low, factor),
            "high": _scaled(step.high, factor),
            "at_risk": step.at_risk,
            "events": step.events,
        }
        for step in found.steps
    ]
    begin = {"time": 0.0, "value": factor * found.start, "low": None, "high": None}
    begin |= {"at_risk": found.subjects, "events": 0}
    end = [{**drawn[-1], "time": found.last}] if drawn and found.last is not None else []
    return [begin, *drawn, *end]
