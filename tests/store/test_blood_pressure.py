"""Blood pressure: exact quartiles from histograms, spikes with clustered limits, doses."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event

from reports.blood_pressure import PressureQuery, PressureReport, Readings, Spikes, blood_pressure
from reports.clustered import PatientSums, wilson_clustered
from reports.pressure_counts import quantile
from safety.access import CONSOLE
from safety.errors import AccessDenied, UnknownName, UserError
from safety.model import BloodPressure, Route, SessionReport, VitalSigns
from safety.store.handle import Store
from safety.store.recording import Recorder
from tests.support.builders import COMPLIANCE, DIRECTOR, NURSE, PROTOCOL, STARTED, a_report

YEAR = PressureQuery(date(2025, 3, 3), date(2026, 3, 2))
NASAL = "esketamine_nasal_induction"


def file_all(store: Store, reports: list[SessionReport]) -> None:
    with store.write() as writer:
        recorder = Recorder(store, writer, CONSOLE)
        for report in reports:
            recorder.add(report)
        recorder.flush()
        writer.commit()


def _diastolic(systolic: int) -> int:
    return 40 + systolic // 4


def a_session(mrn: str, day: int = 0, *pressures: int | None, **changes: Any) -> SessionReport:
    """Systolic before, at 40 minutes, peak and before leaving; diastolic hardly rises."""
    readings = [
        None if high is None else BloodPressure(high, _diastolic(high)) for high in pressures
    ]
    names = ("before", "at_40_min", "peak", "before_discharge")
    taken: dict[str, Any] = dict(zip(names, readings, strict=False))
    at = STARTED - timedelta(days=day)
    return a_report(mrn=mrn, started_at=at, vitals=VitalSigns(**taken), **changes)


def of(found: PressureReport, moment: str, limb: str, protocol: str = PROTOCOL) -> Readings:
    [row] = [
        each
        for each in found.readings
        if (each.moment, each.limb, each.protocol) == (moment, limb, protocol)
    ]
    return row


def spikes(rows: tuple[Spikes, ...], definition: str) -> dict[str, Spikes]:
    return {row.group_name: row for row in rows if row.definition == definition}


@given(st.lists(st.integers(30, 350), min_size=1), st.floats(0, 1))
def test_a_histogram_gives_the_quantiles_of_its_readings(values: list[int], share: float) -> None:
    assert quantile(Counter(values), share) == pytest.approx(np.quantile(values, share))


def test_no_reading_has_no_quantile_and_a_share_is_a_share() -> None:
    assert quantile({}, 0.5) is None
    with pytest.raises(ValueError, match="between 0 and 1"):
        quantile({120: 1}, 1.1)


def test_the_course_has_medians_quartiles_and_what_is_missing(store: Store) -> None:
    before, at_40 = [118, 120, 131, 125, 140], [150, 149, 170, None, 155]
    file_all(
        store,
        [
            *(
                a_session(f"A{at}", at, *pair)
                for at, pair in enumerate(zip(before, at_40, strict=True))
            ),
            a_session("B", 0, 110, 120, 125, 111, protocol=NASAL),
        ],
    )
    found = blood_pressure(store, COMPLIANCE, YEAR)
    assert found.sessions == 6
    first = of(found, "before", "systolic")
    assert (first.low, first.median, first.high) == (120, 125, 131)
    assert (first.n, first.sessions, first.missing) == (5, 5, 0)
    second, known = of(found, "40", "diastolic"), [77, 77, 82, 78]
    assert (second.n, second.missing) == (4, 1)
    assert second.median == np.median(known)
    assert (second.low, second.high) == tuple(np.quantile(known, [0.25, 0.75]))
    assert (of(found, "peak", "systolic").n, of(found, "peak", "systolic").median) == (0, None)
    assert of(found, "discharge", "systolic", NASAL).median == 111


def test_spikes_stand_with_clustered_limits_and_what_cannot_be_told(store: Store) -> None:
    """One patient with a spike in three of four sessions, one with none in two, one untold."""
    file_all(
        store,
        [
            *(a_session("A", day, 150, 185 if day < 3 else 160) for day in range(4)),
            *(a_session("B", day, 120, 165 if day else 130) for day in range(2)),
            a_session("C", 0, 120),
            a_session("D", 0, None, 190),
        ],
    )
    found = blood_pressure(store, DIRECTOR, YEAR)
    [absolute] = spikes(found.by_protocol, "absolute").values()
    expected = wilson_clustered(PatientSums.of([4, 2, 1], [3, 0, 1]))
    assert absolute.estimate == expected
    assert (absolute.sessions, absolute.missing) == (8, 1)
    assert absolute.sentence.startswith("4 of 7 sessions (57 %; 95 % interval")
    assert absolute.sentence.endswith("1 of 8 cannot be told: readings are missing.")
    [rise] = spikes(found.by_protocol, "rise").values()
    assert rise.estimate == wilson_clustered(PatientSums.of([4, 2], [0, 1]))
    assert rise.missing == 2
    assert [row.estimate for row in found.overall] == [absolute.estimate, rise.estimate]


def test_doses_stand_in_their_order_with_what_was_not_recorded(store: Store) -> None:
    file_all(
        store,
        [
            a_session("A", 0, 120, 185, dose_mg=80.0),
            a_session("B", 0, 120, 130, dose_mg=40.0),
            a_session("C", 0, 120, 130, dose_mg=20.0),
            a_session("D", 0, 120, 190, dose_mg=84.0, route=Route.INTRANASAL, protocol=NASAL),
            a_session("E", 0, 120, 130, dose_mg=None),
        ],
    )
    found = spikes(blood_pressure(store, DIRECTOR, YEAR).by_dose, "absolute")
    assert list(found) == [
        "Under 0.5 mg/kg",
        "0.5 to under 0.75 mg/kg",
        "1 mg/kg or more",
        "Over 56 to 84 mg",
        "Not recorded",
    ]
    assert [row.estimate.affected for row in found.values()] == [0, 0, 1, 1, 0]
    assert sum(row.estimate.sessions for row in found.values()) == 5


def test_protocols_and_periods_narrow_what_is_counted(store: Store) -> None:
    file_all(
        store,
        [
            a_session("A", 0, 120, 185),
            a_session("A", 400, 120, 185),
            a_session("B", 0, 120, 130, protocol=NASAL),
        ],
    )
    narrowed = PressureQuery(YEAR.first, YEAR.last, protocols=(NASAL,))
    found = blood_pressure(store, DIRECTOR, narrowed)
    assert found.sessions == 1
    assert {row.protocol for row in found.readings} == {NASAL}
    assert [row.estimate.affected for row in found.overall] == [0, 0]
    assert blood_pressure(store, DIRECTOR, YEAR).sessions == 2
    with pytest.raises(UnknownName):
        blood_pressure(store, DIRECTOR, PressureQuery(YEAR.first, YEAR.last, ("no such",)))
    with pytest.raises(UserError, match="Swap the dates"):
        PressureQuery(YEAR.last, YEAR.first)


def test_without_a_session_nothing_is_known_and_nothing_fails(store: Store) -> None:
    found = blood_pressure(store, DIRECTOR, YEAR)
    assert (found.sessions, found.readings, found.by_protocol, found.by_dose) == (0, (), (), ())
    assert [row.estimate.value for row in found.overall] == [None, None]
    assert found.overall[0].sentence == "No sessions, so nothing is known."


def test_a_role_without_counts_gets_none(embedded_store: Store) -> None:
    with pytest.raises(AccessDenied):
        blood_pressure(embedded_store, NURSE, YEAR)


def test_the_database_adds_up_and_hands_out_no_row_a_session(embedded_store: Store) -> None:
    seen: list[str] = []
    note = lambda *about: seen.append(about[2])  # noqa: E731 - a listener
    event.listen(embedded_store._reader, "before_cursor_execute", note)
    try:
        blood_pressure(embedded_store, DIRECTOR, YEAR)
    finally:
        event.remove(embedded_store._reader, "before_cursor_execute", note)
    counted = [text for text in seen if "FROM sessions" in text and "min(" not in text]
    assert len(counted) == 12  # sessions, eight readings, spikes in all, by protocol and by dose
    assert all("GROUP BY" in text for text in counted)
