"""Signing in: the delay after failures, what ends a session, and tampering seen."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final
from uuid import uuid4

import pytest
from sqlalchemy import select

from safety import accounts, signing_in
from safety.access import CONSOLE, Role
from safety.accounts import Account
from safety.errors import (
    AccessDenied,
    AfterdoseError,
    NotFound,
    RolledBack,
    SignedOut,
    SignInDelayed,
    SignInFailed,
    StoreUnavailable,
    Tampered,
    WeakPassword,
)
from safety.keys import passwords
from safety.keys.kdf import KdfParameters
from safety.signing_in import LIMITS, Limits
from safety.store import tables
from safety.store.handle import Store
from safety.store.verifying import verify
from tests.support.accounts import OTHER_PASSWORD, PASSWORD, actor_of, an_account, audit_of
from tests.support.builders import ADMINISTRATOR, DIRECTOR, NURSE
from tests.support.clock import FakeClock
from tests.support.stores import raw_connection

pytestmark = pytest.mark.usefixtures("cheap_kdf")

WRONG: Final = "not the right words 7"
ADDRESS: Final = "192.0.2.17"


@pytest.fixture
def nurse(store: Store) -> Account:
    """An account that may sign in."""
    return an_account(store)


def fail(store: Store, times: int, username: str = "nurse", address: str | None = None) -> None:
    for _ in range(times):
        with pytest.raises(SignInFailed) as failed:
            signing_in.sign_in(store, username, WRONG, address=address)
        assert not isinstance(failed.value, SignInDelayed)


def fail_patiently(store: Store, clock: FakeClock, times: int) -> None:
    """Fail as often, waiting as long as one is told to."""
    for number in range(1, times + 1):
        fail(store, 1)
        if number >= LIMITS.free_failures and number < times:
            clock.advance(seconds=delay(store))


def delay(store: Store, username: str = "nurse", address: str | None = None) -> int:
    """The seconds that a try is told to wait."""
    with pytest.raises(SignInDelayed) as delayed:
        signing_in.sign_in(store, username, PASSWORD, address=address)
    return delayed.value.seconds


def rows(store: Store, name: str) -> list[Any]:
    with store.read() as connection:
        return list(connection.execute(select(tables.metadata.tables[name])))


def tamper(store: Store, sql: str) -> None:
    with raw_connection(store) as connection:
        connection.execute(sql)


def literal(store: Store, value: bytes) -> str:
    return f"x'{value.hex()}'" if store.embedded else f"'\\x{value.hex()}'"


# Signing in


def test_signing_in_gives_a_token_that_stands_for_the_account(store: Store, nurse: Account) -> None:
    signed = signing_in.sign_in(store, " NURSE ", PASSWORD, address=ADDRESS)
    assert signed.actor == actor_of(nurse)
    assert signing_in.session_actor(store, signed.token) == signed.actor
    assert verify(store).findings == []


def test_the_store_keeps_the_hash_of_the_token_and_the_page_shows_none(
    store: Store, nurse: Account
) -> None:
    signed = signing_in.sign_in(store, "nurse", PASSWORD)
    assert [bytes(row.token) for row in rows(store, "sign_ins")] == [
        hashlib.sha256(signed.token.encode()).digest()
    ]
    assert signed.token not in repr(signed)


def test_two_sessions_have_nothing_in_common(store: Store, nurse: Account) -> None:
    tokens = {signing_in.sign_in(store, "nurse", PASSWORD).token for _ in range(3)}
    assert len({token[:40] for token in tokens}) == 3


def test_wrong_password_unknown_name_and_closed_account_say_the_same(store: Store) -> None:
    an_account(store, Role.NURSE)
    closed = an_account(store, Role.COMPLIANCE)
    accounts.close_account(store, CONSOLE, closed.id)
    said = set()
    tries = [("nurse", WRONG), ("nobody", PASSWORD), ("compliance", PASSWORD), ("no\0\ud800", "x")]
    for username, password in tries:
        with pytest.raises(SignInFailed) as failed:
            signing_in.sign_in(store, username, password)
        said.add(str(failed.value))
    assert said == {"User name and password do not belong together. Check both and try again."}


def test_sign_ins_are_on_record_by_id_without_a_name_or_an_address(
    store: Store, nurse: Account
) -> None:
    fail(store, 1, address=ADDRESS)
    fail(store, 1, "marker.unknown", address=ADDRESS)
    signing_in.sign_in(store, "nurse", PASSWORD, address=ADDRESS)
    assert audit_of(store, "sign-in", "sign-in.failed") == [
        ("nobody", "none", "sign-in.failed", "sign-in", nurse.id.hex, None),
        ("nobody", "none", "sign-in.failed", "sign-in", "unknown", None),
        (nurse.id.hex, "nurse", "sign-in", "sign-in", nurse.id.hex, None),
    ]
    assert "marker" not in repr(audit_of(store))
    assert ADDRESS not in repr(audit_of(store))


def test_a_hash_of_another_cost_is_renewed_on_signing_in(store: Store) -> None:
    dearer = KdfParameters(memory_kib=16, iterations=1, lanes=1)
    nurse = an_account(store)
    with store.write() as writer:
        from safety.store import account_rows

        row = account_rows.by_id(store, writer.connection, nurse.id.bytes)
        assert row is not None
        old = {"password": passwords.hash_password(PASSWORD, dearer)}
        account_rows.change(writer, CONSOLE, row, "account.password", old)
        writer.commit()
    signed = signing_in.sign_in(store, "nurse", PASSWORD)
    assert not passwords.needs_rehash(rows(store, "accounts")[0].password)
    assert signing_in.session_actor(store, signed.token) == actor_of(nurse)
    assert len(audit_of(store, "account.rehash")) == 1
    assert verify(store).findings == []


def test_an_account_changed_while_its_password_was_checked_does_not_get_in(
    embedded_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    an_account(embedded_store, Role.DIRECTOR)
    nurse = an_account(embedded_store)

    def closed_meanwhile(_phc: str) -> bool:
        accounts.close_account(embedded_store, DIRECTOR, nurse.id)
        return False

    monkeypatch.setattr("safety.signing_in.sessions.needs_rehash", closed_meanwhile)
    with pytest.raises(SignInFailed, match="changed at this moment"):
        signing_in.sign_in(embedded_store, "nurse", PASSWORD)
    assert rows(embedded_store, "sign_ins") == []


def test_an_unknown_name_takes_the_time_of_a_wrong_password(
    embedded_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At a cost that outweighs the rest, both take about as long; three tries each."""
    slower = (KdfParameters(memory_kib=16 * 1024, iterations=4, lanes=1),)
    for function in (passwords.hash_password, passwords.verify_password, passwords.needs_rehash):
        monkeypatch.setattr(function, "__defaults__", slower)
    an_account(embedded_store)

    def seconds(username: str) -> float:
        began = time.perf_counter()
        fail(embedded_store, 1, username)
        return time.perf_counter() - began

    known = min(seconds("nurse") for _ in range(3))
    unknown = min(seconds("nobody") for _ in range(3))
    assert 0.6 < unknown / known < 1.7


