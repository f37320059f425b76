"""The vocabulary as a whole: find, search, and the members of a group."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from safety.errors import UnknownName
from safety.vocabulary.names import NameIndex
from safety.vocabulary.official import OfficialWording
from safety.vocabulary.terms import Group, Instrument, Term


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Every term, group and instrument that a report can name.

    Raises ``ValueError`` when two of them share a name or a group names a term that is not there.
    """

    terms: tuple[Term, ...]
    groups: tuple[Group, ...]
    instruments: tuple[Instrument, ...]
    _events: NameIndex[Term | Group] = field(init=False, repr=False, compare=False)
    _ids: dict[str, Term | Group | Instrument] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        named: list[tuple[Term | Group, tuple[str, ...]]] = [
            *((term, term.names()) for term in self.terms),
            *((group, (group.name, group.id)) for group in self.groups),
        ]
        everything: tuple[Term | Group | Instrument, ...]
        everything = (*self.terms, *self.groups, *self.instruments)
        object.__setattr__(self, "_events", NameIndex("term", "vocabulary", named))
        object.__setattr__(self, "_ids", {entry.id: entry for entry in everything})
        known = {term.id for term in self.terms}
        for group in self.groups:
            if strangers := set(group.members) - known:
                raise ValueError(f"group {group.id!r} names {sorted(strangers)}, not terms")

    def find(self, text: str) -> Term:
        """Return the term of this id, name or synonym, in any letter case.

        Raises :class:`UnknownName` with up to three close names. The message never repeats text
        that is unlike every name, since a cell may hold a patient's name by mistake.
        """
        found = self._events.find(text)
        if isinstance(found, Group):
            raise UnknownName(f"{found.name} is a group for counting. File one of its terms.")
        return found

    def get(self, term_id: str) -> Term:
        """Return the term of exactly this id; raise :class:`UnknownName`."""
        term = self._ids.get(term_id)
        if not isinstance(term, Term):
            raise UnknownName("There is no term with this id. List them with: afterdose vocabulary")
        return term

    def group(self, text: str) -> Group:
        """Return the group of this id or name; raise :class:`UnknownName`."""
        found = self._events.find(text)
        if not isinstance(found, Group):
            raise UnknownName(f"{found.name} is a term, not a group.")
        return found

    def instrument(self, instrument_id: str) -> Instrument:
        """Return the instrument of exactly this id; raise :class:`UnknownName`."""
        instrument = self._ids.get(instrument_id)
        if not isinstance(instrument, Instrument):
            raise UnknownName("There is no instrument with this id.")
        return instrument

    def search(self, text: str, limit: int = 10) -> tuple[Term, ...]:
        """Return terms with ``text`` in a name or synonym, the best fit first."""
        found = self._events.search(text, limit + len(self.groups))
        return tuple(each for each in found if isinstance(each, Term))[:limit]

    def members(self, text: str) -> frozenset[str]:
        """Return the term ids that a term or group stands for; raise :class:`UnknownName`."""
        found = self._events.find(text)
        return frozenset(found.members if isinstance(found, Group) else (found.id,))

    def with_official(self, wording: OfficialWording) -> Vocabulary:
        """Return the same vocabulary, showing the wording of a loaded CTCAE workbook."""
        return replace(self, terms=tuple(_worded(term, wording) for term in self.terms))


def _worded(term: Term, wording: OfficialWording) -> Term:
    texts = {} if term.ctcae is None else wording.texts(term.ctcae)
    if not texts:
        return term
    return replace(term, official=texts, official_version=wording.version)


def read_tables(name: str) -> dict[str, dict[str, Any]]:
    """Return the tables of one of the TOML files that come with this package."""
    with Path(__file__).with_name(name).open("rb") as file:
        return tomllib.load(file)


@cache
def vocabulary() -> Vocabulary:
    """Return the vocabulary that comes with Afterdose, read once."""
    return Vocabulary(
        terms=tuple(Term.from_table(*item) for item in read_tables("terms.toml").items()),
        groups=tuple(Group.from_table(*item) for item in read_tables("groups.toml").items()),
        instruments=tuple(
            Instrument.from_table(*item) for item in read_tables("instruments.toml").items()
        ),
    )
