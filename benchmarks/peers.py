"""The same rows by two other ways: plain SQLAlchemy, and SQLAlchemy-Utils' encrypted column type.

Both write to an ordinary SQLite file, in one transaction, by ``executemany`` of SQLAlchemy Core.
Neither checks anything, audits anything, finds a duplicate, or counts faster afterwards.
"""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Final

from sqlalchemy import (
    Column,
    Connection,
    Float,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    create_engine,
    insert,
)
from sqlalchemy.types import TypeEngine
from sqlalchemy_utils import StringEncryptedType
from sqlalchemy_utils.types.encrypted.encrypted_type import AesEngine

from benchmarks.clinic import EVENT_COLUMNS, SESSION_COLUMNS
from safety.importing import cells, columns

Row = dict[str, Any]
KEY: Final = "thirty-two bytes of a fixed key.."
BATCH: Final = 500
SEALED: Final = frozenset(
    {"patient_mrn", "patient_name", "birth_date", "document", "action", "narrative"}
)
"""Columns that Afterdose seals as well (of the session, the whole report as a document)."""


def write_plain(path: Path, sessions: Path, events: Path) -> None:
    """Plain text columns."""
    _write(path, sessions, events, Text)


def write_encrypted(path: Path, sessions: Path, events: Path) -> None:
    """``StringEncryptedType`` with its ``AesEngine`` on the sealed columns."""
    _write(path, sessions, events, lambda: StringEncryptedType(Text, KEY, AesEngine, "pkcs5"))


def _write(path: Path, sessions: Path, events: Path, sealed: Callable[[], TypeEngine[Any]]) -> None:
    metadata = MetaData()
    session_table = _table("sessions", metadata, (*SESSION_COLUMNS, "document"), sealed)
    event_table = _table("events", metadata, EVENT_COLUMNS, sealed)
    Index("ix_sessions", session_table.c.protocol, session_table.c.started_at)
    Index("ix_events", event_table.c.session_ref, event_table.c.term)
    engine = create_engine(f"sqlite:///{path}")
    metadata.create_all(engine)
    with engine.begin() as connection:
        listed = list(_rows(events))
        _insert(connection, session_table, _with_document(_rows(sessions), listed))
        _insert(connection, event_table, listed)
    engine.dispose()


def _table(
    name: str, metadata: MetaData, names: Iterable[str], sealed: Callable[[], TypeEngine[Any]]
) -> Table:
    made = (Column(each, sealed() if each in SEALED else _type(each)) for each in names)
    return Table(name, metadata, *made)


_KINDS: Final = {cells.number: Float, cells.whole: Integer, cells.flag: Integer}


def _type(column: str) -> type[TypeEngine[Any]]:
    parser: Any = columns.PARSERS.get(column)
    return _KINDS.get(parser, Text)


def _rows(path: Path) -> Iterator[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield {name: cell or None for name, cell in row.items()}


def _with_document(sessions: Iterable[Row], events: Iterable[Row]) -> Iterator[Row]:
    """Add what Afterdose keeps as the signed report: the session with its events, as JSON."""
    of_session = defaultdict(list)
    for event in events:
        of_session[event["session_ref"]].append(event)
    for row in sessions:
        content = {"session": row, "events": of_session[row["session_ref"]]}
        yield row | {"document": json.dumps(content, ensure_ascii=False)}


def _insert(connection: Connection, table: Table, rows: Iterable[Row]) -> None:
    found = iter(rows)
    while batch := list(islice(found, BATCH)):
        connection.execute(insert(table), batch)
