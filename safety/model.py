"""The record: what a clinic says about one session, as frozen and validated values.

Everything here is plain Python. A value that cannot be right is refused when the object is made,
with :class:`~safety.errors.InvalidReport` naming each field and the reason; ``warnings()`` lists
what is possible but unusual, for the caller to show. Units stand in the names. ``None`` means "not
recorded", which is different from zero and from "no".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Final

from safety import limits
from safety.errors import InvalidReport, Problem


class Sex(StrEnum):
    """As the clinic records it."""

    FEMALE = "female"
    MALE = "male"
    OTHER = "other"


class Route(StrEnum):
    """How the drug was given."""

    INTRAVENOUS = "intravenous"
    INTRAMUSCULAR = "intramuscular"
    SUBCUTANEOUS = "subcutaneous"
    INTRANASAL = "intranasal"
    ORAL = "oral"
    SUBLINGUAL = "sublingual"


class Setting(StrEnum):
    """Where the drug was given; home and mobile are settings of their own for a reason."""

    CLINIC = "clinic"
    HOSPITAL = "hospital"
    HOME = "home"
    MOBILE = "mobile"


class Outcome(StrEnum):
    """Outcome of an event, in the words of ICH E2B(R3) E.i.7."""

    RECOVERED = "recovered"
    RECOVERING = "recovering"
    NOT_RECOVERED = "not_recovered"
    RECOVERED_WITH_SEQUELAE = "recovered_with_sequelae"
    FATAL = "fatal"
    UNKNOWN = "unknown"


class Relatedness(StrEnum):
    """Causality category of the WHO-UMC system."""

    CERTAIN = "certain"
    PROBABLE = "probable"
    POSSIBLE = "possible"
    UNLIKELY = "unlikely"
    CONDITIONAL = "conditional"
    UNASSESSABLE = "unassessable"


class Elicitation(StrEnum):
    """How an event came to be known; solicited and spontaneous rates must not be pooled unseen."""

    SOLICITED = "solicited"
    SPONTANEOUS = "spontaneous"
    OBSERVED = "observed"
    SCALE = "scale"


class Criterion(StrEnum):
    """Seriousness criteria of ICH E2A and 21 CFR 314.80. Seriousness is not severity."""

    DEATH = "death"
    LIFE_THREATENING = "life_threatening"
    HOSPITALISATION = "hospitalisation"
    DISABILITY = "disability"
    CONGENITAL_ANOMALY = "congenital_anomaly"
    IMPORTANT_MEDICAL_EVENT = "important_medical_event"


def _refuse(problems: Iterable[Problem | None]) -> None:
    found = [problem for problem in problems if problem is not None]
    if found:
        raise InvalidReport(found)


@dataclass(frozen=True, slots=True)
class PatientIdentity:
    """Who the patient is. Only the MRN is required; the name helps to see a wrong MRN."""

    mrn: str
    name: str | None = None
    birth_date: date | None = None
    sex: Sex | None = None

    def __post_init__(self) -> None:
        missing = None if self.mrn else Problem("patient.mrn", "is missing. Enter it.")
        _refuse(
            (
                missing or limits.text_problem("patient.mrn", self.mrn, limits.REFERENCE_LENGTH),
                limits.text_problem("patient.name", self.name, limits.NAME_LENGTH),
                self._birth_problem(),
            )
        )

    def _birth_problem(self) -> Problem | None:
        if self.birth_date is not None and self.birth_date.year < 1900:
            return Problem("patient.birth_date", "lies before 1900. Check the year.")
        return None

    def __repr__(self) -> str:
        return "PatientIdentity(...)"  # a traceback or log must not name anybody


@dataclass(frozen=True, slots=True)
class BloodPressure:
    """One reading; either limb may be missing, never both."""

    systolic_mmhg: int | None = None
    diastolic_mmhg: int | None = None

    def __post_init__(self) -> None:
        problems = limits.impossible(self._checks())
        high, low = self.systolic_mmhg, self.diastolic_mmhg
        if high is None and low is None:
            problems.append(Problem("systolic_mmhg", "and diastolic are both missing."))
        if not problems and high is not None and low is not None and low >= high:
            problems.append(
                Problem(
                    "diastolic_mmhg",
                    f"Diastolic {low} is not lower than systolic {high}. Were they swapped?",
                )
            )
        if problems:
            raise InvalidReport(problems)

    def _checks(self) -> tuple[tuple[str, int | None, limits.Bounds], ...]:
        return (
            ("systolic_mmhg", self.systolic_mmhg, limits.SYSTOLIC),
            ("diastolic_mmhg", self.diastolic_mmhg, limits.DIASTOLIC),
        )

    def warnings(self) -> list[Problem]:
        """Readings that are possible but unusual, and a reading with one limb only."""
        return list(_pressure_warnings(self.systolic_mmhg, self.diastolic_mmhg))


@lru_cache(maxsize=4_096)  # an import meets the same few pairs again and again
def _pressure_warnings(systolic: int | None, diastolic: int | None) -> tuple[Problem, ...]:
    found = limits.unlikely(
        (
            ("systolic_mmhg", systolic, limits.SYSTOLIC),
            ("diastolic_mmhg", diastolic, limits.DIASTOLIC),
        )
    )
    if systolic is None or diastolic is None:
        found.append(Problem("systolic_mmhg", "Only one half of this reading was given."))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class VitalSigns:
    """Blood pressure at the four times of the label's monitoring rule, and the worst of the rest.

    ``moaas_min`` runs downwards: 5 is alert, 0 does not respond. ``cadss6_peak`` runs 0 to 24.
    """

    before: BloodPressure | None = None
    at_40_min: BloodPressure | None = None
    peak: BloodPressure | None = None
    before_discharge: BloodPressure | None = None
    heart_rate_peak_bpm: int | None = None
    spo2_min_percent: int | None = None
    moaas_min: int | None = None
    cadss6_peak: int | None = None

    def __post_init__(self) -> None:
        problems = limits.impossible(self._checks())
        if problems:
            raise InvalidReport(problems)

    def _checks(self) -> tuple[tuple[str, int | None, limits.Bounds], ...]:
        return (
            ("vitals.heart_rate_peak_bpm", self.heart_rate_peak_bpm, limits.HEART_RATE),
            ("vitals.spo2_min_percent", self.spo2_min_percent, limits.SPO2),
            ("vitals.moaas_min", self.moaas_min, limits.MOAAS),
            ("vitals.cadss6_peak", self.cadss6_peak, limits.CADSS6),
        )

    def readings(self) -> Iterator[tuple[str, BloodPressure]]:
        """The readings that were taken, in time order, with the name of each time."""
        for name, reading in (
            ("before", self.before),
            ("at_40_min", self.at_40_min),
            ("peak", self.peak),
            ("before_discharge", self.before_discharge),
        ):
            if reading is not None:
                yield name, reading

    def after_dose(self) -> list[BloodPressure]:
        """The readings taken after the dose, in time order."""
        later = (self.at_40_min, self.peak, self.before_discharge)
        return [reading for reading in later if reading is not None]

    def warnings(self) -> list[Problem]:
        """Unusual readings, and a peak that another reading exceeds."""
        found = limits.unlikely(self._checks())
        for name, reading in self.readings():
            for warning in _pressure_warnings(reading.systolic_mmhg, reading.diastolic_mmhg):
                found.append(Problem(f"vitals.{name}.{warning.field}", warning.message))
        return found + self._peak_warnings()

    def _peak_warnings(self) -> list[Problem]:
        peak = self.peak.systolic_mmhg if self.peak else None
        if peak is None:
            return []
        highest = 0
        for reading in (self.at_40_min, self.before_discharge):
            if reading is not None and reading.systolic_mmhg is not None:
                highest = max(highest, reading.systolic_mmhg)
        if highest <= peak:
            return []
        text = f"The peak ({peak}) is lower than another reading after the dose ({highest})."
        return [Problem("vitals.peak.systolic_mmhg", text)]


@dataclass(frozen=True, slots=True)
class MisuseScreen:
    """Answers of the session's misuse screen; ``None`` was not asked.

    Liking and craving are marks on a 0 to 100 visual analogue scale.
    """

    drug_liking: float | None = None
    craving: float | None = None
    early_session_request: bool | None = None
    dose_increase_request: bool | None = None
    extra_session_request: bool | None = None
    lost_medication: bool | None = None
    outside_use: bool | None = None
    impaired_on_arrival: bool | None = None
    urine_drug_screen: bool | None = None
    urinary_symptoms: bool | None = None
    withdrawal_symptoms: bool | None = None
    concealment: bool | None = None

    def __post_init__(self) -> None:
        _refuse(
            limits.impossible(
                (
                    ("misuse.drug_liking", self.drug_liking, limits.VISUAL_ANALOGUE),
                    ("misuse.craving", self.craving, limits.VISUAL_ANALOGUE),
                )
            )
        )


@dataclass(frozen=True, slots=True)
class Concomitant:
    """What else the patient takes, by the classes of the REMS form; ``None`` was not asked."""

    benzodiazepine: bool | None = None
    opioid: bool | None = None
    stimulant: bool | None = None
    maoi: bool | None = None
    sedative: bool | None = None


@dataclass(frozen=True, slots=True)
class DrugAmounts:
    """What left the vial, who gave it and who saw the rest destroyed. Amounts in mg."""

    drawn_mg: float | None = None
    given_mg: float | None = None
    wasted_mg: float | None = None
    waste_witness: str | None = None
    staff: str | None = None

    def __post_init__(self) -> None:
        _refuse(
            [
                *limits.impossible(self._checks()),
                limits.text_problem("drug.waste_witness", self.waste_witness, limits.NAME_LENGTH),
                limits.text_problem("drug.staff", self.staff, limits.NAME_LENGTH),
            ]
        )

    def _checks(self) -> tuple[tuple[str, float | None, limits.Bounds], ...]:
        return (
            ("drug.drawn_mg", self.drawn_mg, limits.AMOUNT),
            ("drug.given_mg", self.given_mg, limits.AMOUNT),
            ("drug.wasted_mg", self.wasted_mg, limits.AMOUNT),
        )

    def balance_mg(self) -> float | None:
        """Drawn less given and wasted, or None when one of them was not recorded."""
        if self.drawn_mg is None or self.given_mg is None or self.wasted_mg is None:
            return None
        return self.drawn_mg - self.given_mg - self.wasted_mg

    def warnings(self) -> list[Problem]:
        """An unbalanced vial, and waste that the same person gave and witnessed or nobody saw."""
        found = limits.unlikely(self._checks())
        left = self.balance_mg()
        if left is not None and abs(left) > max(0.5, 0.02 * (self.drawn_mg or 0)):
            text = f"Drawn less given and wasted leaves {left:g} mg. Was an amount mistyped?"
            found.append(Problem("drug.wasted_mg", text))
        if self.wasted_mg and self.waste_witness is None:
            found.append(Problem("drug.waste_witness", "Waste was recorded without a witness."))
        if self.waste_witness and self.waste_witness == self.staff:
            text = "The witness is the person who gave the drug. Ask somebody else."
            found.append(Problem("drug.waste_witness", text))
        return found


@dataclass(frozen=True, slots=True)
class Discharge:
    """When and how the patient left. ``ready_minutes`` counts from the start of the dose."""

    discharged_at: datetime | None = None
    ready_minutes: int | None = None
    orientated: bool | None = None
    gait_steady: bool | None = None
    nausea_controlled: bool | None = None
    escort_present: bool | None = None
    told_not_to_drive: bool | None = None
    released_by: str | None = None

    def __post_init__(self) -> None:
        _refuse(
            [
                _aware("discharge.discharged_at", self.discharged_at),
                *limits.impossible(
                    (("discharge.ready_minutes", self.ready_minutes, limits.READY),)
                ),
                limits.text_problem("discharge.released_by", self.released_by, limits.NAME_LENGTH),
            ]
        )


@dataclass(frozen=True, slots=True)
class AdverseEvent:
    """One event of one term; the worst grade reached in the session.

    ``verbatim`` is how the patient put it, kept beside the code. ``term`` is a vocabulary id;
    ``scale`` and ``scale_version`` say what the grade means and are filled from the vocabulary when
    the report is filed. Minutes count from the start of the dose; a negative onset was there
    before.
    """

    term: str
    grade: int
    scale: str | None = None
    scale_version: str | None = None
    onset_minutes: int | None = None
    duration_minutes: int | None = None
    outcome: Outcome | None = None
    relatedness: Relatedness | None = None
    serious: frozenset[Criterion] = frozenset()
    action: str | None = None
    elicitation: Elicitation | None = None
    narrative: str | None = None
    verbatim: str | None = None

    def __post_init__(self) -> None:
        problems = limits.impossible(self._checks())
        longest = limits.NARRATIVE_LENGTH
        for name, text in (("action", self.action), ("narrative", self.narrative)):
            if text is not None and (bad := limits.text_problem(name, text, longest)):
                problems.append(bad)
        said = self.verbatim
        if said is not None and (
            bad := limits.text_problem("verbatim", said, limits.VERBATIM_LENGTH)
        ):
            problems.append(bad)
        if (self.grade == 5) != (self.outcome is Outcome.FATAL) and self.outcome is not None:
            text = "Grade 5 and a fatal outcome belong together. Correct one of them."
            problems.append(Problem("outcome", text))
        if problems:
            raise InvalidReport(problems)

    def _checks(self) -> tuple[tuple[str, int | None, limits.Bounds], ...]:
        return (
            ("grade", self.grade, limits.GRADE),
            ("onset_minutes", self.onset_minutes, limits.ONSET),
            ("duration_minutes", self.duration_minutes, limits.DURATION),
        )

    def warnings(self) -> list[Problem]:
        """Unusual times, and grades whose seriousness was left unsaid."""
        found = limits.unlikely(self._checks())
        if self.grade >= 4 and not self.serious:
            text = f"Grade {self.grade} without a seriousness criterion. Is that right?"
            found.append(Problem("serious", text))
        if Criterion.DEATH in self.serious and self.grade != 5:
            found.append(Problem("serious", "Death as a criterion goes with grade 5."))
        return found

    def __repr__(self) -> str:
        return f"AdverseEvent(term={self.term!r}, grade={self.grade!r}, ...)"


@dataclass(frozen=True, slots=True)
class SessionReport:
    """One session as its nurse reports it: the record that everything else is an index of."""

    site: str
    patient: PatientIdentity
    protocol: str
    started_at: datetime
    session_ref: str | None = None
    protocol_version: int | None = None
    ended_at: datetime | None = None
    dose_mg: float | None = None
    weight_kg: float | None = None
    route: Route | None = None
    lot: str | None = None
    setting: Setting | None = None
    vitals: VitalSigns = field(default_factory=VitalSigns)
    discharge: Discharge = field(default_factory=Discharge)
    misuse: MisuseScreen = field(default_factory=MisuseScreen)
    drug: DrugAmounts = field(default_factory=DrugAmounts)
    concomitant: Concomitant = field(default_factory=Concomitant)
    events: tuple[AdverseEvent, ...] = ()
    no_adverse_event: bool | None = None
    narrative: str | None = None
    reported_by: str | None = None
    reported_at: datetime | None = None
    amendment_reason: str | None = None

    def __post_init__(self) -> None:
        problems = [
            *limits.impossible(self._checks()),
            *self._text_problems(),
            *self._time_problems(),
            *self._event_problems(),
        ]
        if problems:
            raise InvalidReport(problems)

    def _checks(self) -> tuple[tuple[str, float | None, limits.Bounds], ...]:
        return (
            ("dose_mg", self.dose_mg, limits.DOSE),
            ("weight_kg", self.weight_kg, limits.WEIGHT),
        )

    def _text_problems(self) -> Iterator[Problem]:
        short, longer = limits.REFERENCE_LENGTH, limits.NAME_LENGTH
        for name, value, longest in (
            ("site", self.site, longer),
            ("protocol", self.protocol, longer),
            ("session_ref", self.session_ref, short),
            ("lot", self.lot, short),
            ("reported_by", self.reported_by, longer),
            ("narrative", self.narrative, limits.NARRATIVE_LENGTH),
            ("amendment_reason", self.amendment_reason, limits.NARRATIVE_LENGTH),
        ):
            if value is not None and (problem := limits.text_problem(name, value, longest)):
                yield problem

    def _time_problems(self) -> Iterator[Problem]:
        times = (
            ("started_at", self.started_at),
            ("ended_at", self.ended_at),
            ("reported_at", self.reported_at),
        )
        naive = [problem for name, at in times if (problem := _aware(name, at))]
        if naive:
            yield from naive
            return
        start = self.started_at
        if start.year < limits.EARLIEST_YEAR:
            yield Problem("started_at", f"lies before {limits.EARLIEST_YEAR}. Check the year.")
            return
        discharged = ("discharge.discharged_at", self.discharge.discharged_at)
        for name, later in (*times[1:], discharged):
            if later is not None and later < start:
                yield Problem(name, "lies before started_at. Check both times.")
        for name, later in (times[1], discharged):
            if later is not None and later - start > limits.LONGEST_SESSION:
                days = limits.LONGEST_SESSION.days
                yield Problem(name, f"is more than {days} days after started_at. Check both dates.")
        born = self.patient.birth_date
        if born is not None and born > start.date():
            yield Problem("patient.birth_date", "lies after the session. Check the date.")

    def _event_problems(self) -> Iterator[Problem]:
        if not self.events:
            return
        if self.no_adverse_event:
            text = 'says "no adverse event", but events are listed. Remove one or the other.'
            yield Problem("no_adverse_event", text)
        seen: set[str] = set()
        for event in self.events:
            if event.term in seen:
                text = f"{event.term} is listed twice. Keep one entry with the worst grade."
                yield Problem("events", text)
            seen.add(event.term)

    def minutes(self) -> int | None:
        """Length of the dose in whole minutes, or None without an end."""
        if self.ended_at is None:
            return None
        return (self.ended_at - self.started_at) // _MINUTE

    def dose_mg_per_kg(self) -> float | None:
        """Dose by body weight at the session, or None when one of them is missing."""
        if self.dose_mg is None or not self.weight_kg:
            return None
        return self.dose_mg / self.weight_kg

    def warnings(self) -> list[Problem]:
        """What is possible but unusual, in the order of the form."""
        found = limits.unlikely(
            (
                *self._checks(),
                ("ended_at", self.minutes(), limits.SESSION_MINUTES),
                ("dose_mg", self.dose_mg_per_kg(), limits.DOSE_PER_KG),
            )
        )
        found += self.vitals.warnings() + self.drug.warnings()
        for event in self.events:
            for warning in event.warnings():
                found.append(Problem(f"events.{event.term}.{warning.field}", warning.message))
        if not self.events and not self.no_adverse_event:
            text = 'Neither an event nor "no adverse event" was recorded.'
            found.append(Problem("no_adverse_event", text))
        return found

    def __repr__(self) -> str:
        return f"SessionReport(protocol={self.protocol!r}, events={len(self.events)}, ...)"


_MINUTE: Final = timedelta(minutes=1)


def _aware(name: str, at: datetime | None) -> Problem | None:
    if at is None or at.tzinfo is not None:
        return None
    return Problem(name, "has no time zone. Give an offset such as -05:00.")
