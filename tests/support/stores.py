"""Stores for tests: one is made in a session, every test gets a copy that nobody else touches.

A made store is closed and copied as files (and, on PostgreSQL, as a database made from a template),
which takes a tenth of the time that making one takes. All copies share clinic and keys.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from safety.clock import Clock
from safety.config import Config, read_config, write_config
from safety.keys.sources import KeyFile
from safety.store.engine import page_bytes_of, prepare_connection, sqlcipher
from safety.store.handle import Store
from safety.store.opening import create_store, open_store
from safety.store.tables import APPEND_ONLY
from tests.support.builders import CLINIC, SITE, TIMEZONE
from tests.support.clock import FakeClock
from tests.support.postgresql import Server


def made_store(folder: Path, clock: Clock, *, database: str | None = None) -> Store:
    """Make a new store: data in ``folder/home``, key file beside it in ``folder/keys``."""
    (folder / "keys").mkdir(parents=True)
    source = KeyFile.create(folder / "keys" / "clinic.key")
    config = Config(folder / "home", key_file=source.path, database=database)
    store, _ = create_store(
        config, source, clinic=CLINIC, site=SITE, timezone=TIMEZONE, clock=clock
    )
    return store


def key_of(store: Store) -> KeyFile:
    """The key file that opens ``store``."""
    path = store.config.key_file
    if path is None:
        raise LookupError("a test store has a key file")
    return KeyFile(path)


def reopened(store: Store, clock: Clock | None = None) -> Store:
    """Close ``store`` and open it again, with every check of a start."""
    store.close()
    return open_store(store.config, key_of(store), clock=clock or store.clock)


class Template:
    """A made and closed store, to be copied."""

    def __init__(self, folder: Path, server: Server | None = None) -> None:
        self._folder = folder
        self._server = server
        self._database = server.create_database() if server else None
        url = server.url(self._database) if server and self._database else None
        made_store(folder, FakeClock(), database=url).close()

    @contextmanager
    def copy(self, folder: Path, clock: Clock) -> Iterator[Store]:
        """Give an open copy in ``folder`` and remove what lies outside of it afterwards."""
        shutil.copytree(self._folder / "home", folder / "home")
        (folder / "keys").mkdir()
        key = shutil.copy2(self._folder / "keys" / "clinic.key", folder / "keys" / "clinic.key")
        config = replace(read_config(folder / "home"), key_file=Path(key))
        database = None
        if self._server is not None:
            database = self._server.create_database(like=self._database)
            config = replace(config, database=self._server.url(database))
        write_config(config)
        store = open_store(config, KeyFile(Path(key)), clock=clock)
        try:
            yield store
        finally:
            store.close()
            if self._server is not None and database is not None:
                self._server.drop_database(database)


class Raw:
    """A connection of a driver, with ``?`` for values on both engines. Every statement commits."""

    def __init__(self, connection: Any, mark: str) -> None:
        self._connection = connection
        self._mark = mark

    def execute(self, sql: str, *values: Any) -> Any:
        """Run ``sql``; what comes back has ``fetchone`` and ``fetchall``."""
        sql = sql.replace("?", self._mark)
        return self._connection.execute(sql, values) if values else self._connection.execute(sql)

    def one(self, sql: str, *values: Any) -> tuple[Any, ...]:
        """The only row."""
        (row,) = self.execute(sql, *values).fetchall()
        return tuple(row)


@contextmanager
def raw_connection(store: Store) -> Iterator[Raw]:
    """A connection behind Afterdose's back, with the store's key; the database's guards hold."""
    if store.embedded:
        path, key = store.config.database_path, store.ring.file_key
        connection = sqlcipher().connect(str(path), isolation_level=None)
        prepare_connection(connection, key, page_bytes_of(path, key), writing=True)
        connection.execute("PRAGMA foreign_keys = OFF")
        raw = Raw(connection, "?")
    else:
        import psycopg

        url = str(store.config.database).replace("postgresql+psycopg://", "postgresql://")
        connection = psycopg.connect(url, autocommit=True)
        raw = Raw(connection, "%s")
    try:
        yield raw
    finally:
        connection.close()


@contextmanager
def tampering(store: Store) -> Iterator[Raw]:
    """As ``raw_connection``, with the triggers and foreign keys set aside: an attacker with SQL."""
    with raw_connection(store) as raw:
        if store.embedded:
            for table in APPEND_ONLY:
                for change in ("update", "delete"):
                    raw.execute(f"DROP TRIGGER IF EXISTS {table}_no_{change}")
        else:
            raw.execute("SET session_replication_role = replica")
        yield raw
