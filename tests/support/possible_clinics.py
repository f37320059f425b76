"""Clinics that fit a published package, found by integer programming.

A patient comes by their terms in some sessions of which none can be spared; each further session
holds some of the same terms. So a clinic is, up to who is who, a number of patients for each such
set of sessions, and a number of further sessions for each set of terms that somebody has. All
counts are sums of these numbers. None is left out: where nothing is found, nothing is there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from typing import Final

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from reports.disclosure import Hidden, SafeTables
from reports.rows import ANY_EVENT, PATIENT, SESSION

Session = frozenset[int]
Patient = tuple[Session, ...]
Clinic = tuple[Patient, ...]
Cell = tuple[str, str]

EXPOSED: Final = "exposed"
ANYTHING: Final = float("inf")
INFEASIBLE: Final = 2


@dataclass(frozen=True, slots=True)
class Between:
    """A sum of cells, each a (term, unit), with its factor, lies from ``low`` to ``high``."""

    cells: Mapping[Cell, int]
    low: float
    high: float


def equal(cell: Cell, value: float) -> Between:
    """The cell has this value."""
    return Between({cell: 1}, value, value)


@dataclass(frozen=True, slots=True)
class Package:
    """What an attacker knows of one protocol that is not hidden as a whole, units being both.

    ``certain`` holds, and so does at least one member of each of the ``reasons``.
    """

    terms: int
    certain: tuple[Between, ...]
    reasons: tuple[tuple[Between, ...], ...]

    @classmethod
    def read(cls, tables: SafeTables, limit: int) -> Package:
        """Set out what is shown, and by the rules why the rest is not."""
        written: dict[Cell, float | Hidden] = {}
        for row in tables.incidence:
            written[row.term, row.unit] = row.with_event
            written[EXPOSED, row.unit] = row.exposed
        shown = {cell: value for cell, value in written.items() if not isinstance(value, Hidden)}
        terms = {row.term for row in tables.incidence} - {ANY_EVENT}
        hidden = sorted(term for term in terms if (term, SESSION) not in shown)
        reasons = [tuple(_own_cells(term, limit)) for term in hidden]
        if not shown.keys() >= {(ANY_EVENT, SESSION), (ANY_EVENT, PATIENT)}:
            parts = sorted(terms - set(hidden))
            reasons.append(tuple(_any_event(parts, len(hidden), shown, limit)))
        certain = tuple(equal(cell, value) for cell, value in shown.items())
        return cls(len(terms), certain, tuple(reasons))

    def clinic(self, *also: Between) -> Clinic | None:
        """A clinic that gives this package and has ``also``; None if there is none."""
        model = _Model.of(self.terms)
        numbers = model.solve([*self.certain, *also], self.reasons)
        return None if numbers is None else model.clinic(numbers)


def _own_cells(term: str, limit: int) -> Iterator[Between]:
    for unit in (SESSION, PATIENT):
        yield Between({(term, unit): 1}, 1, limit)
        yield Between({(EXPOSED, unit): 1, (term, unit): -1}, 1, limit)
    yield Between({(term, SESSION): 1, (term, PATIENT): -1}, 1, limit)


def _any_event(
    parts: Sequence[str], hidden: int, shown: Mapping[Cell, float], limit: int
) -> Iterator[Between]:
    yield from _own_cells(ANY_EVENT, limit)
    for unit in (SESSION, PATIENT):
        for part in parts:
            yield Between({(ANY_EVENT, unit): 1, (part, unit): -1}, 1, limit)
        shared = max(sum(shown[part, unit] > 0 for part in parts) - 1, 0)
        rest = {(ANY_EVENT, unit): 1} | {(part, unit): -1 for part in parts}
        yield Between(rest, (hidden - 1) * limit + 2 - shared, ANYTHING)


class _Model:
    """Unknowns, in order: patients by the sessions they cannot spare, further sessions by terms."""

    def __init__(self, terms: int) -> None:
        self._patients: list[Patient] = [(frozenset(),), *_spare_none(terms)]
        self._further = _subsets(terms)
        columns: list[Patient] = [*self._patients, *((session,) for session in self._further)]
        self._unknowns = len(columns)
        names = [EXPOSED, ANY_EVENT, *(f"t{i}" for i in range(terms))]
        self._weights: dict[Cell, np.ndarray] = {}
        for name in names:
            per_session = [[_holds(session, name) for session in each] for each in columns]
            self._weights[name, SESSION] = np.array([sum(each) for each in per_session])
            had = [any(each) for each in per_session[: len(self._patients)]]
            self._weights[name, PATIENT] = np.array([*had, *(False for _ in self._further)])

    @classmethod
    @cache
    def of(cls, terms: int) -> _Model:
        return cls(terms)

    def solve(
        self, certain: Sequence[Between], reasons: Sequence[Sequence[Between]]
    ) -> np.ndarray | None:
        """Values of the unknowns, with one 0 or 1 more for each reason: whether it is used."""
        every = [(reason, place) for place, group in enumerate(reasons) for reason in group]
        # More than a sum of cells can be off.
        most = 1 + sum(each.high for each in certain) + sum(each.low for each, _ in every)
        rows = [(self._row(each), np.zeros(len(every)), each.low, each.high) for each in certain]
        for place, (each, _) in enumerate(every):
            used = np.eye(len(every))[place] * most
            rows.append((self._row(each), -used, each.low - most, ANYTHING))
            if each.high < ANYTHING:
                rows.append((self._row(each), used, -ANYTHING, each.high + most))
        for place in range(len(reasons)):
            used = np.array([float(group == place) for _, group in every])
            rows.append((np.zeros(self._unknowns), used, 1, ANYTHING))
        rows += [(row, np.zeros(len(every)), -ANYTHING, 0) for row in self._needs_a_patient(most)]
        size = self._unknowns + len(every)
        upper = np.concatenate([np.full(self._unknowns, most), np.ones(len(every))])
        matrix = np.array([np.concatenate([row, used]) for row, used, _, _ in rows])
        limits = LinearConstraint(matrix, [row[2] for row in rows], [row[3] for row in rows])
        found = milp(
            np.zeros(size), constraints=limits, integrality=np.ones(size), bounds=Bounds(0, upper)
        )
        if found.status == INFEASIBLE:
            return None
        if not found.success:
            raise RuntimeError(found.message)
        return np.array([round(number) for number in found.x[: self._unknowns]])

    def _row(self, each: Between) -> np.ndarray:
        row = np.zeros(self._unknowns)
        for cell, factor in each.cells.items():
            row += factor * self._weights[cell]
        return row

    def _needs_a_patient(self, most: float) -> Iterator[np.ndarray]:
        """A further session belongs to somebody who has its terms."""
        for place, session in enumerate(self._further):
            row = np.zeros(self._unknowns)
            row[len(self._patients) + place] = 1
            for owner, sessions in enumerate(self._patients):
                row[owner] = -most if session <= frozenset().union(*sessions) else 0
            yield row

    def clinic(self, numbers: np.ndarray) -> Clinic:
        """Hand the further sessions out and list every patient."""
        patients = [
            list(sessions)
            for sessions, number in zip(self._patients, numbers, strict=False)
            for _ in range(number)
        ]
        for session, number in zip(self._further, numbers[len(self._patients) :], strict=True):
            if number:
                owner = next(each for each in patients if session <= frozenset().union(*each))
                owner.extend([session] * number)
        return tuple(tuple(each) for each in patients)


def _holds(session: Session, name: str) -> bool:
    if name in {EXPOSED, ANY_EVENT}:
        return name == EXPOSED or bool(session)
    return int(name[1:]) in session


def _subsets(terms: int) -> list[Session]:
    return [frozenset(i for i in range(terms) if mask >> i & 1) for mask in range(2**terms)]


def _spare_none(terms: int) -> Iterator[Patient]:
    """Sets of sessions each of which has a term that no other has."""
    for size in range(1, terms + 1):
        for sessions in combinations(_subsets(terms)[1:], size):
            everything = frozenset[int]().union(*sessions)
            if all(
                frozenset[int]().union(*(each for each in sessions if each != one)) != everything
                for one in sessions
            ):
                yield sessions
