"""The work of one day at the desk: who is expected, who has no report yet, what is left to do.

A session counts as reported when the patient has a report of that day at any site; of two sessions
planned for one patient on a day, one report serves the earlier.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from safety import drafts, rems
from safety.access import Action, Actor, guarded
from safety.clock import day_number, day_of
from safety.drafts import Draft
from safety.model import PatientIdentity
from safety.planning import Appointment, Names, planned_on
from safety.rems import RemsForm
from safety.service import Line
from safety.store import reading, tables
from safety.store.handle import Store
from safety.store.patients import Patient

DUE_DAYS: Final = 3
"""How long after its planned day a next session stays on the list (default)."""
LOOK_BACK_DAYS: Final = 60
"""A patient whose last session is longer ago is not expected by the protocol alone (default)."""
_SESSIONS: Final = tables.sessions.c


class Counts(NamedTuple):
    """How many of each. ``sessions`` are those of the day: filed, waiting and expected."""

    sessions: int
    filed: int
    waiting: int
    expected: int
    due: int
    drafts: int
    rems: int


@dataclass(frozen=True, slots=True)
class Planned:
    """An appointment and whom it is with. ``draft`` is the actor's own draft for it, if begun."""

    appointment: Appointment
    patient: PatientIdentity
    draft: UUID | None = None

    def __repr__(self) -> str:
        return f"Planned({self.appointment.id})"


@dataclass(frozen=True, slots=True)
class Due:
    """A patient whose next session the protocol's interval puts on ``day``; nobody planned it.

    ``site`` is that of the last session, ``protocol`` its id.
    """

    patient_no: int
    patient: PatientIdentity
    protocol: str
    site: str
    last_day: date
    day: date

    def __repr__(self) -> str:
        return f"Due({self.patient_no})"


@dataclass(frozen=True, slots=True)
class Worklist:
    """One day of one site, or of all (``site`` None).

    ``waiting``: the planned time has passed and there is no report. ``any_reports`` is false in a
    store without a single report.
    """

    day: date
    site: str | None
    expected: tuple[Planned, ...]
    waiting: tuple[Planned, ...]
    due: tuple[Due, ...]
    drafts: tuple[Draft, ...]
    filed: tuple[Line, ...]
    rems: tuple[RemsForm, ...]
    any_reports: bool

    def __repr__(self) -> str:
        return f"Worklist({self.day}, {self.counts})"

    @property
    def counts(self) -> Counts:
        """How many of each."""
        filed, waiting, expected = len(self.filed), len(self.waiting), len(self.expected)
        return Counts(
            filed + waiting + expected,
            filed,
            waiting,
            expected,
            len(self.due),
            len(self.drafts),
            len(self.rems),
        )


@guarded(Action.PLAN_SESSIONS)
def worklist(
    store: Store, actor: Actor, *, day: date | None = None, site: str | None = None
) -> Worklist:
    """The list of ``day`` (default: today at the site); that it was seen is on record.

    Raises UnknownName for a site that is not there.
    """
    mine = drafts.list_drafts(store, actor)
    with store.read() as connection:
        names = Names(connection)
        place = None if site is None else names.site(site)
        zone = ZoneInfo(place.timezone) if place else store.clinic.timezone
        wanted = day or store.clock().astimezone(zone).date()
        found = _Day(store, connection, names, wanted, place.no if place else None).gather(mine)
    with store.write() as writer:
        counts = found.counts
        note = f"reports {counts.filed}, others {counts.waiting + counts.expected + counts.due}"
        writer.log(actor, "report.list", "reports", "", note=f"{note}, forms {counts.rems}")
        writer.commit()
    return found


