"""Accounts: who may sign in, under which name and in which role.

Each change is a new version of the account's row, on record, and ends the sessions that were signed
in before it. Two rules go beyond the table of roles: the clinic always keeps an active medical
director, and what makes somebody a director, or gives a director's account to somebody, is for
directors alone.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import select

from safety.access import CONSOLE, Action, Actor, Role, guarded
from safety.clock import from_utc_text
from safety.errors import AccessDenied, Conflict, InvalidReport, NotFound, Problem
from safety.keys.passwords import check_new_password, hash_password
from safety.limits import NAME_LENGTH, text_problem
from safety.store import account_rows, tables
from safety.store.account_rows import Row
from safety.store.handle import Store
from safety.store.writing import Writer

_USERNAME: Final = re.compile(r"[a-z0-9._@-]{2,64}")
_LONGEST_TYPED: Final = 256


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who may sign in while ``active``. ``version`` counts the changes from 1."""

    id: UUID
    username: str
    display_name: str
    role: Role
    active: bool
    version: int
    created_at: datetime


@guarded(Action.MANAGE_ACCOUNTS)
def add_account(
    store: Store, actor: Actor, *, username: str, display_name: str, role: Role, password: str
) -> Account:
    """Add an account that can sign in at once.

    Raises InvalidReport for a name that cannot be, WeakPassword, Conflict when the user name is
    taken, and AccessDenied when somebody else than a director adds a director.
    """
    if role is Role.DIRECTOR:
        _directors_only(store, actor)
    row = _new_row(username, display_name, role)
    check_new_password(password, row["username"], store.clinic.name)
    row["password"] = hash_password(password)
    with store.write() as writer:
        account = _added(writer, actor, row)
        writer.commit()
    return account


def first_account(
    writer: Writer, username: str, display_name: str, role: Role, password: str
) -> Account:
    """Add an account inside the transaction that makes a store, in the console's name.

    The clinic's row must be written before. Raises what :func:`add_account` raises.
    """
    clinic = writer.connection.execute(select(tables.clinic.c.name)).scalar_one()
    row = _new_row(username, display_name, role)
    check_new_password(password, row["username"], clinic)
    row["password"] = hash_password(password)
    return _added(writer, CONSOLE, row)


@guarded(Action.MANAGE_ACCOUNTS)
def list_accounts(store: Store, actor: Actor) -> tuple[Account, ...]:  # noqa: ARG001 - guarded
    """Every account, closed ones too, by user name. Raises Tampered."""
    with store.read() as connection:
        return tuple(account_of(row) for row in account_rows.every(store, connection))


@guarded(Action.MANAGE_ACCOUNTS)
def close_account(store: Store, actor: Actor, account_id: UUID) -> Account:
    """Let nobody sign in with the account any more; it can be opened again.

    Raises Conflict for the last active director.
    """
    row = _known(store, account_id)
    return _changed(store, actor, row, "account.close", {"active": 0})


@guarded(Action.MANAGE_ACCOUNTS)
def reopen_account(store: Store, actor: Actor, account_id: UUID) -> Account:
    """Let a closed account sign in again, with the password it had; a director's by directors."""
    row = _known(store, account_id)
    if row["role"] == Role.DIRECTOR:
        _directors_only(store, actor)
    return _changed(store, actor, row, "account.reopen", {"active": 1})


@guarded(Action.MANAGE_ACCOUNTS)
def set_role(store: Store, actor: Actor, account_id: UUID, role: Role) -> Account:
    """Give the account another role.

    Raises AccessDenied when somebody else than a director touches a director's role or his own, and
    Conflict when no active director would be left.
    """
    row = _known(store, account_id)
    own = row["id"].hex() == actor.id
    if own or Role.DIRECTOR in {role, row["role"]}:
        _directors_only(store, actor)
    note = f"{row['role']} to {role}"
    return _changed(store, actor, row, "account.role", {"role": str(role)}, note=note)


