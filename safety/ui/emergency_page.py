"""Emergency access: one patient's record for half an hour, the director told, every view kept."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import streamlit as st

from safety import emergency
from safety.emergency import Emergency
from safety.errors import UserError
from safety.patient_view import PatientRecord
from safety.ui import incidents, patient_sheet, say
from safety.ui.session import Visit

_ACCESS: Final = "emergency-access"
_RECORD: Final = "emergency-record"
_OVER: Final = "emergency-over"
_MINUTES: Final = emergency.LASTS // timedelta(minutes=1)
_WATCH_SECONDS: Final = 15


def page(visit: Visit) -> None:
    """Ask for patient and reason, or draw the record while the access lasts."""
    say.title("Emergency access", "One patient's record when nobody of the care team can be asked.")
    access: Emergency | None = st.session_state.get(_ACCESS)
    if access is not None and not emergency.minutes_left(visit.store, visit.actor, access.id):
        _close(over=True)
        access = None
    if access is None:
        _terms()
        _running(visit)
        _ask(visit)
        return
    record = _record(visit, access)
    _left(visit, access)
    patient_sheet.body(visit, record, links=False)


def _terms() -> None:
    if st.session_state.pop(_OVER, False):
        say.look(f"The {_MINUTES} minutes are over, and the record was closed.")
    st.warning(
        f"**For emergencies only.** The medical director is told at once, with your name and your "
        f"reason. The record stays open for {_MINUTES} minutes, and every view of it is on record. "
        "If somebody of the care team can be reached, ask them instead.",
        icon=":material/e911_emergency:",
    )


def _running(visit: Visit) -> None:
    """Accesses that a reload of the page left open."""
    zone = visit.store.clinic.timezone
    for each in emergency.running_emergencies(visit.store, visit.actor):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button(
                "Open again",
                key=f"emergency-open-{each.id.hex}",
                on_click=_keep,
                args=(each,),
            )
            began, ends = say.moment(each.began_at, zone), say.moment(each.ends_at, zone)
            st.text(f"Your access of {began}, until {ends}")


def _ask(visit: Visit) -> None:
    with st.form("emergency-ask", border=False, enter_to_submit=False):
        mrn = st.text_input("MRN of the patient", key="emergency-mrn", autocomplete="off")
        reason = st.text_area(
            "Reason",
            key="emergency-reason",
            max_chars=emergency.LONGEST_REASON,
            placeholder="For example: the patient is in the emergency room of St. Anne's, and they "
            "ask for the last dose and blood pressures.",
        )
        asked = st.form_submit_button("Open the record", type="primary")
    if not asked:
        return
    try:
        begun = emergency.begin_emergency(visit.store, visit.actor, mrn=mrn, reason=reason)
    except UserError as error:
        say.failure(error)
        return
    _keep(begun)
    st.rerun()


def _keep(access: Emergency) -> None:
    st.session_state[_ACCESS] = access
    st.session_state.pop(_RECORD, None)


def _close(*, over: bool = False) -> None:
    for name in (_ACCESS, _RECORD):
        st.session_state.pop(name, None)
    st.session_state[_OVER] = over


def _record(visit: Visit, access: Emergency) -> PatientRecord:
    """The record, read once: each reading is put on record."""
    held: PatientRecord | None = st.session_state.get(_RECORD)
    if held is None:
        held = emergency.emergency_record(visit.store, visit.actor, access.id)
        st.session_state[_RECORD] = held
    return held


@st.fragment(run_every=_WATCH_SECONDS)
def _left(visit: Visit, access: Emergency) -> None:
    """How long the access lasts; at its end the record leaves the screen by itself."""
    with incidents.caught():
        minutes = emergency.minutes_left(visit.store, visit.actor, access.id)
        if not minutes:
            _close(over=True)
            st.rerun()
        ends = access.ends_at.astimezone(visit.store.clinic.timezone)
        plural = "" if minutes == 1 else "s"
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(
                f":orange[:material/timer: **{minutes} minute{plural} left**, until {ends:%H:%M}. "
                "The medical director was told.]",
                width="content",
            )
            if st.button("Close the record", type="tertiary", key="emergency-close"):
                _close()
                st.rerun()
