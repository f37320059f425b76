"""An open store: the one object that everything else is handed."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from time import monotonic
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from filelock import FileLock, Timeout
from sqlalchemy import Connection, Engine, select

from safety import audit
from safety.clock import Clock, now
from safety.config import Config
from safety.errors import (
    IntegrityFailure,
    RolledBack,
    StoreUnavailable,
    Tampered,
    Truncated,
    WrongKey,
)
from safety.keys import derivation
from safety.keys.ring import KeyRing
from safety.store import tables
from safety.store.engine import (
    embedded_engine,
    page_bytes_of,
    pages_expected,
    server_engine,
    translated,
    write_early_if_empty,
)
from safety.store.receipts import Receipts
from safety.store.rows import RowDigests
from safety.store.writing import Writer

_SNAPSHOT: Final = "snapshot-"
LOCK_SECONDS: Final = 60


@dataclass(frozen=True, slots=True)
class Clinic:
    """The clinic that a store belongs to."""

    id: UUID
    name: str
    timezone: ZoneInfo
    demonstration: bool


class Store:
    """An open store. ``read()`` and ``write()`` give transactions; the keys stay inside.

    ``distrust`` is None, or the integrity failure that made the store read-only.
    """

    def __init__(self, config: Config, ring: KeyRing, clock: Clock = now) -> None:
        self.config = config
        self.ring = ring
        self.clock = clock
        self.digests = RowDigests(derivation.expand(ring.audit_key, derivation.label("row-mac")))
        self.receipts = Receipts(config.receipts_path)
        self.distrust: IntegrityFailure | None = None
        self._receipt_owed = False
        self._newest = audit.Head()
        self._turn = threading.Lock()
        self._reader = self._engine(writing=False)
        self._writer = self._engine(writing=True)

    def __repr__(self) -> str:
        return f"Store({self.config.home.name!r})"

    @property
    def embedded(self) -> bool:
        """Whether this is the encrypted file, and not a PostgreSQL server."""
        return self.config.database is None

    @cached_property
    def clinic(self) -> Clinic:
        """The clinic's row. Raises WrongKey when the database belongs to another clinic."""
        with self.read() as connection:
            row = connection.execute(select(tables.clinic)).first()
        if row is None or row.id != self.ring.clinic.bytes:
            raise WrongKey(
                "keys.json and the database belong to different clinics. Restore both from the "
                "same backup."
            )
        zone = ZoneInfo(row.timezone)
        return Clinic(self.ring.clinic, row.name, zone, bool(row.demonstration))

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A read-only transaction on a pooled connection."""
        with self._watched(), self._reader.connect() as connection:
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """A read-only transaction that may last minutes without holding a writer up.

        A reader of the embedded file keeps writers from committing, so the file is copied under
        the read lock (encrypted as it is, beside the store) and the copy is read and removed.
        """
        if not self.embedded:
            with self.read() as connection:
                yield connection
            return
        for left in self.config.home.glob(f"{_SNAPSHOT}*"):
            shutil.rmtree(left, ignore_errors=True)  # of a process that was killed
        with tempfile.TemporaryDirectory(prefix=_SNAPSHOT, dir=self.config.home) as folder:
            copy = Path(folder) / self.config.database_path.name
            if self._copied_to(copy):
                engine = embedded_engine(copy, self.ring.file_key, writing=False)
                try:
                    with self._watched(), engine.connect() as connection:
                        yield connection
                finally:
                    engine.dispose()
                return
        with self.read() as connection:  # no room for a copy: writers wait, but it is checked
            yield connection

    def _copied_to(self, copy: Path) -> bool:
        with self.read() as connection:
            connection.exec_driver_sql("SELECT count(*) FROM sqlite_master")  # takes the lock
            try:
                shutil.copyfile(self.config.database_path, copy)
            except OSError:
                return False
        return True

    @contextmanager
    def write(
        self, prepare: Callable[[Connection], None] | None = None, *, much: bool = False
    ) -> Iterator[Writer]:
        """A write transaction; what is not committed by ``writer.commit()`` is rolled back.

        Writers follow one another, in this process and in others. ``prepare`` runs first inside
        the transaction (migrations). ``much`` says that an empty embedded store may be filled in
        this transaction: its pages are then written as they come, which keeps readers out until
        the end. Raises the integrity failure that made the store read-only,
        or StoreUnavailable.
        """
        if self.distrust is not None:
            # Without its traceback: raised again and again, it would keep every frame it passed.
            raise self.distrust.with_traceback(None)
        with self._watched(), self._one_writer(), self._writer.connect() as connection:
            self._pay_receipt()
            filling = much and self.embedded and write_early_if_empty(connection)
            connection.begin()
            if prepare is not None:
                prepare(connection)
            writer = Writer(connection, self.ring.audit_key, self.digests, self.clock)
            writer.filling = filling
            before = writer.head
            self._refuse_rollback(before)
            try:
                yield writer
            finally:
                if not writer.committed:
                    connection.rollback()
            if writer.committed and writer.head != before:
                self._newest = writer.head
                self._acknowledge(writer.head)

    def close(self) -> None:
        """Close every connection."""
        self._reader.dispose()
        self._writer.dispose()

    def audit_head(self, connection: Connection) -> audit.Head:
        """Where the audit chain ends now."""
        columns = tables.audit.c
        query = select(columns.seq, columns.mac).order_by(columns.seq.desc()).limit(1)
        row = connection.execute(query).first()
        return audit.Head(row.seq, bytes(row.mac)) if row else audit.Head()

    @contextmanager
    def _one_writer(self) -> Iterator[None]:
        """Wait for every other writer: those of this process in turn, then those of others.

        The lock on the file is asked for again and again, so of thirty who wait one may be passed
        over for a minute. Those who wait in this process therefore queue before it.
        """
        latest = monotonic() + LOCK_SECONDS
        if not self._turn.acquire(timeout=LOCK_SECONDS):
            raise _busy()
        try:
            lock = FileLock(self.config.lock_path, timeout=max(latest - monotonic(), 0.0))
            try:
                lock.acquire()
            except Timeout:
                raise _busy() from None
            except OSError as cause:
                raise StoreUnavailable(
                    f"{self.config.lock_path.name} cannot be opened ({cause.strerror}). Nothing "
                    "was written. Check the disk and the rights of the folder."
                ) from None
            try:
                yield
            finally:
                lock.release()
        finally:
            self._turn.release()

    def _refuse_rollback(self, found: audit.Head) -> None:
        """An old copy put back while we run would be written on, and so hide what was lost."""
        if found.seq < self._newest.seq:
            self.distrust = RolledBack(
                f"The store ends at audit entry {found.seq}, but this process wrote entry "
                f"{self._newest.seq}. An old copy was put back. Restore the newest backup; the "
                "store is read-only until then."
            )
            raise self.distrust

    def _acknowledge(self, head: audit.Head) -> None:
        try:
            self.receipts.append(head)
        except StoreUnavailable:
            # The transaction is committed, so it must not be reported as failed. The next writer
            # pays the receipt first and refuses to write while it cannot.
            self._receipt_owed = True

    def _pay_receipt(self) -> None:
        if self._receipt_owed:
            with self._reader.connect() as connection:
                head = self.audit_head(connection)
            self.receipts.append(head)
            self._receipt_owed = False

    def _engine(self, *, writing: bool) -> Engine:
        if self.config.database is not None:
            return server_engine(self.config.database, writing=writing)
        path = self.config.database_path
        return embedded_engine(path, self.ring.file_key, writing=writing)

    @contextmanager
    def _watched(self) -> Iterator[None]:
        try:
            with translated("The store"):
                yield
        except Tampered:
            if self.embedded and self._is_cut():
                raise Truncated(
                    f"{self.config.database_path.name} is shorter than it was: its end is missing. "
                    "Stop, keep a copy, restore the backup."
                ) from None
            raise

    def _is_cut(self) -> bool:
        path = self.config.database_path
        size = path.stat().st_size if path.exists() else 0
        if size == 0:
            return True
        page = page_bytes_of(path, self.ring.file_key)
        return size % page > 0 or size < pages_expected(path, self.ring.file_key) * page


def _busy() -> StoreUnavailable:
    return StoreUnavailable(
        f"Another process has been writing for {LOCK_SECONDS} seconds (a large import?). "
        "Nothing was written. Try again."
    )
