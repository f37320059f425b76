"""A filed report: what it says, its history, and the way to amend it."""

from __future__ import annotations

from typing import Final
from uuid import UUID

import streamlit as st

from safety import service
from safety.access import Action
from safety.store.reading import Stored
from safety.ui import places, say
from safety.ui.report import form, review, unfolding
from safety.ui.session import Visit

_SHOWN: Final = "shown-report"
_HISTORY: Final = "shown-history"


def show(report_id: UUID) -> None:
    """Open the page of a filed report."""
    st.session_state[_SHOWN] = report_id
    st.session_state.pop(_HISTORY, None)
    places.go("filed")


def page(visit: Visit) -> None:
    """Draw the report that was chosen on another page."""
    report_id: UUID | None = st.session_state.get(_SHOWN)
    if report_id is None:
        say.title("Filed report", "Choose a report on the page Today.")
        return
    history = _history(visit, report_id)
    newest = history[-1]
    say.title("Filed report", f"Session {say.plain(newest.report.session_ref or '')}")
    review.body(visit, newest.report)
    _versions(visit, history)
    _amend(visit, newest)


def _history(visit: Visit, report_id: UUID) -> list[Stored]:
    """The versions, read once a visit to the page: each reading is put on record."""
    held: list[Stored] | None = st.session_state.get(_HISTORY)
    if held is None or held[0].report_id != report_id:
        held = service.report_history(visit.store, visit.actor, report_id)
        st.session_state[_HISTORY] = held
    return held


def _versions(visit: Visit, history: list[Stored]) -> None:
    say.section("History")
    zone = visit.store.clinic.timezone
    first = history[0].report
    st.text(
        f"Version 1, {say.moment(history[0].created_at, zone)}, "
        f"reported by {first.reported_by or 'unknown'}"
    )
    for stored in history[1:]:
        st.text(
            f"Version {stored.version}, {say.moment(stored.created_at, zone)}: "
            f"{stored.report.amendment_reason or ''}"
        )
    for stored in history[:-1]:
        with st.expander(f"Version {stored.version} as it was filed"):
            review.body(visit, stored.report, stored.version)


def _amend(visit: Visit, newest: Stored) -> None:
    if not visit.actor.may(Action.AMEND_REPORT):
        return
    if st.button("Amend", icon=":material/edit:", disabled=visit.store.distrust is not None):
        zone = review.zone_of(visit, newest.report)
        fields = unfolding.unfold(newest.report, zone)
        form.open_amendment(newest, fields | {"route_of": newest.report.protocol})
        places.go("report")
