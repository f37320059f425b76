"""What blood pressures say by themselves, as sentences. The limits are those of safety.grading."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from safety import grading
from safety.grading import Spikes
from safety.model import BloodPressure, VitalSigns


@dataclass(frozen=True, slots=True)
class Remark:
    """One sentence; ``look`` marks what asks for attention."""

    text: str
    look: bool = True


def remarks(vitals: VitalSigns) -> Iterator[Remark]:
    """Sentences about the readings, the first one about the reading before the dose."""
    if _above_hold(vitals.before):
        limit = f"{grading.HOLD_SYSTOLIC}/{grading.HOLD_DIASTOLIC}"
        yield Remark(
            f"Above {limit} before the dose. The label asks to weigh benefit and risk; "
            "it is no bar."
        )
    found = grading.spikes(vitals)
    yield from _rises(found)
    if found.absolute:
        limits = f"{grading.SPIKE_SYSTOLIC} systolic or {grading.SPIKE_DIASTOLIC} diastolic"
        yield Remark(f"Reached {limits}: meets the trial definition of a spike.")
    yield from _graded(vitals)


def spike(vitals: VitalSigns) -> bool:
    """Whether the readings meet one of the two trial definitions."""
    found = grading.spikes(vitals)
    return bool(found.absolute or found.rise)


def _rises(found: Spikes) -> Iterator[Remark]:
    limits = (
        (found.systolic_rise_mmhg, grading.SPIKE_SYSTOLIC_RISE, "systolic"),
        (found.diastolic_rise_mmhg, grading.SPIKE_DIASTOLIC_RISE, "diastolic"),
    )
    for rise, limit, name in limits:
        if rise is not None and rise >= limit:
            text = f"Rise of {rise} mmHg {name}: meets the trial definition of a spike"
            yield Remark(f"{text} ({limit} or more).")
    if found.rise is False and (found.systolic_rise_mmhg or 0) > 0:
        yield Remark(f"Rise of {found.systolic_rise_mmhg} mmHg systolic: no spike.", look=False)


def _graded(vitals: VitalSigns) -> Iterator[Remark]:
    """The band of the worst reading after the dose, and whether the treatment brought it."""
    grade = grading.provisional_hypertension_grade(vitals)
    if grade is not None:
        emergent = "treatment-emergent, above the reading before the dose"
        if vitals.before is None:
            emergent = "counted as treatment-emergent while the reading before the dose is missing"
        yield Remark(
            f"By the numbers alone: hypertension grade {grade}, provisional; {emergent}. "
            "You decide the grade.",
            look=False,
        )
        return
    before = grading.hypertension_band(vitals.before)
    after = max((grading.hypertension_band(r) or 0 for r in vitals.after_dose()), default=0)
    if before and after:
        yield Remark(
            f"In the range of hypertension grade {after} by the numbers, as before the dose: "
            "not treatment-emergent.",
            look=False,
        )


def _above_hold(reading: BloodPressure | None) -> bool:
    if reading is None:
        return False
    high, low = reading.systolic_mmhg or 0, reading.diastolic_mmhg or 0
    return high > grading.HOLD_SYSTOLIC or low > grading.HOLD_DIASTOLIC
