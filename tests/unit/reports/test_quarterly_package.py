"""Writing a package: the same bytes for the same content, whole or not at all."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import subprocess
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from reports.quarterly import package
from reports.quarterly.package import package_files, write_package, zip_bytes
from reports.quarterly.verify import verify_package, zip_package
from safety.errors import StoreUnavailable, UserError
from tests.support.packages import KEY, OTHER_KEY, PUBLIC_KEY, content


def test_two_runs_give_equal_bytes(tmp_path: Path) -> None:
    """Every file, the workbook and the signature included, depends on the content alone."""
    first = write_package(tmp_path / "a", content(), KEY.sign)
    second = write_package(tmp_path / "b", content(), KEY.sign)
    names = sorted(path.name for path in first.iterdir())
    assert names == sorted(path.name for path in second.iterdir())
    assert names == sorted(package_files(content(), KEY.sign))
    for name in names:
        assert (first / name).read_bytes() == (second / name).read_bytes()
    assert zip_package(first) == zip_package(second)


def test_the_manifest_says_what_the_package_is(tmp_path: Path) -> None:
    """Clinic, period, threshold, audit head, key, and every file with size and sum."""
    folder = write_package(tmp_path / "out", content(), KEY.sign)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    files = manifest.pop("files")
    assert manifest == {
        "product": "afterdose quality and safety report",
        "format": 1,
        "clinic": "Clinic Müller & Søn",
        "quarter": {
            "label": "2026Q2",
            "first_day": "2026-04-01",
            "last_day": "2026-06-30",
            "closed": True,
            "timezone": "America/New_York",
        },
        "created_at": "2026-07-03T09:30:00+00:00",
        "software": "afterdose 0.1.0",
        "rows": {"definitions.csv": 2, "exposure.csv": 3, "incidence.csv": 6},
        "suppression": {"threshold": 10, "hidden_cells": content().tables.hidden_cells},
        "audit_head": {"seq": 4711, "mac": bytes(range(32)).hex()},
        "signature": {
            "algorithm": "ed25519",
            "public_key": PUBLIC_KEY.hex(),
            "fingerprint": verify_package(folder).fingerprint,
        },
    }
    assert [each["name"] for each in files] == [
        "README.txt",
        "SHA256SUMS",
        "data_dictionary.csv",
        "definitions.csv",
        "exposure.csv",
        "incidence.csv",
        "quality-and-safety-report.xlsx",
    ]
    for each in files:
        written = (folder / each["name"]).read_bytes()
        assert each["bytes"] == len(written)
        assert each["sha256"] == hashlib.sha256(written).hexdigest()


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="no sha256sum on this machine")
def test_sha256sum_accepts_the_sums(tmp_path: Path) -> None:
    """The ordinary tool checks the files without Afterdose."""
    folder = write_package(tmp_path / "out", content(), KEY.sign)
    command = ["sha256sum", "--check", "--strict", "SHA256SUMS"]
    checked = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert checked.stdout.count(": OK") == 6


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl on this machine")
def test_openssl_accepts_the_signature(tmp_path: Path) -> None:
    """A foreign tool verifies what was signed."""
    from base64 import b64decode

    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    folder = write_package(tmp_path / "out", content(), KEY.sign)
    pem = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "key.pem").write_bytes(pem)
    (tmp_path / "sig").write_bytes(b64decode((folder / "manifest.json.sig").read_bytes()))
    command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", str(tmp_path / "key.pem")]
    command += ["-rawin", "-in", str(folder / "manifest.json"), "-sigfile", str(tmp_path / "sig")]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_an_empty_folder_may_be_the_target(tmp_path: Path) -> None:
    """A folder that was made for the package is used."""
    out = tmp_path / "out"
    out.mkdir()
    assert write_package(out, content(), KEY.sign) == out
    verify_package(out)


def test_missing_parents_are_made(tmp_path: Path) -> None:
    """A new place can be named in one go."""
    verify_package(write_package(tmp_path / "2026" / "Q2", content(), KEY.sign))


@pytest.mark.parametrize("kind", ["folder", "file", "link", "dangling"])
def test_what_is_there_is_never_overwritten(tmp_path: Path, kind: str) -> None:
    """A filled folder, a file and a link are refused and left as they are."""
    out = tmp_path / "out"
    if kind == "folder":
        out.mkdir()
        (out / "notes.txt").write_text("mine", encoding="utf-8")
    elif kind == "file":
        out.write_text("mine", encoding="utf-8")
    else:
        target = tmp_path / "elsewhere"
        if kind == "link":
            target.mkdir()
        out.symlink_to(target)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(UserError, match="is there already"):
        write_package(out, content(), KEY.sign)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When writing fails midway neither the folder nor a part of it stays."""
    flushed = 0

    def full_after_three(_file: object) -> None:
        nonlocal flushed
        flushed += 1
        if flushed == 3:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(package, "flush", full_after_three)
    with pytest.raises(StoreUnavailable, match=r"No space left on device\. Nothing was written"):
        write_package(tmp_path / "out", content(), KEY.sign)
    assert list(tmp_path.iterdir()) == []


def test_a_program_that_stops_midway_leaves_no_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder has its name only when every file is in it."""

    def interrupted(_folder: Path) -> None:
        assert not (tmp_path / "out").exists()
        raise KeyboardInterrupt

    monkeypatch.setattr(package, "flush_folder", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_package(tmp_path / "out", content(), KEY.sign)
    assert list(tmp_path.iterdir()) == []


def test_a_signature_by_another_key_is_never_written(tmp_path: Path) -> None:
    """The key in the manifest and the signing key must be two halves of one."""
    with pytest.raises(ValueError, match="does not fit the public key"):
        write_package(tmp_path / "out", content(), OTHER_KEY.sign)
    assert list(tmp_path.iterdir()) == []


def test_signing_needs_both_halves() -> None:
    """A key without a signature, and a signature without a key, are programming errors."""
    with pytest.raises(ValueError, match="both"):
        package_files(content(), None)
    with pytest.raises(ValueError, match="both"):
        package_files(content(signed=False), KEY.sign)
    with pytest.raises(ValueError, match="32 bytes"):
        replace(content(), public_key=b"short")


def test_an_unsigned_package_has_no_signature_file() -> None:
    """Nothing looks like a signature that is none."""
    files = package_files(content(signed=False), None)
    assert "manifest.json.sig" not in files
    assert json.loads(files["manifest.json"])["signature"] is None


def test_the_zip_file_is_the_same_on_every_machine() -> None:
    """Sorted names, the time of 1980, no compression, plain permissions."""
    files = package_files(content(), KEY.sign)
    backwards = dict(reversed(files.items()))
    assert zip_bytes(files) == zip_bytes(backwards)
    with zipfile.ZipFile(io.BytesIO(zip_bytes(files))) as archive:
        entries = archive.infolist()
        assert [entry.filename for entry in entries] == sorted(files)
        assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
        assert {entry.compress_type for entry in entries} == {zipfile.ZIP_STORED}
        assert {entry.external_attr >> 16 for entry in entries} == {0o100644}
