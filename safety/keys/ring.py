"""Making, opening and changing keys.json; and the ring of keys that an open store holds."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from safety.errors import (
    Conflict,
    IntegrityFailure,
    NotFound,
    StoreMissing,
    StoreUnavailable,
    Tampered,
    WrongKey,
)
from safety.keys import durable
from safety.keys.derivation import KEY_BYTES, Purpose, derive
from safety.keys.kdf import SALT_BYTES
from safety.keys.recovery import RecoveryCode
from safety.keys.sealing import SealingKey, key_id_of
from safety.keys.silent import Silent
from safety.keys.slots import (
    AUDIT,
    CHECKPOINT,
    LARGEST_FILE,
    KeysFile,
    Slot,
    WrappedKey,
    parse_keys_file,
)
from safety.keys.sources import KeySource

_DAMAGED = "keys.json was changed: {what}. Restore keys.json from the backup."


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class KeyRing(Silent):
    """Every key of an open store. It is neither shown, nor compared, nor pickled.

    ``file_key`` is the raw SQLCipher key, ``kek`` wraps the patients' data keys, ``index_key`` is
    for the blind indexes. ``audit_keys`` are oldest first; the last is the one in use, so that old
    segments of the audit stay verifiable after a rotation.
    """

    clinic: UUID
    generation: int
    file_key: bytes
    kek: SealingKey
    index_key: bytes
    audit_keys: tuple[bytes, ...]
    checkpoint_key: Ed25519PrivateKey
    root: bytes
    """The root key itself: only ``add_slot`` needs it."""

    @property
    def audit_key(self) -> bytes:
        """The key of the audit chain's current segment."""
        return self.audit_keys[-1]

    @property
    def checkpoint_public(self) -> bytes:
        """The 32 bytes with which an auditor checks the signature of a checkpoint."""
        return self.checkpoint_key.public_key().public_bytes_raw()


@dataclass(frozen=True, slots=True)
class SlotSummary:
    """What can be told about a slot without any key. ``created`` is ISO 8601 in UTC."""

    id: UUID
    kind: str
    created: str


def create_keys(path: Path, clinic: UUID, daily: KeySource) -> tuple[KeyRing, RecoveryCode]:
    """Make the keys of a new store, with a slot for daily use and one for the recovery code.

    Raises StoreExists when ``path`` is there already, StoreUnavailable when it cannot be written,
    and what ``daily`` raises. Show the recovery code once; it is stored nowhere.
    """
    root = secrets.token_bytes(KEY_BYTES)
    recovery = RecoveryCode.new()
    empty = KeysFile(clinic, generation=1, slots=(), wrapped_keys=())
    keys = replace(
        empty,
        slots=tuple(_new_slot(empty, root, source) for source in (daily, recovery)),
        wrapped_keys=(_new_audit_key(empty, root), _new_checkpoint_key(empty, root)),
    )
    durable.write_new(path, keys.serialised())
    return _ring(keys, root), recovery


def open_keys(path: Path, source: KeySource) -> KeyRing:
    """Open keys.json with a key source and return the keys of the store.

    Raises WrongKey when no slot fits the source; Tampered, Truncated or NewerFormat when the file
    is not whole or not ours; StoreMissing when there is none; and what the source raises.
    """
    keys = _read(path)
    return _ring(keys, _root(keys, source))


def add_slot(path: Path, ring: KeyRing, source: KeySource) -> UUID:
    """Let one more source open the store, and return the id of its slot.

    Raises WrongKey when the ring belongs to another keys.json, and what ``open_keys`` raises.
    """
    keys = _read(path)
    _check_same_root(keys, ring)
    slot = _new_slot(keys, ring.root, source)
    # A passphrase takes a while to stretch, so read again to lose nobody else's change.
    latest = _read(path)
    _check_same_root(latest, ring)
    durable.replace(path, latest.with_slots(*latest.slots, slot).serialised())
    return slot.id


def remove_slot(path: Path, slot_id: UUID) -> None:
    """Take a slot away, so that its source opens the store no longer.

    The root key stays what it was: an old copy of keys.json still opens with the removed source.
    Raises NotFound when there is no such slot, and Conflict for the last slot and for the last
    recovery slot.
    """
    keys = _read(path)
    left = [slot for slot in keys.slots if slot.id != slot_id]
    if len(left) == len(keys.slots):
        raise NotFound(f"keys.json has no slot {slot_id}. `describe` lists those it has.")
    if not any(slot.kind == RecoveryCode.kind for slot in left):
        raise Conflict(
            "This is the last recovery slot, and without one a lost passphrase or key file loses "
            "every report. Add a new recovery code first, then remove this one."
        )
    durable.replace(path, keys.with_slots(*left).serialised())


