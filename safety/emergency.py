"""Emergency access: one patient's record for a role that may not see patients, and not unseen.

Who looks after accounts or compliance has no business with patients on an ordinary day. In an
emergency nobody may be there who has. So these roles can open one record with a reason, for half an
hour; the medical director is told in the same transaction, and every view is on record.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, Row, func, select

from safety import mail, naming, notices, patient_view
from safety.access import Action, Actor, guarded
from safety.clock import from_utc_text, utc_text
from safety.errors import AccessDenied, InvalidReport, NotFound, Problem, Tampered
from safety.keys.sealing import Place, padded, unpadded
from safety.limits import text_problem
from safety.model import PatientIdentity
from safety.patient_view import PatientRecord
from safety.store import patients, tables
from safety.store.handle import Store
from safety.store.patients import Patient
from safety.store.writing import Writer, new_id

LASTS: Final = timedelta(minutes=30)  # default of Afterdose
SHORTEST_REASON: Final = 10
LONGEST_REASON: Final = 500
KIND: Final = "emergency-access"
_MINUTE: Final = timedelta(minutes=1)

_COLUMNS: Final = tables.emergency_access.c
_AUDIT: Final = tables.audit.c


@dataclass(frozen=True, slots=True)
class Emergency:
    """One emergency access; ``actor`` is who asked, and nobody else may use it."""

    id: UUID
    actor: str
    patient_no: int
    began_at: datetime
    ends_at: datetime

    def __repr__(self) -> str:
        return f"Emergency({self.id})"


@dataclass(frozen=True, slots=True)
class LoggedEmergency:
    """One emergency access as the director reads of it.

    ``by`` is the name of who asked, None when it is no account's; ``views`` counts views.
    """

    emergency: Emergency
    by: str | None
    identity: PatientIdentity
    reason: str
    views: int

    def __repr__(self) -> str:
        return f"LoggedEmergency({self.emergency.id})"


@guarded(Action.BREAK_GLASS)
def begin_emergency(store: Store, actor: Actor, *, mrn: str, reason: str) -> Emergency:
    """Open the record of the patient with ``mrn`` for :data:`LASTS`, and tell the director.

    ``reason`` has 10 to 500 characters and is sealed under the patient's key. Raises InvalidReport,
    or NotFound for an MRN that nobody has; that it was tried is on record, the MRN is not.
    """
    reason = _checked_reason(reason)
    with store.write() as writer:
        patient = patients.by_mrn(writer.connection, store.ring, mrn)
        begun = None if patient is None else _begin(store, writer, actor, patient, reason)
        if begun is None:
            writer.log(actor, Action.BREAK_GLASS, "patients", "", note="no such patient")
        writer.commit()
    if begun is None:
        raise NotFound(
            "No patient of this clinic has this MRN. Check it with whoever gave it to you."
        )
    mail.wake(store)
    return begun


def _checked_reason(reason: str) -> str:
    reason = reason.strip()
    if len(reason) < SHORTEST_REASON:
        text = f"Say why in {SHORTEST_REASON} characters or more: the medical director reads it."
        raise InvalidReport([Problem("reason", text)])
    if (problem := text_problem("reason", reason, LONGEST_REASON)) is not None:
        raise InvalidReport([problem])
    return reason


def _begin(store: Store, writer: Writer, actor: Actor, patient: Patient, reason: str) -> Emergency:
    begun = Emergency(new_id(), actor.id, patient.no, writer.now, writer.now + LASTS)
    place = _reason_place(store, begun.id, patient.id)
    row = {
        "id": begun.id.bytes,
        "actor": actor.id,
        "patient_no": patient.no,
        "began_at": writer.at,
        "ends_at": utc_text(begun.ends_at),
        "reason": patient.key.seal(padded(reason.encode()), place),
    }
    mac = writer.insert(tables.emergency_access, row)
    note = f"patient {patient.no}"
    writer.log(actor, Action.BREAK_GLASS, KIND, begun.id.hex, note=note, macs=[mac])
    notices.add(writer, actor, KIND, begun.id.hex)
    return begun


def _reason_place(store: Store, emergency_id: UUID, patient_id: UUID) -> Place:
    clinic = store.ring.clinic
    return Place("field", clinic, "emergency_access", "reason", emergency_id, 1, patient_id)


@guarded(Action.BREAK_GLASS)
def emergency_record(store: Store, actor: Actor, emergency_id: UUID) -> PatientRecord:
    """The record that ``emergency_id`` opens, for who asked and until it ends; on record.

    Raises NotFound for an access of somebody else, and AccessDenied after its end.
    """
    emergency = _own(store, actor, emergency_id)
    _refuse_after_its_end(store, actor, emergency)
    record = patient_view.opened_record(store, emergency.patient_no)
    with store.write() as writer:
        number = str(emergency.patient_no)
        writer.log(actor, "patient.view", "patient", number, note=_view_note(emergency.id))
        writer.commit()
    return record


@guarded(Action.BREAK_GLASS)
def minutes_left(store: Store, actor: Actor, emergency_id: UUID) -> int:
    """Minutes until the actor's own access ends, begun ones whole; 0 after it. Raises NotFound."""
    left = _own(store, actor, emergency_id).ends_at - store.clock()
    return max(0, -(-left // _MINUTE))


@guarded(Action.BREAK_GLASS)
def running_emergencies(store: Store, actor: Actor) -> tuple[Emergency, ...]:
    """The actor's own accesses that have not ended, newest first: a reload must not lose one."""
    query = (
        select(tables.emergency_access)
        .where(_COLUMNS.actor == actor.id, _COLUMNS.ends_at > utc_text(store.clock()))
        .order_by(_COLUMNS.began_at.desc())
    )
    with store.read() as connection:
        return tuple(_trusted(store, row) for row in connection.execute(query))


@guarded(Action.READ_NOTICES)
def emergency_log(store: Store, actor: Actor, *, most: int = 50) -> tuple[LoggedEmergency, ...]:
    """The newest emergency accesses: who, when, which patient, why. That it was read is on record.

    Raises Tampered when a row was changed outside Afterdose.
    """
    query = select(tables.emergency_access).order_by(_COLUMNS.began_at.desc()).limit(most)
    with store.read() as connection:
        rows = connection.execute(query).all()
        found = tuple(_logged(store, connection, row) for row in rows)
    with store.write() as writer:
        writer.log(actor, "emergency.list", "emergency-accesses", "", note=f"{len(found)}")
        writer.commit()
    return found


def _own(store: Store, actor: Actor, emergency_id: UUID) -> Emergency:
    """The actor's own access, ended or not. Raises NotFound, on record."""
    query = select(tables.emergency_access).where(_COLUMNS.id == emergency_id.bytes)
    with store.read() as connection:
        row = connection.execute(query).first()
    if row is None or row.actor != actor.id:
        _record_refusal(store, actor, emergency_id)
        raise NotFound("There is no such emergency access of yours. Begin one with its reason.")
    return _trusted(store, row)


def _refuse_after_its_end(store: Store, actor: Actor, emergency: Emergency) -> None:
    if store.clock() < emergency.ends_at:
        return
    _record_refusal(store, actor, emergency.id)
    raise AccessDenied(
        f"The {LASTS // _MINUTE} minutes of this emergency access are over. If the emergency goes "
        "on, begin another with its reason."
    )


def _record_refusal(store: Store, actor: Actor, emergency_id: UUID) -> None:
    with store.write() as writer:
        writer.log(actor, "access.denied", KIND, emergency_id.hex)
        writer.commit()


def _trusted(store: Store, row: Row[Any]) -> Emergency:
    """The row as a value. Raises Tampered: an end moved through SQL must not open anything."""
    found = Emergency(
        UUID(bytes=bytes(row.id)),
        row.actor,
        row.patient_no,
        from_utc_text(row.began_at),
        from_utc_text(row.ends_at),
    )
    mac = store.digests.mac(tables.emergency_access, row._asdict())
    if not hmac.compare_digest(mac, bytes(row.mac)):
        raise Tampered(
            f"The emergency access {found.id.hex} was changed outside Afterdose. Run "
            "`afterdose verify --store` and restore the backup."
        )
    return found


def _logged(store: Store, connection: Connection, row: Row[Any]) -> LoggedEmergency:
    emergency = _trusted(store, row)
    patient = patients.by_number(connection, store.ring, emergency.patient_no)
    place = _reason_place(store, emergency.id, patient.id)
    reason = unpadded(patient.key.open(bytes(row.reason), place)).decode()
    by = naming.names(store, connection, [emergency.actor]).get(emergency.actor)
    views = _views(connection, emergency)
    return LoggedEmergency(emergency, by, patient.identity, reason, views)


def _views(connection: Connection, emergency: Emergency) -> int:
    query = select(func.count()).where(
        _AUDIT.kind == "patient",
        _AUDIT.object == str(emergency.patient_no),
        _AUDIT.action == "patient.view",
        _AUDIT.note == _view_note(emergency.id),
    )
    return connection.execute(query).scalar_one()


def _view_note(emergency_id: UUID) -> str:
    return f"emergency {emergency_id.hex}"
