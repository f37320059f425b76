"""Which rates changed: the running quarter against the four before, by protocol and term.

Every protocol and term with enough behind it is compared by the sandwich test over patients
(:mod:`reports.comparing.sandwich`), and the false discovery rate is held over all of them
(Benjamini and Hochberg): a director who looks at fifty rates a quarter would else be told of two or
three that changed by chance alone. What stands out must also have an interval without zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from reports import two_periods
from reports.clustered import ClusteredEstimate, wilson_clustered
from reports.comparing.arms import Contrast
from reports.comparing.clustered import compare
from reports.comparing.exact import fisher
from reports.comparing.multiplicity import LEVEL, benjamini_hochberg
from reports.comparing.sandwich import arm_of, sandwich_test
from reports.dimensions import every_group
from reports.periods import Quarter
from reports.rows import ANY_EVENT
from reports.two_periods import ANY, Pair, Span
from safety.clock import day_number
from safety.store import seeding
from safety.vocabulary import vocabulary

QUARTERS_BEFORE: Final = 4
FEWEST_SESSIONS: Final = 20
FEWEST_PATIENTS: Final = 5
"""Defaults: what each of the two periods must have for a comparison to be made."""
FEWEST_AFFECTED: Final = 5
"""Default: sessions with the event that both periods must have together."""
DISCOVERY_RATE: Final = LEVEL


@dataclass(frozen=True, slots=True)
class Change:
    """One rate per session that stands out. ``difference`` is this quarter less what was before.

    ``q`` is the adjusted p value of the test ``method``; ``serious`` counts the sessions of this
    quarter in which the event was serious.
    """

    protocol: str
    protocol_name: str
    term: str
    term_name: str
    now: ClusteredEstimate
    before: ClusteredEstimate
    difference: Contrast
    q: float
    method: str
    serious: int = 0

    @property
    def clear(self) -> bool:
        """Whether the interval, too, says that there is a difference."""
        return self.difference.low > 0 or (self.difference.high or 0.0) < 0

    @property
    def size(self) -> float:
        """This quarter's share less the one before, -1 to 1."""
        return self.difference.value or 0.0


@dataclass(frozen=True, slots=True)
class Changes:
    """What stands out, the serious first, then what rose, then by size; out of how much.

    ``too_few`` counts rates that could not be compared. The sessions are those of the quarter and
    of the four before it.
    """

    standing_out: tuple[Change, ...]
    compared: int
    too_few: int
    sessions_now: int
    sessions_before: int


def rate_changes(connection: Connection, quarter: Quarter) -> Changes:
    """Compare ``quarter`` with the four before it, inside a transaction."""
    span = _span(connection, quarter)
    found = two_periods.pairs(connection, span)
    tested = [(pair, *_tested(pair)) for pair in found if _enough(pair)]
    adjusted = benjamini_hochberg(p for _, p, _ in tested)
    naming = _Naming(connection, span)
    flagged = [
        naming.change(pair, q, method)
        for (pair, _, method), q in zip(tested, adjusted, strict=True)
        if q is not None and q <= DISCOVERY_RATE
    ]
    standing_out = [change for change in flagged if change.clear]
    compared = sum(q is not None for q in adjusted)
    of_any = [pair for pair in found if pair.term_no == ANY]
    return Changes(
        tuple(sorted(standing_out, key=_rank)),
        compared,
        len(found) - compared,
        sum(pair.now.sessions for pair in of_any),
        sum(pair.before.sessions for pair in of_any),
    )


def _rank(change: Change) -> tuple[bool, bool, float, str, str]:
    return (
        not change.serious,
        change.size < 0,
        -abs(change.size),
        change.protocol,
        change.term,
    )


def _span(connection: Connection, quarter: Quarter) -> Span:
    earliest = quarter
    for _ in range(QUARTERS_BEFORE):
        earliest = earliest.previous()
    first, split, last = map(day_number, (earliest.first, quarter.first, quarter.last))
    return Span.of(connection, first, split, last)


def _enough(pair: Pair) -> bool:
    both = pair.now, pair.before
    return (
        min(arm.sessions for arm in both) >= FEWEST_SESSIONS
        and min(arm.patients for arm in both) >= FEWEST_PATIENTS
        and sum(arm.affected for arm in both) >= FEWEST_AFFECTED
    )


def _tested(pair: Pair) -> tuple[float | None, str]:
    """The p value of no difference and the name of its test.

    A period with no event, or with nothing else, shows no variance of its own, and at the common
    share the sandwich finds far too little (0 of 47 against 18 of 360: p = 0.0002, by Fisher 0.25).
    Fisher's test then takes its place. That sessions of one patient are alike is left to the
    interval, which must agree.
    """
    if all(0 < each.affected < each.sessions for each in (pair.now, pair.before)):
        test = sandwich_test(pair.arms)
        return test.p, test.method
    exact = fisher(arm_of(pair.now), arm_of(pair.before))
    return exact.p, exact.method


class _Naming:
    """Names of protocols and terms, and how often each was serious in the quarter."""

    def __init__(self, connection: Connection, span: Span) -> None:
        self._protocols = {each.key[0]: each for each in every_group(connection, "protocol")}
        self._terms = {no: term for term, no in seeding.term_numbers(connection).items()}
        self._serious = two_periods.serious(connection, span)

    def change(self, pair: Pair, q: float, method: str) -> Change:
        """What stands out, with the limits that belong beside it."""
        protocol = self._protocols[pair.protocol_no]
        term, term_name = self._term(pair.term_no)
        now, before = wilson_clustered(pair.now), wilson_clustered(pair.before)
        return Change(
            protocol.id,
            protocol.name,
            term,
            term_name,
            now,
            before,
            compare(pair.arms, (now, before)).difference,
            q,
            method,
            self._serious.get((pair.protocol_no, pair.term_no), 0),
        )

    def _term(self, number: int) -> tuple[str, str]:
        if number == ANY:
            return ANY_EVENT, ANY_EVENT.capitalize()
        term = vocabulary().get(self._terms[number])
        return term.id, term.name
