"""One write transaction: rollback is the default, commit is a word one writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import Connection, Table, func, insert, select

from safety import audit
from safety.access import Actor
from safety.clock import Clock, from_utc_text, utc_text
from safety.store import tables
from safety.store.rows import RowDigests

CLOCK_TOLERANCE: Final = timedelta(minutes=2)


class Writer:
    """Collects audit entries beside the rows it inserts, and writes both or neither."""

    def __init__(
        self, connection: Connection, audit_key: bytes, digests: RowDigests, clock: Clock
    ) -> None:
        self.connection = connection
        self.digests = digests
        self.committed = False
        self._clock = clock
        self._entries: list[dict[str, Any]] = []
        self._numbers: dict[tuple[str, str], int] = {}
        self._statements: dict[str, tuple[str, list[str] | None]] = {}
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

    def insert_all(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert rows that carry their macs already and hold plain values only.

        The statement goes to the driver as it is: for an import the per-value conversions of the
        expression layer would cost as much as the encryption.
        """
        if not rows:
            return
        statement, names = self._statement(table)
        if names is None:
            self.connection.exec_driver_sql(statement, [dict(row) for row in rows])
        else:
            pick = itemgetter(*names)
            self.connection.exec_driver_sql(statement, [pick(row) for row in rows])

    def _statement(self, table: Table) -> tuple[str, list[str] | None]:
        found = self._statements.get(table.name)
        if found is None:
            compiled = insert(table).compile(dialect=self.connection.dialect)
            found = self._statements[table.name] = (str(compiled), compiled.positiontup)
        return found

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
