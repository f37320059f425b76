"""Invented sessions: plausible doses, pressures and effects, which fade with repetition.

The probabilities are made up. They resemble published figures in order of magnitude only and say
nothing about any drug.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any, Final

from safety.demonstration.people import Course, Person

Cells = dict[str, Any]
_NURSES: Final = ("Nora Nurse", "Theo Nightshift", "Ines Dayshift")

_EFFECTS: Final[dict[str, tuple[float, float, int, str]]] = {
    # probability at the first session, what of it is left later, minutes to onset, elicitation
    "dissociation": (0.46, 0.35, 15, "solicited"),
    "dizziness": (0.30, 0.55, 12, "solicited"),
    "sedation": (0.24, 0.50, 20, "observed"),
    "nausea": (0.20, 0.60, 30, "solicited"),
    "headache": (0.12, 0.80, 60, "spontaneous"),
    "anxiety": (0.08, 0.50, 10, "solicited"),
    "vomiting": (0.05, 0.60, 40, "observed"),
    "feeling_abnormal": (0.06, 0.40, 15, "solicited"),
    "blurred_vision": (0.05, 0.70, 20, "solicited"),
    "hypoaesthesia": (0.07, 0.60, 15, "solicited"),
    "dysgeusia": (0.10, 0.90, 5, "solicited"),
    "urinary_urgency": (0.006, 2.5, 120, "spontaneous"),
}
_NASAL_ONLY: Final = frozenset({"dysgeusia"})
_SICKER_BY_MUSCLE: Final = frozenset({"nausea", "vomiting"})
_HIGHEST_GRADES: Final = {"dissociation": 3, "dizziness": 3, "sedation": 3, "nausea": 3}


@dataclass(frozen=True, slots=True)
class Session:
    """A row of SESSIONS.csv and its rows of EVENTS.csv."""

    cells: Cells
    events: list[Cells]


def sessions(random: Random, person: Person, until: date) -> Iterator[Session]:
    """The sessions of a patient, up to and including ``until``."""
    day, number = person.start, 0
    for course in person.courses:
        for _ in range(course.sessions):
            number += 1
            if day.weekday() == 6:
                day += timedelta(days=1)
            if day > until:
                return
            if random.random() > 0.03:  # some are cancelled
                yield _session(random, person, course, day, number)
            day += timedelta(days=_gap(random, person, course, number))


def _gap(random: Random, person: Person, course: Course, number: int) -> int:
    wanted = course.interval_days
    if person.reaches_for_more and number > 14:
        wanted *= 0.72
    return max(2, round(random.gauss(wanted, wanted * 0.08)))


def _session(random: Random, person: Person, course: Course, day: date, number: int) -> Session:
    start = datetime.combine(day, time(9 + random.randrange(7), random.choice((0, 15, 30, 45))))
    dose = _dose(random, person, course, number)
    reference = f"{person.mrn}-{number:03d}"
    events = list(_events(random, person, course, number, reference))
    nurse = random.choice(_NURSES)
    left = start + timedelta(minutes=max(course.minutes, 60) + random.randint(65, 110))
    cells: Cells = {
        "session_ref": reference,
        "site": person.site,
        "patient_mrn": person.mrn,
        "patient_name": person.name,
        "birth_date": person.birth_date.isoformat(),
        "sex": person.sex,
        "protocol": course.protocol,
        "started_at": start.isoformat(timespec="minutes"),
        "ended_at": (start + timedelta(minutes=course.minutes)).isoformat(timespec="minutes"),
        "discharged_at": left.isoformat(timespec="minutes"),
        "dose_mg": dose,
        "weight_kg": person.weight_kg,
        "route": course.route,
        "lot": f"D{day:%y%m}",
        "setting": "clinic",
        "heart_rate_peak": round(random.gauss(88, 10)),
        "spo2_min": min(100, round(random.gauss(97, 1))),
        "moaas_min": 4 if any(event["term"] == "sedation" for event in events) else 5,
        "cadss6_peak": _cadss(random, person, number, events),
        "reported_by": nurse,
        "reported_at": (left + timedelta(minutes=random.randint(2, 25))).isoformat(
            timespec="minutes"
        ),
        "no_adverse_event": "" if events else 1,
        "staff": nurse,
        **_pressures(random, person, number),
        **_screen(random, person, number),
        **_amounts(random, course, dose, nurse),
    }
    return Session(cells, events)


def _dose(random: Random, person: Person, course: Course, number: int) -> float:
    if course.mg is not None:
        return course.mg if number > 2 else 56
    per_kg = course.mg_per_kg or 0.5
    if person.reaches_for_more and number > 12:
        per_kg *= min(1.7, 1 + 0.06 * (number - 12))
    return round(person.weight_kg * per_kg * random.uniform(0.98, 1.02), 1)


def _events(
    random: Random, person: Person, course: Course, number: int, reference: str
) -> Iterator[Cells]:
    for term, (at_first, left_later, onset, elicitation) in _EFFECTS.items():
        chance = at_first * person.sensitivity
        chance *= left_later + (1 - left_later) * 0.8 ** (number - 1)
        if term in _NASAL_ONLY and course.route != "intranasal":
            continue
        if term in _SICKER_BY_MUSCLE and course.route == "intramuscular":
            chance *= 2.0
        if random.random() < chance:
            grade = _grade(random, term)
            yield {
                "session_ref": reference,
                "term": term,
                "grade": grade,
                "onset_minutes": max(1, round(random.gauss(onset, onset / 4))),
                "duration_minutes": max(5, round(random.gauss(45, 15))),
                "outcome": "recovered",
                "relatedness": "probable" if grade > 1 else "possible",
                "elicitation": elicitation,
            }
    if (person.mrn, number) == ("DEMO-40803", 5):
        yield {
            "session_ref": reference,
            "term": "syncope",
            "grade": 3,
            "onset_minutes": 95,
            "duration_minutes": 2,
            "outcome": "recovered",
            "relatedness": "probable",
            "serious": "important_medical_event",
            "action": "Lying down, fluids, observed overnight",
            "elicitation": "observed",
            "narrative": "Fainted on standing up to leave; no injury.",
        }


def _grade(random: Random, term: str) -> int:
    roll = random.random()
    highest = _HIGHEST_GRADES.get(term, 1)
    return min(highest, 1 if roll < 0.74 else 2 if roll < 0.97 else 3)


def _cadss(random: Random, person: Person, number: int, events: list[Cells]) -> int:
    felt = any(event["term"] == "dissociation" for event in events)
    centre = (9 if felt else 3) * person.sensitivity * (0.4 + 0.6 * 0.85**number)
    return max(0, min(24, round(random.gauss(centre, 2))))


def _pressures(random: Random, person: Person, number: int) -> Cells:
    high = person.systolic + round(random.gauss(0, 6))
    low = min(high - 20, person.diastolic + round(random.gauss(0, 4)))
    rise = max(0, random.gauss(24, 13) * (0.75 + 0.25 * 0.9**number))
    rise_low = rise * random.uniform(0.4, 0.65)
    return {
        "bp_systolic_pre": high,
        "bp_diastolic_pre": low,
        "bp_systolic_40": round(high + rise * 0.9),
        "bp_diastolic_40": round(low + rise_low * 0.9),
        "bp_systolic_peak": round(high + rise),
        "bp_diastolic_peak": round(low + rise_low),
        "bp_systolic_discharge": round(high + rise * 0.25),
        "bp_diastolic_discharge": round(low + rise_low * 0.25),
    }


def _screen(random: Random, person: Person, number: int) -> Cells:
    more = person.reaches_for_more and number > 12
    return {
        "drug_liking": min(100, round(random.gauss(78 if more else 45, 10))),
        "craving": max(0, min(100, round(random.gauss(60 if more else 8, 6)))),
        "early_session_request": int(more and random.random() < 0.5),
        "dose_increase_request": int(more and random.random() < 0.4),
        "extra_session_request": int(random.random() < 0.01),
        "lost_medication": "",
        "outside_use": 0,
        "impaired_on_arrival": 0,
        "concealment": 0,
    }


def _amounts(random: Random, course: Course, dose: float, nurse: str) -> Cells:
    if course.route == "intranasal":
        return {}
    drawn = max(50.0, 10 * round(dose / 10 + 0.5))
    witness = random.choice([name for name in _NURSES if name != nurse])
    return {
        "amount_drawn_mg": drawn,
        "amount_given_mg": dose,
        "amount_wasted_mg": round(drawn - dose, 1),
        "waste_witness": witness,
    }
