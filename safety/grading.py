"""What the numbers of a report say by themselves: spikes, provisional grades, treatment emergence.

Pure functions. A grade from a number is provisional: the clinician's grade stands. Sources: the
spike definitions are those of the blood-pressure table in the US prescribing information of
esketamine; the bands are the adult numeric limits of CTCAE v5.0 "Hypertension".
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final, NamedTuple

from safety.model import AdverseEvent, BloodPressure, Criterion, SessionReport, VitalSigns
from safety.vocabulary import Vocabulary

SPIKE_SYSTOLIC: Final = 180
SPIKE_DIASTOLIC: Final = 110
SPIKE_SYSTOLIC_RISE: Final = 40
SPIKE_DIASTOLIC_RISE: Final = 25
HOLD_SYSTOLIC: Final = 140
HOLD_DIASTOLIC: Final = 90
_BANDS: Final = ((160, 100, 3), (140, 90, 2), (120, 80, 1))
_PRESSURE_TERMS: Final = frozenset({"hypertension", "blood_pressure_increased"})

CRITERIA: Final = tuple(Criterion)
Limbs = tuple[int | None, int | None]


class Spikes(NamedTuple):
    """Whether the readings meet the two trial definitions; None when they cannot tell.

    ``absolute``: 180 mmHg systolic or 110 diastolic or more after the dose. ``rise``: 40 mmHg
    systolic or 25 diastolic or more above the reading before it.
    """

    absolute: bool | None
    rise: bool | None
    systolic_rise_mmhg: int | None
    diastolic_rise_mmhg: int | None


def spikes(vitals: VitalSigns) -> Spikes:
    """Compare every reading after the dose with the limits and with the reading before."""
    after = vitals.after_dose()
    highest = (
        _highest([reading.systolic_mmhg for reading in after]),
        _highest([reading.diastolic_mmhg for reading in after]),
    )
    before = vitals.before
    rises = (
        _difference(highest[0], before.systolic_mmhg if before else None),
        _difference(highest[1], before.diastolic_mmhg if before else None),
    )
    return Spikes(
        absolute=_any_reaches(highest, (SPIKE_SYSTOLIC, SPIKE_DIASTOLIC)),
        rise=_any_reaches(rises, (SPIKE_SYSTOLIC_RISE, SPIKE_DIASTOLIC_RISE)),
        systolic_rise_mmhg=rises[0],
        diastolic_rise_mmhg=rises[1],
    )


def _highest(values: list[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return max(known) if known else None


def _difference(later: int | None, earlier: int | None) -> int | None:
    return None if later is None or earlier is None else later - earlier


def _any_reaches(values: Limbs, limits: tuple[int, int]) -> bool | None:
    systolic, diastolic = values
    if systolic is None and diastolic is None:
        return None
    return (systolic or 0) >= limits[0] or (diastolic or 0) >= limits[1]


def hypertension_band(reading: BloodPressure | None) -> int | None:
    """The numeric CTCAE band of one reading: 0 (below grade 1) to 3, or None without a reading."""
    if reading is None:
        return None
    systolic, diastolic = reading.systolic_mmhg or 0, reading.diastolic_mmhg or 0
    for high, low, grade in _BANDS:
        if systolic >= high or diastolic >= low:
            return grade
    return 0


def provisional_hypertension_grade(vitals: VitalSigns) -> int | None:
    """Highest band after the dose when it is above the band before it; None otherwise.

    CTCAE grade 1 starts at 120/80, so a band that the patient brought along says nothing about the
    session. The result is a suggestion: grades 2 and 3 also ask for an intervention or symptoms.
    """
    bands = [band for reading in vitals.after_dose() if (band := hypertension_band(reading))]
    worst = max(bands, default=0)
    return worst if worst > (hypertension_band(vitals.before) or 0) else None


def treatment_emergent(report: SessionReport, event: AdverseEvent) -> bool:
    """Whether the event began, or got worse, with the treatment.

    An event with a negative onset was there before. One of blood pressure counts when its grade is
    above the band of the reading before the dose. An event without an onset counts: leaving it
    out would flatter the protocol.
    """
    if event.onset_minutes is not None and event.onset_minutes < 0:
        return False
    if event.term in _PRESSURE_TERMS:
        return event.grade > (hypertension_band(report.vitals.before) or 0)
    return True


def with_scales(report: SessionReport, vocabulary: Vocabulary) -> SessionReport:
    """Name the scale and its version on every graded event, from the vocabulary."""
    if all(event.scale is not None for event in report.events):
        return report
    return replace(report, events=tuple(_with_scale(e, vocabulary) for e in report.events))


def _with_scale(event: AdverseEvent, vocabulary: Vocabulary) -> AdverseEvent:
    if event.scale is not None:
        return event
    term = vocabulary.get(event.term)
    return replace(event, scale=term.scale, scale_version=term.scale_version)


def criteria_bits(criteria: frozenset[Criterion]) -> int:
    """Seriousness criteria as a number: bit 0 is death, in the order of :class:`Criterion`."""
    return sum(1 << place for place, criterion in enumerate(CRITERIA) if criterion in criteria)
