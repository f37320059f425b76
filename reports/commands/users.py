"""``afterdose users``: who may sign in."""

from __future__ import annotations

from argparse import Namespace
from typing import Final
from uuid import UUID

from reports.commands.opening import new_password, open_home
from reports.commands.printing import print_rows, tell
from safety import accounts
from safety.access import CONSOLE, Role
from safety.errors import NotFound
from safety.store.handle import Store

_COLUMNS: Final = ("username", "display_name", "role", "active", "created_at")


def list_all(arguments: Namespace) -> int:
    """List every account, closed ones too."""
    with open_home(arguments) as store:
        found = accounts.list_accounts(store, CONSOLE)
    rows = [
        {
            "username": account.username,
            "display_name": account.display_name,
            "role": str(account.role),
            "active": account.active,
            "created_at": account.created_at.isoformat(timespec="seconds"),
        }
        for account in found
    ]
    print_rows(rows, _COLUMNS, arguments.format)
    return 0


def add(arguments: Namespace) -> int:
    """Add an account."""
    with open_home(arguments) as store:
        account = accounts.add_account(
            store,
            CONSOLE,
            username=arguments.username,
            display_name=arguments.display_name or arguments.username,
            role=Role(arguments.role),
            password=new_password(arguments, f"Password for {arguments.username}"),
        )
    tell(f"{account.username} can sign in now ({account.role}).")
    return 0


def close(arguments: Namespace) -> int:
    """Close an account; whoever is signed in with it is signed out."""
    with open_home(arguments) as store:
        accounts.close_account(store, CONSOLE, _id(store, arguments.username))
    tell(f"{arguments.username} is closed.")
    return 0


def set_password(arguments: Namespace) -> int:
    """Set the password of an account; whoever is signed in with it is signed out."""
    with open_home(arguments) as store:
        account_id = _id(store, arguments.username)
        password = new_password(arguments, f"New password for {arguments.username}")
        accounts.set_password(store, CONSOLE, account_id, password)
    tell(f"The password of {arguments.username} was changed.")
    return 0


def _id(store: Store, username: str) -> UUID:
    wanted = accounts.folded(username)
    for account in accounts.list_accounts(store, CONSOLE):
        if account.username == wanted:
            return account.id
    raise NotFound("There is no account of this name. List them with: afterdose users")
