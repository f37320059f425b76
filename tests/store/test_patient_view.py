"""One patient's record: what it says, in which order, for whom, and what is put on record."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest

from safety import service
from safety.access import CONSOLE, Actor
from safety.errors import AccessDenied, NotFound, WrongKey
from safety.model import BloodPressure, Criterion, VitalSigns
from safety.patient_view import TermCount, patient_record
from safety.store.handle import Store
from safety.store.recording import Recorded, Recorder
from safety.store.verifying import verify
from tests.support.accounts import audit_of
from tests.support.builders import (
    ADMINISTRATOR,
    COMPLIANCE,
    NURSE,
    STARTED,
    a_report,
    an_event,
)
from tests.support.stores import tampering

SPIKE = VitalSigns(before=BloodPressure(128, 80), peak=BloodPressure(176, 98))
NO_SPIKE = VitalSigns(before=BloodPressure(128, 80), peak=BloodPressure(140, 88))


def _file(store: Store, days_ago: int, **changes: object) -> Recorded:
    """Record a session as an import does, which takes what a form would ask to complete."""
    report = a_report(**({"started_at": STARTED - timedelta(days=days_ago)} | changes))
    with store.write() as writer:
        recorder = Recorder(store, writer, CONSOLE)
        recorded = recorder.add(report)
        recorder.flush()
        writer.commit()
    return recorded


def _a_course(store: Store) -> list[Recorded]:
    """Four sessions, filed out of order: days -30, -20 (two events), 0 (serious), and a silent."""
    serious = an_event("syncope", 3, serious=frozenset({Criterion.HOSPITALISATION}))
    return [
        _file(store, 0, events=(an_event("nausea", 1), serious), vitals=SPIKE),
        _file(store, 30, vitals=NO_SPIKE),
        _file(store, 20, events=(an_event("nausea", 2), an_event("dizziness", 1))),
        _file(store, 10, no_adverse_event=None, dose_mg=None),
    ]


def test_sessions_come_oldest_first_with_the_days_between(store: Store) -> None:
    filed = _a_course(store)
    record = patient_record(store, NURSE, 1)
    assert [s.report_id for s in record.sessions] == [filed[i].report_id for i in (1, 2, 3, 0)]
    assert [s.gap_days for s in record.sessions] == [None, 10, 10, 10]
    assert record.identity.mrn == "MRN-0001"


def test_a_session_says_what_its_report_says(store: Store) -> None:
    _a_course(store)
    first, second, third, last = patient_record(store, NURSE, 1).sessions
    assert (first.dose_mg, first.dose_mg_per_kg, first.weight_kg) == (40.0, 0.5, 80.0)
    assert (third.dose_mg, third.dose_mg_per_kg) == (None, None)
    assert (first.nothing_happened, first.silent) == (True, False)
    assert (third.nothing_happened, third.silent) == (None, True)
    assert [(e.term, e.grade, e.serious) for e in second.events] == [
        ("nausea", 2, False),
        ("dizziness", 1, False),
    ]
    assert last.spiked
    assert last.spikes.systolic_rise_mmhg == 48
    assert not first.spiked
    assert last.local_start.hour == 9  # 14:00 UTC at a site in New York


def test_counts_put_the_serious_first_and_count_sessions(store: Store) -> None:
    _a_course(store)
    record = patient_record(store, NURSE, 1)
    assert record.terms == (
        TermCount("syncope", 1, 3, 1),
        TermCount("nausea", 2, 2, 0),
        TermCount("dizziness", 1, 1, 0),
    )
    assert (record.with_event, record.silent) == (2, 1)
    assert record.spiked == (1, 2)
    assert [count for _, count in record.protocols] == [4]


def test_an_amended_report_counts_once_as_it_is_now(store: Store) -> None:
    filed = _file(store, 5)
    amended = a_report(
        started_at=STARTED - timedelta(days=5),
        events=(an_event("headache", 2),),
        session_ref=filed.session_ref,
    )
    service.amend_report(
        store, CONSOLE, filed.report_id, amended, base_version=1, reason="It was seen later."
    )
    (session,) = patient_record(store, NURSE, 1).sessions
    assert session.version == 2
    assert [event.term for event in session.events] == ["headache"]


def test_only_the_patient_who_was_asked_for(store: Store) -> None:
    _file(store, 1)
    other = _file(store, 2, mrn="MRN-0002")
    record = patient_record(store, NURSE, 2)
    assert [session.report_id for session in record.sessions] == [other.report_id]
    assert record.identity.mrn == "MRN-0002"


def test_one_view_is_on_record_however_many_sessions(store: Store) -> None:
    _a_course(store)
    patient_record(store, NURSE, 1)
    assert audit_of(store, "patient.view", "report.view") == [
        (NURSE.id, "nurse", "patient.view", "patient", "1", None)
    ]
    assert verify(store).findings == []


@pytest.mark.parametrize("actor", [COMPLIANCE, ADMINISTRATOR], ids=lambda a: a.role)
def test_roles_outside_care_are_refused_on_record(store: Store, actor: Actor) -> None:
    _file(store, 1)
    with pytest.raises(AccessDenied):
        patient_record(store, actor, 1)
    assert [entry[0] for entry in audit_of(store, "access.denied")] == [actor.id]
    assert audit_of(store, "patient.view") == []


def test_a_patient_who_is_not_there(store: Store) -> None:
    with pytest.raises(NotFound):
        patient_record(store, NURSE, 77)


def test_a_session_moved_to_another_patient_through_sql_does_not_open(store: Store) -> None:
    _file(store, 1)
    moved = _file(store, 2, mrn="MRN-0002")
    with tampering(store) as raw:
        raw.execute("UPDATE sessions SET patient_no = 1 WHERE report_id = ?", moved.report_id.bytes)
    with pytest.raises(WrongKey):
        patient_record(store, NURSE, 1)


def test_nothing_shows_who_it_is_about(store: Store) -> None:
    _a_course(store)
    shown = repr(patient_record(store, NURSE, 1))
    assert shown == "PatientRecord(1, sessions=4)"


def test_two_hundred_sessions_open_in_less_than_300_ms(embedded_store: Store) -> None:
    for days_ago in range(200):
        _file(embedded_store, 3 * days_ago, events=(an_event("nausea", 1),), vitals=SPIKE)
    patient_record(embedded_store, NURSE, 1)
    times = []
    for _ in range(3):
        begun = time.perf_counter()
        record = patient_record(embedded_store, NURSE, 1)
        times.append(time.perf_counter() - begun)
    assert len(record.sessions) == 200
    assert min(times) < 0.3
