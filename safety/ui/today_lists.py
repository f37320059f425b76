"""The lists of the nurse's home, one function a list. What people typed is shown with st.text."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import cached_property
from typing import Final
from zoneinfo import ZoneInfo

import streamlit as st

from safety import drafts, protocols
from safety.drafts import Draft, OwnedDraft
from safety.model import PatientIdentity
from safety.protocols import Site
from safety.reviewing import Heard
from safety.service import Line
from safety.ui import places, planning_dialog, say
from safety.ui.report import form, patient, starting, summary, view
from safety.ui.session import Visit
from safety.worklist import Due, Planned, Worklist

ROW: Final = (6, 1.4, 1.4)
"""Widths of a row's text and its two buttons."""


class Desk:
    """What every list needs: who asks, the clocks of the sites, the names of the protocols."""

    def __init__(self, visit: Visit, sites: Iterable[Site], *, every_site: bool) -> None:
        self.visit = visit
        self.every_site = every_site
        self._zones = {site.name: ZoneInfo(site.timezone) for site in sites}

    @cached_property
    def _protocols(self) -> dict[str, str]:
        found = protocols.list_protocols(self.visit.store, self.visit.actor)
        return {protocol.id: protocol.name for protocol in found}

    def protocol(self, protocol_id: str) -> str:
        """The name of a protocol; its id when it is out of use."""
        return self._protocols.get(protocol_id, protocol_id)

    def local(self, at: datetime, site: str) -> datetime:
        """``at`` on the clock of ``site``."""
        return at.astimezone(self._zones.get(site, self.visit.store.clinic.timezone))

    def where(self, site: str) -> str:
        """What a row says of its site: nothing when the page is about one."""
        return f" · {site}" if self.every_site else ""


def planned(desk: Desk, found: Worklist) -> None:
    """Who waits for a report, who is expected, and who is due by the protocol."""
    if not (found.waiting or found.expected or found.due):
        say.section("Planned")
        st.markdown(
            "Nobody is planned for the rest of today. Who is expected will be listed here: press "
            "**Plan a session**, or load the booking system's list with `afterdose plan`."
        )
    for title, rows in (("Waiting for a report", found.waiting), ("Expected", found.expected)):
        if rows:
            say.section(title)
            for row in rows:
                _planned(desk, row, found.drafts)
    if found.due:
        say.section("Due")
        st.caption("Planned from the protocol: the next session falls on these days.")
        for due in found.due:
            _due(desk, due)


def _planned(desk: Desk, row: Planned, mine: tuple[Draft, ...]) -> None:
    made = row.appointment
    at = desk.local(made.planned_at, made.site)
    protocol = f"{desk.protocol(made.protocol)}{desk.where(made.site)}"
    line = f"{at:%H:%M} · {who(row.patient)}\n{protocol}"
    text, button, away = st.columns(ROW, vertical_alignment="center")
    text.text(line)
    begun = next((draft for draft in mine if draft.id == row.draft), None)
    label = "Continue" if begun else "Report"
    if button.button(label, key=f"report-{made.id.hex}", width="stretch"):
        if begun:
            _go_on(begun)
        starting.open_for(
            desk.visit,
            patient_no=made.patient_no,
            protocol=made.protocol,
            site=made.site,
            planned_at=made.planned_at,
        )
    if away.button("Cancel", key=f"cancel-{made.id.hex}", type="tertiary"):
        planning_dialog.cancel(desk.visit, row, line)


def _due(desk: Desk, due: Due) -> None:
    text, button, plan = st.columns(ROW, vertical_alignment="center")
    text.text(
        f"{who(due.patient)}\n{desk.protocol(due.protocol)}{desk.where(due.site)} · "
        f"due {say.day(due.day)}, last on {say.day(due.last_day)}"
    )
    if button.button("Report", key=f"due-{due.patient_no}", width="stretch"):
        starting.open_for(
            desk.visit, patient_no=due.patient_no, protocol=due.protocol, site=due.site
        )
    if plan.button("Plan", key=f"plan-{due.patient_no}", type="tertiary"):
        planning_dialog.plan(desk.visit, due)


def who(identity: PatientIdentity) -> str:
    """Name and MRN of a row. Typed by people: show it as text."""
    return " · ".join(part for part in (identity.name, f"MRN {identity.mrn}") if part)


