"""Checking packages: intact ones pass, every change is told apart."""

from __future__ import annotations

import io
import json
import zipfile
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reports.quarterly import verify
from reports.quarterly.manifest import FileEntry
from reports.quarterly.package import package_files, write_package, zip_bytes
from reports.quarterly.signature import fingerprint
from reports.quarterly.verify import verify_package, zip_package
from safety.errors import BadInputFile, NewerFormat, Tampered, Truncated
from tests.support.packages import KEY, OTHER_KEY, PUBLIC_KEY, content

SIGNED = package_files(content(), KEY.sign)
UNSIGNED = package_files(content(signed=False), None)


def put(folder: Path, files: dict[str, bytes]) -> Path:
    folder.mkdir()
    for name, written in files.items():
        (folder / name).write_bytes(written)
    return folder


@pytest.fixture
def package(tmp_path: Path) -> Path:
    return put(tmp_path / "package", SIGNED)


@pytest.fixture
def unsigned(tmp_path: Path) -> Path:
    return put(tmp_path / "unsigned", UNSIGNED)


def edit(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change the manifest and write it canonically again, as a careful forger would."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_bytes())
    change(manifest)
    text = json.dumps(manifest, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    path.write_bytes(text.encode())


def test_an_intact_package_is_accepted(package: Path) -> None:
    """What was written comes back, with the fingerprint and the warning about it."""
    checked = verify_package(package)
    assert checked.manifest.clinic == "Clinic Müller & Søn"
    assert checked.manifest.quarter == "2026Q2"
    assert checked.manifest.audit_head.seq == 4711
    assert checked.manifest.hidden_cells == content().tables.hidden_cells
    assert checked.fingerprint == fingerprint(PUBLIC_KEY)
    assert checked.fingerprint in checked.origin
    assert "in another way" in checked.origin


def test_an_unsigned_package_is_accepted_without_a_claim(unsigned: Path) -> None:
    """The check says that anybody could have made it."""
    checked = verify_package(unsigned)
    assert checked.fingerprint is None
    assert "anybody could have made both" in checked.origin


def test_the_zip_file_of_a_package_is_accepted(package: Path, tmp_path: Path) -> None:
    """A folder and its ZIP file say the same."""
    (tmp_path / "package.zip").write_bytes(zip_package(package))
    assert verify_package(tmp_path / "package.zip") == verify_package(package)


def test_a_zip_file_with_the_folder_in_it_is_accepted(tmp_path: Path) -> None:
    """ZIP programs put the folder around the files, and compress them."""
    path = tmp_path / "package.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.mkdir("2026Q2")
        for name, written in SIGNED.items():
            archive.writestr(f"2026Q2/{name}", written)
    assert verify_package(path).fingerprint == fingerprint(PUBLIC_KEY)


def test_the_expected_fingerprint_is_compared_without_spaces_and_case(package: Path) -> None:
    """What was read aloud or printed in capitals is enough."""
    spoken = fingerprint(PUBLIC_KEY).upper().replace(" ", "")
    assert verify_package(package, spoken).fingerprint == fingerprint(PUBLIC_KEY)


def test_another_key_than_expected_is_refused(package: Path, unsigned: Path) -> None:
    """A package signed by somebody else, or stripped of its signature, is not accepted."""
    other = fingerprint(OTHER_KEY.public_key().public_bytes_raw())
    with pytest.raises(Tampered, match="not signed with the expected key"):
        verify_package(package, other)
    with pytest.raises(Tampered, match="not signed with the expected key"):
        verify_package(unsigned, fingerprint(PUBLIC_KEY))
    with pytest.raises(Tampered, match="not signed with the expected key"):
        verify_package(package, "")


@pytest.mark.parametrize("name", sorted(SIGNED))
@pytest.mark.parametrize("place", [0.0, 0.5, 0.999])
def test_one_flipped_bit_anywhere_is_found(package: Path, name: str, place: float) -> None:
    """In each file, at its beginning, middle and end."""
    written = bytearray(SIGNED[name])
    written[int(place * len(written))] ^= 1
    (package / name).write_bytes(written)
    with pytest.raises((Tampered, BadInputFile)):
        verify_package(package)


@pytest.mark.parametrize("name", sorted(SIGNED))
def test_every_missing_file_is_found(package: Path, name: str) -> None:
    """The message names the file."""
    (package / name).unlink()
    with pytest.raises(Truncated, match=f"{name} is missing"):
        verify_package(package)


@pytest.mark.parametrize("name", sorted(set(UNSIGNED) - {"manifest.json"}))
def test_a_cut_file_is_told_from_a_changed_one(unsigned: Path, name: str) -> None:
    """Missing bytes are counted; added bytes are a change."""
    (unsigned / name).write_bytes(UNSIGNED[name][:-1])
    with pytest.raises(Truncated, match=f"{len(UNSIGNED[name]) - 1} of {len(UNSIGNED[name])}"):
        verify_package(unsigned)
    (unsigned / name).write_bytes(UNSIGNED[name] + b"x")
    with pytest.raises(Tampered, match=f"{name} was changed"):
        verify_package(unsigned)


@pytest.mark.parametrize("name", ["notes.txt", ".DS_Store", "readme.TXT", "manifest.json.sig"])
def test_an_added_file_is_found(unsigned: Path, name: str) -> None:
    """Also hidden files, the same name in other letters, and a signature that nobody made."""
    (unsigned / name).write_bytes(b"x")
    with pytest.raises(Tampered, match="was added"):
        verify_package(unsigned)


def test_a_link_is_refused(package: Path, tmp_path: Path) -> None:
    """A link to the right bytes is still not a file of the package."""
    (tmp_path / "away.csv").write_bytes(SIGNED["exposure.csv"])
    (package / "exposure.csv").unlink()
    (package / "exposure.csv").symlink_to(tmp_path / "away.csv")
    with pytest.raises(Tampered, match="link or a folder"):
        verify_package(package)


def test_a_folder_inside_is_refused(package: Path) -> None:
    """A package is flat."""
    (package / "more").mkdir()
    with pytest.raises(Tampered, match="link or a folder"):
        verify_package(package)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda raw: raw + b"\n", id="line end added"),
        pytest.param(lambda raw: raw.replace(b'":', b'": ', 1), id="space added"),
        pytest.param(lambda raw: raw.replace(b'{"audit', b'{"a":1,"audit', 1), id="key added"),
        pytest.param(lambda raw: raw.replace(b'"format":1', b'"format":1.0'), id="float"),
        pytest.param(lambda raw: raw.replace(b'"format":1', b'"format":true'), id="truth value"),
        pytest.param(lambda raw: raw.replace(b'"format":1', b'"format":1,"format":1'), id="twice"),
        pytest.param(lambda raw: raw.replace(b"M\xc3\xbcller", b"M\\u00fcller"), id="escape"),
        pytest.param(lambda raw: raw.replace(b'"threshold":10', b'"threshold":-1'), id="negative"),
        pytest.param(lambda raw: raw.replace(b'"files":[', b'"files":[1,'), id="not a file"),
        pytest.param(lambda raw: raw.replace(b'"clinic":"', b'"clinic":7,"x":"'), id="number"),
        pytest.param(lambda raw: raw.replace(b"Clinic", b"Cl\xff\xfeinic"), id="not UTF-8"),
        pytest.param(lambda raw: raw[:-10], id="cut"),
        pytest.param(lambda _: b"[" * 100_000, id="deep"),
        pytest.param(lambda _: b"", id="empty"),
    ],
)
def test_a_manifest_that_afterdose_would_not_write_is_refused(
    unsigned: Path, change: Callable[[bytes], bytes]
) -> None:
    """There is one way to write a manifest; any other is an edited one."""
    path = unsigned / "manifest.json"
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(Tampered, match=r"manifest\.json was"):
        verify_package(unsigned)


