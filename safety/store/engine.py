"""The two engines of a store: one that writes under a lock, one pooled for reading.

SQLCipher comes in as the DB-API module of SQLAlchemy's ordinary ``sqlite`` dialect, with a raw
32-byte key set by a connect listener, never through a URL. Journal mode DELETE and
``synchronous=EXTRA``: a cut write-ahead log would lose acknowledged rows in silence
(docs/adr/0001).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from sqlalchemy import (
    Connection,
    Engine,
    NullPool,
    QueuePool,
    Row,
    Select,
    create_engine,
    event,
)
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from safety.errors import (
    AfterdoseError,
    BadInputFile,
    MissingLibrary,
    StoreReadOnly,
    StoreUnavailable,
    Tampered,
    Truncated,
    WrongKey,
)
from safety.keys.derivation import expand, label

PAGE_BYTES: Final = 8192  # of a new file; a sealed report then mostly fits beside others
_EARLIER_PAGE_BYTES: Final = 4096  # of files made before 8 KiB were chosen
HEADER_BYTES: Final = 16
_RESERVE_BYTES: Final = 80
# Bytes 18 to 23 of SQLite's header, after the page size: journal versions, reserve, constants.
_HEADER_18_TO_23: Final = bytes.fromhex("01 01 50 40 20 20")
READ_CACHE_KIB: Final = 262_144
WRITE_CACHE_KIB: Final = 1_048_576  # pages that cannot be written before the commit; kept for it
FILL_CACHE_KIB: Final = 32_768
BUSY_MILLISECONDS: Final = 60_000
ADVISORY_LOCK: Final = 0x4146_5445_5244
_ATTACH: Final = 24  # SQLITE_ATTACH in sqlite3.h; the module does not export it


def sqlcipher() -> ModuleType:
    """The SQLCipher module, or :class:`MissingLibrary`: plain SQLite is never a substitute."""
    try:
        import sqlcipher3.dbapi2 as module
    except ImportError as cause:
        raise MissingLibrary(
            "SQLCipher (the package sqlcipher3) is not installed. Afterdose does not run without "
            "encryption: run `make install`."
        ) from cause
    return module  # type: ignore[no-any-return]


def embedded_engine(path: Path, key: bytes, *, writing: bool) -> Engine:
    """Engine on the encrypted file ``path`` with the raw ``key`` of 32 bytes."""
    pool: dict[str, Any] = (
        {"poolclass": NullPool}
        if writing
        else {"poolclass": QueuePool, "pool_size": 4, "max_overflow": 28, "pool_timeout": 30}
    )
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        module=sqlcipher(),
        hide_parameters=True,
        connect_args={"check_same_thread": False, "isolation_level": None},
        **pool,
    )

    page_bytes = page_bytes_of(path, key)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        prepare_connection(connection, key, page_bytes, writing=writing)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine


def header_of(key: bytes, page_bytes: int) -> bytes:
    """The first 16 bytes of a file under ``key``, where SQLCipher keeps a salt.

    A salt adds nothing to a random key, so it is derived from it: the file says which key it needs
    before anything is opened, and a wrong key is not mistaken for damage. It tells the size of a
    page as well, which must be known to read the first one.
    """
    size = "" if page_bytes == _EARLIER_PAGE_BYTES else f"/{page_bytes}"
    return expand(key, label(f"file-header{size}"))[:HEADER_BYTES]


def page_bytes_of(path: Path, key: bytes) -> int:
    """The size of a page in the file ``path``, whether it exists already or not."""
    try:
        with path.open("rb") as file:
            found = file.read(HEADER_BYTES)
    except FileNotFoundError:
        return PAGE_BYTES
    earlier = _EARLIER_PAGE_BYTES
    return earlier if found == header_of(key, earlier) else PAGE_BYTES


def check_header(path: Path, key: bytes) -> None:
    """Raise WrongKey, Tampered or Truncated unless the file begins as one under ``key`` does."""
    with path.open("rb") as file:
        found = file.read(HEADER_BYTES)
    if len(found) < HEADER_BYTES:
        raise Truncated(f"{path.name} is empty: all of it is missing. Restore the backup.")
    different = min(
        sum(a != b for a, b in zip(found, header_of(key, size), strict=True))
        for size in (PAGE_BYTES, _EARLIER_PAGE_BYTES)
    )
    if different > HEADER_BYTES // 2:
        raise WrongKey(
            f"{path.name} belongs to other keys than keys.json. Restore both from the same backup."
        )
    if different:
        raise Tampered(f"{path.name}: its beginning was changed. Restore the backup.")


def pages_expected(path: Path, key: bytes) -> int:
    """How many pages the file had when it was last written; 0 when its first page does not tell.

    SQLite refuses a file that is shorter than its header says before it tells the number, so the
    header is read here: SQLCipher's first page holds it encrypted (AES-256-CBC) after the salt, and
    the reserve at the end begins with the initialisation vector.
    """
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    size = page_bytes_of(path, key)
    with path.open("rb") as file:
        page = file.read(size)
    vector = page[-_RESERVE_BYTES:][:16]
    cipher = Cipher(algorithms.AES256(key), modes.CBC(vector)).decryptor()
    header = cipher.update(page[HEADER_BYTES:][:16])
    expected = size.to_bytes(2, "big") + _HEADER_18_TO_23
    return int.from_bytes(header[12:], "big") if header.startswith(expected) else 0


def prepare_connection(connection: Any, key: bytes, page_bytes: int, *, writing: bool) -> None:
    """Key first, then every setting that Afterdose relies on; nothing is left to a default."""
    cache = WRITE_CACHE_KIB if writing else READ_CACHE_KIB
    salt = header_of(key, page_bytes)
    connection.execute(f"PRAGMA key = \"x'{key.hex()}{salt.hex()}'\"")
    for setting in (
        f"cipher_page_size = {page_bytes}",
        "cipher_log_level = NONE",
        f"busy_timeout = {BUSY_MILLISECONDS}",
        "journal_mode = DELETE",
        "synchronous = EXTRA",
        "foreign_keys = ON",
        "secure_delete = ON",
        "trusted_schema = OFF",
        "temp_store = MEMORY",
        f"cache_size = -{cache}",
        "cache_spill = OFF",  # a page written before the commit keeps every reader out until it
        f"query_only = {'OFF' if writing else 'ON'}",
    ):
        connection.execute(f"PRAGMA {setting}").fetchall()
    connection.set_authorizer(_no_attach)


def write_early_if_empty(connection: Connection) -> bool:
    """Let a connection that has not begun write pages before its commit, if there is no session.

    Everywhere else :func:`prepare_connection` has forbidden it. Returns whether it may now.
    """
    raw: Any = connection.connection.dbapi_connection
    if raw.execute("SELECT 1 FROM sessions LIMIT 1").fetchone() is not None:
        return False
    raw.execute(f"PRAGMA cache_size = -{FILL_CACHE_KIB}")
    raw.execute("PRAGMA cache_spill = ON")
    return True


def _no_attach(action: int, *_about: object) -> int:
    return 1 if action == _ATTACH else 0  # 1 denies: an attached file could be a plaintext copy


def server_engine(url: str, *, writing: bool) -> Engine:
    """Engine on PostgreSQL. The URL names host and database, never a password."""
    parsed = _parsed(url)
    if parsed.password is not None or "password" in parsed.query:
        raise BadInputFile(
            "The database URL in config.toml holds a password. Put it into a passfile (.pgpass) or "
            "use a socket or client certificate, and take it out of the URL."
        )
    try:
        engine = create_engine(
            parsed, hide_parameters=True, pool_pre_ping=True, pool_size=4, max_overflow=28
        )
    except ImportError as cause:
        raise MissingLibrary(
            "The PostgreSQL driver is not installed: pip install 'afterdose[postgresql]'."
        ) from cause

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if writing:
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({ADVISORY_LOCK})")
        else:
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")

    return engine


def streamed(connection: Connection, query: Select[Any], size: int = 1_000) -> Iterator[Row[Any]]:
    """Rows of ``query`` as they come, at most ``size`` at once in memory.

    The option belongs to this statement: set on the connection it would hold for every later
    statement, and PostgreSQL refuses a cursor for some of them.
    """
    with connection.execute(query, execution_options={"yield_per": size}) as result:
        yield from result


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        parsed = None
    if parsed is None or parsed.drivername not in ("postgresql", "postgresql+psycopg"):
        raise BadInputFile(
            "The database URL in config.toml must begin with postgresql+psycopg:// and name a "
            "database. Leave it out for the encrypted file."
        )
    return parsed.set(drivername="postgresql+psycopg")


@contextmanager
def translated(where: str) -> Iterator[None]:
    """Turn driver errors into ours, without the statement and without its values."""
    try:
        yield
    except AfterdoseError:
        raise
    except DBAPIError as error:
        raise driver_error(error.orig, where) from None
    except Exception as error:
        if type(error).__module__.startswith(("sqlcipher3", "psycopg")):
            raise driver_error(error, where) from None
        raise


_SAID: Final[tuple[tuple[tuple[str, ...], type[AfterdoseError], str], ...]] = (
    (
        ("disk is full", "no space"),
        StoreUnavailable,
        "the disk is full. Nothing was written. Free space and try again.",
    ),
    (
        ("locked", "busy"),
        StoreUnavailable,
        "another process holds the store. Nothing was written. Try again.",
    ),
    (("readonly", "read-only"), StoreReadOnly, "the file system or database is read-only."),
    (
        ("disk i/o error",),  # a quota or a failing disk; damage is told as "malformed"
        StoreUnavailable,
        "the disk refused to read or write (full, over a quota, or failing). Nothing was written.",
    ),
    (
        ("malformed", "not a database"),
        Tampered,
        "the file is damaged or was changed. Stop, keep a copy, restore the backup.",
    ),
    (("append-only",), Tampered, "audit and report rows cannot be changed or deleted."),
)


def driver_error(error: BaseException | None, where: str) -> AfterdoseError:
    """The error of our tree for what the driver said; its text is matched, never shown."""
    said = str(error).lower()
    for phrases, kind, message in _SAID:
        if any(phrase in said for phrase in phrases):
            return kind(f"{where}: {message}")
    name = type(error).__name__
    return StoreUnavailable(f"{where}: the database refused ({name}). Nothing was written.")
