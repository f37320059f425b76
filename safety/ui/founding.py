"""Making the clinic: what the first-run page was told, checked and carried out. Draws nothing.

What needs the database is imported where it is used: the page shows before that is read.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Final

from safety.access import CONSOLE, Role
from safety.config import Config, default_home
from safety.errors import BadInputFile, Problem, StoreExists, UserError
from safety.keys.passwords import check_new_password
from safety.keys.sources import KeyFile, KeySource, Passphrase, check_apart
from safety.limits import NAME_LENGTH, text_problem
from safety.ui import holding

if TYPE_CHECKING:
    from safety.store.handle import Store

_ONE_AT_A_TIME: Final = Lock()


@dataclass(frozen=True, slots=True)
class Founding:
    """What is needed to make a clinic. Exactly one of key file and passphrase is given."""

    clinic: str
    site: str
    timezone: str
    username: str
    display_name: str
    password: str = field(repr=False)
    key_file: Path | None = None
    passphrase: str | None = field(default=None, repr=False)

    def problems(self, repeated: str) -> list[Problem]:
        """What cannot be right, told before anything is made."""
        from safety import accounts

        named = (
            ("clinic", self.clinic),
            ("site", self.site),
            ("display_name", self.display_name),
        )
        found = [text_problem(name, text, NAME_LENGTH) for name, text in named]
        if not accounts.may_be_username(accounts.folded(self.username)):
            text = "needs 2 to 64 characters: letters from a to z, digits, and . _ - @ only."
            found.append(Problem("username", text))
        if self.password != repeated:
            found.append(Problem("password", "The two passwords differ. Type both again."))
        if self.key_file is None and not self.passphrase:
            found.append(Problem("key", "Enter the passphrase."))
        return [problem for problem in found if problem is not None]


def suggested_key_file() -> Path:
    """Where a key file can lie: in the user's configuration, apart from the data."""
    from platformdirs import user_config_path

    return user_config_path("afterdose", appauthor=False) / "afterdose.key"


def found_clinic(wanted: Founding) -> str:
    """Make the store, its first site and the director's account; return the recovery code to print.

    Works only where there is no store yet. Raises StoreExists, WeakPassword, UnsafeKeySource and
    the errors of writing.
    """
    from safety import accounts
    from safety.store.opening import create_store

    check_new_password(wanted.password, accounts.folded(wanted.username), wanted.clinic)
    with _ONE_AT_A_TIME:
        home = default_home()
        if holding.found_config() is not None:
            raise StoreExists("This clinic exists already. Reload the page and sign in.")
        store, code = create_store(
            Config(home=home, key_file=wanted.key_file),
            _source(wanted, home),
            clinic=" ".join(wanted.clinic.split()),
            site=wanted.site,
            timezone=wanted.timezone,
        )
        _add_director(store, wanted)
        holding.hold(store)
    return code.printed()


def _source(wanted: Founding, home: Path) -> KeySource:
    path = wanted.key_file
    if path is None:
        return Passphrase(wanted.passphrase or "")
    if not path.is_absolute():
        raise UserError("Give the whole path of the key file, from the root folder on.")
    check_apart(path, home)
    if path.exists():
        return KeyFile(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise BadInputFile(f"{path.parent} cannot be made: {error.strerror}.") from None
    return KeyFile.create(path)


def _add_director(store: Store, wanted: Founding) -> None:
    from safety import accounts

    accounts.add_account(
        store,
        CONSOLE,
        username=wanted.username,
        display_name=wanted.display_name,
        role=Role.DIRECTOR,
        password=wanted.password,
    )
