"""Notices: written with what they tell of, seen once, and on record."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from safety import notices, service
from safety.access import Role
from safety.errors import Conflict, NotFound, Tampered
from safety.model import AdverseEvent, Criterion, SessionReport
from safety.store import tables
from safety.store.handle import Store
from safety.store.verifying import verify
from tests.support.accounts import actor_of, an_account, audit_of
from tests.support.builders import ADMINISTRATOR, DIRECTOR, NURSE, a_report, an_event
from tests.support.clock import FakeClock
from tests.support.stores import tampering

HOSPITAL = frozenset({Criterion.HOSPITALISATION})


TOLD = "Vomited for two hours and was taken into hospital."


def an_admission(reasons: frozenset[Criterion] = HOSPITAL) -> AdverseEvent:
    return an_event("nausea", 3, serious=reasons, narrative=TOLD)


def serious(**changes: Any) -> SessionReport:
    return a_report(events=(an_admission(),), **changes)


def rows(store: Store) -> list[Any]:
    with store.read() as connection:
        return list(connection.execute(select(tables.notices)))


def test_a_serious_report_leaves_a_notice_of_it(store: Store) -> None:
    filed = service.file_report(store, NURSE, serious())
    (notice,) = notices.open_notices(store, DIRECTOR)
    assert (notice.kind, notice.object_id) == ("serious", filed.report_id.hex)
    assert (notice.created_at, notice.mailed_at) == (store.clock(), None)
    assert notices.count_open(store, DIRECTOR) == 1
    assert notices.open_by_kind(store, DIRECTOR) == {"serious": 1}
    assert verify(store).findings == []


def test_a_report_without_a_serious_event_leaves_none(store: Store) -> None:
    service.file_report(store, NURSE, a_report(events=(an_event("nausea", 3),)))
    assert notices.open_notices(store, DIRECTOR) == ()
    assert notices.count_open(store, DIRECTOR) == 0


def test_filing_twice_tells_once(store: Store) -> None:
    report_id = uuid4()
    for _ in range(2):
        service.file_report(store, NURSE, serious(), report_id=report_id)
    assert len(rows(store)) == 1


def test_what_is_not_filed_is_not_told(store: Store) -> None:
    service.file_report(store, NURSE, a_report(session_ref="V-1"))
    with pytest.raises(Conflict):
        service.file_report(store, NURSE, serious(mrn="MRN-2", session_ref="V-1"))
    assert rows(store) == []


def amended(store: Store, report_id: UUID, version: int, **changes: Any) -> None:
    before = service.read_report(store, NURSE, report_id).report
    service.amend_report(
        store,
        NURSE,
        report_id,
        replace(before, **changes),
        base_version=version,
        reason="More is known now.",
    )


def test_an_amendment_that_makes_a_report_serious_tells(store: Store) -> None:
    filed = service.file_report(store, NURSE, a_report(events=(an_event("nausea", 3),)))
    amended(store, filed.report_id, 1, weight_kg=81.0)
    assert rows(store) == []
    event = an_admission()
    amended(store, filed.report_id, 2, events=(event,))
    amended(store, filed.report_id, 3, weight_kg=82.0)
    (notice,) = notices.open_notices(store, DIRECTOR)
    assert notice.object_id == filed.report_id.hex
    assert verify(store).findings == []


def test_an_amendment_that_makes_a_serious_report_graver_tells_again(store: Store) -> None:
    filed = service.file_report(store, NURSE, serious())
    graver = frozenset({Criterion.LIFE_THREATENING, *HOSPITAL})
    amended(store, filed.report_id, 1, events=(an_admission(graver),))
    amended(store, filed.report_id, 2, events=(an_admission(),))
    assert len(rows(store)) == 2


def test_an_amendment_that_fails_tells_nothing(store: Store) -> None:
    filed = service.file_report(store, NURSE, a_report(events=(an_event("nausea", 3),)))
    with pytest.raises(Conflict):
        amended(store, filed.report_id, 7, events=(an_admission(),))
    assert rows(store) == []


def test_who_has_seen_a_notice_and_when_is_kept(store: Store, clock: FakeClock) -> None:
    service.file_report(store, NURSE, serious())
    (notice,) = notices.open_notices(store, DIRECTOR)
    clock.advance(minutes=5)
    notices.mark_seen(store, DIRECTOR, notice.id)
    (row,) = rows(store)
    assert (row.seen_by, row.seen_at) == (DIRECTOR.id, "2026-03-02T15:05:00.000000Z")
    assert notices.open_notices(store, DIRECTOR) == ()
    assert audit_of(store, "notice.seen")[0][3:5] == ("notice", notice.id.hex)
    assert verify(store).findings == []


def test_seeing_twice_keeps_the_first(store: Store, clock: FakeClock) -> None:
    service.file_report(store, NURSE, serious())
    (notice,) = notices.open_notices(store, DIRECTOR)
    notices.mark_seen(store, DIRECTOR, notice.id)
    clock.advance(hours=1)
    notices.mark_seen(store, replace(DIRECTOR, id="director-2"), notice.id)
    assert rows(store)[0].seen_by == DIRECTOR.id
    assert len(audit_of(store, "notice.seen")) == 1


def test_a_notice_that_is_not_there_cannot_be_seen(store: Store) -> None:
    with pytest.raises(NotFound):
        notices.mark_seen(store, DIRECTOR, uuid4())


def test_opening_a_report_sees_the_notices_of_that_report_alone(store: Store) -> None:
    one = service.file_report(store, NURSE, serious())
    other = service.file_report(store, NURSE, serious(mrn="MRN-2"))
    assert notices.mark_report_seen(store, DIRECTOR, one.report_id) == 1
    assert notices.mark_report_seen(store, DIRECTOR, one.report_id) == 0
    (left,) = notices.open_notices(store, DIRECTOR)
    assert left.object_id == other.report_id.hex
    assert verify(store).findings == []


def test_notices_name_who_caused_them_and_come_newest_first(store: Store, clock: FakeClock) -> None:
    nurse = actor_of(an_account(store))
    service.file_report(store, nurse, serious())
    clock.advance(minutes=1)
    with store.write() as writer:
        added = notices.add(writer, ADMINISTRATOR, notices.EMERGENCY_ACCESS, uuid4().hex)
        writer.commit()
    newest, oldest = notices.open_notices(store, DIRECTOR)
    assert (newest.id, newest.kind, newest.by) == (UUID(bytes=added), "emergency-access", None)
    assert (oldest.kind, oldest.by) == ("serious", "Made-up nurse")
    assert notices.open_by_kind(store, DIRECTOR) == {"serious": 1, "emergency-access": 1}
    assert verify(store).findings == []


def test_a_notice_changed_behind_our_back_is_not_made_good(store: Store) -> None:
    service.file_report(store, NURSE, serious())
    (notice,) = notices.open_notices(store, DIRECTOR)
    with tampering(store) as raw:
        raw.execute("UPDATE notices SET object = ?", uuid4().hex)
    with pytest.raises(Tampered, match="changed outside Afterdose"):
        notices.mark_seen(store, DIRECTOR, notice.id)
    assert any("notices" in finding for finding in verify(store).findings)


def test_an_account_that_is_gone_from_its_role_still_has_its_name(store: Store) -> None:
    nurse = actor_of(an_account(store, Role.CHARGE))
    service.file_report(store, nurse, serious())
    assert notices.open_notices(store, DIRECTOR)[0].by == "Made-up charge"
