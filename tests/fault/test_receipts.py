"""The receipts: what a second file knows of the store, and what becomes of it when damaged."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from safety import service
from safety.access import CONSOLE
from safety.audit import Head
from safety.config import Config, write_config
from safety.errors import IntegrityFailure, RolledBack, StoreUnavailable, Tampered
from safety.keys.sources import KeyFile
from safety.store.handle import Store
from safety.store.opening import create_store
from safety.store.receipts import Receipts, line_of
from safety.store.verifying import renew_receipts, verify
from tests.support.builders import CLINIC, NURSE, SITE, a_report
from tests.support.clock import FakeClock
from tests.support.stores import reopened

HEADS = [Head(seq, bytes([seq % 251]) * 32) for seq in (1, 9, 10, 99, 100, 12_345)]


def distrust(store: Store) -> IntegrityFailure | None:
    again = reopened(store)
    again.close()
    return again.distrust


@pytest.fixture
def busy(embedded_store: Store) -> Store:
    for number in range(5):
        service.file_report(embedded_store, NURSE, a_report(mrn=str(number)))
    return embedded_store


def test_each_commit_leaves_one_receipt(busy: Store) -> None:
    assert len(list(busy.receipts.all())) == 1 + 5  # the making of the store, then each report
    assert distrust(busy) is None


def lines(content: bytes) -> list[bytes]:
    return content.splitlines(keepends=True)


def flipped(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 0x01]) + content[place + 1 :]


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "a changed number": lambda c: b"".join([*lines(c)[:-1], b"9" + lines(c)[-1]]),
    "a changed mac": lambda c: flipped(c, len(c) - 40),
    "a changed check": lambda c: flipped(c, len(c) - 3),
    "an end of line lost": lambda c: flipped(c, len(c) - 1 - len(lines(c)[-1])),
    "other text": lambda c: c + b"hello\n",
    "zeros, as some file systems leave": lambda c: c + bytes(77),
    "zeros and a line": lambda c: c + bytes(30) + b"\n" + lines(c)[-1],
    "carriage returns": lambda c: c.replace(b"\n", b"\r\n"),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_damaged_receipts_are_told_from_a_rolled_back_store(
    busy: Store, damage: Callable[[bytes], bytes]
) -> None:
    """Promise 5: the file is named; reading goes on, writing waits."""
    path = busy.receipts.path
    path.write_bytes(damage(path.read_bytes()))
    failure = distrust(busy)
    assert isinstance(failure, Tampered)
    assert str(failure).startswith("receipts.log, near the end: a receipt is damaged.")
    assert any(f.startswith("receipts.log, line ") for f in verify(busy).findings)


def test_no_single_changed_byte_makes_a_store_look_rolled_back_or_well(busy: Store) -> None:
    """Promise 5: flip each byte; a damaged line is named or, cut in two, passed over."""
    path = busy.receipts.path
    whole = path.read_bytes()
    newest = busy.receipts.last()
    passed = 0
    for place in range(len(whole)):
        path.write_bytes(flipped(whole, place))
        try:
            passed += busy.receipts.last() is not None
        except Tampered:
            continue
        assert busy.receipts.last() == newest
    assert passed < len(whole) / 50


@pytest.mark.parametrize("lost", range(1, 81))
def test_a_receipt_that_a_kill_left_torn_is_passed_over(tmp_path: Path, lost: int) -> None:
    """Cut at every length, also one character short of a whole line, for short and long numbers."""
    for count in range(1, len(HEADS) + 1):
        path = tmp_path / f"{count}.log"
        receipts = Receipts(path)
        receipts.append(*HEADS[:count])
        whole = path.read_bytes()
        kept = whole[: max(len(whole) - lost, 0)]
        path.write_bytes(kept)
        complete = [head for head in HEADS[:count] if line_of(head).rstrip() in kept]
        assert list(receipts.all()) == complete
        assert receipts.last() == (complete[-1] if complete else None)
        receipts.append(Head(99_999, bytes(32)))
        assert list(receipts.all()) == [*complete, Head(99_999, bytes(32))]


def test_receipts_one_behind_are_what_a_kill_leaves(busy: Store) -> None:
    """Killed between commit and receipt: nothing was lost, so nothing is said."""
    path = busy.receipts.path
    path.write_bytes(b"".join(lines(path.read_bytes())[:-1]))
    again = reopened(busy)
    assert again.distrust is None
    assert verify(again).findings == []
    service.file_report(again, NURSE, a_report())
    assert distrust(again) is None


@pytest.mark.parametrize("content", [None, b"", b"\n", b"12 ab"])
def test_lost_receipts_are_told_with_what_to_do(busy: Store, content: bytes | None) -> None:
    busy.receipts.path.unlink()
    if content is not None:
        busy.receipts.path.write_bytes(content)
    failure = distrust(busy)
    assert isinstance(failure, RolledBack)
    assert "receipts.log is missing or empty" in str(failure)
    assert "--renew-receipts" in str(failure)
    assert "receipts.log is missing: a rollback could not be seen." in verify(busy).findings


def test_receipts_of_another_store_do_not_fit(busy: Store, tmp_path: Path) -> None:
    source = KeyFile.create(tmp_path / "other.key")
    other, _ = create_store(Config(tmp_path / "other"), source, clinic=CLINIC, site=SITE)
    other.close()
    shutil.copy(other.receipts.path, busy.receipts.path)
    assert isinstance(distrust(busy), RolledBack)


@pytest.mark.parametrize("damage", [None, *DAMAGE.values()], ids=["lost", *DAMAGE])
def test_renewing_mends_lost_and_damaged_receipts_and_keeps_the_old_file(
    busy: Store, damage: Callable[[bytes], bytes] | None
) -> None:
    path = busy.receipts.path
    damaged = None if damage is None else damage(path.read_bytes())
    path.unlink() if damaged is None else path.write_bytes(damaged)
    again = reopened(busy)
    renew_receipts(again, CONSOLE)
    assert again.distrust is None
    assert verify(again).findings == []
    kept = [p.read_bytes() for p in path.parent.glob("receipts.log.*")]
    assert kept == ([] if damaged is None else [damaged])
    again.close()


def test_renewing_is_no_way_round_a_rollback(busy: Store) -> None:
    """Receipts that can be read and are ahead of the store say that work was lost."""
    busy.receipts.append(Head(10_000, bytes(32)))
    again = reopened(busy)
    with pytest.raises(RolledBack, match="entry 10000 was acknowledged"):
        renew_receipts(again, CONSOLE)
    assert isinstance(again.distrust, RolledBack)
    assert list(busy.receipts.path.parent.glob("receipts.log.*")) == []
    again.close()


def test_a_receipt_written_while_the_store_is_being_checked_is_no_rollback(
    server_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On PostgreSQL others write on while a check reads its snapshot."""
    from safety.store import opening, verifying

    def and_meanwhile(module: object, name: str) -> None:
        checked = getattr(module, name)

        def slow(store: Store, connection: object, *rest: object) -> object:
            found = checked(store, connection, *rest)
            service.file_report(store, NURSE, a_report())
            return found

        monkeypatch.setattr(module, name, slow)

    and_meanwhile(opening, "_check_tail")
    and_meanwhile(verifying, "_chain")
    assert opening.trust_failure(server_store) is None
    assert verify(server_store).findings == []


def test_receipts_may_lie_on_another_disk(tmp_path: Path, clock: FakeClock) -> None:
    source = KeyFile.create(tmp_path / "clinic.key")
    (tmp_path / "disk2").mkdir()
    config = Config(
        tmp_path / "home", key_file=source.path, receipts=tmp_path / "disk2" / "receipts.log"
    )
    store, _ = create_store(config, source, clinic=CLINIC, site=SITE, clock=clock)
    write_config(config)
    service.file_report(store, NURSE, a_report())
    assert not (config.home / "receipts.log").exists()
    assert distrust(store) is None


def test_receipts_that_cannot_be_read_are_told_as_such(busy: Store) -> None:
    busy.receipts.path.unlink()
    busy.receipts.path.mkdir()
    with pytest.raises(StoreUnavailable, match=r"receipts\.log cannot be opened"):
        reopened(busy)
