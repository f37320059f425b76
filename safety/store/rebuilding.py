"""Making the index rows anew from the sealed reports, and comparing them with those in use."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import Connection, Table, delete, select

from safety.access import Actor
from safety.store import reading, tables
from safety.store.engine import streamed
from safety.store.handle import Store
from safety.store.preparing import fold, prepare
from safety.store.reading import Stored
from safety.store.recording import Filing, Recorder, sites_by_folded_name
from safety.store.writing import Writer

Rows: TypeAlias = list[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """How many reports were read, and the reports whose index rows differed (by id)."""

    reports: int
    events: int
    differing: tuple[str, ...]
    written: bool


def rebuild(store: Store, actor: Actor, *, write: bool = False) -> Rebuilt:
    """Build every index row again from the sealed reports and compare.

    With ``write`` the rows that differ are replaced, in one transaction and on record. Index rows
    that belong to no report count as differing too, and are removed.
    """
    with store.write() as writer:
        builder = _Builder(store, writer, actor)
        stale: list[tuple[int, Stored | None, Rows]] = []
        for session_no, stored, present in _side_by_side(store, writer.connection):
            rows = builder.rows(session_no, stored) if stored else []
            if rows != present:
                stale.append((session_no, stored, rows))
        if write:
            for session_no, _, _ in stale:  # all of them first: a moved row holds another's place
                _remove(writer, session_no)
            for session_no, stored, rows in stale:
                if stored is not None:
                    _put(writer, actor, session_no, stored, rows)
        names = tuple(stored.report_id.hex if stored else f"row {no}" for no, stored, _ in stale)
        note = f"differing {len(stale)}, {'written' if write else 'compared only'}"
        writer.log(actor, "store.rebuild", "index", str(builder.reports), note=note)
        writer.commit()
    return Rebuilt(builder.reports, builder.events, names, write and bool(stale))


class _Builder:
    """Makes index rows, with the numbers from the dictionary tables and not from the index."""

    def __init__(self, store: Store, writer: Writer, actor: Actor) -> None:
        self._recorder = Recorder(store, writer, actor)
        self._zones = {name: zone for name, (_, zone) in sites_by_folded_name(writer).items()}
        self.reports = 0
        self.events = 0

    def rows(self, session_no: int, stored: Stored) -> Rows:
        report = stored.report
        prepared = prepare(report, self._zones[fold(report.site)])
        filing = Filing(stored.report_id, stored.version, session_no)
        self.reports += 1
        self.events += len(report.events)
        return self._recorder.index_rows(prepared, stored.patient_no, filing)


def _side_by_side(
    store: Store, connection: Connection
) -> Iterator[tuple[int, Stored | None, Rows]]:
    """Every session number with its newest report and its present index rows, in order."""
    reports = _Stream(reading.every_current(connection, store.ring))
    sessions = _Stream(_rows(connection, tables.sessions, "no"))
    events = _Stream(_rows(connection, tables.events, "session_no"))
    streams = (reports, sessions, events)
    while any(stream.number is not None for stream in streams):
        number = min(stream.number for stream in streams if stream.number is not None)
        stored: list[Stored] = reports.take(number)
        present: Rows = [*sessions.take(number), *events.take(number)]
        yield number, stored[0] if stored else None, present


class _Stream:
    """Rows in the order of their session number, taken number by number."""

    def __init__(self, rows: Iterator[tuple[int, Any]]) -> None:
        self._rows = rows
        self._next = next(rows, None)

    @property
    def number(self) -> int | None:
        return None if self._next is None else self._next[0]

    def take(self, number: int) -> list[Any]:
        taken = []
        while self._next is not None and self._next[0] == number:
            taken.append(self._next[1])
            self._next = next(self._rows, None)
        return taken


def _rows(connection: Connection, table: Table, number: str) -> Iterator[tuple[int, Any]]:
    query = select(table).order_by(*table.primary_key.columns)
    for row in streamed(connection, query):
        yield getattr(row, number), tuple(row)


def _remove(writer: Writer, session_no: int) -> None:
    connection = writer.connection
    connection.execute(delete(tables.events).where(tables.events.c.session_no == session_no))
    connection.execute(delete(tables.sessions).where(tables.sessions.c.no == session_no))


def _put(writer: Writer, actor: Actor, session_no: int, stored: Stored, rows: Rows) -> None:
    writer.insert_all(tables.sessions, rows[:1])
    writer.insert_all(tables.events, rows[1:])
    columns = tables.reports.c
    mac = writer.connection.execute(
        select(columns.mac).where(
            columns.session_no == session_no, columns.version == stored.version
        )
    ).scalar_one()
    macs = [bytes(mac), *(row[-1] for row in rows)]
    note = f"v{stored.version}"
    writer.log(actor, "report.reindex", "report", stored.report_id.hex, note=note, macs=macs)
