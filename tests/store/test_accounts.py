"""Accounts: adding, closing, roles and passwords, who may do which, and tampering seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from safety import accounts
from safety.access import CONSOLE, Actor, Role
from safety.accounts import Account
from safety.errors import (
    AccessDenied,
    Conflict,
    InvalidReport,
    NotFound,
    Tampered,
    WeakPassword,
)
from safety.keys.passwords import verify_password
from safety.store import opening, tables
from safety.store.handle import Store
from safety.store.verifying import verify
from tests.support.accounts import OTHER_PASSWORD, PASSWORD, actor_of, an_account, audit_of
from tests.support.builders import ADMINISTRATOR, COMPLIANCE, DIRECTOR, NURSE
from tests.support.clock import FakeClock
from tests.support.stores import tampering

pytestmark = pytest.mark.usefixtures("cheap_kdf")

Change = Callable[[Store, Actor, UUID], Account]


def close(store: Store, actor: Actor, account_id: UUID) -> Account:
    return accounts.close_account(store, actor, account_id)


def reopen(store: Store, actor: Actor, account_id: UUID) -> Account:
    return accounts.reopen_account(store, actor, account_id)


def make_nurse(store: Store, actor: Actor, account_id: UUID) -> Account:
    return accounts.set_role(store, actor, account_id, Role.NURSE)


def make_director(store: Store, actor: Actor, account_id: UUID) -> Account:
    return accounts.set_role(store, actor, account_id, Role.DIRECTOR)


def set_password(store: Store, actor: Actor, account_id: UUID) -> Account:
    return accounts.set_password(store, actor, account_id, OTHER_PASSWORD)


def row_of(store: Store, account: Account) -> Any:
    with store.read() as connection:
        query = select(tables.accounts).where(tables.accounts.c.id == account.id.bytes)
        return connection.execute(query).one()


def tamper(store: Store, sql: str) -> None:
    with tampering(store) as raw:
        raw.execute(sql)


def listed(store: Store) -> dict[str, Account]:
    return {account.username: account for account in accounts.list_accounts(store, CONSOLE)}


def test_an_account_is_added_with_a_folded_name_and_is_listed(
    store: Store, clock: FakeClock
) -> None:
    added = accounts.add_account(
        store,
        DIRECTOR,
        username=" N.Quill@Alder ",
        display_name="Nora  Quill",
        role=Role.NURSE,
        password=PASSWORD,
    )
    assert added == Account(added.id, "n.quill@alder", "Nora Quill", Role.NURSE, True, 1, clock.now)
    assert accounts.list_accounts(store, ADMINISTRATOR) == (added,)
    assert verify_password(row_of(store, added).password, PASSWORD)
    assert PASSWORD not in repr(row_of(store, added))


def test_every_change_is_a_version_on_record_that_the_long_check_accepts(store: Store) -> None:
    an_account(store, Role.DIRECTOR)
    nurse = an_account(store)
    accounts.set_role(store, DIRECTOR, nurse.id, Role.COMPLIANCE)
    accounts.set_password(store, ADMINISTRATOR, nurse.id, OTHER_PASSWORD)
    accounts.close_account(store, DIRECTOR, nurse.id)
    last = accounts.reopen_account(store, DIRECTOR, nurse.id)
    assert last.version == 5
    assert listed(store)["nurse"] == last
    about = [row[2] for row in audit_of(store) if row[3:5] == ("account", nurse.id.hex)]
    assert about == [
        "account.add",
        "account.role",
        "account.password",
        "account.close",
        "account.reopen",
    ]
    assert verify(store).findings == []


def test_no_name_and_no_password_is_in_the_audit(store: Store) -> None:
    nurse = an_account(store, username="marker.name")
    accounts.set_password(store, DIRECTOR, nurse.id, OTHER_PASSWORD)
    text = repr(audit_of(store))
    assert "marker" not in text
    assert "Made-up" not in text
    assert "argon2id" not in text


def test_the_account_made_with_the_store_acts_for_the_console(store: Store) -> None:
    with store.write() as writer:
        first = accounts.first_account(writer, "Ida", "Dr Ida Marsh", Role.DIRECTOR, PASSWORD)
        writer.commit()
    assert listed(store) == {"ida": first}
    assert audit_of(store, "account.add")[0][0] == "console"
    assert verify(store).findings == []


def test_the_account_made_with_the_store_needs_a_good_password_too(store: Store) -> None:
    with store.write() as writer, pytest.raises(WeakPassword):
        accounts.first_account(writer, "ida", "Dr Ida Marsh", Role.DIRECTOR, "Alder Clinic 2026!")
    assert listed(store) == {}


def test_a_change_that_says_nothing_new_writes_nothing(store: Store) -> None:
    nurse = an_account(store)
    entries = len(audit_of(store))
    assert accounts.set_role(store, DIRECTOR, nurse.id, Role.NURSE) == nurse
    assert accounts.reopen_account(store, DIRECTOR, nurse.id) == nurse
    assert len(audit_of(store)) == entries


@pytest.mark.parametrize(
    ("username", "display_name", "field"),
    [
        ("n", "Nora", "username"),
        ("n" * 65, "Nora", "username"),
        ("n" * 1000, "Nora", "username"),
        ("nora quill", "Nora", "username"),
        ("nóra", "Nora", "username"),
        ("no\0ra", "Nora", "username"),
        ("nora", "   ", "display_name"),
        ("nora", "N" * 201, "display_name"),
    ],
)
def test_a_name_that_cannot_be_is_refused_by_its_field(
    embedded_store: Store, username: str, display_name: str, field: str
) -> None:
    with pytest.raises(InvalidReport) as refused:
        accounts.add_account(
            embedded_store,
            DIRECTOR,
            username=username,
            display_name=display_name,
            role=Role.NURSE,
            password=PASSWORD,
        )
    assert [problem.field for problem in refused.value.problems] == [field]
    assert listed(embedded_store) == {}


@pytest.mark.parametrize("username", ["nurse", "NURSE", " nUrse "])
def test_a_user_name_belongs_to_one_account_however_it_is_typed(
    store: Store, username: str
) -> None:
    nurse = an_account(store)
    accounts.close_account(store, DIRECTOR, nurse.id)
    with pytest.raises(Conflict, match="taken"):
        an_account(store, username=username)


def test_a_weak_password_is_refused_when_added_and_when_set(embedded_store: Store) -> None:
    nurse = an_account(embedded_store)
    with pytest.raises(WeakPassword):
        an_account(embedded_store, Role.COMPLIANCE, password="short")
    with pytest.raises(WeakPassword):
        accounts.set_password(embedded_store, DIRECTOR, nurse.id, "nurse nurse nurse nurse")
    assert listed(embedded_store) == {"nurse": nurse}


@pytest.mark.parametrize("change", [close, reopen, make_nurse, make_director, set_password])
def test_an_unknown_account_is_not_found(embedded_store: Store, change: Change) -> None:
    with pytest.raises(NotFound):
        change(embedded_store, DIRECTOR, uuid4())


@pytest.mark.parametrize("actor", [NURSE, COMPLIANCE], ids=lambda actor: str(actor.role))
def test_who_does_not_manage_accounts_is_refused_on_record(store: Store, actor: Actor) -> None:
    nurse = an_account(store)
    with pytest.raises(AccessDenied):
        accounts.set_role(store, actor, nurse.id, Role.DIRECTOR)
    assert listed(store) == {"nurse": nurse}
    assert audit_of(store, "access.denied") == [
        (actor.id, str(actor.role), "access.denied", "action", "accounts.manage", None)
    ]


@pytest.mark.parametrize("change", [close, make_nurse])
def test_the_last_active_director_stays(store: Store, change: Change) -> None:
    first = an_account(store, Role.DIRECTOR, "first")
    second = an_account(store, Role.DIRECTOR, "second")
    accounts.close_account(store, CONSOLE, second.id)
    with pytest.raises(Conflict, match="only active medical director"):
        change(store, CONSOLE, first.id)
    assert listed(store)["first"] == first
    accounts.reopen_account(store, CONSOLE, second.id)
    assert change(store, CONSOLE, first.id).version == 2
    assert verify(store).findings == []


@pytest.mark.parametrize("change", [make_director, make_nurse, set_password, reopen])
def test_an_administrator_gets_no_directors_rights(store: Store, change: Change) -> None:
    """He neither makes nor unmakes a director, nor takes over a director's account."""
    an_account(store, Role.DIRECTOR, "other")
    director = an_account(store, Role.DIRECTOR)
    nurse = an_account(store)
    target = nurse if change is make_director else director
    if change is reopen:
        target = accounts.close_account(store, CONSOLE, director.id)
    before = listed(store)
    with pytest.raises(AccessDenied, match="Only a medical director"):
        change(store, ADMINISTRATOR, target.id)
    assert listed(store) == before
    assert audit_of(store, "access.denied")[0][5] == "directors only"
    assert change(store, DIRECTOR, target.id).version == target.version + 1


