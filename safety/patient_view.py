"""One patient's sessions in the order they were given: what a page about the patient shows.

Everything is read from the sealed reports; the index rows say only which reports they are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from safety import grading
from safety.access import Action, Actor, guarded
from safety.grading import Spikes
from safety.model import PatientIdentity, VitalSigns
from safety.store import patients, reading, tables
from safety.store.handle import Store
from safety.store.index import session_day
from safety.store.preparing import fold
from safety.store.reading import Stored


class PatientEvent(NamedTuple):
    """One event of a session: vocabulary id, grade 1 to 5, and whether a criterion made it serious.

    ``emergent`` says that it began, or got worse, with the dose.
    """

    term: str
    grade: int
    serious: bool
    emergent: bool


@dataclass(frozen=True, slots=True)
class PatientSession:
    """One session as its newest report tells it.

    ``day`` is the calendar day at the site, ``local_start`` the clock there without its zone;
    ``gap_days`` counts days since the session before (None for the first). ``nothing_happened`` is
    None when the report says nothing either way. Doses in mg and mg per kg, weight in kg.
    """

    report_id: UUID
    version: int
    started_at: datetime
    local_start: datetime
    site: str
    protocol: str
    protocol_version: int | None
    dose_mg: float | None
    dose_mg_per_kg: float | None
    weight_kg: float | None
    vitals: VitalSigns
    spikes: Spikes
    events: tuple[PatientEvent, ...]
    nothing_happened: bool | None
    gap_days: int | None

    @property
    def day(self) -> date:
        """The calendar day at the site."""
        return self.local_start.date()

    @property
    def spiked(self) -> bool:
        """Whether the readings meet one of the two trial definitions of a spike."""
        return bool(self.spikes.absolute or self.spikes.rise)

    @property
    def told(self) -> bool:
        """Whether the readings can tell about a spike at all."""
        return self.spikes.absolute is not None or self.spikes.rise is not None

    @property
    def silent(self) -> bool:
        """Whether the report names no event and does not say that nothing happened."""
        return not self.events and not self.nothing_happened

    def __repr__(self) -> str:
        return f"PatientSession({self.report_id}, version={self.version})"


class TermCount(NamedTuple):
    """In how many sessions a term was reported, its highest grade, in how many it was serious."""

    term: str
    sessions: int
    highest_grade: int
    serious: int


@dataclass(frozen=True, slots=True)
class PatientRecord:
    """Who the patient is, and every session, oldest first."""

    patient_no: int
    identity: PatientIdentity
    sessions: tuple[PatientSession, ...]
    read_at: datetime

    def __repr__(self) -> str:
        return f"PatientRecord({self.patient_no}, sessions={len(self.sessions)})"

    @property
    def protocols(self) -> tuple[tuple[str, int], ...]:
        """Protocol id and number of sessions, in the order in which they were first given."""
        return tuple(Counter(session.protocol for session in self.sessions).items())

    @property
    def terms(self) -> tuple[TermCount, ...]:
        """What was reported: serious terms first, then by highest grade, then by sessions."""
        gathered: dict[str, list[PatientEvent]] = {}
        for session in self.sessions:
            for event in session.events:
                gathered.setdefault(event.term, []).append(event)
        counts = (
            TermCount(term, len(found), max(e.grade for e in found), sum(e.serious for e in found))
            for term, found in gathered.items()
        )
        return tuple(sorted(counts, key=lambda c: (not c.serious, -c.highest_grade, -c.sessions)))

    @property
    def with_event(self) -> int:
        """Sessions with at least one event."""
        return sum(bool(session.events) for session in self.sessions)

    @property
    def silent(self) -> int:
        """Sessions whose report names no event and does not say that nothing happened."""
        return sum(session.silent for session in self.sessions)

    @property
    def spiked(self) -> tuple[int, int]:
        """Sessions with a spike, and sessions whose readings can tell."""
        return sum(s.spiked for s in self.sessions), sum(s.told for s in self.sessions)


@guarded(Action.READ_REPORT)
def patient_record(store: Store, actor: Actor, patient_no: int) -> PatientRecord:
    """The patient with the store's number and all sessions; one view is put on record.

    Raises NotFound.
    """
    record = opened_record(store, patient_no)
    with store.write() as writer:
        writer.log(actor, "patient.view", "patient", str(patient_no))
        writer.commit()
    return record


def opened_record(store: Store, patient_no: int) -> PatientRecord:
    """The record, read without putting it on record: whoever calls this has to. Raises NotFound."""
    with store.read() as connection:
        patient = patients.by_number(connection, store.ring, patient_no)
        zones = _zones(connection)
        stored = list(_current(store, connection, patient))
    sessions: list[PatientSession] = []
    for each in sorted(stored, key=lambda s: (s.report.started_at, s.report_id)):
        zone = zones.get(fold(each.report.site), store.clinic.timezone)
        sessions.append(_session(each, zone, sessions[-1] if sessions else None))
    return PatientRecord(patient_no, patient.identity, tuple(sessions), store.clock())


def _current(store: Store, connection: Connection, patient: patients.Patient) -> Iterator[Stored]:
    """The newest version of every report of the patient, through the index by patient."""
    session = tables.sessions.c
    report = tables.reports.c
    query = (
        select(tables.reports)
        .join(
            tables.sessions, (report.session_no == session.no) & (report.version == session.version)
        )
        .where(session.patient_no == patient.no)
    )
    for row in connection.execute(query):
        yield reading.opened(store.ring, patient, row)


def _zones(connection: Connection) -> dict[str, ZoneInfo]:
    rows = connection.execute(select(tables.sites.c.folded, tables.sites.c.timezone))
    return {row.folded: ZoneInfo(row.timezone) for row in rows}


def _session(stored: Stored, zone: ZoneInfo, before: PatientSession | None) -> PatientSession:
    report = stored.report
    day = session_day(report, zone)
    return PatientSession(
        report_id=stored.report_id,
        version=stored.version,
        started_at=report.started_at,
        local_start=report.started_at.astimezone(zone).replace(tzinfo=None),
        site=report.site,
        protocol=report.protocol,
        protocol_version=report.protocol_version,
        dose_mg=report.dose_mg,
        dose_mg_per_kg=report.dose_mg_per_kg(),
        weight_kg=report.weight_kg,
        vitals=report.vitals,
        spikes=grading.spikes(report.vitals),
        events=tuple(
            PatientEvent(e.term, e.grade, bool(e.serious), grading.treatment_emergent(report, e))
            for e in report.events
        ),
        nothing_happened=report.no_adverse_event,
        gap_days=None if before is None else (day - before.day).days,
    )
