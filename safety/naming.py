"""The names of who did something: accounts by the ids that rows and the audit trail keep."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from sqlalchemy import Connection

from safety.access import CONSOLE, Action, Actor, guarded
from safety.store import account_rows
from safety.store.handle import Store

OF_NO_ACCOUNT: Final = {CONSOLE.id: "the console", "system": "Afterdose"}


def names(store: Store, connection: Connection, ids: Iterable[str]) -> dict[str, str]:
    """The name shown for each id that is known, closed accounts too. Raises Tampered."""
    found: dict[str, str] = {}
    for actor_id in set(ids):
        name = OF_NO_ACCOUNT.get(actor_id) or _of_account(store, connection, actor_id)
        if name is not None:
            found[actor_id] = name
    return found


def _of_account(store: Store, connection: Connection, actor_id: str) -> str | None:
    try:
        account = UUID(hex=actor_id)
    except ValueError:
        return None
    row = account_rows.by_id(store, connection, account.bytes)
    return None if row is None else str(row["display_name"])


@guarded(Action.READ_REPORT)
def names_of(store: Store, actor: Actor, ids: Iterable[str]) -> dict[str, str]:  # noqa: ARG001
    """As :func:`names`, for the pages of a report."""
    with store.read() as connection:
        return names(store, connection, ids)
