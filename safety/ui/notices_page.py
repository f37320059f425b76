"""What the medical director has to hear of: open notices, and how their mail stands."""

from __future__ import annotations

from typing import Final
from uuid import UUID

import streamlit as st

from safety import emergency, mail, notices
from safety.access import Action
from safety.emergency import LoggedEmergency
from safety.notices import EMERGENCY_ACCESS, SERIOUS, Notice
from safety.ui import places, say
from safety.ui.report import view
from safety.ui.session import Visit

_WHAT: Final = {
    SERIOUS: "Serious event reported",
    EMERGENCY_ACCESS: "Emergency access to a patient's record",
}
_WHY: Final = "notices-why"


def page(visit: Visit) -> None:
    """Draw the open notices: serious events first, each kind with the newest first."""
    found = notices.open_notices(visit.store, visit.actor)
    found = tuple(sorted(found, key=lambda notice: notice.kind != SERIOUS))
    say.title("Notices", "Serious events and emergency access that nobody has looked at yet.")
    if not found:
        st.markdown(
            "No notice waits for you. When a serious event is reported, or somebody uses emergency "
            "access, it is listed here until you have seen it."
        )
    for notice in found:
        _draw(visit, notice)
    _mail(visit)


def badge(visit: Visit) -> None:
    """One line with what waits, for whoever is told of it: red when a report is serious."""
    if not visit.actor.may(Action.READ_NOTICES):
        return
    waiting = notices.open_by_kind(visit.store, visit.actor)
    parts = [
        _counted(waiting.get(SERIOUS, 0), "serious report", "serious reports"),
        _counted(waiting.get(EMERGENCY_ACCESS, 0), "emergency access", "emergency accesses"),
    ]
    said = " and ".join(part for part in parts if part)
    if not said:
        return
    verb = "waits" if sum(waiting.values()) == 1 else "wait"
    with st.container(key="notices-badge", horizontal=True, vertical_alignment="center"):
        if waiting.get(SERIOUS):
            st.error(f"{said} {verb} for you.", icon=":material/emergency_home:")
        else:
            st.warning(f"{said} {verb} for you.", icon=":material/info:")
        if st.button("Look", key="notices-look"):
            places.go("notices")


def _counted(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}" if count else ""


def _draw(visit: Visit, notice: Notice) -> None:
    at = say.moment(notice.created_at, visit.store.clinic.timezone)
    what = _WHAT.get(notice.kind, notice.kind)
    by = notice.by or "somebody whose account is not known"
    row, first, second = st.columns([6, 2, 1.2], vertical_alignment="center")
    row.text(f"{what}\n{at} · {by}")
    if notice.kind == SERIOUS:
        label, key = "Open the report", f"notice-open-{notice.id.hex}"
        if first.button(label, key=key, width="stretch"):
            view.show(UUID(hex=notice.object_id))
    elif first.button("Who and why", key=f"notice-why-{notice.id.hex}", width="stretch"):
        st.session_state[_WHY] = (notice.id, _logged(visit, notice))
    if second.button("Seen", key=f"notice-seen-{notice.id.hex}", width="stretch"):
        notices.mark_seen(visit.store, visit.actor, notice.id)
        st.rerun()
    _why(visit, notice)


def _logged(visit: Visit, notice: Notice) -> LoggedEmergency | None:
    """What the emergency access was about, read when asked for: the reading is on record."""
    found = emergency.emergency_log(visit.store, visit.actor)
    return next((each for each in found if each.emergency.id.hex == notice.object_id), None)


def _why(visit: Visit, notice: Notice) -> None:
    held: tuple[UUID, LoggedEmergency | None] | None = st.session_state.get(_WHY)
    if held is None or held[0] != notice.id:
        return
    logged = held[1]
    if logged is None:
        st.caption("This access is too long ago to be among the newest that can be shown.")
        return
    zone = visit.store.clinic.timezone
    until = say.moment(logged.emergency.ends_at, zone)
    views = "1 view" if logged.views == 1 else f"{logged.views} views"
    who = " · ".join(part for part in (logged.identity.name, f"MRN {logged.identity.mrn}") if part)
    st.text(f"{who}\nReason: {logged.reason}\nUntil {until} · {views} of the record")


def _mail(visit: Visit) -> None:
    say.section("Mail")
    state = mail.state(visit.store, visit.actor)
    if not state.configured:
        st.markdown(
            "Notices are shown here and on your pages; no mail is sent. Whoever looks after "
            "Afterdose can set it up (`docs/mail.md`)."
        )
        return
    if state.failure is None:
        st.markdown("A mail is sent when a notice is new. It names nobody and says where to look.")
    else:
        at = state.failed_at
        when = say.moment(at, visit.store.clinic.timezone) if at is not None else ""
        say.look(f"{when}: {state.failure}")
    if state.waiting:
        notes = _counted(state.waiting, "open notice has", "open notices have")
        st.caption(f"{notes} not been mailed. The next notice tries again.")
