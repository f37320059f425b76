"""One write transaction: nothing lasts without the word commit; the ledger only grows."""

from __future__ import annotations

import sys
import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text

from safety import service
from safety.access import Action
from safety.errors import (
    AccessDenied,
    AfterdoseError,
    MissingLibrary,
    StoreReadOnly,
    StoreUnavailable,
    Tampered,
)
from safety.store import engine as engines
from safety.store import handle, tables
from safety.store.handle import Store
from safety.store.opening import open_store
from safety.store.verifying import verify
from safety.store.writing import Writer
from tests.support.builders import ADMINISTRATOR, NURSE, a_full_report, a_report
from tests.support.clock import FakeClock
from tests.support.stores import key_of, raw_connection


def trail(store: Store) -> list[tuple[int, str]]:
    with store.read() as connection:
        query = select(tables.audit.c.seq, tables.audit.c.action).order_by(tables.audit.c.seq)
        return [(row.seq, row.action) for row in connection.execute(query)]


def test_what_is_not_committed_is_rolled_back(store: Store) -> None:
    before, receipt = trail(store), store.receipts.last()
    with store.write() as writer:
        writer.log(NURSE, "try", "thing", "1")
        writer.flush_entries()
    assert trail(store) == before
    assert store.receipts.last() == receipt


def test_an_error_rolls_back(store: Store) -> None:
    before = trail(store)
    with pytest.raises(ZeroDivisionError), store.write() as writer:
        fail_after_writing(writer)
    assert trail(store) == before
    service.file_report(store, NURSE, a_report())  # and nothing keeps the lock


def fail_after_writing(writer: Writer) -> None:
    writer.log(NURSE, "try", "thing", "1")
    writer.flush_entries()
    raise ZeroDivisionError


def test_a_commit_lasts_and_is_acknowledged(store: Store) -> None:
    with store.write() as writer:
        writer.log(NURSE, "try", "thing", "1")
        writer.commit()
    assert trail(store)[-1][1] == "try"
    newest = store.receipts.last()
    assert newest is not None
    assert (newest.seq, newest) == (trail(store)[-1][0], writer.head)


def test_a_transaction_that_writes_nothing_leaves_no_receipt(store: Store) -> None:
    before = store.receipts.path.read_bytes()
    with store.write() as writer:
        writer.commit()
    assert store.receipts.path.read_bytes() == before


def test_every_write_of_a_transaction_carries_one_time(store: Store, clock: FakeClock) -> None:
    with store.write() as writer:
        writer.log(NURSE, "first", "thing", "1")
        clock.advance(hours=1)
        writer.log(NURSE, "second", "thing", "2")
        writer.commit()
    with store.read() as connection:
        times = connection.execute(
            select(tables.audit.c.at).where(tables.audit.c.kind == "thing")
        ).scalars()
        assert len(set(times)) == 1


@pytest.mark.parametrize("table", ["audit", "reports"])
@pytest.mark.parametrize("change", ["UPDATE {} SET created_by = 'x'", "DELETE FROM {}"])
def test_the_database_itself_refuses_to_change_or_delete(
    store: Store, table: str, change: str
) -> None:
    """Promise: what was filed and logged stays, whoever holds a connection."""
    service.file_report(store, NURSE, a_full_report())
    sql = change.format(table).replace("created_by", "actor" if table == "audit" else "created_by")
    with raw_connection(store) as connection, pytest.raises(Exception, match="append-only"):
        connection.execute(sql)
    assert verify(store).findings == []


@pytest.mark.parametrize("table", ["audit", "reports"])
def test_a_refused_change_is_told_as_tampering(store: Store, table: str) -> None:
    service.file_report(store, NURSE, a_full_report())
    words = "audit and report rows cannot be changed"
    with pytest.raises(Tampered, match=words), store.write() as writer:
        writer.connection.execute(text(f"DELETE FROM {table}"))


def test_reading_connections_cannot_write(store: Store) -> None:
    with pytest.raises((StoreReadOnly, StoreUnavailable)), store.read() as connection:
        connection.execute(text("DELETE FROM drafts"))


