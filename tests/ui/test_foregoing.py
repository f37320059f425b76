"""What a new form takes from the last session, and the sentences about it."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from safety.model import BloodPressure, VitalSigns
from safety.ui.report import foregoing, seriousness, watching
from safety.vocabulary import seed_protocols, vocabulary
from tests.support.builders import PROTOCOL, a_full_report, a_report, an_event

ZONE = ZoneInfo("America/New_York")
PROTOCOLS = {p.id: p for p in seed_protocols()}
NASAL = "esketamine_nasal_induction"
NAMES = {p.id: p.name for p in PROTOCOLS.values()}


def _after(report: Any, number: int = 3, **now: Any) -> dict[str, Any]:
    return foregoing.taken(report) | foregoing.remembered(report, number, ZONE, vocabulary()) | now


def test_dose_route_lot_and_weight_of_the_last_session_are_taken_over() -> None:
    filed = a_full_report()
    fields = foregoing.taken(filed)
    assert fields["protocol"] == filed.protocol
    assert (fields["dose_mg"], fields["weight_kg"]) == (filed.dose_mg, filed.weight_kg)
    assert (fields["route"], fields["lot"]) == (str(filed.route), filed.lot)
    assert "events" not in fields
    assert not [name for name in fields if name.startswith(("vitals", "misuse", "drug."))]


def test_under_another_protocol_the_dose_of_the_last_one_is_not_taken_over() -> None:
    fields = foregoing.taken(a_full_report(), NASAL)
    assert fields["protocol"] == NASAL
    assert not {"dose_mg", "route", "lot"} & fields.keys()
    assert "weight_kg" in fields


def test_a_form_that_changed_nothing_says_nothing() -> None:
    assert foregoing.differences(_after(a_full_report()), NAMES) == []


def test_what_differs_is_named_with_what_it_was() -> None:
    fields = _after(a_report(dose_mg=40.0, weight_kg=80.0), dose_mg=45.5, weight_kg=82)
    assert foregoing.differences(fields, NAMES) == [
        "dose 45.5 mg, last time 40 mg",
        "weight 82 kg, last time 80 kg",
    ]
    fields = _after(a_report(), protocol=NASAL)
    assert foregoing.differences(fields, NAMES) == [
        f"protocol {NAMES[NASAL]}, last time {NAMES[PROTOCOL]}"
    ]


def test_a_form_without_a_last_session_says_nothing() -> None:
    assert foregoing.line({"dose_mg": 4}) is None
    assert foregoing.differences({"dose_mg": 4}, NAMES) == []


def test_what_nobody_typed_is_named_before_signing() -> None:
    fields = _after(a_report(dose_mg=40.0, weight_kg=80.0), weight_kg=82)
    assert foregoing.carried(fields, NAMES) == ["dose 40 mg"]
    assert foregoing.carried({"dose_mg": 40.0}, NAMES) == []


def test_the_line_tells_number_day_dose_events_and_pressure() -> None:
    vitals = VitalSigns(peak=BloodPressure(148, 92))
    report = a_report(vitals=vitals, events=(an_event("nausea", 1), an_event("dissociation", 2)))
    assert foregoing.line(_after(report, number=3)) == (
        "Session 4 of this protocol. Last on 2 March 2026: 40 mg; dissociation 2, nausea 1; "
        "BP 148/92 highest."
    )


def test_the_number_is_left_out_under_another_protocol() -> None:
    line = foregoing.line(_after(a_report(), protocol=NASAL))
    assert line == "Last on 2 March 2026: 40 mg; nothing happened."


def test_more_than_three_events_are_counted() -> None:
    terms = ("nausea", "headache", "dizziness", "anxiety", "vertigo")
    line = foregoing.line(_after(a_report(events=tuple(an_event(t) for t in terms))))
    assert line is not None
    assert line.endswith("; nausea 1, headache 1, dizziness 1, 2 more.")


def test_esketamine_is_watched_for_two_hours() -> None:
    protocol = PROTOCOLS[NASAL]
    (plain,) = watching.remarks({"start_time": "23:10"}, protocol)
    assert plain.text.startswith("Not before 01:10: 120 min after the dose began; the label")
    early = {"start_time": "10:00", "left_time": "11:35"}
    _, told = watching.remarks(early, protocol)
    assert told.look
    assert told.text == "Left 95 min after the dose began, before the time of the protocol."
    assert len(list(watching.remarks(early | {"left_time": "12:00"}, protocol))) == 1


@pytest.mark.parametrize(
    "fields", [{}, {"start_time": "10:00", "end_date": "2026-03-04", "left_time": "10:05"}]
)
def test_nothing_is_said_of_leaving_without_a_start_or_over_days(fields: dict[str, Any]) -> None:
    assert list(watching.remarks(fields, PROTOCOLS[NASAL])) == []


@pytest.mark.parametrize(
    ("term", "fields", "expected"),
    [
        ("nausea", {}, False),
        ("nausea", {"grade": 2}, False),
        ("nausea", {"grade": 3}, True),
        ("nausea", {"grade": 1, "outcome": "recovered_with_sequelae"}, True),
        ("nausea", {"grade": 1, "serious": ["hospitalisation"]}, True),
        ("suicidal_ideation", {"grade": 1}, True),
        ("drug_dependence", {}, True),
    ],
)
def test_seriousness_is_asked_where_it_can_apply(
    term: str, fields: dict[str, Any], expected: bool
) -> None:
    named = {f"events.{term}.{name}": value for name, value in fields.items()}
    assert seriousness.can_apply(named, vocabulary().get(term)) is expected


def test_every_kind_that_is_always_asked_about_is_a_term() -> None:
    known = {term.id for term in vocabulary().terms}
    assert known >= seriousness._BY_KIND
