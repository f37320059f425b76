"""The audit chain: what an entry is, how entries hang together, and what a checkpoint says.

An entry holds ids only, never a name, an MRN or free text, so it is not sealed and outlives a
shredded patient. ``mac`` is HMAC-SHA-256 over a label, the previous mac and the entry as canonical
JSON; order is ``seq``, never the clock. A chain alone does not show a cut tail: receipts
(:mod:`safety.store.receipts`) and checkpoints that somebody else keeps do.
"""

from __future__ import annotations

import hmac
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import orjson
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC

from safety.errors import Tampered, Truncated

LABEL: Final = b"afterdose/1/audit-entry"
GENESIS: Final = bytes(32)


class Entry(NamedTuple):
    """One line of the ledger, before it is chained.

    ``kind`` and ``object`` name what was touched (``report`` and its id), ``note`` is a short code
    of the program's own, ``digest`` covers the rows that the action wrote.
    """

    at: str
    actor: str
    role: str
    action: str
    kind: str
    object: str
    note: str | None = None
    digest: bytes | None = None


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a chain: the last sequence number and its mac."""

    seq: int = 0
    mac: bytes = GENESIS


class Chain:
    """Appends entries to a head under the audit key."""

    __slots__ = ("_keyed", "head")

    def __init__(self, key: bytes, head: Head) -> None:
        self._keyed = _keyed(key)
        self.head = head

    def append(self, entry: Entry) -> tuple[Any, ...]:
        """Chain ``entry`` and return it as a row of the audit table: all columns in their order."""
        seq, previous = self.head.seq + 1, self.head.mac
        mac = _entry_mac(self._keyed, seq, previous, entry)
        self.head = Head(seq, mac)
        return (seq, *entry, previous, mac)


def _keyed(key: bytes) -> HMAC:
    """HMAC-SHA-256 that has read what every entry begins with; a copy is cheaper than a new one."""
    keyed = HMAC(key, SHA256())
    keyed.update(len(LABEL).to_bytes(4, "big") + LABEL)
    return keyed


def _entry_mac(keyed: HMAC, seq: int, previous: bytes, entry: Entry) -> bytes:
    """The mac that chains ``entry`` at ``seq`` to ``previous``."""
    text = orjson.dumps((seq, *entry), default=bytes.hex)
    mac = keyed.copy()
    mac.update(len(previous).to_bytes(4, "big") + previous + text)
    return mac.finalize()


def check(key: bytes, start: Head, rows: Iterable[Any]) -> Head:
    """Check rows in order of ``seq`` from ``start`` on and return the head they end at.

    ``rows`` have the columns of the audit table as attributes. Raises
    :class:`~safety.errors.Truncated` for a gap and :class:`~safety.errors.Tampered` for an entry
    that does not fit, naming the first bad sequence number.
    """
    head, keyed = start, _keyed(key)
    for row in rows:
        if row.seq != head.seq + 1:
            raise Truncated(
                f"The audit trail has a gap: entry {head.seq + 1} is missing. Keep a copy of the "
                "store and restore the backup."
            )
        entry = Entry(
            row.at, row.actor, row.role, row.action, row.kind, row.object, row.note, row.digest
        )
        expected = _entry_mac(keyed, row.seq, head.mac, entry)
        if row.previous != head.mac or not hmac.compare_digest(row.mac, expected):
            raise Tampered(
                f"Audit entry {row.seq} was changed, or belongs to another place. Keep a copy of "
                "the store and restore the backup."
            )
        head = Head(row.seq, row.mac)
    return head


def checkpoint(origin: str, head: Head) -> bytes:
    """The three lines that are signed: origin, number of entries, mac of the last in base64."""
    return f"{origin}\n{head.seq}\n{b64encode(head.mac).decode()}\n".encode()
