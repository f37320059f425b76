"""A long read holds nobody up."""

from __future__ import annotations

from safety import service
from safety.store.handle import Store
from safety.store.verifying import verify
from tests.support.builders import NURSE, a_report


def test_a_nurse_can_file_while_a_snapshot_is_read(store: Store) -> None:
    with store.snapshot() as connection:
        before = store.audit_head(connection)
        service.file_report(store, NURSE, a_report())
        assert store.audit_head(connection) == before
    with store.read() as connection:
        assert store.audit_head(connection).seq > before.seq


def test_a_snapshot_leaves_nothing_behind(embedded_store: Store) -> None:
    left_by_a_killed_process = embedded_store.config.home / "snapshot-old"
    left_by_a_killed_process.mkdir()
    assert verify(embedded_store).findings == []
    assert not list(embedded_store.config.home.glob("snapshot-*"))