@pytest.mark.parametrize(
    "name",
    ["../away.csv", "/etc/hosts", "C:\\away.csv", "a/b.csv", "..", "", ".hidden", "a\\b", "x\n",
     "manifest.json", "manifest.json.sig"],
)  # fmt: skip
def test_a_manifest_that_names_a_file_elsewhere_is_refused(unsigned: Path, name: str) -> None:
    """Paths, absolute names and the manifest itself are no files of a package."""

    def add(manifest: dict[str, Any]) -> None:
        entry = FileEntry.of(name, b"")
        manifest["files"].append({"name": name, "bytes": 0, "sha256": entry.sha256})

    edit(unsigned, add)
    with pytest.raises(Tampered, match="no file name of a package"):
        verify_package(unsigned)


def test_a_manifest_that_names_a_file_twice_is_refused(unsigned: Path) -> None:
    """Names that differ in letter case only would be one file on some disks."""

    def add(manifest: dict[str, Any]) -> None:
        files = manifest["files"]
        files.append({**files[0], "name": files[0]["name"].lower()})
        files.sort(key=lambda each: each["name"])

    edit(unsigned, add)
    with pytest.raises(Tampered, match="twice"):
        verify_package(unsigned)


def test_an_edited_manifest_breaks_the_signature(package: Path) -> None:
    """A clinic's name, changed with care, does not fit the signature."""
    edit(package, lambda manifest: manifest.update(clinic="Another clinic"))
    with pytest.raises(Tampered, match=r"does not fit manifest\.json and the key"):
        verify_package(package)


