"""The audit trail: what is found when entries are edited, removed, swapped, added or cut off.

Also what is *not* found: those tests state the limits of the promise.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from safety import audit, service
from safety.access import CONSOLE
from safety.errors import IntegrityFailure, RolledBack, Tampered, Truncated
from safety.store.handle import Store
from safety.store.receipts import line_of
from safety.store.verifying import renew_receipts, verify
from tests.support.builders import NURSE, a_report
from tests.support.stores import Raw, reopened, tampering

COLUMNS = "seq, at, actor, role, action, kind, object, note, digest, previous, mac"
MARKS = ", ".join("?" * 11)


@pytest.fixture
def busy(store: Store) -> Store:
    """A store whose trail has some thirty entries."""
    for number in range(8):
        service.file_report(store, NURSE, a_report(mrn=str(number)), report_id=UUID(int=number))
    return store


def entry(raw: Raw, seq: int) -> tuple[Any, ...]:
    return raw.one(f"SELECT {COLUMNS} FROM audit WHERE seq = ?", seq)


def put(raw: Raw, row: tuple[Any, ...], seq: int) -> None:
    raw.execute("DELETE FROM audit WHERE seq = ?", seq)
    raw.execute(f"INSERT INTO audit ({COLUMNS}) VALUES ({MARKS})", seq, *row[1:])


def change_one(column: str, value: Any) -> Callable[[Raw], None]:
    return lambda raw: raw.execute(f"UPDATE audit SET {column} = ? WHERE seq = 20", value)


def swap_two(raw: Raw) -> None:
    one, other = entry(raw, 20), entry(raw, 21)
    put(raw, other, 20)
    put(raw, one, 21)


def insert_between(raw: Raw) -> None:
    last = raw.one("SELECT max(seq) FROM audit")[0]
    for seq in range(last, 19, -1):
        put(raw, entry(raw, seq), seq + 1)


def close_the_gap(raw: Raw) -> None:
    last = raw.one("SELECT max(seq) FROM audit")[0]
    for seq in range(20, last):
        put(raw, entry(raw, seq + 1), seq)
    raw.execute("DELETE FROM audit WHERE seq = ?", last)


CHANGES: dict[str, tuple[Callable[[Raw], None], type[IntegrityFailure], str]] = {
    "time": (change_one("at", "2026-01-01T00:00:00.000000Z"), Tampered, "Audit entry 20 "),
    "actor": (change_one("actor", "somebody"), Tampered, "Audit entry 20 "),
    "role": (change_one("role", "director"), Tampered, "Audit entry 20 "),
    "action": (change_one("action", "report.view"), Tampered, "Audit entry 20 "),
    "kind": (change_one("kind", "thing"), Tampered, "Audit entry 20 "),
    "object": (change_one("object", "ff"), Tampered, "Audit entry 20 "),
    "note": (change_one("note", "v9"), Tampered, "Audit entry 20 "),
    "digest": (change_one("digest", bytes(16)), Tampered, "Audit entry 20 "),
    "no digest": (change_one("digest", None), Tampered, "Audit entry 20 "),
    "previous": (change_one("previous", bytes(32)), Tampered, "Audit entry 20 "),
    "mac": (change_one("mac", bytes(32)), Tampered, "Audit entry 20 "),
    "removed": (
        lambda raw: raw.execute("DELETE FROM audit WHERE seq = 20"),
        Truncated,
        "entry 20 is missing",
    ),
    "removed and closed up": (close_the_gap, Tampered, "Audit entry 20 "),
    "the first removed": (
        lambda raw: raw.execute("DELETE FROM audit WHERE seq = 1"),
        Truncated,
        "entry 1 is missing",
    ),
    "swapped": (swap_two, Tampered, "Audit entry 20 "),
    "inserted": (insert_between, Tampered, "Audit entry 21 "),
}


@pytest.mark.parametrize(("change", "kind", "words"), CHANGES.values(), ids=CHANGES)
def test_a_changed_trail_names_its_first_bad_entry(
    busy: Store, change: Callable[[Raw], None], kind: type[IntegrityFailure], words: str
) -> None:
    """Promise 11: edit, delete, swap, insert."""
    with tampering(busy) as raw:
        change(raw)
    assert words in verify(busy).findings[0]
    again = reopened(busy)
    assert type(again.distrust) is kind
    assert words in str(again.distrust)
    again.close()


def test_a_changed_entry_brings_no_false_findings_about_rows(busy: Store) -> None:
    with tampering(busy) as raw:
        raw.execute("UPDATE audit SET at = 'x' WHERE seq = 2")
    (finding,) = verify(busy).findings
    assert finding.startswith("Audit entry 2 ")


def test_a_store_that_is_not_trusted_takes_no_writing_and_says_why(busy: Store) -> None:
    with tampering(busy) as raw:
        raw.execute("UPDATE audit SET actor = 'x' WHERE seq = 20")
    again = reopened(busy)
    for _ in range(3):
        with pytest.raises(Tampered, match="Audit entry 20 "):
            service.file_report(again, NURSE, a_report())
    with again.read() as connection:
        assert again.audit_head(connection).seq > 20
    frames, at = 0, again.distrust.__traceback__ if again.distrust else None
    while at is not None:
        frames, at = frames + 1, at.tb_next
    assert frames < 20  # what is raised again and again must not grow
    again.close()


@pytest.mark.parametrize("lost", [1, 2, 10])
def test_a_cut_tail_is_found_by_the_receipts(busy: Store, lost: int) -> None:
    """Promise 12: the chain alone would pass."""
    with tampering(busy) as raw:
        (last,) = raw.one("SELECT max(seq) FROM audit")
        raw.execute("DELETE FROM audit WHERE seq > ?", last - lost)
    again = reopened(busy)
    assert isinstance(again.distrust, RolledBack)
    assert f"ends at audit entry {last - lost}, but entry {last} was ack" in str(again.distrust)
    with pytest.raises(RolledBack, match="Restore the newest backup"):
        service.file_report(again, NURSE, a_report())
    assert any("was acknowledged in receipts.log but is not" in f for f in verify(again).findings)
    again.close()


def test_a_trail_rebuilt_by_a_key_holder_is_found_by_the_receipts(busy: Store) -> None:
    """Promise 12: whoever has the keys can forge entries, not the receipts on another disk."""
    forge(busy, 20)
    again = reopened(busy)
    assert isinstance(again.distrust, RolledBack)
    assert "with another content" in str(again.distrust)
    again.close()


def test_a_trail_rebuilt_before_the_checkpoint_is_found_by_it(busy: Store) -> None:
    """Promise 12: with the receipts forged too, the copy that somebody else keeps still tells."""
    anchor = verify(busy).head
    forge(busy, 20, receipts=True)
    found = verify(busy, anchor=anchor).findings
    assert found == [f"Audit entry {anchor.seq} is not the one of the checkpoint."]


def test_a_trail_cut_before_the_checkpoint_is_found_by_it(busy: Store) -> None:
    anchor = verify(busy).head
    with tampering(busy) as raw:
        raw.execute("DELETE FROM audit WHERE seq > ?", anchor.seq - 2)
        cut_receipts(busy, anchor.seq - 2)
    found = verify(busy, anchor=anchor).findings
    assert f"The checkpoint is of entry {anchor.seq}; the trail ends before it." in found


def test_not_found_a_trail_forged_after_the_last_checkpoint(busy: Store) -> None:
    """The limit of the promise: a key holder can rewrite what nobody else holds a copy of."""
    anchor = verify(busy).head
    service.file_report(busy, NURSE, a_report(mrn="77"))
    forge(busy, anchor.seq + 1, receipts=True)
    assert verify(busy, anchor=anchor).findings == []


def test_not_found_a_trail_and_receipts_forged_without_any_checkpoint(busy: Store) -> None:
    """The limit of the promise, as the manual says it."""
    forge(busy, 20, receipts=True)
    assert verify(busy).findings == []


def forge(store: Store, first: int, *, receipts: bool = False) -> None:
    """Write the trail again from ``first`` on with the real key and another actor."""
    chain: audit.Chain | None = None
    heads = []
    with tampering(store) as raw:
        (last,) = raw.one("SELECT max(seq) FROM audit")
        for seq in range(first, last + 1):
            row = entry(raw, seq)
            chain = chain or audit.Chain(store.ring.audit_key, audit.Head(seq - 1, row[9]))
            forged = chain.append(audit.Entry(*row[1:9])._replace(actor="somebody-else"))
            put(raw, forged, seq)
            heads.append(chain.head)
    if receipts:
        cut_receipts(store, first - 1)
        store.receipts.append(*heads)


def cut_receipts(store: Store, last: int) -> None:
    """Keep only the receipts up to entry ``last``."""
    kept = [head for head in store.receipts.all() if head.seq <= last]
    store.receipts.path.write_bytes(b"".join(map(line_of, kept)))


def test_renewed_receipts_give_trust_back_on_record(busy: Store) -> None:
    """For the day on which the receipts file is lost: done knowingly, and written down."""
    busy.receipts.path.unlink()
    again = reopened(busy)
    assert isinstance(again.distrust, RolledBack)
    assert "is missing or empty" in str(again.distrust)
    renew_receipts(again, CONSOLE)
    assert again.distrust is None
    with again.read() as connection:
        action = connection.exec_driver_sql("SELECT action FROM audit ORDER BY seq DESC LIMIT 1")
        assert action.scalar() == "receipts.renew"
    service.file_report(again, NURSE, a_report())
    last = reopened(again)
    assert last.distrust is None
    assert verify(last).findings == []
    last.close()


def test_the_length_of_the_tail_checked_at_a_start_is_a_thousand(busy: Store) -> None:
    """Older entries are the long verification's work; a shorter tail must begin at a known head."""
    from safety.store.opening import TAIL, trust_failure

    assert TAIL == 1_000
    assert trust_failure(busy, last=5) is None
    with tampering(busy) as raw:
        raw.execute("UPDATE audit SET actor = 'x' WHERE seq = 2")
    assert trust_failure(busy, last=5) is None
    assert isinstance(trust_failure(busy), Tampered)
