"""The dialogs that plan a session and cancel one."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import streamlit as st

from safety import planning, protocols, service
from safety.errors import UserError
from safety.protocols import Site
from safety.service import Match
from safety.ui import say
from safety.ui.report import patient, starting
from safety.ui.session import Visit
from safety.worklist import Due, Planned

CHANGED: Final = "today-changed"
"""Set when the day's list is out of date: the page reads it again at its next run."""
_MATCHES: Final = "plan-matches"


def plan(visit: Visit, due: Due | None = None) -> None:
    """Open the dialog; ``due`` is the patient to plan for, when the list names one."""
    given = None if due is None else (Match(due.patient_no, due.patient),)
    st.session_state[_MATCHES] = given
    ask(visit, due)


@st.dialog("Plan a session")
def ask(visit: Visit, due: Due | None) -> None:
    """The dialog itself: who, which protocol, where and when."""
    if due is None:
        _find(visit)
    found: tuple[Match, ...] | None = st.session_state.get(_MATCHES)
    if found is None:
        return
    if not found:
        say.look(
            "Nobody has this MRN or name. Check it; a new patient is added with a first report."
        )
        return
    by_number = {match.patient_no: match.identity for match in found}
    number = st.selectbox(
        "Patient",
        list(by_number),
        format_func=lambda no: patient.in_one_line(starting.identity_fields(by_number[no])),
        key="plan.patient",
    )
    names = {p.id: p.name for p in protocols.list_protocols(visit.store, visit.actor)}
    protocol = st.selectbox(
        "Protocol",
        list(names),
        index=list(names).index(due.protocol) if due and due.protocol in names else None,
        format_func=names.__getitem__,
        key="plan.protocol",
    )
    site = _site(visit, due)
    at = _time(visit, site)
    ready = protocol is not None and at is not None
    if st.button("Plan session", type="primary", key="plan.now", disabled=not ready):
        _keep(visit, number, str(protocol), site, at)


def _find(visit: Visit) -> None:
    with (
        st.form("plan-find", border=False),
        st.container(horizontal=True, vertical_alignment="bottom"),
    ):
        text = st.text_input("MRN or name", key="plan.sought", type="search", width="stretch")
        asked = st.form_submit_button("Find", icon=":material/search:")
    if asked:
        st.session_state[_MATCHES] = tuple(service.find_patient(visit.store, visit.actor, text))


def _site(visit: Visit, due: Due | None) -> Site:
    sites = protocols.list_sites(visit.store, visit.actor)
    if len(sites) == 1:
        return sites[0]
    by_name = {site.name: site for site in sites}
    before = list(by_name).index(due.site) if due else 0
    return by_name[st.selectbox("Site", list(by_name), index=before, key="plan.site")]


def _time(visit: Visit, site: Site) -> datetime | None:
    zone = ZoneInfo(site.timezone)
    now = visit.store.clock().astimezone(zone)
    left, right = st.columns(2)
    day = left.date_input(
        "Day", now.date(), max_value=now.date() + timedelta(days=365), key="plan.day"
    )
    at = right.time_input("Time", time(now.hour), step=timedelta(minutes=5), key="plan.time")
    return None if day is None or at is None else datetime.combine(day, at, tzinfo=zone)


def _keep(visit: Visit, number: int, protocol: str, site: Site, at: datetime | None) -> None:
    if at is None:
        return
    try:
        planning.plan_session(
            visit.store,
            visit.actor,
            patient_no=number,
            protocol=protocol,
            site=site.name,
            planned_at=at,
        )
    except UserError as error:
        say.failure(error)
        return
    st.session_state[CHANGED] = f"Planned for {say.moment(at, ZoneInfo(site.timezone))}."
    st.rerun()


@st.dialog("Cancel this session?")
def cancel(visit: Visit, planned: Planned, line: str) -> None:
    """Ask, then cancel; ``line`` says whose session it is."""
    st.text(line)
    st.markdown("It leaves the list. What was filed is not touched, and it can be planned again.")
    if st.button("Cancel the session", key="cancel-now"):
        planning.cancel_appointment(visit.store, visit.actor, planned.appointment.id)
        st.session_state[CHANGED] = "The session was cancelled."
        st.rerun()
