"""``afterdose init``: the keys, the store, its first site and the director's account."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Final

from reports.commands.opening import home_of, new_password
from reports.commands.printing import say, tell
from safety.access import CONSOLE, Role
from safety.accounts import add_account, folded, may_be_username
from safety.config import Config
from safety.errors import BadInputFile, InvalidReport, Problem, UserError
from safety.keys.passwords import check_new_password
from safety.keys.recovery import RecoveryCode
from safety.keys.sources import KeyFile, KeySource, Passphrase, check_apart
from safety.limits import NAME_LENGTH, text_problem
from safety.store.handle import Store
from safety.store.opening import create_store, zone_named

_KEEP: Final = """\
Write it on paper now and keep the paper in a safe, apart from this machine. With it the store opens
when the key file or the passphrase is lost: afterdose unlock --recovery. Without any of them nobody
can open it, ever."""


def run(arguments: Namespace) -> int:
    """Make the store. What can be wrong is checked before anything is written."""
    if arguments.key_file is None and arguments.passphrase_file is None:
        raise UserError(
            "Say what opens the store: --key-file PATH (made if it is not there) or "
            "--passphrase-file PATH."
        )
    home = home_of(arguments).absolute()
    _check(arguments)
    password = new_password(arguments, f"Password for {arguments.director}")
    check_new_password(password, folded(arguments.director), arguments.clinic)
    store, code = _founded(arguments, home)
    try:
        _print_code(arguments.clinic, code)
        _add_director(store, arguments, password)
    finally:
        store.close()
    tell(
        f"The store of {arguments.clinic} is in {home}; its days are those of {arguments.timezone}."
    )
    return 0


def _check(arguments: Namespace) -> None:
    zone_named(arguments.timezone)
    problems = [
        text_problem(name, text, NAME_LENGTH)
        for name, text in (
            ("--clinic", arguments.clinic),
            ("--site", arguments.site),
            ("--display-name", arguments.display_name),
        )
    ]
    if not may_be_username(folded(arguments.director)):
        text = "needs 2 to 64 characters: letters from a to z, digits, and . _ - @ only."
        problems.append(Problem("--director", text))
    if any(problems):
        raise InvalidReport(problem for problem in problems if problem)


def _founded(arguments: Namespace, home: Path) -> tuple[Store, RecoveryCode]:
    path: Path | None = arguments.key_file
    path = path.expanduser().absolute() if path is not None else None
    config = Config(home, key_file=path, database=arguments.database)
    fresh = path is not None and not path.exists()
    try:
        return create_store(
            config,
            _source(path, home, arguments.passphrase_file),
            clinic=" ".join(arguments.clinic.split()),
            site=arguments.site,
            timezone=arguments.timezone,
        )
    except BaseException:
        if fresh and path is not None:
            path.unlink(missing_ok=True)
        raise


def _source(path: Path | None, home: Path, passphrase_file: Path) -> KeySource:
    if path is None:
        return Passphrase.from_file(passphrase_file)
    return key_file(path, home)


def key_file(path: Path, home: Path) -> KeyFile:
    """The key file at ``path``, made when it is not there. It must lie outside of ``home``."""
    check_apart(path, home)
    if path.exists():
        return KeyFile(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise BadInputFile(f"{path.parent} cannot be made: {error.strerror}.") from None
    return KeyFile.create(path)


def _print_code(clinic: str, code: RecoveryCode) -> None:
    say(f"Recovery code of {clinic}, shown this once and stored nowhere:\n")
    say(f"    {code.printed()}\n")
    say(_KEEP)


def _add_director(store: Store, arguments: Namespace, password: str) -> None:
    add_account(
        store,
        CONSOLE,
        username=arguments.director,
        display_name=arguments.display_name or arguments.director,
        role=Role.DIRECTOR,
        password=password,
    )
