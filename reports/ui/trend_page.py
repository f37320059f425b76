"""The director's page of trends: whether one rate of one protocol has moved from where it was."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

import streamlit as st

from reports import trend_words
from reports.trend_query import RARE
from reports.trend_sequential import Sequential, SequentialQuery, sequential
from reports.trends import Trend, TrendQuery, trend
from reports.ui import control_chart, trend_choice, trend_remarks, trend_times_part
from safety.errors import AccessDenied, UserError
from safety.ui import patient_timeline, say
from safety.ui.patient_timeline import Palette
from safety.ui.session import Visit


def page(visit: Visit) -> None:
    """Draw the page."""
    say.title("Trend", "Whether one rate of one protocol has moved from where it was.")
    try:
        query = trend_choice.pick(visit)
        found = None if query is None else trend(visit.store, visit.actor, query)
    except AccessDenied:
        raise
    except UserError as error:
        say.failure(error)
        return
    if query is None or found is None:
        st.info("There is no protocol yet. Load one: afterdose protocols load FILE.toml")
        return
    palette = _palette()
    if any(row.estimate is not None for row in found.rows):
        looked = _looked(visit, found)
        _chart(found, looked, palette)
        _sequential(looked)
        trend_times_part.section(visit, query, palette)
    else:
        _empty(found)
    trend_remarks.section(visit, found)


def _palette() -> Palette:
    dark = st.context.theme.type == "dark"
    return patient_timeline.DARK if dark else patient_timeline.LIGHT


def _empty(found: Trend) -> None:
    sessions = sum(row.exposed for row in found.rows)
    what = (
        "Fewer than two sessions had this event in the period, so nothing lies between them."
        if found.query.chart in RARE
        else "No session with this protocol was reported in the period."
        if not sessions
        else "The chart has nothing to show yet: the baseline holds no such event."
    )
    st.info(
        f"{what} Points appear here as reports are filed. Choose a longer period, another chart "
        "or another protocol.",
        icon=":material/show_chart:",
    )
    if sessions:
        _table(found)


def _chart(found: Trend, looked: Sequential | None, palette: Palette) -> None:
    st.markdown(f"**{say.plain(found.term_name)}.** {say.plain(trend_words.headline(found))}")
    said = trend_words.findings(found)
    signal = None if looked is None else looked.signal
    st.altair_chart(
        control_chart.draw(found, palette, None if signal is None else signal.day),
        width="stretch",
        alt=f"Control chart of {found.term_name}. {' '.join(said)}",
    )
    for sentence in said:
        st.markdown(say.plain(sentence))
    for warning in found.warnings:
        say.look(warning)
    st.caption(
        f"{say.plain(found.method)}; {say.plain(found.sigma)}. Solid line: centre; dashed lines: "
        "limits; shaded: baseline; dotted upright lines: remarks and the look that crossed. "
        f"{trend_words.CULTURE}"
    )
    _table(found)


def _table(found: Trend) -> None:
    with st.expander("The same as a table"):
        st.dataframe(
            [_line(found, point, at) for at, point in enumerate(control_chart.points(found))],
            hide_index=True,
            width="stretch",
            column_config={name: st.column_config.Column(alignment="right") for name in _NUMBERS},
            alt="Each point of the chart with its counts and limits",
        )


_NUMBERS: Final = ("Value", "n / N", "Centre", "Lower", "Upper")


def _line(found: Trend, point: dict[str, Any], at: int) -> dict[str, Any]:
    row = found.rows[at]
    return {
        "From": row.period.isoformat(),
        "Value": point["shown"],
        "n / N": point["told"],
        "Centre": _number(point["centre"]),
        "Lower": _number(point["lower"]),
        "Upper": _number(point["upper"]),
        "Broken rules": point["mark"],
        "Days": "not all" if row.partial else "all",
        "Baseline": "yes" if row.baseline else "",
    }


def _number(value: float | None) -> str:
    return "no limit" if value is None else f"{value:.1f}"


def _looked(visit: Visit, found: Trend) -> Sequential | None:
    asked = watched(found)
    return None if asked is None else sequential(visit.store, visit.actor, asked)


def _sequential(looked: Sequential | None) -> None:
    say.section("Week by week, without crying wolf")
    if looked is None:
        st.markdown(
            "Nothing is watched yet: the limit needs a baseline, and weeks after it. Choose a "
            "chart of shares and a longer period."
        )
        return
    said = say.plain(trend_words.crossing(looked))
    if looked.signal is None:
        st.markdown(f"**{said}**")
    else:
        st.markdown(f":orange[:material/info: **{said}**]")
    st.caption(say.plain(trend_words.promise(looked)))


def watched(found: Trend) -> SequentialQuery | None:
    """Look week by week at what came after the baseline of the chart; None where nothing did."""
    query, days = found.query, found.baseline_days
    if days is None or query.chart in RARE:
        return None
    baseline = max(days[0], query.first), min(days[1], query.last)
    after = next((row.period for row in found.rows if row.period > baseline[1]), None)
    exposed = any(row.exposed for row in found.rows if row.baseline)
    if after is None or not exposed:
        return None
    return _asked(query, baseline, after)


def _asked(query: TrendQuery, baseline: tuple[date, date], after: date) -> SequentialQuery:
    return SequentialQuery(
        query.term,
        query.protocol,
        after,
        query.last,
        baseline,
        min_grade=query.min_grade,
        treatment_emergent=query.treatment_emergent,
        site=query.site,
    )
