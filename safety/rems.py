"""The patient monitoring form of the SPRAVATO REMS: due after each esketamine session.

One form a session of an outpatient, within 7 days (clinical reference 1.1: instructions of the
form, June 2024; REMS site, inpatient settings). A hospital does not submit it. A form that was
marked by mistake keeps its row with an empty time: what the audit trail names is never deleted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Select, or_, select, tuple_, update

from safety.access import Action, Actor, guarded
from safety.clock import day_number, day_of
from safety.errors import NotFound
from safety.model import PatientIdentity, Setting
from safety.planning import Names
from safety.store import patients, tables
from safety.store.handle import Store
from safety.store.writing import Writer
from safety.vocabulary import parse_protocols
from safety.vocabulary.protocol import Drug

FORM_DAYS: Final = 7
"""Days from the session to the last day for its form (SPRAVATO REMS)."""
LOOK_BACK_DAYS: Final = 60
"""Older sessions are not asked about (default), so that an imported history does not flood."""
_SUBMITS: Final = (Setting.CLINIC.value, Setting.HOME.value, Setting.MOBILE.value)
_NOT_SENT: Final = ""
_CHUNK: Final = 500
_SESSIONS: Final = tables.sessions.c
_FORMS: Final = tables.rems_forms.c


@dataclass(frozen=True, slots=True)
class RemsForm:
    """A form that is due. ``days_left`` counts to ``due`` and is below zero when it is late."""

    report_id: UUID
    patient_no: int
    patient: PatientIdentity
    session_day: date
    due: date
    days_left: int

    def __repr__(self) -> str:
        return f"RemsForm({self.report_id})"


@guarded(Action.TRACK_REMS)
def rems_due(store: Store, actor: Actor, *, site: str | None = None) -> list[RemsForm]:
    """The forms that are not sent yet, the longest due first; that they were seen is on record.

    Raises UnknownName for a site that is not there.
    """
    with store.read() as connection:
        names = Names(connection)
        place = None if site is None else names.site(site)
        zone = ZoneInfo(place.timezone) if place else store.clinic.timezone
        today = store.clock().astimezone(zone).date()
        found = list(forms_due(store, connection, today, place.no if place else None))
    with store.write() as writer:
        writer.log(actor, "rems.list", "rems-forms", "", note=f"forms {len(found)}")
        writer.commit()
    return found


def forms_due(
    store: Store, connection: Connection, today: date, site_no: int | None
) -> Iterator[RemsForm]:
    """As :func:`rems_due`, inside a transaction, for a day and the number of a site."""
    number = day_number(today)
    given = _esketamine(connection)
    if not given:
        return
    query = _outpatients(given).where(_SESSIONS.day.between(number - LOOK_BACK_DAYS, number))
    if site_no is not None:
        query = query.where(_SESSIONS.site_no == site_no)
    query = query.where(or_(_FORMS.report_id.is_(None), _FORMS.sent_at == _NOT_SENT))
    rows = connection.execute(query.order_by(_SESSIONS.day, _SESSIONS.no)).all()
    known = opened(store, connection, {row.patient_no for row in rows})
    for row in rows:
        session_day = day_of(row.day)
        due = session_day + timedelta(days=FORM_DAYS)
        yield RemsForm(
            UUID(bytes=bytes(row.report_id)),
            row.patient_no,
            known[row.patient_no].identity,
            session_day,
            due,
            (due - today).days,
        )


def opened(
    store: Store, connection: Connection, numbers: Iterable[int]
) -> dict[int, patients.Patient]:
    """These patients by number, in few queries."""
    wanted = sorted(set(numbers))
    found: dict[int, patients.Patient] = {}
    for start in range(0, len(wanted), _CHUNK):
        chunk = wanted[start : start + _CHUNK]
        query = select(tables.patients).where(tables.patients.c.no.in_(chunk))
        for row in connection.execute(query):
            found[row.no] = patients.opened(store.ring, row)
    return found


def _esketamine(connection: Connection) -> list[tuple[int, int]]:
    """Number and version of every protocol, in use or not, whose drug is esketamine."""
    columns = tables.protocols.c
    query = select(columns.no, columns.version, columns.content)
    return [
        (row.no, row.version)
        for row in connection.execute(query)
        if parse_protocols(row.content.encode())[0].drug is Drug.ESKETAMINE
    ]


def _outpatients(given: list[tuple[int, int]]) -> Select[Any]:
    """Sessions under these protocols whose setting submits the form, with what is noted of it."""
    return (
        select(_SESSIONS.report_id, _SESSIONS.patient_no, _SESSIONS.day, _FORMS.sent_at)
        .outerjoin_from(tables.sessions, tables.rems_forms, _FORMS.report_id == _SESSIONS.report_id)
        .where(
            _SESSIONS.protocol_no.in_({number for number, _ in given}),
            tuple_(_SESSIONS.protocol_no, _SESSIONS.protocol_version).in_(given),
            or_(_SESSIONS.setting.is_(None), _SESSIONS.setting.in_(_SUBMITS)),
        )
    )


@guarded(Action.TRACK_REMS)
def mark_sent(store: Store, actor: Actor, report_id: UUID) -> None:
    """Note that the form of a session was sent; again changes nothing.

    Raises NotFound when no form belongs to the session.
    """
    with store.write() as writer:
        given = _esketamine(writer.connection)
        query = _outpatients(given).where(_SESSIONS.report_id == report_id.bytes)
        found = writer.connection.execute(query).first() if given else None
        if found is None:
            raise NotFound(
                "No monitoring form belongs to this session: it is not in the store, was not with "
                "esketamine, or was in a hospital."
            )
        if not found.sent_at:
            _note(writer, actor, report_id, writer.at)
        writer.commit()


@guarded(Action.TRACK_REMS)
def unmark(store: Store, actor: Actor, report_id: UUID) -> None:
    """Take :func:`mark_sent` back; what was not marked stays as it is."""
    with store.write() as writer:
        query = select(_FORMS.sent_at).where(_FORMS.report_id == report_id.bytes)
        if writer.connection.execute(query).scalar():
            _note(writer, actor, report_id, _NOT_SENT)
        writer.commit()


def _note(writer: Writer, actor: Actor, report_id: UUID, sent_at: str) -> None:
    row: dict[str, Any] = {
        "report_id": report_id.bytes,
        "sent_at": sent_at,
        "sent_by": actor.id,
    }
    writer.digests.stamped(tables.rems_forms, row)
    changed = update(tables.rems_forms).where(_FORMS.report_id == report_id.bytes)
    if writer.connection.execute(changed, row).rowcount == 0:
        writer.insert(tables.rems_forms, row)
    action = "rems.sent" if sent_at else "rems.unsent"
    writer.log(actor, action, "rems-form", report_id.hex, macs=[row["mac"]])
