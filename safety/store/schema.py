"""The version of the tables, and the migrations that bring an older store up to it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sqlalchemy import Connection, inspect, text

from safety.errors import NewerFormat, Tampered

HEAD: Final = "0002"
KNOWN: Final = ("0001", "0002")


def revision(connection: Connection) -> str | None:
    """The version of the tables, or None for an empty database."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def refuse_newer(found: str | None) -> None:
    """Raise unless this Afterdose knows the version ``found``."""
    if found is None:
        raise Tampered(
            "The database holds no Afterdose tables. Check the database URL, or restore the backup."
        )
    if found not in KNOWN:
        raise NewerFormat(
            f"The store has table version {found}; this Afterdose knows up to {HEAD}. Update "
            "Afterdose; nothing was changed."
        )


def upgrade(connection: Connection) -> None:
    """Bring the tables to :data:`HEAD` inside the caller's transaction."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, HEAD)
