"""keys.json: the root key in sealed slots, and the keys that the root key wraps.

::

    product, format, clinic, generation
    slots         each: id, kind, kdf, salt, created, sealed root key
    wrapped_keys  each: id, use (audit or checkpoint), created, public half, sealed key; newest last
    sha256        over the canonical form of all the rest

The file is not secret and must be in every backup. The checksum tells plain damage from a wrong
key; it keeps nobody from editing, the seals do that. Every later format keeps ``product``,
``format`` and ``sha256`` as they are here, so that a newer file can be told from a damaged one.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from safety.errors import NewerFormat, Tampered, Truncated
from safety.keys.derivation import PRODUCT, joined, label
from safety.keys.kdf import SALT_BYTES, KdfParameters
from safety.keys.sealing import Place

FORMAT = 1
TABLE = "keys.json"
AUDIT = "audit"
CHECKPOINT = "checkpoint"

# No real file comes near: this only keeps a foreign file from being read whole.
LARGEST_FILE = 1 << 20
_KIND = re.compile(r"[a-z][a-z0-9-]{0,31}")
_ADVICE = "Restore keys.json from the backup."


@dataclass(frozen=True, slots=True)
class SlotTerms:
    """What a key source is told about the slot it shall open. Nothing here is secret."""

    clinic: UUID
    slot: UUID
    kind: str
    kdf: KdfParameters | None
    salt: bytes

    def context(self) -> bytes:
        """Return bytes that name this slot, for services that take a context."""
        return joined(label("slot"), self.clinic.bytes, self.slot.bytes, self.kind.encode())


@dataclass(frozen=True, slots=True)
class Slot:
    """The root key, sealed under the key that one source gives. ``created`` is ISO 8601 in UTC."""

    id: UUID
    kind: str
    kdf: KdfParameters | None
    salt: bytes
    created: str
    sealed_root: bytes = b""

    def terms(self, clinic: UUID) -> SlotTerms:
        """Return what the key source needs to know."""
        return SlotTerms(clinic, self.id, self.kind, self.kdf, self.salt)

    def place(self, clinic: UUID, generation: int) -> Place:
        """Return the place that binds the sealed root key to every other value of the slot."""
        # Kind, cost, salt and date have no space in them, so this cannot be read in two ways.
        values = f"{self.kind} {self.kdf} {self.salt.hex()} {self.created}"
        return Place("slot", clinic, TABLE, values, self.id, generation)


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A random key, sealed under the root key. ``public`` is its public half, where it has one."""

    id: UUID
    use: str
    created: str
    public: bytes
    sealed: bytes = b""

    def place(self, clinic: UUID, generation: int) -> Place:
        """Return the place that binds the sealed key to every other value of its entry."""
        values = f"{self.use} {self.created} {self.public.hex()}"
        return Place("wrapped-key", clinic, TABLE, values, self.id, generation)


@dataclass(frozen=True, slots=True)
class KeysFile:
    """The content of keys.json."""

    clinic: UUID
    generation: int
    slots: tuple[Slot, ...]
    wrapped_keys: tuple[WrappedKey, ...]

    def with_slots(self, *slots: Slot) -> KeysFile:
        """Return the same content with other slots."""
        return replace(self, slots=slots)

    def serialised(self) -> bytes:
        """Return the bytes of the file."""
        rest: dict[str, Any] = {
            "product": PRODUCT,
            "format": FORMAT,
            "clinic": str(self.clinic),
            "generation": self.generation,
            "slots": [_slot_to_json(slot) for slot in self.slots],
            "wrapped_keys": [_wrapped_to_json(key) for key in self.wrapped_keys],
        }
        # No newline at the end: the last brace in the first column says that the file is whole.
        return json.dumps(rest | {"sha256": _checksum(rest)}, indent=2).encode()


def parse_keys_file(raw: bytes) -> KeysFile:
    """Read the bytes of keys.json.

    Raises Truncated when the end is missing, Tampered when anything in it was changed, and
    NewerFormat when a later version wrote it.
    """
    raw = raw.replace(b"\r\n", b"\n").rstrip(b"\n")  # a transfer in text mode is no damage
    if not raw.endswith(b"\n}"):
        raise Truncated(f"keys.json is cut off after {len(raw)} bytes. {_ADVICE}")
    try:
        content = _checked(json.loads(raw.decode("ascii")))
        keys = _from_json(content)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise Tampered(f"keys.json was changed or damaged. {_ADVICE}") from None
    if keys.serialised() != raw:
        raise Tampered(f"keys.json was changed or damaged. {_ADVICE}")
    return keys


def _checked(content: Mapping[str, Any]) -> Mapping[str, Any]:
    rest = {name: value for name, value in content.items() if name != "sha256"}
    if content["sha256"] != _checksum(rest) or content["product"] != PRODUCT:
        raise ValueError
    if content["format"] > FORMAT:
        raise NewerFormat(
            f"keys.json has format {content['format']} and this version of Afterdose knows "
            f"format {FORMAT}. Install the version that wrote it."
        )
    return content


def _checksum(rest: Mapping[str, Any]) -> str:
    canonical = json.dumps(rest, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _from_json(content: Mapping[str, Any]) -> KeysFile:
    if not 1 <= content["generation"] < 1 << 32:
        raise ValueError
    return KeysFile(
        clinic=UUID(content["clinic"]),
        generation=int(content["generation"]),
        slots=tuple(_slot_from_json(entry) for entry in content["slots"]),
        wrapped_keys=tuple(_wrapped_from_json(entry) for entry in content["wrapped_keys"]),
    )


def _slot_to_json(slot: Slot) -> dict[str, Any]:
    return {
        "id": str(slot.id),
        "kind": slot.kind,
        "kdf": None if slot.kdf is None else _kdf_to_json(slot.kdf),
        "salt": _text(slot.salt),
        "created": slot.created,
        "sealed_root": _text(slot.sealed_root),
    }


def _slot_from_json(entry: Mapping[str, Any]) -> Slot:
    salt = _bytes(entry["salt"])
    if not _KIND.fullmatch(entry["kind"]) or len(salt) != SALT_BYTES:
        raise ValueError
    return Slot(
        id=UUID(entry["id"]),
        kind=entry["kind"],
        kdf=None if entry["kdf"] is None else _kdf_from_json(entry["kdf"]),
        salt=salt,
        created=_created(entry),
        sealed_root=_bytes(entry["sealed_root"]),
    )


def _kdf_to_json(kdf: KdfParameters) -> dict[str, Any]:
    return {
        "name": "argon2id",
        "memory_kib": kdf.memory_kib,
        "iterations": kdf.iterations,
        "lanes": kdf.lanes,
    }


def _kdf_from_json(entry: Mapping[str, Any]) -> KdfParameters:
    return KdfParameters(int(entry["memory_kib"]), int(entry["iterations"]), int(entry["lanes"]))


def _wrapped_to_json(key: WrappedKey) -> dict[str, Any]:
    return {
        "id": str(key.id),
        "use": key.use,
        "created": key.created,
        "public": _text(key.public),
        "sealed": _text(key.sealed),
    }


def _wrapped_from_json(entry: Mapping[str, Any]) -> WrappedKey:
    if entry["use"] not in {AUDIT, CHECKPOINT}:
        raise ValueError
    return WrappedKey(
        id=UUID(entry["id"]),
        use=entry["use"],
        created=_created(entry),
        public=_bytes(entry["public"]),
        sealed=_bytes(entry["sealed"]),
    )


def _created(entry: Mapping[str, Any]) -> str:
    return datetime.fromisoformat(entry["created"]).isoformat()


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
