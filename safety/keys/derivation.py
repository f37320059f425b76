"""Labels, derived keys and blind indexes.

Every derivation is HKDF-SHA-256 (RFC 5869) with a label that names the product, the version of the
scheme and the purpose, so that no two uses can ever meet in one key.
"""

from __future__ import annotations

import hmac
import unicodedata
from enum import StrEnum
from functools import lru_cache
from uuid import UUID

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from safety.errors import InvalidReport, Problem

PRODUCT = "afterdose"
SCHEME = "v1"
KEY_BYTES = 32

# Beside white space, dashes and invisible characters, which go by their Unicode category.
_SEPARATORS = frozenset("./\\\N{MINUS SIGN}\N{MIDDLE DOT}")


class Purpose(StrEnum):
    """What a key derived from the root key is for."""

    FILE = "file"
    KEK = "kek"
    INDEX = "index"
    WRAP = "wrap"
    DRAFT = "draft"


def label(purpose: str) -> bytes:
    """Name product, scheme version and purpose: ``afterdose/v1/kek``."""
    return f"{PRODUCT}/{SCHEME}/{purpose}".encode()


def joined(*parts: bytes) -> bytes:
    """Join so that no two different lists of parts give the same bytes.

    Each part is preceded by its length in bytes, four bytes big endian.
    """
    return b"".join([len(part).to_bytes(4, "big") + part for part in parts])


def expand(key: bytes, info: bytes) -> bytes:
    """Return the first 32 bytes of HKDF-Expand (RFC 5869, 2.3) with SHA-256.

    One block of output is one HMAC, so this takes one call instead of an HKDF object: an import
    makes a key for each new patient.
    """
    return hmac.digest(key, info + b"\x01", "sha256")


def derive(root: bytes, purpose: Purpose) -> bytes:
    """Derive the 32-byte key for one purpose from the root key."""
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=label(f"root/{purpose}")).derive(root)


def derive_slot_key(secret: bytes, salt: bytes, kind: str) -> bytes:
    """Derive the 32-byte key of one slot from a secret that is random already."""
    return HKDF(SHA256(), KEY_BYTES, salt=salt, info=label(f"slot/{kind}")).derive(secret)


def mrn_index(index_key: bytes, clinic: UUID, mrn: str) -> bytes:
    """Return the 32-byte blind index of a medical record number in one clinic.

    Spelling does not matter: ``ab-12 3``, ``AB123`` and their full-width forms are one number.
    Raises InvalidReport when nothing is left after the separators are removed.
    """
    return _index(index_key, "index/mrn", clinic, "patient_mrn", normalised_mrn(mrn))


def reference_index(index_key: bytes, clinic: UUID, session_ref: str) -> bytes:
    """Return the 32-byte blind index of a session reference in one clinic.

    References belong to the system that made them, so case and separators count here.
    Raises InvalidReport when the reference is empty.
    """
    text = unicodedata.normalize("NFKC", session_ref).strip()
    return _index(index_key, "index/session-reference", clinic, "session_ref", text)


def normalised_mrn(mrn: str) -> str:
    """Apply NFKC, upper case, and remove white space, dashes, dots, slashes and invisible signs."""
    text = unicodedata.normalize("NFKC", mrn).upper()
    if not text.isalnum():
        text = "".join(character for character in text if not _separates(character))
    # Upper case can take a letter apart, and a removed sign can bring two pieces together.
    return unicodedata.normalize("NFKC", text)


def _separates(character: str) -> bool:
    return (
        character in _SEPARATORS
        or character.isspace()
        or unicodedata.category(character) in {"Pd", "Cf", "Cc"}
    )


def _index(key: bytes, purpose: str, clinic: UUID, field: str, text: str) -> bytes:
    if not text:
        raise InvalidReport([Problem(field, "is empty, or has separators only. Write it in full.")])
    # A lone surrogate must not raise: the error would carry the whole text into a log.
    value = text.encode(errors="surrogatepass")
    message = _index_beginning(purpose, clinic) + len(value).to_bytes(4, "big") + value
    return hmac.digest(key, message, "sha256")


@lru_cache(maxsize=8)  # two purposes, one clinic
def _index_beginning(purpose: str, clinic: UUID) -> bytes:
    return joined(label(purpose), clinic.bytes)
