"""keys.json opens with its own sources, whole and unchanged, or not at all."""

from __future__ import annotations

import base64
import copy
import json
import os
import pickle
import sys
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from safety.errors import (
    Conflict,
    IntegrityFailure,
    MistypedCode,
    NewerFormat,
    NotFound,
    StoreExists,
    StoreMissing,
    StoreUnavailable,
    Tampered,
    Truncated,
    WrongKey,
)
from safety.keys.derivation import Purpose, derive
from safety.keys.kdf import FLOOR, STANDARD, KdfParameters
from safety.keys.ring import KeyRing, add_slot, create_keys, describe, open_keys, remove_slot
from safety.keys.slots import SlotTerms, _checksum, parse_keys_file
from safety.keys.sources import KeyFile, Passphrase, RecoveryCode
from tests.unit.keys.fakes import FakeKeyService

Passphrases = Callable[..., Passphrase]


def same_keys(one: KeyRing, other: KeyRing) -> bool:
    return (
        one.clinic == other.clinic
        and one.generation == other.generation
        and one.file_key == other.file_key
        and one.kek.key_id == other.kek.key_id
        and one.index_key == other.index_key
        and one.audit_key == other.audit_key
        and one.checkpoint_public == other.checkpoint_public
    )


def names_beside(path: Path) -> list[str]:
    return sorted(entry.name for entry in path.parent.iterdir())


