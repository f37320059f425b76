"""Incidence: what a table of sessions becomes. Each test is a small table in and a small table out.

Sessions are filed as nurses file them, on the encrypted file and on PostgreSQL. ``iv`` and ``im``
stand for the seeded protocols; ``nausea 2`` is an event with its grade, ``nausea 2 at -30`` one
that began 30 minutes before the dose. Terms come in the order of the vocabulary.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from reports.rates import RateQuery, exposure, incidence
from reports.rows import RateRow
from safety import protocols, service
from safety.access import CONSOLE
from safety.model import AdverseEvent
from safety.service import Filed
from safety.store.handle import Store
from tests.support.builders import TIMEZONE, a_report
from tests.support.clock import FakeClock
from tests.support.recorded import record

ZONE: Final = ZoneInfo(TIMEZONE)
NAMES: Final = {"iv": "iv_ketamine_depression_induction", "im": "im_ketamine_depression"}
SHORT: Final = {name: short for short, name in NAMES.items()}
JANUARY: Final[dict[str, Any]] = {"first": date(2026, 1, 1), "last": date(2026, 1, 31)}


def filed(store: Store, table: str) -> list[Filed]:
    """File each line of ``table``: day, patient, protocol, and the events after a bar."""
    found = []
    for line in table.strip().splitlines():
        about, _, listed = line.partition("|")
        day, patient, protocol = about.split()
        started = datetime.combine(date.fromisoformat(day), datetime.min.time(), ZONE)
        report = a_report(
            mrn=patient,
            protocol=NAMES[protocol],
            started_at=started.replace(hour=23, minute=30),
            events=tuple(_event(text) for text in listed.split(",") if text.strip()),
        )
        found.append(service.file_report(store, CONSOLE, report))
    return found


def _event(text: str) -> AdverseEvent:
    about, _, onset = text.partition(" at ")
    term, grade = about.split()
    return AdverseEvent(term, int(grade), onset_minutes=int(onset) if onset else None)


def counted(store: Store, *terms: str, **query: Any) -> list[str]:
    """``protocol term with_event/exposed events`` of ``terms``, or of every row above zero."""
    rows = incidence(store, CONSOLE, RateQuery(**(JANUARY | query)))
    return [
        f"{SHORT[row.protocol]} {_name(row)} {row.with_event}/{row.exposed:g} {row.events}"
        for row in rows
        if (row.term in terms if terms else row.with_event)
    ]


def _name(row: RateRow) -> str:
    return "any" if row.term == "any adverse event" else row.term


def estimates(store: Store, term: str, **query: Any) -> list[str]:
    """Estimate and limits of one term, three decimals."""
    rows = incidence(store, CONSOLE, RateQuery(**(JANUARY | query), term=term))
    return [
        f"{SHORT[row.protocol]} {_digits(row.estimate)} [{_digits(row.low)}, {_digits(row.high)}]"
        for row in rows
        if row.term == term
    ]


def _digits(number: float | None) -> str:
    return "-" if number is None else f"{number:.3f}"


def test_each_session_counts_also_the_one_in_which_nothing_happened(store: Store) -> None:
    filed(
        store,
        """
        2026-01-05 A iv | nausea 1, dizziness 2
        2026-01-08 A iv |
        2026-01-08 B iv | nausea 2
        2026-01-09 C im |
        """,
    )
    assert counted(store, "any adverse event", "nausea", "dizziness", "vomiting") == [
        "iv any 2/3 3",
        "iv dizziness 1/3 1",
        "iv nausea 2/3 2",
        "iv vomiting 0/3 0",
        "im any 0/1 0",
        "im dizziness 0/1 0",
        "im nausea 0/1 0",
        "im vomiting 0/1 0",
    ]


def test_no_event_in_four_sessions_still_has_an_upper_limit(store: Store) -> None:
    filed(store, "2026-01-05 A iv |\n" * 4)
    # By Wilson, with z squared 3.841: 3.841 of 7.841.
    assert estimates(store, "nausea", method="wilson") == ["iv 0.000 [0.000, 0.490]"]
    # All four are of one patient, who tells as much as one session: 1 - 0.025.
    assert estimates(store, "nausea") == ["iv 0.000 [0.000, 0.975]"]


def test_an_event_in_every_one_of_four_sessions(store: Store) -> None:
    filed(store, "2026-01-05 A iv | nausea 1\n" * 4)
    assert estimates(store, "nausea", method="wilson") == ["iv 1.000 [0.510, 1.000]"]
    assert estimates(store, "nausea") == ["iv 1.000 [0.025, 1.000]"]


def test_one_in_four_by_the_methods_that_can_be_chosen(store: Store) -> None:
    filed(store, "2026-01-05 A iv | nausea 1\n" + "2026-01-05 B iv |\n" * 3)
    assert estimates(store, "nausea", method="wilson") == ["iv 0.250 [0.046, 0.699]"]
    assert estimates(store, "nausea", method="clopper-pearson") == ["iv 0.250 [0.006, 0.806]"]


def test_a_patient_with_the_event_in_three_sessions_counts_once_by_patient(store: Store) -> None:
    filed(
        store,
        """
        2026-01-05 A iv | nausea 1
        2026-01-08 A iv | nausea 2
        2026-01-12 A iv | nausea 1
        2026-01-12 B iv |
        """,
    )
    assert counted(store, "nausea") == ["iv nausea 3/4 3"]
    assert counted(store, "nausea", unit="patient") == ["iv nausea 1/2 3"]


def test_a_patient_under_two_protocols_is_exposed_to_both(store: Store) -> None:
    filed(store, "2026-01-05 A iv | nausea 1\n2026-01-20 A im |")
    assert counted(store, "nausea", unit="patient") == ["iv nausea 1/1 1", "im nausea 0/1 0"]


def test_a_minimum_grade_leaves_out_milder_events_and_keeps_the_denominator(store: Store) -> None:
    filed(
        store,
        """
        2026-01-05 A iv | nausea 1, dizziness 3
        2026-01-08 B iv | nausea 2
        2026-01-09 C iv | nausea 1
        """,
    )
    assert counted(store, min_grade=2) == ["iv any 2/3 2", "iv dizziness 1/3 1", "iv nausea 1/3 1"]
    assert counted(store, min_grade=3) == ["iv any 1/3 1", "iv dizziness 1/3 1"]


def test_both_end_days_belong_to_the_period_by_the_clock_of_the_site(store: Store) -> None:
    filed(
        store,
        """
        2025-12-31 A iv | nausea 1
        2026-01-01 B iv | nausea 1
        2026-01-31 C iv | nausea 1
        2026-02-01 D iv | nausea 1
        """,
    )
    # All begin at 23:30 in New York, which is the next day in UTC.
    assert counted(store, "nausea") == ["iv nausea 2/2 2"]
    assert counted(store, "nausea", last=date(2026, 1, 1)) == ["iv nausea 1/1 1"]


def test_treatment_emergent_leaves_out_what_was_there_before_the_dose(store: Store) -> None:
    filed(
        store,
        """
        2026-01-05 A iv | headache 2 at -30
        2026-01-08 B iv | headache 1 at 20, nausea 1
        """,
    )
    assert counted(store) == ["iv any 2/2 3", "iv headache 2/2 2", "iv nausea 1/2 1"]
    assert counted(store, treatment_emergent=True) == [
        "iv any 1/2 2",
        "iv headache 1/2 1",
        "iv nausea 1/2 1",
    ]


def test_a_group_counts_a_session_with_two_of_its_members_once(store: Store) -> None:
    filed(
        store,
        """
        2026-01-05 A iv | nausea 1, vomiting 2
        2026-01-08 A iv | vomiting 1
        2026-01-08 B iv | headache 1
        """,
    )
    group = "grouped_nausea_or_vomiting"
    assert counted(store, group, term="Nausea or vomiting") == [f"iv {group} 2/3 3"]
    assert counted(store, group, term=group, unit="patient") == [f"iv {group} 1/2 3"]


def test_asking_for_one_term_gives_its_row_under_the_row_of_any_event(store: Store) -> None:
    filed(store, "2026-01-05 A iv | nausea 1, headache 2")
    assert counted(store, term="Feeling sick") == ["iv any 1/1 2", "iv nausea 1/1 1"]


def test_versions_of_a_protocol_are_counted_together_under_its_newest_name(store: Store) -> None:
    filed(store, "2026-01-05 A iv | nausea 1")
    old = next(p for p in protocols.list_protocols(store, CONSOLE) if p.id == NAMES["iv"])
    protocols.add_protocols(store, CONSOLE, [replace(old, name="IV induction, slower")])
    filed(store, "2026-01-08 A iv | nausea 1")
    rows = incidence(store, CONSOLE, RateQuery(**JANUARY, term="nausea"))
    assert [(row.protocol_name, row.with_event) for row in rows] == [
        ("IV induction, slower", 2)
    ] * 2


def test_an_amendment_replaces_what_was_counted(store: Store) -> None:
    first, _ = filed(store, "2026-01-05 A iv | nausea 1\n2026-01-06 B iv | nausea 1")
    report = service.read_report(store, CONSOLE, first.report_id).report
    corrected = replace(report, events=(AdverseEvent("headache", 2),))
    service.amend_report(
        store, CONSOLE, first.report_id, corrected, base_version=1, reason="wrong term"
    )
    assert counted(store) == ["iv any 2/2 2", "iv headache 1/2 1", "iv nausea 1/2 1"]


def test_a_protocol_without_a_session_in_the_period_has_no_row(store: Store) -> None:
    filed(store, "2026-01-05 A iv | nausea 1\n2026-02-05 B im | nausea 1")
    assert counted(store, "nausea") == ["iv nausea 1/1 1"]
    assert incidence(store, CONSOLE, RateQuery(date(2020, 1, 1), date(2020, 3, 31))) == ()


def test_time_at_risk_runs_to_the_first_event_or_to_one_planned_interval_after_the_last_session(
    store: Store,
) -> None:
    filed(
        store,
        """
        2026-01-01 A iv |
        2026-01-04 A iv | nausea 1
        2026-01-07 A iv | nausea 1
        2026-01-01 B iv |
        2026-01-10 B iv |
        2026-01-30 C iv |
        """,
    )
    # Both end days count. A: 1 to 4 January, 4 days. B: 1 to 13 (3 days after the last session),
    # 13 days. C: 30 and 31, cut at the end of the period. 19 days are 19 / 30.4375 months.
    [nausea] = [
        row
        for row in incidence(store, CONSOLE, RateQuery(**JANUARY, unit="patient-month"))
        if row.term == "nausea"
    ]
    assert (nausea.with_event, nausea.events) == (1, 2)
    assert nausea.exposed == 19 / 30.4375
    assert nausea.estimate == 100 * 30.4375 / 19
    assert nausea.method == "exact-poisson (followed to last session + planned interval)"


def test_time_at_risk_of_a_group_ends_with_the_first_of_its_members(store: Store) -> None:
    filed(store, "2026-01-01 A iv | vomiting 1\n2026-01-05 A iv | nausea 1")
    assert estimates(store, "grouped_nausea_or_vomiting", unit="patient-month") == [
        "iv 3043.750 [77.061, 16958.690]"
    ]


def test_follow_up_does_not_reach_into_the_future(store: Store, clock: FakeClock) -> None:
    filed(store, "2026-03-01 A iv |")
    assert clock().date() == date(2026, 3, 2)
    period: dict[str, Any] = {"first": date(2026, 3, 1), "last": date(2026, 3, 31)}
    rows = incidence(store, CONSOLE, RateQuery(**period, unit="patient-month"))
    assert {row.exposed for row in rows} == {2 / 30.4375}


def test_exposure_counts_amended_and_silent_reports(store: Store) -> None:
    first, *_ = filed(store, "2026-01-05 A iv | nausea 1\n2026-01-06 A iv |\n2026-01-07 B iv |")
    silent = a_report(mrn="C", protocol=NAMES["iv"], started_at=datetime(2026, 1, 9, tzinfo=ZONE))
    record(store, replace(silent, no_adverse_event=None))
    report = service.read_report(store, CONSOLE, first.report_id).report
    service.amend_report(store, CONSOLE, first.report_id, report, base_version=1, reason="lot")
    [row] = exposure(store, CONSOLE, JANUARY["first"], JANUARY["last"])
    assert (row.protocol, row.sessions, row.patients) == (NAMES["iv"], 4, 3)
    assert (row.reports_amended, row.sessions_nothing_said) == (1, 1)
