"""Whatever is typed, the record takes it or refuses it by name; it never breaks and never tells."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from safety import limits
from safety.errors import InvalidReport
from safety.grading import provisional_hypertension_grade, spikes, treatment_emergent
from safety.model import BloodPressure, PatientIdentity, SessionReport
from tests.support.strategies import pressures, reports, vital_signs

ANYTHING = st.none() | st.booleans() | st.integers() | st.floats() | st.text()


@given(st.integers(-50, 500) | st.none(), st.integers(-50, 500) | st.none())
def test_a_pressure_is_taken_exactly_when_it_is_possible(high: Any, low: Any) -> None:
    inside = (high is None or 30 <= high <= 350) and (low is None or 10 <= low <= 250)
    given_one = high is not None or low is not None
    ordered = high is None or low is None or low < high
    try:
        BloodPressure(high, low)
    except InvalidReport:
        assert not (inside and given_one and ordered)
    else:
        assert inside
        assert given_one
        assert ordered


@given(ANYTHING, ANYTHING)
def test_a_pressure_of_anything_raises_nothing_but_a_refusal(high: Any, low: Any) -> None:
    with suppress(InvalidReport):
        BloodPressure(high, low)


@given(st.text(min_size=4))
def test_no_text_shows_in_a_repr_or_a_refusal(text: str) -> None:
    marked = f"Qx7{text}7xQ"
    try:
        shown = repr(PatientIdentity(marked, marked))
    except InvalidReport as refusal:
        shown = str(refusal)
    assert "Qx7" not in shown


@given(reports())
def test_warnings_name_a_field_and_a_reason(report: SessionReport) -> None:
    for warning in report.warnings():
        assert warning.field
        assert warning.message.endswith((".", "?"))


@given(reports())
def test_what_is_counted_of_a_report_never_breaks(report: SessionReport) -> None:
    report.minutes(), report.dose_mg_per_kg(), repr(report)
    assert all(treatment_emergent(report, e) in (True, False) for e in report.events)


@given(vital_signs())
def test_a_provisional_grade_is_above_the_band_before_the_dose(vitals: Any) -> None:
    grade = provisional_hypertension_grade(vitals)
    assert grade in (None, 1, 2, 3)
    found = spikes(vitals)
    if found.absolute:
        assert grade == 3 or (vitals.before is not None and grade is None)


@given(pressures())
def test_a_reading_alone_gives_no_rise(reading: BloodPressure) -> None:
    from safety.model import VitalSigns

    assert spikes(VitalSigns(peak=reading)).rise is None


@given(st.floats())
def test_bounds_never_take_what_is_no_number(value: float) -> None:
    taken = limits.DOSE.problem("dose_mg", value) is None
    assert taken == (0 <= value <= 20_000)
