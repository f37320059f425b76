"""The way back: a review is on record, sealed, and reaches whoever filed the report."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.dialects import sqlite

from safety import reviewing, service
from safety.access import Role
from safety.errors import InvalidReport, NotFound, Tampered
from safety.store import tables
from safety.store.handle import Store
from safety.store.verifying import verify
from tests.support.accounts import actor_of, an_account, audit_of
from tests.support.builders import DIRECTOR, NURSE, OTHER_NURSE, a_report
from tests.support.clock import FakeClock
from tests.support.stores import raw_connection, tampering

WORD = "Dose kept; ondansetron before the next session."


def rows(store: Store) -> list[Any]:
    with store.read() as connection:
        return list(connection.execute(select(tables.reviews)))


def test_a_review_comes_back_to_who_filed_the_report(store: Store, clock: FakeClock) -> None:
    director = actor_of(an_account(store, Role.DIRECTOR))
    filed = service.file_report(store, NURSE, a_report())
    clock.advance(hours=20)
    reviewing.review_report(store, director, filed.report_id, note=f" {WORD}\n", version=1)
    (heard,) = reviewing.heard_back(store, NURSE)
    assert heard == reviewing.Heard(
        filed.report_id,
        date(2026, 3, 2),
        "IV ketamine, depression, induction",
        clock.now,
        "Made-up director",
        WORD,
    )
    assert verify(store).findings == []


def test_it_comes_back_to_nobody_else(store: Store) -> None:
    filed = service.file_report(store, NURSE, a_report())
    reviewing.review_report(store, DIRECTOR, filed.report_id, version=1)
    assert reviewing.heard_back(store, OTHER_NURSE) == ()


def test_a_review_of_an_amendment_comes_back_to_who_filed_first(store: Store) -> None:
    filed = service.file_report(store, NURSE, a_report())
    service.amend_report(
        store,
        OTHER_NURSE,
        filed.report_id,
        replace(service.read_report(store, NURSE, filed.report_id).report, weight_kg=82.0),
        base_version=1,
        reason="Wrong chart.",
    )
    reviewing.review_report(store, DIRECTOR, filed.report_id, version=2)
    assert len(reviewing.heard_back(store, NURSE)) == 1
    assert reviewing.heard_back(store, OTHER_NURSE) == ()


def test_the_word_is_sealed_and_the_trail_has_ids_only(store: Store) -> None:
    filed = service.file_report(store, NURSE, a_report())
    reviewing.review_report(store, DIRECTOR, filed.report_id, note=WORD, version=1)
    (row,) = rows(store)
    assert WORD.encode() not in bytes(row.note)
    (entry,) = audit_of(store, "report.review")
    assert entry[3:] == ("review", bytes(row.id).hex(), f"report {filed.report_id.hex} v1")


def test_a_word_moved_to_another_review_does_not_open(store: Store) -> None:
    filed = service.file_report(store, NURSE, a_report())
    reviewing.review_report(store, DIRECTOR, filed.report_id, note=WORD, version=1)
    reviewing.review_report(store, DIRECTOR, filed.report_id, note="Another word.", version=1)
    first, second = rows(store)
    with tampering(store) as raw:
        raw.execute("UPDATE reviews SET note = ? WHERE id = ?", first.note, second.id)
    with pytest.raises(Tampered):
        reviewing.reviews_of(store, NURSE, filed.report_id)
    assert verify(store).findings != []


def test_the_same_review_twice_is_one(store: Store) -> None:
    filed = service.file_report(store, NURSE, a_report())
    for note in (None, "", WORD, f"{WORD} "):
        reviewing.review_report(store, DIRECTOR, filed.report_id, note=note, version=1)
    assert [review.text for review in reviewing.reviews_of(store, NURSE, filed.report_id)] == [
        None,
        WORD,
    ]
    assert len(audit_of(store, "report.review")) == 2


def test_another_person_or_another_version_is_another_review(store: Store) -> None:
    filed = service.file_report(store, NURSE, a_report())
    report = service.read_report(store, NURSE, filed.report_id).report
    service.amend_report(
        store, NURSE, filed.report_id, replace(report, lot="L 2"), base_version=1, reason="The lot."
    )
    colleague = replace(DIRECTOR, id="director-2")
    for actor, version in ((DIRECTOR, 1), (DIRECTOR, 2), (colleague, 2)):
        reviewing.review_report(store, actor, filed.report_id, note=WORD, version=version)
    found = reviewing.reviews_of(store, NURSE, filed.report_id)
    assert [(review.reviewed_by, review.version) for review in found] == [
        (DIRECTOR.id, 1),
        (DIRECTOR.id, 2),
        ("director-2", 2),
    ]
    assert {review.reviewer for review in found} == {None}


@pytest.mark.parametrize(
    ("note", "told"), [("x" * 501, "longer than 500"), ("a\x00b", "control characters")]
)
def test_a_word_that_cannot_be_kept_is_refused(store: Store, note: str, told: str) -> None:
    filed = service.file_report(store, NURSE, a_report())
    with pytest.raises(InvalidReport, match=told):
        reviewing.review_report(store, DIRECTOR, filed.report_id, note=note, version=1)
    assert rows(store) == []


def test_a_report_or_version_that_is_not_there_cannot_be_reviewed(store: Store) -> None:
    filed = service.file_report(store, NURSE, a_report())
    for report_id, version in ((uuid4(), 1), (filed.report_id, 2)):
        with pytest.raises(NotFound):
            reviewing.review_report(store, DIRECTOR, report_id, version=version)
    with pytest.raises(NotFound):
        reviewing.reviews_of(store, NURSE, uuid4())
    assert rows(store) == []


def test_the_newest_ten_of_the_last_thirty_days_are_heard(store: Store, clock: FakeClock) -> None:
    filed = service.file_report(store, NURSE, a_report())
    for number in range(13):
        clock.advance(days=1)
        word = f"Word {number}"
        reviewing.review_report(store, DIRECTOR, filed.report_id, note=word, version=1)
    heard = reviewing.heard_back(store, NURSE)
    assert [each.text for each in heard] == [f"Word {number}" for number in range(12, 2, -1)]
    assert len(reviewing.heard_back(store, NURSE, days=3)) == 4
    clock.advance(days=31)
    assert reviewing.heard_back(store, NURSE) == ()


def test_what_was_heard_or_looked_at_is_on_record_and_nothing_is_not(store: Store) -> None:
    filed = service.file_report(store, NURSE, a_report())
    assert reviewing.heard_back(store, NURSE) == ()
    assert reviewing.reviews_of(store, NURSE, filed.report_id) == ()
    assert audit_of(store, "review.view") == []
    reviewing.review_report(store, DIRECTOR, filed.report_id, note=WORD, version=1)
    reviewing.heard_back(store, NURSE)
    reviewing.reviews_of(store, NURSE, filed.report_id)
    assert [entry[3:] for entry in audit_of(store, "review.view")] == [
        ("reviews", "", "reviews 1"),
        ("report", filed.report_id.hex, "reviews 1"),
    ]
    assert verify(store).findings == []


def test_no_value_shows_a_word_when_it_is_printed(store: Store) -> None:
    filed = service.file_report(store, NURSE, a_report())
    reviewing.review_report(store, DIRECTOR, filed.report_id, note=WORD, version=1)
    shown = repr(
        (reviewing.heard_back(store, NURSE), reviewing.reviews_of(store, NURSE, filed.report_id))
    )
    assert "ondansetron" not in shown


def test_the_nurses_home_does_not_read_through_all_reports(embedded_store: Store) -> None:
    query = reviewing._heard_query(NURSE, "2026").compile(
        dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True}
    )
    with raw_connection(embedded_store) as raw:
        steps = [row[3] for row in raw.execute(f"EXPLAIN QUERY PLAN {query}").fetchall()]
    (step,) = (step for step in steps if " reports " in step)
    assert step.startswith("SEARCH reports USING")
