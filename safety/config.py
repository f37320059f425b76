"""Where a store lives and where its key file, database and receipts are: ``config.toml``.

Nothing in it is secret. Paths may be absolute or relative to the folder of the store.
"""

from __future__ import annotations

import json
import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from safety.errors import BadInputFile, StoreMissing

CONFIG: Final = "config.toml"
KEYS: Final = "keys.json"
DATABASE: Final = "store.db"
RECEIPTS: Final = "receipts.log"
LOCK: Final = "writer.lock"
HOME_VARIABLE: Final = "AFTERDOSE_HOME"


def default_home() -> Path:
    """``$AFTERDOSE_HOME``, else the user's data folder."""
    named = os.environ.get(HOME_VARIABLE)
    if named:
        return Path(named).expanduser()
    from platformdirs import user_data_path

    return user_data_path("afterdose", appauthor=False)


@dataclass(frozen=True, slots=True)
class Config:
    """What ``config.toml`` says. ``database`` is None for the embedded store."""

    home: Path
    key_file: Path | None = None
    database: str | None = None
    receipts: Path | None = None

    @property
    def keys_path(self) -> Path:
        """The slots of the root key."""
        return self.home / KEYS

    @property
    def database_path(self) -> Path:
        """The encrypted file of the embedded store."""
        return self.home / DATABASE

    @property
    def lock_path(self) -> Path:
        """The file that writers hold one after the other."""
        return self.home / LOCK

    @property
    def receipts_path(self) -> Path:
        """The receipts, beside the store unless the configuration says otherwise."""
        return self.receipts or self.home / RECEIPTS


def read_config(home: Path) -> Config:
    """Read ``config.toml`` of ``home``. Raises StoreMissing or BadInputFile."""
    path = home / CONFIG
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise StoreMissing(
            f"There is no Afterdose store in {home}. Run `afterdose init`, or name the folder with "
            "--home."
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as cause:
        text = f"{CONFIG} cannot be read as TOML. Restore it from the backup."
        raise BadInputFile(text) from cause
    return Config(
        home=home,
        key_file=_path(home, content.get("keys", {}).get("file")),
        database=content.get("database", {}).get("url"),
        receipts=_path(home, content.get("receipts", {}).get("file")),
    )


def write_config(config: Config) -> None:
    """Write ``config.toml``, replacing it whole."""
    lines: list[str] = []
    for section, name, value in (
        ("keys", "file", config.key_file),
        ("database", "url", config.database),
        ("receipts", "file", config.receipts),
    ):
        if value is not None:
            lines += [f"[{section}]", f"{name} = {json.dumps(str(value))}", ""]
    path = config.home / CONFIG
    fresh = path.with_suffix(".new")
    fresh.write_text("\n".join(lines), encoding="utf-8")
    fresh.replace(path)


def _path(home: Path, text: Any) -> Path | None:
    if text is None:
        return None
    if not isinstance(text, str):
        raise BadInputFile(f"{CONFIG}: a file path must be text. Mend the entry.")
    return home / Path(text).expanduser()
