"""One patient drawn: who it is, what it comes to, the timeline, and the sessions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import streamlit as st

from safety import grading, protocols
from safety.model import BloodPressure, PatientIdentity
from safety.patient_view import PatientRecord, PatientSession
from safety.ui import patient_timeline, say, words
from safety.ui.report import summary, view
from safety.ui.session import Visit
from safety.vocabulary import vocabulary

_FIRST_SHOWN: Final = 10


def body(visit: Visit, record: PatientRecord, *, links: bool = True) -> None:
    """Draw the record; with ``links``, each session leads to its report."""
    with st.container(key="subject-patient"):
        st.text(in_one_line(record.identity))
    if not record.sessions:
        _empty(links=links)
        return
    protocol_names = {p.id: p.name for p in protocols.list_protocols(visit.store, visit.actor)}
    term_names = {term.id: term.name for term in vocabulary().terms}
    _summary(visit, record, protocol_names, term_names)
    _timeline(record, protocol_names, term_names)
    _sessions(record, protocol_names, term_names, links=links)


def in_one_line(identity: PatientIdentity) -> str:
    """Name, MRN, birth date and sex, as far as they are known. Typed by people: show it as text."""
    shown = (
        identity.name,
        f"MRN {identity.mrn}",
        f"born {say.day(identity.birth_date)}" if identity.birth_date else None,
        words.SEX[identity.sex].lower() if identity.sex else None,
    )
    return " · ".join(part for part in shown if part)


def _empty(*, links: bool) -> None:
    what = "No session of this patient has been reported yet. Doses, blood pressures and events "
    now = ": start with **New report** on the page Today." if links else "."
    st.markdown(f"{what}will stand here once the first report is filed{now}")


def _summary(
    visit: Visit, record: PatientRecord, names: dict[str, str], terms: dict[str, str]
) -> None:
    total = len(record.sessions)
    given = ", ".join(f"{say.plain(names.get(p, p))} {count}" for p, count in record.protocols)
    last = record.sessions[-1].day
    days = (visit.store.clock().astimezone(visit.store.clinic.timezone).date() - last).days
    ago = "today" if days == 0 else _count(days, "day") + " ago"
    st.markdown(
        f"**{_count(total, 'session')}**: {given} · last {say.day(last)}"
        + (f" ({ago})" if days >= 0 else "")
    )
    st.markdown(" · ".join(_terms(record, terms)) or "No event was reported.")
    spiked, told = record.spiked
    if spiked:
        text = (
            f"Blood pressure spike by a trial definition: {spiked} / {told} sessions with readings"
        )
        st.markdown(f":orange[:material/info: {text}.]")
    if record.silent:
        st.markdown(
            f":orange[:material/info: {record.silent} / {total} sessions said neither an event nor "
            '"nothing happened".]'
        )


def _terms(record: PatientRecord, terms: dict[str, str]) -> Iterator[str]:
    total = len(record.sessions)
    for count in record.terms:
        name = terms.get(count.term, count.term)
        shown = f"{name} {count.sessions} / {total}, highest grade {count.highest_grade}"
        yield f":red[**{shown}, serious {count.serious}**]" if count.serious else shown


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _timeline(record: PatientRecord, names: dict[str, str], terms: dict[str, str]) -> None:
    say.section("Timeline")
    dark = st.context.theme.type == "dark"
    palette = patient_timeline.DARK if dark else patient_timeline.LIGHT
    for panel in patient_timeline.panels(record, names, terms, palette):
        st.altair_chart(panel.chart, width="stretch", alt=panel.words)
    st.caption(
        "Blood pressure: each bar runs from the reading before the dose to the highest after it "
        "(upper bars systolic, lower diastolic). Dotted lines: "
        f"{grading.SPIKE_SYSTOLIC} systolic and {grading.SPIKE_DIASTOLIC} diastolic, the limits of "
        "a spike. Beside a term: sessions with it / all sessions. Larger dots are higher grades."
    )
    with st.expander("The same as a table"):
        st.dataframe(
            [_table_line(session, names, terms) for session in record.sessions],
            hide_index=True,
            width="stretch",
            column_config={name: st.column_config.Column(alignment="right") for name in _NUMBERS},
            alt="Sessions with dose, blood pressure and events, oldest first",
        )


_NUMBERS: Final = ("Days since", "mg/kg", "mg", "kg", "Before", "Highest")


def _table_line(
    session: PatientSession, names: dict[str, str], terms: dict[str, str]
) -> dict[str, Any]:
    spike = ("yes" if session.spiked else "no") if session.told else "cannot be told"
    return {
        "Day": session.day.isoformat(),
        "Days since": session.gap_days,
        "Protocol": names.get(session.protocol, session.protocol),
        "mg/kg": None if (per_kg := session.dose_mg_per_kg) is None else f"{per_kg:.2f}",
        "mg": None if session.dose_mg is None else f"{session.dose_mg:g}",
        "kg": None if session.weight_kg is None else f"{session.weight_kg:g}",
        "Before": _reading(session.vitals.before),
        "Highest": _highest(session),
        "Spike": spike,
        "Events": _events(session, terms),
    }


def _reading(reading: BloodPressure | None) -> str | None:
    return None if reading is None else summary.reading(reading)


def _highest(session: PatientSession) -> str | None:
    after = session.vitals.after_dose()
    if not after:
        return None
    high = max((r.systolic_mmhg for r in after if r.systolic_mmhg is not None), default="?")
    low = max((r.diastolic_mmhg for r in after if r.diastolic_mmhg is not None), default="?")
    return f"{high}/{low}"


def _events(session: PatientSession, terms: dict[str, str]) -> str:
    if not session.events:
        return "nothing happened" if session.nothing_happened else "nothing said about events"
    return ", ".join(
        f"{terms.get(e.term, e.term)} grade {e.grade}{' serious' if e.serious else ''}"
        for e in session.events
    )


def _sessions(
    record: PatientRecord, names: dict[str, str], terms: dict[str, str], *, links: bool
) -> None:
    say.section("Sessions")
    shown = record.sessions[::-1]
    if len(shown) > _FIRST_SHOWN and not st.toggle(
        f"Show all {len(shown)} sessions", key=f"patient-{record.patient_no}-all"
    ):
        shown = shown[:_FIRST_SHOWN]
    for session in shown:
        row, button = st.columns([6, 1.4], vertical_alignment="center")
        row.text(_line(session, names, terms))
        if links and button.button("View", key=f"view-{session.report_id.hex}", width="stretch"):
            view.show(session.report_id)


def _line(session: PatientSession, names: dict[str, str], terms: dict[str, str]) -> str:
    dose = session.dose_mg_per_kg
    parts = (
        f"{say.day(session.day)}, {session.local_start:%H:%M}",
        names.get(session.protocol, session.protocol),
        None if dose is None else f"{dose:.2f} mg/kg",
        None if session.gap_days is None else f"{_count(session.gap_days, 'day')} after the last",
        f"version {session.version}" if session.version > 1 else None,
    )
    return " · ".join(part for part in parts if part) + f"\n{_events(session, terms)}"
