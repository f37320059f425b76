"""Making a store, and opening one: with every check that can be made in a moment.

At each start the keys, the clinic, the table version, the end of the audit trail and the receipts
are checked. What is found there does not stop reading, but the store takes no more writing until
somebody has looked (``Store.distrust``).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final
from uuid import uuid4
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import Connection, select

from safety import audit
from safety.access import CONSOLE, Actor
from safety.clock import Clock, now
from safety.config import CONFIG, Config, write_config
from safety.errors import (
    IntegrityFailure,
    RolledBack,
    StoreExists,
    StoreMissing,
    StoreUnavailable,
    UnknownName,
)
from safety.keys.sources import KeySource
from safety.store import schema, seeding, tables
from safety.store.engine import check_header, sqlcipher
from safety.store.handle import Store

if TYPE_CHECKING:
    from safety.keys.recovery import RecoveryCode

TAIL: Final = 1_000


def create_store(
    config: Config,
    source: KeySource,
    *,
    clinic: str,
    site: str,
    timezone: str = "UTC",
    demonstration: bool = False,
    clock: Clock = now,
) -> tuple[Store, RecoveryCode]:
    """Make an empty store in ``config.home`` and return it open, with its recovery code.

    Raises StoreExists when there is one already; on any failure what was begun is removed.
    """
    from safety.keys.ring import create_keys

    zone_named(timezone)
    _no_core_dumps()
    if config.database is None:
        sqlcipher()
    _refuse_existing(config)
    try:
        config.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as cause:
        raise StoreUnavailable(f"{config.home} cannot be made: {cause.strerror}.") from None
    try:
        ring, code = create_keys(config.keys_path, uuid4(), source)
        store = Store(config, ring, clock)
        with _closed_on_failure(store), store.write(_first_tables) as writer:
            seeding.seed(writer, ring.clinic, clinic, site, timezone, demonstration=demonstration)
            write_config(config)  # first: after the commit a failure could not be taken back
            writer.commit()
    except BaseException:
        _remove_begun(config)
        raise
    return store, code


def _first_tables(connection: Connection) -> None:
    if schema.revision(connection) is not None:
        raise StoreExists("The database holds an Afterdose store already. Name an empty one.")
    schema.upgrade(connection)


def zone_named(name: str) -> ZoneInfo:
    """The time zone ``name``. Raises UnknownName."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise UnknownName(
            f"There is no time zone {name[:60]!r}. Use a name such as America/New_York."
        ) from None


def _refuse_existing(config: Config) -> None:
    for path in (config.keys_path, config.database_path, config.receipts_path):
        if path.exists():
            raise StoreExists(
                f"{path.parent} holds a store already ({path.name}). Name an empty folder."
            )


def _remove_begun(config: Config) -> None:
    begun = (config.keys_path, config.home / CONFIG, config.database_path, config.receipts_path)
    for path in begun:
        path.unlink(missing_ok=True)


@contextmanager
def _closed_on_failure(store: Store) -> Iterator[None]:
    try:
        yield
    except BaseException:
        store.close()
        raise


def open_store(config: Config, source: KeySource, *, clock: Clock = now) -> Store:
    """Open the store of ``config`` with ``source``.

    Raises StoreMissing, WrongKey, Tampered, Truncated, NewerFormat, MissingLibrary. A store that is
    behind its receipts, or whose audit trail does not hold, opens for reading only.
    """
    from safety.keys.ring import open_keys

    if config.database is None:
        sqlcipher()
        if not config.database_path.exists():
            raise StoreMissing(
                f"{config.database_path} is missing. Restore the backup, or name another folder "
                "with --home."
            )
    _no_core_dumps()
    ring = open_keys(config.keys_path, source)
    if config.database is None:
        check_header(config.database_path, ring.file_key)
    store = Store(config, ring, clock)
    with _closed_on_failure(store):
        _bring_up_to_date(store)
        _ = store.clinic  # raises when keys.json and database do not belong together
        store.distrust = trust_failure(store)
    return store


def _no_core_dumps() -> None:
    """Keep the keys of this process out of a core file. Windows writes none by itself."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _bring_up_to_date(store: Store) -> None:
    with store.read() as connection:
        found = schema.revision(connection)
        schema.refuse_newer(found)
    if found != schema.HEAD:
        with store.write(schema.upgrade) as writer:
            system = Actor("system", "system", CONSOLE.role)
            writer.log(system, "store.upgrade", "tables", schema.HEAD, note=f"from {found}")
            writer.commit()


def trust_failure(store: Store, last: int = TAIL) -> IntegrityFailure | None:
    """Check the last entries of the audit trail and the receipts; say what does not hold."""
    try:
        newest = store.receipts.last()
        with store.read() as connection:
            _check_tail(store, connection, last)
            _check_receipts(store, connection, newest)
    except IntegrityFailure as failure:
        return failure
    return None


def _check_tail(store: Store, connection: Connection, last: int) -> None:
    columns = tables.audit.c
    end = store.audit_head(connection).seq
    first = max(1, end - last + 1)
    before = connection.execute(
        select(columns.seq, columns.mac).where(columns.seq == first - 1)
    ).first()
    start = audit.Head(before.seq, bytes(before.mac)) if before else audit.Head(first - 1)
    rows = connection.execute(
        select(tables.audit).where(columns.seq >= first).order_by(columns.seq)
    )
    audit.check(store.ring.audit_key, start, rows)


def _check_receipts(store: Store, connection: Connection, newest: audit.Head | None) -> None:
    end = store.audit_head(connection)
    if newest is None:
        if end.seq > 0:
            raise RolledBack(
                f"{store.receipts.path.name} is missing or empty, so nobody can tell whether the "
                "store was rolled back. Restore it, or compare the store with a printed checkpoint "
                "and run `afterdose verify --store --renew-receipts`."
            )
        return
    columns = tables.audit.c
    found = connection.execute(select(columns.mac).where(columns.seq == newest.seq)).scalar()
    if found is None or bytes(found) != newest.mac:
        raise RolledBack(
            f"The store ends at audit entry {end.seq}, but entry {newest.seq} was acknowledged"
            f"{' with another content' if found is not None else ''}. Work was lost or an old copy "
            "was put back. Restore the newest backup; the store is read-only until then."
        )