# The delay


def test_five_failures_are_free_and_the_wait_doubles_up_to_a_quarter_of_an_hour(
    store: Store, clock: FakeClock, nurse: Account
) -> None:
    fail(store, 5)
    waits = []
    for _ in range(11):
        waits.append(delay(store))
        clock.advance(seconds=waits[-1])
        fail(store, 1)
    assert waits == [2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]


def test_a_try_during_the_delay_is_not_looked_at_and_does_not_lengthen_it(
    store: Store, clock: FakeClock, nurse: Account
) -> None:
    fail_patiently(store, clock, 8)
    assert delay(store) == 16
    clock.advance(seconds=15.5)
    assert delay(store) == 1
    clock.advance(seconds=0.5)
    assert signing_in.sign_in(store, "nurse", PASSWORD).actor == actor_of(nurse)


def test_the_right_password_makes_the_account_begin_anew(
    store: Store, clock: FakeClock, nurse: Account
) -> None:
    fail_patiently(store, clock, 6)
    clock.advance(seconds=4)
    signing_in.sign_in(store, "nurse", PASSWORD)
    fail(store, 5)
    assert delay(store) == 2


def test_a_failure_is_forgotten_for_each_quiet_quarter_of_an_hour(
    store: Store, clock: FakeClock, nurse: Account
) -> None:
    fail_patiently(store, clock, 7)
    clock.advance(minutes=45)
    fail(store, 1)
    assert delay(store) == 2


