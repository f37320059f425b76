"""The one way in: what can be asked of a store, each with the actor who asks.

Every function checks the actor's role first (:mod:`safety.access`), validates what it was given,
writes the change and its audit entry in one transaction, and raises an error of
:mod:`safety.errors` with nothing written when anything is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import Connection, select

from safety import completeness, drafts, mail, notices, protocols, settings
from safety.access import Action, Actor, guarded
from safety.errors import Conflict, InvalidReport, Problem
from safety.importing.building import grade_message
from safety.model import PatientIdentity, SessionReport
from safety.store import patients, reading, tables
from safety.store.handle import Store
from safety.store.reading import Stored
from safety.store.recording import Recorded, Recorder
from safety.vocabulary import vocabulary

MOST_MATCHES: Final = 20
REASON_LENGTH: Final = 500
_CLOCK_SLACK: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Filed:
    """What filing gave back: the report, and warnings the nurse should see."""

    report_id: UUID
    session_ref: str
    version: int
    warnings: tuple[Problem, ...] = ()


@guarded(Action.FILE_REPORT)
def file_report(
    store: Store, actor: Actor, report: SessionReport, *, report_id: UUID | None = None
) -> Filed:
    """File a new report.

    ``report_id`` is chosen by the caller when the form is opened; filing the same id again with the
    same content returns the report that is there (a double click files once), and with other
    content raises Conflict. Raises InvalidReport, UnknownName, Conflict, and the store's errors.
    """
    report = checked(store, replace(report, protocol=_protocol_id(store, report.protocol)))
    _require_usable(store, actor, report)
    report = _signed(store, actor, report)
    report_id = report_id or uuid4()
    with store.write() as writer:
        recorder = Recorder(store, writer, actor)
        before = _same_report(store, recorder, writer.connection, report, report_id)
        if before is not None:
            return before
        if report.session_ref and recorder.known([report.session_ref]):
            raise Conflict(
                "This session reference is used by another report. Amend that report, or leave "
                "the reference empty."
            )
        recorded = recorder.add(report, report_id=report_id)
        recorder.flush()
        drafts.remove_filed(writer.connection, report_id)
        serious = notices.newly_serious(report)
        if serious:
            notices.add(writer, actor, notices.SERIOUS, report_id.hex)
        writer.commit()
    if serious:
        mail.wake(store)
    return _filed(recorded, report)


def _require_usable(store: Store, actor: Actor, report: SessionReport) -> None:
    """Raise InvalidReport for what makes a record unusable by the rules of the clinic."""
    rules = settings.completeness_rules(store, actor)
    with store.read() as connection:
        protocol = protocols.index_of(connection).find(report.protocol)
    completeness.require(report, rules, protocol)


def _same_report(
    store: Store, recorder: Recorder, connection: Connection, report: SessionReport, report_id: UUID
) -> Filed | None:
    columns = tables.reports.c
    row = connection.execute(
        select(columns.version, columns.content_mac).where(
            columns.report_id == report_id.bytes, columns.version == 1
        )
    ).first()
    if row is None:
        return None
    stored = reading.versions(connection, store.ring, report_id)[0]
    given = replace(report, reported_at=stored.report.reported_at)
    same = (recorder.prepared_content(given), recorder.prepared_content(report))
    if bytes(row.content_mac) not in same:
        raise Conflict(
            "This form was filed already, from another tab perhaps. Your changes were not filed: "
            "open the report and amend it."
        )
    return Filed(report_id, stored.report.session_ref or "", 1)


@guarded(Action.AMEND_REPORT)
def amend_report(
    store: Store,
    actor: Actor,
    report_id: UUID,
    report: SessionReport,
    *,
    base_version: int,
    reason: str,
) -> Filed:
    """File the next version of a report. The earlier versions stay as they were.

    ``base_version`` is the version the change started from: when somebody amended it since,
    Conflict is raised and nothing is lost. ``reason`` is required and is sealed with the report.
    """
    reason = reason.strip()
    if not reason or len(reason) > REASON_LENGTH:
        text = f"Say why, in at most {REASON_LENGTH} characters."
        raise InvalidReport([Problem("amendment_reason", text)])
    report = checked(store, replace(report, protocol=_protocol_id(store, report.protocol)))
    _require_usable(store, actor, report)
    report = replace(report, amendment_reason=reason)
    with store.write() as writer:
        recorder = Recorder(store, writer, actor)
        serious = _made_serious(store, writer.connection, report_id, report)
        recorded = recorder.amend(report, report_id, base_version)
        recorder.flush()
        if serious:
            notices.add(writer, actor, notices.SERIOUS, report_id.hex)
        writer.commit()
    if serious:
        mail.wake(store)
    return _filed(recorded, report)


def _made_serious(
    store: Store, connection: Connection, report_id: UUID, report: SessionReport
) -> bool:
    """Whether ``report`` says more of seriousness than the version it amends."""
    if not notices.newly_serious(report):
        return False  # and the earlier version need not be opened
    before = reading.current(connection, store.ring, report_id)
    return notices.newly_serious(report, before.report)


@guarded(Action.READ_REPORT)
def read_report(store: Store, actor: Actor, report_id: UUID) -> Stored:
    """The newest version of a report; the view is on record. Raises NotFound."""
    return report_history(store, actor, report_id)[-1]


@guarded(Action.READ_REPORT)
def report_history(store: Store, actor: Actor, report_id: UUID) -> list[Stored]:
    """Every version of a report, oldest first; the view is on record. Raises NotFound."""
    with store.read() as connection:
        found = reading.versions(connection, store.ring, report_id)
    with store.write() as writer:
        writer.log(actor, "report.view", "report", report_id.hex)
        writer.commit()
    return found


@dataclass(frozen=True, slots=True)
class Match:
    """A patient that a search found."""

    patient_no: int
    identity: PatientIdentity

    def __repr__(self) -> str:
        return f"Match({self.patient_no})"


@guarded(Action.FIND_PATIENT)
def find_patient(store: Store, actor: Actor, text: str) -> list[Match]:
    """Patients whose MRN is ``text``, or whose name has all its words; at most 20.

    The search is on record, its text is not.
    """
    words = text.casefold().split()
    if not words:
        return []
    with store.read() as connection:
        exact = _by_mrn(store, connection, text)
        found = exact or list(_by_name(store, connection, words))
    with store.write() as writer:
        writer.log(actor, "patient.search", "patients", "", note=f"matches {len(found)}")
        writer.commit()
    return found


def _by_mrn(store: Store, connection: Connection, text: str) -> list[Match]:
    try:
        patient = patients.by_mrn(connection, store.ring, text)
    except InvalidReport:
        return []
    return [Match(patient.no, patient.identity)] if patient else []


def _by_name(store: Store, connection: Connection, words: list[str]) -> Iterator[Match]:
    count = 0
    for patient in patients.every(connection, store.ring):
        name = (patient.identity.name or "").casefold()
        if all(word in name for word in words):
            yield Match(patient.no, patient.identity)
            count += 1
            if count == MOST_MATCHES:
                return


@dataclass(frozen=True, slots=True)
class Line:
    """One report in a list: who, when and what, for those who may see names."""

    report_id: UUID
    version: int
    report: SessionReport

    def __repr__(self) -> str:
        return f"Line({self.report_id})"


@guarded(Action.READ_REPORT)
def recent_reports(store: Store, actor: Actor, *, most: int = 20) -> list[Line]:
    """The newest reports by session day; that the list was seen is on record."""
    columns = tables.sessions.c
    query = select(columns.report_id).order_by(columns.day.desc(), columns.no.desc()).limit(most)
    with store.read() as connection:
        ids = [UUID(bytes=bytes(row.report_id)) for row in connection.execute(query)]
        found = [reading.current(connection, store.ring, report_id) for report_id in ids]
    with store.write() as writer:
        writer.log(actor, "report.list", "reports", "", note=f"reports {len(found)}")
        writer.commit()
    return [Line(stored.report_id, stored.version, stored.report) for stored in found]


def checked(store: Store, report: SessionReport) -> SessionReport:
    """Check what only the vocabulary and the clock can tell. Raises InvalidReport."""
    problems = list(term_problems(report))
    latest = store.clock() + _CLOCK_SLACK
    if report.started_at > latest:
        problems.append(Problem("started_at", "lies in the future. Check the date."))
    if problems:
        raise InvalidReport(problems)
    return report


def term_problems(report: SessionReport) -> Iterator[Problem]:
    """Events whose term is unknown or whose grade the term does not have."""
    words = vocabulary()
    for event in report.events:
        term = words.get(event.term)
        if event.grade not in term.grades:
            yield Problem(f"events.{event.term}.grade", grade_message(term.name, term.grades))


def _protocol_id(store: Store, text: str) -> str:
    with store.read() as connection:
        return protocols.index_of(connection).find(text).id


def _signed(store: Store, actor: Actor, report: SessionReport) -> SessionReport:
    """Fill who reports and when, where the form left it open."""
    return replace(
        report,
        reported_by=report.reported_by or actor.name,
        reported_at=report.reported_at or store.clock(),
    )


def _filed(recorded: Recorded, report: SessionReport) -> Filed:
    return Filed(
        recorded.report_id, recorded.session_ref, recorded.version, tuple(report.warnings())
    )
