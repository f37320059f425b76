"""A disk without room: a clear refusal, nothing half written, and a whole store afterwards."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from safety import service
from safety.errors import StoreUnavailable
from safety.store.handle import Store
from safety.store.opening import create_store
from safety.store.verifying import verify
from tests.support.builders import CLINIC, NURSE, SITE, a_full_report, a_patient, a_report
from tests.support.clock import FakeClock
from tests.support.processes import child
from tests.support.stores import Template, key_of, made_store, reopened


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of a megabyte in memory; mounting one takes root on Linux."""
    folder = tmp_path / "small"
    folder.mkdir()
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        pytest.skip(
            "mounting a small file system takes root; the file size limit is tested instead"
        )
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("this container mounts nothing; the file size limit is tested instead")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path, *, leave: int = 0) -> Path:
    """Take all room but ``leave`` bytes, and return the file that takes it."""
    filler = folder / "filler"
    free = os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize
    filler.write_bytes(bytes(max(free - leave, 0)))
    return filler


def file_until_refused(store: Store) -> tuple[int, StoreUnavailable]:
    for number in range(10_000):
        patient = a_patient(mrn=f"M-{number}")
        report = a_full_report(patient=patient, session_ref=f"V-{number}", narrative="x" * 3000)
        try:
            service.file_report(store, NURSE, report)
        except StoreUnavailable as refusal:
            return number, refusal
    raise AssertionError("the disk never became full")


def test_a_full_disk_refuses_plainly_and_the_store_stays_whole(
    embedded_template: Template, small_disk: Path, clock: FakeClock
) -> None:
    """Promise 3: journal, database and receipts on one disk that fills up."""
    with embedded_template.copy(small_disk / "clinic", clock) as store:
        kept, refusal = file_until_refused(store)
        assert kept > 5
        assert "the disk is full. Nothing was written. Free space and try again." in str(refusal)
        again = reopened(store)
        assert again.distrust is None
        found = verify(again)
        assert (found.findings, found.reports) == ([], kept)
        again.close()


def test_a_disk_without_any_room_refuses_each_time_and_works_again_after(
    embedded_template: Template, small_disk: Path, clock: FakeClock
) -> None:
    with embedded_template.copy(small_disk / "clinic", clock) as store:
        filler = fill(small_disk)
        for _ in range(3):
            with pytest.raises(StoreUnavailable, match="the disk is full"):
                service.file_report(store, NURSE, a_report())
        filler.unlink()
        service.file_report(store, NURSE, a_report())
        assert verify(store).reports == 1
        again = reopened(store)
        assert again.distrust is None
        again.close()


@pytest.mark.parametrize("leave", [0, 8_192, 65_536, 131_072])
def test_a_store_that_cannot_be_made_leaves_nothing(
    small_disk: Path, clock: FakeClock, leave: int
) -> None:
    """Whatever step the disk gives out at: keys, database, receipts or configuration."""
    (small_disk / "keys").mkdir()
    filler = fill(small_disk, leave=leave)
    with pytest.raises(StoreUnavailable):
        made_store(small_disk / "clinic", clock) if leave else create(small_disk, clock)
    left = {p.name for p in (small_disk / "clinic").rglob("*") if p.is_file()}
    assert left <= {"clinic.key", "writer.lock"}
    filler.unlink()


def create(folder: Path, clock: FakeClock) -> None:
    from safety.config import Config
    from safety.keys.sources import Passphrase

    source = Passphrase("otter violin harbour maple")
    create_store(Config(folder / "clinic"), source, clinic=CLINIC, site=SITE, clock=clock)


def test_a_receipt_that_finds_no_room_is_owed_and_paid_before_the_next_report(
    embedded_store: Store, small_disk: Path
) -> None:
    """Promise 3 for the receipts: what is committed is not called failed; no debts."""
    receipts = small_disk / "receipts.log"
    receipts.write_bytes(embedded_store.receipts.path.read_bytes())
    embedded_store.receipts.path.unlink()
    embedded_store.receipts.path.symlink_to(receipts)
    before = receipts.read_bytes()
    room = -len(before) % os.statvfs(small_disk).f_frsize  # the rest of the last block is ours
    filler = fill(small_disk)
    with receipts.open("ab") as file:
        file.write(b"\n" * room)
    filed = service.file_report(embedded_store, NURSE, a_full_report())
    assert receipts.read_bytes().rstrip(b"\n") == before.rstrip(b"\n")
    with pytest.raises(StoreUnavailable, match=r"receipts\.log could not be written"):
        service.file_report(embedded_store, NURSE, a_report(mrn="2"))
    filler.unlink()
    service.file_report(embedded_store, NURSE, a_report(mrn="2"))
    found = verify(embedded_store)
    assert (found.findings, found.reports) == ([], 2)
    again = reopened(embedded_store)
    assert again.distrust is None
    assert service.read_report(again, NURSE, filed.report_id).version == 1
    again.close()


@pytest.mark.parametrize("room", [20_000, 60_000, 200_000])
def test_a_file_that_may_not_grow_refuses_plainly_and_the_store_stays_whole(
    embedded_store: Store, room: int
) -> None:
    """Promise 3 by another way (a quota): the limit may strike the journal or the database."""
    done = child(embedded_store, "file-until-full", room)
    out, err = done.communicate(timeout=60)
    *acknowledged, refusal, count = out.splitlines()
    assert refusal.startswith("StoreUnavailable: The store: the disk "), (out, err)
    assert "Nothing was written." in refusal
    assert int(count) == len(acknowledged)
    again = reopened(embedded_store)
    assert again.distrust is None
    found = verify(again)
    assert (found.findings, found.reports) == ([], len(acknowledged))
    again.close()


def test_the_key_file_of_these_tests_lies_beside_the_data_and_not_in_it(
    embedded_store: Store,
) -> None:
    home = embedded_store.config.home
    assert home not in key_of(embedded_store).path.parents
