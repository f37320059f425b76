"""Checking a package that came from somewhere: a folder, or a ZIP file of one.

Nothing in the package is trusted before it is checked, and nothing is written. Every file must be
in the manifest with its size and SHA-256, and nothing else may be there.
"""

from __future__ import annotations

import os
import stat
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from reports.quarterly.manifest import MANIFEST, SIGNATURE, FileEntry, Manifest, is_safe_name
from reports.quarterly.package import SUMS, zip_bytes
from reports.quarterly.signature import check_signature, fingerprint
from safety.errors import BadInputFile, Tampered, Truncated

MOST_FILES: Final = 64
MOST_BYTES: Final = 64 * 1024 * 1024
"""Far more than a package needs; a ZIP file that unpacks to more is refused unread."""

_NOT_A_PACKAGE: Final = "is not an Afterdose package: it has no manifest.json."


@dataclass(frozen=True, slots=True)
class VerifiedPackage:
    """A package of which every byte fits its manifest.

    ``fingerprint`` is that of the key which signed it, or None when it is not signed.
    """

    manifest: Manifest
    fingerprint: str | None

    @property
    def origin(self) -> str:
        """What the check says, and does not say, about who made the package."""
        if self.fingerprint is None:
            return (
                "Not signed. The files fit the manifest, which shows that nothing was damaged; "
                "anybody could have made both."
            )
        return (
            f"Signed with the key whose fingerprint is {self.fingerprint}. Compare it with the one "
            "that the clinic gave you in another way, on paper or by telephone: a forger would put "
            "in a key of their own."
        )


def verify_package(path: Path, expected_fingerprint: str | None = None) -> VerifiedPackage:
    """Check the package at ``path``, a folder or a ZIP file.

    ``expected_fingerprint`` is the one the clinic gave in another way; spaces and letter case do
    not matter. Raises BadInputFile when there is no package, NewerFormat when a later Afterdose
    wrote it, Truncated when a file or part of one is missing, Tampered for anything changed,
    added, linked, or signed by another key than expected.
    """
    return _checked(_read(path), expected_fingerprint)


def zip_package(folder: Path) -> bytes:
    """The package in ``folder`` as a ZIP file, the same on every machine; checked first.

    Raises what :func:`verify_package` raises.
    """
    files = _read_folder(folder)
    _checked(files, None)
    return zip_bytes(files)


def _checked(files: Mapping[str, bytes], expected_fingerprint: str | None) -> VerifiedPackage:
    manifest = Manifest.from_bytes(files[MANIFEST])
    signed_by = _signer(manifest, files)
    if expected_fingerprint is not None and _bare(expected_fingerprint) != _bare(signed_by or ""):
        raise Tampered(
            "The package is not signed with the expected key. Do not use it; ask the clinic."
        )
    allowed = {MANIFEST, *(each.name for each in manifest.files)}
    if signed_by is not None:
        allowed.add(SIGNATURE)
    for name in sorted(files.keys() - allowed):
        raise Tampered(f"{name!r} was added to the package: it is not in {MANIFEST}.")
    for entry in manifest.files:
        _check_file(entry, files)
    return VerifiedPackage(manifest, signed_by)


def _signer(manifest: Manifest, files: Mapping[str, bytes]) -> str | None:
    if manifest.public_key is None:
        return None
    if SIGNATURE not in files:
        raise Truncated(f"{SIGNATURE} is missing from the package.")
    check_signature(manifest.public_key, files[MANIFEST], files[SIGNATURE])
    return fingerprint(manifest.public_key)


def _check_file(entry: FileEntry, files: Mapping[str, bytes]) -> None:
    content = files.get(entry.name)
    if content is None:
        raise Truncated(f"{entry.name} is missing from the package.")
    if len(content) < entry.size:
        raise Truncated(f"{entry.name} has {len(content)} of {entry.size} bytes.")
    if entry != FileEntry.of(entry.name, content):
        raise Tampered(f"{entry.name} was changed: it does not fit {MANIFEST}.")


def _bare(text: str) -> str:
    return "".join(text.split()).casefold()


def _read(path: Path) -> dict[str, bytes]:
    if path.is_dir():
        return _read_folder(path)
    try:
        with path.open("rb") as file:
            return _read_zip(path, file)
    except OSError as cause:
        raise BadInputFile(f"{path} cannot be read: {cause.strerror}.") from cause


def _read_folder(folder: Path) -> dict[str, bytes]:
    try:
        with os.scandir(folder) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
    except OSError as cause:
        raise BadInputFile(f"{folder} cannot be read: {cause.strerror}.") from cause
    _check_is_package(folder, {entry.name for entry in found})
    _check_amount(len(found), 0)
    files: dict[str, bytes] = {}
    for entry in found:
        if not entry.is_file(follow_symlinks=False):
            raise Tampered(f"{entry.name!r} is a link or a folder; a package holds plain files.")
        _check_amount(0, sum(map(len, files.values())) + entry.stat().st_size)
        try:
            files[entry.name] = Path(entry.path).read_bytes()
        except OSError as cause:
            raise BadInputFile(f"{entry.name!r} cannot be read: {cause.strerror}.") from cause
    return files


def _read_zip(path: Path, file: IO[bytes]) -> dict[str, bytes]:
    begins_as_zip = file.read(4) == b"PK\x03\x04"
    file.seek(0)
    try:
        with zipfile.ZipFile(file) as archive:
            return _unpacked(path, archive)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as cause:
        if begins_as_zip:
            raise Truncated(f"{path} is a damaged ZIP file, or part of one.") from cause
        raise BadInputFile(f"{path} is neither a folder nor a ZIP file.") from cause


def _unpacked(path: Path, archive: zipfile.ZipFile) -> dict[str, bytes]:
    entries = archive.infolist()
    if min((entry.header_offset for entry in entries), default=0) != 0:
        # A cut file can still end in the directory of the workbook, a ZIP file inside this one.
        raise zipfile.BadZipFile("something stands before the first file")
    folder = _common_folder([entry.filename for entry in entries])
    entries = [entry for entry in entries if entry.filename != folder]
    names = [entry.filename.removeprefix(folder) for entry in entries]
    _check_is_package(path, set(names))
    _check_amount(len(entries), sum(entry.file_size for entry in entries))
    for name, entry in zip(names, entries, strict=True):
        if not is_safe_name(name) or stat.S_ISLNK(entry.external_attr >> 16):
            raise Tampered(f"The ZIP file holds {name!r}: a package holds plain files, no paths.")
    if len({name.casefold() for name in names}) < len(names):
        raise Tampered("The ZIP file holds a file twice.")
    return {name: archive.read(entry) for name, entry in zip(names, entries, strict=True)}


def _common_folder(names: list[str]) -> str:
    """The one folder that a ZIP program puts around a folder's files, or nothing."""
    first = next((name for name in names if name.endswith(f"/{MANIFEST}")), "")
    folder = first.removesuffix(MANIFEST)
    plain = is_safe_name(folder.removesuffix("/"))
    return folder if plain and all(name.startswith(folder) for name in names) else ""


def _check_is_package(path: Path, names: set[str]) -> None:
    if MANIFEST in names:
        return
    if names & {SUMS, SIGNATURE}:
        raise Truncated(f"{MANIFEST} is missing from {path}.")
    raise BadInputFile(f"{path} {_NOT_A_PACKAGE}")


def _check_amount(files: int, size: int) -> None:
    if files > MOST_FILES or size > MOST_BYTES:
        raise Tampered(
            f"The package holds more than {MOST_FILES} files or {MOST_BYTES // 1024**2} MiB; "
            "Afterdose writes less. It was not read."
        )
