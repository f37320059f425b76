"""What a count, a share or a factor must be before anything is worked out of it."""

from __future__ import annotations

import math
from operator import index
from typing import SupportsIndex


def whole(number: SupportsIndex, name: str) -> int:
    """``number`` as a count of 0 or more; ValueError names what is wrong."""
    try:
        count = index(number)
    except TypeError:
        raise ValueError(f"{name} must be a whole number, not {number!r}") from None
    if count < 0 or isinstance(number, bool):
        raise ValueError(f"{name} must be a count of 0 or more, not {number!r}")
    return count


def x_of_n(x: SupportsIndex, n: SupportsIndex) -> None:
    """Refuse anything but ``x`` of ``n``."""
    if whole(x, "x") > whole(n, "n"):
        raise ValueError(f"x = {x} is more than n = {n}")


def within(number: float, low: float, high: float, name: str) -> None:
    """Refuse what does not lie strictly between ``low`` and ``high``."""
    if not low < number < high:
        raise ValueError(f"{name} must lie between {low:g} and {high:g}, not {number!r}")


def factor(number: float, name: str) -> float:
    """``number`` if it is a finite factor above 0, taken as at least 1.

    A design effect below 1 is chance, not information that was not collected.
    """
    if not (math.isfinite(number) and number > 0):
        raise ValueError(f"{name} must be a finite number above 0, not {number!r}")
    return max(1.0, number)


def unique(names: list[str], what: str) -> None:
    """Refuse a name that comes twice: two rows of one unit would be compared to each other."""
    if len(set(names)) != len(names):
        raise ValueError(f"each {what} must come once")
