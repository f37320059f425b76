"""Filing, amending and reading back, on both engines."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from safety import drafts, service
from safety.errors import Conflict, InvalidReport, NotFound, UnknownName
from safety.model import PatientIdentity, Route
from safety.store import tables
from safety.store.handle import Store
from safety.store.verifying import verify
from tests.support.builders import DIRECTOR, NURSE, OTHER_NURSE, a_full_report, a_report, an_event
from tests.support.clock import FakeClock


def count(store: Store, name: str) -> int:
    with store.read() as connection:
        query = select(func.count()).select_from(tables.metadata.tables[name])
        return int(connection.execute(query).scalar_one())


def actions(store: Store) -> list[str]:
    with store.read() as connection:
        return list(
            connection.execute(select(tables.audit.c.action).order_by(tables.audit.c.seq)).scalars()
        )


def test_a_filed_report_reads_back_with_what_the_store_fills_in(store: Store) -> None:
    report = a_full_report()
    filed = service.file_report(store, NURSE, report)
    stored = service.read_report(store, NURSE, filed.report_id)
    scales = {(event.scale, event.scale_version) for event in stored.report.events}
    assert None not in {part for scale in scales for part in scale}
    bare = tuple(replace(e, scale=None, scale_version=None) for e in stored.report.events)
    assert replace(stored.report, events=bare, protocol_version=None) == report
    assert (stored.version, stored.created_by, stored.report.protocol_version) == (1, NURSE.id, 1)
    assert verify(store).findings == []


def test_filing_returns_the_warnings_the_nurse_should_see(store: Store) -> None:
    filed = service.file_report(store, NURSE, a_report(weight_kg=20, dose_mg=10))
    assert [warning.field for warning in filed.warnings] == ["weight_kg"]


def test_who_reports_and_when_is_filled_in(store: Store, clock: FakeClock) -> None:
    filed = service.file_report(store, NURSE, a_report())
    report = service.read_report(store, NURSE, filed.report_id).report
    assert (report.reported_by, report.reported_at) == (NURSE.name, clock.now)


def test_a_session_without_a_reference_gets_one(store: Store) -> None:
    one = service.file_report(store, NURSE, a_report())
    other = service.file_report(store, NURSE, a_report())
    assert one.session_ref.startswith("S-")
    assert one.session_ref != other.session_ref


def test_a_protocol_may_be_named_by_its_name_or_synonym(store: Store) -> None:
    filed = service.file_report(store, NURSE, a_report(protocol="iv  INDUCTION"))
    report = service.read_report(store, NURSE, filed.report_id).report
    assert report.protocol == "iv_ketamine_depression_induction"


def test_filing_the_same_form_twice_files_once(store: Store, clock: FakeClock) -> None:
    """A double click, or a reload after the server answered too late."""
    report_id, report = uuid4(), a_report(events=(an_event(),))
    first = service.file_report(store, NURSE, report, report_id=report_id)
    clock.advance(seconds=3)
    second = service.file_report(store, NURSE, report, report_id=report_id)
    assert (first.report_id, first.session_ref, first.version) == (
        second.report_id,
        second.session_ref,
        second.version,
    )
    assert (count(store, "reports"), count(store, "sessions"), count(store, "events")) == (1, 1, 1)
    assert actions(store).count("report.file") == 1


def test_filing_the_same_form_with_other_content_is_a_conflict(store: Store) -> None:
    report_id = uuid4()
    service.file_report(store, NURSE, a_report(), report_id=report_id)
    with pytest.raises(Conflict, match="filed already"):
        service.file_report(store, NURSE, a_report(dose_mg=50), report_id=report_id)
    assert count(store, "reports") == 1


def test_a_reference_that_is_taken_is_a_conflict(store: Store) -> None:
    service.file_report(store, NURSE, a_report(session_ref="V-1"))
    with pytest.raises(Conflict, match="used by another report"):
        service.file_report(store, NURSE, a_report(mrn="MRN-2", session_ref="V-1"))
    assert count(store, "patients") == 1


def test_an_amendment_is_a_new_version_and_the_old_one_stays(store: Store) -> None:
    before = a_full_report()
    filed = service.file_report(store, NURSE, before)
    after = replace(before, dose_mg=42.0, events=(an_event("dizziness", 1),))
    amended = service.amend_report(
        store, DIRECTOR, filed.report_id, after, base_version=1, reason=" dose misread "
    )
    history = service.report_history(store, NURSE, filed.report_id)
    assert amended.version == 2
    assert [(s.version, s.report.dose_mg, s.created_by) for s in history] == [
        (1, 40.0, NURSE.id),
        (2, 42.0, DIRECTOR.id),
    ]
    assert [s.report.amendment_reason for s in history] == [None, "dose misread"]
    assert [event.term for event in history[1].report.events] == ["dizziness"]
    assert (count(store, "sessions"), count(store, "events"), count(store, "reports")) == (1, 1, 2)
    assert verify(store).findings == []


def test_a_stale_amendment_is_refused_and_nothing_is_lost(store: Store) -> None:
    """Promise 15: two tabs amend one report."""
    before = a_full_report()
    filed = service.file_report(store, NURSE, before)
    first, second = replace(before, dose_mg=41.0), replace(before, dose_mg=42.0)
    service.amend_report(store, NURSE, filed.report_id, first, base_version=1, reason="one")
    with pytest.raises(Conflict, match="version 2, you started from 1"):
        service.amend_report(
            store, OTHER_NURSE, filed.report_id, second, base_version=1, reason="two"
        )
    assert service.read_report(store, NURSE, filed.report_id).report.dose_mg == 41.0
    assert actions(store).count("report.amend") == 1
    assert verify(store).findings == []


@pytest.mark.parametrize("reason", ["", "  ", "x" * 501])
def test_an_amendment_needs_a_reason(store: Store, reason: str) -> None:
    filed = service.file_report(store, NURSE, a_full_report())
    with pytest.raises(InvalidReport) as caught:
        service.amend_report(
            store, NURSE, filed.report_id, a_full_report(), base_version=1, reason=reason
        )
    assert caught.value.problems[0].field == "amendment_reason"


def test_an_amendment_moves_no_report_to_another_patient(store: Store) -> None:
    filed = service.file_report(store, NURSE, a_full_report())
    moved = a_full_report(patient=PatientIdentity("MRN-OTHER"))
    with pytest.raises(Conflict, match="cannot move a report to another patient"):
        service.amend_report(store, NURSE, filed.report_id, moved, base_version=1, reason="moved")
    assert count(store, "patients") == 1


def test_an_amendment_needs_a_report(store: Store) -> None:
    with pytest.raises(NotFound):
        service.amend_report(store, NURSE, uuid4(), a_full_report(), base_version=1, reason="why")


def test_reading_what_is_not_there_says_so(store: Store) -> None:
    with pytest.raises(NotFound):
        service.read_report(store, NURSE, uuid4())


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"started_at": a_report().started_at + timedelta(hours=3)}, "started_at"),
        ({"events": (an_event("feeling_drunk", 5),)}, "events.feeling_drunk.grade"),
    ],
)
def test_what_only_the_clock_and_the_vocabulary_know_is_checked(
    store: Store, changes: dict[str, object], field: str
) -> None:
    with pytest.raises(InvalidReport) as caught:
        service.file_report(store, NURSE, a_report(**changes))
    assert [problem.field for problem in caught.value.problems] == [field]
    assert count(store, "reports") == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"protocol": "homoeopathy"},
        {"events": (an_event("hiccups_of_doom"),)},
        {"protocol_version": 7},
        {"protocol_version": -1},
    ],
)
def test_unknown_names_are_refused_and_nothing_is_written(
    store: Store, changes: dict[str, object]
) -> None:
    with pytest.raises(UnknownName):
        service.file_report(store, NURSE, a_report(**changes))
    assert (count(store, "reports"), count(store, "patients")) == (0, 0)


def test_filing_takes_the_draft_away(store: Store) -> None:
    draft_id = uuid4()
    drafts.save_draft(store, NURSE, draft_id, {"mrn": "MRN-0001", "dose_mg": 40})
    service.file_report(store, NURSE, a_report(), report_id=draft_id)
    assert drafts.list_drafts(store, NURSE) == ()


def test_a_draft_is_seen_by_its_author_alone(store: Store) -> None:
    draft_id = uuid4()
    drafts.save_draft(store, NURSE, draft_id, {"narrative": "half a sent"})
    assert drafts.read_draft(store, NURSE, draft_id).fields == {"narrative": "half a sent"}
    assert drafts.list_drafts(store, OTHER_NURSE) == ()
    with pytest.raises(NotFound):
        drafts.read_draft(store, OTHER_NURSE, draft_id)
    with pytest.raises(Conflict):
        drafts.save_draft(store, OTHER_NURSE, draft_id, {}, base_version=1)


def test_two_tabs_that_save_one_draft_do_not_overwrite_each_other(store: Store) -> None:
    draft_id = uuid4()
    assert drafts.save_draft(store, NURSE, draft_id, {"a": 1}) == 1
    assert drafts.save_draft(store, NURSE, draft_id, {"a": 2}, base_version=1) == 2
    with pytest.raises(Conflict, match="Nothing was overwritten"):
        drafts.save_draft(store, NURSE, draft_id, {"a": 3}, base_version=1)
    assert drafts.read_draft(store, NURSE, draft_id).fields == {"a": 2}
    drafts.discard_draft(store, NURSE, draft_id)
    assert drafts.list_drafts(store, NURSE) == ()


@pytest.mark.parametrize("dose", [0, 0.0, -0.0, 1e-12, 0.1 + 0.2, 19_999.999_999])
def test_numbers_come_back_as_they_were_and_verify(store: Store, dose: float) -> None:
    """SQLite keeps no negative zero, so a row digest over one would not hold."""
    filed = service.file_report(store, NURSE, a_report(dose_mg=dose))
    assert service.read_report(store, NURSE, filed.report_id).report.dose_mg == dose
    assert verify(store).findings == []


def test_text_of_every_script_comes_back(store: Store) -> None:
    text = "Zoë 七 Ω שלום 🙂\n\tdone; \"quoted\" 'x' \\ -- %s {}"
    report = a_full_report(narrative=text, site="Straße Ⅶ", events=(an_event(narrative=text),))
    filed = service.file_report(store, NURSE, report)
    back = service.read_report(store, NURSE, filed.report_id).report
    assert (back.narrative, back.site, back.events[0].narrative) == (text, "Straße Ⅶ", text)


def test_views_searches_and_lists_are_on_record_without_what_was_sought(store: Store) -> None:
    filed = service.file_report(store, NURSE, a_full_report())
    service.read_report(store, NURSE, filed.report_id)
    service.find_patient(store, NURSE, "wilma")
    service.recent_reports(store, DIRECTOR)
    assert actions(store)[-3:] == ["report.view", "patient.search", "report.list"]
    with store.read() as connection:
        rows = [tuple(row) for row in connection.execute(select(tables.audit))]
    assert "wilma" not in repr(rows).casefold()
    assert "MRN-0001" not in repr(rows)


def test_the_newest_sessions_come_first(store: Store) -> None:
    for days in (3, 1, 2):
        started = a_report().started_at - timedelta(days=days)
        service.file_report(store, NURSE, a_report(started_at=started, route=Route.ORAL))
    lines = service.recent_reports(store, NURSE, most=2)
    assert [(a_report().started_at - line.report.started_at).days for line in lines] == [1, 2]