def test_a_forged_number_needs_the_key(package: Path) -> None:
    """A changed table with a fitting sum and size in the manifest is still found."""
    forged = SIGNED["incidence.csv"].replace(b",101,", b",100,")
    (package / "incidence.csv").write_bytes(forged)

    def fit(manifest: dict[str, Any]) -> None:
        entry = FileEntry.of("incidence.csv", forged)
        for each in manifest["files"]:
            if each["name"] == entry.name:
                each.update(bytes=entry.size, sha256=entry.sha256)

    edit(package, fit)
    with pytest.raises(Tampered, match=r"does not fit manifest\.json and the key"):
        verify_package(package)


def test_a_forger_with_a_key_of_their_own_has_another_fingerprint(tmp_path: Path) -> None:
    """Which is why the fingerprint is compared outside of the package."""
    from dataclasses import replace

    key = OTHER_KEY.public_key().public_bytes_raw()
    forged = write_package(tmp_path / "forged", replace(content(), public_key=key), OTHER_KEY.sign)
    assert verify_package(forged).fingerprint != fingerprint(PUBLIC_KEY)
    with pytest.raises(Tampered, match="expected key"):
        verify_package(forged, fingerprint(PUBLIC_KEY))


@pytest.mark.parametrize(
    "written",
    [
        b"",
        b"not base64 \xff",
        b64encode(bytes(64)) + b"\n",
        b64encode(KEY.sign(SIGNED["manifest.json"])),
        b64encode(KEY.sign(SIGNED["manifest.json"])) + b"\n\n",
        KEY.sign(SIGNED["manifest.json"]),
        b64encode(OTHER_KEY.sign(SIGNED["manifest.json"])) + b"\n",
    ],
)
def test_a_signature_in_any_other_form_is_refused(package: Path, written: bytes) -> None:
    """Wrong keys, wrong encodings, missing and doubled line ends."""
    (package / "manifest.json.sig").write_bytes(written)
    with pytest.raises(Tampered, match=r"manifest\.json\.sig does not fit"):
        verify_package(package)


def test_a_key_that_is_no_key_is_refused(package: Path) -> None:
    """The public key in the manifest must be one."""

    def shorten(manifest: dict[str, Any]) -> None:
        key = PUBLIC_KEY[:31]
        manifest["signature"].update(public_key=key.hex(), fingerprint=fingerprint(key))

    edit(package, shorten)
    with pytest.raises(Tampered, match=r"manifest\.json\.sig does not fit"):
        verify_package(package)


def test_a_package_of_a_later_format_asks_for_an_update(package: Path) -> None:
    """It is not called tampered."""
    edit(package, lambda manifest: manifest.update(format=2, news=[1, 2]))
    with pytest.raises(NewerFormat, match="format 2; this Afterdose reads up to 1"):
        verify_package(package)


@pytest.mark.parametrize("manifest", [b"{}", b"[]", b'"text"', b'{"product":"other"}', b"null"])
def test_the_manifest_of_something_else_is_no_package(tmp_path: Path, manifest: bytes) -> None:
    """Other programs have files of that name too."""
    folder = put(tmp_path / "other", {"manifest.json": manifest})
    with pytest.raises(BadInputFile, match="does not describe an Afterdose package"):
        verify_package(folder)


def test_what_is_no_package_is_told_so(tmp_path: Path) -> None:
    """Nothing there, an empty folder, another file, another ZIP file."""
    with pytest.raises(BadInputFile, match="cannot be read"):
        verify_package(tmp_path / "nowhere")
    with pytest.raises(BadInputFile, match=r"has no manifest\.json"):
        verify_package(tmp_path)
    (tmp_path / "a.txt").write_bytes(b"text")
    with pytest.raises(BadInputFile, match="neither a folder nor a ZIP file"):
        verify_package(tmp_path / "a.txt")
    (tmp_path / "b.zip").write_bytes(zip_bytes({"a.txt": b"text"}))
    with pytest.raises(BadInputFile, match=r"has no manifest\.json"):
        verify_package(tmp_path / "b.zip")


def test_a_broken_package_is_not_zipped(package: Path) -> None:
    """Making the ZIP file checks first."""
    (package / "exposure.csv").write_bytes(b"changed" * 100)
    with pytest.raises(Tampered, match=r"exposure\.csv was changed"):
        zip_package(package)


