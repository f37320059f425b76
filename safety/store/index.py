"""From a report to the rows that counting reads. Nothing here touches the database.

The same function serves filing, import and rebuild, so that what is counted is always what the
sealed report says. Seriousness is one bit a criterion; a band or spike that cannot be told is NULL,
not zero.
"""

from __future__ import annotations

import hmac
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from safety import grading
from safety.clock import day_number
from safety.keys import derivation
from safety.model import AdverseEvent, BloodPressure, SessionReport

Row = tuple[Any, ...]
"""Values in the order of the columns of their table."""

_OLDEST: Final = 90
_MINUTE: Final = timedelta(minutes=1)


class SessionFacts(NamedTuple):
    """The columns of ``sessions`` from ``route`` on, in their order, but without ``reporter``.

    The pseudonym of the reporter needs a key; it stands before the last column.
    """

    route: str | None
    setting: str | None
    sex: str | None
    age_years: int | None
    minutes: int | None
    monitored_minutes: int | None
    dose_mg: float | None
    dose_mg_per_kg: float | None
    systolic_before: int | None
    diastolic_before: int | None
    systolic_40: int | None
    diastolic_40: int | None
    systolic_peak: int | None
    diastolic_peak: int | None
    systolic_discharge: int | None
    diastolic_discharge: int | None
    spike_absolute: int | None
    spike_rise: int | None
    heart_rate_peak: int | None
    spo2_min: int | None
    moaas_min: int | None
    cadss6_peak: int | None
    nothing_happened: int | None
    event_count: int
    worst_grade: int
    worst_emergent_grade: int
    serious: int
    entry_lag_minutes: int | None


class EventFacts(NamedTuple):
    """The columns of ``events`` from ``grade`` on, in their order."""

    grade: int
    emergent: int
    scale: str | None
    scale_version: str | None
    criteria: int
    outcome: str | None
    relatedness: str | None
    elicitation: str | None
    onset_minutes: int | None
    duration_minutes: int | None


class Numbers(NamedTuple):
    """The numbers that stand for names in index rows, and the day of the session."""

    session_no: int
    patient_no: int
    site_no: int
    protocol_no: int
    protocol_version: int
    day: int

    def of_session(self, report_id: bytes, version: int, reference: bytes) -> Row:
        """The columns of ``sessions`` before the facts."""
        return (
            self.session_no,
            report_id,
            version,
            reference,
            self.patient_no,
            self.site_no,
            self.protocol_no,
            self.protocol_version,
            self.day,
        )

    def of_event(self, term_no: int) -> Row:
        """The columns of ``events`` before the facts."""
        return (
            self.session_no,
            term_no,
            self.day,
            self.protocol_no,
            self.protocol_version,
            self.site_no,
            self.patient_no,
        )


def session_day(report: SessionReport, zone: ZoneInfo) -> date:
    """The calendar day of the session at its site."""
    return report.started_at.astimezone(zone).date()


def session_facts(report: SessionReport) -> SessionFacts:
    """What a report says for its ``sessions`` row."""
    vitals = report.vitals
    before, at_40_min = _limbs(vitals.before), _limbs(vitals.at_40_min)
    peak, leaving = _limbs(vitals.peak), _limbs(vitals.before_discharge)
    spikes = grading.spikes(vitals)
    events = report.events
    emergent = [e.grade for e in events if grading.treatment_emergent(report, e)]
    return SessionFacts(  # by place, since by name would take an import a hundredth longer
        _word(report.route),
        _word(report.setting),
        _word(report.patient.sex),
        _age(report.patient.birth_date, report.started_at),
        report.minutes(),
        _minutes(report.started_at, report.discharge.discharged_at),
        _real(report.dose_mg),
        _real(report.dose_mg_per_kg()),
        *before,
        *at_40_min,
        *peak,
        *leaving,
        _flag(spikes.absolute),
        _flag(spikes.rise),
        vitals.heart_rate_peak_bpm,
        vitals.spo2_min_percent,
        vitals.moaas_min,
        vitals.cadss6_peak,
        _flag(report.no_adverse_event),
        len(events),
        max([event.grade for event in events]) if events else 0,
        max(emergent) if emergent else 0,
        int(any(event.serious for event in events)),
        _minutes(report.started_at, report.reported_at),
    )


def event_facts(report: SessionReport, event: AdverseEvent) -> EventFacts:
    """What a report says for an ``events`` row."""
    return EventFacts(
        event.grade,
        int(grading.treatment_emergent(report, event)),
        event.scale,
        event.scale_version,
        grading.criteria_bits(event.serious) if event.serious else 0,
        _word(event.outcome),
        _word(event.relatedness),
        _word(event.elicitation),
        event.onset_minutes,
        event.duration_minutes,
    )


def index_day(report: SessionReport, zone: ZoneInfo) -> int:
    """The day of the session as the index keeps it."""
    return day_number(session_day(report, zone))


def reporter_index(index_key: bytes, reported_by: str | None) -> bytes | None:
    """A pseudonym of the reporting person, equal for equal names, for grouping by reporter."""
    if reported_by is None:
        return None
    name = " ".join(reported_by.split()).casefold().encode()
    message = derivation.joined(derivation.label("index/reporter"), name)
    return hmac.digest(index_key, message, "sha256")[:16]


def _age(born: date | None, at: datetime) -> int | None:
    """Whole years, 90 and over as 90 (a greater age can identify)."""
    if born is None:
        return None
    years = at.year - born.year - ((at.month, at.day) < (born.month, born.day))
    return min(years, _OLDEST)


def _minutes(start: datetime, end: datetime | None) -> int | None:
    return None if end is None else (end - start) // _MINUTE


def _limbs(reading: BloodPressure | None) -> tuple[int | None, int | None]:
    return (reading.systolic_mmhg, reading.diastolic_mmhg) if reading else (None, None)


def _real(value: float | None) -> float | None:
    # Plus zero: SQLite keeps no negative zero, and the row's digest is of what comes back.
    return None if value is None else float(value) + 0.0


def _word(value: StrEnum | None) -> str | None:
    return None if value is None else value._value_  # a third of the time of .value


def _flag(value: bool | None) -> int | None:  # noqa: FBT001 - it is the value, not a switch
    return None if value is None else int(value)
