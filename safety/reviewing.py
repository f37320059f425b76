"""The way back: the director reviews a report, and whoever filed it hears of it.

A review is of one version. The word that may go with it is sealed under the patient's key, as the
report is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, Row, Select, select

from safety import naming
from safety.access import Action, Actor, guarded
from safety.clock import day_of, from_utc_text, utc_text
from safety.errors import InvalidReport, NotFound
from safety.keys.sealing import Place, padded, unpadded
from safety.limits import text_problem
from safety.store import patients, tables
from safety.store.handle import Store
from safety.store.patients import Patient
from safety.store.writing import Writer, new_id
from safety.vocabulary import parse_protocols

NOTE_LENGTH: Final = 500
MOST_HEARD: Final = 10

_REVIEWS: Final = tables.reviews.c
_REPORTS: Final = tables.reports.c


@dataclass(frozen=True, slots=True)
class Review:
    """One review of one version. ``reviewer`` is None when the account is not known."""

    version: int
    reviewed_at: datetime
    reviewed_by: str
    reviewer: str | None
    text: str | None

    def __repr__(self) -> str:
        return f"Review(version={self.version})"


@dataclass(frozen=True, slots=True)
class Heard:
    """A review as it comes back to who filed the report. ``protocol`` is the protocol's name."""

    report_id: UUID
    session_day: date
    protocol: str
    reviewed_at: datetime
    reviewer: str | None
    text: str | None

    def __repr__(self) -> str:
        return f"Heard({self.report_id})"


@guarded(Action.REVIEW_REPORT)
def review_report(
    store: Store, actor: Actor, report_id: UUID, *, note: str | None = None, version: int
) -> None:
    """Put on record that the actor has reviewed ``version``, with a word to who filed it or none.

    A second review of the same version by the same person with the same word does nothing. Raises
    InvalidReport for a note of more than 500 characters, and NotFound.
    """
    note = _checked_note(note)
    with store.write() as writer:
        patient = _patient_of(store, writer.connection, report_id, version)
        reviewed = _Reviewed(report_id, version, patient)
        if not _said_before(store, writer.connection, actor, reviewed, note):
            _add(store, writer, actor, reviewed, note)
            writer.commit()


class _Reviewed(NamedTuple):
    report_id: UUID
    version: int
    patient: Patient


def _checked_note(note: str | None) -> str | None:
    note = (note or "").strip() or None
    if (problem := text_problem("note", note, NOTE_LENGTH)) is not None:
        raise InvalidReport([problem])
    return note


def _patient_of(store: Store, connection: Connection, report_id: UUID, version: int) -> Patient:
    number = connection.execute(
        select(_REPORTS.patient_no).where(
            _REPORTS.report_id == report_id.bytes, _REPORTS.version == version
        )
    ).scalar()
    if number is None:
        raise NotFound("There is no such report, or no such version of it, in this store.")
    return patients.by_number(connection, store.ring, number)


def _said_before(
    store: Store, connection: Connection, actor: Actor, reviewed: _Reviewed, note: str | None
) -> bool:
    rows = connection.execute(
        select(tables.reviews).where(
            _REVIEWS.report_id == reviewed.report_id.bytes,
            _REVIEWS.version == reviewed.version,
            _REVIEWS.reviewed_by == actor.id,
        )
    )
    return any(_text(store, reviewed.patient, row) == note for row in rows.all())


def _add(store: Store, writer: Writer, actor: Actor, reviewed: _Reviewed, note: str | None) -> None:
    review_id, (report_id, version, patient) = new_id(), reviewed
    place = _note_place(store, review_id, version, patient)
    row = {
        "id": review_id.bytes,
        "report_id": report_id.bytes,
        "version": version,
        "reviewed_at": writer.at,
        "reviewed_by": actor.id,
        "note": None if note is None else patient.key.seal(padded(note.encode()), place),
    }
    mac = writer.insert(tables.reviews, row)
    about = f"report {report_id.hex} v{version}"
    writer.log(actor, Action.REVIEW_REPORT, "review", review_id.hex, note=about, macs=[mac])


