"""What a rule of completeness can look at, and when it counts. Two closed sets, pure.

A look says which share of what it asks is missing (0 to 1), and where: the name in the model, with
the term for an event.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from operator import attrgetter
from typing import Final, NamedTuple

from safety.model import AdverseEvent, BloodPressure, Outcome, SessionReport
from safety.vocabulary.protocol import DoseUnit, Drug, Protocol

_SEVERE: Final = 3  # CTCAE calls grade 3 severe
_STILL_LASTS: Final = frozenset({Outcome.RECOVERING, Outcome.NOT_RECOVERED, Outcome.FATAL})


class Condition(StrEnum):
    """When a rule counts. ``severe`` and ``serious`` narrow a rule on events to such events."""

    ALWAYS = "always"
    KETAMINE = "ketamine"
    ESKETAMINE = "esketamine"
    DOSE_BY_WEIGHT = "dose_by_weight"
    INFUSION = "infusion"
    HAS_EVENTS = "has_events"
    SEVERE = "severe"
    SERIOUS = "serious"
    BENZODIAZEPINE = "benzodiazepine"
    WASTED = "wasted"


class Gap(NamedTuple):
    """Something that is missing: the field, and the term of the event it is about."""

    field: str
    term: str | None = None


Looked = tuple[float, list[Gap]]
Look = Callable[[SessionReport, Condition], Looked]


def counts(applies: Condition, report: SessionReport, protocol: Protocol | None) -> bool:
    """Whether the condition holds; what asks the protocol does not hold without one."""
    return _CONDITIONS[applies](report, protocol)


_CONDITIONS: Final[Mapping[Condition, Callable[[SessionReport, Protocol | None], bool]]] = {
    Condition.ALWAYS: lambda _, __: True,
    Condition.KETAMINE: lambda _, p: p is not None and p.drug is Drug.KETAMINE,
    Condition.ESKETAMINE: lambda _, p: p is not None and p.drug is Drug.ESKETAMINE,
    Condition.DOSE_BY_WEIGHT: lambda _, p: p is not None and p.dose_unit is DoseUnit.MG_PER_KG,
    Condition.INFUSION: lambda _, p: p is not None and p.infusion_minutes is not None,
    Condition.HAS_EVENTS: lambda r, _: bool(r.events),
    Condition.SEVERE: lambda r, _: bool(_concerned(r, Condition.SEVERE)),
    Condition.SERIOUS: lambda r, _: bool(_concerned(r, Condition.SERIOUS)),
    Condition.BENZODIAZEPINE: lambda r, _: r.concomitant.benzodiazepine is True,
    Condition.WASTED: lambda r, _: bool(r.drug.wasted_mg),
}


def _concerned(report: SessionReport, applies: Condition) -> list[AdverseEvent]:
    """The events that a rule with this condition is about."""
    if applies is Condition.SERIOUS:
        return [event for event in report.events if event.serious]
    if applies is Condition.SEVERE:
        return [event for event in report.events if (event.grade or 0) >= _SEVERE]
    return list(report.events)


def _plain(field: str) -> Look:
    read = attrgetter(field)

    def look(report: SessionReport, _: Condition) -> Looked:
        value = read(report)
        if isinstance(value, BloodPressure):
            share = (value.systolic_mmhg is None) / 2 + (value.diastolic_mmhg is None) / 2
        else:
            share = float(value is None)
        return (share, [Gap(field)]) if share else (0.0, [])

    return look


def _of_each_event(name: str) -> Look:
    read = attrgetter(name)

    def look(report: SessionReport, applies: Condition) -> Looked:
        return _lacking(report, applies, name, lambda event: read(event) is None)

    return look


def _lacking(
    report: SessionReport, applies: Condition, name: str, lacks: Callable[[AdverseEvent], bool]
) -> Looked:
    events = _concerned(report, applies)
    found = [event.term for event in events if lacks(event)]
    share = len(found) / len(events) if events else 0.0
    return share, [Gap(f"events.{term}.{name}", term) for term in found]


def _duration(report: SessionReport, applies: Condition) -> Looked:
    def lacks(event: AdverseEvent) -> bool:
        return event.duration_minutes is None and event.outcome not in _STILL_LASTS

    return _lacking(report, applies, "duration_minutes", lacks)


def _said(report: SessionReport, _: Condition) -> Looked:
    said = bool(report.events) or report.no_adverse_event is True
    return (0.0, []) if said else (1.0, [Gap("no_adverse_event")])


def _told(report: SessionReport, _: Condition) -> Looked:
    def lacks(event: AdverseEvent) -> bool:
        return report.narrative is None and event.narrative is None

    return _lacking(report, Condition.SERIOUS, "narrative", lacks)


def _each_of(part: str, names: tuple[str, ...]) -> Look:
    def look(report: SessionReport, _: Condition) -> Looked:
        missing = [name for name in names if getattr(getattr(report, part), name) is None]
        return len(missing) / len(names), [Gap(f"{part}.{name}") for name in missing[:1]]

    return look


def _asked(report: SessionReport, _: Condition) -> Looked:
    answers = (getattr(report.misuse, name) for name in report.misuse.__slots__)
    return (1.0, [Gap("misuse")]) if all(each is None for each in answers) else (0.0, [])


_CRITERIA: Final = (
    "orientated",
    "gait_steady",
    "nausea_controlled",
    "escort_present",
    "told_not_to_drive",
)
_CLASSES: Final = ("benzodiazepine", "opioid", "stimulant", "maoi", "sedative")
_PLAIN: Final = (
    *("dose_mg", "weight_kg", "route", "lot", "setting", "ended_at", "narrative"),
    *("patient.name", "patient.birth_date", "patient.sex"),
    *("vitals.before", "vitals.at_40_min", "vitals.peak", "vitals.before_discharge"),
    *("vitals.heart_rate_peak_bpm", "vitals.spo2_min_percent", "vitals.moaas_min"),
    *("vitals.cadss6_peak", "discharge.discharged_at", "discharge.ready_minutes"),
    *("discharge.released_by", "drug.drawn_mg", "drug.given_mg", "drug.wasted_mg"),
    *("drug.waste_witness", "drug.staff"),
)
_OF_EVENTS: Final = (
    *("onset_minutes", "outcome", "relatedness", "elicitation"),
    *("action", "narrative", "verbatim"),
)

FIELDS: Final[Mapping[str, Look]] = {
    **{field: _plain(field) for field in _PLAIN},
    **{f"events.{name}": _of_each_event(name) for name in _OF_EVENTS},
    "events.duration_minutes": _duration,
}
GROUPS: Final[Mapping[str, Look]] = {
    "nothing_or_events": _said,
    "serious_narrative": _told,
    "discharge_criteria": _each_of("discharge", _CRITERIA),
    "concomitant": _each_of("concomitant", _CLASSES),
    "misuse": _asked,
    "drug_amounts": _each_of("drug", ("drawn_mg", "given_mg", "wasted_mg")),
}
