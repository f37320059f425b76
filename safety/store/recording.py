"""Adding reports: the one path that a page, an import and the demonstration clinic share.

Each report becomes, in one transaction, a sealed document, its index rows and an audit entry whose
digest covers them all. Rows are gathered and inserted in batches; nothing lasts before the writer
commits.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import delete, select, update

from safety.access import Actor
from safety.document import content_digest, from_document, to_document
from safety.errors import Conflict, NotFound, UnknownName
from safety.grading import with_scales
from safety.keys import derivation
from safety.keys.derivation import reference_index
from safety.keys.sealing import Place, padded
from safety.model import SessionReport
from safety.store import index, seeding, tables
from safety.store.handle import Store
from safety.store.index import Row
from safety.store.patients import Patient, PatientBook, completed
from safety.store.preparing import Prepared, fold, prepare
from safety.store.writing import Writer, new_id
from safety.vocabulary import vocabulary

_CHUNK: Final = 500
_REFERENCE_ALPHABET: Final = "ABCDEFGHJKMNPQRSTVWXYZ23456789"


@dataclass(frozen=True, slots=True)
class Known:
    """A session that is in the store already, found by its reference."""

    session_no: int
    report_id: bytes
    contents: frozenset[bytes]


class Recorded(NamedTuple):
    """A report as it was filed. ``version`` counts from 1."""

    report_id: UUID
    session_ref: str
    version: int
    content: bytes


class Filing(NamedTuple):
    """Which report, which version of it, and under which session number."""

    report_id: UUID
    version: int
    session_no: int


def document_place(clinic: UUID, report_id: UUID, version: int, patient: UUID) -> Place:
    """Where a sealed report belongs."""
    return Place("field", clinic, "reports", "document", report_id, version, patient)


def content_key(store: Store) -> bytes:
    """The key under which the content of two reports is compared."""
    return derivation.expand(store.ring.index_key, derivation.label("report-content"))


def new_reference() -> str:
    """A reference for a session that no other system has named: nine random characters."""
    return "S-" + "".join(secrets.choice(_REFERENCE_ALPHABET) for _ in range(9))


class Recorder:
    """Adds reports through one writer. Sites and protocols are numbered by it."""

    def __init__(self, store: Store, writer: Writer, actor: Actor) -> None:
        self._writer = writer
        self._actor = actor
        self._ring = store.ring
        self._content_key = content_key(store)
        self._terms = seeding.number_terms(writer)
        self._vocabulary = vocabulary()
        self._default_zone = store.clinic.timezone
        self._sites = sites_by_folded_name(writer)
        self._site_of: dict[str, tuple[int, ZoneInfo]] = {}  # as names are spelt in reports
        self._protocols = newest_protocols(writer)
        self._patients = PatientBook(writer, store.ring, actor)
        self._references: dict[str, bytes] = {}
        self._any_before = writer.has_rows(tables.sessions)
        self._reporters: dict[str | None, bytes | None] = {}
        self._rows: dict[str, list[Row]] = {"reports": [], "sessions": [], "events": []}

    def known(self, references: Sequence[str]) -> dict[str, Known]:
        """Which of these session references are in the store, with the contents they ever had.

        Only what was there when the transaction began.
        """
        if not self._any_before:
            return {}
        wanted = {text: self.reference(text) for text in references}
        keys = list(dict.fromkeys(wanted.values()))  # two spellings can be one reference
        found: dict[bytes, Known] = {}
        for start in range(0, len(keys), _CHUNK):
            for reference, row in self._known_rows(keys[start : start + _CHUNK]):
                before = found.get(reference)
                contents = before.contents if before else frozenset()
                merged = contents | {bytes(row.content_mac)}
                found[reference] = Known(row.no, bytes(row.report_id), merged)
        return {text: found[key] for text, key in wanted.items() if key in found}

    def _known_rows(self, references: list[bytes]) -> list[tuple[bytes, Any]]:
        sessions, reports = tables.sessions.c, tables.reports.c
        query = (
            select(sessions.reference, sessions.no, sessions.report_id, reports.content_mac)
            .join_from(tables.sessions, tables.reports, reports.session_no == sessions.no)
            .where(sessions.reference.in_(references))
        )
        return [(bytes(row.reference), row) for row in self._writer.connection.execute(query)]

    def reference(self, session_ref: str) -> bytes:
        """The blind index of a session reference, remembered until the next flush."""
        found = self._references.get(session_ref)
        if found is None:
            found = reference_index(self._ring.index_key, self._ring.clinic, session_ref)
            self._references[session_ref] = found
        return found

    def content_mac(self, prepared: Prepared) -> bytes:
        """What two reports with equal content share."""
        content = prepared.content or content_digest(prepared.document)
        return hashlib.blake2b(content, digest_size=16, key=self._content_key).digest()

    def look_up_patients(self, mrns: Iterable[str]) -> None:
        """Read the patients of these MRNs in few queries instead of one by one."""
        self._patients.look_up([self._patients.index(mrn) for mrn in mrns])

    def add(self, report: SessionReport, *, report_id: UUID | None = None) -> Recorded:
        """Record a new report; the caller has checked that its reference is free.

        Raises InvalidReport (the MRN belongs to somebody else) or UnknownName (the protocol).
        """
        self.look_up_patients([report.patient.mrn])
        return self.add_prepared(self._prepared(report), report_id=report_id)

    def add_prepared(self, prepared: Prepared, *, report_id: UUID | None = None) -> Recorded:
        """Record a new report that was prepared before; its patient has been looked up."""
        patient = self._patients.settle(prepared.patient)
        filing = Filing(report_id or new_id(), 1, self._writer.next_number(tables.sessions))
        return self._record(self._completed(prepared, patient), patient, filing, "report.file")

    def amend(self, report: SessionReport, report_id: UUID, base_version: int) -> Recorded:
        """Record the next version of a report that is at ``base_version``.

        Raises NotFound, or Conflict when somebody amended it since, or when patient or reference
        of the report would change.
        """
        current = self._current(report_id, base_version)
        self.look_up_patients([report.patient.mrn])
        prepared = self._prepared(report)
        patient = self._patients.settle(prepared.patient)
        same_session = self.reference(prepared.session_ref) == bytes(current.reference)
        if patient.no != current.patient_no or not same_session:
            raise Conflict(
                "An amendment cannot move a report to another patient or session. File the right "
                "report and amend this one to say so."
            )
        self._writer.connection.execute(
            delete(tables.events).where(tables.events.c.session_no == current.no)
        )
        filing = Filing(report_id, base_version + 1, current.no)
        return self._record(self._completed(prepared, patient), patient, filing, "report.amend")

    def _current(self, report_id: UUID, base_version: int) -> Any:
        columns = tables.sessions.c
        row = self._writer.connection.execute(
            select(columns.no, columns.version, columns.patient_no, columns.reference).where(
                columns.report_id == report_id.bytes
            )
        ).first()
        if row is None:
            raise NotFound("There is no such report in this store.")
        if row.version != base_version:
            raise Conflict(
                f"Somebody amended this report meanwhile (it is at version {row.version}, you "
                f"started from {base_version}). Open it again and repeat your change; nothing of "
                "yours was written over theirs."
            )
        return row

    def prepared_content(self, report: SessionReport) -> bytes:
        """The content mac that ``report`` would have when it is filed."""
        return self.content_mac(self._prepared(report))

    def _prepared(self, report: SessionReport) -> Prepared:
        """Fill what the store knows (protocol version, reference, scales) and prepare."""
        given = content_digest(to_document(report))
        filled = replace(
            report,
            protocol_version=self._version(report),
            session_ref=report.session_ref or new_reference(),
        )
        filled = with_scales(filled, self._vocabulary)
        return prepare(filled, self._site(report.site)[1], content=given)

    def _completed(self, prepared: Prepared, patient: Patient) -> Prepared:
        """The same report with what is known of the patient's identity beyond it."""
        if prepared.patient is patient.identity:
            return prepared
        merged = completed(prepared.patient, patient.identity)
        if merged == prepared.patient:
            return prepared
        report = replace(from_document(prepared.document), patient=merged)
        given = prepared.content or content_digest(prepared.document)
        return prepare(report, self._site(prepared.site)[1], content=given)

    def _version(self, report: SessionReport) -> int:
        newest = self._protocols[report.protocol][1]
        version = newest if report.protocol_version is None else report.protocol_version
        if not 1 <= version <= newest:
            raise UnknownName(f"{report.protocol} has no version {version}: 1 to {newest} exist.")
        return version

    def _record(
        self, prepared: Prepared, patient: Patient, filing: Filing, action: str
    ) -> Recorded:
        content = self.content_mac(prepared)
        place = document_place(self._ring.clinic, filing.report_id, filing.version, patient.id)
        report_id = filing.report_id.bytes
        stored = self._writer.digests.with_mac(
            tables.reports,
            (
                filing.session_no,
                filing.version,
                report_id,
                patient.no,
                patient.key.seal(padded(prepared.document), place),
                content,
                self._writer.at,
                self._actor.id,
            ),
        )
        rows = self.index_rows(prepared, patient.no, filing)
        self._rows["reports"].append(stored)
        self._keep_session(rows[0], filing.version)
        self._rows["events"].extend(rows[1:])
        self._writer.log(
            self._actor,
            action,
            "report",
            report_id.hex(),
            note=f"v{filing.version}",
            macs=[stored[-1], *[row[-1] for row in rows]],
        )
        return Recorded(filing.report_id, prepared.session_ref, filing.version, content)

    def _keep_session(self, row: Row, version: int) -> None:
        if version == 1:
            self._rows["sessions"].append(row)
            return
        named = dict(zip(tables.sessions.c.keys(), row, strict=True))
        self._writer.connection.execute(
            update(tables.sessions).where(tables.sessions.c.no == named["no"]), named
        )

    def index_rows(self, prepared: Prepared, patient_no: int, filing: Filing) -> list[Row]:
        """The index rows of a report with their macs: its session, then its events by term."""
        numbers = index.Numbers(
            filing.session_no,
            patient_no,
            self._site(prepared.site)[0],
            self._protocols[prepared.protocol][0],
            prepared.protocol_version,
            prepared.day,
        )
        with_mac = self._writer.digests.with_mac
        reference = self.reference(prepared.session_ref)
        *facts, entry_lag = prepared.session
        session = (
            *numbers.of_session(filing.report_id.bytes, filing.version, reference),
            *facts,
            self._reporter(prepared.reported_by),
            entry_lag,
        )
        events = [(*numbers.of_event(self._terms[term]), *facts) for term, facts in prepared.events]
        events.sort()  # by term: the session is the same
        return [
            with_mac(tables.sessions, session),
            *[with_mac(tables.events, row) for row in events],
        ]

    def _reporter(self, name: str | None) -> bytes | None:
        if name not in self._reporters:
            self._reporters[name] = index.reporter_index(self._ring.index_key, name)
        return self._reporters[name]

    def _site(self, name: str) -> tuple[int, ZoneInfo]:
        found = self._site_of.get(name)
        if found is None:
            found = self._sites.get(fold(name)) or self._add_site(name)
            self._site_of[name] = found
        return found

    def _add_site(self, site: str) -> tuple[int, ZoneInfo]:
        number = seeding.add_site(self._writer, self._actor, site, self._default_zone.key)
        self._sites[fold(site)] = (number, self._default_zone)
        return number, self._default_zone

    def flush(self) -> None:
        """Insert what was gathered. Order follows the foreign keys."""
        self._patients.flush()
        self._writer.insert_all(tables.reports, self._rows["reports"])
        self._writer.insert_all(tables.sessions, self._rows["sessions"])
        self._writer.insert_all(tables.events, self._rows["events"])
        self._rows = {name: [] for name in self._rows}
        self._references = {}
        self._writer.flush_entries()


def sites_by_folded_name(writer: Writer) -> dict[str, tuple[int, ZoneInfo]]:
    """Number and time zone of every site."""
    rows = writer.connection.execute(select(tables.sites))
    return {row.folded: (row.no, ZoneInfo(row.timezone)) for row in rows}


def newest_protocols(writer: Writer) -> dict[str, tuple[int, int]]:
    """Number and newest version of every protocol, by id."""
    columns = tables.protocols.c
    query = select(columns.id, columns.no, columns.version).order_by(columns.version)
    return {row.id: (row.no, row.version) for row in writer.connection.execute(query)}
