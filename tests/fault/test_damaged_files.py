"""Damaged files of a store: each is refused by name, and wrong data is never returned."""

from __future__ import annotations

import random
from typing import Any

import pytest

from safety import service
from safety.errors import (
    AfterdoseError,
    IntegrityFailure,
    RolledBack,
    Tampered,
    Truncated,
    WrongKey,
)
from safety.model import SessionReport
from safety.store import engine as engines
from safety.store import reading
from safety.store.handle import Store
from safety.store.opening import open_store
from safety.store.verifying import Verification, verify
from tests.support.builders import NURSE, a_full_report, a_patient, a_report
from tests.support.clock import FakeClock
from tests.support.stores import key_of, reopened

PAGE = engines.PAGE_BYTES


@pytest.fixture
def closed(embedded_store: Store) -> Store:
    """Twelve reports in a closed store."""
    for number in range(12):
        patient = a_patient(mrn=f"M-{number}")
        report = a_full_report(patient=patient, session_ref=f"V-{number}")
        service.file_report(embedded_store, NURSE, report)
    embedded_store.close()
    return embedded_store


def opened(store: Store) -> Store:
    return open_store(store.config, key_of(store), clock=FakeClock())


def looked_at(store: Store) -> tuple[Verification, list[SessionReport]]:
    """Open, verify and read everything. Raises what a reader would see."""
    again = opened(store)
    try:
        if again.distrust is not None:
            raise again.distrust
        found = verify(again)
        with again.read() as connection:  # not by the service, which would write down the view
            stored = [report for _, report in reading.every_current(connection, again.ring)]
        return found, [one.report for one in stored]
    finally:
        again.close()


