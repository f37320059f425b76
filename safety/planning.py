"""Planned sessions: who is expected, where, for which protocol and when.

An appointment is a row of numbers under a keyed digest; it names nobody. It is never deleted: one
that will not take place is cancelled, and planning it again brings it back.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select, update

from safety import protocols
from safety.access import Action, Actor, guarded
from safety.clock import day_number, from_utc_text, utc_text
from safety.errors import Conflict, InvalidReport, NotFound, Problem, UnknownName
from safety.importing.sheets import RowError
from safety.protocols import Site
from safety.store import patients, tables
from safety.store.handle import Store
from safety.store.preparing import fold
from safety.store.writing import Writer, new_id
from safety.vocabulary.protocols import protocol_index

FARTHEST: Final = timedelta(days=366)
"""How far from now a session may be planned, either way (default): beyond, the year is mistyped."""
ENTERED: Final = "entered"
IMPORTED: Final = "imported"
_TAKEN: Final = (
    "is the time of another session of this patient, of another protocol or site. Cancel that one "
    "first, or correct the time."
)
_COLUMNS: Final = tables.appointments.c


@dataclass(frozen=True, slots=True)
class Appointment:
    """A planned session. ``site`` is a name, ``protocol`` an id, ``planned_at`` is in UTC."""

    id: UUID
    patient_no: int
    site: str
    protocol: str
    planned_at: datetime
    source: str
    cancelled: bool

    def __repr__(self) -> str:
        return f"Appointment({self.id})"


@dataclass(slots=True)
class PlanResult:
    """What an import of a plan did, or would have done. With any error nothing was written.

    ``unchanged`` are appointments that were there already; ``cancelled`` of them had been cancelled
    here and stay so.
    """

    planned: int = 0
    unchanged: int = 0
    cancelled: int = 0
    new_patients: int = 0
    errors: list[RowError] = field(default_factory=list)


class Names:
    """The sites and protocols of a clinic, by number and by name."""

    def __init__(self, connection: Connection) -> None:
        rows = connection.execute(select(tables.sites).order_by(tables.sites.c.no)).all()
        self.sites = {row.no: Site(row.no, row.name, row.timezone) for row in rows}
        self._by_name = {row.folded: self.sites[row.no] for row in rows}
        numbered = select(tables.protocols.c.no, tables.protocols.c.id)
        self.protocol_ids: dict[int, str] = {row.no: row.id for row in connection.execute(numbered)}
        self._numbers: dict[str, int] = {text: number for number, text in self.protocol_ids.items()}
        self.in_use = protocols.newest(connection)
        self._index = protocol_index(self.in_use)

    def site(self, name: str | None) -> Site:
        """The site called ``name``; without a name the only one. Raises UnknownName."""
        if name is None and len(self.sites) == 1:
            return next(iter(self.sites.values()))
        if name is None:
            raise UnknownName("This clinic has more than one site. Name the site.")
        found = self._by_name.get(fold(name))
        if found is None:
            known = ", ".join(site.name for site in self.sites.values())
            raise UnknownName(f"No site has this name. The sites: {known}.")
        return found

    def protocol_no(self, name: str) -> int:
        """The number of the protocol in use with this id, name or synonym. Raises UnknownName."""
        return self._numbers[self._index.find(name).id]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A session that shall be planned."""

    patient_no: int
    site: Site
    protocol_no: int
    planned_at: datetime

    def __repr__(self) -> str:
        return "Wanted(...)"

    def row(self, writer: Writer, actor: Actor, source: str) -> dict[str, Any]:
        """The row of ``appointments`` for it, without its mac."""
        local = self.planned_at.astimezone(ZoneInfo(self.site.timezone))
        return {
            "id": new_id().bytes,
            "patient_no": self.patient_no,
            "site_no": self.site.no,
            "protocol_no": self.protocol_no,
            "planned_at": utc_text(self.planned_at),
            "day": day_number(local.date()),
            "source": source,
            "cancelled": 0,
            "created_at": writer.at,
            "created_by": actor.id,
        }

    def fits(self, row: Any) -> bool:
        """Whether ``row``, of the same patient and time, is this session."""
        return bool(row.site_no == self.site.no and row.protocol_no == self.protocol_no)


@guarded(Action.PLAN_SESSIONS)
def plan_session(
    store: Store,
    actor: Actor,
    *,
    mrn: str | None = None,
    patient_no: int | None = None,
    protocol: str,
    site: str | None = None,
    planned_at: datetime,
) -> Appointment:
    """Plan a session of the patient with this MRN or number.

    Planning the same session again changes nothing; a cancelled one comes back. Raises NotFound,
    UnknownName, InvalidReport (the time), and Conflict when the patient has another session then.
    """
    at = to_the_minute(store, planned_at)
    with store.write() as writer:
        names = Names(writer.connection)
        number = _patient_no(store, writer.connection, mrn, patient_no)
        wanted = Wanted(number, names.site(site), names.protocol_no(protocol), at)
        row = _planned(writer, actor, wanted)
        writer.commit()
    return _appointment(names, row)


