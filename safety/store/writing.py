"""One write transaction: rollback is the default, commit is a word one writes."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, Table, func, insert, select

from safety import audit
from safety.access import Actor
from safety.clock import Clock, from_utc_text, utc_text
from safety.store import tables
from safety.store.rows import RowDigests

CLOCK_TOLERANCE: Final = timedelta(minutes=2)


def new_id() -> UUID:
    """A random id that begins with the time (RFC 9562, version 7).

    New rows then stand side by side in an index, which halves the pages that a filing touches. The
    time is no secret beside ``created_at``.
    """
    at = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10), "big")
    return UUID(int=at << 80 | random & _RANDOM_BITS | _VERSION_7)


_RANDOM_BITS: Final = 0xFFF_3FFF_FFFF_FFFF_FFFF  # all that version and variant leave
_VERSION_7: Final = 7 << 76 | 0b10 << 62


class Writer:
    """Collects audit entries beside the rows it inserts, and writes both or neither."""

    def __init__(
        self, connection: Connection, audit_key: bytes, digests: RowDigests, clock: Clock
    ) -> None:
        self.connection = connection
        self.digests = digests
        self.committed = False
        self.filling = False  # whether this transaction fills an empty embedded store
        self._clock = clock
        self._entries: list[tuple[Any, ...]] = []
        self._numbers: dict[tuple[str, str], int] = {}
        self._statements: dict[str, tuple[str, bool]] = {}
        head, last_at = _head(connection)
        self._chain = audit.Chain(audit_key, head)
        self.at = utc_text(clock())
        self._note_clock_step(last_at)

    @property
    def head(self) -> audit.Head:
        """Where the audit chain ends when this transaction is committed."""
        return self._chain.head

    @property
    def now(self) -> datetime:
        """The time of this transaction; every row and entry of it carries the same."""
        return from_utc_text(self.at)

    def log(
        self,
        actor: Actor,
        action: str,
        kind: str,
        object_id: str,
        *,
        note: str | None = None,
        macs: Sequence[bytes] = (),
    ) -> None:
        """Add an audit entry. ``macs`` are those of the rows the action wrote, in fixed order."""
        digest = self.digests.group(macs) if macs else None
        entry = audit.Entry(self.at, actor.id, actor.role, action, kind, object_id, note, digest)
        self._entries.append(self._chain.append(entry))

    def insert(self, table: Table, row: dict[str, Any]) -> bytes:
        """Insert one protected row with its mac, and return the mac."""
        self.digests.stamped(table, row)
        self.connection.execute(insert(table), row)
        return bytes(row["mac"])

    def insert_all(self, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
        """Insert rows given as all columns in table order, macs included, plain values only.

        The statement goes to the driver as it is: for an import the per-value conversions of the
        expression layer would cost as much as the encryption.
        """
        if not rows:
            return
        statement, by_name = self._statement(table)
        if by_name:
            names = table.c.keys()
            named = [dict(zip(names, row, strict=True)) for row in rows]
            self.connection.exec_driver_sql(statement, named)
        else:
            self.connection.exec_driver_sql(statement, rows)

    def _statement(self, table: Table) -> tuple[str, bool]:
        found = self._statements.get(table.name)
        if found is None:
            compiled = insert(table).compile(dialect=self.connection.dialect)
            found = (str(compiled), not compiled.positional)
            self._statements[table.name] = found
        return found

    def has_rows(self, table: Table) -> bool:
        """Whether ``table`` holds anything."""
        return self.connection.execute(select(table.c[0]).limit(1)).first() is not None

    def next_number(self, table: Table, column: str = "no") -> int:
        """The next free number of ``table``; safe because writers follow one another."""
        key = (table.name, column)
        if key not in self._numbers:
            highest = self.connection.execute(select(func.max(table.c[column]))).scalar()
            self._numbers[key] = highest or 0
        self._numbers[key] += 1
        return self._numbers[key]

    def flush_entries(self) -> None:
        """Insert the audit entries collected so far (a long import does this batch by batch)."""
        self.insert_all(tables.audit, self._entries)
        self._entries = []

    def commit(self) -> None:
        """Write the audit entries and commit. Nothing before this call lasts."""
        self.flush_entries()
        self.connection.commit()
        self.committed = True

    def _note_clock_step(self, last_at: str | None) -> None:
        if last_at is None or from_utc_text(last_at) - self.now <= CLOCK_TOLERANCE:
            return
        entry = audit.Entry(self.at, "system", "system", "clock-step-back", "clock", last_at)
        self._entries.append(self._chain.append(entry))


def _head(connection: Connection) -> tuple[audit.Head, str | None]:
    columns = tables.audit.c
    row = connection.execute(
        select(columns.seq, columns.mac, columns.at).order_by(columns.seq.desc()).limit(1)
    ).first()
    return (audit.Head(row.seq, bytes(row.mac)), row.at) if row else (audit.Head(), None)
