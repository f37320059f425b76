"""What the clinic knows before the nurse types."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from safety import accounts, protocols, service
from safety.access import CONSOLE, Role
from safety.errors import UnknownName
from safety.foreknown import common_terms, last_session, staff_names
from safety.store.handle import Store
from safety.store.verifying import verify
from safety.vocabulary import seed_protocols
from tests.support.accounts import an_account, audit_of
from tests.support.builders import DIRECTOR, NURSE, PROTOCOL, STARTED, a_report, an_event

MAINTENANCE = "iv_ketamine_depression_maintenance"
COMMON = {protocol.id: protocol.common_terms for protocol in seed_protocols()}


def file(store: Store, days: int = 0, hours: int = 0, **changes: Any) -> UUID:
    at = STARTED - timedelta(days=days, hours=-hours)
    return service.file_report(store, NURSE, a_report(started_at=at, **changes)).report_id


def file_with(store: Store, *terms: str, times: int = 1, **changes: Any) -> None:
    for _ in range(times):
        events = tuple(an_event(term, grade=1) for term in terms)
        file(store, events=events, no_adverse_event=not terms, **changes)


def test_a_patient_without_a_session_has_no_last_one_and_leaves_no_trace(store: Store) -> None:
    before = audit_of(store)
    assert last_session(store, NURSE, 1) is None
    assert audit_of(store) == before


def test_the_last_session_is_the_newest_in_time_not_the_last_one_filed(store: Store) -> None:
    file(store, days=7)
    newest = file(store, events=(an_event("nausea", 2),))
    file(store, days=3)
    file(store, days=1, mrn="MRN-0002")
    last = last_session(store, NURSE, 1)
    assert last is not None
    assert (last.report_id, last.version) == (newest, 1)
    assert [(event.term, event.grade) for event in last.events] == [("nausea", 2)]
    assert last.report.started_at == STARTED
    assert "MRN" not in repr(last)


def test_of_two_sessions_on_one_day_the_later_one_is_the_last(store: Store) -> None:
    later = file(store, hours=1)
    file(store)
    last = last_session(store, NURSE, 1)
    assert last is not None
    assert last.report_id == later


def test_sessions_are_counted_by_protocol_whatever_its_version(store: Store) -> None:
    file(store, days=9)
    file(store, days=6, protocol=MAINTENANCE)
    slower = replace(seed_protocols()[0], infusion_minutes=60)
    protocols.add_protocols(store, DIRECTOR, [slower])
    file(store, days=3)
    last = last_session(store, NURSE, 1)
    assert last is not None
    assert (last.session_number, last.next_number(PROTOCOL)) == (2, 3)
    assert last.next_number(MAINTENANCE) == 2
    assert last.next_number("im_ketamine_depression") == 1


def test_the_view_of_the_last_session_is_on_record_once(store: Store) -> None:
    filed = file(store)
    file(store, days=2)
    last_session(store, NURSE, 1)
    assert audit_of(store, "report.view") == [
        (NURSE.id, "nurse", "report.view", "report", filed.hex, "last session")
    ]
    assert verify(store).findings == []


def test_without_reports_the_terms_are_the_protocols_own_in_its_order(store: Store) -> None:
    assert common_terms(store, NURSE, PROTOCOL) == COMMON[PROTOCOL]


def test_terms_come_by_how_often_they_were_reported_with_this_protocol(store: Store) -> None:
    file_with(store, "headache", "nausea")
    file_with(store, "headache")
    file_with(store, "vomiting", times=3, protocol=MAINTENANCE)
    found = common_terms(store, NURSE, PROTOCOL)
    assert found[:3] == ("headache", "nausea", COMMON[PROTOCOL][0])
    assert set(found) == set(COMMON[PROTOCOL])
    assert common_terms(store, NURSE, MAINTENANCE)[-1] == "vomiting"


def test_a_term_outside_the_list_is_added_from_3_in_100_sessions(store: Store) -> None:
    file_with(store, "dysgeusia")
    file_with(store, times=32)
    assert common_terms(store, NURSE, PROTOCOL)[-1] == "dysgeusia"  # 1 of 33 is 3.03 %
    file_with(store)
    assert "dysgeusia" not in common_terms(store, NURSE, PROTOCOL)  # 1 of 34 is 2.9 %


def test_there_are_12_terms_at_most_and_the_protocols_own_come_first(store: Store) -> None:
    file_with(store, "fatigue", "dysgeusia", "vertigo")
    file_with(store, "vertigo", "fatigue")
    found = common_terms(store, NURSE, PROTOCOL)
    assert len(found) == 12
    assert set(found[:10]) == set(COMMON[PROTOCOL])
    assert set(found[10:]) == {"fatigue", "vertigo"}


@pytest.mark.parametrize("protocol", ["", "IV induction", "no_such_protocol"])
def test_an_unknown_protocol_has_no_terms(store: Store, protocol: str) -> None:
    with pytest.raises(UnknownName, match="no such protocol"):
        common_terms(store, NURSE, protocol)


def test_the_terms_are_counted_from_the_index_alone(embedded_store: Store) -> None:
    sql = "SELECT term_no, count(*) FROM events WHERE protocol_no = 1 GROUP BY term_no"
    with embedded_store.read() as connection:
        plan = str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}").all())
    assert "COVERING INDEX ix_events_by_protocol" in plan


@pytest.mark.usefixtures("cheap_kdf")
def test_witnesses_are_the_active_nurses_and_directors(store: Store) -> None:
    assert staff_names(store, NURSE) == ()
    for role in Role:
        an_account(store, role)
    gone = an_account(store, Role.NURSE, "gone")
    another = accounts.add_account(
        store,
        CONSOLE,
        username="zoe",
        display_name="adele Reed",
        role=Role.NURSE,
        password="lantern gravel otter 58",
    )
    accounts.close_account(store, CONSOLE, gone.id)
    expected = ("adele Reed", "Made-up charge", "Made-up director", "Made-up nurse")
    assert staff_names(store, NURSE) == expected
    accounts.close_account(store, CONSOLE, another.id)
    assert staff_names(store, NURSE) == expected[1:]
