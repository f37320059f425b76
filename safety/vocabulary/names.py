"""Find a thing by any of its names, as people and spreadsheets write them.

Names are compared folded: any letter case, and spaces, hyphens and underscores alike.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Final, Generic, TypeVar

from safety.errors import UnknownName

T = TypeVar("T")

_SEPARATORS: Final = re.compile(r"[\s_\-\u2010-\u2015]+")
_REMEMBERED: Final = 5_000  # spellings kept beside the folded names; bounds memory, not results
_QUOTED: Final = 40
_CLOSE: Final = 0.8  # of difflib; lower, and a person's name begins to look like a term


def fold(text: str) -> str:
    """Return the form in which names are compared."""
    plain = unicodedata.normalize("NFKC", text).replace("\u2019", "'")
    return _SEPARATORS.sub(" ", plain).strip().casefold()


class NameIndex(Generic[T]):
    """Things under their names; the first name of each is the one that is shown.

    ``kind`` is the word for such a thing in messages, ``listing`` the command that lists them all.
    Raises ``ValueError`` when two things share a name: a name must lead to one thing.
    """

    __slots__ = ("_exact", "_folded", "_listing", "_names", "_shown", "kind")

    def __init__(self, kind: str, listing: str, things: Iterable[tuple[T, Sequence[str]]]) -> None:
        self.kind = kind
        self._listing = listing
        self._shown: list[tuple[T, str]] = []
        self._folded: dict[str, int] = {}
        self._names: list[tuple[str, int, bool]] = []
        self._exact: dict[str, T] = {}
        for thing, names in things:
            self._add(thing, names)

    def _add(self, thing: T, names: Sequence[str]) -> None:
        place = len(self._shown)
        self._shown.append((thing, names[0]))
        for folded in dict.fromkeys(map(fold, names)):
            holder = self._folded.setdefault(folded, place)
            if holder != place:
                other = self._shown[holder][1]
                raise ValueError(f"{folded!r} names both {other!r} and {names[0]!r}")
            self._names.append((folded, place, folded == fold(names[0])))

    def find(self, text: str) -> T:
        """Return the thing of this name; raise :class:`UnknownName` with what comes close."""
        known = self._exact.get(text)
        if known is not None:
            return known
        place = self._folded.get(fold(text))
        if place is None:
            raise UnknownName(self._unknown(text))
        thing = self._shown[place][0]
        if len(self._exact) < _REMEMBERED:
            self._exact[text] = thing
        return thing

    def search(self, text: str, limit: int = 10) -> tuple[T, ...]:
        """Return things with ``text`` in a name: whole names first, then beginnings, then parts."""
        query = fold(text)
        if not query:
            return ()
        best: dict[int, float] = {}
        for name, place, shown in self._names:
            if query in name:
                rank = _rank(query, name) + (0.0 if shown else 0.5)
                best[place] = min(rank, best.get(place, rank))
        places = sorted(best, key=lambda place: (best[place], place))
        return tuple(self._shown[place][0] for place in places[:limit])

    def suggestions(self, text: str) -> tuple[str, ...]:
        """Return up to three shown names that ``text`` may be meant for, the best first."""
        query = fold(text)
        if not 3 <= len(query) <= _QUOTED:
            return ()
        near = [self._folded[name] for name in get_close_matches(query, self._folded, 6, _CLOSE)]
        holding = [at for name, at, shown in self._names if shown and f" {query}" in f" {name}"]
        places = list(dict.fromkeys([*near, *holding]))
        return tuple(self._shown[place][1] for place in places[:3])

    def _unknown(self, text: str) -> str:
        # What was typed may be a patient's name in the wrong column. It is repeated only when it
        # resembles a name of ours, and then it is one.
        near = self.suggestions(text)
        if near and text.isprintable():
            return f'"{text[:_QUOTED]}" is not a known {self.kind}. Did you mean {_or(near)}?'
        return (
            f"The {self.kind} in this row is not known. List them with: afterdose {self._listing}"
        )


def _rank(query: str, name: str) -> int:
    if name == query:
        return 0
    if name.startswith(query):
        return 1
    return 2 if f" {query}" in name else 3


def _or(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
