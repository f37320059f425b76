"""Notices: what the medical director has to hear of, one row each, until somebody has seen it.

A notice names its object by id and says nothing of a patient. It is written in the transaction of
what it tells of, so that neither is there without the other; the mail about it (safety.mail) goes
out afterwards.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, update

from safety import naming
from safety.access import Action, Actor, guarded
from safety.clock import from_utc_text
from safety.errors import NotFound, Tampered
from safety.model import SessionReport
from safety.store import tables
from safety.store.handle import Store
from safety.store.writing import Writer, new_id

SERIOUS: Final = "serious"
EMERGENCY_ACCESS: Final = "emergency-access"
KIND: Final = "notice"
MOST_SHOWN: Final = 100

_COLUMNS: Final = tables.notices.c
_OPEN: Final = _COLUMNS.seen_at.is_(None)


@dataclass(frozen=True, slots=True)
class Notice:
    """One notice. ``object_id`` is the hex id of a report, or of an emergency access.

    ``by`` is the name of who caused it, None when it is no account's. ``mailed_at`` is None while
    no mail has told of it.
    """

    id: UUID
    kind: str
    object_id: str
    created_at: datetime
    by: str | None
    mailed_at: datetime | None


def add(writer: Writer, actor: Actor, kind: str, object_id: str) -> bytes:
    """Add a notice inside the transaction of what it tells of, on record; return its id.

    ``kind`` is :data:`SERIOUS` or :data:`EMERGENCY_ACCESS`. After the commit call
    ``safety.mail.wake(store)``.
    """
    notice_id = new_id().bytes
    row = {
        "id": notice_id,
        "kind": kind,
        "object": object_id,
        "created_at": writer.at,
        "created_by": actor.id,
        "seen_at": None,
        "seen_by": None,
        "mailed_at": None,
    }
    mac = writer.insert(tables.notices, row)
    writer.log(actor, "notice.add", KIND, notice_id.hex(), note=kind, macs=[mac])
    return notice_id


def newly_serious(report: SessionReport, before: SessionReport | None = None) -> bool:
    """Whether ``report`` says of an event that it is serious in a way that ``before`` did not."""
    known = frozenset() if before is None else _said(before)
    return bool(_said(report) - known)


def _said(report: SessionReport) -> frozenset[tuple[str, str]]:
    return frozenset((event.term, reason) for event in report.events for reason in event.serious)


@guarded(Action.READ_NOTICES)
def open_notices(store: Store, actor: Actor) -> tuple[Notice, ...]:  # noqa: ARG001 - guarded
    """The notices that nobody has marked as seen, newest first; at most 100."""
    query = select(tables.notices).where(_OPEN).order_by(_COLUMNS.created_at.desc())
    with store.read() as connection:
        rows = connection.execute(query.limit(MOST_SHOWN)).all()
        names = naming.names(store, connection, (row.created_by for row in rows))
    return tuple(_notice(row, names.get(row.created_by)) for row in rows)


@guarded(Action.READ_NOTICES)
def count_open(store: Store, actor: Actor) -> int:
    """How many notices wait: one look at an index, cheap enough for every run of a page."""
    return sum(open_by_kind(store, actor).values())


@guarded(Action.READ_NOTICES)
def open_by_kind(store: Store, actor: Actor) -> dict[str, int]:  # noqa: ARG001 - guarded
    """How many notices of each kind wait; a kind of which there is none is left out."""
    query = (
        select(_COLUMNS.kind, func.count().label("waiting")).where(_OPEN).group_by(_COLUMNS.kind)
    )
    with store.read() as connection:
        return {row.kind: row.waiting for row in connection.execute(query)}


@guarded(Action.READ_NOTICES)
def mark_seen(store: Store, actor: Actor, notice_id: UUID) -> None:
    """Note who has seen a notice, and when; the first to see it stays on record.

    Raises NotFound, and Tampered when the row was changed outside Afterdose.
    """
    with store.write() as writer:
        rows = _rows(writer, _COLUMNS.id == notice_id.bytes)
        if not rows:
            raise NotFound("There is no such notice in this store.")
        _see(writer, actor, rows)
        writer.commit()


@guarded(Action.READ_NOTICES)
def mark_report_seen(store: Store, actor: Actor, report_id: UUID) -> int:
    """Mark the open notices of a report as seen and return how many there were. Raises Tampered."""
    of_report = (_OPEN, _COLUMNS.kind == SERIOUS, _COLUMNS.object == report_id.hex)
    with store.read() as connection:  # mostly there is none, and then nothing is written
        if connection.execute(select(_COLUMNS.id).where(*of_report).limit(1)).first() is None:
            return 0
    with store.write() as writer:
        seen = _see(writer, actor, _rows(writer, *of_report))
        writer.commit()
    return seen


def change(writer: Writer, actor: Actor, row: dict[str, Any], action: str, **values: Any) -> None:
    """Write ``values`` over the row of a notice, on record.

    Raises Tampered when the row is not as Afterdose wrote it: a new digest would hide that.
    """
    name = bytes(row["id"]).hex()
    if not hmac.compare_digest(writer.digests.mac(tables.notices, row), bytes(row["mac"])):
        raise Tampered(
            f"The notice {name} was changed outside Afterdose. Run `afterdose verify --store` and "
            "restore the backup."
        )
    fresh = writer.digests.stamped(tables.notices, {**row, **values})
    writer.connection.execute(update(tables.notices).where(_COLUMNS.id == row["id"]).values(fresh))
    writer.log(actor, action, KIND, name, macs=[fresh["mac"]])


def unmailed(writer: Writer, ids: Iterable[bytes]) -> list[dict[str, Any]]:
    """The rows of these notices of which no mail has told yet."""
    return _rows(writer, _COLUMNS.id.in_(list(ids)), _COLUMNS.mailed_at.is_(None))


def _rows(writer: Writer, *which: ColumnElement[bool]) -> list[dict[str, Any]]:
    query = select(tables.notices).where(*which).order_by(_COLUMNS.created_at, _COLUMNS.id)
    return [row._asdict() for row in writer.connection.execute(query)]


def _see(writer: Writer, actor: Actor, rows: Sequence[dict[str, Any]]) -> int:
    waiting = [row for row in rows if row["seen_at"] is None]
    for row in waiting:
        change(writer, actor, row, "notice.seen", seen_at=writer.at, seen_by=actor.id)
    return len(waiting)


def _notice(row: Any, by: str | None) -> Notice:
    return Notice(
        UUID(bytes=bytes(row.id)),
        row.kind,
        row.object,
        from_utc_text(row.created_at),
        by,
        None if row.mailed_at is None else from_utc_text(row.mailed_at),
    )