def _note_place(store: Store, review_id: UUID, version: int, patient: Patient) -> Place:
    clinic = store.ring.clinic
    return Place("field", clinic, "reviews", "note", review_id, version, patient.id)


def _text(store: Store, patient: Patient, row: Row[Any]) -> str | None:
    if row.note is None:
        return None
    place = _note_place(store, UUID(bytes=bytes(row.id)), row.version, patient)
    return unpadded(patient.key.open(bytes(row.note), place)).decode()


@guarded(Action.READ_REPORT)
def reviews_of(store: Store, actor: Actor, report_id: UUID) -> tuple[Review, ...]:
    """The reviews of every version of a report, oldest first; the view is on record.

    Raises NotFound.
    """
    query = (
        select(tables.reviews)
        .where(_REVIEWS.report_id == report_id.bytes)
        .order_by(_REVIEWS.reviewed_at, _REVIEWS.id)
    )
    with store.read() as connection:
        patient = _patient_of(store, connection, report_id, 1)
        rows = connection.execute(query).all()
        names = naming.names(store, connection, (row.reviewed_by for row in rows))
        found = tuple(_review(store, patient, row, names) for row in rows)
    if found:
        _record_view(store, actor, "report", report_id.hex, len(found))
    return found


def _review(store: Store, patient: Patient, row: Row[Any], names: dict[str, str]) -> Review:
    return Review(
        row.version,
        from_utc_text(row.reviewed_at),
        row.reviewed_by,
        names.get(row.reviewed_by),
        _text(store, patient, row),
    )


@guarded(Action.READ_REPORT)
def heard_back(store: Store, actor: Actor, *, days: int = 30) -> tuple[Heard, ...]:
    """Reviews of the last ``days`` days of reports that the actor filed; at most 10.

    Newest first. That it was seen is on record when there was something to see.
    """
    since = utc_text(store.clock() - timedelta(days=days))
    with store.read() as connection:
        rows = connection.execute(_heard_query(actor, since)).all()
        names = naming.names(store, connection, (row.reviewed_by for row in rows))
        found = tuple(_heard(store, connection, row, names) for row in rows)
    if found:
        _record_view(store, actor, "reviews", "", len(found))
    return found


def _heard_query(actor: Actor, since: str) -> Select[Any]:
    # A join would let the database begin with all reports, whose sealed documents are many pages.
    filed_by = (
        select(_REPORTS.created_by)
        .where(_REPORTS.report_id == _REVIEWS.report_id, _REPORTS.version == 1)
        .scalar_subquery()
    )
    return (
        select(tables.reviews)
        .where(_REVIEWS.reviewed_at >= since, filed_by == actor.id)
        .order_by(_REVIEWS.reviewed_at.desc(), _REVIEWS.id.desc())
        .limit(MOST_HEARD)
    )


def _session_of(connection: Connection, report_id: bytes) -> Any:
    sessions, protocols = tables.sessions.c, tables.protocols.c
    protocol = (protocols.no == sessions.protocol_no) & (
        protocols.version == sessions.protocol_version
    )
    query = (
        select(sessions.patient_no, sessions.day, protocols.content)
        .join_from(tables.sessions, tables.protocols, protocol)
        .where(sessions.report_id == report_id)
    )
    return connection.execute(query).one()


def _heard(store: Store, connection: Connection, row: Row[Any], names: dict[str, str]) -> Heard:
    session = _session_of(connection, bytes(row.report_id))
    patient = patients.by_number(connection, store.ring, session.patient_no)
    return Heard(
        UUID(bytes=bytes(row.report_id)),
        day_of(session.day),
        parse_protocols(session.content.encode())[0].name,
        from_utc_text(row.reviewed_at),
        names.get(row.reviewed_by),
        _text(store, patient, row),
    )


def _record_view(store: Store, actor: Actor, kind: str, object_id: str, count: int) -> None:
    with store.write() as writer:
        writer.log(actor, "review.view", kind, object_id, note=f"reviews {count}")
        writer.commit()
