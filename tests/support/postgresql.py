"""A PostgreSQL server for tests, from the pgserver wheel: one in each test process."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote
from uuid import uuid4


class Server:
    """A running server. Durability is off: a test run that dies keeps nothing anyway."""

    def __init__(self, handle: Any, folder: Path) -> None:
        self._handle = handle
        self._folder = folder
        self._socket = Path(str(handle.get_postmaster_info().socket_dir))
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            self._run(f"ALTER SYSTEM SET {setting} = off")
        self._run("SELECT pg_reload_conf()")

    @classmethod
    def start(cls) -> Self:
        """Start a server in a temporary folder. Raises whatever keeps it from starting."""
        from pgserver.postgres_server import get_server

        # Not below pytest's folder: the path of a socket may have 107 bytes at most.
        folder = Path(tempfile.mkdtemp(prefix="afterdose-pg-"))
        try:
            return cls(get_server(folder / "data", cleanup_mode="delete"), folder)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def stop(self) -> None:
        """Stop the server and remove its files."""
        self._handle.cleanup()
        shutil.rmtree(self._folder, ignore_errors=True)

    def url(self, database: str) -> str:
        """The URL of a database as config.toml names it: over the socket, without a password."""
        socket = quote(str(self._socket), safe="/")
        return f"postgresql+psycopg:///{database}?host={socket}&user=postgres"

    def create_database(self, *, like: str | None = None) -> str:
        """Make a database, empty or as a copy of another, and return its name."""
        name = f"t_{uuid4().hex[:16]}"
        self._run(f"CREATE DATABASE {name}" + (f" TEMPLATE {like}" if like else ""))
        return name

    def drop_database(self, name: str) -> None:
        """Remove a database, whoever is still connected to it."""
        self._run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def _run(self, sql: str) -> None:
        import psycopg

        with psycopg.connect(
            host=str(self._socket), user="postgres", dbname="postgres", autocommit=True
        ) as connection:
            connection.execute(sql.encode())