class _Day:
    """Reads one day inside one transaction."""

    def __init__(
        self, store: Store, connection: Connection, names: Names, day: date, site_no: int | None
    ) -> None:
        self._store = store
        self._connection = connection
        self._names = names
        self._date = day
        self._day = day_number(day)
        self._site_no = site_no

    def gather(self, mine: tuple[Draft, ...]) -> Worklist:
        """Everything on the list; only the patients that stand on it are opened."""
        reports = self._reports()
        open_ones = self._without_report(reports)
        due = self._due()
        rows = [*open_ones, *reports, *(row for row, _ in due)]
        known = rems.opened(self._store, self._connection, {int(row.patient_no) for row in rows})
        begun = _begun(mine, self._date)
        planned = [_planned(each, known[each.patient_no].identity, begun) for each in open_ones]
        now = self._store.clock()
        site = None if self._site_no is None else self._names.sites[self._site_no].name
        return Worklist(
            self._date,
            site,
            tuple(each for each in planned if each.appointment.planned_at > now),
            tuple(each for each in planned if each.appointment.planned_at <= now),
            tuple(self._as_due(row, next_day, known) for row, next_day in due),
            mine,
            tuple(self._filed(known)),
            tuple(rems.forms_due(self._store, self._connection, self._date, self._site_no)),
            bool(reports) or self._any_report(),
        )

    def _reports(self) -> list[Any]:
        query = select(_SESSIONS.patient_no).where(_SESSIONS.day == self._day)
        return list(self._connection.execute(query))

    def _any_report(self) -> bool:
        return self._connection.execute(select(_SESSIONS.no).limit(1)).first() is not None

    def _without_report(self, reports: Iterable[Any]) -> list[Appointment]:
        """The day's appointments that no report answers, by time."""
        reported = Counter(row.patient_no for row in reports)
        found = []
        for each in planned_on(self._connection, self._names, self._day, None):
            if reported[each.patient_no] > 0:
                reported[each.patient_no] -= 1
            elif self._site_no in (None, self._site_number(each)):
                found.append(each)
        return found

    def _site_number(self, appointment: Appointment) -> int:
        return self._names.site(appointment.site).no

    def _filed(self, known: dict[int, Patient]) -> Iterable[Line]:
        """The reports of the day, the newest first."""
        query = select(tables.reports).join(
            tables.sessions,
            (_SESSIONS.no == tables.reports.c.session_no)
            & (_SESSIONS.version == tables.reports.c.version),
        )
        query = query.where(_SESSIONS.day == self._day).order_by(_SESSIONS.no.desc())
        if self._site_no is not None:
            query = query.where(_SESSIONS.site_no == self._site_no)
        for row in self._connection.execute(query):
            found = reading.opened(self._store.ring, known[row.patient_no], row)
            yield Line(found.report_id, found.version, found.report)

    def _due(self) -> list[tuple[Any, int]]:
        """The last sessions after which the next one falls on this day or just before it."""
        ids = self._names.protocol_ids
        days = {protocol.id: protocol.planned_interval_days for protocol in self._names.in_use}
        found = {}
        for row in self._last_sessions():
            interval = days.get(ids[row.protocol_no])
            if interval is not None and 0 <= self._day - row.day - interval <= DUE_DAYS:
                found[row.patient_no] = (row.day, row.day + interval)
        planned = self._planned_from_today(found)
        lasts = [each for each in found if each not in planned]
        rows = [(self._session(number, found[number][0]), found[number][1]) for number in lasts]
        kept = [each for each in rows if self._site_no in (None, each[0].site_no)]
        return sorted(kept, key=lambda each: (each[1], each[0].patient_no))

    def _last_sessions(self) -> Iterable[Any]:
        """Patient, day and protocol of each patient's last session, out of one index."""
        query = (
            select(_SESSIONS.patient_no, _SESSIONS.day, _SESSIONS.protocol_no)
            .where(_SESSIONS.day >= self._day - LOOK_BACK_DAYS)
            .order_by(_SESSIONS.day, _SESSIONS.protocol_no)
        )
        return {row.patient_no: row for row in self._connection.execute(query)}.values()

    def _planned_from_today(self, numbers: Iterable[int]) -> set[int]:
        # One that was planned for an earlier day and has no report leaves the patient on the list.
        columns = tables.appointments.c
        query = select(columns.patient_no).where(columns.day >= self._day, columns.cancelled == 0)
        planned = {row.patient_no for row in self._connection.execute(query)}
        return planned & set(numbers)

    def _session(self, patient_no: int, day: int) -> Any:
        query = (
            select(_SESSIONS.patient_no, _SESSIONS.day, _SESSIONS.protocol_no, _SESSIONS.site_no)
            .where(_SESSIONS.patient_no == patient_no, _SESSIONS.day == day)
            .order_by(_SESSIONS.protocol_no.desc())
        )
        return self._connection.execute(query).first()

    def _as_due(self, row: Any, next_day: int, known: dict[int, Patient]) -> Due:
        return Due(
            row.patient_no,
            known[row.patient_no].identity,
            self._names.protocol_ids[row.protocol_no],
            self._names.sites[row.site_no].name,
            day_of(row.day),
            day_of(next_day),
        )


def _planned(made: Appointment, patient: PatientIdentity, begun: dict[str, UUID]) -> Planned:
    return Planned(made, patient, begun.get(patient.mrn))


def _begun(mine: Iterable[Draft], day: date) -> dict[str, UUID]:
    """The drafts that were begun for a session of ``day``, by the MRN as it stands in them."""
    return {
        str(draft.fields["patient.mrn"]): draft.id
        for draft in mine
        if draft.fields.get("patient.mrn") and draft.fields.get("start_date") == day.isoformat()
    }
