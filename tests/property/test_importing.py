"""Whatever a report says in columns of the CSV files comes back equal from the store."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from safety.document import canonical, content_digest, document_of, plain, to_document
from safety.importing import columns, import_files
from safety.importing.building import Names
from safety.keys.derivation import normalised_mrn
from safety.limits import REFERENCE_LENGTH
from safety.model import AdverseEvent, Discharge, MisuseScreen, SessionReport
from safety.store import reading
from safety.store.handle import Store
from safety.vocabulary import seed_protocols, vocabulary
from safety.vocabulary.protocols import protocol_index
from tests.support.builders import DIRECTOR
from tests.support.clock import FakeClock
from tests.support.csv_pairs import Row, a_bare_session, write_pair
from tests.support.rows import build_event, build_session
from tests.support.stores import Template
from tests.support.strategies import events, patients, perhaps, reports, texts

TERMS: Final = {term.id: term for term in vocabulary().terms}
NUMBERS: Final = count(1)


@pytest.fixture(scope="module")
def store(embedded_template: Template, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """One store for all examples; each has a patient and a reference of its own."""
    with embedded_template.copy(tmp_path_factory.mktemp("imports"), FakeClock()) as made:
        yield made


def cells(longest: int) -> st.SearchStrategy[str]:
    """Text of a cell: spaces around it do not count, so there are none."""
    return texts(longest).map(str.strip)


@st.composite
def graded(draw: st.DrawFn) -> AdverseEvent:
    term = draw(st.sampled_from(list(TERMS.values())))
    event = draw(events(term.id, draw(st.sampled_from(term.grades))))
    said = {name: draw(perhaps(cells(60))) for name in ("action", "narrative", "verbatim")}
    bare = replace(event, **said)
    return replace(bare, scale=term.scale, scale_version=term.scale_version)


@st.composite
def rows(draw: st.DrawFn) -> SessionReport:
    """A report that the columns can hold whole."""
    number = next(NUMBERS)
    listed = st.lists(graded(), max_size=3, unique_by=lambda event: event.term)
    misuse = {name: draw(perhaps(st.booleans())) for name in MisuseScreen.__slots__[2:]}
    report = draw(
        reports(
            listed=listed.map(lambda found: sorted(found, key=lambda event: event.term)),
            site=draw(cells(60)),
            patient=replace(
                draw(patients()),
                mrn=f"{number}-{draw(cells(60))}"[:REFERENCE_LENGTH].strip(),
                name=draw(perhaps(cells(60))),
            ),
            protocol=draw(st.sampled_from(seed_protocols())).id,
            protocol_version=1,
            session_ref=f"{number}/{draw(cells(60))}"[:REFERENCE_LENGTH].strip(),
            lot=draw(perhaps(cells(60))),
            narrative=None,
            reported_by=draw(perhaps(cells(60))),
        )
    )
    drug = replace(
        report.drug, waste_witness=draw(perhaps(cells(60))), staff=draw(perhaps(cells(60)))
    )
    left = Discharge(discharged_at=report.discharge.discharged_at)
    return replace(report, misuse=replace(report.misuse, **misuse), drug=drug, discharge=left)


def cell(value: Any) -> Any:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, frozenset):
        return "; ".join(sorted(value))
    return value.isoformat() if hasattr(value, "isoformat") else value


def session_row(report: SessionReport) -> Row:
    parts = (
        (report, columns.SESSION),
        (report.patient, columns.PATIENT),
        (report.vitals, columns.VITALS),
        (report.misuse, columns.MISUSE),
        (report.drug, columns.DRUG),
        (report.concomitant, columns.CONCOMITANT),
    )
    row = {
        column: getattr(part, field) for part, spec in parts for column, (field, _) in spec.items()
    }
    for when, field in columns.READINGS.items():
        reading = getattr(report.vitals, field)
        for limb in ("systolic", "diastolic"):
            row[f"bp_{limb}_{when}"] = reading and getattr(reading, f"{limb}_mmhg")
    for column in columns.TIMES:
        source = report.discharge if column == "discharged_at" else report
        row[column] = getattr(source, column)
    return {column: cell(value) for column, value in row.items()}


def event_rows(report: SessionReport) -> list[Row]:
    return [
        {"session_ref": report.session_ref}
        | {column: cell(getattr(event, field)) for column, (field, _) in columns.EVENT.items()}
        for event in report.events
    ]


def read_back(store: Store, session_ref: str | None) -> SessionReport:
    with store.read() as connection:
        for _, stored in reading.every_current(connection, store.ring):
            if stored.report.session_ref == session_ref:
                return stored.report
    raise LookupError("it is not there")


@given(report=rows())
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_a_report_written_as_csv_and_imported_reads_back_equal(
    store: Store, tmp_path: Path, report: SessionReport
) -> None:
    listed = event_rows(report) or "session_ref,term,grade\n"
    sessions, events_path = write_pair(tmp_path, [session_row(report)], listed)
    result = import_files(store, DIRECTOR, sessions, events_path)
    assert (result.errors, result.sessions, result.events) == ([], 1, len(report.events))
    assert read_back(store, report.session_ref) == report
    assert import_files(store, DIRECTOR, sessions, events_path).unchanged == 1


@given(rows())
def test_an_import_writes_the_same_document_as_a_page(report: SessionReport) -> None:
    """It makes the document of the cells, a page makes it of the report: byte for byte the same."""
    events = [build_event(_cells(row), NAMES) for row in event_rows(report)]
    assert [wrong for _, wrong in events if wrong] == []
    built = build_session(
        _cells(session_row(report)), [event for event, _ in events if event], NAMES
    )
    assert built.wrong == []
    assert built.report is not None
    assert document_of(built.given) == to_document(built.report)


def _cells(row: Row) -> dict[str, str]:
    return {column: "" if cell is None else str(cell) for column, cell in row.items()}


@given(reports())
def test_a_document_is_canonical_though_nothing_sorts_it(report: SessionReport) -> None:
    assert to_document(report) == canonical(json.loads(to_document(report)))


@given(reports(), texts(60), texts(60))
def test_what_is_added_to_a_report_does_not_change_its_content(
    report: SessionReport, scale: str, reason: str
) -> None:
    """Versions of protocol and scale, and the reason of an amendment, are not what was reported."""
    scaled = tuple(replace(e, scale=scale, scale_version=reason) for e in report.events)
    bare = tuple(replace(e, scale=None, scale_version=None) for e in report.events)
    added = replace(report, events=scaled, protocol_version=7, amendment_reason=reason)
    base = replace(report, events=bare, protocol_version=None, amendment_reason=None)
    assert content_digest(to_document(added)) == content_digest(to_document(base))


@given(reports(), reports())
def test_other_content_has_another_digest(one: SessionReport, other: SessionReport) -> None:
    same = plain(one) == plain(other)
    assert (content_digest(to_document(one)) == content_digest(to_document(other))) == same


@given(texts(60))
def test_a_text_that_looks_like_a_field_stays_in_the_content(text: str) -> None:
    """Somebody types JSON into a narrative: it is text all the same."""
    typed = f'"protocol_version":1,"scale":"{text}","amendment_reason":"{text}",'
    one = {"narrative": typed, "patient": {"mrn": "1"}}
    without = {"narrative": "", "patient": {"mrn": "1"}}
    assert content_digest(canonical(one)) != content_digest(canonical(without))


NAMES: Final = Names(vocabulary(), protocol_index(seed_protocols()), lambda _: ZoneInfo("UTC"))
SIGNS: Final = "-./\\1a\N{MIDDLE DOT}\N{EN DASH}\N{ZERO WIDTH SPACE}\N{HANGUL FILLER}\N{DIAERESIS}"


@given(st.text(SIGNS, min_size=1) | texts(60).map(str.strip))
def test_an_mrn_is_refused_in_its_row_exactly_when_the_index_could_not_hold_it(text: str) -> None:
    """Otherwise the store would refuse later, without a row number."""
    wrong = build_session(a_bare_session(patient_mrn=text), (), NAMES).wrong
    assert wrong == ([] if normalised_mrn(text) else [("patient_mrn", SEPARATORS)])


SEPARATORS: Final = "has separators only. Write it in full."
