"""Writing a package: all of its files, as a folder or as a ZIP file.

The folder appears whole or not at all: it is written under another name beside its place, flushed
to the disk, and renamed.
"""

from __future__ import annotations

import io
import secrets
import shutil
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from reports.quarterly.content import PackageContent
from reports.quarterly.manifest import MANIFEST, SIGNATURE, FileEntry, Manifest
from reports.quarterly.sheets import sheets
from reports.quarterly.signature import check_signature, signature_bytes
from reports.quarterly.write_csv import csv_bytes, dictionary_bytes
from reports.quarterly.write_text import about, readme_bytes
from reports.quarterly.write_xlsx import xlsx_bytes
from safety.errors import StoreUnavailable, Tampered, UserError
from safety.keys.durable import flush, flush_folder

SUMS: Final = "SHA256SUMS"
WORKBOOK: Final = "quality-and-safety-report.xlsx"
_ZIP_TIME: Final = (1980, 1, 1, 0, 0, 0)

Sign = Callable[[bytes], bytes]


def write_package(out: Path, content: PackageContent, sign: Sign | None) -> Path:
    """Write the package as the new folder ``out`` and return its path.

    ``sign`` makes the raw Ed25519 signature of the manifest with the key whose public half is in
    ``content``; None leaves the package unsigned. Raises UserError when ``out`` is taken and
    StoreUnavailable when the disk refuses; then nothing is left behind.
    """
    files = package_files(content, sign)
    out = out.absolute()
    if out.is_symlink() or (out.exists() and (not out.is_dir() or any(out.iterdir()))):
        raise UserError(f"{out} is there already. Name a folder that does not exist yet.")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        _publish(out, files)
    except OSError as cause:
        raise StoreUnavailable(
            f"The package cannot be written to {out}: {cause.strerror}. Nothing was written."
        ) from cause
    return out


def package_files(content: PackageContent, sign: Sign | None) -> dict[str, bytes]:
    """Every file of the package by name. Equal contents give equal bytes.

    Raises ValueError when ``sign`` and the public key of ``content`` do not belong together.
    """
    tables = sheets(content)
    files = {sheet.file_name: csv_bytes(sheet) for sheet in tables}
    files["data_dictionary.csv"] = dictionary_bytes(tables)
    files[WORKBOOK] = xlsx_bytes(content, about(content), tables)
    files["README.txt"] = readme_bytes(content)
    files[SUMS] = _sums(files)
    manifest = Manifest.of(content, tables, files).to_bytes()
    files[MANIFEST] = manifest
    if sign is not None or content.public_key is not None:
        files[SIGNATURE] = _signed(manifest, content.public_key, sign)
    return files


def zip_bytes(files: Mapping[str, bytes]) -> bytes:
    """A ZIP file of a package, the same on every machine: sorted, stored, dated 1980."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _ZIP_TIME)
            entry.create_system = 3
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, files[name])
    return target.getvalue()


def _sums(files: Mapping[str, bytes]) -> bytes:
    entries = (FileEntry.of(name, files[name]) for name in sorted(files))
    return "".join(f"{entry.sha256}  {entry.name}\n" for entry in entries).encode()


def _signed(manifest: bytes, public_key: bytes | None, sign: Sign | None) -> bytes:
    if sign is None or public_key is None:
        raise ValueError("a signed package needs both a way to sign and the public key")
    file = signature_bytes(sign(manifest))
    try:
        check_signature(public_key, manifest, file)
    except Tampered as cause:
        raise ValueError("the signature does not fit the public key") from cause
    return file


def _publish(out: Path, files: Mapping[str, bytes]) -> None:
    # Beside the target, so that the rename stays within one file system.
    partial = out.parent / f".{out.name}.{secrets.token_hex(8)}.partial"
    partial.mkdir()
    try:
        for name, content in files.items():
            with (partial / name).open("xb") as file:
                file.write(content)
                flush(file)
        flush_folder(partial)
        if out.exists():
            out.rmdir()  # empty, and renaming onto a folder is not allowed everywhere
        partial.rename(out)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    flush_folder(out.parent)