def test_an_unknown_name_is_delayed_like_a_known_one(store: Store, nurse: Account) -> None:
    fail(store, 5, "nobody")
    assert delay(store, "nobody") == 2


def test_one_account_does_not_delay_another(store: Store, nurse: Account) -> None:
    an_account(store, Role.DIRECTOR)
    fail(store, 5)
    assert signing_in.sign_in(store, "director", PASSWORD).actor.role is Role.DIRECTOR


def test_guesses_at_many_names_from_one_address_are_delayed(store: Store, nurse: Account) -> None:
    for number in range(5):
        fail(store, 1, f"guess{number}", ADDRESS)
    assert delay(store, "nurse", ADDRESS) == 2
    assert signing_in.sign_in(store, "nurse", PASSWORD, address="192.0.2.18").actor.name


def test_signing_in_oneself_does_not_clear_the_address(
    store: Store, clock: FakeClock, nurse: Account
) -> None:
    """Else somebody with an account could guess at others without a delay."""
    for number in range(6):
        fail(store, 1, f"guess{number}", ADDRESS)
        clock.advance(seconds=2)
    clock.advance(seconds=4)
    signing_in.sign_in(store, "nurse", PASSWORD, address=ADDRESS)
    fail(store, 1, "guess7", ADDRESS)
    assert delay(store, "nurse", ADDRESS) == 8


def test_signing_in_right_from_a_shared_address_starts_no_wait_for_the_others(
    store: Store, clock: FakeClock, nurse: Account
) -> None:
    an_account(store, Role.DIRECTOR)
    for number in range(5):
        fail(store, 1, f"guess{number}", ADDRESS)
    clock.advance(seconds=2)
    for username in ("nurse", "director", "nurse"):
        signing_in.sign_in(store, username, PASSWORD, address=ADDRESS)


def test_a_clock_set_back_locks_nobody_out(store: Store, clock: FakeClock, nurse: Account) -> None:
    fail(store, 5)
    clock.advance(days=-3)
    assert signing_in.sign_in(store, "nurse", PASSWORD).actor == actor_of(nurse)


def test_refused_tries_are_one_entry_until_something_else_happens(
    store: Store, clock: FakeClock, nurse: Account
) -> None:
    fail(store, 5)
    for _ in range(4):
        delay(store)
    clock.advance(seconds=2)
    fail(store, 1)
    delay(store)
    assert (
        audit_of(store, "sign-in.delayed")
        == [("nobody", "none", "sign-in.delayed", "sign-in", nurse.id.hex, None)] * 2
    )


def test_names_and_addresses_are_kept_as_keyed_hashes(store: Store) -> None:
    fail(store, 1, "marker.name", ADDRESS)
    kept = rows(store, "sign_in_failures")
    plain = {hashlib.sha256(text.encode()).digest() for text in ("marker.name", ADDRESS)}
    assert len(kept) == 2
    assert all(len(bytes(row.who)) == 32 and bytes(row.who) not in plain for row in kept)


