"""A booking system's list of sessions to come, row by row, into one transaction."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from safety.access import Actor
from safety.clock import utc_text
from safety.errors import InvalidReport, UnknownName
from safety.importing import cells, columns
from safety.importing.building import Complaints
from safety.importing.cells import BadCell
from safety.importing.sheets import RowError, Sheet
from safety.model import PatientIdentity
from safety.planning import IMPORTED, Names, PlanResult, Wanted, replaced, to_the_minute
from safety.protocols import Site
from safety.store import patients, tables
from safety.store.handle import Store
from safety.store.patients import PatientBook
from safety.store.writing import Writer

REQUIRED: Final = ("patient_mrn", "protocol", "planned_at")
COLUMNS: Final = frozenset((*REQUIRED, "site", "patient_name", "birth_date"))
MOST_ERRORS: Final = 1_000
_UNKNOWN: Final = (
    "is nobody's in this store. Add the patient with a first report, or give patient_name or "
    "birth_date in the row."
)
_TAKEN: Final = (
    "is the time of another session of this patient, of another protocol or site, in {}. Mend the "
    "row, or cancel that session."
)


@dataclass(frozen=True, slots=True)
class Line:
    """One row that could be read."""

    number: int
    patient: PatientIdentity
    site: Site
    protocol_no: int
    planned_at: datetime

    def __repr__(self) -> str:
        return f"Line({self.number})"


class PlanFile:
    """Reads one file and plans its rows through ``writer``; the caller commits, or does not."""

    def __init__(self, store: Store, writer: Writer, actor: Actor, path: Path) -> None:
        self._store = store
        self._writer = writer
        self._actor = actor
        self._sheet = Sheet(path, COLUMNS, REQUIRED)
        self._names = Names(writer.connection)
        self._book = PatientBook(writer, store.ring, actor)
        self._numbers: dict[bytes, int] = {}
        self._result = PlanResult()

    def load(self) -> PlanResult:
        """Read, check and plan every row. The errors come in the order of the rows."""
        lines = list(self._lines())
        self._result.errors += self._sheet.errors
        self._know_patients(lines)
        self._plan(lines)
        self._result.errors.sort(key=lambda error: error.row)
        more = len(self._result.errors) - MOST_ERRORS
        if more > 0:
            text = f"{more} more errors are not listed. Mend these first."
            self._result.errors[MOST_ERRORS:] = [RowError(self._sheet.name, 0, "", text)]
        return self._result

    def _lines(self) -> Iterator[Line]:
        for number, texts in self._sheet.rows():
            given = {
                name: text.strip()
                for name, text in zip(self._sheet.heading, texts, strict=True)
                if text.strip()
            }
            line, wrong = self._line(number, given)
            self._complain(number, wrong)
            if line is not None and not wrong:
                yield line

    def _line(self, number: int, given: dict[str, str]) -> tuple[Line | None, Complaints]:
        wrong: Complaints = [
            (name, "is missing. Enter it.") for name in REQUIRED if name not in given
        ]
        if wrong:
            return None, wrong
        patient = self._patient(given, wrong)
        site = self._site(given.get("site"), wrong)
        protocol_no = self._protocol(given["protocol"], wrong)
        at = None if site is None else self._moment(given["planned_at"], site, wrong)
        if patient is None or site is None or protocol_no is None or at is None:
            return None, wrong
        return Line(number, patient, site, protocol_no, at), wrong

    def _patient(self, given: dict[str, str], wrong: Complaints) -> PatientIdentity | None:
        born: date | None = None
        try:
            if "birth_date" in given:
                born = cells.day(given["birth_date"])
            found = PatientIdentity(given["patient_mrn"], given.get("patient_name"), born)
            self._book.index(found.mrn)
        except BadCell as bad:
            wrong.append(("birth_date", str(bad)))
            return None
        except InvalidReport as invalid:
            wrong += [(columns.column_of(p.field), p.message) for p in invalid.problems]
            return None
        return found

    def _site(self, name: str | None, wrong: Complaints) -> Site | None:
        try:
            return self._names.site(name)
        except UnknownName as unknown:
            wrong.append(("site", str(unknown)))
        return None

    def _protocol(self, name: str, wrong: Complaints) -> int | None:
        try:
            return self._names.protocol_no(name)
        except UnknownName as unknown:
            wrong.append(("protocol", str(unknown)))
        return None

    def _moment(self, text: str, site: Site, wrong: Complaints) -> datetime | None:
        try:
            return to_the_minute(self._store, cells.moment(text, ZoneInfo(site.timezone)))
        except BadCell as bad:
            wrong.append(("planned_at", str(bad)))
        except InvalidReport as invalid:
            wrong += [(p.field, p.message) for p in invalid.problems]
        return None

    def _know_patients(self, lines: list[Line]) -> None:
        """Find or add the patients: first those who are described, in whatever row that is."""
        described = [each for each in lines if each.patient.name or each.patient.birth_date]
        self._book.look_up([self._book.index(each.patient.mrn) for each in described])
        highest = select(func.max(tables.patients.c.no))
        before = self._writer.connection.execute(highest).scalar() or 0
        for line in described:
            try:
                patient = self._book.settle(line.patient)
            except InvalidReport as invalid:
                wrong = [(columns.column_of(p.field), p.message) for p in invalid.problems]
                self._complain(line.number, wrong)
            else:
                self._numbers[self._book.index(line.patient.mrn)] = patient.no
        self._book.flush()
        self._result.new_patients = sum(no > before for no in set(self._numbers.values()))

    def _patient_no(self, line: Line) -> int | None:
        index = self._book.index(line.patient.mrn)
        if index not in self._numbers:
            connection = self._writer.connection
            found = patients.by_mrn(connection, self._store.ring, line.patient.mrn)
            if found is None:
                self._complain(line.number, [("patient_mrn", _UNKNOWN)])
                return None
            self._numbers[index] = found.no
        return self._numbers[index]

    def _plan(self, lines: list[Line]) -> None:
        known = self._known(lines)
        fresh: dict[tuple[int, str], Wanted] = {}
        again: dict[bytes, Wanted] = {}  # in the place of one that was cancelled
        for line in lines:
            number = self._patient_no(line)
            if number is None:
                continue
            wanted = Wanted(number, line.site, line.protocol_no, line.planned_at)
            key = (number, utc_text(line.planned_at))
            before = known.get(key)
            if before is not None and before.cancelled and not wanted.fits(before):
                again[bytes(before.id)] = wanted
            elif before is not None:
                self._compare(line, wanted.fits(before), "the store")
                self._result.cancelled += bool(before.cancelled)
            elif key in fresh:
                self._compare(line, fresh[key] == wanted, "an earlier row of this file")
            else:
                fresh[key] = wanted
        self._result.planned = len(fresh) + len(again)
        if not self._result.errors:
            self._add(list(fresh.values()))
            for appointment_id, wanted in again.items():
                row = wanted.row(self._writer, self._actor, IMPORTED) | {"id": appointment_id}
                replaced(self._writer, self._actor, "session.plan", row)

    def _known(self, lines: list[Line]) -> dict[tuple[int, str], Any]:
        if not lines:
            return {}
        times = [utc_text(line.planned_at) for line in lines]
        column = tables.appointments.c.planned_at
        query = select(tables.appointments).where(column.between(min(times), max(times)))
        rows = self._writer.connection.execute(query)
        return {(row.patient_no, row.planned_at): row for row in rows}

    def _compare(self, line: Line, same: bool, where: str) -> None:  # noqa: FBT001
        if same:
            self._result.unchanged += 1
        else:
            self._complain(line.number, [("planned_at", _TAKEN.format(where))])

    def _add(self, wanted: list[Wanted]) -> None:
        digests, rows = self._writer.digests, []
        for each in wanted:
            row = tuple(each.row(self._writer, self._actor, IMPORTED).values())
            rows.append(digests.with_mac(tables.appointments, row))
            name = rows[-1][0].hex()
            self._writer.log(self._actor, "session.plan", "appointment", name, macs=[rows[-1][-1]])
        self._writer.insert_all(tables.appointments, rows)

    def _complain(self, row: int, wrong: Complaints) -> None:
        self._result.errors += [RowError(self._sheet.name, row, *each) for each in wrong]
