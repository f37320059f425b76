"""The password once more: before an export or a change of keys, and to set a new one."""

from __future__ import annotations

import unicodedata
from contextlib import suppress
from uuid import UUID

from safety.access import CONSOLE, Actor
from safety.errors import NotFound, SignInFailed, WeakPassword
from safety.keys.passwords import check_new_password, hash_password
from safety.signing_in import failures, tries
from safety.signing_in.limits import LIMITS, Limits
from safety.signing_in.tries import Try
from safety.store import account_rows
from safety.store.account_rows import Row
from safety.store.handle import Store


def confirm_password(store: Store, actor: Actor, password: str, *, limits: Limits = LIMITS) -> None:
    """Ask who is signed in for the password again.

    The console has shown its key and passes. Failures count as those of signing in do. Raises
    SignInFailed, SignInDelayed, and NotFound when the actor has no account.
    """
    if actor == CONSOLE:
        return
    attempt, account = _confirmed(store, _own(store, actor), password, limits)
    with store.write() as writer:
        tries.still_the_same(store, writer, account)
        failures.forgive(writer.connection, attempt.charge)
        writer.log(actor, "sign-in.confirmed", tries.KIND, actor.id)
        writer.commit()


def change_own_password(
    store: Store, actor: Actor, old: str, new: str, *, limits: Limits = LIMITS
) -> None:
    """Change the password of the actor's account; every session of it ends, this one too.

    Raises WeakPassword for a new one that will not do, and what :func:`confirm_password` raises.
    """
    own = _own(store, actor)
    check_new_password(new, own["username"], store.clinic.name)
    if unicodedata.normalize("NFKC", new) == unicodedata.normalize("NFKC", old):
        raise WeakPassword("The new password is the old one. Choose another.")
    attempt, account = _confirmed(store, own, old, limits)
    values = {"password": hash_password(new)}
    with store.write() as writer:
        account = tries.still_the_same(store, writer, account)
        failures.forgive(writer.connection, attempt.charge)
        account_rows.change(writer, actor, account, "account.password", values, note="own")
        writer.commit()


def _own(store: Store, actor: Actor) -> Row:
    """The account of an actor that signed in."""
    with suppress(ValueError), store.read() as connection:
        row = account_rows.by_id(store, connection, UUID(hex=actor.id).bytes)
        if row is not None:
            return row
    raise NotFound("You have no account with a password in this clinic. Sign in with one.")


def _confirmed(store: Store, own: Row, password: str, limits: Limits) -> tuple[Try, Row]:
    attempt = tries.admitted(store, own["username"], None, limits)
    try:
        return attempt, tries.verified(store, attempt, password, note="confirmation")
    except SignInFailed:
        raise SignInFailed("This is not your password. Nothing was done; try again.") from None
