"""The long check: every page, the whole audit trail, every protected row, every sealed document.

``verify`` does not stop at the first finding. It reads the data again and does not trust a root: a
value edited in its row, a row put back, taken away or slipped in is named by table and id.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection, Table, select

from safety import audit
from safety.errors import AfterdoseError, IntegrityFailure, RolledBack
from safety.store import opening, reading, tables
from safety.store.engine import streamed
from safety.store.handle import Store

_MOST_FINDINGS: Final = 100
_OBJECTS: Final = (
    ("clinic", tables.clinic, ("id",)),
    ("patient", tables.patients, ("no",)),
    ("site", tables.sites, ("no",)),
    ("protocol", tables.protocols, ("no", "version")),
    ("account", tables.accounts, ("id",)),
    ("appointment", tables.appointments, ("id",)),
    ("rems-form", tables.rems_forms, ("report_id",)),
    ("review", tables.reviews, ("id",)),
    ("notice", tables.notices, ("id",)),
    ("emergency-access", tables.emergency_access, ("id",)),
    ("setting", tables.settings, ("name",)),
)


@dataclass(slots=True)
class Verification:
    """What was looked at, and what does not hold. ``findings`` is empty when all is well."""

    entries: int = 0
    rows: int = 0
    reports: int = 0
    receipts: int = 0
    head: audit.Head = field(default_factory=audit.Head)
    findings: list[str] = field(default_factory=list)

    def note(self, finding: str) -> None:
        """Keep a finding; after the first hundred they say nothing new."""
        if len(self.findings) < _MOST_FINDINGS:
            self.findings.append(finding)


def verify(store: Store, *, anchor: audit.Head | None = None) -> Verification:
    """Check everything in ``store``; ``anchor`` is a checkpoint that somebody kept outside.

    Raises the integrity errors only when the database cannot be read at all.
    """
    result = Verification()
    heads = _acknowledged(store, result)
    try:
        with store.snapshot() as connection:
            _look(store, connection, heads, anchor, result)
    except IntegrityFailure as failure:
        if not result.findings:
            raise
        result.note(str(failure))
    return result


def _look(
    store: Store,
    connection: Connection,
    heads: list[audit.Head],
    anchor: audit.Head | None,
    result: Verification,
) -> None:
    for problem in _pages(store, connection):
        result.note(problem)
    digests = _chain(store, connection, result, anchor)
    _receipts(store, connection, heads, result)
    macs = _macs(store, connection, result)
    _compare(store, digests, macs, result)
    _documents(store, connection, result)


def _pages(store: Store, connection: Connection) -> Iterator[str]:
    if not store.embedded:
        return
    for (text,) in connection.exec_driver_sql("PRAGMA cipher_integrity_check"):
        yield f"store.db: {text}"
    for (text,) in connection.exec_driver_sql("PRAGMA integrity_check"):
        if text != "ok":
            yield f"store.db: {text}"


def _chain(
    store: Store, connection: Connection, result: Verification, anchor: audit.Head | None
) -> dict[tuple[str, str], bytes]:
    """Check the chain, count it, and return the newest digest of every object."""
    digests: dict[tuple[str, str], bytes] = {}

    def watched() -> Iterator[Any]:
        query = select(tables.audit).order_by(tables.audit.c.seq)
        for row in streamed(connection, query):
            result.entries += 1
            if anchor is not None and row.seq == anchor.seq and bytes(row.mac) != anchor.mac:
                result.note(f"Audit entry {anchor.seq} is not the one of the checkpoint.")
            if row.digest is not None:
                digests[row.kind, row.object] = bytes(row.digest)
            yield row

    rows = watched()
    try:
        result.head = audit.check(store.ring.audit_key, audit.Head(), rows)
    except IntegrityFailure as failure:
        result.note(str(failure))
        for _ in rows:
            pass  # the rest still says which rows were filed
    if anchor is not None and anchor.seq > result.entries:
        result.note(f"The checkpoint is of entry {anchor.seq}; the trail ends before it.")
    return digests


def _acknowledged(store: Store, result: Verification) -> list[audit.Head]:
    """Every receipt. Read before the transaction begins: writers go on acknowledging meanwhile."""
    heads: list[audit.Head] = []
    try:
        heads.extend(store.receipts.all())
    except IntegrityFailure as failure:
        result.note(str(failure))
    return heads


def _receipts(
    store: Store, connection: Connection, heads: list[audit.Head], result: Verification
) -> None:
    columns = tables.audit.c
    for head in heads:
        result.receipts += 1
        mac = connection.execute(select(columns.mac).where(columns.seq == head.seq)).scalar()
        if mac is None or bytes(mac) != head.mac:
            result.note(
                f"Audit entry {head.seq} was acknowledged in {store.receipts.path.name} "
                "but is not in the store: work was lost or an old copy was put back."
            )
            break
    if result.receipts == 0 and result.entries:
        result.note(f"{store.receipts.path.name} is missing: a rollback could not be seen.")


def _macs(
    store: Store, connection: Connection, result: Verification
) -> dict[tuple[str, str], list[bytes]]:
    """Check every row's own mac and gather the macs that each object's digest covers."""
    found: dict[tuple[str, str], list[bytes]] = {}
    for kind, table, key in _OBJECTS:
        for row in _checked(store, connection, table, result):
            found[kind, _object_id(row, key)] = [bytes(row.mac)]
    for _ in _checked(store, connection, tables.term_numbers, result):
        pass  # numbers never change, so there is no later state to compare them with
    report_of: dict[int, tuple[str, str]] = {}
    versions: dict[int, int] = {}
    for row in _checked(store, connection, tables.reports, result):
        name = ("report", bytes(row.report_id).hex())
        if row.version != versions.get(row.session_no, 0) + 1:
            result.note(f"report {name[1]}: a version before version {row.version} is gone.")
        versions[row.session_no] = row.version
        report_of[row.session_no] = name
        found[name] = [bytes(row.mac)]  # versions come in order, so the newest stays
    for table in (tables.sessions, tables.events):
        column = "no" if table is tables.sessions else "session_no"
        for row in _checked(store, connection, table, result):
            owner = report_of.get(getattr(row, column))
            if owner is None:
                result.note(f"{table.name}: row {getattr(row, column)} has no report.")
            else:
                found[owner].append(bytes(row.mac))
    return found


def _object_id(row: Any, key: tuple[str, ...]) -> str:
    parts = [getattr(row, name) for name in key]
    return ".".join(p.hex() if isinstance(p, bytes | memoryview) else str(p) for p in parts)


def _checked(
    store: Store, connection: Connection, table: Table, result: Verification
) -> Iterator[Any]:
    columns = [column.name for column in table.c]
    digest = store.digests.reader(table, columns)
    query = select(table).order_by(*table.primary_key.columns)
    for row in streamed(connection, query):
        result.rows += 1
        if not hmac.compare_digest(digest(row), bytes(row.mac)):
            names = [column.name for column in table.primary_key.columns]
            result.note(
                f"{table.name}: row {_object_id(row, tuple(names))} was changed outside Afterdose."
            )
        yield row


def _compare(
    store: Store,
    digests: dict[tuple[str, str], bytes],
    macs: dict[tuple[str, str], list[bytes]],
    result: Verification,
) -> None:
    for name in digests.keys() & macs.keys():
        if not hmac.compare_digest(store.digests.group(macs[name]), digests[name]):
            result.note(
                f"{name[0]} {name[1]}: its rows are not those that were last filed. One was put "
                "back, taken away or added."
            )
    for name in digests.keys() - macs.keys():
        result.note(f"{name[0]} {name[1]} is in the audit trail, but its rows are gone.")
    for name in macs.keys() - digests.keys():
        result.note(f"{name[0]} {name[1]} is not in the audit trail: it was slipped in.")


def _documents(store: Store, connection: Connection, result: Verification) -> None:
    try:
        for _ in reading.every_current(connection, store.ring):
            result.reports += 1
    except AfterdoseError as failure:
        result.note(str(failure))


def renew_receipts(store: Store, actor: Any) -> None:
    """Begin a new receipts file at the present end of the trail, on record in the trail itself.

    For the day on which the receipts file is lost or damaged: compare the store with a printed
    checkpoint first. The damaged file is kept beside it. Raises RolledBack when the receipts can be
    read and the store is behind them: then it is the store that must be restored.
    """
    _refuse_rolled_back(store)
    store.receipts.set_aside(store.clock().strftime("%Y%m%dT%H%M%S"))
    store.distrust = None
    with store.write() as writer:
        writer.log(actor, "receipts.renew", "receipts", store.receipts.path.name)
        writer.commit()
    store.distrust = opening.trust_failure(store)


def _refuse_rolled_back(store: Store) -> None:
    try:
        newest = store.receipts.last()
    except IntegrityFailure:
        return  # damaged is as good as lost
    failure = opening.trust_failure(store) if newest is not None else None
    if isinstance(failure, RolledBack):
        raise failure
