"""Index rows say what the sealed report says, and can be made anew from it at any time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from safety import service
from safety.access import CONSOLE
from safety.clock import day_number
from safety.model import (
    AdverseEvent,
    BloodPressure,
    Criterion,
    Elicitation,
    Outcome,
    PatientIdentity,
    Relatedness,
    SessionReport,
    VitalSigns,
)
from safety.store import tables
from safety.store.handle import Store
from safety.store.index import EventFacts, SessionFacts
from safety.store.rebuilding import rebuild
from safety.store.recording import Recorder
from safety.store.verifying import verify
from safety.vocabulary import vocabulary
from tests.support.builders import (
    NURSE,
    PROTOCOL,
    SITE,
    STARTED,
    a_full_report,
    a_patient,
    a_report,
    an_event,
)
from tests.support.recorded import record
from tests.support.stores import tampering
from tests.support.strategies import events, reports


def row(store: Store, name: str) -> dict[str, Any]:
    (only,) = rows(store, name)
    return only


def rows(store: Store, name: str) -> list[dict[str, Any]]:
    table = tables.metadata.tables[name]
    with store.read() as connection:
        query = select(table).order_by(*table.primary_key.columns)
        return [dict(found._mapping) for found in connection.execute(query)]


def test_the_facts_of_a_row_are_named_as_its_columns_and_in_their_order() -> None:
    """Rows go to the database by position."""
    sessions, events = tables.sessions.c.keys(), tables.events.c.keys()
    facts = [
        name for name in sessions[sessions.index("route") :] if name not in ("reporter", "mac")
    ]
    assert facts == list(SessionFacts._fields)
    assert sessions[-3:] == ["reporter", facts[-1], "mac"]
    assert events[events.index("grade") :] == [*EventFacts._fields, "mac"]


def test_a_session_row_says_what_the_report_says(store: Store) -> None:
    service.file_report(store, NURSE, a_full_report())
    found = row(store, "sessions")
    expected = {
        "version": 1,
        "patient_no": 1,
        "site_no": 1,
        "protocol_no": 1,
        "protocol_version": 1,
        "day": day_number(date(2026, 3, 2)),
        "route": "intravenous",
        "setting": "clinic",
        "sex": "female",
        "age_years": 45,
        "minutes": 40,
        "monitored_minutes": 130,
        "dose_mg": 40.0,
        "dose_mg_per_kg": 0.5,
        "systolic_before": 118,
        "diastolic_before": 76,
        "systolic_40": 150,
        "diastolic_40": 92,
        "systolic_peak": 162,
        "diastolic_peak": 101,
        "systolic_discharge": 124,
        "diastolic_discharge": 79,
        "spike_absolute": 0,
        "spike_rise": 1,
        "heart_rate_peak": 96,
        "spo2_min": 95,
        "moaas_min": 4,
        "cadss6_peak": 9,
        "nothing_happened": None,
        "event_count": 2,
        "worst_grade": 2,
        "worst_emergent_grade": 2,
        "serious": 0,
        "entry_lag_minutes": 140,
    }
    assert {name: found[name] for name in expected} == expected
    assert len(found["reference"]) == 32
    assert set(found) - set(expected) == {"no", "report_id", "reference", "reporter", "mac"}


def test_an_event_row_says_what_the_event_says(store: Store) -> None:
    event = AdverseEvent(
        "nausea",
        3,
        onset_minutes=20,
        duration_minutes=60,
        outcome=Outcome.RECOVERING,
        relatedness=Relatedness.PROBABLE,
        serious=frozenset({Criterion.HOSPITALISATION, Criterion.DISABILITY}),
        elicitation=Elicitation.SPONTANEOUS,
        narrative="Kept for the night.",
    )
    service.file_report(store, NURSE, a_report(events=(event,)))
    found = row(store, "events")
    term = vocabulary().get("nausea")
    number = {r["id"]: r["no"] for r in rows(store, "term_numbers")}["nausea"]
    assert {name: value for name, value in found.items() if name != "mac"} == {
        "session_no": 1,
        "term_no": number,
        "day": day_number(date(2026, 3, 2)),
        "protocol_no": 1,
        "protocol_version": 1,
        "site_no": 1,
        "patient_no": 1,
        "grade": 3,
        "emergent": 1,
        "scale": term.scale,
        "scale_version": term.scale_version,
        "criteria": 4 + 8,
        "outcome": "recovering",
        "relatedness": "probable",
        "elicitation": "spontaneous",
        "onset_minutes": 20,
        "duration_minutes": 60,
    }
    assert row(store, "sessions")["serious"] == 1


@pytest.mark.parametrize(
    ("changes", "column", "value"),
    [
        ({"no_adverse_event": True}, "nothing_happened", 1),
        ({"no_adverse_event": None}, "nothing_happened", None),
        ({}, "spike_absolute", None),
        ({"vitals": VitalSigns(peak=BloodPressure(181, 90))}, "spike_absolute", 1),
        ({"vitals": VitalSigns(peak=BloodPressure(181, 90))}, "spike_rise", None),
        ({"patient": PatientIdentity("1", birth_date=date(1931, 1, 1))}, "age_years", 90),
        ({"patient": PatientIdentity("1", birth_date=date(2000, 3, 3))}, "age_years", 25),
        ({"patient": PatientIdentity("1", birth_date=date(2000, 3, 2))}, "age_years", 26),
        ({"patient": PatientIdentity("1")}, "age_years", None),
        ({"weight_kg": None}, "dose_mg_per_kg", None),
    ],
)
def test_what_cannot_be_told_is_null_and_not_zero(
    embedded_store: Store, changes: dict[str, Any], column: str, value: int | None
) -> None:
    record(embedded_store, a_report(**changes))
    assert row(embedded_store, "sessions")[column] == value


@pytest.mark.parametrize(
    ("started", "day"),
    [
        ("2026-03-02T04:59:00+00:00", date(2026, 3, 1)),  # 23:59 in New York
        ("2026-03-02T05:00:00+00:00", date(2026, 3, 2)),
        ("2024-02-29T23:30:00-05:00", date(2024, 2, 29)),
        ("2025-11-02T05:30:00+00:00", date(2025, 11, 2)),  # the hour that comes twice
        ("2025-11-02T06:30:00+00:00", date(2025, 11, 2)),
        ("1970-01-02T00:00:00+14:00", date(1970, 1, 1)),
    ],
)
def test_the_day_is_the_day_at_the_site(embedded_store: Store, started: str, day: date) -> None:
    report = a_report(started_at=datetime.fromisoformat(started), patient=PatientIdentity("1"))
    service.file_report(embedded_store, NURSE, report)
    assert row(embedded_store, "sessions")["day"] == day_number(day)


def test_events_that_were_there_before_count_apart(embedded_store: Store) -> None:
    listed = (an_event("nausea", 3, onset_minutes=-30), an_event("dizziness", 1))
    service.file_report(embedded_store, NURSE, a_report(events=listed))
    found = row(embedded_store, "sessions")
    assert (found["event_count"], found["worst_grade"], found["worst_emergent_grade"]) == (2, 3, 1)
    assert sorted(r["emergent"] for r in rows(embedded_store, "events")) == [0, 1]


def test_an_amendment_replaces_the_index_rows(store: Store) -> None:
    filed = service.file_report(store, NURSE, a_full_report())
    after = a_full_report(events=(an_event("vomiting", 1),), dose_mg=30.0)
    service.amend_report(store, NURSE, filed.report_id, after, base_version=1, reason="mistyped")
    found = row(store, "sessions")
    assert (found["version"], found["dose_mg"], found["event_count"]) == (2, 30.0, 1)
    assert row(store, "events")["grade"] == 1


def test_a_new_site_is_added_with_the_clinics_time_zone(store: Store) -> None:
    service.file_report(store, NURSE, a_report(site="  Harbour   Road "))
    service.file_report(store, NURSE, a_report(site="harbour road"))
    assert [(r["name"], r["timezone"]) for r in rows(store, "sites")] == [
        (SITE, "America/New_York"),
        ("Harbour Road", "America/New_York"),
    ]


def filed_store(store: Store) -> Store:
    """Three reports, one of them amended."""
    filed = service.file_report(store, NURSE, a_full_report())
    service.amend_report(
        store, NURSE, filed.report_id, a_full_report(dose_mg=42.0), base_version=1, reason="typo"
    )
    service.file_report(store, NURSE, a_report(mrn="2", events=(an_event("vomiting", 2),)))
    service.file_report(store, NURSE, a_report(mrn="3", site="Harbour Road"))
    return store


def test_rebuilding_gives_the_rows_that_are_there(store: Store) -> None:
    done = rebuild(filed_store(store), CONSOLE)
    assert (done.reports, done.events, done.differing, done.written) == (3, 3, (), False)


CHANGES = {
    "a grade": "UPDATE events SET grade = 1 WHERE session_no = 1",
    "a day": "UPDATE sessions SET day = day - 40 WHERE no = 2",
    "a patient": "UPDATE sessions SET patient_no = 3 WHERE no = 2",
    "an event gone": "DELETE FROM events WHERE session_no = 2",
    "a session gone": "DELETE FROM sessions WHERE no = 3",
    "terms swapped": "UPDATE events SET term_no = term_no + 1 WHERE session_no = 2",
    "a session slipped in": "UPDATE sessions SET no = 99 WHERE no = 3",
}


@pytest.mark.parametrize("sql", CHANGES.values(), ids=CHANGES)
def test_rebuilding_finds_and_mends_a_changed_row(store: Store, sql: str) -> None:
    """Promise 13: the index is never the truth, the sealed reports are."""
    filed_store(store)
    before = {name: rows(store, name) for name in ("sessions", "events")}
    with tampering(store) as raw:
        raw.execute(sql)
    assert verify(store).findings
    compared = rebuild(store, CONSOLE)
    assert compared.differing
    assert not compared.written
    mended = rebuild(store, CONSOLE, write=True)
    assert mended.written
    assert mended.differing == compared.differing
    assert {name: rows(store, name) for name in before} == before
    assert rebuild(store, CONSOLE).differing == ()
    assert verify(store).findings == []


def test_rebuilding_is_on_record(store: Store) -> None:
    rebuild(filed_store(store), CONSOLE)
    assert rows(store, "audit")[-1]["action"] == "store.rebuild"


TERMS = [term for term in vocabulary().terms if term.grades]


@st.composite
def known_events(draw: st.DrawFn) -> list[AdverseEvent]:
    """Events whose term the vocabulary has, with a grade that the term has."""
    chosen = draw(st.lists(st.sampled_from(TERMS), max_size=3, unique_by=lambda term: term.id))
    return [draw(events(term.id, draw(st.sampled_from(term.grades)))) for term in chosen]


BATCHES = st.lists(
    reports(listed=known_events(), protocol=PROTOCOL, session_ref=None), min_size=1, max_size=4
)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(batch=BATCHES)
def test_whatever_is_filed_verifies_and_rebuilds_equal(
    embedded_store: Store, batch: list[SessionReport]
) -> None:
    """Any report that the model takes goes through store, digest, verification and rebuild."""
    with embedded_store.write() as writer:
        recorder = Recorder(embedded_store, writer, NURSE)
        for number, report in enumerate(batch):
            patient = a_patient(mrn=f"{writer.head.seq}-{number}", birth_date=None)
            recorder.add(replace(report, patient=patient))
        recorder.flush()
        writer.commit()
    assert verify(embedded_store).findings == []
    assert rebuild(embedded_store, CONSOLE).differing == ()


def test_a_session_of_years_ago_and_one_of_a_month_are_kept(embedded_store: Store) -> None:
    for report in (
        a_report(started_at=datetime(1971, 6, 1, tzinfo=UTC), patient=PatientIdentity("1")),
        a_report(ended_at=STARTED + timedelta(days=30)),
    ):
        service.file_report(embedded_store, NURSE, report)
    assert verify(embedded_store).findings == []
