"""The manifest: what a package is, and the size and SHA-256 of each of its files.

Canonical JSON: keys sorted, no spaces, UTF-8, no line end. There is one way to write a manifest,
and reading accepts no other, so a manifest that was edited by hand does not read.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from reports.quarterly.content import PackageContent
from reports.quarterly.sheets import Sheet
from reports.quarterly.signature import fingerprint
from safety.audit import Head
from safety.errors import BadInputFile, NewerFormat, Tampered

MANIFEST: Final = "manifest.json"
SIGNATURE: Final = "manifest.json.sig"
PRODUCT: Final = "afterdose quality and safety report"
FORMAT: Final = 1

_SAFE_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_HEX_SHA256: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One file of a package."""

    name: str
    size: int
    sha256: str

    @classmethod
    def of(cls, name: str, content: bytes) -> Self:
        """The entry of a file with this content."""
        return cls(name, len(content), hashlib.sha256(content).hexdigest())


@dataclass(frozen=True, slots=True)
class Manifest:
    """Everything in ``manifest.json``. Days and times are ISO 8601 text.

    ``closed`` is false when the quarter was not over yet: later sessions are not in the package.
    """

    clinic: str
    quarter: str
    first_day: str
    last_day: str
    closed: bool
    timezone: str
    created_at: str
    software: str
    rows: tuple[tuple[str, int], ...]
    threshold: int
    hidden_cells: int
    audit_head: Head
    public_key: bytes | None
    files: tuple[FileEntry, ...]

    @classmethod
    def of(
        cls, content: PackageContent, tables: tuple[Sheet, ...], files: Mapping[str, bytes]
    ) -> Self:
        """The manifest of these files."""
        quarter = content.quarter
        return cls(
            clinic=content.clinic,
            quarter=quarter.label,
            first_day=quarter.first.isoformat(),
            last_day=quarter.last.isoformat(),
            closed=content.closed,
            timezone=content.timezone,
            created_at=content.created_at.isoformat(),
            software=content.software,
            rows=tuple(sorted((sheet.file_name, len(sheet.rows)) for sheet in tables)),
            threshold=content.tables.threshold,
            hidden_cells=content.tables.hidden_cells,
            audit_head=content.audit_head,
            public_key=content.public_key,
            files=tuple(FileEntry.of(name, files[name]) for name in sorted(files)),
        )

    def to_bytes(self) -> bytes:
        """Content of ``manifest.json``."""
        plain = {
            "product": PRODUCT,
            "format": FORMAT,
            "clinic": self.clinic,
            "quarter": {
                "label": self.quarter,
                "first_day": self.first_day,
                "last_day": self.last_day,
                "closed": self.closed,
                "timezone": self.timezone,
            },
            "created_at": self.created_at,
            "software": self.software,
            "rows": dict(self.rows),
            "suppression": {"threshold": self.threshold, "hidden_cells": self.hidden_cells},
            "audit_head": {"seq": self.audit_head.seq, "mac": self.audit_head.mac.hex()},
            "signature": _signature_plain(self.public_key),
            "files": [
                {"name": each.name, "bytes": each.size, "sha256": each.sha256}
                for each in self.files
            ],
        }
        return json.dumps(plain, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()

    @classmethod
    def from_bytes(cls, raw: bytes) -> Self:
        """Read ``manifest.json``.

        Raises BadInputFile when it is the manifest of something else, NewerFormat when a later
        Afterdose wrote it, and Tampered when it is not as Afterdose writes it.
        """
        try:
            plain = json.loads(raw)
        except (ValueError, RecursionError) as cause:
            raise Tampered(f"{MANIFEST} was changed or cut: it is no longer JSON.") from cause
        if not isinstance(plain, dict) or plain.get("product") != PRODUCT:
            raise BadInputFile(f"{MANIFEST} does not describe an Afterdose package.")
        written = plain.get("format")
        if type(written) is int and written > FORMAT:
            raise NewerFormat(
                f"The package has format {written}; this Afterdose reads up to {FORMAT}. "
                "Update Afterdose."
            )
        try:
            manifest = cls._from_plain(plain)
            same = manifest.to_bytes() == raw
        except (KeyError, TypeError, ValueError, AttributeError) as cause:
            raise Tampered(f"{MANIFEST} was changed: it lacks what every package has.") from cause
        if not same:
            raise Tampered(f"{MANIFEST} was edited: Afterdose writes it in one way only.")
        _check_names(manifest)
        return manifest

    @classmethod
    def _from_plain(cls, plain: dict[str, Any]) -> Self:
        quarter, suppression, head = plain["quarter"], plain["suppression"], plain["audit_head"]
        key = plain["signature"]
        return cls(
            clinic=_text(plain["clinic"]),
            quarter=_text(quarter["label"]),
            first_day=_text(quarter["first_day"]),
            last_day=_text(quarter["last_day"]),
            closed=_truth(quarter["closed"]),
            timezone=_text(quarter["timezone"]),
            created_at=_text(plain["created_at"]),
            software=_text(plain["software"]),
            rows=tuple((name, _count(rows)) for name, rows in plain["rows"].items()),
            threshold=_count(suppression["threshold"]),
            hidden_cells=_count(suppression["hidden_cells"]),
            audit_head=Head(_count(head["seq"]), bytes.fromhex(head["mac"])),
            public_key=None if key is None else bytes.fromhex(key["public_key"]),
            files=tuple(
                FileEntry(_text(each["name"]), _count(each["bytes"]), _sha256(each["sha256"]))
                for each in plain["files"]
            ),
        )


def _signature_plain(public_key: bytes | None) -> dict[str, str] | None:
    if public_key is None:
        return None
    return {
        "algorithm": "ed25519",
        "public_key": public_key.hex(),
        "fingerprint": fingerprint(public_key),
    }


def _check_names(manifest: Manifest) -> None:
    names = [each.name for each in manifest.files]
    for name in names:
        if not is_safe_name(name) or name in {MANIFEST, SIGNATURE}:
            raise Tampered(f"{MANIFEST} lists {name!r}, which is no file name of a package.")
    if names != sorted(names) or len({name.casefold() for name in names}) < len(names):
        raise Tampered(f"{MANIFEST} lists a file twice, or out of order.")


def is_safe_name(name: str) -> bool:
    """Whether a name can only mean a file directly in the folder."""
    return _SAFE_NAME.fullmatch(name) is not None


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value


def _truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError("neither true nor false")
    return value


def _count(value: object) -> int:
    if type(value) is not int or value < 0:
        raise TypeError("not a count")
    return value


def _sha256(value: object) -> str:
    if not isinstance(value, str) or not _HEX_SHA256.fullmatch(value):
        raise ValueError("not a SHA-256")
    return value
