"""Sites and people side by side: counts, design effects, names, findings, and the warning."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import event

from reports import clustered
from reports.clustered import PatientSums
from reports.group_profiles import profiles
from reports.group_reporting import UnderReporting, UnitFinding, under_reporting
from reports.group_signals import (
    FunnelReport,
    GroupQuery,
    UnitRow,
    design_effect,
    funnel,
    likeness,
)
from reports.grouping.disproportionality import WARNING
from safety.access import CONSOLE, Role
from safety.errors import AccessDenied, UnknownName, UserError
from safety.model import SessionReport
from safety.store.handle import Store
from safety.store.recording import Recorder
from tests.support.accounts import an_account
from tests.support.builders import (
    COMPLIANCE,
    DIRECTOR,
    NURSE,
    SITE,
    STARTED,
    a_report,
    an_event,
)

YEAR = (date(2025, 3, 3), date(2026, 3, 2))
MAINTENANCE = "iv_ketamine_depression_maintenance"
ANNEX = "Harbour Annex"


def file_all(store: Store, reports: Iterable[SessionReport]) -> None:
    with store.write() as writer:
        recorder = Recorder(store, writer, CONSOLE)
        for report in reports:
            recorder.add(report)
        recorder.flush()
        writer.commit()


def sessions(mrn: str, count: int, *hits: int, term: str = "nausea", **changes: Any) -> list[Any]:
    """``count`` sessions of one patient, a day apart; those numbered in ``hits`` have the event."""
    return [
        a_report(
            mrn=mrn,
            started_at=STARTED - timedelta(days=day),
            events=(an_event(term),) if day in hits else (),
            **changes,
        )
        for day in range(count)
    ]


def query(**changes: Any) -> GroupQuery:
    return GroupQuery(*YEAR, **changes)


def rows(found: FunnelReport) -> dict[str, UnitRow]:
    return {row.unit.name: row for row in found.rows}


def said(found: UnderReporting) -> dict[tuple[str, str], UnitFinding]:
    return {(each.unit.name, each.finding.kind): each for each in found.findings}


def test_sites_stand_with_sessions_patients_and_what_they_count_as(store: Store) -> None:
    """Two patients all or nothing at one site; at the other one session a patient."""
    file_all(
        store,
        [
            *sessions("A", 4, 0, 1, 2, 3),
            *sessions("B", 4),
            *(
                r
                for n in range(6)
                for r in sessions(f"C{n}", 1, *([0] if n < 2 else ()), site=ANNEX)
            ),
        ],
    )
    found = funnel(store, DIRECTOR, query())
    main, annex = rows(found)[SITE], rows(found)[ANNEX]
    assert (main.x, main.n, main.patients) == (4, 8, 2)
    assert (annex.x, annex.n, annex.patients) == (2, 6, 6)
    assert (found.x, found.n, found.unattributed) == (6, 14, 0)
    assert found.likeness == 1
    assert main.design_effect == pytest.approx(4)  # each patient's four sessions tell as one
    assert main.effective == pytest.approx(2)
    assert annex.design_effect == pytest.approx(1)
    assert annex.sentence == (
        "2 of 6 sessions (33 %; 95 % interval 10 to 70 %), 43 % in all. "
        "Within what chance explains."
    )


def test_likeness_is_pooled_over_the_units_and_stays_between_none_and_all() -> None:
    alike, mixed = PatientSums.of([3, 3], [3, 0]), PatientSums.of([2, 2], [1, 1])
    some = PatientSums.of([2] * 8, [2, 2, 1, 1, 0, 0, 0, 0])
    nobody = PatientSums.of([5, 5], [0, 0])
    assert likeness([alike]) == 1
    assert likeness([mixed]) == 0
    assert likeness([nobody]) is None
    # n p q of the two units is 3.75 and 1, both have 2 sessions a patient, so one more than one.
    effects = [clustered.design_effect(each) or 0 for each in (some, mixed)]
    pooled = (3.75 * (effects[0] - 1) + 1 * (effects[1] - 1)) / (3.75 + 1)
    assert 0 < pooled < 1
    assert likeness([some, mixed, nobody]) == pytest.approx(pooled)
    assert design_effect(nobody, 0.25) == pytest.approx(1 + 4 * 0.25)
    assert design_effect(nobody, None) == pytest.approx(5)
    assert design_effect(PatientSums.of([], []), None) == 1


def test_a_site_far_above_the_others_is_flagged_in_words(embedded_store: Store) -> None:
    many = [
        report
        for at in range(40)
        for report in (
            *sessions(f"M{at}", 1, *([0] if at < 3 else ())),
            *sessions(f"H{at}", 1, *([0] if at < 26 else ()), site=ANNEX),
        )
    ]
    file_all(
        embedded_store, [*many, *(r for n in range(80) for r in sessions(f"S{n}", 1, site="S"))]
    )
    found = rows(funnel(embedded_store, DIRECTOR, query()))
    assert (found[ANNEX].flag, found["S"].flag) == ("high", "low")
    assert "Higher than chance explains" in found[ANNEX].sentence
    chance = found[ANNEX].p
    assert chance is not None
    assert chance < 0.002


def test_people_are_named_to_the_director_and_go_by_a_pseudonym_otherwise(
    store: Store, cheap_kdf: object
) -> None:
    an_account(store, Role.NURSE)  # her name is shown as Made-up nurse
    file_all(
        store,
        [
            *sessions("A", 3, 0, reported_by="made-up  NURSE"),
            *sessions("B", 2, reported_by="Somebody Elsewhere"),
            *sessions("C", 1),
        ],
    )
    seen = funnel(store, DIRECTOR, query(by="nurse"))
    named, other = seen.rows
    assert (named.unit.name, named.unit.person, named.n) == ("Made-up nurse", True, 3)
    assert other.unit.name == other.unit.id
    assert other.unit.id.startswith("Person ")
    assert seen.unattributed == 1
    hidden = funnel(store, COMPLIANCE, query(by="nurse"))
    assert {row.unit.id for row in hidden.rows} == {row.unit.id for row in seen.rows}
    assert all(row.unit.name == row.unit.id and not row.unit.person for row in hidden.rows)
    assert "nurse" not in str(hidden.rows).lower()
    assert "Elsewhere" not in str(seen.rows)


def test_a_group_counts_a_session_once_and_filters_narrow_what_is_counted(store: Store) -> None:
    both = (an_event("anxiety"), an_event("agitation", 2))
    file_all(
        store,
        [
            a_report(mrn="A", events=both),
            *sessions("B", 2, 0, term="agitation", protocol=MAINTENANCE),
            *sessions("C", 3, 0),
        ],
    )
    assert funnel(store, DIRECTOR, query()).x == 3
    assert funnel(store, DIRECTOR, query(term="grouped_anxiety")).x == 2
    assert funnel(store, DIRECTOR, query(term="agitation")).x == 2
    assert funnel(store, DIRECTOR, query(term="agitation", min_grade=2)).x == 1
    narrowed = funnel(store, DIRECTOR, query(term="agitation", protocols=(MAINTENANCE,)))
    assert (narrowed.x, narrowed.n) == (1, 2)
    assert funnel(store, DIRECTOR, query(term="syncope")).x == 0
    with pytest.raises(UnknownName):
        funnel(store, DIRECTOR, query(term="no such effect"))
    with pytest.raises(UnknownName):
        funnel(store, DIRECTOR, query(protocols=("no such protocol",)))


def test_without_a_session_there_is_nothing_and_no_error(store: Store) -> None:
    found = funnel(store, DIRECTOR, query())
    assert (found.rows, found.n, found.centre.value, found.limits) == ((), 0, None, ())
    nothing = under_reporting(store, DIRECTOR, query(by="nurse"))
    assert (nothing.findings, nothing.unsaid, nothing.untimed) == ((), (), 0)


def _a_quiet_nurse(store: Store) -> None:
    """Three who report every other session, one who reports none, one with few sessions."""
    for nurse in ("Ann", "Bea", "Cid"):
        file_all(
            store,
            [
                report
                for at in range(20)
                for report in sessions(f"{nurse}{at}", 2, at % 2, reported_by=nurse)
            ],
        )
    file_all(store, [r for at in range(20) for r in sessions(f"Q{at}", 2, reported_by="Quinn")])
    file_all(store, [r for at in range(5) for r in sessions(f"F{at}", 1, reported_by="Fay")])


def _accounts(store: Store) -> None:
    from safety import accounts

    for name in ("Ann", "Bea", "Cid", "Quinn", "Fay"):
        accounts.add_account(
            store,
            CONSOLE,
            username=name.lower(),
            display_name=name,
            role=Role.NURSE,
            password="lantern gravel otter 58",
        )


def test_who_reports_less_than_elsewhere_is_found_and_not_accused(
    store: Store, cheap_kdf: object
) -> None:
    _accounts(store)
    _a_quiet_nurse(store)
    found = under_reporting(store, DIRECTOR, query(by="nurse"))
    quiet = said(found)["Quinn", "few effects"].finding
    assert (quiet.x, quiet.n, quiet.left_out) == (0, 40, 0)
    assert quiet.expected == pytest.approx(40 * 60 / 125)  # Fay's five sessions count too
    assert quiet.signal
    assert quiet.p < quiet.adjusted <= 0.05
    assert quiet.sentence == (
        "fewer effects were recorded than the same protocols bring elsewhere: "
        "0 of 40 sessions, 19.2 expected"
    )
    assert said(found)["Quinn", "silent reports"].finding.signal
    assert not said(found)["Ann", "few effects"].finding.signal
    assert ("few effects", "Fay", "fewer than 20 sessions") in {
        (kind, unit.name, why) for kind, unit, why in found.unsaid
    }
    words = " ".join([found.caveat, *(each.finding.sentence for each in found.findings)]).lower()
    assert not any(word in words for word in ("fail", "hid", "negligen", "conceal", "fraud"))
    assert "not a finding about a person" in words


def test_the_minimum_of_sessions_can_be_set(embedded_store: Store) -> None:
    _a_quiet_nurse(embedded_store)
    found = under_reporting(embedded_store, COMPLIANCE, query(by="nurse", minimum=5))
    assert found.minimum == 5
    assert len({unit for unit, kind in said(found) if kind == "few effects"}) == 5
    with pytest.raises(UserError, match="must be 1 or more"):
        query(minimum=0)


def test_sessions_under_a_protocol_of_ones_own_are_compared_to_nothing(store: Store) -> None:
    file_all(store, [r for at in range(10) for r in sessions(f"A{at}", 3)])
    file_all(store, [r for at in range(10) for r in sessions(f"B{at}", 3, 0, site=ANNEX)])
    alone = [r for at in range(7) for r in sessions(f"C{at}", 1, site=ANNEX, protocol=MAINTENANCE)]
    file_all(store, alone)
    found = said(under_reporting(store, DIRECTOR, query()))[ANNEX, "few effects"].finding
    assert (found.n, found.left_out) == (30, 7)


def test_late_is_counted_from_the_end_of_the_session(embedded_store: Store) -> None:
    """A session of an hour, filed 24 h 30 min and 25 h 30 min after it began, and undated."""
    reports = []
    for at, lag in enumerate([24.5] * 15 + [25.5] * 5 + [None] * 2):
        filed = None if lag is None else STARTED + timedelta(hours=lag)
        end = STARTED + timedelta(minutes=60)
        reports.append(a_report(mrn=f"A{at}", ended_at=end, reported_at=filed))
        reports.append(a_report(mrn=f"B{at}", site=ANNEX, reported_at=STARTED))
    file_all(embedded_store, reports)
    found = under_reporting(embedded_store, DIRECTOR, query())
    late = said(found)[SITE, "late entry"].finding
    assert (late.x, late.n) == (5, 20)
    assert found.untimed == 2
    assert "filed over 24 hours after the session" in late.sentence


def test_disproportionality_needs_the_warning_and_one_effect(store: Store) -> None:
    with pytest.raises(UserError, match="compare rates instead"):
        profiles(store, DIRECTOR, query(term="nausea"))
    with pytest.raises(UserError, match="Choose one effect"):
        profiles(store, DIRECTOR, query(), acknowledged=WARNING)
    assert profiles(store, DIRECTOR, query(term="nausea"), acknowledged=WARNING) == ()


def test_disproportionality_is_of_events_against_all_other_protocols(store: Store) -> None:
    file_all(
        store,
        [
            *sessions("A", 6, 0, 1, 2),
            *sessions("B", 4, 0, 1, term="headache"),
            *sessions("C", 5, 0, protocol=MAINTENANCE),
            *sessions("D", 9, 0, 1, 2, 3, term="headache", protocol=MAINTENANCE),
        ],
    )
    asked = query(term="nausea", protocols=(MAINTENANCE,))
    first, second = profiles(store, DIRECTOR, asked, acknowledged=WARNING)
    assert first.found.table.counts() == (3, 2, 1, 4)
    assert second.found.table.counts() == (1, 4, 3, 2)
    assert first.found.ror.value == pytest.approx(3 * 4 / (2 * 1))
    assert first.found.warning == WARNING


def test_a_role_without_counts_gets_none(embedded_store: Store) -> None:
    for ask in (funnel, under_reporting, profiles):
        with pytest.raises(AccessDenied):
            ask(embedded_store, NURSE, query())


@pytest.mark.parametrize("by", ["site", "nurse"])
def test_the_database_adds_up_and_hands_out_no_row_a_session(
    embedded_store: Store, by: str
) -> None:
    seen: list[str] = []
    note = lambda *about: seen.append(about[2])  # noqa: E731 - a listener
    event.listen(embedded_store._reader, "before_cursor_execute", note)
    try:
        funnel(embedded_store, DIRECTOR, query(by=by, term="nausea"))
        under_reporting(embedded_store, DIRECTOR, query(by=by))
    finally:
        event.remove(embedded_store._reader, "before_cursor_execute", note)
    counted = [text for text in seen if "FROM sessions" in text and "min(" not in text]
    assert len(counted) >= 3
    assert all("GROUP BY" in text for text in counted)
