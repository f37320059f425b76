"""Sealed records: bytes that open only under their own key and only in their own place.

Record format 01::

    01 | key_id (32) | nonce (12) | ciphertext and tag (16 more than the text)

``key_id`` is derived from the key. It says which key is needed and commits to it: a wrong key is
found before anything is decrypted, and is a different error from changed bytes. The cipher is
AES-256-GCM. The place (clinic, table, column, row, version, patient) is authenticated and never
stored: the reader says which place it meant to read, so a record that was moved does not open.
"""

from __future__ import annotations

import os
from functools import lru_cache
from hmac import compare_digest
from typing import NamedTuple
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from safety.errors import NewerFormat, Tampered, Truncated, WrongKey
from safety.keys.derivation import KEY_BYTES, PRODUCT, expand, joined, label
from safety.keys.silent import Silent

FORMAT = b"\x01"
_NONCE_BYTES = 12
_TAG_BYTES = 16
_NONCE_AT = 1 + KEY_BYTES
_TEXT_AT = _NONCE_AT + _NONCE_BYTES
OVERHEAD = _TEXT_AT + _TAG_BYTES
"""Bytes by which a record is longer than its text (61)."""

_KEY_ID_LABEL = label("sealing/key-id")
_ENCRYPTION_LABEL = label("sealing/enc")
_PAD_TO = 256


class Place(NamedTuple):
    """Where a sealed record belongs, and what it is there for.

    ``purpose`` is ``field``, ``wrapped-key``, ``slot``, ``backup`` or ``export``. ``version`` is
    0 or more and fits in eight bytes. ``patient`` is None where the row belongs to no patient.
    """

    purpose: str
    clinic: UUID
    table: str
    column: str
    row: UUID
    version: int
    patient: UUID | None = None

    def __str__(self) -> str:
        return (
            f"{self.purpose} in {self.table}.{self.column}, row {self.row}, version {self.version}"
        )

    def encoded(self) -> bytes:
        """Return the bytes that stand for this place and for no other."""
        column = _place_of_column(self.purpose, self.clinic, self.table, self.column)
        version = self.version.to_bytes(8, "big")
        patient = _NOBODY if self.patient is None else _SIXTEEN + self.patient.bytes
        return b"".join((column, _SIXTEEN, self.row.bytes, _EIGHT, version, patient))


# Lengths as `joined` writes them, for the parts whose length is always the same.
_SIXTEEN, _EIGHT, _NOBODY = (length.to_bytes(4, "big") for length in (16, 8, 0))


@lru_cache(maxsize=64)  # a store has few columns that are sealed, and one clinic
def _place_of_column(purpose: str, clinic: UUID, table: str, column: str) -> bytes:
    return joined(purpose.encode(), clinic.bytes, table.encode(), column.encode())


class SealingKey(Silent):
    """A 32-byte key, ready to seal and to open records.

    ``key_id`` is public: it may be stored beside a row to find the rows still under an old key.
    Raises ValueError when built from anything but 32 bytes.
    """

    __slots__ = ("_cipher", "_head", "key_id")

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError(f"A sealing key has {KEY_BYTES} bytes, this one has {len(key)}.")
        self.key_id = expand(key, _KEY_ID_LABEL)
        self._cipher = AESGCM(expand(key, _ENCRYPTION_LABEL))
        self._head = joined(PRODUCT.encode(), FORMAT + self.key_id)

    def seal(self, plaintext: bytes, place: Place) -> bytes:
        """Return a record that only this key opens, and only as the content of ``place``."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._cipher.encrypt(nonce, plaintext, self._head + place.encoded())
        return FORMAT + self.key_id + nonce + sealed

    def open(self, record: bytes, place: Place) -> bytes:
        """Return the text of a record that was read from ``place``.

        Raises Truncated when the record is shorter than its fixed part, NewerFormat for a format
        that this version does not know, WrongKey when it was sealed under another key, and
        Tampered when the record, or its place, is not what was sealed. There is no fallback.
        """
        self._check_outside(record, place)
        nonce = record[_NONCE_AT:_TEXT_AT]
        try:
            return self._cipher.decrypt(nonce, record[_TEXT_AT:], self._head + place.encoded())
        except InvalidTag:
            raise Tampered(
                f"The sealed {place} was changed, or was moved there from another place. "
                "Do not use this row: run `afterdose verify --store` and restore the last backup "
                "that passes."
            ) from None

    def _check_outside(self, record: bytes, place: Place) -> None:
        if record[:1] > FORMAT:
            raise NewerFormat(
                f"The sealed {place} was written by a later version of Afterdose. "
                "Install that version to read it."
            )
        if len(record) < OVERHEAD:
            raise Truncated(
                f"The sealed {place} is cut off after {len(record)} bytes. "
                "Restore the last backup that passes `afterdose verify --store`."
            )
        if record[:1] != FORMAT:
            raise Tampered(
                f"The sealed {place} does not begin as a sealed record does. "
                "Restore the last backup that passes `afterdose verify --store`."
            )
        if not compare_digest(key_id_of(record), self.key_id):
            raise WrongKey(
                f"The sealed {place} belongs to another key. Check that the database and keys.json "
                "come from the same store and the same backup."
            )


def key_id_of(record: bytes) -> bytes:
    """Return the public id of the key that a record needs. It is not authenticated yet."""
    return record[1:_NONCE_AT]


def padded(text: bytes) -> bytes:
    """Pad to a multiple of 256 bytes (ISO/IEC 7816-4: 0x80, then zeros) to hide the length."""
    return text + b"\x80" + bytes(-(len(text) + 1) % _PAD_TO)


def unpadded(text: bytes) -> bytes:
    """Remove what ``padded`` added. Raises Tampered when the text was not padded by it."""
    content, mark, zeros = text.rpartition(b"\x80")
    if not mark or len(text) % _PAD_TO or len(zeros) >= _PAD_TO or any(zeros):
        raise Tampered(
            "A sealed text opens but is not padded as it should be. "
            "Run `afterdose verify --store` and restore the last backup that passes."
        )
    return content
