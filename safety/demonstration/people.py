"""Invented patients: who they are, what they are treated with, and how they react."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Final

_FIRST: Final = (
    "Wren", "Linden", "Juniper", "Ash", "Marlowe", "Briar", "Rowan", "Sage", "Hollis", "Clove",
    "Fern", "Alder", "Maple", "Reed", "Ivy", "Cedar", "Hazel", "Basil", "Laurel", "Moss",
)  # fmt: skip
_LAST: Final = (
    "Ashgrove", "Birchwater", "Coppermill", "Dunmarsh", "Elderbrook", "Fennimore-Pond",
    "Gallowglen", "Hartlebank", "Inkwell", "Jackdaw", "Kettleborough", "Larkmeadow",
)  # fmt: skip
PATIENTS: Final = 64
YEARS: Final = 2


@dataclass(frozen=True, slots=True)
class Course:
    """One protocol of a patient's treatment: how many sessions, how many days apart."""

    protocol: str
    route: str
    interval_days: float
    sessions: int
    minutes: int
    mg_per_kg: float | None = None
    mg: float | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """An invented patient. ``sensitivity`` scales how often effects appear."""

    mrn: str
    name: str
    birth_date: date
    sex: str
    site: str
    start: date
    weight_kg: float
    systolic: int
    diastolic: int
    sensitivity: float
    reaches_for_more: bool
    courses: tuple[Course, ...]


def people(random: Random, today: date) -> list[Person]:
    """The patients of the demonstration, the same ones each time."""
    first_day = today - timedelta(days=365 * YEARS)
    return [_person(random, number, first_day) for number in range(PATIENTS)]


def _person(random: Random, number: int, first_day: date) -> Person:
    joined = int((number / PATIENTS) ** 1.2 * (365 * YEARS - 40))
    return Person(
        mrn=f"DEMO-{40_211 + number * 37}",
        name=f"{_FIRST[number % len(_FIRST)]} {_LAST[number % len(_LAST)]}",
        birth_date=date(random.randint(1948, 2003), random.randint(1, 12), random.randint(1, 28)),
        sex=random.choice(("female", "female", "male")),
        site="Main Street" if number % 3 else "Harbour Annex",
        start=first_day + timedelta(days=joined),
        weight_kg=round(random.gauss(78, 14), 1),
        systolic=round(random.gauss(124, 9)),
        diastolic=round(random.gauss(78, 6)),
        sensitivity=random.uniform(0.6, 1.4),
        reaches_for_more=number == 21,
        courses=_courses(random, number),
    )


def _courses(random: Random, number: int) -> tuple[Course, ...]:
    kind = number % 10
    if kind in (0, 3, 5, 8):
        return (
            Course("iv_ketamine_depression_induction", "intravenous", 3, 6, 40, mg_per_kg=0.5),
            Course("iv_ketamine_depression_maintenance", "intravenous", 14, 44, 40, mg_per_kg=0.5),
        )
    if kind in (1, 2, 6, 7):
        return (
            Course("esketamine_nasal_induction", "intranasal", 3.5, 8, 10, mg=56),
            Course(
                "esketamine_nasal_maintenance",
                "intranasal",
                random.choice((7, 7, 14)),
                95,
                10,
                mg=random.choice((56, 84, 84)),
            ),
        )
    if kind == 4:
        return (Course("im_ketamine_depression", "intramuscular", 10, 60, 1, mg_per_kg=0.7),)
    return (Course("ketamine_pain_multiday_infusion", "intravenous", 28, 24, 300, mg_per_kg=1.4),)
