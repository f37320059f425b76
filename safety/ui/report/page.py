"""The report page: write, review and sign, filed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from safety import duplicates, foreknown, protocols
from safety.protocols import Site
from safety.ui import places, say
from safety.ui.report import (
    bands,
    complete,
    events,
    form,
    leaving,
    parts,
    patient,
    signing,
    starting,
)
from safety.ui.report.bands import Band
from safety.ui.report.fields import Attempt
from safety.ui.report.form import Form, Step
from safety.ui.session import Visit
from safety.vocabulary import Protocol


def page(visit: Visit) -> None:
    """Draw the step at which the form is, opening a new one when there is none."""
    opened = form.current() or starting.open_empty(visit)
    if opened.step is Step.FILED:
        signing.filed(visit, opened)
    elif opened.step is Step.REVIEW:
        signing.review_step(visit, opened)
    else:
        _write(visit, opened)


def _write(visit: Visit, opened: Form) -> None:
    with opened.drawn_whole():
        opened.collect()
        place = _bar(visit, opened)
        sites = opened.once("sites", lambda: protocols.list_sites(visit.store, visit.actor))
        known = opened.once("protocols", lambda: _protocols(visit))
        made = bands.made_of(visit, opened)
        if opened.amends is None:
            purpose = "One session: what was given, what was measured, what happened."
            say.title("New report", purpose)
        else:
            say.title("Amend", "The report as it was filed stays; this becomes its next version.")
        patient.band(visit, opened, made)
        _bands(visit, opened, sites, known, place)


def _protocols(visit: Visit) -> dict[str, Protocol]:
    return {p.id: p for p in protocols.list_protocols(visit.store, visit.actor)}


def _bar(visit: Visit, opened: Form) -> DeltaGenerator:
    """Draw the buttons at the bottom and follow them; give the place for the state beside them.

    It comes before the rest of the page, which need not be drawn when a button leads away from it.
    """
    with st.bottom, st.container(horizontal=True, vertical_alignment="center"):
        place = st.empty()
        put_aside = st.button("Put aside", help="The draft stays under Today.", key="put-aside")
        asked = st.button(
            "Review and sign", type="primary", icon=":material/fact_check:", key="review"
        )
    if not (put_aside or asked):
        return place
    opened.keep(visit)
    if asked:
        _ask_review(visit, opened)
        if opened.step is Step.REVIEW:
            st.rerun()
    elif opened.unsaved is None:
        form.close()
        places.go("today")
    return place


def _bands(
    visit: Visit,
    opened: Form,
    sites: tuple[Site, ...],
    known: Mapping[str, Protocol],
    place: DeltaGenerator,
) -> None:
    protocol = known.get(opened.fields.get("protocol", ""))
    state = partial(_state, visit, opened, protocol, place)
    _given(visit, opened, sites, known, state)
    # Drawing changes fields too: an end on the same day needs no date.
    opened.across = bands.across(visit, opened)
    _measured(visit, opened, state)
    _happened(visit, opened, protocol, state)
    _leaving(visit, opened, protocol, state)


@st.fragment
def _given(
    visit: Visit,
    opened: Form,
    sites: tuple[Site, ...],
    known: Mapping[str, Protocol],
    state: Callable[[], None],
) -> None:
    with bands.drawn(visit, opened, Band.GIVEN, state) as made:
        parts.session_band(opened, made, sites, known)


@st.fragment
def _measured(visit: Visit, opened: Form, state: Callable[[], None]) -> None:
    with bands.drawn(visit, opened, Band.MEASURED, state) as made:
        parts.vitals_band(opened, made)


@st.fragment
def _happened(
    visit: Visit, opened: Form, protocol: Protocol | None, state: Callable[[], None]
) -> None:
    with bands.drawn(visit, opened, Band.HAPPENED, state) as made:
        vocabulary = opened.once(
            "vocabulary", lambda: protocols.clinic_vocabulary(visit.store, visit.actor)
        )
        events.band(opened, made, _common(visit, opened, protocol), vocabulary)


@st.fragment
def _leaving(
    visit: Visit, opened: Form, protocol: Protocol | None, state: Callable[[], None]
) -> None:
    with bands.drawn(visit, opened, Band.LEAVING, state) as made:
        leaving.band(opened, made, protocol, _staff(visit, opened))


def _common(visit: Visit, opened: Form, protocol: Protocol | None) -> Sequence[str]:
    """The effects to offer at once: the clinic's most frequent under this protocol first."""
    if protocol is None:
        return ()
    return opened.once(
        f"common {protocol.id}",
        lambda: foreknown.common_terms(visit.store, visit.actor, protocol.id),
    )


def _staff(visit: Visit, opened: Form) -> Sequence[str]:
    return opened.once("staff", lambda: foreknown.staff_names(visit.store, visit.actor))


def _state(visit: Visit, opened: Form, protocol: Protocol | None, place: DeltaGenerator) -> None:
    """Whose form it is, whether it is kept and how complete it is.

    Each band draws this into the same place, and an element that only one of them draws would
    stay: it is always the same elements.
    """
    made = bands.made_of(visit, opened)
    with place.container(horizontal=True, vertical_alignment="center"):
        said = (patient.shortly(opened.fields), _kept(visit, opened, made))
        st.text("\n".join(line for line in said if line), width="stretch")
        complete.meter(visit, opened, made, protocol)


def _kept(visit: Visit, opened: Form, made: Attempt) -> str:
    if opened.unsaved:
        return f"Not saved: {opened.unsaved}"
    if made.problems:
        number = len(made.problems)
        return f"{number} thing{'s' if number > 1 else ''} to mend above before it can be signed."
    if opened.kept_at is None:
        return ""
    local = opened.kept_at.astimezone(visit.store.clinic.timezone)
    if opened.is_copy:
        return f"Another tab has this form too. Yours is kept as a copy, saved {local:%H:%M}"
    return f"Draft saved {local:%H:%M}"


def _ask_review(visit: Visit, opened: Form) -> None:
    """Go to the review when nothing is wrong, else point out what is."""
    opened.asked = True
    patient.look_for_known(visit, opened)
    report = bands.made_of(visit, opened).report
    if opened.matches or report is None:
        return
    opened.likely = ()
    if opened.amends is None:
        opened.likely = duplicates.likely_duplicates(
            visit.store,
            visit.actor,
            mrn=report.patient.mrn,
            started_at=report.started_at,
            report_id=opened.id,
        )
    opened.step = Step.REVIEW
