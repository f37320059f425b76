"""``afterdose export``, ``verify`` and ``rebuild``: what leaves, and whether it can be trusted."""

from __future__ import annotations

import hashlib
import json
from base64 import b64decode
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from reports.periods import Quarter
from safety.config import read_config
from safety.keys.ring import open_keys
from safety.keys.sources import KeyFile
from tests.support.accounts import audit_of
from tests.support.command_line import Desk
from tests.support.stores import raw_connection

PAST = "2025Q4"


@pytest.fixture
def filled(clinic: Desk) -> Desk:
    """A clinic with 60 patients of one session each in the fourth quarter of 2025."""
    sessions, events = (
        ["session_ref,site,patient_mrn,protocol,started_at"],
        ["session_ref,term,grade"],
    )
    for number in range(60):
        day = date(2025, 10, 1) + timedelta(days=number)
        sessions.append(f"s{number},Main Street,MRN-QX-{number},IV induction,{day}T10:00")
        if number % 3:
            events.append(f"s{number},nausea,1")
    done = clinic.run(
        "import",
        clinic.file("SESSIONS.csv", "\n".join(sessions)),
        clinic.file("EVENTS.csv", "\n".join(events)),
    )
    assert done.status == 0
    return clinic


@pytest.fixture
def package(filled: Desk) -> Path:
    folder = filled.folder / PAST
    assert filled.run("export", PAST, "--out", folder).status == 0
    return folder


def test_an_export_can_be_verified_by_somebody_without_the_store(
    filled: Desk, package: Path
) -> None:
    filled.home = filled.folder / "nothing here"
    done = filled.run("verify", package, "--format", "json")
    assert done.status == 0
    about = done.json()
    assert (about["quarter"], about["clinic"], about["closed"]) == (PAST, "Alder Clinic", True)
    assert about["fingerprint"] in done.err
    assert filled.run("verify", package, "--fingerprint", about["fingerprint"]).status == 0


def test_an_export_is_on_record_under_the_sum_of_its_manifest(filled: Desk, package: Path) -> None:
    sum_of_manifest = hashlib.sha256((package / "manifest.json").read_bytes()).hexdigest()
    with filled.store() as store:
        assert audit_of(store, "export") == [
            ("console", "director", "export", "package", sum_of_manifest, PAST)
        ]


def test_a_package_shows_what_was_counted_and_no_small_number(package: Path) -> None:
    lines = (package / "incidence.csv").read_text(encoding="utf-8").splitlines()
    [nausea] = [line for line in lines if ",nausea,Nausea,session," in line]
    assert ",40,60,40,0.666667," in nausea
    assert not any(b"MRN-QX" in path.read_bytes() for path in package.iterdir())


def test_a_quarter_that_is_not_over_is_marked(filled: Desk) -> None:
    now = Quarter.containing(datetime.now(UTC).date())
    folder = filled.folder / "now"
    assert filled.run("export", now.label, "--out", folder).status == 0
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["quarter"]["closed"] is False
    assert "NOT CLOSED" in (folder / "README.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("quarter", "message"),
    [("2025Q5", "is not a quarter. Write it as 2026Q2"), ("2999Q1", "has not begun")],
)
def test_a_quarter_that_cannot_be_exported_says_why(
    filled: Desk, quarter: str, message: str
) -> None:
    done = filled.run("export", quarter, "--out", filled.folder / "out")
    assert (done.status, done.out) == (1, "")
    assert message in done.err
    assert not (filled.folder / "out").exists()


def test_an_export_that_cannot_be_written_is_not_on_record(filled: Desk, package: Path) -> None:
    done = filled.run("export", PAST, "--out", package)
    assert done.status == 1
    assert "is there already" in done.err
    with filled.store() as store:
        assert len(audit_of(store, "export")) == 1


def test_a_changed_package_is_an_integrity_failure(filled: Desk, package: Path) -> None:
    with (package / "incidence.csv").open("ab") as file:
        file.write(b"x")
    done = filled.run("verify", package)
    assert (done.status, done.out) == (3, "")
    assert "incidence.csv was changed" in done.err


def test_a_folder_that_is_no_package_can_be_mended(filled: Desk) -> None:
    done = filled.run("verify", filled.folder)
    assert done.status == 1
    assert "is not an Afterdose package" in done.err


