"""Who was watched from when to when, and how many were at risk at the time of each event."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Watched:
    """People, a place each: the end of follow-up, how it ended (0 without event), its beginning."""

    exits: Floats
    codes: NDArray[np.int64]
    begun: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """For each time with any event: how many were at risk, and how many had which event."""

    times: Floats
    at_risk: Floats
    any_event: Floats
    event: Floats


def watched(times: ArrayLike, codes: ArrayLike, entries: ArrayLike | None) -> Watched:
    """Read people from rows of the same length. Raises ValueError for what cannot be."""
    exits, ended = moments(times, "times"), _codes(codes)
    if ended.shape != exits.shape:
        raise ValueError(f"{ended.size} codes for {exits.size} times")
    return Watched(exits, ended, entered(entries, exits))


def at_risk_table(people: Watched, code: int) -> Table:
    """Count events: at risk at t is who entered before t and had not left before t."""
    exits, codes = people.exits, people.codes
    times = np.unique(exits[codes > 0])
    at_risk = _at_or_after(exits, times) - _at_or_after(people.begun, times)
    any_event = _at_or_after(exits[codes > 0], times)
    event = _at_or_after(exits[codes == code], times)
    return Table(times, at_risk, _each(any_event), _each(event))


def _at_or_after(numbers: Floats, times: Floats) -> Floats:
    counted: Floats = (numbers.size - np.searchsorted(np.sort(numbers), times)).astype(float)
    return counted


def _each(at_or_after: Floats) -> Floats:
    each: Floats = at_or_after - np.append(at_or_after[1:], 0)
    return each


def _codes(codes: ArrayLike) -> NDArray[np.int64]:
    given = np.asarray(codes)
    if given.ndim != 1 or (given.size and given.dtype.kind not in "biu"):
        raise ValueError("codes must be a row of whole numbers")
    if np.any(given < 0):
        raise ValueError("codes must be 0 or more")
    return given.astype(np.int64)


def moments(times: ArrayLike, name: str) -> Floats:
    """A row of finite times of 0 or more. Raises ValueError."""
    taken = np.asarray(times, dtype=np.float64)
    if taken.ndim != 1 or not np.all(np.isfinite(taken) & (taken >= 0)):
        raise ValueError(f"{name} must be a row of finite numbers of 0 or more")
    return taken


def entered(entries: ArrayLike | None, exits: Floats) -> Floats:
    """When each was first watched: before everything where 0 or not given. Raises ValueError."""
    if entries is None:
        return np.full(exits.shape, -np.inf)
    begun = moments(entries, "entries")
    if begun.shape != exits.shape:
        raise ValueError(f"{begun.size} entries for {exits.size} times")
    if np.any((begun > 0) & (begun >= exits)):
        raise ValueError("somebody left before being watched: entries must be before times")
    return np.where(begun > 0, begun, -np.inf)


def check_level(level: float) -> None:
    """Raise ValueError for a level that is not between 0 and 1."""
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1, not {level!r}")
