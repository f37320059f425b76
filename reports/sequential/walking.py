"""Real counts against a limit: what each look showed, and the first that signals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, SupportsIndex

from reports.sequential import checks
from reports.sequential.limits import CONTINUOUS, Limit, first_signal
from reports.sequential.models import Binomial

# Sums of expectations in another order differ in the last digits.
SAME: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Step:
    """One look: cumulative events and information, and what would have signalled.

    ``number`` counts looks from 1. ``ratio`` is the log likelihood ratio, None while nothing was
    exposed. A look after the end of the plan (``planned`` is false) never signals: the false-alarm
    probability is used up, and a new plan is needed.
    """

    number: int
    events: int
    information: float
    expected: float
    ratio: float | None
    signal_at: int | None
    crossed: bool
    planned: bool


@dataclass(frozen=True, slots=True)
class Walk:
    """All looks so far. ``signal`` is the number of the first that crossed its limit, or None.

    The plan ends with the first signal: what later looks show is printed, but the false-alarm
    probability says nothing about them.
    """

    limit: Limit
    steps: tuple[Step, ...]
    signal: int | None


def walk(limit: Limit, events: Sequence[SupportsIndex], information: Sequence[float]) -> Walk:
    """Compare cumulative ``events`` at each look with ``limit``.

    ``information`` is cumulative too: expected events, or sessions. Looks may be fewer than
    planned. A flat limit (MaxSPRT) is compared by its ratio, whatever the sizes turned out to be;
    a spending limit must have been made from just these sizes. Raises ValueError for counts that
    cannot be and for sizes that are not those of a spending limit.
    """
    counted = checks.counts(events, "events")
    amounts = _information(limit, information)
    if len(counted) != len(amounts):
        raise ValueError(f"{len(counted)} counts of events for {len(amounts)} looks")
    _check_possible(limit, counted, amounts)
    if limit.method.endswith("-spending"):
        _check_same(limit, amounts)
    steps = tuple(
        _step(limit, number, count, amount)
        for number, (count, amount) in enumerate(zip(counted, amounts, strict=True), 1)
    )
    crossed = [step.number for step in steps if step.crossed]
    return Walk(limit, steps, crossed[0] if crossed else None)


def _step(limit: Limit, number: int, events: int, amount: float) -> Step:
    model = limit.model
    planned = _planned(limit, number, amount)
    at = _signal_at(limit, number, amount) if planned else None
    ratio = None if amount == 0 else model.ratio(events, amount)
    crossed = at is not None and events >= at
    return Step(number, events, amount, model.expected(amount), ratio, at, crossed, planned)


def _planned(limit: Limit, number: int, amount: float) -> bool:
    if limit.method != CONTINUOUS and number > len(limit.looks):
        return False
    return amount <= limit.looks[-1] * (1 + SAME)


def _signal_at(limit: Limit, number: int, amount: float) -> int | None:
    if limit.method.endswith("-spending"):
        return limit.signal_at[number - 1]
    if limit.critical_value is None:
        return None
    return first_signal(limit.model, amount, limit.critical_value, limit.minimum)


def _information(limit: Limit, information: Sequence[float]) -> tuple[float, ...]:
    if isinstance(limit.model, Binomial):
        return checks.counts(information, "sessions")  # type: ignore[arg-type]
    return checks.amounts(information, "expected events")


def _check_possible(limit: Limit, events: Sequence[int], amounts: Sequence[float]) -> None:
    """New events need new sessions; events need an expectation above 0. Raises ValueError."""
    for (count, amount), (more, grown) in pairwise([(0, 0.0), *zip(events, amounts, strict=True)]):
        if isinstance(limit.model, Binomial) and more - count > grown - amount:
            raise ValueError(f"{more - count} new events in {grown - amount:g} new sessions")
        if more and not grown:
            raise ValueError(f"{more} events where none could be expected")


def _check_same(limit: Limit, amounts: Sequence[float]) -> None:
    if limit.looks[: len(amounts)] != tuple(amounts):
        raise ValueError("a spending limit holds only for the looks it was made from")
