"""The form's fields make a report, or the reasons why not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings

from safety.errors import Problem
from safety.model import SessionReport
from safety.ui import words
from safety.ui.report.fields import attempt
from safety.ui.report.unfolding import as_filed, unfold
from tests.support.builders import SITE, STARTED, a_full_report, a_report, fields_of
from tests.support.strategies import reports

ZONE = ZoneInfo("America/New_York")
UTC_ZONE = ZoneInfo("UTC")


def _form(**changes: Any) -> dict[str, Any]:
    """The fields of an ordinary form that can be signed."""
    given = {
        "patient.mrn": "MRN-0001",
        "site": SITE,
        "protocol": "iv_ketamine_depression_induction",
        "start_date": "2026-03-02",
        "start_time": "09:00",
        "nothing": True,
    }
    return {k: v for k, v in (given | changes).items() if v is not None}


def _fields(problems: Sequence[Problem]) -> list[str]:
    return [problem.field for problem in problems]


def test_an_ordinary_form_makes_a_report_on_the_clock_of_the_site() -> None:
    made = attempt(_form(), ZONE)
    assert made.report is not None
    assert made.report.started_at == STARTED
    assert made.report.no_adverse_event is True


def test_every_field_of_a_filed_report_survives_the_way_through_the_form() -> None:
    filed = a_full_report()
    made = attempt(unfold(filed, ZONE), ZONE)
    assert made.report is not None
    assert as_filed(made.report, filed) == filed


@settings(max_examples=60, deadline=None)
@given(reports())
def test_what_a_form_shows_of_any_report_is_filed_again_unchanged(report: SessionReport) -> None:
    report = replace(report, no_adverse_event=None if report.events else True)
    made = attempt(unfold(report, UTC_ZONE), UTC_ZONE)
    assert made.problems == ()
    assert made.report is not None
    assert _shown(as_filed(made.report, report)) == _shown(report)


def _shown(report: SessionReport) -> dict[str, Any]:
    """What the form shows; text without the blanks around it, which the form does not keep."""
    fields = unfold(report, UTC_ZONE).items()
    return {name: v.strip() if isinstance(v, str) else v for name, v in fields}


def test_what_is_lacking_is_pointed_out_only_once_the_review_was_asked_for() -> None:
    fields = _form(site=None, start_time=None, nothing=None, **{"patient.mrn": None})
    quiet = attempt(fields, ZONE)
    assert quiet.report is None
    assert quiet.problems == ()
    asked = attempt(fields, ZONE, asked=True)
    assert _fields(asked.problems) == ["patient", "site", "start_time", "no_adverse_event"]


def test_an_impossible_value_is_pointed_out_at_once_beside_its_field() -> None:
    made = attempt(_form(dose_mg=-4, start_time=None), ZONE)
    assert _fields(made.about("dose_mg")) == ["dose_mg"]


def test_swapped_pressures_are_told_in_the_words_of_the_model() -> None:
    fields = {"vitals.peak.systolic_mmhg": 120, "vitals.peak.diastolic_mmhg": 190}
    made = attempt(_form(**fields), ZONE)
    assert made.report is None
    (problem,) = made.about("vitals.peak")
    assert "Diastolic 190 is not lower than systolic 120. Were they swapped?" in problem.message


def test_problems_of_several_parts_are_gathered_in_one_pass() -> None:
    made = attempt(
        _form(
            dose_mg=99_999,
            **{
                "vitals.spo2_min_percent": 200,
                "drug.drawn_mg": -1,
                "misuse.craving": 101,
                "events": ["nausea"],
                "events.nausea.grade": 1,
                "events.nausea.onset_minutes": 10**9,
                "nothing": None,
            },
        ),
        ZONE,
    )
    assert set(_fields(made.problems)) == {
        "dose_mg",
        "vitals.spo2_min_percent",
        "drug.drawn_mg",
        "misuse.craving",
        "events.nausea.onset_minutes",
    }


def test_an_event_without_a_grade_cannot_be_signed() -> None:
    made = attempt(_form(nothing=None, events=["nausea"]), ZONE, asked=True)
    assert _fields(made.problems) == ["events.nausea.grade"]


def test_a_dose_that_ends_before_it_begins_is_refused_and_another_day_mends_it() -> None:
    wrong = attempt(_form(end_time="08:00"), ZONE)
    assert _fields(wrong.problems) == ["ended_at"]
    right = attempt(_form(end_time="08:00", end_date="2026-03-03"), ZONE)
    assert right.report is not None
    assert right.report.minutes() == 23 * 60


def test_a_patient_leaves_on_the_day_the_dose_ended() -> None:
    fields = _form(end_time="09:40", end_date="2026-03-04", left_time="11:00")
    made = attempt(fields, ZONE)
    assert made.report is not None
    left = made.report.discharge.discharged_at
    assert left is not None
    assert left.date().isoformat() == "2026-03-04"


def test_blank_text_counts_as_not_filled_in() -> None:
    made = attempt(_form(lot="  ", narrative="\n"), ZONE)
    assert made.report is not None
    assert made.report.lot is None
    assert made.report.narrative is None


def test_an_amendment_keeps_reporter_reference_and_the_seconds_of_the_filed_times() -> None:
    filed = SessionReport(
        **(
            dict(fields_of(a_report()))
            | {
                "started_at": STARTED.replace(second=17),
                "session_ref": "V-1",
                "reported_by": "Nora Quill",
                "reported_at": STARTED + timedelta(hours=2),
            }
        )
    )
    fields = unfold(filed, ZONE) | {"dose_mg": 41.0}
    changed = attempt(fields, ZONE).report
    assert changed is not None
    kept = as_filed(changed, filed)
    assert kept.dose_mg == 41.0
    assert kept.started_at == filed.started_at
    assert (kept.session_ref, kept.reported_by, kept.reported_at) == (
        "V-1",
        "Nora Quill",
        filed.reported_at,
    )


@pytest.mark.parametrize(
    ("problem", "sentence"),
    [
        (
            Problem("started_at", "lies in the future. Check the date."),
            "The start lies in the future. Check the date.",
        ),
        (
            Problem("dose_mg", "900 mg is unusual (expected 1 to 600 mg). Is it right?"),
            "The dose: 900 mg is unusual (expected 1 to 600 mg). Is it right?",
        ),
        (
            Problem("x.diastolic_mmhg", "Diastolic 90 is not lower than systolic 80."),
            "Diastolic 90 is not lower than systolic 80.",
        ),
    ],
)
def test_a_problem_becomes_a_sentence_of_its_own(problem: Problem, sentence: str) -> None:
    assert words.sentence(problem) == sentence
