"""The REMS monitoring form: which sessions owe one, until when, and what was sent."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from safety import rems, service
from safety.errors import NotFound
from safety.model import Setting
from safety.store.handle import Store
from safety.store.verifying import verify
from tests.support.accounts import audit_of
from tests.support.builders import NURSE, PROTOCOL, STARTED, a_report

SPRAVATO = "esketamine_nasal_induction"


def file(store: Store, *, days_ago: int = 0, **changes: Any) -> UUID:
    given = {"protocol": SPRAVATO, "started_at": STARTED - timedelta(days=days_ago)}
    return service.file_report(store, NURSE, a_report(**(given | changes))).report_id


def due(store: Store, **given: Any) -> list[tuple[UUID, int]]:
    return [(form.report_id, form.days_left) for form in rems.rems_due(store, NURSE, **given)]


def test_a_form_is_due_seven_days_after_the_session(store: Store) -> None:
    late, today, fresh = (file(store, days_ago=days) for days in (9, 7, 0))
    assert due(store) == [(late, -2), (today, 0), (fresh, 7)]
    form = rems.rems_due(store, NURSE)[-1]
    assert (form.session_day, form.due) == (date(2026, 3, 2), date(2026, 3, 9))
    assert form.patient.mrn == "MRN-0001"
    assert repr(form) == f"RemsForm({fresh})"


@pytest.mark.parametrize("setting", [None, *Setting])
def test_every_outpatient_session_owes_a_form_and_a_hospital_none(
    store: Store, setting: Setting | None
) -> None:
    file(store, setting=setting)
    assert len(due(store)) == (setting is not Setting.HOSPITAL)


def test_ketamine_owes_no_form(store: Store) -> None:
    report_id = file(store, protocol=PROTOCOL)
    assert due(store) == []
    with pytest.raises(NotFound, match="was not with esketamine"):
        rems.mark_sent(store, NURSE, report_id)
    with pytest.raises(NotFound):
        rems.mark_sent(store, NURSE, uuid4())


def test_an_imported_history_does_not_flood_the_list(store: Store) -> None:
    file(store, days_ago=61)
    kept = file(store, days_ago=60)
    assert due(store) == [(kept, -53)]


def test_a_sent_form_is_off_the_list_until_it_is_taken_back(store: Store) -> None:
    report_id = file(store)
    rems.unmark(store, NURSE, report_id)
    rems.mark_sent(store, NURSE, report_id)
    rems.mark_sent(store, NURSE, report_id)
    assert due(store) == []
    assert verify(store).findings == []
    rems.unmark(store, NURSE, report_id)
    rems.unmark(store, NURSE, report_id)
    assert due(store) == [(report_id, 7)]
    assert verify(store).findings == []
    rems.mark_sent(store, NURSE, report_id)
    assert due(store) == []
    assert verify(store).findings == []
    noted = [entry[2] for entry in audit_of(store, "rems.sent", "rems.unsent")]
    assert noted == ["rems.sent", "rems.unsent", "rems.sent"]


def test_an_amended_report_keeps_its_mark(store: Store) -> None:
    report_id = file(store)
    rems.mark_sent(store, NURSE, report_id)
    stored = service.read_report(store, NURSE, report_id)
    service.amend_report(store, NURSE, report_id, stored.report, base_version=1, reason="dose")
    assert due(store) == []


def test_a_site_sees_its_own_forms_and_seeing_them_is_on_record(store: Store) -> None:
    here, there = file(store), file(store, site="Harbour", mrn="M-2")
    assert due(store, site="harbour") == [(there, 7)]
    assert {report_id for report_id, _ in due(store)} == {here, there}
    assert [entry[5] for entry in audit_of(store, "rems.list")] == ["forms 1", "forms 2"]
