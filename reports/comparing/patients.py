"""Sums over patients from which two clustered arms are compared.

Sums are enough: no row a patient has to leave the store. In the names, the word before ``_by_`` is
of the arm and the word after it of the reference.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Self

from reports.clustered import PatientSums
from reports.intervals import whole_number


@dataclass(frozen=True, slots=True)
class SharedSums:
    """Sums over the patients in both arms: of 1, m1 m0, x1 m0, m1 x0 and x1 x0.

    Raises ValueError.
    """

    patients: int = 0
    sessions_by_sessions: int = 0
    affected_by_sessions: int = 0
    sessions_by_affected: int = 0
    affected_by_affected: int = 0

    def __post_init__(self) -> None:
        _check_counts(self)
        _check_order((self.patients, self.sessions_by_sessions), "shared patients and sessions")
        for mixed in (self.affected_by_sessions, self.sessions_by_affected):
            _check_order(
                (self.affected_by_affected, mixed, self.sessions_by_sessions),
                "the sums of products of shared patients",
            )


@dataclass(frozen=True, slots=True)
class TwoArms:
    """Sums of both arms and of the patients they share. Raises ValueError."""

    arm: PatientSums
    reference: PatientSums
    shared: SharedSums

    def __post_init__(self) -> None:
        if self.shared.patients > min(self.arm.patients, self.reference.patients):
            raise ValueError("more patients shared than one arm has")

    @property
    def patients(self) -> int:
        """Patients with a session in either arm, each once."""
        return self.arm.patients + self.reference.patients - self.shared.patients

    @classmethod
    def of_patients(
        cls,
        patients: Sequence[Any],
        arm: tuple[Iterable[Any], Iterable[Any]],
        reference: tuple[Iterable[Any], Iterable[Any]],
    ) -> Self:
        """Sum up one row a patient: for each arm, sessions and sessions with the event.

        A patient without a session in an arm is not in it. Raises ValueError for counts that cannot
        be, columns of different length and a patient with two rows.
        """
        if len({*patients}) != len(patients):
            raise ValueError("a patient with two rows")
        ones, zeros = _rows(arm, len(patients)), _rows(reference, len(patients))
        both = [(m1, x1, m0, x0) for (m1, x1), (m0, x0) in zip(ones, zeros, strict=True)
                if m1 and m0]  # fmt: skip
        shared = SharedSums(
            len(both),
            sum(m1 * m0 for m1, _, m0, _ in both),
            sum(x1 * m0 for _, x1, m0, _ in both),
            sum(m1 * x0 for m1, _, _, x0 in both),
            sum(x1 * x0 for _, x1, _, x0 in both),
        )
        return cls(_sums(ones), _sums(zeros), shared)


def _rows(columns: tuple[Iterable[Any], Iterable[Any]], patients: int) -> list[tuple[int, int]]:
    sessions = [whole_number(m, "sessions") for m in columns[0]]
    affected = [whole_number(x, "affected") for x in columns[1]]
    if not len(sessions) == len(affected) == patients:
        raise ValueError("columns of different length")
    rows = list(zip(sessions, affected, strict=True))
    for m, x in rows:
        if x > m:
            raise ValueError(f"a patient with {x} affected of {m} sessions")
    return rows


def _sums(rows: Iterable[tuple[int, int]]) -> PatientSums:
    pairs = tuple(rows)
    return PatientSums.of((m for m, _ in pairs), (x for _, x in pairs))


def _check_counts(sums: SharedSums) -> None:
    for name in sums.__slots__:
        object.__setattr__(sums, name, whole_number(getattr(sums, name), name))


def _check_order(rising: Sequence[int], what: str) -> None:
    if list(rising) != sorted(rising):
        raise ValueError(f"sums that no patients have: {what} are {', '.join(map(str, rising))}")
