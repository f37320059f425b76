"""The official CTCAE wording, once a clinic has loaded it.

The National Cancer Institute's text is in the public domain; the MedDRA codes beside it in the
workbook are licensed and never come this far.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Self

from safety.vocabulary.names import fold
from safety.vocabulary.terms import CTCAE_VERSION, Term, grades_in_words

NOT_STATED = "not stated"


@dataclass(frozen=True, slots=True)
class OfficialTerm:
    """One term of the workbook. ``soc`` and ``definition`` are empty when they were not kept."""

    name: str
    grades: Mapping[int, str] = field(hash=False)
    soc: str = ""
    definition: str = ""


@dataclass(frozen=True, slots=True)
class GradeMismatch:
    """A term whose grades here and in the workbook differ."""

    term: Term
    workbook_grades: tuple[int, ...]

    def __str__(self) -> str:
        theirs = grades_in_words(self.workbook_grades)
        return f"{self.term.name}: {self.term.grades_in_words()} here, {theirs} in the workbook"


@dataclass(frozen=True, slots=True)
class Comparison:
    """How a workbook fits the vocabulary."""

    matched: tuple[Term, ...]
    missing: tuple[Term, ...]
    mismatches: tuple[GradeMismatch, ...]


@dataclass(frozen=True, slots=True)
class OfficialWording:
    """The grade texts of one CTCAE workbook, under their CTCAE term names.

    ``version`` is what the workbook calls itself ("5.0"), or ``not stated``.
    """

    version: str
    terms: tuple[OfficialTerm, ...]
    _by_name: dict[str, OfficialTerm] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_name", {fold(term.name): term for term in self.terms})

    def find(self, ctcae: str) -> OfficialTerm | None:
        """Return the workbook's term of this name, or None."""
        return self._by_name.get(fold(ctcae))

    def texts(self, ctcae: str) -> dict[int, str]:
        """Return grade -> text of a CTCAE term; empty when the workbook lacks it."""
        term = self.find(ctcae)
        return dict(term.grades) if term else {}

    def compared_with(self, terms: Iterable[Term]) -> Comparison:
        """Say which CTCAE terms of ours the workbook has, lacks, and grades in another way."""
        ours = [(term, self.find(term.ctcae)) for term in terms if term.ctcae is not None]
        found = [(term, official) for term, official in ours if official is not None]
        return Comparison(
            matched=tuple(term for term, _ in found),
            missing=tuple(term for term, official in ours if official is None),
            mismatches=tuple(
                GradeMismatch(term, tuple(official.grades))
                for term, official in found
                if tuple(official.grades) != term.grades
            ),
        )

    def limited_to(self, terms: Iterable[Term]) -> OfficialWording:
        """Keep only what ``terms`` can show; the rest of a workbook need not be stored."""
        wanted = {fold(term.ctcae) for term in terms if term.ctcae is not None}
        kept = tuple(term for term in self.terms if fold(term.name) in wanted)
        return OfficialWording(self.version, kept)

    def rows(self) -> list[tuple[str, int, str]]:
        """Return (CTCAE term, grade, text) for storing; :meth:`from_rows` reads them back."""
        return [
            (term.name, grade, text) for term in self.terms for grade, text in term.grades.items()
        ]

    @classmethod
    def from_rows(cls, version: str, rows: Iterable[tuple[str, int, str]]) -> Self:
        """Build the wording from stored rows."""
        grades: dict[str, dict[int, str]] = {}
        for name, grade, text in rows:
            grades.setdefault(name, {})[grade] = text
        terms = (OfficialTerm(name, dict(sorted(found.items()))) for name, found in grades.items())
        return cls(version, tuple(terms))

    def fits(self) -> bool:
        """Say whether the workbook is of the version by which the vocabulary grades."""
        return self.version in (CTCAE_VERSION, NOT_STATED)
