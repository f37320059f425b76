"""What ``[mail]`` of ``config.toml`` may say, and the password that lies beside it.

The password is in a file of its own, readable by its owner alone: neither in ``config.toml`` nor in
the environment, both of which are copied and shown too easily.
"""

from __future__ import annotations

import ipaddress
import re
import stat
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from safety.errors import BadInputFile, UnsafeKeySource

PORTS: Final = {"starttls": 587, "tls": 465, "none": 25}
_KNOWN: Final = {"host", "port", "security", "from", "to", "user", "password_file"}
_ADDRESS: Final = re.compile(r"[!-~]+@[A-Za-z0-9.-]+")
_NOT_IN_ADDRESS: Final = re.compile(r"[,;:<>()\"\[\]\\]")
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True)
class Settings:
    """Checked settings. ``security`` is starttls, tls, or none (on this machine only)."""

    host: str
    port: int
    security: str
    sender: str
    to: tuple[str, ...]
    user: str | None = None
    password_file: Path | None = None

    def password(self) -> str | None:
        """The content of the password file without its last newline, or None without one.

        Raises BadInputFile when it cannot be read, and UnsafeKeySource when others can read it.
        """
        if self.password_file is None:
            return None
        try:
            mode = self.password_file.stat().st_mode
            text = self.password_file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            raise BadInputFile(
                "The file that password_file in [mail] names cannot be read as text. Check its "
                "path and its rights."
            ) from None
        if sys.platform != "win32" and mode & _OTHERS:
            raise UnsafeKeySource(
                "The file that password_file in [mail] names can be reached by other users. Run: "
                f"chmod 600 {self.password_file}"
            )
        return text.removesuffix("\n").removesuffix("\r")


def parsed(entries: Mapping[str, Any], home: Path) -> Settings:
    """Check the entries of ``[mail]``; paths are relative to ``home``. Raises BadInputFile."""
    if strange := sorted(set(entries) - _KNOWN):
        what = "there is no password" if "password" in strange else f"{strange[0]} is not known"
        raise _wrong(f"{what} here; it has {', '.join(sorted(_KNOWN))}")
    security = entries.get("security", "starttls")
    if security not in PORTS:
        raise _wrong("security must be starttls, tls or none")
    host = _text(entries, "host")
    if security == "none" and not _on_this_machine(host):
        raise _wrong("security may be none only for a mail server on this machine")
    user, password_file = entries.get("user"), entries.get("password_file")
    if (user is None) != (password_file is None):
        raise _wrong("user and password_file belong together")
    return Settings(
        host,
        _port(entries, security),
        security,
        _address(entries.get("from"), "from"),
        _addresses(entries.get("to")),
        None if user is None else _text(entries, "user"),
        None
        if password_file is None
        else home / Path(_text(entries, "password_file")).expanduser(),
    )


def _text(entries: Mapping[str, Any], name: str) -> str:
    value = entries.get(name)
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise _wrong(f"{name} must be text")
    return value.strip()


def _port(entries: Mapping[str, Any], security: str) -> int:
    port = entries.get("port", PORTS[security])
    if not isinstance(port, int) or isinstance(port, bool) or not 0 < port < 65_536:
        raise _wrong("port must be a number from 1 to 65535")
    return port


def _addresses(given: Any) -> tuple[str, ...]:
    if not isinstance(given, list) or not given:
        raise _wrong('to must be a list of addresses, such as ["director@clinic.example"]')
    return tuple(_address(each, "to") for each in given)


def _address(given: Any, name: str) -> str:
    if (
        not isinstance(given, str)
        or not _ADDRESS.fullmatch(given)
        or _NOT_IN_ADDRESS.search(given)
        or given.count("@") != 1
    ):
        raise _wrong(f"{name} must hold plain addresses, such as director@clinic.example")
    return given


def _on_this_machine(host: str) -> bool:
    if host.casefold() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _wrong(what: str) -> BadInputFile:
    return BadInputFile(f"config.toml: {what} in [mail]. Mend the entry and restart Afterdose.")
