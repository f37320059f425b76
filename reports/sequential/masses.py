"""Probabilities of counts, and the recursion over looks.

What is left out of a distribution is below 1e-20 a count, so that the probability of a false alarm
is exact to about 1e-15.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

NEGLIGIBLE: Final = 1e-22

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Masses:
    """Probabilities of the counts ``first``, ``first + 1`` and so on. They need not sum to 1."""

    first: int
    of: Floats

    @property
    def after_last(self) -> int:
        """The first count above all that are held."""
        return self.first + self.of.size

    def plus(self, new: Masses) -> Masses:
        """The distribution of the sum with an independent count."""
        if not self.of.size:
            return self
        return Masses(self.first + new.first, np.convolve(self.of, new.of)).trimmed()

    def cut(self, boundary: int | None) -> tuple[float, Masses]:
        """The probability of ``boundary`` or more, and what stays below it."""
        if boundary is None or boundary >= self.after_last:
            return 0.0, self
        place = max(0, boundary - self.first)
        return float(self.of[place:].sum()), Masses(self.first, self.of[:place])

    def trimmed(self) -> Masses:
        """Without the ends that are too improbable to count."""
        kept = np.flatnonzero(self.of > NEGLIGIBLE)
        if not kept.size:
            return Masses(self.first, self.of[:0])
        return Masses(self.first + int(kept[0]), self.of[kept[0] : kept[-1] + 1])


NOTHING_YET: Final = Masses(0, np.ones(1))


def around(mode: int, up: Floats, down: Floats) -> Masses:
    """A distribution from the ratios of neighbours, upwards and downwards from its mode.

    Starting at the largest value keeps every digit; logarithms of factorials would lose some.
    """
    below = np.cumprod(down)[::-1]
    of = np.concatenate([below, np.ones(1), np.cumprod(up)])
    return Masses(mode - below.size, of / of.sum()).trimmed()


def chance_to_cross(new_events: Iterable[Masses], boundaries: Iterable[int | None]) -> float:
    """The probability that the cumulative count is at or over its boundary at any look.

    ``new_events`` holds the distribution between a look and the one before; a boundary of None
    cannot be crossed.
    """
    state, crossed = NOTHING_YET, 0.0
    for new, boundary in zip(new_events, boundaries, strict=True):
        over, state = state.plus(new).cut(boundary)
        crossed += over
    return crossed
