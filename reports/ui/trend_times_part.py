"""The lower part of the trend page: the first event, events so far, and how long they last."""

from __future__ import annotations

from typing import Final

import streamlit as st

from reports import trend_words
from reports.plain_words import several
from reports.times import Curve
from reports.trend_times import BY_DAY, BY_SESSION, Times, TimesQuery, times
from reports.trends import TrendQuery
from reports.ui import control_chart
from safety.ui import say
from safety.ui.patient_timeline import Palette
from safety.ui.session import Visit

_SCALES: Final = {BY_SESSION: "By session number", BY_DAY: "By day since the first session"}
_AXES: Final = {BY_SESSION: "Session under the protocol", BY_DAY: "Day of the treatment"}
_NARROWEST: Final = 420


def section(visit: Visit, query: TrendQuery, palette: Palette) -> None:
    """Draw it for the same term, protocol and period."""
    say.section("From the first session on")
    scale = st.segmented_control(
        "Time",
        list(_SCALES),
        format_func=_SCALES.__getitem__,
        default=BY_SESSION,
        required=True,
        key="trend.scale",
        label_visibility="collapsed",
    )
    asked = TimesQuery(
        query.term,
        query.protocol,
        query.first,
        query.last,
        scale or BY_SESSION,
        query.min_grade,
        query.treatment_emergent,
        query.site,
    )
    found = times(visit.store, visit.actor, asked)
    if not found.patients:
        st.markdown(say.plain(trend_words.first_event(found)))
        return
    halves = st.grid(2, min_column_width=_NARROWEST, gap="large")
    with halves.cell():
        _curve(found, found.first_event, "Patients who have had it, %", palette, share=True)
        st.markdown(say.plain(trend_words.first_event(found)))
    with halves.cell():
        _curve(found, found.repeated, "Sessions with it a patient so far", palette, share=False)
        st.markdown(say.plain(trend_words.repeated(found)))
    st.caption(
        "Aalen-Johansen (one minus Kaplan-Meier, since nothing competes here) and mean cumulative "
        "function (Nelson); bands: 95 %. Few patients are followed for long: read the right end "
        "with care."
    )
    st.markdown(say.plain(trend_words.lasting(found)))


def _curve(found: Times, curve: Curve, up: str, palette: Palette, *, share: bool) -> None:
    across = f"{_AXES[found.query.scale]} (n = {several(found.patients, 'patient')})"
    st.altair_chart(
        control_chart.curve(curve, (across, up), palette, share=share),
        width="stretch",
        alt=f"{up}, {across}",
    )
