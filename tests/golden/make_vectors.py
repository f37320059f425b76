"""Write the golden vectors of a new format: ``python -m tests.golden.make_vectors FOLDER``.

The vectors of a released format never change: data that clinics hold was written like them. So a
file that is there already is left alone and reported; a new format gets a new file.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any
from uuid import UUID

from safety.keys.derivation import Purpose, derive, mrn_index, reference_index
from safety.keys.kdf import FLOOR
from safety.keys.passwords import hash_password
from safety.keys.ring import add_slot, create_keys
from safety.keys.sealing import Place, SealingKey, padded
from safety.keys.sources import KeyFile, Passphrase

CLINIC = UUID("5b0b2f0e-0f3c-4b52-9a55-0d6c5b3f1a01")
ROW = UUID("0c9a4b3e-94c1-4c1a-8a63-1f6b0d5c7e02")
PATIENT = UUID("f1e2d3c4-b5a6-4978-8695-a4b3c2d1e0f3")
PASSPHRASE = "Mühle Käfer Straße Ölbaum"
FULL_WIDTH = "".join(chr(ord(letter) + 0xFEE0) for letter in "AB12345")
MRNS = ["AB-12 345", "ab12345", FULL_WIDTH, "Ümlaut/7", "Ω-9.9", "straße 1", "患者-42", "e\u0301 1"]
REFERENCES = ["S-2026-0001", " s-2026-0001 ", "Sitzung Ä/1", "患者42-3"]
SEALED: list[tuple[Place, bytes]] = [
    (Place("field", CLINIC, "report", "document", ROW, 1, PATIENT), "Übelkeit, 患者 okay".encode()),
    (Place("field", CLINIC, "patient", "name", ROW, 0, PATIENT), padded("Ménard-Łukasz".encode())),
    (Place("wrapped-key", CLINIC, "patient_key", "wrapped", ROW, 3, PATIENT), bytes(range(32))),
    (Place("export", CLINIC, "clé", "Größe", ROW, 2**64 - 1), b""),
]


def records() -> dict[str, Any]:
    key = os.urandom(32)
    sealing = SealingKey(key)
    return {
        "key": key.hex(),
        "key_id": sealing.key_id.hex(),
        "records": [
            {
                "place": {
                    "purpose": place.purpose,
                    "clinic": str(place.clinic),
                    "table": place.table,
                    "column": place.column,
                    "row": str(place.row),
                    "version": place.version,
                    "patient": None if place.patient is None else str(place.patient),
                },
                "encoded_place": place.encoded().hex(),
                "text": text.hex(),
                "record": sealing.seal(text, place).hex(),
            }
            for place, text in SEALED
        ],
    }


def indexes() -> dict[str, Any]:
    root = os.urandom(32)
    key = derive(root, Purpose.INDEX)
    return {
        "root": root.hex(),
        "derived": {purpose: derive(root, purpose).hex() for purpose in Purpose},
        "clinic": str(CLINIC),
        "mrn": {text: mrn_index(key, CLINIC, text).hex() for text in MRNS},
        "reference": {text: reference_index(key, CLINIC, text).hex() for text in REFERENCES},
    }


def keys() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "keys.json")
        source = KeyFile.create(Path(folder, "file"))
        ring, recovery = create_keys(path, CLINIC, Passphrase(PASSPHRASE, kdf=FLOOR))
        add_slot(path, ring, source)
        return {
            "passphrase": PASSPHRASE,
            "recovery_code": recovery.printed(),
            "key_file": source.path.read_bytes().hex(),
            "keys_file": path.read_bytes().decode(),
            "file_key": ring.file_key.hex(),
            "index_key": ring.index_key.hex(),
            "kek_id": ring.kek.key_id.hex(),
            "audit_key": ring.audit_key.hex(),
            "checkpoint_public": ring.checkpoint_public.hex(),
            "password_hash": hash_password(PASSPHRASE, FLOOR),
        }


def main(folder: Path) -> None:
    for name, make in (("records", records), ("indexes", indexes), ("keys", keys)):
        path = folder / f"{name}-format-1.json"
        if path.exists():
            sys.stdout.write(f"{path} is there already and stays as it is.\n")
            continue
        path.write_text(json.dumps(make(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
