"""How much work a report is, and how fast the page answers: ``python -m benchmarks.nurse``.

A made-up clinic of 50,000 sessions is imported once, served, and used in Chromium as a nurse does,
300 ms an action: an ordinary session that was planned, from Today to "Filed"; and one with three
graded events and a blood pressure that spikes. Each click and each typed field is counted, and the
time until the page has answered it is taken inside the browser.
"""

from __future__ import annotations

import argparse
import statistics
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final
from uuid import UUID

from playwright.sync_api import Locator, Page

from benchmarks.browser import Person, a_person
from benchmarks.clinic import SITES, Size, write_clinic
from benchmarks.measuring import busy, machine
from benchmarks.store import make_store, open_made
from safety import accounts, planning, service
from safety.access import CONSOLE, Role
from safety.importing import import_files
from safety.store.handle import Store
from safety.vocabulary import vocabulary
from tests.ui.browsing import served, sign_in

SIZE: Final = Size(sessions=50_000, events=75_000, patients=4_000)
BAR_QUIET_INTERACTIONS: Final = 6
BAR_QUIET_SECONDS: Final = 15.0
BAR_EVENTS_INTERACTIONS: Final = 25
BAR_ANSWER_MS: Final = 400.0
_USER, _PASSWORD = "nora", "lantern gravel otter 58"
_PATIENTS: Final = ("MRN-000001", "MRN-000002")
_PROTOCOL: Final = "iv_ketamine_depression_maintenance"
_EVENTS: Final = ("nausea", "dissociation", "dizziness")


def main() -> None:
    """Make the store unless it is there, use it, print the figures."""
    arguments = _arguments()
    print(machine())
    print(busy(), end="\n\n")
    with TemporaryDirectory(prefix="afterdose-benchmark-") as made:
        folder = arguments.store or Path(made)
        size = Size(arguments.sessions, arguments.sessions * 3 // 2, arguments.sessions // 12)
        _make(folder, size)
        planned = _plan(folder)
        log = folder / "server.log"
        with served(folder / "home", log) as address, a_person(address) as person:
            sign_in(person.page, _USER, _PASSWORD)
            _report(person, planned)


def _make(folder: Path, size: Size) -> None:
    if (folder / "home").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    store = make_store(folder)
    result = import_files(store, CONSOLE, *write_clinic(folder, size))
    if result.errors:
        raise SystemExit(f"The import failed: {result.errors[0]}")
    accounts.add_account(
        store,
        CONSOLE,
        username=_USER,
        display_name="Nora Quill",
        role=Role.NURSE,
        password=_PASSWORD,
    )
    store.close()


def _plan(folder: Path) -> list[UUID]:
    """Two sessions of today, an hour apart, at an hour that is over already."""
    store = open_made(folder)
    try:
        return [_planned(store, at, mrn) for at, mrn in enumerate(_PATIENTS)]
    finally:
        store.close()


def _planned(store: Store, at: int, mrn: str) -> UUID:
    local = datetime.now(UTC).astimezone(store.clinic.timezone)
    begins = local.replace(minute=0, second=0, microsecond=0) - timedelta(hours=3 + at)
    (match,) = service.find_patient(store, CONSOLE, mrn)
    made = planning.plan_session(
        store,
        CONSOLE,
        mrn=match.identity.mrn,
        protocol=_PROTOCOL,
        site=SITES[0],
        planned_at=begins.astimezone(UTC),
    )
    return made.id


def _report(person: Person, planned: list[UUID]) -> None:
    quiet = _quiet_session(person, planned[0])
    eventful = _session_with_events(person, planned[1])
    median, worst = statistics.median(person.answers), max(person.answers)
    print(f"(a) nothing happened: {quiet[0]} interactions, {quiet[1]:.1f} s")
    print(f"(b) three events and a spike: {eventful[0]} interactions, {eventful[1]:.1f} s")
    print(
        f"(c) {len(person.answers)} interactions were answered: median {median:.0f} ms, "
        f"worst {worst:.0f} ms\n"
    )
    for held, bar in (
        (quiet[0] <= BAR_QUIET_INTERACTIONS, f"(a) at most {BAR_QUIET_INTERACTIONS} interactions"),
        (quiet[1] < BAR_QUIET_SECONDS, f"(a) under {BAR_QUIET_SECONDS:.0f} s"),
        (
            eventful[0] <= BAR_EVENTS_INTERACTIONS,
            f"(b) at most {BAR_EVENTS_INTERACTIONS} interactions",
        ),
        (median < BAR_ANSWER_MS, f"(c) median under {BAR_ANSWER_MS:.0f} ms"),
    ):
        print(f"{'Held' if held else 'MISSED'}: {bar}")


def _quiet_session(person: Person, appointment: UUID) -> tuple[int, float]:
    page = person.page
    person.sees("Today")
    person.begin()
    person.click(_keyed(page, f"report-{appointment.hex}"))
    person.sees("New report")
    person.click(page.get_by_role("radio", name="Nothing happened"))
    return _filed(person)


def _session_with_events(person: Person, appointment: UUID) -> tuple[int, float]:
    page = person.page
    page.get_by_role("link", name="Today", exact=True).click()
    person.sees("Today")
    person.begin()
    person.click(_keyed(page, f"report-{appointment.hex}"))
    person.sees("New report")
    for reading, high, low in (("before", 128, 80), ("peak", 184, 112)):
        person.write(_field(page, f"vitals-{reading}-systolic_mmhg"), str(high))
        person.write(_field(page, f"vitals-{reading}-diastolic_mmhg"), str(low))
    for term in _EVENTS:
        _graded(person, term)
    return _filed(person)


def _graded(person: Person, name: str) -> None:
    term = vocabulary().get(name)
    person.click(person.page.get_by_role("button", name=term.name, exact=True))
    person.click(_keyed(person.page, f"event-{name}").get_by_text(term.wording_for(1)))


def _filed(person: Person) -> tuple[int, float]:
    person.click(_keyed(person.page, "review"))
    person.sees("Review and sign")
    person.click(_keyed(person.page, "file"))
    person.sees("Filed")
    return person.interactions, person.seconds()


def _keyed(page: Page, key: str) -> Locator:
    """The button of this key, or the container when it is one."""
    found = page.locator(f".st-key-{key}")
    return found.locator("button") if not key.startswith("event-") else found


def _field(page: Page, name: str) -> Locator:
    return page.locator(f'[class*="-{name}"] input')


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split(":", maxsplit=1)[0])
    parser.add_argument("--store", type=Path, help="keep the store in this folder and use it again")
    parser.add_argument("--sessions", type=int, default=SIZE.sessions)
    return parser.parse_args()


if __name__ == "__main__":
    main()
