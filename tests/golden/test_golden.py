"""What an earlier version sealed opens for ever.

The vectors beside this file are as clinics hold them. When a test here fails, the code is wrong,
not the vector: a format that must change gets a new format number and new vectors beside these.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from safety.keys.derivation import Purpose, derive, mrn_index, reference_index
from safety.keys.passwords import verify_password
from safety.keys.ring import open_keys
from safety.keys.sealing import Place, SealingKey
from safety.keys.sources import KeyFile, KeySource, Passphrase, RecoveryCode

FOLDER = Path(__file__).parent


def vectors(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    return content


RECORDS = vectors("records-format-1.json")
INDEXES = vectors("indexes-format-1.json")
KEYS = vectors("keys-format-1.json")


def place_of(entry: dict[str, Any]) -> Place:
    place = entry["place"]
    patient = None if place["patient"] is None else UUID(place["patient"])
    return Place(
        place["purpose"],
        UUID(place["clinic"]),
        place["table"],
        place["column"],
        UUID(place["row"]),
        place["version"],
        patient,
    )


@pytest.mark.parametrize("entry", RECORDS["records"], ids=lambda entry: entry["place"]["table"])
def test_sealed_records_of_format_1_open(entry: dict[str, Any]) -> None:
    key = SealingKey(bytes.fromhex(RECORDS["key"]))
    assert key.key_id.hex() == RECORDS["key_id"]
    assert place_of(entry).encoded().hex() == entry["encoded_place"]
    assert key.open(bytes.fromhex(entry["record"]), place_of(entry)).hex() == entry["text"]


@pytest.mark.parametrize("purpose", INDEXES["derived"])
def test_keys_are_derived_as_ever(purpose: str) -> None:
    root = bytes.fromhex(INDEXES["root"])
    assert derive(root, Purpose(purpose)).hex() == INDEXES["derived"][purpose]


def test_every_purpose_has_a_vector() -> None:
    assert set(INDEXES["derived"]) == set(Purpose)


@pytest.mark.parametrize("text", INDEXES["mrn"])
def test_record_numbers_are_found_as_ever(text: str) -> None:
    key = bytes.fromhex(INDEXES["derived"]["index"])
    assert mrn_index(key, UUID(INDEXES["clinic"]), text).hex() == INDEXES["mrn"][text]


@pytest.mark.parametrize("text", INDEXES["reference"])
def test_session_references_are_found_as_ever(text: str) -> None:
    key = bytes.fromhex(INDEXES["derived"]["index"])
    assert reference_index(key, UUID(INDEXES["clinic"]), text).hex() == INDEXES["reference"][text]


def source_of(kind: str, folder: Path) -> KeySource:
    if kind == "passphrase":
        return Passphrase(KEYS["passphrase"])
    if kind == "recovery":
        return RecoveryCode.parse(KEYS["recovery_code"])
    path = folder / "clinic.key"
    path.write_bytes(bytes.fromhex(KEYS["key_file"]))
    path.chmod(0o600)
    return KeyFile(path)


@pytest.mark.parametrize("kind", ["passphrase", "recovery", "key-file"])
def test_every_slot_of_a_keys_file_of_format_1_opens(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    path.write_text(KEYS["keys_file"], encoding="ascii")
    ring = open_keys(path, source_of(kind, tmp_path))
    assert ring.file_key.hex() == KEYS["file_key"]
    assert ring.index_key.hex() == KEYS["index_key"]
    assert ring.kek.key_id.hex() == KEYS["kek_id"]
    assert ring.audit_key.hex() == KEYS["audit_key"]
    assert ring.checkpoint_public.hex() == KEYS["checkpoint_public"]


def test_a_stored_password_hash_is_verified_as_ever() -> None:
    assert verify_password(KEYS["password_hash"], KEYS["passphrase"])
