"""The band of the report page that says whom it is about."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import streamlit as st

from safety import service
from safety.service import Match
from safety.ui import say, words
from safety.ui.report import foregoing, parts, starting, widgets
from safety.ui.report.fields import Attempt
from safety.ui.report.form import Form
from safety.ui.session import Visit

_NEW, _FOUND = "new", "found"


def band(visit: Visit, form: Form, made: Attempt) -> None:
    """Choose the patient, or show who was chosen."""
    say.section("The patient")
    how = form.fields.get("patient.from")
    if how == _FOUND or form.amends is not None:
        _chosen(form)
    elif how == _NEW:
        _new(visit, form)
    else:
        _find(visit, form)
    parts.tell(made.about("patient"))


def in_one_line(fields: Mapping[str, Any]) -> str:
    """Name, MRN, birth date and sex, as far as they are known. Typed by people: show it as text."""
    born = fields.get("patient.birth_date")
    sex = fields.get("patient.sex")
    shown = (
        fields.get("patient.name"),
        f"MRN {fields['patient.mrn']}" if fields.get("patient.mrn") else None,
        f"born {say.day(date.fromisoformat(born))}" if born else None,
        words.SEX[sex].lower() if sex else None,
    )
    return " · ".join(part for part in shown if part)


def shortly(fields: Mapping[str, Any]) -> str:
    """Name and MRN: enough to see on every screen whose form it is. Show it as text."""
    mrn = fields.get("patient.mrn")
    return " · ".join(part for part in (fields.get("patient.name"), mrn and f"MRN {mrn}") if part)


def _chosen(form: Form) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="subject"):
        st.text(in_one_line(form.fields), width="stretch")
        if form.amends is None:
            st.button("Another patient", type="tertiary", on_click=_forget, args=(form,))
    if (last := foregoing.line(form.fields)) is not None:
        st.text(last)


def _find(visit: Visit, form: Form) -> None:
    with (
        st.form(f"{form.id.hex}-find", border=False),
        st.container(horizontal=True, vertical_alignment="bottom"),
    ):
        text = st.text_input(
            "MRN or name", key=f"{form.id.hex}-sought", type="search", width="stretch"
        )
        asked = st.form_submit_button("Find", icon=":material/search:")
    if asked:
        form.matches = tuple(service.find_patient(visit.store, visit.actor, text))
    st.button("New patient", icon=":material/person_add:", on_click=_begin_new, args=(form,))
    if form.matches is None:
        return
    if not form.matches:
        say.look("Nobody has this MRN or name. Check it, or add a new patient.")
    for match in form.matches:
        _match(visit, form, match)


def _match(visit: Visit, form: Form, match: Match) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Choose",
            key=f"{form.id.hex}-choose-{match.patient_no}",
            on_click=starting.choose,
            args=(visit, form, match.patient_no, match.identity),
        )
        st.text(in_one_line(starting.identity_fields(match.identity)))


def _new(visit: Visit, form: Form) -> None:
    cells = st.columns(4)
    with cells[0]:
        widgets.text(form, "patient.mrn", "MRN", autocomplete="off")
    with cells[1]:
        widgets.text(form, "patient.name", "Name", autocomplete="off")
    with cells[2]:
        widgets.day(form, "patient.birth_date", "Birth date")
    with cells[3]:
        widgets.chosen(form, "patient.sex", "Sex", words.SEX)
    if form.matches:
        say.look("This MRN belongs to a known patient. Choose that patient, or correct the MRN.")
        for match in form.matches:
            _match(visit, form, match)
    st.button("Find a known patient instead", type="tertiary", on_click=_forget, args=(form,))


def look_for_known(visit: Visit, form: Form) -> None:
    """Find out whether the MRN of a new patient is somebody's already.

    A mistyped MRN would put the session into another patient's record, and nobody would notice.
    """
    form.matches = None
    mrn = form.fields.get("patient.mrn")
    if form.fields.get("patient.from") != _NEW or not mrn:
        return
    found = service.find_patient(visit.store, visit.actor, mrn)
    by_name = [m for m in found if mrn.casefold() in (m.identity.name or "").casefold()]
    form.matches = tuple(match for match in found if match not in by_name)


def _begin_new(form: Form) -> None:
    form.set("patient.from", _NEW)
    form.matches = None


def _forget(form: Form) -> None:
    for name in ("mrn", "name", "birth_date", "sex", "from"):
        form.put(f"patient.{name}", None)
    for name in [name for name in form.fields if name.startswith("last.")]:
        form.set(name, None)
    form.matches = None