def edit(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change keys.json as a careful attacker would, who mends the checksum too."""
    content = json.loads(path.read_bytes())
    change(content)
    del content["sha256"]
    content["sha256"] = _checksum(content)
    path.write_bytes(json.dumps(content, indent=2).encode())


def test_what_was_created_opens_again(keys_path: Path, clinic: UUID, key_file: KeyFile) -> None:
    created, _ = create_keys(keys_path, clinic, key_file)
    assert same_keys(created, open_keys(keys_path, key_file))
    assert created.clinic == clinic
    assert created.generation == 1


def test_the_keys_of_a_ring_are_all_different(
    keys_path: Path, clinic: UUID, key_file: KeyFile
) -> None:
    ring, _ = create_keys(keys_path, clinic, key_file)
    keys = {ring.file_key, ring.index_key, ring.audit_key, ring.root, ring.kek.key_id}
    keys |= {ring.checkpoint_public, ring.checkpoint_key.private_bytes_raw()}
    assert {len(key) for key in keys} == {32}
    assert len(keys) == 7


def test_derived_keys_come_from_the_root_key(
    keys_path: Path, clinic: UUID, key_file: KeyFile
) -> None:
    ring, _ = create_keys(keys_path, clinic, key_file)
    assert ring.file_key == derive(ring.root, Purpose.FILE)
    assert ring.index_key == derive(ring.root, Purpose.INDEX)


def test_a_checkpoint_that_the_ring_signs_is_verified_by_the_public_half(
    keys_path: Path, clinic: UUID, key_file: KeyFile
) -> None:
    ring, _ = create_keys(keys_path, clinic, key_file)
    opened = open_keys(keys_path, key_file)
    opened.checkpoint_key.public_key().verify(ring.checkpoint_key.sign(b"head"), b"head")


def test_the_recovery_code_opens_the_store_when_the_daily_source_is_lost(
    keys_path: Path, clinic: UUID, key_file: KeyFile
) -> None:
    ring, recovery = create_keys(keys_path, clinic, key_file)
    key_file.path.unlink()
    typed = RecoveryCode.parse(recovery.printed().lower())
    assert same_keys(ring, open_keys(keys_path, typed))


def test_a_passphrase_opens_and_another_does_not(
    keys_path: Path, clinic: UUID, passphrase: Passphrases
) -> None:
    ring, _ = create_keys(keys_path, clinic, passphrase())
    assert same_keys(ring, open_keys(keys_path, passphrase()))
    with pytest.raises(WrongKey, match="This passphrase does not open this store"):
        open_keys(keys_path, passphrase("otter violin harbour mapie"))


def test_the_key_file_and_the_code_of_another_clinic_do_not_open(
    keys_path: Path, clinic: UUID, key_file: KeyFile, tmp_path: Path
) -> None:
    create_keys(keys_path, clinic, key_file)
    other_file = KeyFile.create(tmp_path / "other.key")
    _, other_code = create_keys(tmp_path / "other.json", uuid4(), other_file)
    for source in (other_file, other_code):
        with pytest.raises(WrongKey, match="does not open this store"):
            open_keys(keys_path, source)


def test_a_code_from_the_wrong_sheet_is_told_apart_from_a_mistyped_one(
    keys_path: Path, clinic: UUID, key_file: KeyFile
) -> None:
    create_keys(keys_path, clinic, key_file)
    with pytest.raises(WrongKey):
        open_keys(keys_path, RecoveryCode.new())
    with pytest.raises(MistypedCode):
        RecoveryCode.parse(RecoveryCode.new().printed()[:-1] + "U")


def test_a_source_of_a_kind_without_a_slot_is_told_which_kinds_there_are(
    keys_path: Path, clinic: UUID, key_file: KeyFile, passphrase: Passphrases
) -> None:
    create_keys(keys_path, clinic, key_file)
    with pytest.raises(WrongKey, match=r"no slot of the kind passphrase\. It has: key-file, rec"):
        open_keys(keys_path, passphrase())


def test_opening_writes_nothing(keys_path: Path, clinic: UUID, key_file: KeyFile) -> None:
    create_keys(keys_path, clinic, key_file)
    before = keys_path.read_bytes(), keys_path.stat().st_mtime_ns, names_beside(keys_path)
    open_keys(keys_path, key_file)
    with pytest.raises(WrongKey):
        open_keys(keys_path, RecoveryCode.new())
    assert before == (
        keys_path.read_bytes(),
        keys_path.stat().st_mtime_ns,
        names_beside(keys_path),
    )


def test_keys_are_never_overwritten(keys_path: Path, clinic: UUID, key_file: KeyFile) -> None:
    create_keys(keys_path, clinic, key_file)
    before = keys_path.read_bytes()
    with pytest.raises(StoreExists, match="never overwritten"):
        create_keys(keys_path, clinic, key_file)
    assert keys_path.read_bytes() == before
    assert names_beside(keys_path) == ["keys.json"]


def test_the_file_is_for_its_owner_alone(keys_path: Path, clinic: UUID, key_file: KeyFile) -> None:
    create_keys(keys_path, clinic, key_file)
    if sys.platform != "win32":
        assert keys_path.stat().st_mode & 0o777 == 0o600


def test_no_key_stands_in_the_file(keys_path: Path, clinic: UUID, key_file: KeyFile) -> None:
    ring, recovery = create_keys(keys_path, clinic, key_file)
    raw = keys_path.read_bytes()
    secrets = [ring.root, ring.file_key, ring.index_key, ring.audit_key, key_file.path.read_bytes()]
    secrets += [ring.checkpoint_key.private_bytes_raw()]
    for secret in secrets:
        assert secret.hex().encode() not in raw.lower()
        assert base64.b64encode(secret) not in raw
    assert recovery.printed().encode() not in raw


def test_a_missing_file_says_where_it_should_be(keys_path: Path, key_file: KeyFile) -> None:
    with pytest.raises(StoreMissing, match=r"no .*keys\.json\. Restore it from the backup"):
        open_keys(keys_path, key_file)


def test_a_folder_in_its_place_is_refused(keys_path: Path, key_file: KeyFile) -> None:
    keys_path.mkdir()
    with pytest.raises(StoreUnavailable, match="cannot be read"):
        open_keys(keys_path, key_file)


def test_a_folder_that_is_not_there_is_named(
    keys_path: Path, clinic: UUID, key_file: KeyFile
) -> None:
    with pytest.raises(StoreUnavailable, match="cannot be written: No such file"):
        create_keys(keys_path.parent / "gone" / "keys.json", clinic, key_file)


def test_no_byte_can_be_changed(keys_path: Path, clinic: UUID, key_file: KeyFile) -> None:
    """Flip one bit of each byte. A cut is suspected only where the last brace is hit."""
    create_keys(keys_path, clinic, key_file)
    whole = keys_path.read_bytes()
    for at in range(len(whole)):
        damaged = bytearray(whole)
        damaged[at] ^= 1 << (at % 8)
        expected = Truncated if at >= len(whole) - 2 else Tampered
        with pytest.raises(expected, match=r"keys\.json .* Restore keys\.json from the backup"):
            parse_keys_file(bytes(damaged))


def test_no_end_can_be_cut_off(keys_path: Path, clinic: UUID, key_file: KeyFile) -> None:
    create_keys(keys_path, clinic, key_file)
    whole = keys_path.read_bytes()
    for length in range(len(whole)):
        with pytest.raises(Truncated, match=r"cut off .* Restore keys\.json from the backup"):
            parse_keys_file(whole[:length])


def test_a_damaged_or_cut_file_opens_for_no_source(
    keys_path: Path, clinic: UUID, key_file: KeyFile
) -> None:
    _, recovery = create_keys(keys_path, clinic, key_file)
    whole = keys_path.read_bytes()
    for at in range(0, len(whole), 50):
        flipped = whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :]
        for content, source in ((flipped, key_file), (whole[:at], recovery)):
            keys_path.write_bytes(content)
            with pytest.raises((Tampered, Truncated)):
                open_keys(keys_path, source)


def test_a_line_cannot_be_taken_out(keys_path: Path, clinic: UUID, key_file: KeyFile) -> None:
    create_keys(keys_path, clinic, key_file)
    lines = keys_path.read_bytes().split(b"\n")
    for at in range(len(lines) - 1):
        keys_path.write_bytes(b"\n".join(lines[:at] + lines[at + 1 :]))
        with pytest.raises(Tampered):
            open_keys(keys_path, key_file)


def test_a_transfer_in_text_mode_does_no_harm(
    keys_path: Path, clinic: UUID, key_file: KeyFile
) -> None:
    create_keys(keys_path, clinic, key_file)
    keys_path.write_bytes(keys_path.read_bytes().replace(b"\n", b"\r\n") + b"\r\n")
    open_keys(keys_path, key_file)


@pytest.mark.parametrize(
    "content", [b"[1,\n}", b"[]\n}", b"[\n}", b'"x"\n}', b"{\n}", b"[" * 90000 + b"\n}", b"\xff\n}"]
)
def test_a_foreign_file_is_refused(keys_path: Path, key_file: KeyFile, content: bytes) -> None:
    keys_path.write_bytes(content)
    with pytest.raises(Tampered):
        open_keys(keys_path, key_file)


def test_a_later_format_is_told_apart(keys_path: Path, clinic: UUID, key_file: KeyFile) -> None:
    create_keys(keys_path, clinic, key_file)
    edit(keys_path, lambda content: content.update(format=2, something="new"))
    with pytest.raises(NewerFormat, match="format 2"):
        open_keys(keys_path, key_file)


def test_damage_to_the_format_number_is_no_later_format(
    keys_path: Path, clinic: UUID, key_file: KeyFile
) -> None:
    create_keys(keys_path, clinic, key_file)
    keys_path.write_bytes(keys_path.read_bytes().replace(b'"format": 1', b'"format": 3'))
    with pytest.raises(Tampered):
        open_keys(keys_path, key_file)


def _swap(content: dict[str, Any], listed: str, field: str) -> None:
    one, other = content[listed]
    one[field], other[field] = other[field], one[field]


EDITS: dict[str, Callable[[dict[str, Any]], object]] = {
    "clinic": lambda content: content.update(clinic=str(UUID(int=9))),
    "generation": lambda content: content.update(generation=2),
    "generation zero": lambda content: content.update(generation=0),
    "generation text": lambda content: content.update(generation="1"),
    "product": lambda content: content.update(product="other"),
    "format zero": lambda content: content.update(format=0),
    "format text": lambda content: content.update(format="1"),
    "slot id": lambda content: content["slots"][0].update(id=str(UUID(int=9))),
    "slot created": lambda content: content["slots"][0].update(created="2020-01-01T00:00:00+00:00"),
    "slot created text": lambda content: content["slots"][0].update(created="yesterday"),
    "slot cost": lambda content: content["slots"][0].update(
        kdf={"name": "argon2id", "memory_kib": 65536, "iterations": 3, "lanes": 4}
    ),
    "slot kind": lambda content: content["slots"][0].update(kind="Key File"),
    "slot salt short": lambda content: content["slots"][0].update(salt="AAAA"),
    "slot salt text": lambda content: content["slots"][0].update(salt="?"),
    "sealed root cut": lambda content: content["slots"][0].update(
        sealed_root=content["slots"][0]["sealed_root"][:-4]
    ),
    "audit key gone": lambda content: content["wrapped_keys"].pop(0),
    "checkpoint key gone": lambda content: content["wrapped_keys"].pop(1),
    "wrapped keys swapped": lambda content: _swap(content, "wrapped_keys", "sealed"),
    "wrapped uses swapped": lambda content: _swap(content, "wrapped_keys", "use"),
    "unknown use": lambda content: content["wrapped_keys"][0].update(use="other"),
    "public half": lambda content: content["wrapped_keys"][1].update(public="AAAA"),
    "wrapped created": lambda content: content["wrapped_keys"][0].update(
        created="2020-01-01T00:00:00+00:00"
    ),
}


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_with_a_mended_checksum_is_refused(
    keys_path: Path, clinic: UUID, key_file: KeyFile, name: str
) -> None:
    create_keys(keys_path, clinic, key_file)
    edit(keys_path, EDITS[name])
    with pytest.raises(Tampered, match=r"keys\.json"):
        open_keys(keys_path, key_file)


@pytest.mark.parametrize("field", ["salt", "sealed_root"])
def test_slots_that_exchanged_a_value_open_for_neither_source(
    keys_path: Path, clinic: UUID, key_file: KeyFile, field: str
) -> None:
    _, recovery = create_keys(keys_path, clinic, key_file)
    edit(keys_path, lambda content: _swap(content, "slots", field))
    for source in (key_file, recovery):
        with pytest.raises(WrongKey):
            open_keys(keys_path, source)


def test_wrapped_keys_of_another_store_are_refused(
    keys_path: Path, clinic: UUID, key_file: KeyFile, tmp_path: Path
) -> None:
    create_keys(keys_path, clinic, key_file)
    create_keys(tmp_path / "other.json", clinic, key_file)
    foreign = json.loads((tmp_path / "other.json").read_bytes())["wrapped_keys"]
    edit(keys_path, lambda content: content.update(wrapped_keys=foreign))
    with pytest.raises(Tampered, match="from another store"):
        open_keys(keys_path, key_file)


def test_a_weakened_passphrase_slot_is_refused_before_any_work(
    keys_path: Path, clinic: UUID, passphrase: Passphrases
) -> None:
    """The tests' own sources may be cheap; the ones of production refuse such a file."""
    create_keys(keys_path, clinic, passphrase())
    with pytest.raises(Tampered, match="never writes"):
        open_keys(keys_path, Passphrase("otter violin harbour maple"))


def test_a_cost_that_was_changed_within_the_limits_does_not_open(
    keys_path: Path, clinic: UUID, passphrase: Passphrases
) -> None:
    create_keys(keys_path, clinic, passphrase())
    edit(keys_path, lambda content: content["slots"][0]["kdf"].update(iterations=2))
    with pytest.raises(WrongKey):
        open_keys(keys_path, passphrase())


def test_slots_are_listed_without_any_key(keys_path: Path, clinic: UUID, key_file: KeyFile) -> None:
    create_keys(keys_path, clinic, key_file)
    key_file.path.unlink()
    slots = describe(keys_path)
    assert [slot.kind for slot in slots] == ["key-file", "recovery"]
    assert {field.name for field in fields(slots[0])} == {"id", "kind", "created"}
    assert all(slot.created.endswith("+00:00") for slot in slots)


def test_an_added_source_opens_and_a_removed_one_does_not(
    keys_path: Path, clinic: UUID, key_file: KeyFile, passphrase: Passphrases
) -> None:
    ring, _ = create_keys(keys_path, clinic, key_file)
    added = add_slot(keys_path, ring, passphrase())
    assert same_keys(ring, open_keys(keys_path, passphrase()))
    remove_slot(keys_path, added)
    with pytest.raises(WrongKey):
        open_keys(keys_path, passphrase())
    assert same_keys(ring, open_keys(keys_path, key_file))


def test_a_key_service_is_a_source_like_the_others(
    keys_path: Path, clinic: UUID, key_file: KeyFile
) -> None:
    ring, _ = create_keys(keys_path, clinic, key_file)
    add_slot(keys_path, ring, FakeKeyService(b"secret"))
    assert same_keys(ring, open_keys(keys_path, FakeKeyService(b"secret")))
    with pytest.raises(WrongKey, match="fake-service"):
        open_keys(keys_path, FakeKeyService(b"other"))


def test_of_several_slots_of_a_kind_no_more_are_tried_than_needed(
    keys_path: Path, clinic: UUID, key_file: KeyFile
) -> None:
    ring, _ = create_keys(keys_path, clinic, key_file)
    for secret in (b"first", b"second", b"third"):
        add_slot(keys_path, ring, FakeKeyService(secret))
    second, stranger = FakeKeyService(b"second"), FakeKeyService(b"stranger")
    assert same_keys(ring, open_keys(keys_path, second))
    assert second.calls == 2
    with pytest.raises(WrongKey):
        open_keys(keys_path, stranger)
    assert stranger.calls == 3


def test_a_slot_that_somebody_adds_meanwhile_is_not_lost(
    keys_path: Path, clinic: UUID, key_file: KeyFile
) -> None:
    """Stretching a passphrase takes long enough for a second person to come between."""
    ring, _ = create_keys(keys_path, clinic, key_file)
    meanwhile = RecoveryCode.new()

    class SlowSource(FakeKeyService):
        def slot_key(self, terms: SlotTerms) -> bytes:
            add_slot(keys_path, ring, meanwhile)
            return super().slot_key(terms)

    add_slot(keys_path, ring, SlowSource(b"secret"))
    assert same_keys(ring, open_keys(keys_path, meanwhile))
    assert same_keys(ring, open_keys(keys_path, FakeKeyService(b"secret")))


def test_the_last_recovery_slot_stays(keys_path: Path, clinic: UUID, key_file: KeyFile) -> None:
    ring, old = create_keys(keys_path, clinic, key_file)
    daily, recovery = describe(keys_path)
    with pytest.raises(Conflict, match="last recovery slot"):
        remove_slot(keys_path, recovery.id)
    new = RecoveryCode.new()
    add_slot(keys_path, ring, new)
    remove_slot(keys_path, recovery.id)
    remove_slot(keys_path, daily.id)
    with pytest.raises(WrongKey):
        open_keys(keys_path, old)
    assert same_keys(ring, open_keys(keys_path, new))
    with pytest.raises(Conflict):
        remove_slot(keys_path, describe(keys_path)[0].id)


def test_a_slot_that_is_not_there_cannot_be_removed(
    keys_path: Path, clinic: UUID, key_file: KeyFile
) -> None:
    create_keys(keys_path, clinic, key_file)
    with pytest.raises(NotFound):
        remove_slot(keys_path, UUID(int=9))


def test_a_ring_cannot_add_a_slot_to_another_store(
    keys_path: Path, clinic: UUID, key_file: KeyFile, tmp_path: Path
) -> None:
    create_keys(keys_path, clinic, key_file)
    foreign, _ = create_keys(tmp_path / "other.json", clinic, key_file)
    before = keys_path.read_bytes()
    with pytest.raises(WrongKey, match=r"another keys\.json"):
        add_slot(keys_path, foreign, RecoveryCode.new())
    assert keys_path.read_bytes() == before


def test_a_write_that_fails_leaves_the_old_file_and_no_other(
    keys_path: Path, clinic: UUID, key_file: KeyFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring, _ = create_keys(keys_path, clinic, key_file)
    before = keys_path.read_bytes()

    def full_disk(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(StoreUnavailable, match="No space left on device"):
        add_slot(keys_path, ring, RecoveryCode.new())
    assert keys_path.read_bytes() == before
    assert names_beside(keys_path) == ["keys.json"]


def test_content_is_on_the_disk_before_it_has_its_name(
    keys_path: Path, clinic: UUID, key_file: KeyFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Flush the file, give it its name, flush the folder: in this order."""
    ring, _ = create_keys(keys_path, clinic, key_file)
    steps: list[str] = []
    real_fsync, real_replace = os.fsync, os.replace

    def fsync(handle: int) -> None:
        steps.append("flush")
        real_fsync(handle)

    def replace(one: Path, other: Path) -> None:
        steps.append("name")
        real_replace(one, other)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", replace)
    add_slot(keys_path, ring, RecoveryCode.new())
    assert steps == ["flush", "name", "flush"]


def test_a_ring_shows_nothing_and_goes_nowhere(
    keys_path: Path, clinic: UUID, key_file: KeyFile
) -> None:
    ring, _ = create_keys(keys_path, clinic, key_file)
    assert repr(ring) == str(ring) == "<KeyRing: content not shown>"
    for attempt in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="holds a secret"):
            attempt(ring)


def test_failures_name_the_file_and_no_path_of_a_key(
    keys_path: Path, clinic: UUID, key_file: KeyFile
) -> None:
    create_keys(keys_path, clinic, key_file)
    with pytest.raises(IntegrityFailure) as caught:
        open_keys(keys_path, RecoveryCode.new())
    assert caught.value.exit_status == 3
    assert str(key_file.path) not in str(caught.value)


def test_production_costs_stand_in_the_file_and_open(keys_path: Path, clinic: UUID) -> None:
    """The one test that pays the real price: 64 MiB, three passes, four lanes."""
    ring, _ = create_keys(keys_path, clinic, Passphrase("otter violin harbour maple"))
    kdf = json.loads(keys_path.read_bytes())["slots"][0]["kdf"]
    assert kdf == {"name": "argon2id", "memory_kib": 65536, "iterations": 3, "lanes": 4}
    assert same_keys(ring, open_keys(keys_path, Passphrase("otter violin harbour maple")))


def test_the_standard_cost_is_above_the_floor() -> None:
    assert KdfParameters(19 * 1024, 2, 1) == FLOOR
    assert KdfParameters(64 * 1024, 3, 4) == STANDARD
