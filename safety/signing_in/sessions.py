"""Beginning a session, asking at every rerun whether it still holds, and ending it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Connection

from safety.access import Action, Actor, guarded
from safety.accounts import account_of, folded
from safety.errors import NotFound, SignedOut, StoreReadOnly, StoreUnavailable, Tampered
from safety.keys.passwords import hash_password, needs_rehash
from safety.signing_in import failures, tokens, tries
from safety.signing_in.limits import LIMITS, Limits
from safety.signing_in.tokens import Ending, SignIn
from safety.store import account_rows
from safety.store.account_rows import Row
from safety.store.handle import Store
from safety.store.writing import CLOCK_TOLERANCE

_SIGN_IN_AGAIN: Final = {
    Ending.BY_HAND: "You signed out. Sign in again to go on.",
    Ending.IDLE: "You were signed out because nothing was done for a while. Sign in again.",
    Ending.AGE: "You were signed out because you signed in many hours ago. Sign in again.",
    Ending.CLOCK: "The clock of the server was set back. Sign in again.",
    Ending.CHANGED: "Your account was changed. Sign in again.",
    Ending.CLOSED: "Your account was closed. Ask the medical director.",
    Ending.BY_OTHERS: "Your sessions were ended. Sign in again.",
}


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session that has begun. The page keeps ``token`` and asks :func:`session_actor` with it."""

    token: str = field(repr=False)
    actor: Actor


def sign_in(
    store: Store,
    username: str,
    password: str,
    *,
    address: str | None = None,
    limits: Limits = LIMITS,
) -> SignedIn:
    """Begin a session.

    Raises SignInFailed, with the same words and after the same time for a wrong password, an
    unknown name and a closed account; SignInDelayed after too many failures; Tampered when the
    account's row was changed behind Afterdose's back; and what keeps the store from being written.
    """
    attempt = tries.admitted(store, folded(username), address, limits)
    account = tries.verified(store, attempt, password)
    fresh = hash_password(password) if needs_rehash(account["password"]) else None
    with store.write() as writer:
        account = tries.still_the_same(store, writer, account)
        actor = _actor(account)
        if fresh is not None:
            values = {"password": fresh}
            account = account_rows.change(writer, actor, account, "account.rehash", values)
        failures.forgive(writer.connection, attempt.charge)
        failures.forget_old(writer.connection, writer.now)
        tokens.forget_old(writer, limits.absolute)
        token = tokens.begin(store, writer, account)
        writer.log(actor, "sign-in", tries.KIND, actor.id)
        writer.commit()
    return SignedIn(token, actor)


def session_actor(
    store: Store, token: str, *, activity: bool = True, limits: Limits = LIMITS
) -> Actor:
    """Who holds ``token``, asked at every rerun; with ``activity`` the session counts as used.

    A page that refreshes itself passes ``activity=False``. Raises SignedOut with the reason when
    the session is over, and Tampered when its row or the account's was changed behind Afterdose's
    back.
    """
    now = store.clock()
    with store.read() as connection:
        found = tokens.find(store, connection, token)
        if found is None:
            raise SignedOut("You are not signed in. Sign in to go on.")
        account = _account_of(store, connection, found)
    if found.ending is not None:
        raise SignedOut(_SIGN_IN_AGAIN[found.ending])
    actor = _actor(account)
    ending = _why_over(found, account, now, limits)
    if ending is not None:
        _end(store, actor, found, ending)
        raise SignedOut(_SIGN_IN_AGAIN[ending])
    if activity and now - found.seen_at > limits.seen_every:
        _touch(store, found)
    return actor


def sign_out(store: Store, token: str) -> None:
    """End the session of ``token``. A token that means nothing any more is no error."""
    with store.read() as connection:
        found = tokens.find(store, connection, token)
        if found is None or found.ending is not None:
            return
        actor = _actor(_account_of(store, connection, found))
    _end(store, actor, found, Ending.BY_HAND)


def end_all(store: Store, actor: Actor, account_id: UUID) -> int:
    """End every session of an account: one's own, or another's by who manages accounts.

    Returns how many were open. Raises AccessDenied and NotFound.
    """
    if account_id.hex == actor.id:
        return _end_every(store, actor, account_id, Ending.BY_HAND)
    return _end_all_of_another(store, actor, account_id)


@guarded(Action.MANAGE_ACCOUNTS)
def _end_all_of_another(store: Store, actor: Actor, account_id: UUID) -> int:
    return _end_every(store, actor, account_id, Ending.BY_OTHERS)


def _end_every(store: Store, actor: Actor, account_id: UUID, ending: Ending) -> int:
    with store.write() as writer:
        if account_rows.by_id(store, writer.connection, account_id.bytes) is None:
            raise NotFound("There is no such account.")
        count = tokens.end_all(writer, account_id.bytes, ending)
        note = f"{ending}, {count} open"
        writer.log(actor, "sign-out.all", tries.KIND, account_id.hex, note=note)
        writer.commit()
    return count


def _account_of(store: Store, connection: Connection, found: SignIn) -> Row:
    row = account_rows.by_id(store, connection, found.account)
    if row is None:
        raise Tampered("The account of this sign-in is gone. Tell the medical director.")
    return row


def _why_over(found: SignIn, account: Row, now: datetime, limits: Limits) -> Ending | None:
    if not account["active"]:
        return Ending.CLOSED
    if account["version"] != found.account_version:
        return Ending.CHANGED
    if now < found.created_at - CLOCK_TOLERANCE:
        return Ending.CLOCK
    if now - found.created_at >= limits.absolute:
        return Ending.AGE
    return Ending.IDLE if now - found.seen_at >= limits.idle else None


def _touch(store: Store, found: SignIn) -> None:
    """Note the use of a session, unless the store cannot be written: reading goes on without."""
    if store.distrust is not None:
        return
    with suppress(StoreUnavailable, StoreReadOnly), store.write() as writer:
        tokens.touch(writer, found)
        writer.commit()


def _end(store: Store, actor: Actor, found: SignIn, ending: Ending) -> None:
    """End a session on record, unless the store cannot be written: the page forgets its token."""
    if store.distrust is not None:
        return
    with suppress(StoreUnavailable, StoreReadOnly), store.write() as writer:
        if tokens.end(writer, found, ending):
            writer.log(actor, "sign-out", tries.KIND, actor.id, note=ending)
        writer.commit()


def _actor(account: Row) -> Actor:
    known = account_of(account)
    return Actor(known.id.hex, known.display_name, known.role)
