"""The form's fields as plain values, and what they make: a report, or the reasons why not.

A form is a flat mapping of dotted names, those of the model where the model has them, to values
that JSON knows: this is what a draft keeps. Dates are ISO text, times of day ``HH:MM`` on the clock
of the site. An absent name was not filled in. Nothing here draws or asks the store.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo

from safety.errors import InvalidReport, Problem
from safety.model import (
    AdverseEvent,
    BloodPressure,
    Concomitant,
    Criterion,
    Discharge,
    DrugAmounts,
    Elicitation,
    MisuseScreen,
    Outcome,
    PatientIdentity,
    Relatedness,
    Route,
    SessionReport,
    Setting,
    Sex,
    VitalSigns,
)
from safety.ui.report.names import (
    CONCOMITANT,
    FLAGS,
    NO_OTHER,
    NUMBERS,
    READINGS,
    RELEASE,
    REQUIRED,
)

Fields = Mapping[str, Any]
T = TypeVar("T")

# Stand in for what is not filled in yet, so that the rest can be checked already.
_SOMETHING: Final = "-"
_SOMEBODY: Final = PatientIdentity(_SOMETHING)
_SOME_TIME: Final = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a form makes: a report when nothing is wrong, and what to say about its fields.

    ``lacking`` is what is not filled in yet, ``wrong`` what cannot be right as it is.
    """

    report: SessionReport | None
    vitals: VitalSigns
    lacking: tuple[Problem, ...] = ()
    wrong: tuple[Problem, ...] = ()
    partial: SessionReport | None = None
    """What there is so far, with stand-ins for what is lacking: to weigh, never to file."""

    asked: bool = False
    """Whether the review was asked for: only then is what is lacking pointed out."""

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What to point out now."""
        return (*self.lacking, *self.wrong) if self.asked else self.wrong

    def about(self, *names: str) -> list[Problem]:
        """The problems to point out of these fields and of the fields under them."""
        return [p for p in self.problems if any(_under(name, p.field) for name in names)]


def _under(name: str, field: str) -> bool:
    return field == name or field.startswith(f"{name}.")


def attempt(fields: Fields, zone: ZoneInfo, *, asked: bool = False) -> Attempt:
    """Make a report of the fields, gathering every problem instead of the first."""
    return _Making(fields, zone).attempt(asked=asked)


def value(fields: Fields, name: str) -> Any:
    """A field, with blank text as not filled in."""
    found = fields.get(name)
    if isinstance(found, str):
        return found.strip() or None
    return found


def missing(fields: Fields) -> list[Problem]:
    """What must still be filled in before the report can be signed."""
    found = [Problem(k, text) for k, text in REQUIRED.items() if value(fields, k) is None]
    if value(fields, "patient.mrn") is None:
        found.insert(0, Problem("patient", "Choose the patient, or add a new one."))
    grades = [f"events.{term}.grade" for term in fields.get("events", ())]
    found += [Problem(k, "Choose the grade.") for k in grades if fields.get(k) is None]
    if not fields.get("events") and not fields.get("nothing"):
        text = 'Say what happened, or press "Nothing happened".'
        found.append(Problem("no_adverse_event", text))
    return found


class _Making:
    """One pass over the fields; problems gather on the way."""

    def __init__(self, fields: Fields, zone: ZoneInfo) -> None:
        self._fields = fields
        self._zone = zone
        self._wrong: list[Problem] = []

    def attempt(self, *, asked: bool) -> Attempt:
        vitals = self._vitals()
        report = self._report(vitals)
        lacking, wrong = tuple(missing(self._fields)), tuple(self._wrong)
        whole = None if lacking or wrong else report
        return Attempt(whole, vitals, lacking, wrong, report, asked)

    def _get(self, name: str) -> Any:
        return value(self._fields, name)

    def _as(self, kind: Callable[[Any], T], name: str) -> T | None:
        found = self._get(name)
        return None if found is None else kind(found)

    def _made(self, make: Callable[[], T], prefix: str = "") -> T | None:
        try:
            return make()
        except InvalidReport as refused:
            self._wrong += [Problem(f"{prefix}{p.field}", p.message) for p in refused.problems]
            return None

    def _at(self, day: str, clock: str) -> datetime | None:
        on, at = self._get(day), self._get(clock)
        if on is None or at is None:
            return None
        return datetime.combine(date.fromisoformat(on), time.fromisoformat(at), self._zone)

    def _reading(self, name: str) -> BloodPressure | None:
        high = self._get(f"vitals.{name}.systolic_mmhg")
        low = self._get(f"vitals.{name}.diastolic_mmhg")
        if high is None and low is None:
            return None
        return self._made(lambda: BloodPressure(high, low), f"vitals.{name}.")

    def _vitals(self) -> VitalSigns:
        readings: dict[str, Any] = {name: self._reading(name) for name in READINGS}
        numbers = {name: self._get(f"vitals.{name}") for name in NUMBERS}
        return self._made(lambda: VitalSigns(**readings, **numbers)) or VitalSigns(**readings)

    def _report(self, vitals: VitalSigns) -> SessionReport | None:
        get, start = self._get, self._at("start_date", "start_time")
        patient = self._made(self._patient) or _SOMEBODY
        discharge = self._made(lambda: self._discharge(start)) or Discharge()
        misuse = self._made(self._misuse) or MisuseScreen()
        drug = self._made(self._drug) or DrugAmounts()
        events = tuple(e for term in get("events") or () if (e := self._event(term)))
        return self._made(
            lambda: SessionReport(
                site=get("site") or _SOMETHING,
                patient=patient,
                protocol=get("protocol") or _SOMETHING,
                started_at=start or _SOME_TIME,
                ended_at=self._end() if start else None,
                dose_mg=get("dose_mg"),
                weight_kg=get("weight_kg"),
                route=self._as(Route, "route"),
                lot=get("lot"),
                setting=self._as(Setting, "setting"),
                vitals=vitals,
                discharge=discharge,
                misuse=misuse,
                drug=drug,
                concomitant=self._concomitant(),
                events=events,
                no_adverse_event=True if get("nothing") else None,
                narrative=get("narrative"),
            )
        )

    def _patient(self) -> PatientIdentity:
        return PatientIdentity(
            mrn=self._get("patient.mrn") or _SOMETHING,
            name=self._get("patient.name"),
            birth_date=self._as(date.fromisoformat, "patient.birth_date"),
            sex=self._as(Sex, "patient.sex"),
        )

    def _end(self) -> datetime | None:
        day = "end_date" if self._get("end_date") is not None else "start_date"
        return self._at(day, "end_time")

    def _left(self) -> datetime | None:
        """When the patient left: on the day the dose ended, unless another was given."""
        days = ("left_date", "end_date", "start_date")
        return self._at(next(d for d in days if self._get(d) is not None), "left_time")

    def _discharge(self, start: datetime | None) -> Discharge:
        return Discharge(
            discharged_at=self._left() if start else None,
            ready_minutes=self._get("discharge.ready_minutes"),
            released_by=self._get("discharge.released_by"),
            **{name: self._get(f"discharge.{name}") for name in RELEASE},
        )

    def _misuse(self) -> MisuseScreen:
        names = ("drug_liking", "craving", *FLAGS)
        return MisuseScreen(**{name: self._get(f"misuse.{name}") for name in names})

    def _concomitant(self) -> Concomitant:
        named = self._get("also") or ()
        rest = False if NO_OTHER in named else None
        return Concomitant(**{name: name in named or rest for name in CONCOMITANT})

    def _drug(self) -> DrugAmounts:
        names = ("drawn_mg", "given_mg", "wasted_mg", "waste_witness", "staff")
        return DrugAmounts(**{name: self._get(f"drug.{name}") for name in names})

    def _event(self, term: str) -> AdverseEvent | None:
        start = f"events.{term}."
        if self._get(f"{start}grade") is None:
            return None
        return self._made(
            lambda: AdverseEvent(
                term=term,
                grade=self._get(f"{start}grade"),
                onset_minutes=self._get(f"{start}onset_minutes"),
                duration_minutes=self._get(f"{start}duration_minutes"),
                outcome=self._as(Outcome, f"{start}outcome"),
                relatedness=self._as(Relatedness, f"{start}relatedness"),
                serious=frozenset(Criterion(c) for c in self._get(f"{start}serious") or ()),
                action=self._get(f"{start}action"),
                elicitation=self._as(Elicitation, f"{start}elicitation"),
                narrative=self._get(f"{start}narrative"),
                verbatim=self._get(f"{start}verbatim"),
            ),
            start,
        )