def test_many_guesses_at_once_get_no_more_tries_than_one_after_the_other(
    store: Store, nurse: Account
) -> None:
    failed: list[type[Exception]] = []

    def guess() -> None:
        try:
            signing_in.sign_in(store, "nurse", WRONG)
        except SignInFailed as error:
            failed.append(type(error))

    threads = [threading.Thread(target=guess) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed.count(SignInFailed) == 5
    assert failed.count(SignInDelayed) == 7


def test_the_limits_can_be_chosen(store: Store, nurse: Account) -> None:
    strict = Limits(free_failures=1, first_delay=timedelta(seconds=60))
    fail(store, 1)
    with pytest.raises(SignInDelayed) as delayed:
        signing_in.sign_in(store, "nurse", PASSWORD, limits=strict)
    assert delayed.value.seconds == 60


# A session


def test_a_session_ends_after_ten_idle_minutes(
    store: Store, clock: FakeClock, nurse: Account
) -> None:
    token = signing_in.sign_in(store, "nurse", PASSWORD).token
    clock.advance(minutes=9, seconds=59)
    signing_in.session_actor(store, token)
    clock.advance(minutes=9, seconds=59)
    signing_in.session_actor(store, token)
    clock.advance(minutes=10)
    for _ in range(2):
        with pytest.raises(SignedOut, match="nothing was done for a while"):
            signing_in.session_actor(store, token)
    assert audit_of(store, "sign-out") == [
        (nurse.id.hex, "nurse", "sign-out", "sign-in", nurse.id.hex, "idle")
    ]


def test_a_session_ends_ten_hours_after_signing_in_however_busy(
    store: Store, clock: FakeClock, nurse: Account
) -> None:
    token = signing_in.sign_in(store, "nurse", PASSWORD).token
    for _ in range(66):
        clock.advance(minutes=9)
        signing_in.session_actor(store, token)
    clock.advance(minutes=6)
    with pytest.raises(SignedOut, match="many hours ago"):
        signing_in.session_actor(store, token)


def test_a_page_that_refreshes_itself_does_not_keep_a_session_alive(
    store: Store, clock: FakeClock, nurse: Account
) -> None:
    token = signing_in.sign_in(store, "nurse", PASSWORD).token
    for _ in range(19):
        clock.advance(seconds=30.5)
        signing_in.session_actor(store, token, activity=False)
    clock.advance(seconds=30.5)
    with pytest.raises(SignedOut):
        signing_in.session_actor(store, token, activity=False)


def test_a_use_is_noted_only_when_the_last_note_is_older_than_half_a_minute(
    store: Store, clock: FakeClock, nurse: Account
) -> None:
    token = signing_in.sign_in(store, "nurse", PASSWORD).token
    seen = []
    for seconds in (30, 1, 20):
        clock.advance(seconds=seconds)
        signing_in.session_actor(store, token)
        seen.append(rows(store, "sign_ins")[0].seen_at[14:19])
    assert seen == ["00:00", "00:31", "00:31"]


def test_a_clock_set_back_before_the_signing_in_ends_the_session(
    store: Store, clock: FakeClock, nurse: Account
) -> None:
    token = signing_in.sign_in(store, "nurse", PASSWORD).token
    clock.advance(minutes=-1)
    signing_in.session_actor(store, token)
    clock.advance(hours=-1)
    with pytest.raises(SignedOut, match="clock"):
        signing_in.session_actor(store, token)


def role_set(store: Store, account: Account) -> None:
    accounts.set_role(store, DIRECTOR, account.id, Role.COMPLIANCE)


def password_set(store: Store, account: Account) -> None:
    accounts.set_password(store, DIRECTOR, account.id, OTHER_PASSWORD)


def closed(store: Store, account: Account) -> None:
    accounts.close_account(store, DIRECTOR, account.id)


def closed_and_reopened(store: Store, account: Account) -> None:
    accounts.close_account(store, DIRECTOR, account.id)
    accounts.reopen_account(store, DIRECTOR, account.id)


def ended_by_others(store: Store, account: Account) -> None:
    assert signing_in.end_all(store, ADMINISTRATOR, account.id) == 1


def ended_by_oneself(store: Store, account: Account) -> None:
    assert signing_in.end_all(store, actor_of(account), account.id) == 1


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (role_set, "account was changed"),
        (password_set, "account was changed"),
        (closed, "account was closed"),
        (closed_and_reopened, "account was changed"),
        (ended_by_others, "sessions were ended"),
        (ended_by_oneself, "You signed out"),
    ],
)
def test_what_ends_a_session_at_once(
    store: Store, nurse: Account, event: Callable[[Store, Account], None], reason: str
) -> None:
    token = signing_in.sign_in(store, "nurse", PASSWORD).token
    event(store, nurse)
    for _ in range(2):
        with pytest.raises(SignedOut, match=reason):
            signing_in.session_actor(store, token)
    assert all(row.ended_at for row in rows(store, "sign_ins"))
    assert verify(store).findings == []


def test_signing_out_ends_this_session_and_no_other(store: Store, nurse: Account) -> None:
    first, second = (signing_in.sign_in(store, "nurse", PASSWORD).token for _ in range(2))
    for _ in range(2):
        signing_in.sign_out(store, first)
    with pytest.raises(SignedOut, match="You signed out"):
        signing_in.session_actor(store, first)
    assert signing_in.session_actor(store, second) == actor_of(nurse)
    assert len(audit_of(store, "sign-out")) == 1


@pytest.mark.parametrize("token", ["", "x", "é\ud800", "A" * 64])
def test_a_token_that_means_nothing_is_nobody(store: Store, nurse: Account, token: str) -> None:
    with pytest.raises(SignedOut, match="not signed in"):
        signing_in.session_actor(store, token)
    signing_in.sign_out(store, token)