def test_no_other_file_can_be_attached(embedded_store: Store, tmp_path: Path) -> None:
    """ATTACH with an empty key would be a way to a plaintext copy."""
    with pytest.raises(AfterdoseError), embedded_store.read() as connection:
        connection.exec_driver_sql(f"ATTACH '{tmp_path / 'copy.db'}' AS copy KEY ''")
    assert not (tmp_path / "copy.db").exists()


def test_every_setting_of_a_connection_is_in_force(embedded_store: Store) -> None:
    """DELETE and EXTRA (3): a commit that was acknowledged is on the disk."""
    expected = {
        "journal_mode": "delete",
        "synchronous": 3,
        "foreign_keys": 1,
        "secure_delete": 1,
        "trusted_schema": 0,
        "temp_store": 2,
        "cache_spill": 0,
    }
    with embedded_store.read() as connection:
        for name, value in expected.items():
            assert connection.exec_driver_sql(f"PRAGMA {name}").scalar() == value
        assert connection.exec_driver_sql("PRAGMA query_only").scalar() == 1
    with embedded_store.write() as writer:
        for name, value in expected.items():
            assert writer.connection.exec_driver_sql(f"PRAGMA {name}").scalar() == value


def test_errors_of_the_driver_show_no_values(store: Store) -> None:
    """A statement with a patient's values must not travel in an exception."""
    row = {"id": b"1", "author": "Xylophia", "version": 1, "document": None, "saved_at": "x"}
    with pytest.raises(AfterdoseError) as caught, store.write() as writer:
        writer.connection.execute(tables.drafts.insert(), row)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    assert "Xylophia" not in str(caught.value)


@pytest.mark.parametrize(
    ("said", "kind", "words"),
    [
        ("database or disk is full", StoreUnavailable, "the disk is full. Nothing was written."),
        ("could not extend file: No space left on device", StoreUnavailable, "the disk is full"),
        ("database is locked", StoreUnavailable, "another process holds the store"),
        ("attempt to write a readonly database", StoreReadOnly, "read-only"),
        ("cannot execute INSERT in a read-only transaction", StoreReadOnly, "read-only"),
        ("database disk image is malformed", Tampered, "damaged or was changed"),
        ("file is not a database", Tampered, "damaged or was changed"),
        ("disk I/O error", StoreUnavailable, "over a quota, or failing). Nothing was written."),
        ("append-only", Tampered, "cannot be changed or deleted"),
        ("something new", StoreUnavailable, "the database refused (OSError)"),
    ],
)
def test_what_the_driver_says_becomes_one_of_our_errors(
    said: str, kind: type[AfterdoseError], words: str
) -> None:
    error = engines.driver_error(OSError(said), "The store")
    assert type(error) is kind
    assert words in str(error)


def test_a_clock_that_steps_back_is_on_record(store: Store, clock: FakeClock) -> None:
    """Promise 17: order is the sequence number; a step back of more than two minutes is logged."""
    service.file_report(store, NURSE, a_report())
    clock.advance(minutes=-2)
    service.file_report(store, NURSE, a_report())
    assert "clock-step-back" not in [action for _, action in trail(store)]
    clock.advance(days=-1)
    service.file_report(store, NURSE, a_report(started_at=clock.now - timedelta(hours=1)))
    assert [action for _, action in trail(store)].count("clock-step-back") == 1
    assert [seq for seq, _ in trail(store)] == list(range(1, len(trail(store)) + 1))
    assert verify(store).findings == []


@pytest.mark.parametrize("jump", [{"days": 1}, {"days": 366}, {"hours": 1}])
def test_a_clock_that_jumps_ahead_changes_no_order(
    store: Store, clock: FakeClock, jump: dict[str, float]
) -> None:
    service.file_report(store, NURSE, a_report())
    clock.advance(**jump)
    service.file_report(store, NURSE, a_report())
    assert verify(store).findings == []


def test_a_refusal_by_role_is_on_record(store: Store) -> None:
    with pytest.raises(AccessDenied, match="administrator"):
        service.file_report(store, ADMINISTRATOR, a_report())
    assert trail(store)[-1][1] == "access.denied"
    with store.read() as connection:
        row = connection.execute(
            select(tables.audit).order_by(tables.audit.c.seq.desc()).limit(1)
        ).one()
    assert (row.actor, row.object) == (ADMINISTRATOR.id, Action.FILE_REPORT)


