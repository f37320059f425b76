"""The growing delay after failed sign-ins, for each account and for each address.

The first failures are free; after that the wait doubles with each, up to a limit, and nothing is
ever locked for good: a colleague could lock the director out. A try is counted before the password
is looked at and taken back when it was right, so that many guesses at once do not slip past the
count. One failure is forgotten for each longest delay that passes quietly. Names and addresses are
kept only as keyed hashes.
"""

from __future__ import annotations

import hmac
import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from safety.clock import from_utc_text, utc_text
from safety.keys.derivation import joined, label
from safety.signing_in.limits import Limits
from safety.store import tables
from safety.store.handle import Store
from safety.store.writing import CLOCK_TOLERANCE

KEPT: Final = timedelta(days=7)
"""How long a count without a new failure is kept at all."""

_TABLE: Final = tables.sign_in_failures
_BY_WHO: Final = select(_TABLE).where(_TABLE.c.who == bindparam("wanted"))
_MOST_DOUBLINGS: Final = 30


@dataclass(frozen=True, slots=True)
class Failures:
    """How often somebody failed, and when last (UTC text)."""

    count: int = 0
    last_at: str = ""

    def left(self, now: datetime, limits: Limits) -> int:
        """How many failures still count at ``now``."""
        return max(0, self.count - self._quiet(now) // limits.longest_delay)

    def wait(self, now: datetime, limits: Limits) -> int:
        """Whole seconds to wait at ``now`` before the next try; 0 for none."""
        beyond = self.left(now, limits) - limits.free_failures
        if beyond < 0:
            return 0
        doubled = limits.first_delay * (1 << min(beyond, _MOST_DOUBLINGS))
        delay = min(doubled, limits.longest_delay)
        return max(0, math.ceil((delay - self._quiet(now)).total_seconds()))

    def _quiet(self, now: datetime) -> timedelta:
        if not self.last_at:
            return timedelta(0)
        quiet = now - from_utc_text(self.last_at)
        # A failure in the future: the clock was set back, and waiting for it could take days.
        return timedelta.max if quiet < -CLOCK_TOLERANCE else max(quiet, timedelta(0))


@dataclass(frozen=True, slots=True)
class Charge:
    """A try that was counted as failed in advance, at ``at``; ``before`` is what stood there."""

    at: str
    account: bytes
    address: bytes | None
    before: dict[bytes, Failures]


def keys_of(store: Store, username: str, address: str | None) -> tuple[bytes, ...]:
    """Whom a try is counted for: the folded user name and, where it is known, the address."""
    account = _key(store, "account", username)
    return (account,) if address is None else (account, _key(store, "address", address))


def wait(connection: Connection, keys: Iterable[bytes], now: datetime, limits: Limits) -> int:
    """Whole seconds that all of ``keys`` must wait at ``now``."""
    return max(_read(connection, key).wait(now, limits) for key in keys)


def charge(
    connection: Connection, keys: tuple[bytes, ...], now: datetime, limits: Limits
) -> Charge:
    """Count a failure for each of ``keys`` before it is known whether it is one."""
    at = utc_text(now)
    before = {key: _read(connection, key) for key in keys}
    for key, failures in before.items():
        _write(connection, key, Failures(failures.left(now, limits) + 1, at))
    return Charge(at, keys[0], keys[1] if len(keys) > 1 else None, before)


def forgive(connection: Connection, charged: Charge) -> None:
    """The password was right: the account begins anew, the address gets this one try back.

    Not more, or somebody with an account could guess at others from the same place without a delay.
    """
    _write(connection, charged.account, Failures())
    if charged.address is None:
        return
    present = _read(connection, charged.address)
    untouched = present.last_at == charged.at
    last_at = charged.before[charged.address].last_at if untouched else present.last_at
    _write(connection, charged.address, Failures(max(0, present.count - 1), last_at))


def forget_old(connection: Connection, now: datetime) -> None:
    """Remove counts that matter no more."""
    connection.execute(delete(_TABLE).where(_TABLE.c.last_at < utc_text(now - KEPT)))


def _key(store: Store, kind: str, value: str) -> bytes:
    parts = (store.ring.clinic.bytes, kind.encode(), value.encode(errors="surrogatepass"))
    text = joined(label("index/sign-in-failures"), *parts)
    return hmac.digest(store.ring.index_key, text, "sha256")


def _read(connection: Connection, key: bytes) -> Failures:
    row = connection.execute(_BY_WHO, {"wanted": key}).first()
    return Failures() if row is None else Failures(row.failures, row.last_at)


def _write(connection: Connection, key: bytes, failures: Failures) -> None:
    if failures.count == 0:
        connection.execute(delete(_TABLE).where(_TABLE.c.who == key))
        return
    values = {"failures": failures.count, "last_at": failures.last_at}
    changed = connection.execute(update(_TABLE).where(_TABLE.c.who == key).values(values))
    if changed.rowcount == 0:
        connection.execute(insert(_TABLE), {"who": key, **values})
