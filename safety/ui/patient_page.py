"""The patient's page: found by MRN or name, then all sessions of one patient on one page."""

from __future__ import annotations

from typing import Final

import streamlit as st

from safety import patient_view, service
from safety.patient_view import PatientRecord
from safety.service import Match
from safety.ui import patient_sheet, places, say
from safety.ui.session import Visit

_SHOWN: Final = "patient-shown"
_RECORD: Final = "patient-record"
_MATCHES: Final = "patient-matches"


def show(patient_no: int) -> None:
    """Open the page of the patient with the store's number."""
    _choose(patient_no)
    places.go("patient")


def page(visit: Visit) -> None:
    """Find a patient, and draw who was chosen."""
    say.title("Patients", "All sessions of one patient: doses, blood pressures and events in time.")
    _find(visit)
    patient_no: int | None = st.session_state.get(_SHOWN)
    if patient_no is None:
        if _MATCHES not in st.session_state:
            st.markdown(
                "The sessions of one patient will stand here. Enter an MRN or a name and press "
                "**Find**. Each search and each view is on record."
            )
        return
    record = _record(visit, patient_no)
    patient_sheet.body(visit, record)
    _as_read(visit, record)


def _find(visit: Visit) -> None:
    with (
        st.form("patient-find", border=False),
        st.container(horizontal=True, vertical_alignment="bottom"),
    ):
        text = st.text_input("MRN or name", key="patient-sought", type="search", width="stretch")
        asked = st.form_submit_button("Find", icon=":material/search:")
    if asked and text.strip():
        st.session_state[_MATCHES] = tuple(service.find_patient(visit.store, visit.actor, text))
    _matches(st.session_state.get(_MATCHES))


def _matches(matches: tuple[Match, ...] | None) -> None:
    if matches is None:
        return
    if not matches:
        say.look("Nobody has this MRN or name. Check the spelling, or search by the other.")
    for match in matches:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button(
                "Open",
                key=f"patient-open-{match.patient_no}",
                on_click=_choose,
                args=(match.patient_no,),
            )
            st.text(patient_sheet.in_one_line(match.identity))
    if len(matches) == service.MOST_MATCHES:
        st.caption(f"The first {service.MOST_MATCHES} are shown. Enter more of the name.")


def _choose(patient_no: int) -> None:
    st.session_state[_SHOWN] = patient_no
    for name in (_RECORD, _MATCHES):
        st.session_state.pop(name, None)


def _record(visit: Visit, patient_no: int) -> PatientRecord:
    """The record, read once a visit to the page: each reading is put on record."""
    held: PatientRecord | None = st.session_state.get(_RECORD)
    if held is None or held.patient_no != patient_no:
        held = patient_view.patient_record(visit.store, visit.actor, patient_no)
        st.session_state[_RECORD] = held
    return held


def _as_read(visit: Visit, record: PatientRecord) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(
            f"As read {say.moment(record.read_at, visit.store.clinic.timezone)}.", width="content"
        )
        st.button(
            "Read again",
            type="tertiary",
            key="patient-again",
            on_click=_choose,
            args=(record.patient_no,),
        )