def to_the_minute(store: Store, planned_at: datetime) -> datetime:
    """``planned_at`` without seconds. Raises InvalidReport when it cannot be the time of a plan."""
    if planned_at.tzinfo is None:
        raise InvalidReport([Problem("planned_at", "has no time zone. Give the site's.")])
    if abs(planned_at - store.clock()) > FARTHEST:
        text = "lies more than a year from today. Check the date."
        raise InvalidReport([Problem("planned_at", text)])
    return planned_at.replace(second=0, microsecond=0)


def _patient_no(
    store: Store, connection: Connection, mrn: str | None, patient_no: int | None
) -> int:
    if patient_no is not None:
        return patients.by_number(connection, store.ring, patient_no).no
    found = patients.by_mrn(connection, store.ring, mrn) if mrn else None
    if found is None:
        raise NotFound("Nobody in this store has this MRN. Add the patient with a first report.")
    return found.no


def _planned(writer: Writer, actor: Actor, wanted: Wanted) -> Any:
    known = writer.connection.execute(
        select(tables.appointments).where(
            _COLUMNS.patient_no == wanted.patient_no,
            _COLUMNS.planned_at == utc_text(wanted.planned_at),
        )
    ).first()
    if known is None:
        row = wanted.row(writer, actor, ENTERED)
        mac = writer.insert(tables.appointments, row)
        writer.log(actor, "session.plan", "appointment", row["id"].hex(), macs=[mac])
        return _by_id(writer.connection, row["id"])
    if known.cancelled:
        row = wanted.row(writer, actor, ENTERED) | {"id": bytes(known.id)}
        return replaced(writer, actor, "session.plan", row)
    if not wanted.fits(known):
        raise Conflict(f"This {_TAKEN}")
    return known


@guarded(Action.PLAN_SESSIONS)
def cancel_appointment(store: Store, actor: Actor, appointment_id: UUID) -> None:
    """Say that a planned session will not take place; again changes nothing. Raises NotFound."""
    with store.write() as writer:
        row = _by_id(writer.connection, appointment_id.bytes)
        if row is None:
            raise NotFound("There is no such appointment in this store.")
        if not row.cancelled:
            changed = {**row._asdict(), "id": bytes(row.id), "cancelled": 1}
            replaced(writer, actor, "session.cancel", changed)
        writer.commit()


def replaced(writer: Writer, actor: Actor, action: str, row: dict[str, Any]) -> Any:
    """Put ``row`` in the place of the appointment with its id, on record as ``action``."""
    writer.digests.stamped(tables.appointments, row)
    changed = update(tables.appointments).where(_COLUMNS.id == row["id"])
    writer.connection.execute(changed, row)
    writer.log(actor, action, "appointment", row["id"].hex(), macs=[row["mac"]])
    return _by_id(writer.connection, row["id"])


def _by_id(connection: Connection, appointment_id: bytes) -> Any:
    query = select(tables.appointments).where(_COLUMNS.id == appointment_id)
    return connection.execute(query).first()


@guarded(Action.PLAN_SESSIONS)
def appointments_on(
    store: Store, actor: Actor, day: date, site: str | None = None
) -> tuple[Appointment, ...]:
    """The sessions planned for a calendar day of their site, by time; cancelled ones left out.

    The list is on record. Raises UnknownName for a site that is not there.
    """
    with store.read() as connection:
        names = Names(connection)
        site_no = None if site is None else names.site(site).no
        found = planned_on(connection, names, day_number(day), site_no)
    with store.write() as writer:
        writer.log(actor, "appointment.list", "appointments", "", note=f"count {len(found)}")
        writer.commit()
    return found


def planned_on(
    connection: Connection, names: Names, day: int, site_no: int | None
) -> tuple[Appointment, ...]:
    """As :func:`appointments_on`, for numbers, inside a transaction."""
    query = select(tables.appointments).where(_COLUMNS.day == day, _COLUMNS.cancelled == 0)
    if site_no is not None:
        query = query.where(_COLUMNS.site_no == site_no)
    query = query.order_by(_COLUMNS.planned_at, _COLUMNS.patient_no)
    return tuple(_appointment(names, row) for row in connection.execute(query))


def _appointment(names: Names, row: Any) -> Appointment:
    return Appointment(
        UUID(bytes=bytes(row.id)),
        row.patient_no,
        names.sites[row.site_no].name,
        names.protocol_ids[row.protocol_no],
        from_utc_text(row.planned_at),
        row.source,
        bool(row.cancelled),
    )


@guarded(Action.PLAN_SESSIONS)
def import_plan(store: Store, actor: Actor, path: Path, *, dry_run: bool = False) -> PlanResult:
    """Import planned sessions from a CSV file, all rows or none.

    Columns: ``patient_mrn, protocol, planned_at`` and, where wanted, ``site, patient_name,
    birth_date``; a time without an offset is local time of the site. A patient who is not in the
    store is added when name or birth date are given, else the row is an error. ``dry_run`` checks
    everything against the store and writes nothing.
    """
    from safety.importing.plans import PlanFile  # which needs what stands above

    with store.write() as writer:
        result = PlanFile(store, writer, actor, path).load()
        if not result.errors and not dry_run:
            note = f"planned {result.planned}, patients {result.new_patients}"
            writer.log(actor, "plan.import", "plan", "", note=note)
            writer.commit()
    return PlanResult(errors=result.errors) if result.errors else result
