"""A filed report: what it says, its history with its reviews, and the way to amend or review it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

import streamlit as st

from safety import naming, notices, protocols, reviewing, service
from safety.access import Action
from safety.errors import AfterdoseError
from safety.model import SessionReport
from safety.reviewing import Review
from safety.store.reading import Stored
from safety.ui import places, say
from safety.ui.report import changed, form, review, unfolding
from safety.ui.report.changed import Wording
from safety.ui.report.clock import zone_of_site
from safety.ui.session import Visit

_SHOWN: Final = "shown-report"
_HELD: Final = "shown-history"
_THANKS: Final = "shown-reviewed"
_UNKNOWN: Final = "somebody whose account is not known"


@dataclass(frozen=True, slots=True)
class _Held:
    """What the page read once: each reading is put on record."""

    history: list[Stored]
    reviews: tuple[Review, ...]
    names: Mapping[str, str]

    def __repr__(self) -> str:
        return f"_Held({self.history[0].report_id})"


def show(report_id: UUID) -> None:
    """Open the page of a filed report."""
    st.session_state[_SHOWN] = report_id
    st.session_state.pop(_HELD, None)
    places.go("filed")


def page(visit: Visit) -> None:
    """Draw the report that was chosen on another page."""
    report_id: UUID | None = st.session_state.get(_SHOWN)
    if report_id is None:
        say.title("Filed report", "Choose a report on the page Today.")
        return
    held = _held(visit, report_id)
    newest = held.history[-1]
    say.title("Filed report", f"Session {say.plain(newest.report.session_ref or '')}")
    review.body(visit, newest.report)
    _amend(visit, newest)
    _history(visit, held)
    _review(visit, held)


def _held(visit: Visit, report_id: UUID) -> _Held:
    held: _Held | None = st.session_state.get(_HELD)
    if held is None or held.history[0].report_id != report_id:
        history = service.report_history(visit.store, visit.actor, report_id)
        names = naming.names_of(visit.store, visit.actor, {s.created_by for s in history})
        reviews = reviewing.reviews_of(visit.store, visit.actor, report_id)
        held = st.session_state[_HELD] = _Held(history, reviews, names)
        _see_notices(visit, report_id)
    return held


def _see_notices(visit: Visit, report_id: UUID) -> None:
    """Whoever is told of serious events has seen these now; the count above the page is anew."""
    if not visit.actor.may(Action.READ_NOTICES):
        return
    try:
        seen = notices.mark_report_seen(visit.store, visit.actor, report_id)
    except AfterdoseError as failure:  # the report can be read all the same
        say.failure(failure)
    else:
        if seen:
            st.rerun()


def _history(visit: Visit, held: _Held) -> None:
    say.section("History")
    wording = _wording(visit, held.history[-1].report)
    for before, stored in zip([None, *held.history], held.history, strict=False):
        with st.container(border=True, key=f"version-{stored.version}"):
            st.text("\n".join(_version(stored, before, held, wording)))
            for each in held.reviews:
                if each.version == stored.version:
                    st.text(_reviewed(visit, each))
            if stored is not held.history[-1]:
                with st.expander(f"Version {stored.version} as it was filed"):
                    review.body(visit, stored.report, stored.version)


def _wording(visit: Visit, report: SessionReport) -> Wording:
    return Wording(
        protocols.clinic_vocabulary(visit.store, visit.actor),
        {p.id: p.name for p in protocols.list_protocols(visit.store, visit.actor)},
        zone_of_site(visit, report.site),
    )


def _version(
    stored: Stored, before: Stored | None, held: _Held, wording: Wording
) -> tuple[str, ...]:
    at = say.moment(stored.created_at, wording.zone)
    filer = held.names.get(stored.created_by)
    if before is None:
        reporter = stored.report.reported_by or filer or _UNKNOWN
        filed = f", filed by {filer}" if filer not in {None, reporter} else ""
        return (
            f"Version {stored.version} · {at} · reported by {reporter}{filed}",
            changed.lateness(stored.report, stored.created_at, wording.zone),
        )
    return (
        f"Version {stored.version} · {at} · amended by {filer or _UNKNOWN}",
        f"Reason: {stored.report.amendment_reason or 'none was given'}",
        *changed.lines(before.report, stored.report, wording),
    )


def _reviewed(visit: Visit, each: Review) -> str:
    at = say.moment(each.reviewed_at, visit.store.clinic.timezone)
    line = f"Reviewed by {each.reviewer or _UNKNOWN} · {at}"
    return f"{line}\n{each.text}" if each.text else line


def _review(visit: Visit, held: _Held) -> None:
    if not visit.actor.may(Action.REVIEW_REPORT):
        return
    newest = held.history[-1]
    if st.session_state.pop(_THANKS, False):
        st.toast("Reviewed. Whoever filed the report reads it on the page Today.")
    own = (visit.actor.id, newest.version)
    again = any((each.reviewed_by, each.version) == own for each in held.reviews)
    # A new field after each review; what could not be kept stays in its field.
    key = f"review-{newest.report_id.hex}-{len(held.reviews)}"
    with st.form(key, border=False, enter_to_submit=False):
        note = st.text_area(
            "A word to whoever filed it (it can be left out)",
            key=f"{key}-note",
            max_chars=reviewing.NOTE_LENGTH,
            placeholder="For example: dose kept, ondansetron before the next session.",
        )
        asked = st.form_submit_button(
            "Review again" if again else "Mark as reviewed",
            type="secondary" if again else "primary",
            icon=":material/task_alt:",
            disabled=visit.store.distrust is not None,
        )
    if asked:
        _keep_review(visit, held, note)


def _keep_review(visit: Visit, held: _Held, note: str) -> None:
    newest = held.history[-1]
    try:
        reviewing.review_report(
            visit.store, visit.actor, newest.report_id, note=note, version=newest.version
        )
        reviews = reviewing.reviews_of(visit.store, visit.actor, newest.report_id)
    except AfterdoseError as failure:
        say.failure(failure)
        return
    st.session_state[_HELD] = replace(held, reviews=reviews)
    st.session_state[_THANKS] = True
    st.rerun()


def _amend(visit: Visit, newest: Stored) -> None:
    if not visit.actor.may(Action.AMEND_REPORT):
        return
    if st.button("Amend", icon=":material/edit:", disabled=visit.store.distrust is not None):
        zone = zone_of_site(visit, newest.report.site)
        fields = unfolding.unfold(newest.report, zone)
        form.open_amendment(newest, fields | {"route_of": newest.report.protocol})
        places.go("report")
