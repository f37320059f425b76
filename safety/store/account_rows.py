"""Rows of accounts: read only with proof that Afterdose wrote them last, changed only on record.

Whoever can write to the database can set a role or put back the row of a closed account. So a row
is believed only when its own mac fits and the newest audit entry about the account covers just this
row.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Mapping
from typing import Any, Final

from sqlalchemy import Connection, bindparam, select, update

from safety import audit
from safety.access import Actor
from safety.errors import Tampered
from safety.store import tables
from safety.store.handle import Store
from safety.store.writing import Writer

KIND: Final = "account"
Row = dict[str, Any]
"""Every column of :data:`safety.store.tables.accounts` by name."""

_ACCOUNTS: Final = tables.accounts
_AUDIT: Final = tables.audit.c
_BY_ID: Final = select(_ACCOUNTS).where(_ACCOUNTS.c.id == bindparam("wanted"))
_BY_NAME: Final = select(_ACCOUNTS).where(_ACCOUNTS.c.username == bindparam("wanted"))
_NEWEST_ENTRY: Final = (
    select(tables.audit)
    .where(_AUDIT.kind == KIND, _AUDIT.object == bindparam("wanted"))
    .order_by(_AUDIT.seq.desc())
    .limit(1)
)


def by_id(store: Store, connection: Connection, account_id: bytes) -> Row | None:
    """The account with this id, or None. Raises Tampered."""
    row = connection.execute(_BY_ID, {"wanted": account_id}).mappings().first()
    return None if row is None else _trusted(store, connection, row)


def by_name(store: Store, connection: Connection, username: str) -> Row | None:
    """The account with this folded user name, or None. Raises Tampered."""
    row = connection.execute(_BY_NAME, {"wanted": username}).mappings().first()
    return None if row is None else _trusted(store, connection, row)


def every(store: Store, connection: Connection) -> Iterator[Row]:
    """All accounts by user name. Raises Tampered when one of them cannot be trusted."""
    query = select(_ACCOUNTS).order_by(_ACCOUNTS.c.username)
    for row in connection.execute(query).mappings().all():
        yield _trusted(store, connection, row)


def name_taken(connection: Connection, username: str) -> bool:
    """Whether an account has this folded user name."""
    return connection.execute(_BY_NAME, {"wanted": username}).first() is not None


def add(writer: Writer, actor: Actor, row: Row) -> Row:
    """Insert ``row`` on record and return it with its mac."""
    mac = writer.insert(_ACCOUNTS, row)
    writer.log(actor, "account.add", KIND, row["id"].hex(), note=str(row["role"]), macs=[mac])
    return row


def change(
    writer: Writer,
    actor: Actor,
    row: Row,
    action: str,
    values: Mapping[str, Any],
    *,
    note: str | None = None,
) -> Row:
    """Write ``values`` over ``row`` as its next version, on record, and return the new row."""
    fresh = writer.digests.stamped(_ACCOUNTS, {**row, **values, "version": row["version"] + 1})
    writer.connection.execute(update(_ACCOUNTS).where(_ACCOUNTS.c.id == row["id"]).values(fresh))
    writer.log(actor, action, KIND, row["id"].hex(), note=note, macs=[fresh["mac"]])
    return fresh


def _trusted(store: Store, connection: Connection, found: Mapping[Any, Any]) -> Row:
    row = dict(found)
    name = bytes(row["id"]).hex()
    mac = store.digests.mac(_ACCOUNTS, row)
    if not hmac.compare_digest(mac, bytes(row["mac"])):
        raise Tampered(
            f"The account {name} was changed outside Afterdose. Run `afterdose verify --store` and "
            "restore the backup."
        )
    entry = connection.execute(_NEWEST_ENTRY, {"wanted": name}).first()
    if entry is not None:
        # One entry alone, its place taken as it says; the chain is checked at each start.
        audit.check(store.ring.audit_key, audit.Head(entry.seq - 1, bytes(entry.previous)), [entry])
    covered = entry.digest if entry is not None else None
    if covered is None or not hmac.compare_digest(store.digests.group([mac]), bytes(covered)):
        raise Tampered(
            f"The account {name} is not as it was last changed: an old row was put back, or one "
            "was slipped in. Run `afterdose verify --store` and restore the backup."
        )
    return row