def test_the_sessions_of_others_end_only_by_who_manages_accounts(
    store: Store, nurse: Account
) -> None:
    token = signing_in.sign_in(store, "nurse", PASSWORD).token
    with pytest.raises(AccessDenied):
        signing_in.end_all(store, NURSE, nurse.id)
    signing_in.session_actor(store, token)
    assert len(audit_of(store, "access.denied")) == 1
    with pytest.raises(NotFound):
        signing_in.end_all(store, DIRECTOR, uuid4())


def test_sessions_that_are_long_over_are_forgotten(
    store: Store, clock: FakeClock, nurse: Account
) -> None:
    for _ in range(3):
        fail(store, 1, "somebody")
        signing_in.sign_in(store, "nurse", PASSWORD)
        clock.advance(days=8)
    assert len(rows(store, "sign_ins")) == 1
    assert len(rows(store, "sign_in_failures")) == 1


def test_asking_who_is_signed_in_is_cheap(embedded_store: Store) -> None:
    """Under a millisecond on an idle machine; the bound is wide for a busy one."""
    an_account(embedded_store)
    token = signing_in.sign_in(embedded_store, "nurse", PASSWORD).token
    taken = []
    for _ in range(50):
        began = time.perf_counter()
        signing_in.session_actor(embedded_store, token)
        taken.append(time.perf_counter() - began)
    assert sorted(taken)[10] < 0.003


# Tampering


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE accounts SET role = 'director'",
        "UPDATE accounts SET password = '$argon2id$v=19$m=8,t=1,p=1$YWJjZGVmZ2g$YWJjZGVmZ2g'",
        "UPDATE accounts SET display_name = 'x'",
    ],
)
def test_an_account_changed_by_sql_opens_nothing(store: Store, nurse: Account, sql: str) -> None:
    token = signing_in.sign_in(store, "nurse", PASSWORD).token
    tamper(store, sql)
    with pytest.raises(Tampered):
        signing_in.sign_in(store, "nurse", PASSWORD)
    with pytest.raises(Tampered):
        signing_in.session_actor(store, token)
    with pytest.raises(Tampered):
        signing_in.confirm_password(store, actor_of(nurse), PASSWORD)


def test_a_session_pointed_at_another_account_by_sql_opens_nothing(
    store: Store, nurse: Account
) -> None:
    director = an_account(store, Role.DIRECTOR)
    token = signing_in.sign_in(store, "nurse", PASSWORD).token
    tamper(store, f"UPDATE sign_ins SET account = {literal(store, director.id.bytes)}")
    with pytest.raises(Tampered, match="sign-in was changed"):
        signing_in.session_actor(store, token)


@pytest.mark.parametrize("token", ["made up by an attacker", "A" * 64])
def test_a_session_written_by_sql_opens_nothing(store: Store, nurse: Account, token: str) -> None:
    signing_in.sign_in(store, "nurse", PASSWORD)
    key = literal(store, hashlib.sha256(token.encode()).digest())
    tamper(store, f"UPDATE sign_ins SET token = {key}")
    with pytest.raises(Tampered):
        signing_in.session_actor(store, token)


@pytest.mark.parametrize("column", ["created_at", "account_version"])
def test_a_session_made_younger_by_sql_opens_nothing(
    store: Store, clock: FakeClock, nurse: Account, column: str
) -> None:
    token = signing_in.sign_in(store, "nurse", PASSWORD).token
    later = "'2026-03-02T23:00:00.000000Z'" if column == "created_at" else "2"
    tamper(store, f"UPDATE sign_ins SET {column} = {later}")
    with pytest.raises(Tampered):
        signing_in.session_actor(store, token)


def test_a_session_whose_account_is_gone_opens_nothing(embedded_store: Store) -> None:
    an_account(embedded_store)
    token = signing_in.sign_in(embedded_store, "nurse", PASSWORD).token
    tamper(embedded_store, "DELETE FROM accounts")
    with pytest.raises(Tampered, match="account of this sign-in is gone"):
        signing_in.session_actor(embedded_store, token)


# A store that cannot be written


