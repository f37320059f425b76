"""The record refuses what cannot be, warns of what is unlikely, and shows nothing of a patient."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from safety.errors import InvalidReport, Problem
from safety.model import (
    AdverseEvent,
    BloodPressure,
    Criterion,
    Discharge,
    DrugAmounts,
    MisuseScreen,
    Outcome,
    PatientIdentity,
    SessionReport,
    VitalSigns,
)
from tests.support.builders import STARTED, a_full_report, a_patient, a_report, an_event

EARLIER = STARTED - timedelta(minutes=1)
NAIVE = datetime(2026, 3, 2, 14, 0)  # noqa: DTZ001 - a time without a zone is what is refused


def refused(make: Callable[[], object]) -> tuple[Problem, ...]:
    """The problems with which ``make`` is refused."""
    with pytest.raises(InvalidReport) as caught:
        make()
    return caught.value.problems


IMPOSSIBLE_NUMBERS: list[tuple[type, str, str, Any, str]] = [
    (BloodPressure, "systolic_mmhg", "systolic_mmhg", 29, "between 30 and 350"),
    (BloodPressure, "systolic_mmhg", "systolic_mmhg", 351, "between 30 and 350"),
    (BloodPressure, "systolic_mmhg", "systolic_mmhg", 120.5, "a whole number in mmHg"),
    (BloodPressure, "systolic_mmhg", "systolic_mmhg", True, "a whole number in mmHg"),
    (BloodPressure, "systolic_mmhg", "systolic_mmhg", "120", "a whole number in mmHg"),
    (BloodPressure, "diastolic_mmhg", "diastolic_mmhg", 9, "between 10 and 250"),
    (BloodPressure, "diastolic_mmhg", "diastolic_mmhg", 251, "between 10 and 250"),
    (VitalSigns, "heart_rate_peak_bpm", "vitals.heart_rate_peak_bpm", 9, "between 10 and 350"),
    (VitalSigns, "heart_rate_peak_bpm", "vitals.heart_rate_peak_bpm", 351, "between 10 and 350"),
    (VitalSigns, "spo2_min_percent", "vitals.spo2_min_percent", 0, "between 1 and 100"),
    (VitalSigns, "spo2_min_percent", "vitals.spo2_min_percent", 101, "between 1 and 100"),
    (VitalSigns, "moaas_min", "vitals.moaas_min", -1, "between 0 and 5"),
    (VitalSigns, "moaas_min", "vitals.moaas_min", 6, "between 0 and 5"),
    (VitalSigns, "cadss6_peak", "vitals.cadss6_peak", -1, "between 0 and 24"),
    (VitalSigns, "cadss6_peak", "vitals.cadss6_peak", 25, "between 0 and 24"),
    (MisuseScreen, "drug_liking", "misuse.drug_liking", 100.1, "between 0 and 100"),
    (MisuseScreen, "craving", "misuse.craving", -0.1, "between 0 and 100"),
    (DrugAmounts, "drawn_mg", "drug.drawn_mg", -1, "between 0 and 20000"),
    (DrugAmounts, "given_mg", "drug.given_mg", 20_001, "between 0 and 20000"),
    (DrugAmounts, "wasted_mg", "drug.wasted_mg", float("nan"), "between 0 and 20000"),
    (Discharge, "ready_minutes", "discharge.ready_minutes", -1, "between 0 and 43200"),
    (Discharge, "ready_minutes", "discharge.ready_minutes", 43_201, "between 0 and 43200"),
]


@pytest.mark.parametrize(("kind", "name", "field", "value", "reason"), IMPOSSIBLE_NUMBERS)
def test_an_impossible_number_is_refused_with_its_field_and_reason(
    kind: type, name: str, field: str, value: Any, reason: str
) -> None:
    (problem,) = refused(lambda: kind(**{name: value}))
    assert problem.field == field
    assert reason in problem.message


@pytest.mark.parametrize(
    ("changes", "field", "reason"),
    [
        ({"grade": 0}, "grade", "between 1 and 5"),
        ({"grade": 6}, "grade", "between 1 and 5"),
        ({"grade": 2.5}, "grade", "a whole number"),
        ({"onset_minutes": -10_081}, "onset_minutes", "between -10080 and 86400"),
        ({"onset_minutes": 86_401}, "onset_minutes", "between -10080 and 86400"),
        ({"duration_minutes": -1}, "duration_minutes", "between 0 and 527040"),
        ({"action": " "}, "action", "is blank"),
        ({"narrative": "x" * 10_001}, "narrative", "longer than 10000"),
        ({"narrative": "a\x00b"}, "narrative", "control characters"),
        ({"grade": 5, "outcome": Outcome.RECOVERED}, "outcome", "Grade 5 and a fatal outcome"),
        ({"grade": 3, "outcome": Outcome.FATAL}, "outcome", "Grade 5 and a fatal outcome"),
    ],
)
def test_an_impossible_event_is_refused(changes: dict[str, Any], field: str, reason: str) -> None:
    (problem,) = refused(lambda: an_event(**changes))
    assert problem.field == field
    assert reason in problem.message


@pytest.mark.parametrize(
    ("changes", "field", "reason"),
    [
        ({"mrn": ""}, "patient.mrn", "is missing"),
        ({"mrn": "  "}, "patient.mrn", "is blank"),
        ({"mrn": "1" * 101}, "patient.mrn", "longer than 100"),
        ({"mrn": "1\x1b2"}, "patient.mrn", "control characters"),
        ({"mrn": "1\ud8002"}, "patient.mrn", "half a character"),
        ({"name": ""}, "patient.name", "is blank"),
        ({"name": "x" * 201}, "patient.name", "longer than 200"),
        ({"birth_date": date(1899, 12, 31)}, "patient.birth_date", "before 1900"),
    ],
)
def test_an_impossible_identity_is_refused(
    changes: dict[str, Any], field: str, reason: str
) -> None:
    (problem,) = refused(lambda: a_patient(**changes))
    assert problem.field == field
    assert reason in problem.message


@pytest.mark.parametrize(
    ("changes", "field", "reason"),
    [
        ({"site": ""}, "site", "is blank"),
        ({"protocol": " "}, "protocol", "is blank"),
        ({"session_ref": "x" * 101}, "session_ref", "longer than 100"),
        ({"lot": "x" * 101}, "lot", "longer than 100"),
        ({"narrative": "a\x07b"}, "narrative", "control characters"),
        ({"reported_by": "\t"}, "reported_by", "is blank"),
        ({"weight_kg": 0}, "weight_kg", "between 5 and 500"),
        ({"weight_kg": 800}, "weight_kg", "between 5 and 500"),
        ({"dose_mg": -1}, "dose_mg", "between 0 and 20000"),
        ({"dose_mg": float("inf")}, "dose_mg", "between 0 and 20000"),
        ({"started_at": NAIVE}, "started_at", "no time zone"),
        ({"ended_at": NAIVE}, "ended_at", "no time zone"),
        ({"reported_at": NAIVE}, "reported_at", "no time zone"),
        ({"ended_at": EARLIER}, "ended_at", "before started_at"),
        ({"reported_at": EARLIER}, "reported_at", "before started_at"),
        ({"ended_at": STARTED + timedelta(days=31)}, "ended_at", "more than 30 days"),
        (
            {"discharge": Discharge(discharged_at=EARLIER)},
            "discharge.discharged_at",
            "before started_at",
        ),
        (
            {"discharge": Discharge(discharged_at=STARTED + timedelta(days=31))},
            "discharge.discharged_at",
            "more than 30 days",
        ),
        ({"patient": a_patient(birth_date=date(2026, 3, 3))}, "patient.birth_date", "after the"),
        ({"started_at": datetime(1, 1, 1, tzinfo=UTC)}, "started_at", "before 1970"),
        ({"started_at": datetime(202, 6, 1, tzinfo=UTC)}, "started_at", "before 1970"),
        ({"events": (an_event(), an_event())}, "events", "listed twice"),
        ({"events": (an_event(),), "no_adverse_event": True}, "no_adverse_event", "or the other"),
    ],
)
def test_an_impossible_session_is_refused(changes: dict[str, Any], field: str, reason: str) -> None:
    if "started_at" in changes:
        changes = {"patient": PatientIdentity("1"), **changes}
    (problem,) = refused(lambda: a_report(**changes))
    assert problem.field == field
    assert reason in problem.message


def test_a_naive_discharge_time_is_refused() -> None:
    (problem,) = refused(lambda: Discharge(discharged_at=NAIVE))
    assert problem.field == "discharge.discharged_at"


def test_swapped_pressures_are_refused_and_the_message_asks_so() -> None:
    (problem,) = refused(lambda: BloodPressure(80, 120))
    assert problem.field == "diastolic_mmhg"
    assert problem.message == "Diastolic 120 is not lower than systolic 80. Were they swapped?"


def test_equal_pressures_are_refused() -> None:
    assert len(refused(lambda: BloodPressure(100, 100))) == 1


def test_a_reading_without_either_half_is_refused() -> None:
    (problem,) = refused(BloodPressure)
    assert problem.message == "and diastolic are both missing."


def test_every_problem_of_a_report_is_named_at_once() -> None:
    problems = refused(
        lambda: a_report(weight_kg=1, lot=" ", events=(an_event(), an_event("nausea", 2)))
    )
    assert [p.field for p in problems] == ["weight_kg", "lot", "events"]


UNLIKELY = [
    ({"vitals": VitalSigns(peak=BloodPressure(300, 120))}, "vitals.peak.systolic_mmhg"),
    (
        {"vitals": VitalSigns(before=BloodPressure(systolic_mmhg=120))},
        "vitals.before.systolic_mmhg",
    ),
    ({"vitals": VitalSigns(spo2_min_percent=79)}, "vitals.spo2_min_percent"),
    ({"vitals": VitalSigns(heart_rate_peak_bpm=201)}, "vitals.heart_rate_peak_bpm"),
    ({"weight_kg": 20, "dose_mg": 10}, "weight_kg"),
    ({"ended_at": STARTED}, "ended_at"),
    ({"dose_mg": 601, "weight_kg": None}, "dose_mg"),
    ({"dose_mg": 500, "weight_kg": 80}, "dose_mg"),
    ({"drug": DrugAmounts(50, 40, 5, waste_witness="A")}, "drug.wasted_mg"),
    ({"drug": DrugAmounts(50, 40, 10)}, "drug.waste_witness"),
    ({"drug": DrugAmounts(50, 40, 10, waste_witness="A", staff="A")}, "drug.waste_witness"),
    ({"events": (an_event(duration_minutes=0),)}, "events.nausea.duration_minutes"),
    ({"events": (an_event(onset_minutes=-61),)}, "events.nausea.onset_minutes"),
    ({"events": (an_event(grade=4),)}, "events.nausea.serious"),
    (
        {"events": (an_event(grade=3, serious=frozenset({Criterion.DEATH})),)},
        "events.nausea.serious",
    ),
    ({"no_adverse_event": None}, "no_adverse_event"),
]


@pytest.mark.parametrize(("changes", "field"), UNLIKELY)
def test_an_unlikely_value_is_kept_with_one_warning(changes: dict[str, Any], field: str) -> None:
    (warning,) = a_report(**changes).warnings()
    assert warning.field == field
    assert warning.message


def test_a_warning_says_what_is_usual() -> None:
    (warning,) = a_report(vitals=VitalSigns(peak=BloodPressure(300, 120))).warnings()
    assert warning.message == "300 mmHg is unusual (expected 70 to 260). Is it right?"


def test_a_peak_below_another_reading_after_the_dose_is_questioned() -> None:
    vitals = VitalSigns(at_40_min=BloodPressure(170, 90), peak=BloodPressure(150, 90))
    (warning,) = vitals.warnings()
    assert (warning.field, "(150)" in warning.message) == ("vitals.peak.systolic_mmhg", True)


def test_an_ordinary_and_a_full_report_raise_no_warning() -> None:
    assert a_report().warnings() == []
    assert a_full_report().warnings() == []


def test_numbers_at_the_ends_of_the_possible_range_are_kept() -> None:
    assert BloodPressure(350, 10).systolic_mmhg == 350
    assert BloodPressure(30, 10).diastolic_mmhg == 10
    assert VitalSigns(spo2_min_percent=100, moaas_min=0, cadss6_peak=24).cadss6_peak == 24


def test_not_recorded_is_neither_zero_nor_no() -> None:
    report = a_report(no_adverse_event=None)
    assert (report.dose_mg, report.no_adverse_event) == (40.0, None)
    assert report.misuse.outside_use is None
    assert report.minutes() is None
    assert a_report(dose_mg=None).dose_mg_per_kg() is None


def test_minutes_and_dose_by_weight() -> None:
    report = a_report(ended_at=STARTED + timedelta(minutes=40, seconds=59))
    assert report.minutes() == 40
    assert report.dose_mg_per_kg() == pytest.approx(0.5)


def test_minutes_do_not_mind_a_change_of_daylight_saving_time() -> None:
    """Times carry their offset: 01:30 -05:00 to 03:10 -04:00 is 40 minutes."""
    start = datetime.fromisoformat("2026-03-08T01:30:00-05:00")
    end = datetime.fromisoformat("2026-03-08T03:10:00-04:00")
    assert a_report(started_at=start, ended_at=end).minutes() == 40


SECRET = "Xylophia Quark 77-secret"


def shown() -> list[object]:
    identity = a_patient(mrn=SECRET, name=SECRET)
    event = an_event(narrative=SECRET, action=SECRET)
    report = a_full_report(patient=identity, events=(event,), narrative=SECRET)
    return [identity, event, report]


@pytest.mark.parametrize("value", shown(), ids=lambda value: type(value).__name__)
def test_repr_and_format_show_nothing_of_a_patient(value: object) -> None:
    for text in (repr(value), str(value), f"{value}", repr([value]), repr({"k": value})):
        assert SECRET not in text


@pytest.mark.parametrize("text", [SECRET * 500, SECRET + "\x00"])
def test_a_refusal_does_not_repeat_the_text_it_refuses(text: str) -> None:
    for make in (
        lambda: a_patient(mrn=text),
        lambda: a_patient(name=text),
        lambda: a_report(narrative=text),
        lambda: an_event(narrative=text),
    ):
        assert SECRET not in str(InvalidReport(refused(make)))


def test_values_are_frozen_and_compare_by_content() -> None:
    report = a_full_report()
    with pytest.raises(AttributeError):
        report.dose_mg = 1.0  # type: ignore[misc]
    assert report == a_full_report()
    assert pickle.loads(pickle.dumps(report)) == report


def test_the_model_loads_without_database_pages_and_data_frames() -> None:
    """The record stands on the standard library alone."""
    blocked = "sqlalchemy", "streamlit", "pandas", "cryptography", "sqlcipher3", "alembic"
    code = f"import sys; sys.modules.update(dict.fromkeys({blocked!r})); import safety.model"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_an_event_is_what_a_term_and_a_grade_say() -> None:
    assert AdverseEvent("nausea", 2) == AdverseEvent(term="nausea", grade=2)
    assert SessionReport.__slots__[0] == "site"
