"""What a store holds, in forms that two stores or two moments can be compared by."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select

from safety.model import SessionReport
from safety.store import reading, tables
from safety.store.handle import Store

_BY_CHANCE = frozenset({"report_id", "reference", "mac"})
"""Columns that two stores with the same sessions do not share."""


def footprint(store: Store) -> dict[str, Any]:
    """Rows of each table, the end of the audit trail and the receipts: equal if nothing changed."""
    found: dict[str, Any] = {}
    with store.read() as connection:
        for name, table in tables.metadata.tables.items():
            query = select(func.count()).select_from(table)
            found[name] = connection.execute(query).scalar_one()
        found["audit head"] = store.audit_head(connection)
    found["receipts"] = store.receipts.path.read_bytes()
    return found


def grown(before: dict[str, Any], after: dict[str, Any]) -> dict[str, int]:
    """By how many rows each table grew, without those that did not."""
    counts = tables.metadata.tables
    return {name: after[name] - before[name] for name in counts if after[name] != before[name]}


def reports_of(store: Store) -> list[SessionReport]:
    """The newest version of every report, in the order filed."""
    with store.read() as connection:
        return [stored.report for _, stored in reading.every_current(connection, store.ring)]


def index_rows_of(store: Store) -> list[dict[str, Any]]:
    """The index rows of every session, without ids and macs."""
    found = []
    with store.read() as connection:
        for table in (tables.sessions, tables.events):
            query = select(table).order_by(*table.primary_key.columns)
            found += [row._asdict() for row in connection.execute(query)]
    return [{k: v for k, v in row.items() if k not in _BY_CHANCE} for row in found]