def test_each_page_matters(closed: Store) -> None:
    """Promise 5: one flipped bit in every page, at a place that a seed chooses."""
    path = closed.config.database_path
    whole = path.read_bytes()
    chance = random.Random(20260302)
    for page in range(len(whole) // PAGE):
        place = page * PAGE + chance.randrange(PAGE)
        path.write_bytes(flipped(whole, place, 1 << chance.randrange(8)))
        try:
            found, _ = looked_at(closed)
        except Tampered:
            continue
        assert f"HMAC verification failed for page {page + 1}" in found.findings[0], place
    path.write_bytes(whole)
    found, reports = looked_at(closed)
    assert (found.findings, len(reports)) == ([], 12)


@pytest.mark.parametrize("place", [0, 7, 15, 16, 28, 31, 100, 4015, 4016, 4032, 4095])
def test_every_region_of_the_first_page_matters(closed: Store, place: int) -> None:
    """Salt, header, schema, reserve with vector and HMAC."""
    path = closed.config.database_path
    path.write_bytes(flipped(path.read_bytes(), place))
    with pytest.raises(IntegrityFailure) as caught:
        looked_at(closed)
    assert isinstance(caught.value, Tampered | Truncated)
    assert "store" in str(caught.value)


def flipped(content: bytes, place: int, bit: int = 1) -> bytes:
    return content[:place] + bytes([content[place] ^ bit]) + content[place + 1 :]


def test_verification_names_the_damaged_page(closed: Store) -> None:
    """The last page: opening does not touch it."""
    path = closed.config.database_path
    whole = path.read_bytes()
    path.write_bytes(flipped(whole, len(whole) - 100))
    again = opened(closed)
    findings = verify(again).findings
    assert findings[0] == f"store.db: HMAC verification failed for page {len(whole) // PAGE}"
    again.close()


def test_two_pages_swapped_are_refused(closed: Store) -> None:
    """The page number is part of each page's HMAC."""
    path = closed.config.database_path
    whole = bytearray(path.read_bytes())
    one, other = slice(9 * PAGE, 10 * PAGE), slice(12 * PAGE, 13 * PAGE)
    whole[one], whole[other] = whole[other], whole[one]
    path.write_bytes(whole)
    try:
        found, _ = looked_at(closed)
    except Tampered:
        return
    assert found.findings[0].endswith("page 10")


def cuts(size: int) -> list[int]:
    pages = size // PAGE
    whole = [0, 1, 2, pages // 2, pages - 2, pages - 1]
    return [
        *(page * PAGE for page in whole),
        1,
        16,
        100,
        PAGE - 1,
        PAGE + 1,
        size // 2 + 7,
        size - 1,
    ]


def test_a_file_cut_anywhere_is_told_as_cut(closed: Store) -> None:
    """Promise 6: at page boundaries, in the middle of a page, and down to nothing."""
    path = closed.config.database_path
    whole = path.read_bytes()
    for size in cuts(len(whole)):
        path.write_bytes(whole[:size])
        with pytest.raises(Truncated, match=r"store\.db is (empty|shorter)"):
            looked_at(closed)
    path.write_bytes(whole)
    assert looked_at(closed)[0].findings == []


def test_a_file_cut_while_it_is_open_is_told_as_cut(embedded_store: Store) -> None:
    for number in range(12):
        service.file_report(embedded_store, NURSE, a_report(mrn=str(number)))
    path = embedded_store.config.database_path
    path.write_bytes(path.read_bytes()[: 5 * PAGE])
    with pytest.raises(Truncated):
        service.file_report(embedded_store, NURSE, a_report())


def test_a_file_that_grew_is_named(closed: Store) -> None:
    path = closed.config.database_path
    for more in (b"x", bytes(PAGE), path.read_bytes()[:PAGE]):
        whole = path.read_bytes()
        path.write_bytes(whole + more)
        found, reports = looked_at(closed)
        assert "page" in found.findings[0]
        assert len(reports) == 12
        path.write_bytes(whole)


def test_another_kind_of_file_is_refused(closed: Store) -> None:
    path = closed.config.database_path
    for content in (b"SQLite format 3\0" + bytes(8000), random.Random(1).randbytes(20 * PAGE)):
        path.write_bytes(content)
        with pytest.raises(WrongKey, match="belongs to other keys"):
            opened(closed)


def test_the_whole_file_rolled_back_is_found_and_takes_no_writing(embedded_store: Store) -> None:
    """Promise 10: an old copy of the file is whole and genuine; only the receipts know better."""
    filed = service.file_report(embedded_store, NURSE, a_full_report())
    path = embedded_store.config.database_path
    old = path.read_bytes()
    service.amend_report(
        embedded_store,
        NURSE,
        filed.report_id,
        a_full_report(dose_mg=42.0),
        base_version=1,
        reason="x",
    )
    embedded_store.close()
    path.write_bytes(old)
    again = opened(embedded_store)
    assert isinstance(again.distrust, RolledBack)
    before = path.read_bytes()
    with pytest.raises(RolledBack):
        service.file_report(again, NURSE, a_report())
    with again.read() as connection:
        assert again.audit_head(connection).seq > 0
    assert path.read_bytes() == before
    assert any("was acknowledged in receipts.log" in f for f in verify(again).findings)
    again.close()


def test_a_file_rolled_back_while_the_server_runs_is_not_written_on(embedded_store: Store) -> None:
    """Promise 10: else new entries would take the numbers of the lost ones, and hide the loss."""
    path = embedded_store.config.database_path
    service.file_report(embedded_store, NURSE, a_report(mrn="1"))
    old = path.read_bytes()
    service.file_report(embedded_store, NURSE, a_report(mrn="2"))
    path.write_bytes(old)
    with pytest.raises(RolledBack, match="An old copy was put back"):
        service.file_report(embedded_store, NURSE, a_report(mrn="3"))
    with pytest.raises(RolledBack):
        service.file_report(embedded_store, NURSE, a_report(mrn="4"))
    again = reopened(embedded_store)
    assert isinstance(again.distrust, RolledBack)
    again.close()


def test_no_page_put_back_goes_unseen(embedded_store: Store) -> None:
    """Promise 10: each page of an older copy alone. It passes SQLCipher; the row digests tell.

    Where nothing is found, everything that can be read must be the newest all the same.
    """
    filed = service.file_report(embedded_store, NURSE, a_full_report())
    service.file_report(embedded_store, NURSE, a_report(mrn="2"))
    embedded_store.close()
    path = embedded_store.config.database_path
    old = path.read_bytes()
    again = opened(embedded_store)
    after = a_full_report(dose_mg=42.0, events=())
    service.amend_report(again, NURSE, filed.report_id, after, base_version=1, reason="misread")
    truth = content(again)
    again.close()
    new = path.read_bytes()
    assert len(new) >= len(old)
    found_by_rows = 0
    for page in range(len(old) // PAGE):
        where = slice(page * PAGE, (page + 1) * PAGE)
        if old[where] == new[where]:
            continue
        path.write_bytes(new[: where.start] + old[where] + new[where.stop :])
        try:
            again = opened(embedded_store)
        except IntegrityFailure:
            continue
        try:
            findings = verify(again).findings if again.distrust is None else [str(again.distrust)]
        except IntegrityFailure as failure:
            findings = [str(failure)]
        found_by_rows += any("its rows are not those" in finding for finding in findings)
        if not findings:
            assert content(again) == truth, f"page {page + 1} was put back and nobody saw it"
        again.close()
    assert found_by_rows


def content(store: Store) -> dict[str, Any]:
    """Every row of every table."""
    from safety.store import tables

    with store.read() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(table.select())]
            for table in tables.metadata.sorted_tables
        }


def test_keys_json_with_any_line_damaged_is_refused_by_name(closed: Store) -> None:
    """Promise 5: the side file; each byte is tried where the keys are tested."""
    path = closed.config.keys_path
    whole = path.read_bytes()
    for place in range(3, len(whole), 37):
        path.write_bytes(flipped(whole, place))
        with pytest.raises(AfterdoseError, match=r"keys\.json"):
            opened(closed)
    for size in (0, 1, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        with pytest.raises(IntegrityFailure, match=r"keys\.json"):
            opened(closed)
    path.write_bytes(whole)
    assert looked_at(closed)[0].findings == []


def test_a_journal_that_is_none_is_left_aside(closed: Store) -> None:
    """A journal that belongs to no transaction of this file is left aside."""
    path = closed.config.database_path
    journal = path.with_name("store.db-journal")
    journal.write_bytes(b"no journal at all" * 100)
    found, reports = looked_at(closed)
    assert (found.findings, len(reports)) == ([], 12)