def describe(path: Path) -> list[SlotSummary]:
    """List the slots of keys.json. No key is needed. Raises as ``open_keys`` does for the file."""
    return [SlotSummary(slot.id, slot.kind, slot.created) for slot in _read(path).slots]


def _read(path: Path) -> KeysFile:
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST_FILE)
    except FileNotFoundError:
        raise StoreMissing(
            f"There is no {path}. Restore it from the backup, or make a store with "
            "`afterdose init`. Without keys.json a store cannot be opened."
        ) from None
    except OSError as error:
        raise StoreUnavailable(f"{path} cannot be read: {error.strerror}.") from None
    return parse_keys_file(raw)


def _root(keys: KeysFile, source: KeySource) -> bytes:
    fitting = [slot for slot in keys.slots if slot.kind == source.kind]
    if not fitting:
        kinds = ", ".join(sorted({slot.kind for slot in keys.slots}))
        raise WrongKey(f"keys.json has no slot of the kind {source.kind}. It has: {kinds}.")
    for slot in fitting:
        key = SealingKey(source.slot_key(slot.terms(keys.clinic)))
        try:
            return _opened(key, slot.sealed_root, slot, keys)
        except WrongKey:
            continue
    raise WrongKey(
        f"This {source.kind} does not open this store. Check that it is the one for this clinic; "
        "if it is lost, unlock with the recovery code."
    )


def _opened(key: SealingKey, record: bytes, entry: Slot | WrappedKey, keys: KeysFile) -> bytes:
    try:
        content = key.open(record, entry.place(keys.clinic, keys.generation))
    except WrongKey:
        raise
    except IntegrityFailure:
        raise Tampered(_DAMAGED.format(what=f"entry {entry.id} does not open")) from None
    if len(content) != KEY_BYTES:
        raise Tampered(_DAMAGED.format(what=f"entry {entry.id} holds no key"))
    return content


def _ring(keys: KeysFile, root: bytes) -> KeyRing:
    wrap = SealingKey(derive(root, Purpose.WRAP))
    return KeyRing(
        clinic=keys.clinic,
        generation=keys.generation,
        file_key=derive(root, Purpose.FILE),
        kek=SealingKey(derive(root, Purpose.KEK)),
        index_key=derive(root, Purpose.INDEX),
        audit_keys=_unwrapped(keys, wrap, AUDIT),
        checkpoint_key=Ed25519PrivateKey.from_private_bytes(_unwrapped(keys, wrap, CHECKPOINT)[-1]),
        root=root,
    )


def _unwrapped(keys: KeysFile, wrap: SealingKey, use: str) -> tuple[bytes, ...]:
    entries = [entry for entry in keys.wrapped_keys if entry.use == use]
    if not entries:
        raise Tampered(_DAMAGED.format(what=f"the {use} key is missing"))
    try:
        return tuple(_opened(wrap, entry.sealed, entry, keys) for entry in entries)
    except WrongKey:
        raise Tampered(_DAMAGED.format(what=f"the {use} key is from another store")) from None


def _check_same_root(keys: KeysFile, ring: KeyRing) -> None:
    wrap = SealingKey(derive(ring.root, Purpose.WRAP))
    roots = {key_id_of(entry.sealed) for entry in keys.wrapped_keys}
    if keys.clinic != ring.clinic or keys.generation != ring.generation or roots != {wrap.key_id}:
        raise WrongKey("These keys belong to another keys.json. Open this one first.")


def _new_slot(keys: KeysFile, root: bytes, source: KeySource) -> Slot:
    slot = Slot(uuid4(), source.kind, source.kdf, secrets.token_bytes(SALT_BYTES), _now())
    key = SealingKey(source.slot_key(slot.terms(keys.clinic)))
    return replace(slot, sealed_root=key.seal(root, slot.place(keys.clinic, keys.generation)))


def _new_audit_key(keys: KeysFile, root: bytes) -> WrappedKey:
    return _wrapped(keys, root, WrappedKey(uuid4(), AUDIT, _now(), b""), secrets.token_bytes(32))


def _new_checkpoint_key(keys: KeysFile, root: bytes) -> WrappedKey:
    key = Ed25519PrivateKey.generate()
    entry = WrappedKey(uuid4(), CHECKPOINT, _now(), key.public_key().public_bytes_raw())
    return _wrapped(keys, root, entry, key.private_bytes_raw())


def _wrapped(keys: KeysFile, root: bytes, entry: WrappedKey, key: bytes) -> WrappedKey:
    wrap = SealingKey(derive(root, Purpose.WRAP))
    return replace(entry, sealed=wrap.seal(key, entry.place(keys.clinic, keys.generation)))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