def test_a_distrusted_store_keeps_sessions_readable_until_they_are_idle(
    store: Store, clock: FakeClock, nurse: Account
) -> None:
    token = signing_in.sign_in(store, "nurse", PASSWORD).token
    entries = len(audit_of(store))
    store.distrust = RolledBack("The store is older than its receipts.")
    clock.advance(minutes=9)
    assert signing_in.session_actor(store, token) == actor_of(nurse)
    clock.advance(minutes=1)
    with pytest.raises(SignedOut):
        signing_in.session_actor(store, token)
    signing_in.sign_out(store, token)
    assert len(audit_of(store)) == entries
    with pytest.raises(RolledBack, match="older than its receipts"):
        signing_in.sign_in(store, "nurse", PASSWORD)


def test_a_store_that_is_busy_keeps_sessions_readable(
    embedded_store: Store, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    an_account(embedded_store)
    token = signing_in.sign_in(embedded_store, "nurse", PASSWORD).token

    def full() -> Any:
        raise StoreUnavailable("The disk is full.")

    monkeypatch.setattr(embedded_store, "write", full)
    clock.advance(minutes=1)
    signing_in.session_actor(embedded_store, token)
    clock.advance(minutes=10)
    with pytest.raises(SignedOut):
        signing_in.session_actor(embedded_store, token)


# The password once more


def test_confirming_asks_for_the_own_password(store: Store, nurse: Account) -> None:
    signing_in.confirm_password(store, actor_of(nurse), PASSWORD)
    with pytest.raises(SignInFailed, match="not your password"):
        signing_in.confirm_password(store, actor_of(nurse), WRONG)
    assert audit_of(store, "sign-in.confirmed", "sign-in.failed") == [
        (nurse.id.hex, "nurse", "sign-in.confirmed", "sign-in", nurse.id.hex, None),
        ("nobody", "none", "sign-in.failed", "sign-in", nurse.id.hex, "confirmation"),
    ]


def test_failed_confirmations_count_as_failures_to_sign_in(store: Store, nurse: Account) -> None:
    for _ in range(5):
        with pytest.raises(SignInFailed):
            signing_in.confirm_password(store, actor_of(nurse), WRONG)
    with pytest.raises(SignInDelayed):
        signing_in.confirm_password(store, actor_of(nurse), PASSWORD)
    assert delay(store) == 2


def test_the_console_confirms_by_its_key_and_others_need_an_account(store: Store) -> None:
    signing_in.confirm_password(store, CONSOLE, "anything")
    for actor in (NURSE, replace(NURSE, id=uuid4().hex)):
        with pytest.raises(NotFound):
            signing_in.confirm_password(store, actor, PASSWORD)
    with pytest.raises(NotFound):
        signing_in.change_own_password(store, CONSOLE, PASSWORD, OTHER_PASSWORD)


def test_changing_the_own_password_ends_every_session_and_the_new_one_opens(
    store: Store, nurse: Account
) -> None:
    signed = signing_in.sign_in(store, "nurse", PASSWORD)
    signing_in.change_own_password(store, signed.actor, PASSWORD, OTHER_PASSWORD)
    with pytest.raises(SignedOut, match="account was changed"):
        signing_in.session_actor(store, signed.token)
    with pytest.raises(SignInFailed):
        signing_in.sign_in(store, "nurse", PASSWORD)
    assert signing_in.sign_in(store, "nurse", OTHER_PASSWORD).actor == actor_of(nurse)
    assert verify(store).findings == []


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        (WRONG, OTHER_PASSWORD, SignInFailed),
        (PASSWORD, PASSWORD, WeakPassword),
        (PASSWORD, "short", WeakPassword),
        (PASSWORD, "nurse nurse nurse nurse", WeakPassword),
    ],
)
def test_a_change_of_password_that_is_refused_changes_nothing(
    embedded_store: Store, old: str, new: str, error: type[AfterdoseError]
) -> None:
    nurse = an_account(embedded_store)
    with pytest.raises(error):
        signing_in.change_own_password(embedded_store, actor_of(nurse), old, new)
    assert signing_in.sign_in(embedded_store, "nurse", PASSWORD).actor == actor_of(nurse)


def test_the_limits_are_those_that_were_promised() -> None:
    assert Limits() == LIMITS
    assert (LIMITS.idle, LIMITS.absolute) == (timedelta(minutes=10), timedelta(hours=10))
    assert (LIMITS.free_failures, LIMITS.longest_delay) == (5, timedelta(minutes=15))