@pytest.mark.parametrize("options", [(), ("x", "--store")], ids=["neither", "both"])
def test_verify_needs_a_package_or_the_store(filled: Desk, options: tuple[str, ...]) -> None:
    assert filled.run("verify", *options).status == 2


def test_a_whole_store_verifies_and_says_where_its_audit_trail_ends(filled: Desk) -> None:
    done = filled.run("verify", "--store", "--format", "json")
    assert done.status == 0
    found = done.json()
    assert (found["reports"], found["findings"]) == (60, [])
    assert found["head"]["seq"] == found["audit_entries"]


def test_a_package_serves_as_an_anchor(filled: Desk, package: Path) -> None:
    manifest = package / "manifest.json"
    assert filled.run("verify", "--store", "--anchor", manifest).status == 0
    other = json.loads(manifest.read_text(encoding="utf-8"))
    other["audit_head"]["mac"] = "00" * 32
    forged = filled.file("forged.json", json.dumps(other))
    done = filled.run("verify", "--store", "--anchor", forged)
    assert done.status == 3
    assert "is not the one of the checkpoint" in done.out


def test_three_lines_of_a_checkpoint_serve_as_an_anchor(filled: Desk) -> None:
    head = filled.run("verify", "--store", "--format", "json").json()["head"]
    lines = filled.file("checkpoint", f"afterdose/Alder\n{head['seq']}\n{head['mac']}\n")
    assert filled.run("verify", "--store", "--anchor", lines).status == 0
    beyond = filled.file("beyond", f"afterdose/Alder\n{head['seq'] + 9}\n{head['mac']}\n")
    assert filled.run("verify", "--store", "--anchor", beyond).status == 3
    nothing = filled.file("nothing", "no checkpoint")
    assert filled.run("verify", "--store", "--anchor", nothing).status == 1


def test_a_row_changed_behind_the_back_is_found_and_made_anew(filled: Desk) -> None:
    with filled.store() as store, raw_connection(store) as raw:
        raw.execute("UPDATE events SET grade = 3 WHERE session_no = 2")
    found = filled.run("verify", "--store", "--format", "json")
    assert found.status == 3
    assert any("events: row 2" in finding for finding in found.json()["findings"])
    compared = filled.run("rebuild", "--format", "json")
    assert compared.status == 3
    assert len(compared.json()["differing"]) == 1
    assert filled.run("rebuild", "--write").status == 0
    assert filled.run("verify", "--store").status == 0


def test_lost_receipts_make_the_store_read_only_until_they_are_renewed(filled: Desk) -> None:
    (filled.home / "receipts.log").unlink()
    period = ("--from", "2025-10-01", "--to", "2025-12-31")
    read = filled.run("rates", *period, "--format", "json")
    assert read.status == 0
    assert "read-only" in read.err
    assert len(read.json()) > 100
    assert filled.run("export", PAST, "--out", filled.folder / "x").status == 3
    assert filled.run("import", filled.folder / "SESSIONS.csv").status == 3
    assert filled.run("verify", "--store").status == 3
    assert filled.run("verify", "--store", "--renew-receipts").status == 0
    assert filled.run("export", PAST, "--out", filled.folder / "x").status == 0


def test_receipts_are_not_renewed_while_something_else_is_wrong(filled: Desk) -> None:
    (filled.home / "receipts.log").unlink()
    with filled.store() as store, raw_connection(store) as raw:
        raw.execute("UPDATE events SET grade = 3 WHERE session_no = 2")
    done = filled.run("verify", "--store", "--renew-receipts")
    assert done.status == 3
    assert "something else is wrong" in done.err
    assert not (filled.home / "receipts.log").exists()


def test_a_checkpoint_is_signed_and_serves_as_the_anchor(filled: Desk) -> None:
    """The auditor needs the three lines, the signature and the public key only."""
    kept = filled.folder / "checkpoint.txt"
    assert filled.run("verify", "--store", "--checkpoint", kept).status == 0
    lines, signature = kept.read_bytes().split(b"\n\n")
    config = read_config(filled.home)
    public = open_keys(config.keys_path, KeyFile(config.key_file or Path())).checkpoint_public
    key = Ed25519PublicKey.from_public_bytes(public)
    key.verify(b64decode(signature), lines + b"\n")
    with pytest.raises(InvalidSignature):
        key.verify(b64decode(signature), lines.replace(b"\n", b"\n1", 1) + b"\n")
    assert filled.run("verify", "--store", "--anchor", kept).status == 0
