"""Reading the sealed record back: one report, its history, all of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, select

from safety.clock import from_utc_text
from safety.document import from_document
from safety.errors import NotFound
from safety.keys.ring import KeyRing
from safety.keys.sealing import unpadded
from safety.model import SessionReport
from safety.store import patients, tables
from safety.store.engine import streamed
from safety.store.patients import Patient
from safety.store.recording import document_place


@dataclass(frozen=True, slots=True)
class Stored:
    """One version of a report as it was filed. ``created_by`` is an account id or ``console``."""

    report_id: UUID
    version: int
    patient_no: int
    created_at: datetime
    created_by: str
    report: SessionReport

    def __repr__(self) -> str:
        return f"Stored({self.report_id}, version={self.version})"


def opened(ring: KeyRing, patient: Patient, row: Row[Any]) -> Stored:
    """Open one row of ``reports``."""
    report_id = UUID(bytes=bytes(row.report_id))
    place = document_place(ring.clinic, report_id, row.version, patient.id)
    document = unpadded(patient.key.open(bytes(row.document), place))
    return Stored(
        report_id,
        row.version,
        row.patient_no,
        from_utc_text(row.created_at),
        row.created_by,
        from_document(document),
    )


def versions(connection: Connection, ring: KeyRing, report_id: UUID) -> list[Stored]:
    """Every version of a report, oldest first. Raises NotFound."""
    columns = tables.reports.c
    rows = connection.execute(
        select(tables.reports).where(columns.report_id == report_id.bytes).order_by(columns.version)
    ).all()
    if not rows:
        raise NotFound("There is no such report in this store.")
    patient = patients.by_number(connection, ring, rows[0].patient_no)
    return [opened(ring, patient, row) for row in rows]


def current(connection: Connection, ring: KeyRing, report_id: UUID) -> Stored:
    """The newest version of a report. Raises NotFound."""
    return versions(connection, ring, report_id)[-1]


def every_current(connection: Connection, ring: KeyRing) -> Iterator[tuple[int, Stored]]:
    """Session number and newest version of every report, in the order of session numbers.

    Patients' keys are opened as they come and forgotten with their last report at the latest when
    the iteration ends; nothing is kept beyond it.
    """
    keys: dict[int, Patient] = {}
    pending: Row[Any] | None = None
    columns = tables.reports.c
    query = select(tables.reports).order_by(columns.session_no, columns.version)
    for row in streamed(connection, query, 500):
        if pending is not None and pending.session_no != row.session_no:
            yield (
                pending.session_no,
                opened(ring, _patient(connection, ring, keys, pending), pending),
            )
        pending = row
    if pending is not None:
        yield pending.session_no, opened(ring, _patient(connection, ring, keys, pending), pending)


def _patient(
    connection: Connection, ring: KeyRing, known: dict[int, Patient], row: Row[Any]
) -> Patient:
    if row.patient_no not in known:
        known[row.patient_no] = patients.by_number(connection, ring, row.patient_no)
    return known[row.patient_no]
