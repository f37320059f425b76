"""Reports, rows and broken CSV pairs with a marker wherever somebody types about a patient."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from safety.importing.columns import EVENTS_COLUMNS, SESSIONS_COLUMNS
from safety.model import AdverseEvent, PatientIdentity, SessionReport
from tests.support.builders import a_full_report, an_event
from tests.support.csv_pairs import Row, a_session, an_event_row
from tests.support.markers import (
    ACTION,
    BIRTH_DATE,
    DRAFT,
    EVENT_NARRATIVE,
    FIRST_NAME,
    LOT,
    MRN,
    NAME,
    NARRATIVE,
)

HALF: Final = f"{NAME}\ud83d"
"""A name that ends in half a character, as a broken browser or file may send it."""


def a_marked_patient(**changes: Any) -> PatientIdentity:
    given: dict[str, Any] = {"mrn": MRN, "name": NAME}
    return PatientIdentity(**given | {"birth_date": date.fromisoformat(BIRTH_DATE)} | changes)


def a_marked_event(**changes: Any) -> AdverseEvent:
    told = {"action": f"{ACTION} twice", "narrative": f"Said {EVENT_NARRATIVE} again."}
    return an_event(**told | changes)


def a_marked_report(**changes: Any) -> SessionReport:
    """A report with a marker in every place where somebody types about a patient."""
    given = {
        "patient": a_marked_patient(),
        "lot": LOT,
        "narrative": f"A quiet {NARRATIVE} session.",
        "events": (a_marked_event(),),
    }
    return a_full_report(**given | changes)


DRAFT_FIELDS: Final = {"narrative": f"half a {DRAFT}", DRAFT: {"name": NAME}}


def marked_rows(**changes: Any) -> list[Row]:
    row = a_session(
        patient_mrn=MRN, patient_name=NAME, birth_date=BIRTH_DATE, lot=LOT, session_ref="V-9"
    )
    return [row | changes]


def marked_events(**changes: Any) -> list[Row]:
    told = {"action": ACTION, "narrative": EVENT_NARRATIVE, "session_ref": "V-9"}
    return [an_event_row(**told | changes)]


HEADING: Final = "session_ref,site,patient_mrn,protocol,started_at"
LINE: Final = f"V-9,{NAME},{MRN},{NARRATIVE},{LOT}"


def marked_pairs() -> dict[str, tuple[Any, Any]]:
    """Broken pairs, each with markers where they belong and where they do not."""
    good, events = marked_rows(), marked_events()
    pairs: dict[str, tuple[Any, Any]] = {
        "no heading": (f"{LINE}\n{LINE}\n", None),
        "semicolons": (f"{HEADING}\n{LINE}\n".replace(",", ";"), None),
        "the heading runs into the first row": (f"{HEADING}{LINE}\n{LINE}\n", None),
        "a name as a column": (f"{HEADING},{NAME}\n{LINE},\n", None),
        "a row too short": (f"{HEADING}\n{MRN},{NAME}\n", None),
        "a quotation mark": (f'{HEADING}\n"{LINE}\n{LINE}\n', None),
        "Latin-1": (f"{HEADING}\n{FIRST_NAME}".encode("latin-1"), None),
        "UTF-16": (f"{HEADING}\n{LINE}".encode("utf-16"), None),
        "NUL": (f"{HEADING}\n{LINE}\0\n", None),
        "an event without its session": (good, [*events, *marked_events(session_ref=MRN)]),
        "a reference twice": ([*good, *marked_rows(dose_mg=41)], events),
        "another birth date": (
            [*good, *marked_rows(birth_date="1932-07-19", session_ref="V-8")],
            events,
        ),
        "a site by that name, and an error": (marked_rows(site=NAME, sex="?"), None),
    }
    for column in sorted(SESSIONS_COLUMNS):
        pairs[f"a name as {column}"] = (marked_rows(**{column: NAME}), marked_events(grade=9))
    for column in sorted(EVENTS_COLUMNS):
        pairs[f"an event with a name as {column}"] = (good, marked_events(**{column: NAME}))
    return pairs
