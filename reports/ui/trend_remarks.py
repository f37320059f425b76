"""Remarks under the trend: those in the period, and a small form for the director."""

from __future__ import annotations

from datetime import date

import streamlit as st

from reports.trends import Trend
from safety.access import Action
from safety.annotations import LONGEST, Remark, add_remark, remove_remark
from safety.errors import UserError
from safety.ui import say
from safety.ui.session import Visit


def section(visit: Visit, found: Trend) -> None:
    """Draw the remarks; who may write them sees how."""
    say.section("Remarks")
    may = visit.actor.may(Action.EDIT_VOCABULARY)
    if not found.remarks:
        st.markdown("No remark in this period. A remark stands in the chart on its day.")
    for place, remark in enumerate(found.remarks):
        _line(visit, place, remark, may=may)
    if may:
        _form(visit, found)


def _line(visit: Visit, place: int, remark: Remark, *, may: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.text(f"{say.day(remark.day)} · {remark.text}")
        if may and st.button("Take away", key=f"trend-remark-{place}", type="tertiary"):
            _done(visit, remark, away=True)


def _form(visit: Visit, found: Trend) -> None:
    with (
        st.form("trend-remark", border=False),
        st.container(horizontal=True, vertical_alignment="bottom"),
    ):
        day = st.date_input("Day", value=found.query.last, key="trend-remark-day", width=150)
        text = st.text_input(
            "What changed",
            key="trend-remark-text",
            max_chars=LONGEST,
            placeholder="new form in use",
            help="Everybody who sees this page reads it: nothing about a patient.",
            width="stretch",
        )
        asked = st.form_submit_button("Add remark", icon=":material/add:")
    if asked and isinstance(day, date):
        _written(visit, day, text.strip())


def _written(visit: Visit, day: date, text: str) -> None:
    try:
        remark = Remark(day, text)
    except UserError as error:
        say.failure(error)
        return
    _done(visit, remark, away=False)


def _done(visit: Visit, remark: Remark, *, away: bool) -> None:
    try:
        (remove_remark if away else add_remark)(visit.store, visit.actor, remark)
    except UserError as error:
        say.failure(error)
        return
    st.rerun()
