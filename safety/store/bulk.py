"""Filling an empty store: its indexes are built once at the end instead of row by row."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from safety.store import tables
from safety.store.writing import Writer

_LATER: Final = tuple(
    sorted(
        (index for table in (tables.sessions, tables.events) for index in table.indexes),
        key=lambda index: str(index.name),
    )
)
"""What only counting needs. Unique indexes stay: they refuse rows."""


@contextmanager
def indexes_at_the_end(writer: Writer) -> Iterator[None]:
    """Within a write transaction of the embedded store, insert first and index then.

    Sorting once costs a third of finding a place for every row. It is done only when an empty
    embedded store is filled, so that a small import into a large one does not index everything
    again. When the transaction does not commit, the indexes are as they were.
    """
    later = _LATER if writer.filling else ()
    for index in later:
        index.drop(writer.connection)
    yield
    for index in later:
        index.create(writer.connection)
