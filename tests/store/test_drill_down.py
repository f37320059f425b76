"""The sessions behind a number: as many as the number says, for those who may know which."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, Final

import pytest

from reports import drill_down
from reports.asking import RateQuery
from reports.dimensions import DIMENSIONS
from reports.drill_down import SessionsBehind, sessions_behind
from reports.rates import incidence
from reports.rows import ANY_EVENT
from safety.access import CONSOLE
from safety.errors import AccessDenied, UnknownName
from safety.model import Criterion, Elicitation, Relatedness, Route, SessionReport, Setting
from safety.store.handle import Store
from safety.store.recording import Recorder
from safety.store.verifying import verify
from tests.support.accounts import audit_of
from tests.support.builders import (
    COMPLIANCE,
    DIRECTOR,
    NURSE,
    PROTOCOL,
    SITE,
    STARTED,
    a_report,
    an_event,
)
from tests.support.recorded import record

MAINTENANCE: Final = "iv_ketamine_depression_maintenance"
MARCH: Final[dict[str, Any]] = {"first": date(2026, 1, 1), "last": date(2026, 3, 31)}
SERIOUS: Final = frozenset({Criterion.HOSPITALISATION})


def a_quarter(store: Store) -> None:
    """Two patients with fifteen and five sessions, and one session before the quarter."""
    with store.write() as writer:
        recorder = Recorder(store, writer, CONSOLE)
        for report in the_quarter():
            recorder.add(report)
        recorder.flush()
        writer.commit()


def the_quarter() -> Iterator[SessionReport]:
    for at in range(20):
        patient = "A" if at < 15 else "B"
        events = []
        if at % 3 == 0:
            events.append(
                an_event(
                    "nausea",
                    1 + at % 2,
                    serious=SERIOUS if at == 3 else frozenset(),
                    elicitation=Elicitation.SOLICITED if at % 2 else None,
                    relatedness=Relatedness.PROBABLE if at == 6 else None,
                )
            )
        if at % 4 == 0:
            events.append(an_event("vomiting", 3))
        yield a_report(
            mrn=patient,
            protocol=MAINTENANCE if at % 2 else PROTOCOL,
            site="Harbour" if at % 5 == 0 else SITE,
            route=Route.INTRAMUSCULAR if at % 4 == 1 else None,
            setting=Setting.HOME if at == 9 else None,
            started_at=STARTED - timedelta(days=2 * at),
            events=tuple(events),
        )
    early = STARTED - timedelta(days=100)
    yield a_report(mrn="C", started_at=early, events=(an_event("nausea"),))


def behind(store: Store, group: str | None = None, **asked: Any) -> SessionsBehind:
    return sessions_behind(store, DIRECTOR, RateQuery(**(MARCH | asked)), group)


def test_every_number_of_the_table_has_as_many_sessions_behind_it(store: Store) -> None:
    a_quarter(store)
    numbers = [
        (row.with_event, behind(store, row.protocol, by=by, term=_term(row.term)))
        for by in DIMENSIONS
        for row in incidence(store, CONSOLE, RateQuery(by=by, term="nausea", **MARCH))
        if row.with_event
    ]
    assert len(numbers) > 2 * len(DIMENSIONS)
    for number, found in numbers:
        assert (found.sessions, len(found.listed)) == (number, number)


def _term(row_term: str) -> str | None:
    return None if row_term == ANY_EVENT else row_term


def test_what_narrows_the_number_narrows_the_sessions(store: Store) -> None:
    a_quarter(store)
    for narrowed in NARROWED:
        asked = {"term": "nausea"} | narrowed
        query = RateQuery(by="protocol", **(MARCH | asked))
        rows = [row for row in incidence(store, CONSOLE, query) if row.term != ANY_EVENT]
        number = sum(row.with_event for row in rows)
        assert behind(store, **asked).sessions == number > 0, narrowed


NARROWED: Final[tuple[dict[str, Any], ...]] = (
    {"min_grade": 2},
    {"serious": True},
    {"related": True},
    {"treatment_emergent": True},
    {"protocols": (MAINTENANCE,)},
    {"sites": ("Harbour",)},
    {"term": "grouped_nausea_or_vomiting"},
)


def test_the_newest_stands_first_and_no_more_than_two_hundred_are_listed(
    embedded_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert drill_down.MOST_LISTED == 200
    a_quarter(embedded_store)
    whole = behind(embedded_store, term="nausea")
    assert [each.day for each in whole.listed] == [
        date(2026, 3, 2) - timedelta(days=6 * at) for at in range(7)
    ]
    assert (whole.sessions, whole.patients, whole.not_listed) == (7, 2, 0)
    monkeypatch.setattr(drill_down, "MOST_LISTED", 3)
    found = behind(embedded_store, term="nausea")
    assert found.listed == whole.listed[:3]
    assert (found.sessions, found.patients, found.not_listed) == (7, 2, 4)


def test_a_session_is_told_by_day_grade_protocol_and_site(store: Store) -> None:
    event = an_event("nausea", 1), an_event("vomiting", 3, serious=SERIOUS)
    recorded = record(store, a_report(site="Harbour", events=event))
    (each,) = behind(store).listed
    assert each.report_id == recorded.report_id
    assert recorded.report_id.hex.endswith(each.reference)
    assert (each.day, each.grade, each.serious) == (date(2026, 3, 2), 3, True)
    assert (each.protocol_name, each.site) == ("IV ketamine, depression, induction", "Harbour")
    (nausea,) = behind(store, term="nausea").listed
    assert (nausea.grade, nausea.serious) == (1, False)


def test_a_role_that_opens_no_reports_gets_references_and_days(store: Store) -> None:
    a_quarter(store)
    query = RateQuery(term="nausea", **MARCH)
    bare = sessions_behind(store, COMPLIANCE, query)
    full = sessions_behind(store, DIRECTOR, query)
    assert [(each.reference, each.day) for each in bare.listed] == [
        (each.reference, each.day) for each in full.listed
    ]
    hidden = ("grade", "serious", "protocol_name", "site", "report_id")
    assert {getattr(each, name) for each in bare.listed for name in hidden} == {None}
    assert (bare.sessions, bare.patients) == (full.sessions, full.patients)


def test_each_look_is_on_record_with_ids_and_numbers_only(store: Store) -> None:
    a_quarter(store)
    behind(store, "Harbour", by="site", term="Nausea", sites=("Harbour",))
    behind(store)
    entries = audit_of(store, "session.list")
    assert [entry[:5] for entry in entries] == [
        (DIRECTOR.id, "director", "session.list", "term", "nausea"),
        (DIRECTOR.id, "director", "session.list", "term", ANY_EVENT),
    ]
    assert entries[0][5] == ("2026-01-01 to 2026-03-31, sites 2, site 2: sessions 2, listed 2")
    assert verify(store).findings == []


def test_a_number_without_sessions_is_none(store: Store) -> None:
    found = behind(store, PROTOCOL)
    assert found == SessionsBehind((), 0, 0)


def test_a_group_that_is_none_and_a_role_that_may_not_are_refused(embedded_store: Store) -> None:
    with pytest.raises(UnknownName, match="no such group by route"):
        behind(embedded_store, "by mouth or so", by="route")
    with pytest.raises(UnknownName):
        behind(embedded_store, "14", by="session-number")
    with pytest.raises(AccessDenied):
        sessions_behind(embedded_store, NURSE, RateQuery(**MARCH))
    assert audit_of(embedded_store, "session.list") == []


def test_nothing_of_a_list_shows_who_it_was(store: Store) -> None:
    record(store, a_report(events=(an_event(),)))
    found = behind(store)
    assert "Wilma" not in repr(found)
    assert "MRN" not in repr(replace(found))
