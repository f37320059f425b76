"""Accounts to sign in with, made as the console makes them."""

from __future__ import annotations

from typing import Final

from sqlalchemy import select

from safety import accounts
from safety.access import CONSOLE, Actor, Role
from safety.accounts import Account
from safety.store import tables
from safety.store.handle import Store

PASSWORD: Final = "lantern gravel otter 58"
OTHER_PASSWORD: Final = "copper willow saddle 91"


def an_account(
    store: Store, role: Role = Role.NURSE, username: str | None = None, password: str = PASSWORD
) -> Account:
    """Add an account; its user name is its role when none is given."""
    return accounts.add_account(
        store,
        CONSOLE,
        username=username or str(role),
        display_name=f"Made-up {role}",
        role=role,
        password=password,
    )


def actor_of(account: Account) -> Actor:
    """Who signs in with ``account``."""
    return Actor(account.id.hex, account.display_name, account.role)


def audit_of(store: Store, *actions: str) -> list[tuple[str, str, str, str, str, str | None]]:
    """(actor, role, action, kind, object, note) of the audit entries, or of ``actions`` alone."""
    columns = tables.audit.c
    query = select(
        columns.actor, columns.role, columns.action, columns.kind, columns.object, columns.note
    ).order_by(columns.seq)
    if actions:
        query = query.where(columns.action.in_(actions))
    with store.read() as connection:
        return [tuple(row) for row in connection.execute(query)]
