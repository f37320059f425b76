"""The tables of a package as columns and cells, the same for every format."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from reports.disclosure import Hidden, SafeExposureRow, SafeRateRow
from reports.quarterly.content import PackageContent, TermDefinition

Cell = str | int | float | None

DECIMALS: Final = 6
"""Estimates are rounded so that two machines write the same digits."""


class Kind(StrEnum):
    """What a column holds. Only text is escaped against formulas."""

    TEXT = "text"
    COUNT = "count"
    AMOUNT = "count or months"
    ESTIMATE = "fraction or rate"


@dataclass(frozen=True, slots=True)
class Column:
    """A column by the name in its header, and its line in the data dictionary."""

    name: str
    kind: Kind
    meaning: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table: ``name`` titles the sheet and, in lower case, names the CSV file."""

    name: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]

    @property
    def file_name(self) -> str:
        """Name of the CSV file."""
        return f"{self.name.lower()}.csv"


_PROTOCOL: Final = (
    Column("protocol", Kind.TEXT, "Identifier of the treatment protocol."),
    Column("protocol_name", Kind.TEXT, "Name of the treatment protocol."),
)
EXPOSURE: Final = (
    *_PROTOCOL,
    Column("sessions", Kind.COUNT, "Sessions that began on a day of the quarter."),
    Column("patients", Kind.COUNT, "Patients with at least one of these sessions."),
    Column("reports_amended", Kind.COUNT, "Session reports of which a later version was filed."),
    Column(
        "sessions_nothing_said",
        Kind.COUNT,
        "Sessions whose report neither names an adverse event nor says that there was none.",
    ),
)
INCIDENCE: Final = (
    *_PROTOCOL,
    Column("term", Kind.TEXT, "Identifier of the adverse event term, or any adverse event."),
    Column("term_name", Kind.TEXT, "Name of the term."),
    Column("unit", Kind.TEXT, "What is counted: session, patient or patient-month."),
    Column("with_event", Kind.COUNT, "Sessions or patients with the event at least once."),
    Column("exposed", Kind.AMOUNT, "All sessions or patients, or the months at risk."),
    Column("events", Kind.COUNT, "Adverse events, repeats included."),
    Column("estimate", Kind.ESTIMATE, "Share with the event; for patient-month, rate per 100."),
    Column("low", Kind.ESTIMATE, "Lower limit of the 95 % interval."),
    Column("high", Kind.ESTIMATE, "Upper limit of the 95 % interval."),
    Column("method", Kind.TEXT, "Method of the interval."),
)
GRADES: Final = (1, 2, 3, 4, 5)
DEFINITIONS: Final = (
    Column("term", Kind.TEXT, "Identifier of the adverse event term."),
    Column("name", Kind.TEXT, "Name of the term."),
    Column("system_organ_class", Kind.TEXT, "Body system under which the term is listed."),
    Column("scale", Kind.TEXT, "Grading scale and version. Grade is severity, not seriousness."),
    Column("expected", Kind.TEXT, "yes: on the product label; no: not on it."),
    *(
        Column(f"grade_{grade}", Kind.TEXT, f"Wording of grade {grade}; empty: no such grade.")
        for grade in GRADES
    ),
)


def sheets(content: PackageContent) -> tuple[Sheet, ...]:
    """Exposure, incidence and definitions, in that order."""
    tables = content.tables
    definitions = sorted(content.definitions, key=lambda each: each.term)
    return (
        Sheet("Exposure", EXPOSURE, tuple(map(_exposure_cells, tables.exposure))),
        Sheet("Incidence", INCIDENCE, tuple(map(_incidence_cells, tables.incidence))),
        Sheet("Definitions", DEFINITIONS, tuple(map(_definition_cells, definitions))),
    )


def _exposure_cells(row: SafeExposureRow) -> tuple[Cell, ...]:
    return (
        row.protocol,
        row.protocol_name,
        _cell(row.sessions),
        _cell(row.patients),
        _cell(row.reports_amended),
        _cell(row.sessions_nothing_said),
    )


def _incidence_cells(row: SafeRateRow) -> tuple[Cell, ...]:
    return (
        row.protocol,
        row.protocol_name,
        row.term,
        row.term_name,
        row.unit,
        _cell(row.with_event),
        _cell(row.exposed),
        _cell(row.events),
        _cell(row.estimate),
        _cell(row.low),
        _cell(row.high),
        row.method,
    )


def _definition_cells(row: TermDefinition) -> tuple[Cell, ...]:
    wording = dict(row.grades)
    return (
        row.term,
        row.name,
        row.system_organ_class,
        row.scale,
        "yes" if row.expected else "no",
        *(wording.get(grade) for grade in GRADES),
    )


def _cell(value: float | Hidden | None) -> Cell:
    if isinstance(value, Hidden):
        return str(value)
    return round(value, DECIMALS) if isinstance(value, float) else value
