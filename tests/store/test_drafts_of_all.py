"""The nurse in charge sees the drafts of all and can finish a colleague's."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from safety import accounts, drafts, service
from safety.access import CONSOLE, Actor, Role
from safety.errors import AccessDenied, Conflict, NotFound
from safety.store.handle import Store
from safety.store.verifying import verify
from tests.support.accounts import actor_of, an_account, audit_of
from tests.support.builders import DIRECTOR, NURSE, OTHER_NURSE, a_report
from tests.support.clock import FakeClock

CHARGE = Actor("charge-1", "Carla Hale", Role.CHARGE)
FIELDS = {"patient.mrn": "MRN-0001", "narrative": "Half a sentence"}


@pytest.fixture
def draft_id(store: Store) -> UUID:
    """A draft of NURSE, saved once."""
    made = uuid4()
    drafts.save_draft(store, NURSE, made, FIELDS)
    return made


def test_a_store_without_drafts_lists_none_on_record(store: Store) -> None:
    assert drafts.list_all_drafts(store, CHARGE) == ()
    assert audit_of(store, "draft.list-all") == [
        (CHARGE.id, "charge", "draft.list-all", "drafts", "", "drafts 0")
    ]


@pytest.mark.usefixtures("cheap_kdf")
def test_the_list_names_each_author_newest_first(store: Store, clock: FakeClock) -> None:
    account = an_account(store)
    for actor in (actor_of(account), CONSOLE, NURSE):
        drafts.save_draft(store, actor, uuid4(), FIELDS)
        clock.advance(minutes=1)
    accounts.close_account(store, CONSOLE, account.id)
    found = drafts.list_all_drafts(store, CHARGE)
    assert [(each.author, each.author_name) for each in found] == [
        (NURSE.id, ""),  # no account of this store
        (CONSOLE.id, "the console"),
        (account.id.hex, "Made-up nurse"),
    ]
    assert found[0].draft.fields == FIELDS
    assert "MRN" not in repr(found)


def test_a_draft_that_was_looked_at_stays_its_authors(store: Store, draft_id: UUID) -> None:
    found = drafts.read_draft_of_all(store, CHARGE, draft_id)
    assert (found.author, found.draft.fields) == (NURSE.id, FIELDS)
    assert drafts.read_draft(store, NURSE, draft_id).version == 1
    assert drafts.save_draft(store, NURSE, draft_id, FIELDS, base_version=1) == 2
    with pytest.raises(NotFound):
        drafts.read_draft(store, CHARGE, draft_id)
    assert audit_of(store, "draft.view") == [
        (CHARGE.id, "charge", "draft.view", "draft", draft_id.hex, None)
    ]


def test_one_who_takes_a_draft_over_goes_on_with_it(
    store: Store, draft_id: UUID, clock: FakeClock
) -> None:
    saved_at = clock.now
    clock.advance(hours=1)
    taken = drafts.take_over_draft(store, CHARGE, draft_id)
    assert (taken.fields, taken.version, taken.saved_at) == (FIELDS, 2, saved_at)
    assert drafts.read_draft(store, CHARGE, draft_id) == taken
    assert drafts.list_drafts(store, NURSE) == ()
    assert [each.author for each in drafts.list_all_drafts(store, CHARGE)] == [CHARGE.id]
    assert drafts.save_draft(store, CHARGE, draft_id, {"a": 1}, base_version=2) == 3
    assert audit_of(store, "draft.take-over") == [
        (CHARGE.id, "charge", "draft.take-over", "draft", draft_id.hex, f"from {NURSE.id}")
    ]
    assert verify(store).findings == []


@pytest.mark.parametrize("base_version", [1, 2])
def test_a_colleague_who_still_types_overwrites_nothing(
    store: Store, draft_id: UUID, base_version: int
) -> None:
    drafts.take_over_draft(store, CHARGE, draft_id)
    with pytest.raises(Conflict, match="taken over"):
        drafts.save_draft(store, NURSE, draft_id, {"a": 1}, base_version=base_version)
    drafts.discard_draft(store, NURSE, draft_id)
    assert drafts.read_draft(store, CHARGE, draft_id).fields == FIELDS


def test_ones_own_draft_is_not_taken_over_again(store: Store, draft_id: UUID) -> None:
    taken = drafts.take_over_draft(store, CHARGE, draft_id)
    assert drafts.take_over_draft(store, CHARGE, draft_id) == taken
    assert len(audit_of(store, "draft.take-over")) == 1


def test_filing_takes_a_taken_over_draft_away(store: Store, draft_id: UUID) -> None:
    drafts.take_over_draft(store, CHARGE, draft_id)
    service.file_report(store, CHARGE, a_report(), report_id=draft_id)
    assert drafts.list_all_drafts(store, CHARGE) == ()


def test_a_draft_that_is_not_there_is_not_found(store: Store) -> None:
    for ask in (drafts.read_draft_of_all, drafts.take_over_draft):
        with pytest.raises(NotFound, match="filed or discarded"):
            ask(store, CHARGE, uuid4())


@pytest.mark.parametrize("actor", [NURSE, OTHER_NURSE, DIRECTOR])
def test_nobody_else_sees_a_draft_of_another(store: Store, draft_id: UUID, actor: Actor) -> None:
    with pytest.raises(AccessDenied):
        drafts.list_all_drafts(store, actor)
    for ask in (drafts.read_draft_of_all, drafts.take_over_draft):
        with pytest.raises(AccessDenied):
            ask(store, actor, draft_id)
