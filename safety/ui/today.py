"""The nurse's home: who is expected, what waits for a report, and what is left to do."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import streamlit as st

from safety import drafts, protocols, reviewing, service
from safety.access import Action
from safety.drafts import OwnedDraft
from safety.reviewing import Heard
from safety.service import Line
from safety.ui import places, planning_dialog, say, today_forms, today_lists
from safety.ui.report import form
from safety.ui.session import Visit
from safety.ui.today_lists import Desk
from safety.worklist import Worklist, worklist

_HELD: Final = "today-list"
_SITE: Final = "today-site"
_HOLD: Final = timedelta(seconds=10)
_MOST_EARLIER: Final = 20


@dataclass(slots=True, repr=False)
class Held:
    """The list as it was read, for the few runs that follow: each reading is put on record."""

    key: Hashable
    at: datetime
    found: Worklist
    heard: tuple[Heard, ...]
    of_all: tuple[OwnedDraft, ...]
    earlier: list[Line] | None = None


def page(visit: Visit) -> None:
    """Draw the nurse's home."""
    done = st.session_state.pop(planning_dialog.CHANGED, None)
    if done is not None:
        st.session_state.pop(_HELD, None)  # and the offer to undo stays until the next reading
    sites = protocols.list_sites(visit.store, visit.actor)
    title = st.container()
    site = _site([each.name for each in sites])
    held = _held(visit, site, changed=done is not None)
    with title:
        say.title(
            "Today", _counts(held.found, site or (sites[0].name if len(sites) == 1 else None))
        )
    _actions(visit)
    if done:
        st.success(say.plain(done), icon=":material/check:")
    desk = Desk(visit, sites, every_site=site is None and len(sites) > 1)
    with st.container(key="worklist"):
        today_lists.planned(desk, held.found)
        today_lists.drafted(desk, held.found)
        today_lists.drafts_of_others(desk, held.of_all)
        today_lists.heard(held.heard)
        today_forms.forms(visit, held.found)
        today_lists.filed(desk, held.found)
        _earlier(desk, held)


def _site(names: list[str]) -> str | None:
    """The site that was chosen, or None for all; remembered while other pages are open."""
    if len(names) < 2:
        return None
    before = st.session_state.get(_SITE)
    chosen = st.selectbox(
        "Site",
        [None, *names],
        index=names.index(before) + 1 if before in names else 0,
        format_func=lambda name: name or "All sites",
        key="today.site",
        width=280,
    )
    st.session_state[_SITE] = chosen
    return chosen


def _held(visit: Visit, site: str | None, *, changed: bool) -> Held:
    now = visit.store.clock()
    opened = form.current()
    # A report that was filed or a draft that was saved since must show at once.
    typed = opened and (opened.id, opened.step, opened.version)
    key = (site, visit.actor.id, typed)
    held: Held | None = st.session_state.get(_HELD)
    if held is None or held.key != key or not now - _HOLD <= held.at <= now:
        found = worklist(visit.store, visit.actor, site=site)
        if not changed:
            st.session_state.pop(today_forms.SENT, None)
        heard = reviewing.heard_back(visit.store, visit.actor)
        held = Held(key, now, found, heard, _drafts_of_all(visit))
        st.session_state[_HELD] = held
    return held


def _drafts_of_all(visit: Visit) -> tuple[OwnedDraft, ...]:
    """What the nurse in charge sees beside the own drafts; nothing for anybody else."""
    if not visit.actor.may(Action.READ_DRAFTS):
        return ()
    return drafts.list_all_drafts(visit.store, visit.actor)


def _counts(found: Worklist, site: str | None) -> str:
    counts = found.counts
    shown = [
        say.day(found.day),
        say.plain(site) if site else "",
        _many(counts.sessions, "session"),
        f"{counts.filed} filed for today",
        f"{counts.waiting} waiting",
        _many(counts.drafts, "draft"),
    ]
    return " · ".join(part for part in shown if part)


def _many(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _actions(visit: Visit) -> None:
    with st.container(horizontal=True, key="today-actions"):
        if st.button("New report", type="primary", icon=":material/add:", key="new-report"):
            form.close()
            places.go("report")
        if st.button("Plan a session", icon=":material/event:", key="plan-session"):
            planning_dialog.plan(visit)


def _earlier(desk: Desk, held: Held) -> None:
    """The newest reports of other days, read when they are asked for."""
    if not held.found.any_reports:
        return
    if held.earlier is None:
        if not st.button("Earlier reports", type="tertiary", key="earlier"):
            return
        of_today = {line.report_id for line in held.found.filed}
        lines = service.recent_reports(desk.visit.store, desk.visit.actor, most=_MOST_EARLIER)
        held.earlier = [line for line in lines if line.report_id not in of_today]
    today_lists.earlier(desk, held.earlier)
