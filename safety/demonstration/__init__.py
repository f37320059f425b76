"""The demonstration clinic: a store of its own, with invented people, to look around in.

It lies beside the clinic's store and never inside it, has its own key file in a third folder, and
is marked as a demonstration in its own row, so that no page can take one for the other.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from safety import accounts
from safety.access import CONSOLE, Actor, Role
from safety.clock import Clock, now
from safety.config import Config, default_home, read_config
from safety.demonstration.desk import plan_today, report_two
from safety.demonstration.writing import write_files
from safety.errors import StoreUnavailable
from safety.importing import import_files
from safety.keys.sources import KeyFile
from safety.store.handle import Store
from safety.store.opening import create_store, open_store

__all__ = ["DemoAccount", "demonstration_accounts", "demonstration_home", "open_demonstration"]

_CLINIC: Final = "Riverbend Demonstration Clinic"
_TIMEZONE: Final = "America/New_York"


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """An account that everybody may know: there is nothing real behind it."""

    username: str
    display_name: str
    password: str
    role: Role


_ACCOUNTS: Final = (
    DemoAccount("nora", "Nora Nurse", "lantern-otter-nurse-17", Role.NURSE),
    DemoAccount("chris", "Chris Charge", "lantern-otter-charge-17", Role.CHARGE),
    DemoAccount("dana", "Dana Director", "lantern-otter-head-17", Role.DIRECTOR),
    DemoAccount("cole", "Cole Compliance", "lantern-otter-audit-17", Role.COMPLIANCE),
    DemoAccount("alma", "Alma Administrator", "lantern-otter-keys-17", Role.ADMINISTRATOR),
)


def demonstration_accounts() -> tuple[DemoAccount, ...]:
    """One account a role, with its password."""
    return _ACCOUNTS


def demonstration_home(home: Path | None = None) -> Path:
    """Where the demonstration of the store in ``home`` lies."""
    own = home or default_home()
    return own.with_name(f"{own.name}-demonstration")


def open_demonstration(
    home: Path | None = None, *, clock: Clock = now
) -> tuple[Store, tuple[DemoAccount, ...]]:
    """Open the demonstration that belongs to ``home``, made at first use (a few seconds)."""
    folder = demonstration_home(home)
    key = folder.with_name(f"{folder.name}-key") / "demonstration.key"
    if not folder.exists():
        _make(folder, key, clock)
    store = open_store(read_config(folder), KeyFile(key), clock=clock)
    if store.distrust is None:
        plan_today(store)
    return store, _ACCOUNTS


def _make(folder: Path, key: Path, clock: Clock) -> None:
    """Make everything in a folder beside, which takes its name only when it is whole."""
    begun = folder.with_name(f"{folder.name}.unfinished")
    shutil.rmtree(begun, ignore_errors=True)
    try:
        key.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        source = KeyFile(key) if key.exists() else KeyFile.create(key)
        store, _ = create_store(
            Config(begun, key_file=key),
            source,
            clinic=_CLINIC,
            site="Main Street",
            timezone=_TIMEZONE,
            demonstration=True,
            clock=clock,
        )
        try:
            _fill(store)
        finally:
            store.close()
        begun.rename(folder)
    except OSError as cause:
        raise StoreUnavailable(
            f"The demonstration could not be made in {folder.parent} ({cause.strerror})."
        ) from None


def _fill(store: Store) -> None:
    made = {}
    for account in _ACCOUNTS:
        added = accounts.add_account(
            store,
            CONSOLE,
            username=account.username,
            display_name=account.display_name,
            role=account.role,
            password=account.password,
        )
        made[account.role] = Actor(added.id.hex, added.display_name, added.role)
    with tempfile.TemporaryDirectory() as folder:
        sessions, events = write_files(Path(folder), store.clock().date())
        result = import_files(store, CONSOLE, sessions, events)
    if result.errors:
        first = result.errors[0]
        raise ValueError(f"demonstration row {first.row}, {first.column}: {first.message}")
    report_two(store, made[Role.NURSE], made[Role.DIRECTOR])
