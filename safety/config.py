"""Where a store lives and where its key file, database and receipts are: ``config.toml``.

Nothing in it is secret. Paths may be absolute or relative to the folder of the store. What
``[mail]`` says is kept as it is: a mistake in it must not keep the store from opening, so
:mod:`safety.mail` reads it when a mail is due.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from safety.errors import BadInputFile, StoreMissing
from safety.keys import durable

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
    """What ``config.toml`` says. ``database`` is None for the embedded store.

    ``mail`` holds the entries of ``[mail]``, or is None when there are none.
    """

    home: Path
    key_file: Path | None = None
    database: str | None = None
    receipts: Path | None = None
    mail: Mapping[str, Any] | None = field(default=None, hash=False)

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
        key_file=_path(home, _text(content, "keys", "file")),
        database=_text(content, "database", "url"),
        receipts=_path(home, _text(content, "receipts", "file")),
        mail=_section(content, "mail"),
    )


def write_config(config: Config) -> None:
    """Write ``config.toml``, replacing it whole. Raises StoreUnavailable."""
    lines: list[str] = []
    for section, name, value in (
        ("keys", "file", config.key_file),
        ("database", "url", config.database),
        ("receipts", "file", config.receipts),
    ):
        if value is not None:
            lines += [f"[{section}]", f"{name} = {json.dumps(str(value))}", ""]
    if config.mail:
        entries = (
            f"{json.dumps(k)} = {json.dumps(v, default=str)}" for k, v in config.mail.items()
        )
        lines += ["[mail]", *entries, ""]
    durable.replace(config.home / CONFIG, "\n".join(lines).encode())


def _path(home: Path, text: str | None) -> Path | None:
    return None if text is None else home / Path(text).expanduser()


def _text(content: dict[str, Any], section: str, name: str) -> str | None:
    entries = content.get(section, {})
    value = entries.get(name) if isinstance(entries, dict) else entries
    if value is not None and not isinstance(value, str):
        raise BadInputFile(f"{CONFIG}: {name} in [{section}] must be text. Mend the entry.")
    return value


def _section(content: dict[str, Any], section: str) -> dict[str, Any] | None:
    entries = content.get(section)
    return dict(entries) if isinstance(entries, dict) else None
