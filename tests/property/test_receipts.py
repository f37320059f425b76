"""Receipts: whatever is written comes back, and no damage gives one that never was."""

from __future__ import annotations

from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from safety.audit import Head
from safety.errors import Tampered
from safety.store.receipts import Receipts

HEADS = st.builds(Head, st.integers(1, 10**12), st.binary(min_size=32, max_size=32))
BATCHES = st.lists(st.lists(HEADS, min_size=1, max_size=5), max_size=60)
files = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@files
@given(batches=BATCHES)
def test_receipts_come_back_in_order(tmp_path: Path, batches: list[list[Head]]) -> None:
    receipts = fresh(tmp_path)
    for batch in batches:
        receipts.append(*batch)
    written = [head for batch in batches for head in batch]
    assert list(receipts.all()) == written
    tail = written[-20:]  # what surely lies within the part that a start reads
    if tail:
        newest = receipts.last()
        assert newest is not None
        assert newest.seq >= max(head.seq for head in tail)
        assert newest in written


@files
@given(heads=st.lists(HEADS, min_size=1, max_size=8), data=st.data())
def test_damage_never_gives_a_receipt_that_never_was(
    tmp_path: Path, heads: list[Head], data: st.DataObject
) -> None:
    receipts = fresh(tmp_path)
    receipts.append(*heads)
    content = bytearray(receipts.path.read_bytes())
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=4)):
        content[place] = data.draw(st.integers(0, 255))
    start = data.draw(st.integers(0, len(content) - 1))
    end = data.draw(st.integers(start, len(content)))
    receipts.path.write_bytes(bytes(content[start:end]))
    try:
        found = set(receipts.all())
        newest = receipts.last()
    except Tampered:
        return
    assert found <= set(heads)
    assert newest is None or newest in heads


@files
@given(content=st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(tmp_path: Path, content: bytes) -> None:
    receipts = fresh(tmp_path)
    receipts.path.write_bytes(content)
    try:
        assert list(receipts.all()) == []
        assert receipts.last() is None
    except Tampered:
        pass


def fresh(folder: Path) -> Receipts:
    (folder / "receipts.log").unlink(missing_ok=True)
    return Receipts(folder / "receipts.log")
