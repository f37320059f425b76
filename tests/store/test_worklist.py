"""The day's list: expected, waiting, due by the protocol, filed, and the forms to send."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from safety import drafts, planning, protocols, rems, service
from safety.access import CONSOLE
from safety.store.handle import Store
from safety.store.verifying import verify
from safety.worklist import Worklist, worklist
from tests.support.accounts import audit_of
from tests.support.builders import NURSE, OTHER_NURSE, PROTOCOL, SITE, STARTED, a_report
from tests.support.clock import START, FakeClock

TODAY = date(2026, 3, 2)
MAINTENANCE = "iv_ketamine_depression_maintenance"  # planned every 21 days


def file(store: Store, mrn: str = "M-1", *, days_ago: int = 0, **changes: Any) -> UUID:
    given = {"mrn": mrn, "started_at": STARTED - timedelta(days=days_ago)}
    return service.file_report(store, NURSE, a_report(**(given | changes))).report_id


def plan(store: Store, mrn: str = "M-1", *, hours: float = 1, **changes: Any) -> UUID:
    given: dict[str, Any] = {
        "protocol": PROTOCOL,
        "site": SITE,
        "planned_at": START + timedelta(hours=hours),
    }
    return planning.plan_session(store, NURSE, mrn=mrn, **(given | changes)).id


def planned(found: Worklist) -> tuple[list[UUID], list[UUID]]:
    """The appointments that wait and those that are expected."""
    return (
        [each.appointment.id for each in found.waiting],
        [each.appointment.id for each in found.expected],
    )


def due(found: Worklist) -> list[tuple[str, date]]:
    return [(each.patient.mrn, each.day) for each in found.due]


def test_an_empty_store_has_an_empty_list(store: Store) -> None:
    found = worklist(store, NURSE)
    assert (found.day, found.any_reports) == (TODAY, False)
    assert set(found.counts) == {0}


def test_a_planned_session_is_expected_then_waits_until_its_report_is_filed(
    store: Store, clock: FakeClock
) -> None:
    file(store, days_ago=1)
    appointment = plan(store, hours=0.5)
    assert planned(worklist(store, NURSE)) == ([], [appointment])
    clock.advance(minutes=30)
    assert planned(worklist(store, NURSE)) == ([appointment], [])
    report_id = file(store)
    found = worklist(store, NURSE)
    assert planned(found) == ([], [])
    assert [line.report_id for line in found.filed] == [report_id]
    assert found.counts[:4] == (1, 1, 0, 0)


def test_one_report_answers_the_earlier_of_two_sessions_of_a_day(store: Store) -> None:
    file(store)
    plan(store, hours=-1)
    later = plan(store, hours=3)
    assert planned(worklist(store, NURSE)) == ([], [later])


def test_a_cancelled_session_and_another_days_are_not_on_the_list(store: Store) -> None:
    file(store, days_ago=1)
    planning.cancel_appointment(store, NURSE, plan(store))
    tomorrow = plan(store, hours=24)
    assert planned(worklist(store, NURSE)) == ([], [])
    assert planned(worklist(store, NURSE, day=TODAY + timedelta(days=1))) == ([], [tomorrow])


def test_the_rows_say_whom_they_are_about(store: Store) -> None:
    file(store, days_ago=1, patient=a_report().patient)
    plan(store, "MRN-0001")
    (row,) = worklist(store, NURSE).expected
    assert (row.patient.name, row.appointment.protocol) == ("Wilma Testcase", PROTOCOL)
    assert "Wilma" not in repr(row)


def test_a_next_session_is_due_from_its_day_for_three_days(store: Store) -> None:
    for days in (2, 3, 6, 7):  # planned every 3 days
        file(store, f"M-{days}", days_ago=days)
    found = worklist(store, NURSE)
    assert due(found) == [("M-6", TODAY - timedelta(days=3)), ("M-3", TODAY)]
    assert (found.due[1].protocol, found.due[1].site) == (PROTOCOL, SITE)
    assert found.due[1].last_day == TODAY - timedelta(days=3)


def test_the_last_session_decides_and_a_later_one_clears_the_list(store: Store) -> None:
    file(store, "M-1", days_ago=3)
    file(store, "M-1", days_ago=1)
    file(store, "M-2", days_ago=21, protocol=MAINTENANCE)
    file(store, "M-3", days_ago=21, protocol=MAINTENANCE)
    file(store, "M-3", days_ago=0, protocol=MAINTENANCE)
    assert due(worklist(store, NURSE)) == [("M-2", TODAY)]


def test_whoever_has_an_appointment_is_not_due(store: Store) -> None:
    for mrn, hours in (("M-1", 2.0), ("M-2", 72.0)):
        file(store, mrn, days_ago=3)
        plan(store, mrn, hours=hours)
    file(store, "M-3", days_ago=3)
    planning.cancel_appointment(store, NURSE, plan(store, "M-3"))
    assert due(worklist(store, NURSE)) == [("M-3", TODAY)]


def test_whoever_missed_an_appointment_stays_due(store: Store, clock: FakeClock) -> None:
    file(store, days_ago=3)
    plan(store)
    clock.advance(days=1)
    assert due(worklist(store, NURSE)) == [("M-1", TODAY)]


def test_a_patient_unseen_for_long_is_not_due(store: Store) -> None:
    """A planned interval of 61 days puts the next session on today, and 60 days are the limit."""
    known = {p.id: p for p in protocols.list_protocols(store, CONSOLE)}
    for days in (60, 61):
        rare = replace(known[MAINTENANCE], planned_interval_days=days)
        protocols.add_protocols(store, CONSOLE, [rare])
        file(store, f"M-{days}", days_ago=days, protocol=MAINTENANCE)
        expected = [(f"M-{days}", TODAY)] if days == 60 else []
        assert due(worklist(store, NURSE)) == expected


def test_a_site_sees_its_own_list(store: Store) -> None:
    here, there = file(store, "M-1"), file(store, "M-2", site="Harbour")
    file(store, "M-3", days_ago=3)
    file(store, "M-4", days_ago=3, site="Harbour")
    appointment = plan(store, "M-1", hours=4, site="Harbour")
    found = worklist(store, NURSE, site="harbour")
    assert found.site == "Harbour"
    assert [line.report_id for line in found.filed] == [there]
    assert due(found) == [("M-4", TODAY)]
    assert planned(found) == ([], [])  # M-1 has a report of the day, at the other site
    both = worklist(store, NURSE)
    assert {line.report_id for line in both.filed} == {here, there}
    assert len(both.due) == 2
    assert appointment not in planned(both)[1]


def test_a_day_is_that_of_the_clinic_and_not_of_utc(store: Store, clock: FakeClock) -> None:
    file(store, days_ago=1)
    clock.now = datetime(2026, 3, 3, 3, 0, tzinfo=UTC)  # ten in the evening of the 2nd
    assert worklist(store, NURSE).day == TODAY


def test_the_own_drafts_stand_on_the_list_beside_what_they_are_for(store: Store) -> None:
    file(store, days_ago=1)
    plan(store)
    mine, other = uuid4(), uuid4()
    fields = {"patient.mrn": "M-1", "start_date": "2026-03-02"}
    drafts.save_draft(store, NURSE, mine, fields)
    drafts.save_draft(store, OTHER_NURSE, other, fields)
    found = worklist(store, NURSE)
    assert [draft.id for draft in found.drafts] == [mine]
    assert found.expected[0].draft == mine


def test_the_forms_to_send_stand_on_the_list(store: Store) -> None:
    report_id = file(store, protocol="esketamine_nasal_induction")
    assert [form.report_id for form in worklist(store, NURSE).rems] == [report_id]
    rems.mark_sent(store, NURSE, report_id)
    assert worklist(store, NURSE).rems == ()


def test_seeing_the_list_is_on_record_with_numbers_alone(store: Store) -> None:
    file(store)
    worklist(store, NURSE)
    (entry,) = audit_of(store, "report.list")
    assert entry[3:] == ("reports", "", "reports 1, others 0, forms 0")
    assert verify(store).findings == []
