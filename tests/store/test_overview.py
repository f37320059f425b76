"""The overview: what is new since the last visit, how the quarter stands, and which rates changed.

The sums of both periods are checked against the same sums made by hand from the reports.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import pytest

from reports import overview_changes, two_periods
from reports.comparing.multiplicity import benjamini_hochberg
from reports.comparing.patients import TwoArms
from reports.comparing.sandwich import sandwich_test
from reports.overview import News, Quality, late_forms, overview
from reports.overview_changes import rate_changes
from reports.periods import Quarter
from reports.rates import today
from reports.rows import ANY_EVENT
from safety import notices, rems, service, signing_in
from safety.access import CONSOLE, Actor, Role
from safety.keys.kdf import KdfParameters
from safety.model import (
    AdverseEvent,
    BloodPressure,
    Criterion,
    Discharge,
    SessionReport,
    Setting,
    VitalSigns,
)
from safety.store.handle import Store
from safety.store.recording import Recorder
from tests.store.test_counting import plan, statements
from tests.support.accounts import PASSWORD, an_account, audit_of
from tests.support.builders import COMPLIANCE, DIRECTOR, NURSE, STARTED, a_report, an_event
from tests.support.clock import FakeClock

INDUCTION: Final = "iv_ketamine_depression_induction"
MAINTENANCE: Final = "iv_ketamine_depression_maintenance"
SPRAVATO: Final = "esketamine_nasal_induction"
QUARTER: Final = Quarter(2026, 1)
HARM: Final = frozenset({Criterion.HOSPITALISATION})
NONE: Final = frozenset[Criterion]()
SERIOUS: Final = ("vomiting", 2, 1)
"""Term, patient and session of the serious event."""


def filed(store: Store, reports: Iterable[SessionReport]) -> list[SessionReport]:
    """File many reports in one transaction."""
    listed = list(reports)
    with store.write() as writer:
        recorder = Recorder(store, writer, CONSOLE)
        for report in listed:
            recorder.add(report)
        recorder.flush()
        writer.commit()
    return listed


def a_harm() -> AdverseEvent:
    return an_event("nausea", 3, serious=HARM, narrative="Taken to hospital for a night.")


def at(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 17, tzinfo=UTC)


def two_years() -> Iterable[SessionReport]:
    """Ten patients, each with four sessions this quarter and eleven in the four before.

    Vomiting rises from 3 of 110 to 16 of 40 under the one protocol, once seriously; headache stays.
    The other protocol has few sessions of the same patients.
    """
    for patient in range(10):
        for session in range(15):
            now = session < 4
            day = date(2026, 1, 2) + timedelta(days=10 * session + patient % 3)
            if not now:
                day = date(2025, 1, 3) + timedelta(days=30 * (session - 4) + patient)
            terms = ["headache"] if (patient + session) % 5 == 0 else []
            if (now and (patient < 3 or session == patient % 4 < 2)) or (
                not now and (session, patient) in {(7, 1), (9, 1), (11, 4)}
            ):
                terms.append("vomiting")
            events = [
                an_event(term, 2, serious=HARM if (term, patient, session) == SERIOUS else NONE)
                for term in terms
            ]
            yield a_report(mrn=f"P-{patient}", started_at=at(day), events=tuple(events))
    for patient in range(4):
        for days in (3, 150):
            started = at(date(2026, 2, 20) - timedelta(days=days))
            vomited = (an_event("vomiting"),) if patient == 1 else ()
            yield a_report(
                mrn=f"P-{patient}", protocol=MAINTENANCE, started_at=started, events=vomited
            )


def by_hand(reports: Iterable[SessionReport]) -> dict[tuple[str, str], TwoArms]:
    """The two arms of every protocol and term, patient by patient."""
    seen: dict[Any, list[int]] = defaultdict(lambda: [0, 0])
    hits: dict[Any, list[int]] = defaultdict(lambda: [0, 0])
    for report in reports:
        before = report.started_at < at(QUARTER.first)
        patient, protocol = report.patient.mrn, report.protocol
        seen[protocol, patient][before] += 1
        terms = {event.term for event in report.events}
        for term in terms | ({ANY_EVENT} if terms else set()):
            hits[protocol, term, patient][before] += 1
    found = {}
    for protocol, term in {(protocol, term) for protocol, term, _ in hits}:
        people = [patient for each, patient in seen if each == protocol]
        m = [seen[protocol, patient] for patient in people]
        x = [hits[protocol, term, patient] for patient in people]
        arms = [([a[i] for a in m], [b[i] for b in x]) for i in (0, 1)]
        found[protocol, term] = TwoArms.of_patients(people, arms[0], arms[1])
    return found


def numbers(arms: TwoArms) -> list[Any]:
    each = (arms.arm, arms.reference)
    names = (
        "patients",
        "sessions",
        "affected",
        "sessions_squared",
        "sessions_times_affected",
        "affected_squared",
    )
    return [*(getattr(arm, name) for arm in each for name in names), arms.shared]


def test_the_sums_of_two_periods_are_those_counted_by_hand(store: Store) -> None:
    expected = by_hand(filed(store, two_years()))
    with store.read() as connection:
        span = overview_changes._span(connection, QUARTER)
        naming = overview_changes._Naming(connection, span)
        found = {
            (naming._protocols[pair.protocol_no].id, naming._term(pair.term_no)[0]): pair.arms
            for pair in two_periods.pairs(connection, span)
        }
        serious = two_periods.serious(connection, span)
    assert {key: numbers(arms) for key, arms in found.items()} == {
        key: numbers(arms) for key, arms in expected.items()
    }
    assert sorted(serious.values()) == [1, 1]  # of the term, and of any event


def test_what_changed_beyond_chance_stands_out_and_the_rest_does_not(store: Store) -> None:
    arms = by_hand(filed(store, two_years()))
    with store.read() as connection:
        found = rate_changes(connection, QUARTER)
    tested = [each for each in arms if each[0] == INDUCTION]
    adjusted = dict(
        zip(tested, benjamini_hochberg(sandwich_test(arms[e]).p for e in tested), strict=True)
    )
    assert (found.compared, found.too_few) == (3, 2)
    assert (found.sessions_now, found.sessions_before) == (44, 114)
    change = next(each for each in found.standing_out if each.term == "vomiting")
    assert change is found.standing_out[0]
    assert (change.now.affected, change.now.sessions, change.now.patients) == (16, 40, 10)
    assert (change.before.affected, change.before.sessions) == (3, 110)
    assert change.q == pytest.approx(adjusted[INDUCTION, "vomiting"])
    assert change.difference.low > 0
    assert (change.protocol, change.term_name, change.serious) == (INDUCTION, "Vomiting", 1)
    assert "headache" not in {each.term for each in found.standing_out}


def test_a_rate_with_few_sessions_is_not_compared(store: Store) -> None:
    filed(store, (report for report in two_years() if report.patient.mrn < "P-4"))
    with store.read() as connection:
        found = rate_changes(connection, QUARTER)
    assert (found.standing_out, found.compared) == ((), 0)
    assert found.too_few > 0


def test_none_of_few_is_no_fall(embedded_store: Store) -> None:
    """None of 47 now and 18 of 360 before is what chance does one time in ten."""
    now, before = date(2026, 1, 2), date(2025, 2, 1)
    filed(
        embedded_store,
        (
            a_report(
                mrn=f"P-{number}",
                started_at=at(now if number < 47 else before),
                events=(an_event("vomiting"),) if 47 <= number < 65 else (),
            )
            for number in range(407)
        ),
    )
    with embedded_store.read() as connection:
        found = rate_changes(connection, QUARTER)
    assert found.compared == 2
    assert found.standing_out == ()


def test_what_was_never_seen_before_stands_out_when_it_comes_often(embedded_store: Store) -> None:
    """Vomiting in 9 of 40 sessions of 20 patients, in none of 60 sessions before."""
    filed(
        embedded_store,
        (
            a_report(
                mrn=f"P-{number % 20}",
                started_at=at(date(2026, 2, 1) if number < 40 else date(2025, 6, 1)),
                events=(an_event("vomiting"),) if number < 9 else (),
            )
            for number in range(100)
        ),
    )
    with embedded_store.read() as connection:
        found = rate_changes(connection, QUARTER)
    (any_event, vomiting) = found.standing_out
    assert {any_event.term, vomiting.term} == {ANY_EVENT, "vomiting"}
    assert vomiting.method == "fisher"
    assert (vomiting.before.affected, vomiting.before.sessions) == (0, 60)


@pytest.mark.parametrize("years", [0, 12])
def test_rates_are_compared_from_covering_indexes(embedded_store: Store, years: int) -> None:
    filed(embedded_store, two_years())
    for year in range(years):  # the five quarters are then a small part of the store
        filed(embedded_store, [a_report(mrn="OLD", started_at=at(date(2012 + year, 5, 1)))])
    with embedded_store.read() as connection, statements(embedded_store) as seen:
        two_periods.pairs(connection, overview_changes._span(connection, QUARTER))
    lines = [line for sql, given in seen for line in plan(embedded_store, sql, given)]
    assert len(lines) >= 3
    assert [line for line in lines if "COVERING INDEX" not in line] == []


def test_an_overview_takes_few_statements(embedded_store: Store) -> None:
    filed(embedded_store, two_years())
    with statements(embedded_store) as seen:
        overview(embedded_store, DIRECTOR)
    assert len(seen) <= 20


def test_a_new_clinic_has_an_overview_of_nothing(store: Store) -> None:
    found = overview(store, DIRECTOR)
    assert not found.ever
    assert (found.news, found.exposure, found.quality) == (News(None), (), Quality())
    assert (found.changes.standing_out, found.changes.compared) == ((), 0)
    assert (found.notices, found.rems_late) == ({}, 0)


def test_what_is_new_is_what_came_after_the_visit_before(
    store: Store, clock: FakeClock, cheap_kdf: KdfParameters
) -> None:
    an_account(store, Role.DIRECTOR)
    an_account(store, Role.COMPLIANCE)
    old = service.file_report(store, NURSE, a_report(mrn="OLD")).report_id
    director, first = visited(store), clock.now
    assert overview(store, director).news == News(None)
    second = clock.advance(days=2)
    visited(store)
    clock.advance(hours=1)
    signing_in.sign_in(store, "compliance", PASSWORD)
    assert overview(store, director).news == News(local(store, first))
    service.file_report(store, NURSE, a_report(mrn="A", started_at=clock.now))
    service.file_report(store, NURSE, a_report(mrn="B", events=(a_harm(),)))
    report = replace(service.read_report(store, NURSE, old).report, weight_kg=82.0)
    service.amend_report(store, NURSE, old, report, base_version=1, reason="Wrong chart.")
    assert overview(store, director).news == News(local(store, first), 2, 1, 1, 1)
    clock.advance(hours=1)
    visited(store)
    assert overview(store, director).news == News(local(store, second), 2, 1, 1, 1)
    clock.advance(hours=1)
    visited(store)
    assert overview(store, director).news.reports == 0


def visited(store: Store) -> Actor:
    return signing_in.sign_in(store, "director", PASSWORD).actor


def local(store: Store, moment: datetime) -> datetime:
    return moment.astimezone(store.clinic.timezone)


def test_only_an_amendment_is_news_too(
    store: Store, clock: FakeClock, cheap_kdf: KdfParameters
) -> None:
    an_account(store, Role.DIRECTOR)
    old = service.file_report(store, NURSE, a_report()).report_id
    director, first = visited(store), clock.now
    clock.advance(hours=1)
    visited(store)
    report = replace(service.read_report(store, NURSE, old).report, weight_kg=82.0)
    service.amend_report(store, NURSE, old, report, base_version=1, reason="Wrong chart.")
    assert overview(store, director).news == News(local(store, first), amended=1)


def test_as_many_forms_are_late_as_the_list_of_forms_has(store: Store) -> None:
    reports = [
        a_report(
            mrn=f"R-{days}-{setting}",
            protocol=protocol,
            setting=setting,
            started_at=STARTED - timedelta(days=days),
        )
        for days in (0, 7, 8, 9, 60, 61)
        for setting in (None, *Setting)
        for protocol in (SPRAVATO, INDUCTION)
    ]
    filed(store, reports)
    forms = rems.rems_due(store, NURSE)
    rems.mark_sent(store, NURSE, forms[0].report_id)
    late = [form for form in forms[1:] if form.days_left < 0]
    with store.read() as connection:
        assert late_forms(connection, today(store)) == len(late) == 11
    assert overview(store, DIRECTOR).rems_late == 11


def test_forms_and_notices_are_for_those_who_may_see_them(store: Store) -> None:
    service.file_report(store, NURSE, a_report(events=(a_harm(),)))
    director, compliance = overview(store, DIRECTOR), overview(store, COMPLIANCE)
    assert (director.notices, director.rems_late) == ({notices.SERIOUS: 1}, 0)
    assert (compliance.notices, compliance.rems_late) == (None, None)
    assert replace(compliance, notices=director.notices, rems_late=0) == director


def test_exposure_stands_beside_that_of_the_quarter_before(store: Store) -> None:
    filed(store, two_years())
    filed(store, [a_report(mrn="P-1", protocol=SPRAVATO, started_at=at(date(2025, 12, 30)))])
    found = overview(store, DIRECTOR)
    assert [(row.protocol, row.sessions, row.patients) for row in found.exposure] == [
        (INDUCTION, 40, 10),
        (MAINTENANCE, 4, 4),
        (SPRAVATO, 0, 0),
    ]
    assert (found.exposure[2].sessions_before, found.exposure[2].patients_before) == (1, 1)
    assert (
        sum(row.sessions_before for row in found.exposure)
        == len(
            [r for r in two_years() if at(date(2025, 10, 1)) <= r.started_at < at(date(2026, 1, 1))]
        )
        + 1
    )
    assert (found.patients, found.patients_before) == (10, 10)


def test_what_reports_lack_is_counted(store: Store) -> None:
    whole = a_report(
        mrn="W",
        vitals=VitalSigns(peak=BloodPressure(150, 90)),
        discharge=Discharge(discharged_at=STARTED + timedelta(hours=2)),
        reported_at=STARTED + timedelta(hours=24),
    )
    late = replace(whole, reported_at=STARTED + timedelta(hours=24, minutes=1))
    filed(store, [whole, late, a_report(mrn="E", no_adverse_event=None)])
    expected = Quality(
        sessions=3, nothing_said=1, no_peak_pressure=1, no_leaving_time=1, late=1, lag_unknown=1
    )
    assert overview(store, DIRECTOR).quality == expected


def test_looking_at_the_overview_opens_and_writes_nothing(store: Store) -> None:
    filed(store, two_years())
    before = audit_of(store)
    overview(store, DIRECTOR)
    assert audit_of(store) == before
