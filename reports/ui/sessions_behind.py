"""The dialog with the sessions behind a number; each leads to its filed report."""

from __future__ import annotations

from typing import Final

import streamlit as st

from reports.asking import RateQuery
from reports.drill_down import SessionBehind, SessionsBehind, sessions_behind
from reports.plain_words import several
from safety.access import Action
from safety.ui import say
from safety.ui.report import view
from safety.ui.session import Visit

_HELD: Final = "sessions-behind"
_SHOWN: Final = "sessions-behind-shown"
_AT_ONCE: Final = 20


def show(visit: Visit, about: str, query: RateQuery, group: str | None = None) -> None:
    """Open the dialog, once a button was pressed. ``about`` says which number, as plain text.

    The sessions are read once: each look is on record. Raises UnknownName.
    """
    st.session_state[_HELD] = sessions_behind(visit.store, visit.actor, query, group)
    st.session_state[_SHOWN] = _AT_ONCE
    _dialog(visit, about)


@st.dialog("The sessions behind this number", width="large")
def _dialog(visit: Visit, about: str) -> None:
    found: SessionsBehind = st.session_state[_HELD]
    st.text(about)
    if not found.sessions:
        st.markdown("There is no such session. The number is zero.")
        return
    body(visit, found)


def body(visit: Visit, found: SessionsBehind) -> None:
    """The list, some at a time, and what it leaves out."""
    st.caption(
        f"{several(found.sessions, 'session')} of {several(found.patients, 'patient')}, newest "
        "first. That you looked is on record."
    )
    shown: int = st.session_state.get(_SHOWN, _AT_ONCE)
    for each in found.listed[:shown]:
        _row(each)
    if shown < len(found.listed):
        left = len(found.listed) - shown
        if st.button(f"Show {min(left, _AT_ONCE)} more", key="sessions-behind-more"):
            st.session_state[_SHOWN] = shown + _AT_ONCE
            st.rerun(scope="fragment")
    if found.not_listed:
        older = several(found.not_listed, "older session")
        st.caption(f"{older} not listed. Choose a shorter period to see them.")
    if not visit.actor.may(Action.READ_REPORT):
        st.caption(
            "Your role does not open reports. The reference ends the report's id in the audit "
            "trail: a nurse or the director finds the report by it."
        )


def _row(each: SessionBehind) -> None:
    if each.report_id is None:
        st.text(f"{say.day(each.day)} · reference {each.reference}")
        return
    text, button = st.columns([6, 1.4], vertical_alignment="center")
    text.text(_line(each))
    if button.button("View", key=f"behind-{each.report_id.hex}", width="stretch"):
        view.show(each.report_id)


def _line(each: SessionBehind) -> str:
    grade = f"grade {each.grade}{', serious' if each.serious else ''}"
    where = f"{each.protocol_name} · {each.site}"
    return f"{say.day(each.day)} · {grade} · reference {each.reference}\n{where}"
