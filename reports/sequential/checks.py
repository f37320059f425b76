"""What a plan of looks must be like; every refusal is a ValueError that says what is wrong."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from operator import index
from typing import SupportsIndex


def amounts(numbers: Sequence[float], name: str) -> tuple[float, ...]:
    """Cumulative amounts: finite, 0 or more, never falling. Raises ValueError."""
    taken = tuple(float(number) for number in numbers)
    if not all(math.isfinite(number) and number >= 0 for number in taken):
        raise ValueError(f"{name} must be finite numbers of 0 or more, not {list(numbers)!r}")
    _never_falling(taken, name)
    return taken


def counts(numbers: Sequence[SupportsIndex], name: str) -> tuple[int, ...]:
    """Cumulative whole numbers: 0 or more, never falling. Raises ValueError."""
    taken = tuple(count(number, name) for number in numbers)
    _never_falling(taken, name)
    return taken


def count(number: SupportsIndex, name: str, least: int = 0) -> int:
    """One whole number of ``least`` or more. Raises ValueError."""
    try:
        taken = index(number)
    except TypeError:
        raise ValueError(f"{name} must be whole numbers, not {number!r}") from None
    if taken < least or isinstance(number, bool):
        raise ValueError(f"{name} must be whole numbers of {least} or more, not {number!r}")
    return taken


def some(looks: Sequence[float]) -> None:
    """Raise ValueError for a plan without a look."""
    if not looks:
        raise ValueError("a plan needs at least one look")


def alpha(number: float) -> float:
    """A false-alarm probability between 0 and 1. Raises ValueError."""
    if not 0 < number < 1:
        raise ValueError(f"alpha must lie between 0 and 1, not {number!r}")
    return float(number)


def positive(number: float, name: str) -> float:
    """A finite number above 0. Raises ValueError."""
    if not (math.isfinite(number) and number > 0):
        raise ValueError(f"{name} must be a finite number above 0, not {number!r}")
    return float(number)


def _never_falling(numbers: Sequence[float], name: str) -> None:
    for before, after in pairwise(numbers):
        if after < before:
            raise ValueError(f"{name} must be cumulative: {after!r} comes after {before!r}")
