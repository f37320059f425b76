"""The signed form of a report: whole, canonical, and readable for ever."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from safety.document import canonical, from_document, identity_from, plain, to_document
from safety.errors import InvalidReport, NewerFormat, Tampered
from safety.model import Criterion, PatientIdentity, SessionReport
from tests.golden.report_v1 import REPORT
from tests.support.builders import a_full_report, a_patient, a_report, an_event

GOLDEN = (Path(__file__).parents[1] / "golden" / "report_v1.json").read_bytes()


def test_layout_1_is_readable_for_ever() -> None:
    """When this fails the code is wrong, not the file: clinics hold reports in this layout."""
    assert from_document(GOLDEN) == REPORT


def test_what_is_written_today_is_layout_1_byte_for_byte() -> None:
    assert to_document(REPORT) == GOLDEN


def test_the_golden_report_fills_every_field_there_is() -> None:
    """So that no field can be added without a thought for the reports that lack it.

    The patient's own words came after layout 1 was fixed: a report without them says nothing of it.
    """
    parts = (REPORT, REPORT.patient, REPORT.vitals, REPORT.discharge, REPORT.misuse, REPORT.drug)
    for part in (*parts, REPORT.events[0]):
        for field in dataclasses.fields(part):
            filled = getattr(part, field.name) not in (None, (), frozenset())
            assert filled or field.name == "verbatim", field.name


def test_reports_read_back_equal() -> None:
    for report in (a_report(), a_full_report(), a_report(no_adverse_event=None)):
        assert from_document(to_document(report)) == report


def test_what_is_absent_takes_no_room() -> None:
    document = to_document(SessionReport("s", PatientIdentity("1"), "p", a_report().started_at))
    assert document == (
        b'{"report":{"patient":{"mrn":"1"},"protocol":"p","site":"s",'
        b'"started_at":"2026-03-02T14:00:00+00:00"},"schema":1}'
    )


def test_no_and_zero_are_kept_apart_from_absent() -> None:
    report = a_report(no_adverse_event=False, dose_mg=0)
    back = from_document(to_document(report))
    assert (back.no_adverse_event, back.dose_mg) == (False, 0)


def test_offsets_are_kept_as_the_clinic_wrote_them() -> None:
    started = datetime.fromisoformat("2026-03-02T09:00:00-05:00")
    back = from_document(to_document(a_report(started_at=started)))
    assert back.started_at.isoformat() == "2026-03-02T09:00:00-05:00"


def test_the_order_of_a_set_does_not_show() -> None:
    criteria = [Criterion.DEATH, Criterion.DISABILITY, Criterion.HOSPITALISATION]
    documents = {
        to_document(a_report(events=(an_event(grade=5, serious=frozenset(order)),)))
        for order in (criteria, criteria[::-1], criteria[1:] + criteria[:1])
    }
    assert len(documents) == 1


def test_an_identity_reads_back() -> None:
    for identity in (a_patient(), PatientIdentity("1")):
        assert identity_from(canonical({"identity": plain(identity)})) == identity


@pytest.mark.parametrize("schema", [b"2", b"3", b"1000000"])
def test_a_later_layout_is_refused_as_newer(schema: bytes) -> None:
    document = GOLDEN.replace(b'"schema":1', b'"schema":' + schema)
    with pytest.raises(NewerFormat, match=r"reads up to 1\. Update Afterdose"):
        from_document(document)


def test_a_later_layout_is_told_by_its_number_before_its_content_is_looked_at() -> None:
    with pytest.raises(NewerFormat):
        from_document(b'{"schema":2,"something":"else"}')


def test_what_was_signed_reads_back_when_limits_were_wider_then() -> None:
    """A limit that is tightened later must not make a filed report unreadable."""
    back = from_document(GOLDEN.replace(b'"weight_kg":82', b'"weight_kg":8200'))
    assert back.weight_kg == 8200
    with pytest.raises(InvalidReport, match="weight_kg"):
        replace(back)


DAMAGED = {
    "empty": b"",
    "not text": b"\xff\xfe",
    "cut": GOLDEN[:-7],
    "a list": b"[1]",
    "nothing": b"{}",
    "no schema": GOLDEN.replace(b'"schema":1', b'"other":1'),
    "schema of another kind": GOLDEN.replace(b'"schema":1', b'"schema":null'),
    "no report": b'{"schema":1}',
    "report of another kind": b'{"report":[],"schema":1}',
    "a field missing": GOLDEN.replace(b'"site":"Haupt', b'"lot":"Haupt'),
    "an unknown field": GOLDEN.replace(b'"lot":', b'"batch":'),
    "an unknown word": GOLDEN.replace(b'"intravenous"', b'"teleported"'),
    "no time": GOLDEN.replace(b"2024-02-29T09:30:15", b"2024-02-30T09:30:15"),
    "a part of another kind": re.sub(rb'"patient":{[^}]*}', b'"patient":7', GOLDEN),
}


@pytest.mark.parametrize("document", DAMAGED.values(), ids=DAMAGED)
def test_what_is_no_report_is_refused_without_repeating_it(document: bytes) -> None:
    with pytest.raises(Tampered, match=r"^A stored report (is not a report|has fields)") as caught:
        from_document(document)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"identity":{}}', b"\xff"])
def test_what_is_no_identity_is_refused(content: bytes) -> None:
    with pytest.raises(Tampered, match="A stored identity is not an identity"):
        identity_from(content)


def test_canonical_means_one_text_for_one_content() -> None:
    assert canonical({"b": 1, "a": [True, "é"]}) == '{"a":[true,"é"],"b":1}'.encode()


def test_changing_any_field_changes_the_document() -> None:
    before = to_document(REPORT)
    for changes in ({"dose_mg": 41.5}, {"narrative": None}, {"events": REPORT.events[:1]}):
        assert to_document(replace(REPORT, **changes)) != before