def archive_of(path: Path, *entries: tuple[zipfile.ZipInfo | str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for entry, written in (*SIGNED.items(), *entries):
            archive.writestr(entry, written)
    return path


@pytest.mark.parametrize("name", ["../away.csv", "/etc/hosts", "a\\b.csv", "more/a.csv", "more/"])
def test_a_zip_file_with_paths_is_refused(tmp_path: Path, name: str) -> None:
    """Nothing could land outside, and nothing is unpacked anyway."""
    with pytest.raises(Tampered, match="no paths"):
        verify_package(archive_of(tmp_path / "a.zip", (name, b"x")))
    assert [path.name for path in tmp_path.iterdir()] == ["a.zip"]


def test_a_zip_file_with_a_link_is_refused(tmp_path: Path) -> None:
    """A link in a ZIP file is a plain entry with a mark."""
    link = zipfile.ZipInfo("link.csv")
    link.external_attr = 0o120777 << 16
    with pytest.raises(Tampered, match="no paths"):
        verify_package(archive_of(tmp_path / "a.zip", (link, b"exposure.csv")))


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("name", ["exposure.csv", "EXPOSURE.csv"])
def test_a_zip_file_with_a_file_twice_is_refused(tmp_path: Path, name: str) -> None:
    """Two programs could each read another one of them."""
    with pytest.raises(Tampered, match="twice"):
        verify_package(archive_of(tmp_path / "a.zip", (name, b"x")))


def test_a_zip_file_with_an_added_file_is_refused(tmp_path: Path) -> None:
    """As in a folder."""
    with pytest.raises(Tampered, match="was added"):
        verify_package(archive_of(tmp_path / "a.zip", ("notes.txt", b"x")))


def test_a_zip_bomb_is_refused_unread(tmp_path: Path) -> None:
    """65 MiB of zeros pack into 64 KiB; the sizes in the directory are enough to refuse."""
    path = archive_of(tmp_path / "a.zip", ("bomb.csv", bytes(65 * 1024 * 1024)))
    assert path.stat().st_size < 200_000
    with pytest.raises(Tampered, match="was not read"):
        verify_package(path)


def test_a_zip_bomb_that_lies_about_its_size_is_refused(tmp_path: Path) -> None:
    """Reading stops at the size that the directory promised."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, written in SIGNED.items():
            archive.writestr(name, written)
        archive.writestr("bomb.csv", bytes(10 * 1024 * 1024))
    raw = target.getvalue()
    size = (10 * 1024 * 1024).to_bytes(4, "little")
    assert raw.count(size) == 2  # in the entry and in the directory
    path = tmp_path / "a.zip"
    path.write_bytes(raw.replace(size, (100).to_bytes(4, "little")))
    with pytest.raises((Truncated, Tampered)):
        verify_package(path)


def test_too_many_files_are_refused(package: Path) -> None:
    """A folder with thousands of files is not hashed through."""
    for number in range(verify.MOST_FILES):
        (package / f"{number}.csv").write_bytes(b"")
    with pytest.raises(Tampered, match="more than 64 files"):
        verify_package(package)


def test_a_huge_file_is_refused_unread(package: Path) -> None:
    """The size is looked at before the content."""
    with (package / "exposure.csv").open("r+b") as file:
        file.truncate(verify.MOST_BYTES + 1)
    with pytest.raises(Tampered, match="was not read"):
        verify_package(package)


@pytest.mark.parametrize("kept", [0.3, 0.9, 0.999])
def test_a_cut_zip_file_is_found(tmp_path: Path, kept: float) -> None:
    """Part of a download is told from something that is no ZIP file."""
    raw = zip_bytes(SIGNED)
    (tmp_path / "a.zip").write_bytes(raw[: int(kept * len(raw))])
    with pytest.raises(Truncated, match="damaged ZIP file, or part of one"):
        verify_package(tmp_path / "a.zip")


def test_flipped_bits_in_a_zip_file_are_found(tmp_path: Path) -> None:
    """Whatever bit is flipped, the content is the same or the package refused."""
    raw = zip_bytes(SIGNED)
    path = tmp_path / "a.zip"
    intact = verify_package(put(tmp_path / "package", SIGNED))
    for place in range(0, len(raw), 97):
        changed = bytearray(raw)
        changed[place] ^= 0x10
        path.write_bytes(changed)
        try:
            assert verify_package(path) == intact
        except (Tampered, Truncated, BadInputFile):
            continue


def test_an_encrypted_zip_file_is_refused(tmp_path: Path) -> None:
    """A package is not encrypted, so a mark that says so is a change."""
    raw = bytearray(zip_bytes(SIGNED))
    raw[6] |= 1
    directory = raw.find(b"PK\x01\x02")
    raw[directory + 8] |= 1
    (tmp_path / "a.zip").write_bytes(raw)
    with pytest.raises(Truncated, match="damaged ZIP file"):
        verify_package(tmp_path / "a.zip")
