"""Comparing two protocols: the counts come from the store, the rest from what is tested purely."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import event

from reports.clustered import wilson_clustered
from reports.compare import CompareQuery, compare
from reports.compare_label import compare_with_label
from reports.compare_rows import CompareRow
from reports.compare_words import NOT_RANDOMISED, notable, sentence, warnings
from reports.comparing import clustered, differences, odds, ratios, stratified
from reports.comparing.arms import Arm
from reports.comparing.exact import fisher
from reports.comparing.homogeneity import cochran_mantel_haenszel
from reports.comparing.patients import TwoArms
from reports.rows import ANY_EVENT
from safety.access import CONSOLE
from safety.errors import AccessDenied, UnknownName, UserError
from safety.store import seeding
from safety.store.handle import Store
from safety.store.recording import Recorder
from tests.support.builders import DIRECTOR, NURSE, STARTED, TIMEZONE, a_report, an_event

REFERENCE = "iv_ketamine_depression_induction"
AGAINST = "im_ketamine_depression"
FIRST, LAST = date(2025, 1, 1), date(2026, 12, 31)
QUERY = CompareQuery(REFERENCE, AGAINST, FIRST, LAST)
BY_PATIENT = replace(QUERY, unit="patient")


@dataclass(frozen=True)
class Given:
    """Sessions of one patient under one protocol, and the terms of the first of them."""

    patient: int
    protocol: str
    sessions: int
    events: tuple[tuple[str, ...], ...] = ()
    changes: tuple[tuple[str, Any], ...] = ()

    def hits(self, *terms: str) -> int:
        return sum(1 for each in self.events if not terms or {*terms} & {*each})


SOME = (
    Given(1, REFERENCE, 4, (("nausea",), ("nausea", "vomiting"))),
    Given(2, REFERENCE, 3),
    Given(3, REFERENCE, 2, (("vomiting",),)),
    Given(4, REFERENCE, 5, (("headache",),)),
    Given(5, REFERENCE, 1),
    Given(1, AGAINST, 3, (("nausea",), ("nausea",), ("vomiting", "dizziness"))),
    Given(3, AGAINST, 1, (("nausea", "vomiting"),)),
    Given(4, AGAINST, 2),
    Given(6, AGAINST, 2, (("nausea",),)),
    Given(7, AGAINST, 1, (("headache",),)),
    Given(8, AGAINST, 3, (("nausea",), ("dizziness",))),
)
"""Patients 1, 3 and 4 had both protocols."""


def record(store: Store, given: Iterable[Given]) -> None:
    at = STARTED
    with store.write() as writer:
        recorder = Recorder(store, writer, CONSOLE)
        for each in given:
            for number in range(each.sessions):
                at -= timedelta(hours=5)
                terms = each.events[number] if number < len(each.events) else ()
                report = a_report(
                    mrn=f"M-{each.patient}",
                    protocol=each.protocol,
                    started_at=at,
                    events=tuple(an_event(term) for term in terms),
                    **dict(each.changes),
                )
                recorder.add(report)
        recorder.flush()
        writer.commit()


def one_by_one(*terms: str) -> TwoArms:
    """The sums as they are when every patient is looked at."""
    ids = sorted({each.patient for each in SOME})

    def columns(protocol: str) -> tuple[list[int], list[int]]:
        mine = {each.patient: each for each in SOME if each.protocol == protocol}
        sessions = [mine[i].sessions if i in mine else 0 for i in ids]
        return sessions, [mine[i].hits(*terms) if i in mine else 0 for i in ids]

    return TwoArms.of_patients(ids, columns(AGAINST), columns(REFERENCE))


def row_of(rows: Iterable[CompareRow], term: str) -> CompareRow:
    return next(row for row in rows if row.term == term)


def compared(store: Store, query: CompareQuery, term: str) -> CompareRow:
    return row_of(compare(store, DIRECTOR, query), term)


@pytest.mark.parametrize(
    ("term", "members"),
    [
        (ANY_EVENT, ()),
        ("nausea", ("nausea",)),
        ("vomiting", ("vomiting",)),
        ("dizziness", ("dizziness",)),
        ("headache", ("headache",)),
    ],
)
def test_sessions_are_compared_as_if_every_patient_had_been_looked_at(
    store: Store, term: str, members: tuple[str, ...]
) -> None:
    record(store, SOME)
    row = compared(store, QUERY, term)
    arms = one_by_one(*members)
    found = clustered.compare(arms, (_clustered(arms.arm), _clustered(arms.reference)))
    assert (row.with_event, row.exposed) == (found.difference.arm.x, found.difference.arm.n)
    assert (row.with_event_ref, row.exposed_ref) == (
        found.difference.reference.x,
        found.difference.reference.n,
    )
    assert (row.risk_difference, row.rd_low, row.rd_high) == pytest.approx(
        (found.difference.value, found.difference.low, found.difference.high)
    )
    assert (row.risk_ratio, row.rr_low, row.rr_high) == pytest.approx(
        (found.ratio.value, found.ratio.low, found.ratio.high)
    )
    assert row.p == pytest.approx(found.test.p)
    assert row.method == f"newcombe-clustered; mover-clustered; {found.test.method}"
    assert (row.patients, row.patients_ref, row.patients_shared) == (6, 5, 3)


def _clustered(sums: Any) -> Any:
    from reports.clustered import PatientSums

    names = PatientSums.__slots__
    return wilson_clustered(PatientSums(*(getattr(sums, name) for name in names)))


def test_a_group_counts_a_session_once_for_both_protocols_and_the_patients_in_both(
    store: Store,
) -> None:
    record(store, SOME)
    query = replace(QUERY, term="nausea or vomiting")
    [_, row] = compare(store, DIRECTOR, query)
    arms = one_by_one("nausea", "vomiting")
    found = clustered.compare(arms, (_clustered(arms.arm), _clustered(arms.reference)))
    assert (row.with_event, row.exposed, row.with_event_ref) == (6, 12, 3)
    assert found.difference.arm.x == 6
    assert (row.rd_low, row.rd_high) == pytest.approx((found.difference.low, found.difference.high))
    assert row.p == pytest.approx(found.test.p)


def test_patients_are_compared_by_newcombe_miettinen_nurminen_and_fisher(store: Store) -> None:
    record(store, SOME)
    row = compared(store, BY_PATIENT, "nausea")
    arm, reference = Arm(4, 6), Arm(1, 5)
    rd, rr = differences.newcombe(arm, reference), ratios.miettinen_nurminen(arm, reference)
    either = odds.conditional_mid_p(arm, reference)
    assert (row.with_event, row.exposed, row.with_event_ref, row.exposed_ref) == (4, 6, 1, 5)
    assert (row.risk_difference, row.rd_low, row.rd_high) == (rd.value, rd.low, rd.high)
    assert (row.risk_ratio, row.rr_low, row.rr_high) == (rr.value, rr.low, rr.high)
    assert (row.odds_ratio, row.or_low, row.or_high) == (either.value, either.low, either.high)
    assert row.p == fisher(arm, reference).mid_p
    assert row.method == "newcombe; miettinen-nurminen; fisher mid-p"


def test_the_patients_in_both_protocols_are_said_where_the_limits_do_not_allow_for_them(
    store: Store,
) -> None:
    record(store, SOME)
    by_patient = warnings(compare(store, DIRECTOR, BY_PATIENT), BY_PATIENT)
    assert by_patient[0] == NOT_RANDOMISED
    assert "3 patients had sessions under both protocols" in by_patient[1]
    assert warnings(compare(store, DIRECTOR, QUERY), QUERY) == (NOT_RANDOMISED,)
    wald = replace(QUERY, difference="wald")
    assert "wald allows for neither" in warnings(compare(store, DIRECTOR, wald), wald)[1]


def test_swapping_the_protocols_turns_the_difference(store: Store) -> None:
    record(store, SOME)
    row = compared(store, QUERY, "nausea")
    turned = compared(store, replace(QUERY, reference=AGAINST, against=REFERENCE), "nausea")
    assert turned.risk_difference == pytest.approx(-(row.risk_difference or 0))
    assert (turned.rd_low, turned.rd_high) == pytest.approx((-(row.rd_high or 0), -row.rd_low))
    assert turned.p == pytest.approx(row.p)
    assert row.odds_ratio is not None
    assert turned.odds_ratio == pytest.approx(1 / row.odds_ratio)
    assert row.or_high is not None
    assert turned.or_low == pytest.approx(1 / row.or_high)


def test_a_difference_asked_for_by_name_is_that_method_and_the_test_stays_clustered(
    store: Store,
) -> None:
    record(store, SOME)
    row = compared(store, replace(QUERY, difference="miettinen-nurminen"), "nausea")
    plain = differences.miettinen_nurminen(Arm(5, 12), Arm(2, 15))
    assert (row.rd_low, row.rd_high) == (plain.low, plain.high)
    assert row.method == "miettinen-nurminen; mover-clustered; sandwich-t"


def test_what_nobody_had_has_a_row_and_no_p_value(store: Store) -> None:
    record(store, SOME)
    for query in (QUERY, BY_PATIENT):
        row = compared(store, query, "syncope")
        assert (row.with_event, row.with_event_ref, row.risk_difference) == (0, 0, 0)
        assert (row.p, row.q, row.flagged, row.risk_ratio) == (None, None, False, None)
        assert row.rd_low < 0 < (row.rd_high or 0)


def test_false_discovery_rates_are_over_classes_and_flag_what_stands_out(store: Store) -> None:
    """Nausea differs without doubt; headache, of another class, not at all."""
    many = [Given(i, REFERENCE, 1, (("headache",),) if i % 4 == 0 else ()) for i in range(24)]
    many += [
        Given(100 + i, AGAINST, 1, (("nausea", "headache") if i % 4 == 0 else ("nausea",),))
        for i in range(24)
    ]
    record(store, many)
    rows = compare(store, DIRECTOR, BY_PATIENT)
    nausea, headache = row_of(rows, "nausea"), row_of(rows, "headache")
    assert nausea.flagged
    assert nausea.soc != headache.soc
    # Two classes were tested, each with one term: the smaller p counts twice.
    assert nausea.q == pytest.approx(2 * (nausea.p or 1))
    assert (headache.flagged, headache.q) == (False, headache.p)
    assert row_of(rows, ANY_EVENT).q is None
    assert [row.term for row in notable(rows)] == [ANY_EVENT, "nausea", "headache"]
    assert sentence(nausea).startswith("Nausea: 24 of 24 patients (100 %) against 0 of 24 (0 %), ")
    assert sentence(nausea).endswith("to 100 points more.")
    assert "which includes no difference" in sentence(headache)


def test_grades_emergence_and_period_narrow_both_protocols(store: Store) -> None:
    with store.write() as writer:
        recorder = Recorder(store, writer, CONSOLE)
        for number, protocol in enumerate((REFERENCE, AGAINST) * 3):
            events = (an_event("nausea", 1 + number // 2),)
            at = STARTED - timedelta(days=number)
            recorder.add(
                a_report(mrn=f"M-{number}", protocol=protocol, started_at=at, events=events)
            )
        recorder.flush()
        writer.commit()
    assert compared(store, QUERY, "nausea").with_event == 3
    graded = compared(store, replace(QUERY, min_grade=2), "nausea")
    assert (graded.with_event, graded.exposed, graded.with_event_ref) == (2, 3, 2)
    day = STARTED.date()
    short = compared(store, replace(QUERY, first=day - timedelta(days=1), last=day), "nausea")
    assert (short.exposed, short.exposed_ref) == (1, 1)


def a_second_site(store: Store) -> str:
    with store.write() as writer:
        seeding.add_site(writer, CONSOLE, "Harbour", TIMEZONE)
        writer.commit()
    return "Harbour"


def test_strata_compare_patients_of_one_site_and_say_which_could_not(store: Store) -> None:
    harbour = (("site", a_second_site(store)),)
    record(store, SOME)
    record(
        store, [Given(20 + i, REFERENCE, 1, (("nausea",),) * (i < 2), harbour) for i in range(5)]
    )
    query = replace(BY_PATIENT, stratify="site")
    row = compared(store, query, "nausea")
    strata = [(Arm(4, 6), Arm(1, 5)), (Arm(0, 0), Arm(2, 5))]
    common = stratified.risk_difference(strata)
    assert (row.risk_difference, row.rd_low, row.rd_high) == pytest.approx(
        (common.value, common.low, common.high)
    )
    assert row.p == cochran_mantel_haenszel(strata).p
    assert (row.strata, row.strata_left_out, row.exposed_ref) == (1, 1, 10)
    assert row.method == "mantel-haenszel rd; mantel-haenszel rr; cmh"
    assert "1 of 2 strata contribute; 1 stratum has nobody" in warnings([row], query)[-1]
    scores = compared(store, replace(query, difference="miettinen-nurminen"), "nausea")
    assert scores.rd_low == stratified.miettinen_nurminen(strata).low
    assert compared(store, query, "syncope").risk_difference == 0


def test_strata_of_dose_take_the_dose_of_each_session(store: Store) -> None:
    strong = (("dose_mg", 80.0),)
    record(store, SOME)
    record(
        store, [Given(30, AGAINST, 1, (("nausea",),), strong), Given(31, AGAINST, 1, (), strong)]
    )
    record(store, [Given(32, REFERENCE, 2, (("nausea",),), strong)])
    row = compared(store, replace(BY_PATIENT, stratify="dose-band"), "nausea")
    strata = [(Arm(4, 6), Arm(1, 5)), (Arm(1, 2), Arm(1, 1))]
    assert row.risk_difference == pytest.approx(stratified.risk_difference(strata).value)
    assert (row.strata, row.strata_left_out) == (2, 0)


def test_protocols_go_by_any_of_their_names(store: Store) -> None:
    record(store, SOME)
    named = replace(QUERY, reference="IV induction", against="IM ketamine, depression")
    assert compare(store, DIRECTOR, named) == compare(store, DIRECTOR, QUERY)


def test_what_cannot_be_compared_is_said(store: Store) -> None:
    with pytest.raises(UnknownName, match="protocol"):
        compare(store, DIRECTOR, replace(QUERY, reference="Wilma Testcase"))
    with pytest.raises(UserError, match="cannot be compared with itself"):
        compare(store, DIRECTOR, replace(QUERY, against="IV induction"))
    with pytest.raises(UnknownName):
        compare(store, DIRECTOR, replace(QUERY, term="Wilma Testcase"))
    for wrong, words in (
        ({"unit": "patient-month"}, "unit must be one of: session, patient"),
        ({"difference": "best"}, "difference must be one of"),
        ({"stratify": "site"}, "compared by patient"),
        ({"stratify": "moon", "unit": "patient"}, "stratify must be one of"),
        ({"stratify": "site", "unit": "patient", "difference": "wald"}, "Over strata"),
        ({"first": LAST, "last": FIRST}, "Swap the dates"),
        ({"min_grade": 6}, "grades go from 1 to 5"),
        ({"level": 1.0}, "between 0 and 1"),
    ):
        with pytest.raises(UserError, match=words):
            replace(QUERY, **wrong)


def test_without_a_session_every_row_says_that_nothing_is_known(store: Store) -> None:
    for query in (QUERY, BY_PATIENT, replace(BY_PATIENT, stratify="site")):
        row = compare(store, DIRECTOR, query)[0]
        assert (row.exposed, row.exposed_ref, row.risk_difference) == (0, 0, None)
        assert (row.rd_low, row.rd_high, row.rr_low, row.rr_high) == (-1, 1, 0, None)
        assert sentence(row).endswith("so nothing is known.")


def test_a_nurse_gets_no_comparison(store: Store) -> None:
    with pytest.raises(AccessDenied):
        compare(store, NURSE, QUERY)
    with pytest.raises(AccessDenied):
        compare_with_label(store, NURSE, AGAINST, FIRST, LAST)


def test_our_rates_stand_beside_the_published_ones_by_patient(store: Store) -> None:
    record(store, SOME)
    found = compare_with_label(store, DIRECTOR, "IM ketamine", FIRST, LAST)
    assert (found.patients, found.sessions) == (6, 12)
    nausea = [row for row in found.rows if row.name == "Nausea" and row.unit == "patient"]
    assert {(row.with_event, row.exposed, row.estimate.method) for row in nausea} == {
        (4, 6, "wilson")
    }
    assert {"esketamine", "placebo"} <= {row.rate.arm for row in nausea}
    assert any("not sessions" in text for text in found.cannot_tell)


def test_a_row_that_the_label_groups_stands_beside_our_group(store: Store) -> None:
    record(store, SOME)
    found = compare_with_label(store, DIRECTOR, AGAINST, FIRST, LAST)
    grouped = [row for row in found.rows if row.rate.group is not None]
    assert grouped
    assert all(row.name != row.rate.term for row in grouped)


@pytest.mark.parametrize("first", [date(2026, 2, 15), FIRST], ids=["short", "all"])
@pytest.mark.parametrize("term", [None, "nausea or vomiting"])
def test_the_database_reads_covering_indexes_only(
    embedded_store: Store, first: date, term: str | None
) -> None:
    record(embedded_store, SOME)
    with embedded_store.write() as writer:  # one long ago, beside which the period is short
        recorder = Recorder(embedded_store, writer, CONSOLE)
        recorder.add(a_report(started_at=STARTED - timedelta(days=400)))
        recorder.flush()
        writer.commit()
    seen: list[tuple[str, Any]] = []

    def note(*about: Any) -> None:
        if "FROM sessions" in about[2] or "FROM events" in about[2]:
            seen.append((about[2], about[3]))

    event.listen(embedded_store._reader, "before_cursor_execute", note)
    compare(embedded_store, DIRECTOR, replace(QUERY, first=first, term=term))
    event.remove(embedded_store._reader, "before_cursor_execute", note)
    plans = []
    with embedded_store.read() as connection:
        for statement, given in seen:
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", given)
            plans += [row[3] for row in rows if " sessions" in row[3] or " events" in row[3]]
    assert len(plans) >= 8
    assert [line for line in plans if "COVERING INDEX" not in line] == []