def drafted(desk: Desk, found: Worklist) -> None:
    """The own drafts: go on, or throw away."""
    if not found.drafts:
        return
    say.section("Drafts")
    for draft in found.drafts:
        row, button, away = st.columns(ROW, vertical_alignment="center")
        row.text(_draft_line(desk.visit, draft))
        if button.button("Continue", key=f"draft-{draft.id.hex}", width="stretch"):
            _go_on(draft)
        if away.button("Discard", key=f"discard-{draft.id.hex}", type="tertiary"):
            discard(desk.visit, draft)


def drafts_of_others(desk: Desk, held: Iterable[OwnedDraft]) -> None:
    """For the nurse in charge: what colleagues have begun, to go on with in their place."""
    others = [owned for owned in held if owned.author != desk.visit.actor.id]
    if not others:
        return
    say.section("Drafts of colleagues")
    for owned in others:
        row, button = st.columns([ROW[0] + ROW[2], ROW[1]], vertical_alignment="center")
        by = owned.author_name or "somebody without an account here"
        row.text(f"{_draft_line(desk.visit, owned.draft)}, by {by}")
        if button.button("Go on", key=f"take-{owned.draft.id.hex}", width="stretch"):
            take_over(desk.visit, owned)


@st.dialog("Go on in a colleague's place?")
def take_over(visit: Visit, owned: OwnedDraft) -> None:
    """Ask, then make the draft one's own."""
    st.text(_draft_line(visit, owned.draft))
    st.markdown(
        "The draft becomes yours, on record. Where your colleague still types, a copy is kept."
    )
    if st.button("Go on with it", key="take-now", type="primary"):
        form.open_draft(drafts.take_over_draft(visit.store, visit.actor, owned.draft.id))
        places.go("report")


def _go_on(draft: Draft) -> None:
    form.open_draft(draft)
    places.go("report")


def _draft_line(visit: Visit, draft: Draft) -> str:
    who = patient.in_one_line(draft.fields) or "No patient yet"
    return f"{who}\nSaved {say.moment(draft.saved_at, visit.store.clinic.timezone)}"


@st.dialog("Discard this draft?")
def discard(visit: Visit, draft: Draft) -> None:
    """Ask, then throw the draft away."""
    st.text(_draft_line(visit, draft))
    st.markdown("What was typed is gone then. A filed report is not touched.")
    if st.button("Discard the draft", key="discard-now"):
        drafts.discard_draft(visit.store, visit.actor, draft.id)
        st.session_state[planning_dialog.CHANGED] = ""
        st.rerun()


def filed(desk: Desk, found: Worklist) -> None:
    """What was filed for today."""
    say.section("Filed")
    if found.filed:
        _lines(desk, found.filed)
    elif found.any_reports:
        st.markdown("No session of today is reported yet. Reports stand here once they are filed.")
    else:
        st.markdown(
            "No session has been reported yet. The reports of this clinic will be listed here: "
            "start with **New report**, also when nothing happened."
        )


def earlier(desk: Desk, lines: list[Line]) -> None:
    """The newest reports of other days."""
    say.section("Earlier")
    if not lines:
        st.markdown("There is no report of another day.")
    _lines(desk, lines)


def _lines(desk: Desk, lines: Iterable[Line]) -> None:
    for line in lines:
        row, button = st.columns([ROW[0] + ROW[2], ROW[1]], vertical_alignment="center")
        row.text(_filed_line(desk, line))
        if button.button("View", key=f"view-{line.report_id.hex}", width="stretch"):
            view.show(line.report_id)


def _filed_line(desk: Desk, line: Line) -> str:
    report = line.report
    count = len(report.events)
    what = (
        f"{count} event{'s' if count > 1 else ''}" if count else _silence(report.no_adverse_event)
    )
    local = desk.local(report.started_at, report.site)
    protocol = f"{desk.protocol(report.protocol)}{desk.where(report.site)}"
    version = f" · version {line.version}" if line.version > 1 else ""
    began = f"{say.day(local.date())}, {local:%H:%M}"
    return f"{summary.heading(report)}\n{began} · {protocol} · {what}{version}"


def _silence(said: bool | None) -> str:  # noqa: FBT001 - the field's own three values
    return "nothing happened" if said else "nothing said about events"


def heard(found: Iterable[Heard]) -> None:
    """What the director said to reports of one's own."""
    rows = list(found)
    if not rows:
        return
    say.section("Heard back")
    for each in rows:
        row, button = st.columns([ROW[0] + ROW[2], ROW[1]], vertical_alignment="center")
        about = f"your report of {say.day(each.session_day)}, {each.protocol}"
        said = f": {each.text}" if each.text else "."
        row.text(f"The director reviewed {about}{said}")
        if button.button("View", key=f"heard-{each.report_id.hex}", width="stretch"):
            view.show(each.report_id)
