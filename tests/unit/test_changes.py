"""What an amendment changed, field by field."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safety.changes import ADDED_BY_FILING, Change, changes
from safety.model import BloodPressure, Criterion, SessionReport
from tests.support import strategies
from tests.support.builders import STARTED, a_full_report, a_patient, a_report, an_event


def differing(before: Any, after: Any, path: str = "") -> Iterator[str]:
    """The leaves in which two values differ, written anew to compare with."""
    if is_dataclass(before) or is_dataclass(after):
        for field in fields(before if is_dataclass(before) else after):
            if field.name not in ADDED_BY_FILING:
                old, new = (getattr(side, field.name, None) for side in (before, after))
                yield from differing(old, new, f"{path}.{field.name}")
    elif isinstance(before, tuple):
        old, new = ({event.term: event for event in side} for side in (before, after))
        for term in old.keys() | new.keys():
            if term in old and term in new:
                yield from differing(old[term], new[term], f"{path}.{term}")
            else:
                yield f"{path}.{term}".removeprefix(".")
    elif before != after:
        yield path.removeprefix(".")


@given(strategies.reports())
def test_a_report_does_not_differ_from_itself(report: SessionReport) -> None:
    assert changes(report, report) == []


@given(strategies.reports(), strategies.reports())
def test_every_field_that_differs_is_named_once(
    before: SessionReport, after: SessionReport
) -> None:
    named = [change.field for change in changes(before, after)]
    assert sorted(named) == sorted(differing(before, after))


@given(strategies.reports(), strategies.reports())
def test_the_way_back_has_the_same_fields_with_their_sides_exchanged(
    before: SessionReport, after: SessionReport
) -> None:
    forth = {change.field: (change.before, change.after) for change in changes(before, after)}
    back = {change.field: (change.after, change.before) for change in changes(after, before)}
    assert forth == back


@given(strategies.reports(), st.data())
def test_one_changed_field_of_the_report_is_the_only_change(
    report: SessionReport, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(["lot", "narrative", "site"]))
    text = (getattr(report, name) or "") + "x"
    changed = object.__new__(SessionReport)  # longer than the limit perhaps: read back, not typed
    for field in fields(SessionReport):
        object.__setattr__(changed, field.name, getattr(report, field.name))
    object.__setattr__(changed, name, text)
    assert changes(report, changed) == [Change(name, getattr(report, name), text)]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"weight_kg": 82.0}, [Change("weight_kg", 80.0, 82.0)]),
        ({"patient": a_patient(name=None)}, [Change("patient.name", "Wilma Testcase", None)]),
        (
            {"started_at": STARTED - timedelta(hours=1)},
            [Change("started_at", STARTED, STARTED - timedelta(hours=1))],
        ),
        ({"amendment_reason": "The wrong chart.", "protocol_version": 3}, []),
    ],
)
def test_a_change_names_field_and_both_values(
    changed: dict[str, Any], expected: list[Change]
) -> None:
    report = a_full_report()
    assert changes(report, replace(report, **changed)) == expected


def test_a_reading_that_was_added_is_told_half_by_half() -> None:
    report = a_report()
    vitals = replace(report.vitals, peak=BloodPressure(150, None))
    assert changes(report, replace(report, vitals=vitals)) == [
        Change("vitals.peak.systolic_mmhg", None, 150)
    ]


def test_events_are_matched_by_term_whatever_their_order() -> None:
    nausea, headache = an_event("nausea", 1), an_event("headache", 2)
    graver = replace(nausea, grade=3, serious=frozenset({Criterion.HOSPITALISATION}))
    syncope = an_event("syncope", 3)
    before, after = a_report(events=(nausea, headache)), a_report(events=(syncope, graver))
    assert changes(before, after) == [
        Change("events.nausea.grade", 1, 3),
        Change("events.nausea.serious", frozenset(), graver.serious),
        Change("events.headache", headache, None),
        Change("events.syncope", None, syncope),
    ]
    assert changes(before, a_report(events=(headache, nausea))) == []


def test_a_scale_that_filing_fills_in_is_no_change() -> None:
    bare = an_event()
    scaled = replace(bare, scale="CTCAE", scale_version="5.0")
    assert changes(a_report(events=(bare,)), a_report(events=(scaled,))) == []


def test_the_same_moment_on_another_clock_is_no_change() -> None:
    elsewhere = datetime(2026, 3, 2, 9, 0, tzinfo=timezone(timedelta(hours=-5)))
    assert elsewhere == STARTED.astimezone(UTC)
    assert changes(a_report(), a_report(started_at=elsewhere)) == []


def test_a_change_does_not_show_its_values_when_it_is_printed() -> None:
    assert repr(Change("patient.name", "Wilma Testcase", None)) == "Change('patient.name')"
