"""The nurse's home: drafts to finish, and what was filed lately."""

from __future__ import annotations

import streamlit as st

from safety import drafts, protocols, service
from safety.drafts import Draft
from safety.service import Line
from safety.ui import places, say
from safety.ui.report import form, patient, summary, view
from safety.ui.session import Visit

_MOST = 20


def page(visit: Visit) -> None:
    """Draw the nurse's home."""
    mine = drafts.list_drafts(visit.store, visit.actor)
    filed = service.recent_reports(visit.store, visit.actor, most=_MOST)
    say.title("Today", _counts(visit, len(mine), filed))
    if st.button("New report", type="primary", icon=":material/add:", key="new-report"):
        form.close()
        places.go("report")
    _drafts(visit, mine)
    _filed(visit, filed)


def _counts(visit: Visit, drafted: int, filed: list[Line]) -> str:
    zone = visit.store.clinic.timezone
    today = visit.store.clock().astimezone(zone).date()
    of_today = sum(line.report.started_at.astimezone(zone).date() == today for line in filed)
    return f"{say.day(today)} · {of_today} filed for today · {drafted} drafts"


def _drafts(visit: Visit, mine: tuple[Draft, ...]) -> None:
    if not mine:
        return
    say.section("Drafts")
    for draft in mine:
        row, button, away = st.columns([6, 1.4, 1.4], vertical_alignment="center")
        row.text(_draft_line(visit, draft))
        if button.button("Continue", key=f"draft-{draft.id.hex}", width="stretch"):
            form.open_draft(draft)
            places.go("report")
        if away.button("Discard", key=f"discard-{draft.id.hex}", type="tertiary"):
            _discard(visit, draft)


def _draft_line(visit: Visit, draft: Draft) -> str:
    who = patient.in_one_line(draft.fields) or "No patient yet"
    return f"{who}\nSaved {say.moment(draft.saved_at, visit.store.clinic.timezone)}"


@st.dialog("Discard this draft?")
def _discard(visit: Visit, draft: Draft) -> None:
    st.text(_draft_line(visit, draft))
    st.markdown("What was typed is gone then. A filed report is not touched.")
    if st.button("Discard the draft", key="discard-now"):
        drafts.discard_draft(visit.store, visit.actor, draft.id)
        st.rerun()


def _filed(visit: Visit, filed: list[Line]) -> None:
    say.section("Filed")
    if not filed:
        st.markdown(
            "No session has been reported yet. The reports of this clinic will be listed here: "
            "start with **New report**, also when nothing happened."
        )
        return
    names = {p.id: p.name for p in protocols.list_protocols(visit.store, visit.actor)}
    for line in filed:
        row, button = st.columns([6, 1.4], vertical_alignment="center")
        row.text(_filed_line(visit, line, names.get(line.report.protocol, line.report.protocol)))
        if button.button("View", key=f"view-{line.report_id.hex}", width="stretch"):
            view.show(line.report_id)


def _filed_line(visit: Visit, line: Line, protocol: str) -> str:
    report = line.report
    count = len(report.events)
    what = (
        f"{count} event{'s' if count > 1 else ''}" if count else _silence(report.no_adverse_event)
    )
    began = say.moment(report.started_at, visit.store.clinic.timezone)
    version = f" · version {line.version}" if line.version > 1 else ""
    return f"{summary.heading(report)}\n{began} · {protocol} · {what}{version}"


def _silence(said: bool | None) -> str:  # noqa: FBT001 - the field's own three values
    return "nothing happened" if said else "nothing said about events"
