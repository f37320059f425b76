"""A made-up clinic as a pair of CSV files: the same size and seed give the same bytes.

Nobody in it exists. Patients come for a course that the seeded protocols plan; doses, pressures
and answers vary around ordinary values, so that nearly every column is filled and few are unusual.
"""

from __future__ import annotations

import csv
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from random import Random
from typing import Any, Final

from safety.importing import columns
from safety.vocabulary import Protocol, Term, vocabulary
from safety.vocabulary.protocols import seed_protocols

Row = dict[str, Any]
SITES: Final = ("Main Street", "Harbour", "Station Road", "Hillside")
_FIRST: Final = ("Wilma", "Zoë", "Ivo", "Anneli", "Bram", "Dalia", "Edon", "Fenna", "Grete", "Hugo")
_LAST: Final = ("Testcase", "Sample", "Mockridge", "Placehold", "Überwald", "Standin", "Fictive")
_STAFF: Final = ("N. Quill", "T. Reed", "O. Marsh", "P. Lindqvist", "R. Adeyemi", "S. Brandt")
_COURSES: Final = (
    ("iv_ketamine_depression_induction", "iv_ketamine_depression_maintenance"),
    ("esketamine_nasal_induction", "esketamine_nasal_maintenance"),
    ("im_ketamine_depression",),
    ("ketamine_pain_multiday_infusion",),
)
_COURSE_WEIGHTS: Final = (45, 35, 12, 8)
_INDUCTION: Final = 8
_SIZES: Final = ("sessions", "events", "patients")
_MOST_EVENTS: Final = 6
_OUTCOMES: Final = ("recovered", "recovered", "recovered", "recovering", "unknown")
_RELATEDNESS: Final = ("certain", "probable", "probable", "possible", "unlikely")
_ACTIONS: Final = ("", "", "Dimmed the light and stayed.", "Observed for 30 min longer.")
_TOLD: Final = (
    "Felt far away for a while, then described the room as very large; calm, answered questions.",
    "Asked for the bowl once; no vomiting. Sat up after twenty minutes and drank water.",
    "Said the ceiling moved. Held the nurse's hand, breathing regular, no treatment needed.",
)


@dataclass(frozen=True, slots=True)
class Size:
    """How big the clinic is. ``days`` is the length of the period that its sessions fall into."""

    sessions: int = 100_000
    events: int = 150_000
    patients: int = 8_000
    first_day: date = date(2023, 1, 2)
    days: int = 1_000
    seed: int = 1


def add_size(parser: ArgumentParser) -> None:
    """The options that every benchmark has for the size of its clinic."""
    for name in _SIZES:
        parser.add_argument(f"--{name}", type=int, default=getattr(Size(), name))


def size_of(arguments: Namespace) -> Size:
    """The size that :func:`add_size` was given."""
    return Size(**{name: getattr(arguments, name) for name in _SIZES})


@dataclass(frozen=True, slots=True)
class Patient:
    """Who comes, what for, and what stays the same at each visit."""

    mrn: str
    name: str
    birth_date: date
    sex: str
    site: str
    weight_kg: float
    systolic: int
    diastolic: int
    course: tuple[Protocol, ...]


@dataclass(frozen=True, slots=True)
class Visit:
    """One session to come: which patient, when, and the how manieth."""

    day: int
    patient: int
    place: int


def write_clinic(folder: Path, size: Size = Size()) -> tuple[Path, Path]:
    """Write ``sessions.csv`` and ``events.csv`` into ``folder`` and return their paths."""
    sessions, events = folder / "sessions.csv", folder / "events.csv"
    made = Clinic(size)
    with (
        sessions.open("w", encoding="utf-8", newline="") as one,
        events.open("w", encoding="utf-8", newline="") as other,
    ):
        session_writer = csv.DictWriter(one, SESSION_COLUMNS)
        event_writer = csv.DictWriter(other, EVENT_COLUMNS)
        session_writer.writeheader()
        event_writer.writeheader()
        for session, of_session in made.rows():
            session_writer.writerow(session)
            event_writer.writerows(of_session)
    return sessions, events