def test_a_writer_waits_for_the_writer_before_it(store: Store) -> None:
    """Two threads, the second begins while the first holds the lock: both are kept."""
    started, go_on = threading.Event(), threading.Event()

    def slow() -> None:
        with store.write() as writer:
            started.set()
            go_on.wait(10)
            writer.log(NURSE, "slow", "thing", "1")
            writer.commit()

    thread = threading.Thread(target=slow)
    thread.start()
    assert started.wait(10)
    timer = threading.Timer(0.2, go_on.set)
    timer.start()
    with store.write() as writer:
        writer.log(NURSE, "quick", "thing", "2")
        writer.commit()
    thread.join()
    timer.join()
    assert [action for _, action in trail(store)][-2:] == ["slow", "quick"]
    assert verify(store).findings == []


def test_a_writer_that_waits_too_long_says_so(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handle, "LOCK_SECONDS", 0.2)
    words = "Another process has been writing"
    with store.write(), pytest.raises(StoreUnavailable, match=words), store.write():
        pass


def test_a_lock_that_cannot_be_made_says_so(store: Store) -> None:
    store.config.lock_path.unlink(missing_ok=True)
    store.config.lock_path.mkdir()
    with pytest.raises(StoreUnavailable, match=r"writer\.lock cannot be"), store.write():
        pass


def test_reading_goes_on_while_somebody_writes(store: Store) -> None:
    with store.write() as writer:
        writer.log(NURSE, "try", "thing", "1")
        writer.flush_entries()
        assert trail(store)[-1][1] != "try"
        writer.commit()
    assert trail(store)[-1][1] == "try"


def test_reading_goes_on_during_a_transaction_larger_than_the_cache(
    embedded_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A long import must not keep the nurses' pages waiting until it ends."""
    monkeypatch.setattr(engines, "WRITE_CACHE_KIB", 64)
    monkeypatch.setattr(engines, "BUSY_MILLISECONDS", 200)
    with embedded_store.write() as writer:
        for number in range(40):
            row = {"version": "v", "term": "t", "grade": number, "wording": "x" * 20_000}
            writer.connection.execute(tables.official_wording.insert(), row)
        other = open_store(embedded_store.config, key_of(embedded_store))
        assert trail(other)
        other.close()


def test_a_lost_connection_is_told_and_the_next_writer_gets_a_new_one(server_store: Store) -> None:
    before = trail(server_store)
    with pytest.raises(StoreUnavailable), server_store.write() as writer:
        lose_connection(server_store, writer)
    assert trail(server_store) == before
    service.file_report(server_store, NURSE, a_report())
    assert verify(server_store).findings == []


def lose_connection(store: Store, writer: Writer) -> None:
    """As when the server restarts in the middle of a transaction."""
    writer.log(NURSE, "try", "thing", "1")
    writer.flush_entries()
    own = writer.connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
    with raw_connection(store) as raw:
        raw.execute("SELECT pg_terminate_backend(?)", own)
    writer.commit()


def test_a_missing_driver_is_told_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Promise 30: without SQLCipher there is no fallback to plain SQLite."""
    monkeypatch.setitem(sys.modules, "sqlcipher3.dbapi2", None)
    with pytest.raises(MissingLibrary, match="does not run without encryption"):
        engines.sqlcipher()
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MissingLibrary, match="PostgreSQL driver is not installed"):
        engines.server_engine("postgresql+psycopg:///x", writing=False)


def test_nothing_but_our_errors_comes_out_of_a_closed_server(server_store: Store) -> None:
    with raw_connection(server_store) as connection:
        (name,) = connection.execute("SELECT current_database()").fetchone()
    url = str(server_store.config.database).replace(str(name), "no_such_database")
    lost = Store(replace(server_store.config, database=url), server_store.ring)
    with pytest.raises(StoreUnavailable, match="database refused"), lost.read():
        pass
