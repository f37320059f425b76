"""What changed since somebody's last visit, and what this quarter looks like, in few queries.

Everything is counted from index rows and the ledger; no report is opened and nobody is named.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, case, func, or_, select, tuple_

from reports.overview_changes import Changes, rate_changes
from reports.periods import Quarter
from reports.rates import RateQuery, exposure_rows, patients_in_all, today
from reports.rows import ExposureRow
from safety import notices, rems
from safety.access import Action, Actor, guarded
from safety.clock import day_number, from_utc_text
from safety.model import Setting
from safety.store import tables
from safety.store.handle import Store
from safety.vocabulary import parse_protocols
from safety.vocabulary.protocol import Drug

LATE_MINUTES: Final = 24 * 60
"""A report that was entered later than this after the session began is a late entry (default)."""

_AUDIT: Final = tables.audit.c
_SESSIONS: Final = tables.sessions.c
_FORMS: Final = tables.rems_forms.c
_SUBMITS: Final = (Setting.CLINIC.value, Setting.HOME.value, Setting.MOBILE.value)


@dataclass(frozen=True, slots=True)
class News:
    """What came in since ``since``, the actor's sign-in before this one, on the clinic's clock.

    ``since`` is None on a first visit, and then nothing is counted. ``serious`` and ``late`` are of
    the ``reports`` that were filed.
    """

    since: datetime | None
    reports: int = 0
    amended: int = 0
    serious: int = 0
    late: int = 0


@dataclass(frozen=True, slots=True)
class Compared:
    """Exposure of one protocol in this quarter and in the one before it."""

    protocol: str
    protocol_name: str
    sessions: int
    patients: int
    sessions_before: int
    patients_before: int


@dataclass(frozen=True, slots=True)
class Quality:
    """How whole the reports of the quarter are: how many of the ``sessions`` lack something.

    ``lag_unknown`` counts reports that do not say when they were made, so that nobody can tell
    whether they were late.
    """

    sessions: int = 0
    nothing_said: int = 0
    no_peak_pressure: int = 0
    no_leaving_time: int = 0
    late: int = 0
    lag_unknown: int = 0


@dataclass(frozen=True, slots=True)
class Overview:
    """One look at the clinic on ``day``. ``ever`` says whether any session was ever reported.

    ``notices`` (by kind) and ``rems_late`` are None for a role that may not see them.
    """

    day: date
    quarter: Quarter
    ever: bool
    news: News
    notices: Mapping[str, int] | None
    rems_late: int | None
    exposure: tuple[Compared, ...]
    patients: int
    patients_before: int
    quality: Quality
    changes: Changes


@guarded(Action.READ_RATES)
def overview(store: Store, actor: Actor) -> Overview:
    """Gather the overview for ``actor``; nothing of it names a patient."""
    day = today(store)
    quarter = Quarter.containing(day)
    waiting = notices.open_by_kind(store, actor) if actor.may(Action.READ_NOTICES) else None
    with store.read() as connection:
        late = late_forms(connection, day) if actor.may(Action.TRACK_REMS) else None
        periods = [RateQuery(each.first, each.last) for each in (quarter, quarter.previous())]
        now, before = (exposure_rows(connection, period) for period in periods)
        return Overview(
            day,
            quarter,
            connection.execute(select(_SESSIONS.no).limit(1)).first() is not None,
            _news(store, connection, actor),
            waiting,
            late,
            tuple(_compared(now, before)),
            patients_in_all(connection, periods[0]),
            patients_in_all(connection, periods[1]),
            _quality(connection, quarter, now),
            rate_changes(connection, quarter),
        )


def _news(store: Store, connection: Connection, actor: Actor) -> News:
    """What the ledger has after the sign-in before the newest one of ``actor``."""
    query = (
        select(_AUDIT.seq, _AUDIT.at)
        .where(
            _AUDIT.kind == "sign-in",
            _AUDIT.object == actor.id,
            _AUDIT.actor == actor.id,
            _AUDIT.action == "sign-in",
        )
        .order_by(_AUDIT.seq.desc())
        .limit(2)
    )
    visits = connection.execute(query).all()
    if len(visits) < 2:
        return News(None)
    last = visits[1]
    since = from_utc_text(last.at).astimezone(store.clinic.timezone)
    action = _AUDIT.action
    query = (
        select(action, func.count().label("entries"), func.min(_AUDIT.seq).label("first"))
        .where(_AUDIT.seq > last.seq, action.in_(("report.file", "report.amend")))
        .group_by(action)
    )
    found = {row.action: row for row in connection.execute(query)}
    amended = found["report.amend"].entries if "report.amend" in found else 0
    if "report.file" not in found:
        return News(since, amended=amended)
    filed = _filed_from(connection, found["report.file"].first)
    return News(since, found["report.file"].entries, amended, filed.serious or 0, filed.late or 0)


def _filed_from(connection: Connection, seq: int) -> Any:
    """Of the reports filed from the ledger's entry ``seq`` on, how many are serious and late.

    Sessions are numbered as they are filed, so those after the first new one are the new ones.
    """
    report = connection.execute(select(_AUDIT.object).where(_AUDIT.seq == seq)).scalar_one()
    first = (
        select(_SESSIONS.no).where(_SESSIONS.report_id == UUID(hex=report).bytes).scalar_subquery()
    )
    query = select(
        func.sum(_SESSIONS.serious).label("serious"), _count(_late()).label("late")
    ).where(_SESSIONS.no >= first)
    return connection.execute(query).one()


def _compared(now: Iterable[ExposureRow], before: Iterable[ExposureRow]) -> Iterable[Compared]:
    """Protocols of this quarter first, then those that only the one before had."""
    earlier = {row.protocol: row for row in before}
    for row in now:
        was = earlier.pop(row.protocol, None)
        yield Compared(
            row.protocol,
            row.protocol_name,
            row.sessions,
            row.patients,
            was.sessions if was else 0,
            was.patients if was else 0,
        )
    for was in earlier.values():
        yield Compared(was.protocol, was.protocol_name, 0, 0, was.sessions, was.patients)


def _late() -> Any:
    return _SESSIONS.entry_lag_minutes > LATE_MINUTES


def _count(condition: Any) -> Any:
    return func.sum(case((condition, 1), else_=0))


def _quality(connection: Connection, quarter: Quarter, now: Iterable[ExposureRow]) -> Quality:
    first, last = day_number(quarter.first), day_number(quarter.last)
    query = select(
        func.count(),
        _count(_SESSIONS.systolic_peak.is_(None)),
        _count(_SESSIONS.monitored_minutes.is_(None)),
        _count(_late()),
        _count(_SESSIONS.entry_lag_minutes.is_(None)),
    ).where(_SESSIONS.day.between(first, last))
    sessions, *lacking = (int(number or 0) for number in connection.execute(query).one())
    return Quality(sessions, sum(row.sessions_nothing_said for row in now), *lacking)


def late_forms(connection: Connection, day: date) -> int:
    """Monitoring forms that are late on ``day``: as many as :func:`safety.rems.rems_due` has late.

    Nobody's identity is opened for a number.
    """
    columns = tables.protocols.c
    contents = connection.execute(select(columns.no, columns.version, columns.content))
    given = [
        (no, version)
        for no, version, content in contents
        if parse_protocols(content.encode())[0].drug is Drug.ESKETAMINE
    ]
    if not given:
        return 0
    latest = day - timedelta(days=rems.FORM_DAYS + 1)
    earliest = day - timedelta(days=rems.LOOK_BACK_DAYS)
    query = (
        select(func.count())
        .select_from(tables.sessions)
        .outerjoin(tables.rems_forms, _FORMS.report_id == _SESSIONS.report_id)
        .where(
            _SESSIONS.day.between(day_number(earliest), day_number(latest)),
            tuple_(_SESSIONS.protocol_no, _SESSIONS.protocol_version).in_(given),
            or_(_SESSIONS.setting.is_(None), _SESSIONS.setting.in_(_SUBMITS)),
            or_(_FORMS.report_id.is_(None), _FORMS.sent_at == ""),
        )
    )
    return int(connection.execute(query).scalar_one())
