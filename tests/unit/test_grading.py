"""Spikes, bands and treatment emergence: tables of readings and what they mean.

Spikes are those of the blood-pressure table in the US prescribing information of esketamine: 180
mmHg systolic or 110 diastolic and more, and a rise of 40 systolic or 25 diastolic and more. Bands
are the adult numeric limits of CTCAE v5.0 "Hypertension".
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from safety.grading import (
    Spikes,
    criteria_bits,
    hypertension_band,
    provisional_hypertension_grade,
    spikes,
    treatment_emergent,
    with_scales,
)
from safety.model import AdverseEvent, BloodPressure, Criterion, VitalSigns
from safety.vocabulary import vocabulary
from tests.support.builders import a_report, an_event

Reading = tuple[int | None, int | None] | None


def vitals(before: Reading, peak: Reading) -> VitalSigns:
    return VitalSigns(
        before=BloodPressure(*before) if before else None,
        peak=BloodPressure(*peak) if peak else None,
    )


@pytest.mark.parametrize(
    ("before", "peak", "absolute", "rise"),
    [
        ((120, 80), (159, 104), False, False),
        ((120, 80), (160, 80), False, True),  # 40 systolic
        ((120, 80), (159, 105), False, True),  # 25 diastolic
        ((150, 90), (179, 109), False, False),
        ((150, 90), (180, 100), True, False),
        ((150, 90), (170, 110), True, False),
        ((190, 115), (190, 115), True, False),  # brought along, still above the limit
        ((120, 80), (110, 70), False, False),
        (None, (179, 109), False, None),
        (None, (180, None), True, None),
        ((120, 80), None, None, None),
        ((None, 80), (170, None), False, None),  # no half was measured twice
        ((120, None), (165, 112), True, True),
        (None, None, None, None),
    ],
)
def test_spikes(before: Reading, peak: Reading, absolute: bool | None, rise: bool | None) -> None:
    found = spikes(vitals(before, peak))
    assert (found.absolute, found.rise) == (absolute, rise)


def test_rises_are_counted_from_the_highest_reading_after_the_dose() -> None:
    found = spikes(
        VitalSigns(
            before=BloodPressure(120, 80),
            at_40_min=BloodPressure(150, 101),
            peak=BloodPressure(165, 95),
            before_discharge=BloodPressure(125, 82),
        )
    )
    assert found == Spikes(False, True, 45, 21)


def test_a_fall_is_a_negative_rise_and_no_spike() -> None:
    found = spikes(vitals((150, 95), (130, 85)))
    assert (found.systolic_rise_mmhg, found.diastolic_rise_mmhg, found.rise) == (-20, -10, False)


@pytest.mark.parametrize(
    ("reading", "band"),
    [
        (None, None),
        ((119, 79), 0),
        ((120, 79), 1),
        ((119, 80), 1),
        ((139, 89), 1),
        ((140, 89), 2),
        ((139, 90), 2),
        ((159, 99), 2),
        ((160, 99), 3),
        ((159, 100), 3),
        ((250, 140), 3),  # grade 4 is a finding, not a number
        ((None, 95), 2),
        ((165, None), 3),
    ],
)
def test_bands(reading: Reading, band: int | None) -> None:
    assert hypertension_band(BloodPressure(*reading) if reading else None) == band


@pytest.mark.parametrize(
    ("before", "peak", "grade"),
    [
        ((118, 76), (130, 85), 1),
        ((118, 76), (150, 85), 2),
        ((118, 76), (162, 85), 3),
        ((130, 85), (139, 89), None),  # brought along
        ((145, 92), (150, 95), None),
        ((145, 92), (165, 95), 3),
        ((165, 101), (200, 120), None),  # above any band before
        (None, (150, 85), 2),
        ((118, 76), None, None),
        ((150, 95), (118, 76), None),
    ],
)
def test_a_provisional_grade_needs_a_higher_band_than_before(
    before: Reading, peak: Reading, grade: int | None
) -> None:
    assert provisional_hypertension_grade(vitals(before, peak)) == grade


@pytest.mark.parametrize(
    ("event", "before", "emergent"),
    [
        (an_event("nausea", 1, onset_minutes=30), (120, 80), True),
        (an_event("nausea", 1, onset_minutes=0), (120, 80), True),
        (an_event("nausea", 1, onset_minutes=-1), (120, 80), False),
        (an_event("nausea", 1, onset_minutes=None), None, True),
        (an_event("hypertension", 2), (118, 76), True),
        (an_event("hypertension", 2), (135, 76), True),
        (an_event("hypertension", 2), (141, 76), False),
        (an_event("hypertension", 3), (141, 76), True),
        (an_event("hypertension", 2), None, True),
        (an_event("hypertension", 3, onset_minutes=-5), (118, 76), False),
        (an_event("blood_pressure_increased", 2), (141, 76), False),
    ],
)
def test_treatment_emergence(event: AdverseEvent, before: Reading, emergent: bool) -> None:
    report = a_report(vitals=vitals(before, None), events=(event,))
    assert treatment_emergent(report, event) is emergent


def test_every_event_gets_the_name_and_version_of_its_scale() -> None:
    report = with_scales(
        a_report(events=(an_event("nausea"), an_event("feeling_drunk"))), vocabulary()
    )
    for event in report.events:
        term = vocabulary().get(event.term)
        assert (event.scale, event.scale_version) == (term.scale, term.scale_version)


def test_a_scale_that_was_recorded_is_kept() -> None:
    event = replace(an_event(), scale="CTCAE", scale_version="4.03")
    report = with_scales(a_report(events=(event, an_event("dizziness"))), vocabulary())
    assert report.events[0] == event
    assert report.events[1].scale is not None


def test_seriousness_criteria_are_bits_in_the_order_of_the_list() -> None:
    """The bits are stored: the order must never change."""
    assert [criteria_bits(frozenset({criterion})) for criterion in Criterion] == [
        1,
        2,
        4,
        8,
        16,
        32,
    ]
    assert next(iter(Criterion)) is Criterion.DEATH
    assert list(Criterion)[-1] is Criterion.IMPORTANT_MEDICAL_EVENT
    assert criteria_bits(frozenset()) == 0
    assert criteria_bits(frozenset(Criterion)) == 63
