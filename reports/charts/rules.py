"""Run rules: when the points of a control chart say that something changed.

Rules look at standardised values: how many sigma a point lies from the centre. A point without a
value breaks every run. A point exactly on the centre is on neither side.

**The default is sparing:** a point beyond the limits, or eight in a row on one side. Every further
rule finds small shifts sooner and cries wolf more often. In control and for normal values, one
signal comes by chance in 370 points with the limits alone, in 153 with eight in a row added, and in
92 with all four Western Electric rules (Champ and Woodall 1987, Technometrics 29:393-399). A
director who is called every second month stops coming.

Sources: Western Electric, Statistical Quality Control Handbook (1956); Nelson 1984, Journal of
Quality Technology 16:237-239.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, TypeAlias

ROUNDING: Final = 1e-9
"""Sigmas by which a point may pass a limit, or leave the centre, through rounding alone."""

Run: TypeAlias = Sequence[float]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule over the last ``length`` points of an unbroken run; it flags the last of them."""

    name: str
    sentence: str
    length: int
    holds: Callable[[Run], bool]


def _beyond(values: Run, sigmas: float) -> int:
    """How many lie beyond so many sigmas, on the side of the last one; 0 if that does not."""
    sign = 1 if values[-1] > 0 else -1
    edge = sigmas + ROUNDING
    return sum(sign * value > edge for value in values) if sign * values[-1] > edge else 0


def _some_beyond(name: str, sentence: str, least: int, length: int, sigmas: float) -> Rule:
    return Rule(name, sentence, length, lambda run: _beyond(run, sigmas) >= least)


def _one_side(name: str, sentence: str, length: int) -> Rule:
    def holds(run: Run) -> bool:
        above = all(value > ROUNDING for value in run)
        below = all(value < -ROUNDING for value in run)
        return len(run) == length and (above or below)

    return Rule(name, sentence, length, holds)


def _steps(run: Run) -> list[float]:
    # Two infinite values in a row have no difference: neither rise nor fall.
    return [0.0 if a == b else b - a for a, b in pairwise(run)]


def _trend(run: Run) -> bool:
    steps = _steps(run)
    rising, falling = all(step > 0 for step in steps), all(step < 0 for step in steps)
    return len(run) == 6 and (rising or falling)


def _alternating(run: Run) -> bool:
    steps = _steps(run)
    turns = pairwise(steps)
    return len(run) == 14 and all(min(a, b) < 0 < max(a, b) for a, b in turns)


def _hugging(run: Run) -> bool:
    return len(run) == 15 and all(abs(value) < 1 for value in run)


def _avoiding(run: Run) -> bool:
    return len(run) == 8 and all(abs(value) > 1 + ROUNDING for value in run)


BEYOND: Final = _some_beyond("beyond", "A point lies beyond the limits.", 1, 1, 3.0)
_EIGHT: Final = _one_side("8-one-side", "Eight points in a row lie on one side of the centre.", 8)
_NINE: Final = _one_side("9-one-side", "Nine points in a row lie on one side of the centre.", 9)
_TWO: Final = _some_beyond(
    "2-of-3", "Two of three points in a row lie beyond two sigma on the same side.", 2, 3, 2.0
)
_FOUR: Final = _some_beyond(
    "4-of-5", "Four of five points in a row lie beyond one sigma on the same side.", 4, 5, 1.0
)
_TREND: Final = Rule("6-trend", "Six points in a row rise, or six fall.", 6, _trend)
_ALTERNATING: Final = Rule(
    "14-alternating", "Fourteen points in a row go up and down in turn.", 14, _alternating
)
_HUGGING: Final = Rule(
    "15-hugging", "Fifteen points in a row lie within one sigma of the centre.", 15, _hugging
)
_AVOIDING: Final = Rule(
    "8-avoiding", "Eight points in a row lie beyond one sigma, on either side.", 8, _avoiding
)

RULE_SETS: Final[Mapping[str, tuple[Rule, ...]]] = {
    "limits": (BEYOND,),
    "sparing": (BEYOND, _EIGHT),
    "sparing-nelson": (BEYOND, _NINE),
    "western-electric": (BEYOND, _TWO, _FOUR, _EIGHT),
    "nelson": (BEYOND, _NINE, _TREND, _ALTERNATING, _TWO, _FOUR, _HUGGING, _AVOIDING),
}
"""Sets of rules to choose from."""

THRESHOLD: Final = "threshold"

RULES: Final[Mapping[str, str]] = {
    **{rule.name: rule.sentence for rules in RULE_SETS.values() for rule in rules},
    THRESHOLD: "The cumulative sum reached its threshold.",
}
"""The plain sentence of each rule by its name."""


def broken_rules(
    standardised: Sequence[float | None], chosen: str = "sparing"
) -> list[tuple[str, ...]]:
    """Name the rules that flag each point.

    Values are in sigmas from the centre, None where there is none. Raises ValueError for a set of
    rules that is not there.
    """
    rules = rules_named(chosen)
    found: list[tuple[str, ...]] = []
    run: list[float] = []
    for value in standardised:
        run = [] if value is None else [*run[-14:], value]
        found.append(tuple(rule.name for rule in rules if run and rule.holds(run[-rule.length :])))
    return found


def rules_named(chosen: str) -> tuple[Rule, ...]:
    """Give the rules of a set. Raises ValueError for a name that is not there."""
    try:
        return RULE_SETS[chosen]
    except KeyError:
        raise ValueError(f"rules must be one of {', '.join(RULE_SETS)}, not {chosen!r}") from None
