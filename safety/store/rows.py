"""Keyed digests of stored rows: what tells a changed, moved or put-back row.

Each protected row carries ``mac``: keyed BLAKE2b (RFC 7693) of 128 bits over its table name and
every other column in table order, as JSON; ``mac`` is the last column everywhere. The audit row of
the change carries one digest over the
macs of all rows that the change wrote, so that an old row put back with its old mac does not fit
the audit any more.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any, Final

import orjson
from sqlalchemy import Table

from safety.store import tables

MAC_BYTES: Final = 16
_LONGEST_SHOWN: Final = 64  # a sealed document goes in by its hash


class RowDigests:
    """Computes row macs and the digest of a group of rows under one key."""

    __slots__ = ("_columns", "_key", "_labels", "_pick")

    def __init__(self, key: bytes) -> None:
        self._key = key
        protected = [t for t in tables.metadata.tables.values() if "mac" in t.c]
        self._columns: dict[str, tuple[str, ...]] = {
            t.name: tuple(c.name for c in t.c if c.name != "mac") for t in protected
        }
        self._pick = {name: itemgetter(*columns) for name, columns in self._columns.items()}
        self._labels = {name: name.encode() + b"\0" for name in self._columns}

    def mac(self, table: Table, row: Mapping[str, Any]) -> bytes:
        """Digest of one row given as a mapping of all its columns (``mac`` itself is ignored)."""
        return self._of(table.name, self._pick[table.name](row))

    def stamped(self, table: Table, row: dict[str, Any]) -> dict[str, Any]:
        """Put the mac into ``row`` and return it."""
        row["mac"] = self.mac(table, row)
        return row

    def with_mac(self, table: Table, values: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return ``values``, all other columns in table order, with the mac at the end."""
        return (*values, self._of(table.name, values))

    def reader(self, table: Table, names: Sequence[str]) -> Callable[[Sequence[Any]], bytes]:
        """Return a function that digests tuples whose columns come in the order ``names``."""
        places = [names.index(column) for column in self._columns[table.name]]
        return lambda row: self._of(table.name, [row[place] for place in places])

    def _of(self, table: str, values: Sequence[Any]) -> bytes:
        return self._keyed(self._labels[table] + orjson.dumps(values, default=_hex))

    def group(self, macs: Iterable[bytes]) -> bytes:
        """One digest over macs of fixed length, in the order given."""
        return self._keyed(b"group\0" + b"".join(macs))

    def _keyed(self, message: bytes) -> bytes:
        return hashlib.blake2b(message, digest_size=MAC_BYTES, key=self._key).digest()


def _hex(value: object) -> str:
    if isinstance(value, bytes) and len(value) <= _LONGEST_SHOWN:
        return value.hex()  # nearly always
    if not isinstance(value, bytes | memoryview | bytearray):
        raise TypeError(f"{type(value).__name__} cannot stand in a row")
    if len(value) > _LONGEST_SHOWN:
        return "sha256:" + hashlib.sha256(value).hexdigest()
    return value.hex()