@guarded(Action.MANAGE_ACCOUNTS)
def set_password(store: Store, actor: Actor, account_id: UUID, password: str) -> Account:
    """Set the password of another account (for one's own, the old one is asked for).

    Raises WeakPassword, Conflict for one's own account, and AccessDenied when somebody else than a
    director sets a director's.
    """
    row = _known(store, account_id)
    if row["role"] == Role.DIRECTOR:
        _directors_only(store, actor)
    if row["id"].hex() == actor.id:
        raise Conflict("This is your own account. Change its password with the old one at hand.")
    check_new_password(password, row["username"], store.clinic.name)
    values = {"password": hash_password(password)}
    return _changed(store, actor, row, "account.password", values)


def account_of(row: Row) -> Account:
    """The account that a trusted row describes."""
    return Account(
        id=UUID(bytes=bytes(row["id"])),
        username=row["username"],
        display_name=row["display_name"],
        role=Role(row["role"]),
        active=bool(row["active"]),
        version=row["version"],
        created_at=from_utc_text(row["created_at"]),
    )


def folded(username: str) -> str:
    """The form in which user names are kept and compared: NFKC, trimmed, lower case."""
    return unicodedata.normalize("NFKC", username[:_LONGEST_TYPED]).strip().lower()


def may_be_username(name: str) -> bool:
    """Whether an account can have this folded user name."""
    return _USERNAME.fullmatch(name) is not None


def _new_row(username: str, display_name: str, role: Role) -> Row:
    name = folded(username)
    problems = []
    if len(username) > _LONGEST_TYPED or not may_be_username(name):
        text = "needs 2 to 64 characters: letters from a to z, digits, and . _ - @ only."
        problems.append(Problem("username", text))
    if (problem := text_problem("display_name", display_name, NAME_LENGTH)) is not None:
        problems.append(problem)
    if problems:
        raise InvalidReport(problems)
    shown = " ".join(display_name.split())
    return {
        "id": uuid4().bytes,
        "username": name,
        "display_name": shown,
        "role": str(role),
        "active": 1,
        "version": 1,
    }


def _added(writer: Writer, actor: Actor, row: Row) -> Account:
    if account_rows.name_taken(writer.connection, row["username"]):
        raise Conflict("This user name is taken, perhaps by a closed account. Choose another.")
    return account_of(account_rows.add(writer, actor, {**row, "created_at": writer.at}))


def _known(store: Store, account_id: UUID) -> Row:
    with store.read() as connection:
        row = account_rows.by_id(store, connection, account_id.bytes)
    if row is None:
        raise NotFound("There is no such account.")
    return row


def _changed(
    store: Store,
    actor: Actor,
    seen: Row,
    action: str,
    values: Mapping[str, Any],
    *,
    note: str | None = None,
) -> Account:
    """Write ``values`` over the row that was ``seen``, unless they say nothing new."""
    if all(seen[name] == value for name, value in values.items()):
        return account_of(seen)
    with store.write() as writer:
        row = account_rows.by_id(store, writer.connection, seen["id"])
        if row is None or row["version"] != seen["version"]:
            raise Conflict(
                "Somebody else changed this account meanwhile. Look at it again; nothing was "
                "changed."
            )
        fresh = account_rows.change(writer, actor, row, action, values, note=note)
        if _directs(row) and not _directs(fresh):
            _keep_a_director(store, writer, without=row["id"])
        writer.commit()
    return account_of(fresh)


def _directs(row: Row) -> bool:
    return bool(row["active"]) and row["role"] == Role.DIRECTOR


def _keep_a_director(store: Store, writer: Writer, *, without: bytes) -> None:
    """Raise Conflict unless somebody else directs: nobody could give the role back."""
    writer.flush_entries()
    rows = account_rows.every(store, writer.connection)
    if not any(_directs(row) for row in rows if row["id"] != without):
        raise Conflict(
            "This is the only active medical director. Make somebody else director first; nothing "
            "was changed."
        )


def _directors_only(store: Store, actor: Actor) -> None:
    """Refuse anybody but a director, on record, what would give a director's rights away."""
    if actor.role is Role.DIRECTOR:
        return
    with store.write() as writer:
        note = "directors only"
        writer.log(actor, "access.denied", "action", Action.MANAGE_ACCOUNTS, note=note)
        writer.commit()
    raise AccessDenied("Only a medical director may do this. Ask the medical director.")
