"""Two protocols compared: how much more often each event was reported under one than the other.

**The protocols were not randomised.** Who gets which protocol is decided for reasons that also make
events more or less likely, so a difference is a reason to look, not an effect of the protocol.

By *session* (the default) the limits and tests allow for sessions of one patient being alike and
for patients who had both protocols. By *patient* each patient counts once in each protocol, and the
patients in both are a reason for caution: the formulas take the two as independent
(:func:`reports.compare_words.warnings` says so). Over *strata* (site or dose) patients of the same
stratum are compared.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from sqlalchemy import Connection

from reports import compare_counts, compare_methods, counting
from reports.asking import ANYTHING, DEFAULT, Asked, RateQuery, asked_terms, selection
from reports.clustered import wilson_clustered
from reports.compare_counts import Alone, Arms, Pair
from reports.compare_methods import STRATIFIED, Choice, Measures
from reports.compare_rows import SEVERAL, CompareRow
from reports.comparing import differences, ratios
from reports.comparing.arms import Arm
from reports.comparing.multiplicity import TermTest, double_fdr
from reports.intervals import LEVEL, Estimate, wilson
from reports.rows import ANY_EVENT, PATIENT, SESSION
from safety import protocols
from safety.access import Action, Actor, guarded
from safety.errors import UnknownName, UserError
from safety.store.handle import Store
from safety.vocabulary import vocabulary

UNITS: Final = (SESSION, PATIENT)
STRATA: Final = ("site", "dose-band")
DIFFERENCES: Final = (DEFAULT, *differences.METHODS)
RATIOS: Final = (DEFAULT, *ratios.METHODS)


@dataclass(frozen=True, slots=True)
class CompareQuery:
    """What is compared: ``against`` with ``reference``, days ``first`` to ``last`` included.

    Protocols and ``term`` (a term or group; None: every term) go by any of their names.
    ``difference`` and ``ratio`` name methods of :mod:`reports.comparing`; by default those of the
    unit. ``stratify`` is for patients. Raises UserError.
    """

    reference: str
    against: str
    first: date
    last: date
    unit: str = SESSION
    term: str | None = None
    min_grade: int = 1
    treatment_emergent: bool = False
    difference: str = DEFAULT
    ratio: str = DEFAULT
    stratify: str | None = None
    level: float = LEVEL

    def __post_init__(self) -> None:
        for name, given, choices in (
            ("unit", self.unit, UNITS),
            ("difference", self.difference, DIFFERENCES),
            ("ratio", self.ratio, RATIOS),
            ("stratify", self.stratify or STRATA[0], STRATA),
        ):
            if given not in choices:
                raise UserError(f"{name} must be one of: {', '.join(choices)}.")
        self.counted()
        if self.stratify is not None:
            self._check_strata()

    def _check_strata(self) -> None:
        if self.unit != PATIENT:
            raise UserError(
                "Strata are compared by patient: their formulas do not allow for sessions of one "
                "patient being alike. Choose the unit patient, or no strata."
            )
        if self.difference not in STRATIFIED or self.ratio != DEFAULT:
            raise UserError(
                "Over strata the difference is Mantel-Haenszel's (default) or miettinen-nurminen, "
                "and the ratio Mantel-Haenszel's."
            )

    def counted(self) -> RateQuery:
        """The period and events as a query of rates, which checks them."""
        return RateQuery(
            self.first,
            self.last,
            self.unit,
            term=self.term,
            min_grade=self.min_grade,
            treatment_emergent=self.treatment_emergent,
            level=self.level,
        )


@guarded(Action.READ_RATES)
def compare(store: Store, actor: Actor, query: CompareQuery) -> tuple[CompareRow, ...]:  # noqa: ARG001
    """Compare: ``any adverse event`` first, then the terms in the vocabulary's order, zeros too.

    Raises UnknownName for a protocol or term that does not exist, and UserError when both
    protocols are the same.
    """
    asked = asked_terms(query.term)
    with store.read() as connection:
        pair = _pair(connection, query)
        period = selection(connection, query.counted())
        arms = compare_counts.arms_of(connection, period, pair, asked)
        measure = _measure(connection, query, arms, asked)
    return _judged([_row(query, arms, each, measure(each)) for each in (ANYTHING, *asked)])


def find_protocol(connection: Connection, text: str) -> int:
    """Number of the protocol of this id, name or synonym; raises UnknownName.

    One that was retired since is found by its id.
    """
    numbers = {row.id: int(row.no) for row in counting.every_protocol(connection)}
    try:
        return numbers[protocols.index_of(connection).find(text).id]
    except UnknownName:
        if text in numbers:
            return numbers[text]
        raise


def _pair(connection: Connection, query: CompareQuery) -> Pair:
    pair = find_protocol(connection, query.against), find_protocol(connection, query.reference)
    if pair[0] == pair[1]:
        raise UserError("A protocol cannot be compared with itself. Choose two protocols.")
    return pair


def _measure(
    connection: Connection, query: CompareQuery, arms: Arms, asked: Sequence[Asked]
) -> Callable[[Asked], Measures]:
    choice = Choice(query.difference, query.ratio, query.level)
    one, zero = arms.arm, arms.reference
    if query.stratify is not None:
        period, pair = selection(connection, query.counted()), (one.protocol_no, zero.protocol_no)
        strata = compare_counts.strata_of(connection, period, pair, query.stratify, asked)
        return lambda each: compare_methods.by_strata(strata[each.id], choice)
    if query.unit == PATIENT:
        return lambda each: compare_methods.by_patient(
            one.patients(each), zero.patients(each), choice
        )
    return lambda each: compare_methods.by_session(
        one.sums(each), zero.sums(each), arms.both(each), choice
    )


def _row(query: CompareQuery, arms: Arms, asked: Asked, measures: Measures) -> CompareRow:
    one, zero = (_side(query, each, asked) for each in (arms.arm, arms.reference))
    rd, rr, odds = measures.difference, measures.ratio, measures.odds
    return CompareRow(
        term=asked.id,
        term_name=asked.name,
        soc=_soc(asked),
        unit=query.unit,
        with_event_ref=zero.counts.x,
        exposed_ref=zero.counts.n,
        patients_ref=arms.reference.exposed.patients,
        low_ref=zero.estimate.low,
        high_ref=zero.estimate.high,
        with_event=one.counts.x,
        exposed=one.counts.n,
        patients=arms.arm.exposed.patients,
        low=one.estimate.low,
        high=one.estimate.high,
        patients_shared=arms.both(ANYTHING).patients,
        risk_difference=rd.value,
        rd_low=rd.low,
        rd_high=rd.high,
        risk_ratio=rr.value,
        rr_low=rr.low,
        rr_high=rr.high,
        odds_ratio=odds.value,
        or_low=odds.low,
        or_high=odds.high,
        p=measures.p,
        method=measures.method,
        strata=measures.strata,
        strata_left_out=measures.left_out,
    )


@dataclass(frozen=True, slots=True)
class _Side:
    """The counts of one protocol, and their share with its limits."""

    counts: Arm
    estimate: Estimate


def _side(query: CompareQuery, alone: Alone, asked: Asked) -> _Side:
    if query.unit == PATIENT:
        arm = alone.patients(asked)
        return _Side(arm, wilson(arm.x, arm.n, query.level))
    sums = alone.sums(asked)
    return _Side(Arm(sums.affected, sums.sessions), wilson_clustered(sums, query.level))


def _soc(asked: Asked) -> str:
    classes = {vocabulary().get(term).soc for term in asked.members}
    if not classes:
        return ""
    return classes.pop() if len(classes) == 1 else SEVERAL


def _judged(rows: Sequence[CompareRow]) -> tuple[CompareRow, ...]:
    """The rows with their false discovery rates; any event is no term and is judged by itself."""
    tests = [TermTest(row.term, row.soc, row.p) for row in rows if row.term != ANY_EVENT]
    flags = {flag.term: flag for flag in double_fdr(tests).terms}
    judged = []
    for row in rows:
        flag = flags.get(row.term)
        if flag is None or flag.q_soc is None or flag.q_term is None:
            judged.append(row)
            continue
        q = max(flag.q_soc, flag.q_term)
        judged.append(replace(row, q=q, q_soc=flag.q_soc, q_term=flag.q_term, flagged=flag.flagged))
    return tuple(judged)
