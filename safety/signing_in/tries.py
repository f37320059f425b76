"""One try at a password: admitted or refused, then found right or put on record as failed."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Final, cast

from sqlalchemy import select

from safety.access import Actor, Role
from safety.accounts import may_be_username
from safety.errors import SignInDelayed, SignInFailed
from safety.keys.passwords import verify_password
from safety.signing_in import failures
from safety.signing_in.limits import Limits
from safety.store import account_rows, tables
from safety.store.account_rows import Row
from safety.store.handle import Store
from safety.store.writing import Writer

KIND: Final = "sign-in"
FAILED: Final = "sign-in.failed"
DELAYED: Final = "sign-in.delayed"
UNKNOWN: Final = "unknown"

NOBODY: Final = Actor("nobody", "nobody", cast(Role, "none"))
"""Who fails to sign in. It has no role, so no table of roles allows it anything."""

_HASHING: Final = threading.BoundedSemaphore(2)
"""Each check of a password takes 64 MiB: a crowd of guesses waits in line instead."""


@dataclass(frozen=True, slots=True)
class Try:
    """A try that may be made: the account it is for, if there is one, and what it was charged."""

    account: Row | None
    charge: failures.Charge


def admitted(store: Store, username: str, address: str | None, limits: Limits) -> Try:
    """Refuse a try that comes too soon; count any other as failed until the password is right.

    ``username`` is folded. Raises SignInDelayed, on record, and Tampered.
    """
    keys = failures.keys_of(store, username, address)
    with store.write() as writer:
        account = _named(store, writer, username)
        seconds = failures.wait(writer.connection, keys, writer.now, limits)
        if seconds == 0:
            charge = failures.charge(writer.connection, keys, writer.now, limits)
            writer.commit()
            return Try(account, charge)
        _log_delay(writer, _object(account))
        writer.commit()
    raise SignInDelayed(seconds)


def verified(store: Store, attempt: Try, password: str, *, note: str | None = None) -> Row:
    """The account of the try, if the password is its own. Raises SignInFailed, on record.

    An unknown name and a closed account take the time of a wrong password and get its words.
    """
    account = attempt.account
    usable = account if account is not None and account["active"] else None
    try:
        return _checked(usable, password)
    except SignInFailed:
        with store.write() as writer:
            writer.log(NOBODY, FAILED, KIND, _object(account), note=note)
            writer.commit()
        raise


def still_the_same(store: Store, writer: Writer, seen: Row) -> Row:
    """The account's row again, inside the transaction that relies on it. Raises SignInFailed."""
    row = account_rows.by_id(store, writer.connection, seen["id"])
    if row is None or row["version"] != seen["version"]:
        raise SignInFailed("The account was changed at this moment. Sign in again.")
    return row


def _named(store: Store, writer: Writer, username: str) -> Row | None:
    # What cannot be a user name is not asked of the database: PostgreSQL refuses some of it.
    if not may_be_username(username):
        return None
    return account_rows.by_name(store, writer.connection, username)


def _checked(account: Row | None, password: str) -> Row:
    with _HASHING:
        verify_password(None if account is None else account["password"], password)
    if account is None:  # cannot be: nothing fits the hash that stands in for an unknown user
        raise SignInFailed("There is no such account.")
    return account


def _log_delay(writer: Writer, about: str) -> None:
    """Put a refused try on record: one entry for a row of them, or a flood would fill the disk."""
    columns = tables.audit.c
    newest = writer.connection.execute(
        select(columns.action)
        .where(columns.kind == KIND, columns.object == about)
        .order_by(columns.seq.desc())
        .limit(1)
    ).scalar()
    if newest != DELAYED:
        writer.log(NOBODY, DELAYED, KIND, about)


def _object(account: Row | None) -> str:
    return UNKNOWN if account is None else bytes(account["id"]).hex()
