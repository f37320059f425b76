"""Rows of sign-ins: what the server knows of a session whose page holds nothing but a token.

The token is 256 random bits and a mac; the row holds its SHA-256 only. The mac binds the token to
the account, its version and the time in the row, so that a row which somebody wrote or pointed at
another account behind Afterdose's back opens nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import ColumnElement, Connection, bindparam, delete, insert, select, update

from safety.clock import from_utc_text, utc_text
from safety.errors import Tampered
from safety.keys.derivation import expand, joined, label
from safety.store import tables
from safety.store.account_rows import Row
from safety.store.handle import Store
from safety.store.writing import Writer

SECRET_BYTES: Final = 32
MAC_BYTES: Final = 16

_TABLE: Final = tables.sign_ins
_BY_TOKEN: Final = select(_TABLE).where(_TABLE.c.token == bindparam("wanted"))


class Ending(StrEnum):
    """Why a session ended. The value is kept in the row and in the audit trail."""

    BY_HAND = "signed-out"
    IDLE = "idle"
    AGE = "age"
    CLOCK = "clock"
    CHANGED = "account-changed"
    CLOSED = "account-closed"
    BY_OTHERS = "ended-by-others"


@dataclass(frozen=True, slots=True)
class SignIn:
    """One session: ``key`` is the hash of its token."""

    key: bytes
    account: bytes
    account_version: int
    created_at: datetime
    seen_at: datetime
    ending: Ending | None


def begin(store: Store, writer: Writer, account: Row) -> str:
    """Add the row of a new session and return its token."""
    secret = secrets.token_bytes(SECRET_BYTES)
    mac = _binding(store, secret, account["id"], account["version"], writer.at)
    token = urlsafe_b64encode(secret + mac).decode()
    row = {
        "token": _key(token),
        "account": account["id"],
        "account_version": account["version"],
        "created_at": writer.at,
        "seen_at": writer.at,
    }
    writer.connection.execute(insert(_TABLE), row)
    return token


def find(store: Store, connection: Connection, token: str) -> SignIn | None:
    """The session of ``token``, or None. Raises Tampered when its row was changed."""
    key = _key(token)
    row = connection.execute(_BY_TOKEN, {"wanted": key}).first()
    if row is None:
        return None
    secret, mac = _parts(token)
    account = bytes(row.account)
    expected = _binding(store, secret, account, row.account_version, row.created_at)
    if not hmac.compare_digest(mac, expected):
        raise Tampered(
            "The record of this sign-in was changed outside Afterdose. Sign in again and tell the "
            "medical director."
        )
    return SignIn(
        key,
        account,
        row.account_version,
        from_utc_text(row.created_at),
        from_utc_text(row.seen_at),
        None if row.ended_by is None else Ending(row.ended_by),
    )


def touch(writer: Writer, sign_in: SignIn) -> None:
    """Note that the session was used now."""
    mine = _TABLE.c.token == sign_in.key
    writer.connection.execute(update(_TABLE).where(mine).values(seen_at=writer.at))


def end(writer: Writer, sign_in: SignIn, ending: Ending) -> bool:
    """End one session; say whether it was still open."""
    return bool(_end_where(writer, _TABLE.c.token == sign_in.key, ending))


def end_all(writer: Writer, account_id: bytes, ending: Ending) -> int:
    """End every open session of an account and say how many there were."""
    return _end_where(writer, _TABLE.c.account == account_id, ending)


def forget_old(writer: Writer, absolute: timedelta) -> None:
    """Remove sessions that have been over for long; the audit trail keeps that they were."""
    before = utc_text(writer.now - 2 * absolute)
    writer.connection.execute(delete(_TABLE).where(_TABLE.c.created_at < before))


def _end_where(writer: Writer, which: ColumnElement[bool], ending: Ending) -> int:
    changed = writer.connection.execute(
        update(_TABLE)
        .where(which, _TABLE.c.ended_at.is_(None))
        .values(ended_at=writer.at, ended_by=str(ending))
    )
    return int(changed.rowcount)


def _key(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="surrogatepass")).digest()


def _parts(token: str) -> tuple[bytes, bytes]:
    try:
        content = urlsafe_b64decode(token)
    except ValueError:
        content = b""  # somebody wrote a row for a token that Afterdose never gave out
    return content[:SECRET_BYTES], content[SECRET_BYTES:]


def _binding(store: Store, secret: bytes, account: bytes, version: int, at: str) -> bytes:
    key = expand(store.ring.index_key, label("sign-in-token"))
    text = joined(secret, account, str(version).encode(), at.encode())
    return hmac.digest(key, text, "sha256")[:MAC_BYTES]
