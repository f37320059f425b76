"""Incidence by other things than the protocol, of parts of the events, and with whole follow-up.

Each test is a small table of sessions in and a small table of counts out, on both engines.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest

from reports.rates import RateQuery, incidence
from reports.rows import BY
from safety import service
from safety.access import CONSOLE
from safety.errors import UnknownName
from safety.model import Criterion, Elicitation, PatientIdentity, Relatedness, Route, Setting, Sex
from safety.store.handle import Store
from tests.support.builders import SITE, TIMEZONE, a_report, an_event

FIRST: Final = datetime(2026, 1, 5, 10, tzinfo=ZoneInfo(TIMEZONE))
JANUARY: Final[dict[str, Any]] = {"first": date(2026, 1, 1), "last": date(2026, 1, 31)}
NAUSEA: Final = an_event("nausea", 1)


def file(store: Store, mrn: str, day: int = 0, events: Any = (), **changes: Any) -> None:
    """File one session, ``day`` days after the fifth of January."""
    report = a_report(mrn=mrn, started_at=FIRST + timedelta(days=day), events=events)
    service.file_report(store, CONSOLE, replace(report, **changes))


def counted(store: Store, **query: Any) -> list[str]:
    """``group with_event/exposed`` of nausea."""
    rows = incidence(store, CONSOLE, RateQuery(**(JANUARY | {"term": "nausea"} | query)))
    return [f"{r.protocol} {r.with_event}/{r.exposed:g}" for r in rows if r.term == "nausea"]


@pytest.mark.parametrize(
    ("by", "changes", "lines"),
    [
        ("route", {"route": Route.ORAL}, ["oral 0/1", "not recorded 1/1"]),
        ("setting", {"setting": Setting.HOME}, ["home 0/1", "not recorded 1/1"]),
        ("dose-band", {"dose_mg": 40.0, "weight_kg": 80.0}, ["0.5 to under 0.75 mg/kg 0/1"]),
        ("dose-band", {"dose_mg": 30.0, "weight_kg": 80.0}, ["under 0.5 mg/kg 0/1"]),
        (
            "dose-band",
            {"dose_mg": 84.0, "weight_kg": 80.0, "route": Route.INTRANASAL},
            ["over 56 to 84 mg 0/1"],
        ),
        ("site", {}, [f"{SITE} 1/2"]),
        ("protocol-version", {}, ["iv_ketamine_depression_induction v1 1/2"]),
    ],
)
def test_sessions_are_split_by_what_was_recorded_of_them(
    store: Store, by: str, changes: dict[str, Any], lines: list[str]
) -> None:
    nothing: dict[str, Any] = {"route": None, "setting": None, "dose_mg": None, "weight_kg": None}
    file(store, "A", events=(NAUSEA,), **nothing)
    file(store, "B", **(nothing | changes))
    found = counted(store, by=by)
    assert [line for line in lines if line not in found] == []
    assert sum(int(line.rpartition("/")[2]) for line in found) == 2


def test_patients_are_split_by_age_and_sex(store: Store) -> None:
    young = PatientIdentity("A", birth_date=date(2000, 6, 1), sex=Sex.FEMALE)
    old = PatientIdentity("B", birth_date=date(1950, 6, 1), sex=Sex.MALE)
    file(store, "A", events=(NAUSEA,), patient=young)
    file(store, "B", patient=old)
    file(store, "C", patient=PatientIdentity("C"))
    assert counted(store, by="age-band") == ["18 to 29 1/1", "65 or older 0/1", "not recorded 0/1"]
    assert counted(store, by="sex") == ["female 1/1", "male 0/1", "not recorded 0/1"]


def test_the_number_of_a_session_counts_the_whole_history_of_the_patient(store: Store) -> None:
    for day in (-60, -30, 0, 2):  # two of them before January
        file(store, "A", day, events=(NAUSEA,) if day == 0 else ())
    for day in range(14):
        file(store, "B", day)
    found = counted(store, by="session-number")
    assert found[:4] == ["1 0/1", "2 0/1", "3 1/2", "4 0/2"]
    assert found[-2:] == ["12 0/1", "13+ 0/2"]


def test_splitting_events_leaves_every_session_in_each_denominator(store: Store) -> None:
    file(store, "A", events=(replace(NAUSEA, elicitation=Elicitation.SPONTANEOUS),))
    file(store, "B", events=(replace(NAUSEA, elicitation=Elicitation.SOLICITED),))
    file(store, "C")
    assert counted(store, by="elicitation") == ["solicited 1/3", "spontaneous 1/3"]


def test_serious_and_related_events_are_subsets(store: Store) -> None:
    serious = frozenset({Criterion.HOSPITALISATION})
    severe = an_event("nausea", 3, serious=serious, narrative="Taken into hospital.")
    file(store, "A", events=(severe,))
    file(store, "B", events=(replace(NAUSEA, relatedness=Relatedness.PROBABLE),))
    file(store, "C", events=(replace(NAUSEA, relatedness=Relatedness.UNLIKELY),))
    only: Callable[..., list[str]] = lambda **query: [  # noqa: E731
        f"{row.term} {row.with_event}/{row.exposed}"
        for row in incidence(store, CONSOLE, RateQuery(**JANUARY, term="nausea", **query))
    ]
    assert only() == ["any adverse event 3/3", "nausea 3/3"]
    assert only(serious=True) == ["any adverse event 1/3", "nausea 1/3"]
    assert only(related=True) == ["any adverse event 1/3", "nausea 1/3"]


def test_protocols_and_sites_narrow_numerator_and_denominator(store: Store) -> None:
    file(store, "A", events=(NAUSEA,))
    file(store, "B", protocol="im_ketamine_depression")
    assert counted(store, protocols=("im_ketamine_depression",)) == ["im_ketamine_depression 0/1"]
    assert counted(store, sites=(SITE.upper(),), by="site") == [f"{SITE} 1/2"]
    with pytest.raises(UnknownName) as refused:
        counted(store, sites=("Wilma Testcase",))
    assert "Wilma" not in str(refused.value)


def test_all_events_are_counted_anew_over_the_whole_follow_up(store: Store) -> None:
    for day in (0, 7, 14):
        file(store, "A", day, events=(NAUSEA,))
    file(store, "B", 0)
    query = RateQuery(**JANUARY, term="nausea", unit="patient-month", all_events=True)
    row = incidence(store, CONSOLE, query)[1]
    assert (row.term, row.with_event, row.events) == ("nausea", 3, 3)
    # A from the 5th to the 22nd (14 days and an interval of three), B to the 8th: 18 + 4 days.
    assert row.exposed == pytest.approx(22 / 30.4375)
    assert row.estimate == pytest.approx(100 * 3 / (22 / 30.4375))
    assert None not in (row.low, row.high)
    assert (row.low or 0) < (row.estimate or 0) < (row.high or 0)


def test_an_interval_over_sessions_says_how_alike_the_sessions_of_a_patient_are(
    store: Store,
) -> None:
    for at, mrn in enumerate("ABCDEF"):
        for day in range(4):
            file(store, mrn, day * 3, events=(NAUSEA,) if at < 2 else ())
    query = RateQuery(**JANUARY, term="nausea")
    row = incidence(store, CONSOLE, query)[1]
    naive = incidence(store, CONSOLE, replace(query, method="wilson"))[1]
    assert (row.with_event, row.exposed, row.patients) == (8, 24, 6)
    assert (row.method, naive.method) == ("wilson-clustered", "wilson")
    # Each patient has it always or never: k / (k - 1) times four sessions that tell the same.
    assert row.design_effect == pytest.approx(6 / 5 * 4)
    assert row.low is not None
    assert naive.low is not None
    assert row.low < naive.low
    assert row.high is not None
    assert naive.high is not None
    assert row.high > naive.high


@pytest.mark.parametrize("by", BY)
def test_each_way_to_split_adds_up_to_all_sessions(store: Store, by: str) -> None:
    for day, mrn in enumerate("AABBC"):
        file(store, mrn, day, events=(NAUSEA,) if day % 2 else ())
    rows = [
        row
        for row in incidence(store, CONSOLE, RateQuery(**JANUARY, by=by, term="nausea"))
        if row.term == "nausea"
    ]
    exposed = (
        {row.exposed for row in rows} if by == "elicitation" else {sum(r.exposed for r in rows)}
    )
    assert exposed == {5}
    assert sum(row.with_event for row in rows) == 2