SESSION_COLUMNS: Final = (
    *columns.SESSION,
    *columns.PATIENT,
    *columns.TIMES,
    *columns.PRESSURES,
    *columns.VITALS,
    *columns.MISUSE,
    *columns.DRUG,
)
EVENT_COLUMNS: Final = ("session_ref", *columns.EVENT)


class Clinic:
    """The rows of a clinic of one size, in the order of session days."""

    def __init__(self, size: Size) -> None:
        self._size = size
        self._random = Random(size.seed)
        self._protocols = {protocol.id: protocol for protocol in seed_protocols()}
        self._tail = [term for term in vocabulary().terms if 1 in term.grades and not term.expected]
        self._patients = [self._patient(number) for number in range(size.patients)]

    def rows(self) -> Iterator[tuple[Row, list[Row]]]:
        """Each session with its events."""
        visits = sorted(self._visits(), key=lambda visit: (visit.day, visit.patient))
        for number, (visit, events) in enumerate(zip(visits, self._counts(), strict=True), start=1):
            yield self._session(number, visit, events)

    def _patient(self, number: int) -> Patient:
        pick = self._random
        course = pick.choices(_COURSES, _COURSE_WEIGHTS)[0]
        return Patient(
            mrn=f"MRN-{number:06d}",
            name=f"{pick.choice(_FIRST)} {pick.choice(_LAST)}",
            birth_date=date(1940, 1, 1) + timedelta(days=pick.randrange(365 * 63)),
            sex=pick.choice(("female", "male")),
            site=pick.choice(SITES),
            weight_kg=round(pick.uniform(48, 120), 1),
            systolic=pick.randrange(105, 146),
            diastolic=pick.randrange(62, 92),
            course=tuple(self._protocols[name] for name in course),
        )

    def _visits(self) -> Iterator[Visit]:
        """As equal a number of visits for each patient as the size allows, spaced as planned."""
        each, more = divmod(self._size.sessions, self._size.patients)
        for number, patient in enumerate(self._patients):
            count = each + (number < more)
            day = self._random.randrange(self._size.days // 2)
            for place in range(count):
                yield Visit(min(day, self._size.days - 1), number, place)
                planned = _protocol(patient, place).planned_interval_days
                day += planned + self._random.randrange(planned // 2 + 1)

    def _counts(self) -> list[int]:
        """Events of each session: as many as the size asks for, by chance, at most six in one."""
        counts = [0] * self._size.sessions
        left = self._size.events
        while left:
            chosen = self._random.randrange(len(counts))
            if counts[chosen] < _MOST_EVENTS:
                counts[chosen] += 1
                left -= 1
        return counts

    def _session(self, number: int, visit: Visit, events: int) -> tuple[Row, list[Row]]:
        patient = self._patients[visit.patient]
        protocol = _protocol(patient, visit.place)
        reference = f"V-{number:07d}"
        row = {
            "session_ref": reference,
            "site": patient.site,
            "patient_mrn": patient.mrn,
            "patient_name": patient.name,
            "birth_date": patient.birth_date,
            "sex": patient.sex,
            "protocol": protocol.id,
            "no_adverse_event": int(events == 0),
            **self._drug(patient, protocol),
            **self._times(visit, protocol),
            **self._vitals(patient),
            **self._answers(),
        }
        terms = self._terms(protocol, events)
        return row, [self._event(reference, term) for term in terms]

    def _drug(self, patient: Patient, protocol: Protocol) -> Row:
        pick = self._random
        dose = pick.choice((protocol.dose_low, protocol.dose_high))
        if protocol.dose_unit == "mg_per_kg":
            dose = round(dose * patient.weight_kg, 1)
        drawn = max(50 * -(-dose // 50), dose)
        giver, witness = pick.sample(_STAFF, 2)
        return {
            "dose_mg": dose,
            "weight_kg": patient.weight_kg,
            "route": protocol.route.value,
            "lot": f"LOT-{pick.randrange(40):03d}",
            "setting": "clinic",
            "amount_drawn_mg": drawn,
            "amount_given_mg": dose,
            "amount_wasted_mg": round(drawn - dose, 1),
            "waste_witness": witness,
            "staff": giver,
            "reported_by": giver,
        }

    def _times(self, visit: Visit, protocol: Protocol) -> Row:
        pick = self._random
        day = self._size.first_day + timedelta(days=visit.day)
        start = datetime.combine(day, time(8 + pick.randrange(9), 5 * pick.randrange(12)))
        end = start + timedelta(minutes=protocol.infusion_minutes or 5)
        left = start + timedelta(minutes=protocol.monitoring_minutes + 5 * pick.randrange(6))
        return {
            "started_at": start.isoformat(timespec="minutes"),
            "ended_at": end.isoformat(timespec="minutes"),
            "discharged_at": left.isoformat(timespec="minutes"),
            "reported_at": (left + timedelta(minutes=12)).isoformat(timespec="minutes"),
        }

    def _vitals(self, patient: Patient) -> Row:
        pick = self._random
        before = patient.systolic + pick.randrange(-6, 7), patient.diastolic + pick.randrange(-4, 5)
        rise = pick.randrange(5, 46)
        readings = {"pre": 0, "40": rise // 2, "peak": rise, "discharge": rise // 6}
        row: Row = {}
        for when, risen in readings.items():
            row[f"bp_systolic_{when}"] = before[0] + risen
            row[f"bp_diastolic_{when}"] = before[1] + risen // 2
        return row | {
            "heart_rate_peak": pick.randrange(64, 118),
            "spo2_min": pick.randrange(92, 100),
            "moaas_min": pick.choice((3, 4, 4, 5, 5, 5)),
            "cadss6_peak": min(24, int(pick.expovariate(1 / 5))),
        }

    def _answers(self) -> Row:
        pick = self._random
        row: Row = {name: int(pick.random() < 0.02) for name in columns.MISUSE}
        return row | {
            "drug_liking": round(pick.triangular(0, 100, 35), 1),
            "craving": round(pick.triangular(0, 100, 5), 1),
            "urine_drug_screen": "",
        }

    def _terms(self, protocol: Protocol, count: int) -> list[Term]:
        """Different terms for one session, mostly those that its protocol lists as common."""
        chosen: dict[str, Term] = {}
        while len(chosen) < count:
            common = self._random.random() < 0.9
            term = (
                vocabulary().get(self._random.choice(protocol.common_terms))
                if common
                else self._random.choice(self._tail)
            )
            chosen[term.id] = term
        return list(chosen.values())

    def _event(self, reference: str, term: Term) -> Row:
        pick = self._random
        grades: Sequence[int] = [grade for grade in term.grades if grade <= 3]
        weights = (70, 24, 6)[: len(grades)]
        return {
            "session_ref": reference,
            "term": term.id,
            "grade": pick.choices(grades, weights)[0],
            "onset_minutes": pick.randrange(1, 90),
            "duration_minutes": pick.randrange(5, 120),
            "outcome": pick.choice(_OUTCOMES),
            "relatedness": pick.choice(_RELATEDNESS),
            "serious": "important_medical_event" if pick.random() < 0.004 else "",
            "action": pick.choice(_ACTIONS),
            "elicitation": term.elicitation.value,
            "narrative": pick.choice(_TOLD) if pick.random() < 0.3 else "",
        }


def _protocol(patient: Patient, place: int) -> Protocol:
    """Induction first, then maintenance, where the course has both."""
    return patient.course[-1 if place >= _INDUCTION else 0]
