"""Opening the store for a command, and asking for the secrets that it takes."""

from __future__ import annotations

import getpass
import sys
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from reports.commands.printing import tell
from safety.errors import BadInputFile, UserError

if TYPE_CHECKING:
    from safety.config import Config
    from safety.keys.sources import KeySource
    from safety.store.handle import Store


@contextmanager
def open_home(arguments: Namespace, source: KeySource | None = None) -> Iterator[Store]:
    """The store in the folder that the command line names, closed again in the end.

    ``source`` opens it in place of what options and ``config.toml`` say. Raises the errors of
    opening; a store that cannot be trusted opens for reading, and that is said.
    """
    from safety.config import read_config
    from safety.store.opening import open_store

    config = read_config(home_of(arguments))
    store = open_store(config, source or daily_source(arguments, config))
    try:
        if store.distrust is not None:
            tell(f"afterdose: the store is read-only. {store.distrust}")
        yield store
    finally:
        store.close()


def home_of(arguments: Namespace) -> Path:
    """The folder that the command line names, else the usual one."""
    from safety.config import default_home

    named: Path | None = arguments.home
    return default_home() if named is None else named.expanduser()


def daily_source(arguments: Namespace, config: Config) -> KeySource:
    """What opens the store: an option, else the key file of ``config.toml``, else a passphrase."""
    from safety.keys.sources import KeyFile, Passphrase, check_apart

    if arguments.passphrase_file is not None:
        return Passphrase.from_file(arguments.passphrase_file)
    path: Path | None = arguments.key_file or config.key_file
    if path is not None:
        check_apart(path, config.home)
        return KeyFile(path)
    return Passphrase(ask("Passphrase", "--passphrase-file"))


def ask(what: str, option: str, *, twice: bool = False) -> str:
    """Ask for a secret without showing it; from a pipe, read a line.

    Raises UserError when there is nobody to ask, or when the two answers differ.
    """
    if not sys.stdin.isatty():
        line = sys.stdin.readline().removesuffix("\n").removesuffix("\r")
        if not line:
            raise UserError(f"{what}: nothing was typed. Name a file with {option}.")
        return line
    given = getpass.getpass(f"{what}: ")
    if twice and getpass.getpass(f"{what} again: ") != given:
        raise UserError("The two differ. Nothing was changed; try again.")
    return given


def new_password(arguments: Namespace, what: str = "Password") -> str:
    """A new password, from ``--password-file`` or typed twice."""
    if arguments.password_file is not None:
        return read_secret(arguments.password_file)
    return ask(what, "--password-file", twice=True)


def read_secret(path: Path) -> str:
    """The content of a text file without the newline at its end. Raises BadInputFile."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise BadInputFile(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise BadInputFile(f"{path} is not UTF-8 text. Save it as UTF-8.") from None
    return text.removesuffix("\n").removesuffix("\r")


def read_bytes(path: Path) -> bytes:
    """The content of a file. Raises BadInputFile."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadInputFile(f"{path} cannot be read: {error.strerror}.") from None
