"""Whether a session may be on record already: reports of the same patient at about the same time.

A hint and no refusal: a patient may have two sessions on one day, as in an infusion for pain.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from safety.access import Action, Actor, guarded
from safety.clock import day_number
from safety.errors import InvalidReport, Problem
from safety.store import patients, reading, tables
from safety.store.handle import Store

CERTAIN_MINUTES: Final = 60  # default of Afterdose: two starts within an hour are one session
_WIDE: Final = timedelta(days=2)  # a day of one time zone touches three of another


@dataclass(frozen=True, slots=True)
class Likely:
    """A report that may be of the same session. ``certain``: both began within an hour."""

    report_id: UUID
    version: int
    started_at: datetime
    minutes_apart: int
    protocol: str
    session_ref: str
    certain: bool

    def __repr__(self) -> str:
        return f"Likely({self.report_id}, version={self.version})"


@guarded(Action.FILE_REPORT)
def likely_duplicates(
    store: Store, actor: Actor, *, mrn: str, started_at: datetime, report_id: UUID | None = None
) -> tuple[Likely, ...]:
    """Reports of the patient with this MRN on the same day, the nearest in time first.

    The day is that of the site of the other report; one that began within an hour counts across
    midnight too. ``report_id`` is the report being written, which is no duplicate of itself. What
    was found counts as viewed and is put on record; nothing found leaves no trace. Raises
    InvalidReport when ``started_at`` has no time zone.
    """
    if started_at.tzinfo is None:
        raise InvalidReport([Problem("started_at", "has no time zone. Give an offset.")])
    with store.read() as connection:
        rows = _same_patient(store, connection, mrn, started_at)
        others = [
            row for row in rows if report_id is None or bytes(row.report_id) != report_id.bytes
        ]
        found = [
            likely for row in others if (likely := _compared(store, connection, row, started_at))
        ]
    if found:
        with store.write() as writer:
            for each in found:
                writer.log(actor, "report.view", "report", each.report_id.hex, note="same day")
            writer.commit()
    return tuple(sorted(found, key=lambda each: (each.minutes_apart, each.started_at)))


def _same_patient(
    store: Store, connection: Connection, mrn: str, started_at: datetime
) -> list[Any]:
    """Rows of the patient's sessions on the day of ``started_at`` and the days beside it."""
    try:
        patient = patients.by_mrn(connection, store.ring, mrn)
    except InvalidReport:
        return []  # not an MRN yet: somebody is still typing
    if patient is None:
        return []
    sessions = tables.sessions.c
    first, last = (day_number((started_at + step).date()) for step in (-_WIDE, _WIDE))
    query = (
        select(sessions.report_id, sessions.day, tables.sites.c.timezone)
        .join_from(tables.sessions, tables.sites, tables.sites.c.no == sessions.site_no)
        .where(sessions.patient_no == patient.no, sessions.day.between(first, last))
    )
    return list(connection.execute(query))


def _compared(
    store: Store, connection: Connection, row: Any, started_at: datetime
) -> Likely | None:
    day = day_number(started_at.astimezone(ZoneInfo(row.timezone)).date())
    if abs(row.day - day) > 1:
        return None
    stored = reading.current(connection, store.ring, UUID(bytes=bytes(row.report_id)))
    report = stored.report
    minutes = abs(started_at - report.started_at) // timedelta(minutes=1)
    certain = minutes <= CERTAIN_MINUTES
    if row.day != day and not certain:
        return None
    return Likely(
        stored.report_id,
        stored.version,
        report.started_at,
        minutes,
        report.protocol,
        report.session_ref or "",
        certain,
    )
