"""What can be filed (terms), counted together (groups) and measured (instruments)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

from safety.errors import UnknownName
from safety.model import Elicitation

CTCAE: Final = "CTCAE"
CTCAE_VERSION: Final = "5.0"
OWN_SCALE: Final = "Afterdose"
OWN_VERSION: Final = "1"


@dataclass(frozen=True, slots=True)
class Term:
    """One kind of adverse event.

    ``wording`` holds our short text for each grade that exists, and no other grade may be filed.
    ``ctcae`` is the name in CTCAE v5.0; ``None`` marks a term that CTCAE does not have, graded on
    Afterdose's own scale. ``expected`` means on the US esketamine label (table or warnings).
    ``official`` is the text of a loaded workbook, empty until then.
    """

    id: str
    name: str
    synonyms: tuple[str, ...]
    soc: str
    wording: Mapping[int, str] = field(hash=False)
    expected: bool
    elicitation: Elicitation
    ctcae: str | None = None
    official: Mapping[int, str] = field(default_factory=dict, hash=False)
    official_version: str | None = None

    @property
    def grades(self) -> tuple[int, ...]:
        """The grades that exist, ascending."""
        return tuple(self.wording)

    @property
    def scale(self) -> str:
        """Name of the grading scale, stored with every graded event."""
        return OWN_SCALE if self.ctcae is None else CTCAE

    @property
    def scale_version(self) -> str:
        """Version of the grading scale, stored with every graded event."""
        return OWN_VERSION if self.ctcae is None else CTCAE_VERSION

    def has_grade(self, grade: int) -> bool:
        """Say whether an event of this term can be filed with ``grade``."""
        return grade in self.wording

    def grades_in_words(self) -> str:
        """Say which grades exist: "grades 1 to 3", "grade 3 only"."""
        return grades_in_words(self.grades)

    def wording_for(self, grade: int) -> str:
        """Return the official text of ``grade`` when loaded, else ours.

        Raises :class:`UnknownName` when the term has no such grade.
        """
        if grade not in self.wording:
            raise UnknownName(f"{self.name} has no grade {grade}: {self.grades_in_words()}.")
        return self.official.get(grade) or self.wording[grade]

    def names(self) -> tuple[str, ...]:
        """Every name that finds the term, the shown one first."""
        official = () if self.ctcae is None else (self.ctcae,)
        return (self.name, self.id, *official, *self.synonyms)

    @classmethod
    def from_table(cls, term_id: str, table: Mapping[str, Any]) -> Self:
        """Build a term from its table in ``terms.toml``."""
        wording = {int(grade): text for grade, text in table["grade"].items()}
        return cls(
            id=term_id,
            name=table["name"],
            synonyms=tuple(table["synonyms"]),
            soc=table["soc"],
            wording=dict(sorted(wording.items())),
            expected=table.get("expected", False),
            elicitation=Elicitation(table["elicitation"]),
            ctcae=table.get("ctcae"),
        )


@dataclass(frozen=True, slots=True)
class Group:
    """Terms that are counted as one event.

    The list of members is part of a result: another list gives other numbers for the same trial.
    ``label_row`` is true when a row of the US esketamine label with this name is marked as grouped;
    the members are a default of this vocabulary all the same, as ``note`` says.
    """

    id: str
    name: str
    members: tuple[str, ...]
    label_row: bool
    note: str

    @classmethod
    def from_table(cls, group_id: str, table: Mapping[str, Any]) -> Self:
        """Build a group from its table in ``groups.toml``."""
        return cls(
            id=group_id,
            name=table["name"],
            members=tuple(table["members"]),
            label_row=table.get("label_row", False),
            note=table["note"],
        )


@dataclass(frozen=True, slots=True)
class Instrument:
    """A scale or questionnaire with its range and the direction in which it counts.

    ``threshold_mark`` and ``range_mark`` say how sure a number is: ``confirmed`` in a source,
    ``unconfirmed`` (not to be quoted as fact), ``default`` (chosen here, for the medical director
    to change) or ``none`` (there is no threshold).
    """

    id: str
    name: str
    synonyms: tuple[str, ...]
    low: float
    high: float
    range_mark: str
    direction: str
    threshold: float | None
    threshold_rule: str
    threshold_mark: str
    source: str
    note: str

    @classmethod
    def from_table(cls, instrument_id: str, table: Mapping[str, Any]) -> Self:
        """Build an instrument from its table in ``instruments.toml``."""
        return cls(
            id=instrument_id,
            name=table["name"],
            synonyms=tuple(table.get("synonyms", ())),
            low=table["low"],
            high=table["high"],
            range_mark=table["range_mark"],
            direction=table["direction"],
            threshold=table.get("threshold"),
            threshold_rule=table.get("threshold_rule", ""),
            threshold_mark=table["threshold_mark"],
            source=table["source"],
            note=table.get("note", ""),
        )


def grades_in_words(grades: tuple[int, ...]) -> str:
    """Say which grades exist in words that fit into a message."""
    if not grades:
        return "no grades"
    if len(grades) == 1:
        return f"grade {grades[0]} only"
    if grades[-1] - grades[0] == len(grades) - 1:
        return f"grades {grades[0]} to {grades[-1]}"
    return f"grades {', '.join(map(str, grades[:-1]))} and {grades[-1]}"
