"""Whether a session may be on record already: the same patient on the same day of the site."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest

from safety import service
from safety.access import Role
from safety.duplicates import Likely, likely_duplicates
from safety.errors import InvalidReport
from safety.store.handle import Store
from safety.store.verifying import verify
from tests.support.accounts import audit_of
from tests.support.builders import NURSE, OTHER_NURSE, PROTOCOL, STARTED, a_report

MRN = "MRN-0001"


@pytest.fixture
def filed(store: Store) -> UUID:
    """A session at 9:00 in New York on 2 March."""
    return service.file_report(store, NURSE, a_report(session_ref="V-1")).report_id


def found(store: Store, started_at: datetime, **more: UUID) -> tuple[Likely, ...]:
    return likely_duplicates(store, OTHER_NURSE, mrn=MRN, started_at=started_at, **more)


def test_an_empty_store_has_none_and_nothing_goes_on_record(store: Store) -> None:
    before = audit_of(store)
    assert found(store, STARTED) == ()
    assert audit_of(store) == before


def test_a_session_that_began_within_an_hour_is_certain(store: Store, filed: UUID) -> None:
    [likely] = found(store, STARTED + timedelta(minutes=60))
    assert likely == Likely(filed, 1, STARTED, 60, PROTOCOL, "V-1", certain=True)
    [likely] = found(store, STARTED - timedelta(minutes=61))
    assert (likely.minutes_apart, likely.certain) == (61, False)
    assert "V-1" not in repr(likely)


def test_the_mrn_may_be_spelt_otherwise_and_another_patient_is_none(
    store: Store, filed: UUID
) -> None:
    [likely] = likely_duplicates(store, NURSE, mrn="mrn 0001", started_at=STARTED)
    assert likely.report_id == filed
    for mrn in ("MRN-0002", "", " - "):
        assert likely_duplicates(store, NURSE, mrn=mrn, started_at=STARTED) == ()


def test_the_day_is_that_of_the_site_whatever_zone_the_time_is_written_in(
    store: Store, filed: UUID
) -> None:
    late = datetime(2026, 3, 3, 4, 59, tzinfo=UTC)  # 23:59 on 2 March in New York
    tokyo = timezone(timedelta(hours=9))
    for at in (late, late.astimezone(tokyo), datetime(2026, 3, 2, 5, 0, tzinfo=UTC)):
        assert [each.report_id for each in found(store, at)] == [filed]
    for at in (late + timedelta(minutes=1), datetime(2026, 3, 2, 4, 59, tzinfo=UTC)):
        assert found(store, at) == ()


def test_a_start_within_an_hour_counts_across_midnight(store: Store) -> None:
    at = datetime(2026, 3, 2, 4, 50, tzinfo=UTC)  # ten minutes before midnight in New York
    service.file_report(store, NURSE, a_report(started_at=at))
    [likely] = found(store, at + timedelta(minutes=20))
    assert (likely.minutes_apart, likely.certain) == (20, True)


def test_several_come_the_nearest_first_and_a_report_is_not_its_own(
    store: Store, filed: UUID
) -> None:
    later = STARTED + timedelta(hours=5)
    store.clock.advance(hours=5)  # type: ignore[attr-defined]
    second = service.file_report(store, NURSE, a_report(started_at=later)).report_id
    nearest = [each.report_id for each in found(store, later - timedelta(minutes=5))]
    assert nearest == [second, filed]
    assert [each.report_id for each in found(store, later, report_id=second)] == [filed]


def test_an_amended_report_is_found_once_as_it_is_now(store: Store, filed: UUID) -> None:
    moved = a_report(session_ref="V-1", started_at=STARTED + timedelta(minutes=30))
    service.amend_report(store, NURSE, filed, moved, base_version=1, reason="Time mistyped.")
    [likely] = found(store, STARTED)
    assert (likely.version, likely.minutes_apart) == (2, 30)


def test_what_was_found_is_on_record_as_a_view(store: Store, filed: UUID) -> None:
    found(store, STARTED)
    assert audit_of(store, "report.view") == [
        (OTHER_NURSE.id, Role.NURSE, "report.view", "report", filed.hex, "same day")
    ]
    found(store, STARTED + timedelta(days=9))
    found(store, STARTED, report_id=filed)
    assert len(audit_of(store, "report.view")) == 1
    assert verify(store).findings == []


def test_a_time_without_a_zone_is_refused(store: Store) -> None:
    with pytest.raises(InvalidReport, match="time zone"):
        found(store, datetime(2026, 3, 2, 9, 0))  # noqa: DTZ001 - that is the point
