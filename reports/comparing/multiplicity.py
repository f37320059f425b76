"""Many terms at once: false discovery rates, in one level and in two.

With a hundred terms, five differ at 5 % by chance alone. The false discovery rate is the share of
wrong flags among the flags. A p value of None (nothing could be tested) passes through as None and
is not counted among the tests.

- **Benjamini and Hochberg** (J R Stat Soc B 1995;57:289-300), all terms as one family.
- **Double false discovery rate** (Mehrotra and Heyse, Stat Methods Med Res 2004;13:227-238): first
  over system organ classes, each represented by one p value, then over the terms within a class.
  A term is flagged when both adjusted values are within their levels.

The class is represented by its smallest *adjusted* p value, as Mehrotra and Adewale propose (Stat
Med 2012;31:1918-1930): a class with many terms has a small p value by chance, and this allows for
it. ``Representative.SMALLEST`` takes the smallest p value as it is, the procedure of 2004.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

LEVEL: Final = 0.10
"""Default of both levels: the share of wrong flags that a review list can bear."""


class Representative(StrEnum):
    """Which p value stands for a class."""

    ADJUSTED = "adjusted"
    SMALLEST = "smallest"


@dataclass(frozen=True, slots=True)
class TermTest:
    """One term, its system organ class, and its two-sided p value, None if it has none."""

    term: str
    soc: str
    p: float | None


@dataclass(frozen=True, slots=True)
class TermFlag:
    """A term with the adjusted value of its class (over classes) and its own (within the class)."""

    term: str
    soc: str
    p: float | None
    q_soc: float | None
    q_term: float | None
    flagged: bool


@dataclass(frozen=True, slots=True)
class DoubleFdr:
    """Terms in the order given, with the levels and the number of terms and classes tested."""

    terms: tuple[TermFlag, ...]
    alpha_soc: float
    alpha_term: float
    tested: int
    classes: int
    method: str

    @property
    def flagged(self) -> tuple[TermFlag, ...]:
        """The terms that were flagged."""
        return tuple(each for each in self.terms if each.flagged)


def benjamini_hochberg(p_values: Iterable[float | None]) -> tuple[float | None, ...]:
    """Adjusted values (q) in the order given; raises ValueError for what is no p value."""
    given = tuple(p_values)
    ranked = sorted((_checked(p), place) for place, p in enumerate(given) if p is not None)
    adjusted: list[float | None] = [None] * len(given)
    least = 1.0
    for rank, (p, place) in zip(range(len(ranked), 0, -1), reversed(ranked), strict=True):
        least = min(least, p * len(ranked) / rank)
        adjusted[place] = least
    return tuple(adjusted)


def double_fdr(
    tests: Sequence[TermTest],
    alpha_soc: float = LEVEL,
    alpha_term: float = LEVEL,
    representative: Representative = Representative.ADJUSTED,
) -> DoubleFdr:
    """Flag terms by the two-level procedure.

    Raises ValueError for levels outside 0 to 1, for what is no p value and for a term given twice.
    """
    for name, alpha in (("alpha_soc", alpha_soc), ("alpha_term", alpha_term)):
        if not 0 < alpha < 1:
            raise ValueError(f"{name} must lie between 0 and 1, not {alpha!r}")
    _refuse_repeats((each.soc, each.term) for each in tests)
    within = _within_classes(tests)
    standing = {
        soc: _least(q if representative is Representative.ADJUSTED else p for p, q in pairs)
        for soc, pairs in within.items()
    }
    over = dict(zip(standing, benjamini_hochberg(standing.values()), strict=True))
    places = {soc: iter(pairs) for soc, pairs in within.items()}
    flags = []
    for each in tests:
        q_term, q_soc = next(places[each.soc])[1], over[each.soc]
        flagged = (
            q_term is not None and q_soc is not None and q_soc <= alpha_soc and q_term <= alpha_term
        )
        flags.append(TermFlag(each.term, each.soc, each.p, q_soc, q_term, flagged))
    return DoubleFdr(
        tuple(flags),
        alpha_soc,
        alpha_term,
        sum(each.p is not None for each in tests),
        sum(q is not None for q in over.values()),
        f"double-fdr {representative}",
    )


def _within_classes(
    tests: Sequence[TermTest],
) -> dict[str, list[tuple[float | None, float | None]]]:
    """By class, p and adjusted value of its terms in the order given."""
    p_values: dict[str, list[float | None]] = {}
    for each in tests:
        p_values.setdefault(each.soc, []).append(each.p)
    return {soc: list(zip(ps, benjamini_hochberg(ps), strict=True)) for soc, ps in p_values.items()}


def _least(values: Iterable[float | None]) -> float | None:
    return min((value for value in values if value is not None), default=None)


def _refuse_repeats(keys: Iterable[Hashable]) -> None:
    seen: set[Hashable] = set()
    for key in keys:
        if key in seen:
            raise ValueError(f"given twice: {key}")
        seen.add(key)


def _checked(p: float) -> float:
    if isinstance(p, bool) or not (math.isfinite(p) and 0 <= p <= 1):
        raise ValueError(f"a p value must lie between 0 and 1, not {p!r}")
    return float(p)