def test_an_administrator_adds_no_director(store: Store) -> None:
    with pytest.raises(AccessDenied):
        accounts.add_account(
            store,
            ADMINISTRATOR,
            username="mole",
            display_name="Mole",
            role=Role.DIRECTOR,
            password=PASSWORD,
        )
    assert listed(store) == {}


def test_an_administrator_leaves_his_own_role_as_it_is(store: Store) -> None:
    own = an_account(store, Role.ADMINISTRATOR)
    with pytest.raises(AccessDenied):
        accounts.set_role(store, actor_of(own), own.id, Role.NURSE)
    assert listed(store) == {"administrator": own}


def test_an_administrator_closes_a_stolen_directors_account(store: Store) -> None:
    an_account(store, Role.DIRECTOR, "other")
    director = an_account(store, Role.DIRECTOR)
    assert not accounts.close_account(store, ADMINISTRATOR, director.id).active


def test_the_own_password_is_not_set_without_the_old_one(embedded_store: Store) -> None:
    own = an_account(embedded_store, Role.DIRECTOR)
    with pytest.raises(Conflict, match="your own account"):
        accounts.set_password(embedded_store, actor_of(own), own.id, OTHER_PASSWORD)


def test_a_change_on_top_of_another_is_refused(
    embedded_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    nurse = an_account(embedded_store)

    def slow_hash(_text: str) -> str:
        close(embedded_store, DIRECTOR, nurse.id)  # somebody else, while the hash is computed
        return "$argon2id$"

    monkeypatch.setattr(accounts, "hash_password", slow_hash)
    with pytest.raises(Conflict, match="meanwhile"):
        set_password(embedded_store, DIRECTOR, nurse.id)
    assert listed(embedded_store)["nurse"].version == 2


@pytest.mark.parametrize(
    "assignment",
    ["role = 'director'", "active = 0", "password = 'x'", "username = 'x'", "version = 9"],
)
def test_a_value_changed_by_sql_is_seen(store: Store, assignment: str) -> None:
    nurse = an_account(store)
    tamper(store, f"UPDATE accounts SET {assignment}")
    with pytest.raises(Tampered, match=f"{nurse.id.hex} was changed outside Afterdose"):
        accounts.list_accounts(store, CONSOLE)
    with pytest.raises(Tampered):
        accounts.close_account(store, CONSOLE, nurse.id)
    assert any(nurse.id.hex in finding for finding in verify(store).findings)


def put_back(store: Store, old: Any) -> None:
    """Write an old row over the present one with its old, fitting mac."""
    sql = "UPDATE accounts SET role=?, active=?, version=?, mac=? WHERE id=?"
    with tampering(store) as raw:
        raw.execute(sql, old.role, old.active, old.version, old.mac, old.id)


def test_an_old_row_put_back_with_its_old_mac_is_seen(store: Store) -> None:
    nurse = an_account(store)
    old = row_of(store, nurse)
    accounts.close_account(store, DIRECTOR, nurse.id)
    put_back(store, old)
    with pytest.raises(Tampered, match="put back"):
        accounts.list_accounts(store, CONSOLE)


def test_hiding_the_newest_audit_entry_as_well_is_seen_by_the_chain_only(store: Store) -> None:
    """The older entry fits the older row; what does not fit is the chain, checked at each start."""
    nurse = an_account(store)
    old = row_of(store, nurse)
    accounts.close_account(store, DIRECTOR, nurse.id)
    put_back(store, old)
    tamper(store, "UPDATE audit SET kind = 'x' WHERE action = 'account.close'")
    assert listed(store)["nurse"].active
    assert isinstance(opening.trust_failure(store), Tampered)


def test_an_edited_audit_entry_about_an_account_is_seen(store: Store) -> None:
    nurse = an_account(store)
    tamper(store, f"UPDATE audit SET actor = 'x' WHERE object = '{nurse.id.hex}'")
    with pytest.raises(Tampered, match="Audit entry"):
        accounts.list_accounts(store, CONSOLE)


def test_a_row_that_no_audit_entry_knows_is_seen(store: Store) -> None:
    nurse = an_account(store)
    row = dict(row_of(store, nurse)._mapping) | {"id": bytes(16), "username": "slipped"}
    with store.write() as writer:
        writer.insert(tables.accounts, row)
        writer.commit()
    with pytest.raises(Tampered, match="slipped in"):
        accounts.list_accounts(store, CONSOLE)
