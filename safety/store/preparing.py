"""What can be made of a report before the store is asked: its document and the facts of its rows.

Pure, without keys and without the database library, so that an import can do it in another process
that starts in a moment. Everything in a ``Prepared`` is plain values: it crosses a pipe cheaply.
"""

from __future__ import annotations

from typing import NamedTuple
from zoneinfo import ZoneInfo

from safety.document import to_document
from safety.model import PatientIdentity, SessionReport
from safety.store import index
from safety.store.index import Row


def fold(name: str) -> str:
    """The form in which names of sites are compared: case and runs of space do not count."""
    return " ".join(name.split()).casefold()


class Prepared(NamedTuple):
    """A report on its way into the store.

    ``session`` holds what :class:`~safety.store.index.SessionFacts` names, ``events`` pairs of a
    term id and what :class:`~safety.store.index.EventFacts` names.

    ``content`` is the digest of what was reported, or None when that is the document itself.
    """

    patient: PatientIdentity
    site: str
    protocol: str
    protocol_version: int
    session_ref: str
    reported_by: str | None
    day: int
    content: bytes | None
    document: bytes
    session: Row
    events: list[tuple[str, Row]]

    def __repr__(self) -> str:
        return f"Prepared(protocol={self.protocol!r}, events={len(self.events)})"


def prepare(
    report: SessionReport,
    zone: ZoneInfo,
    *,
    content: bytes | None = None,
    document: bytes | None = None,
) -> Prepared:
    """Prepare a report whose protocol version, reference and scales are filled in.

    ``content`` is the digest of what was reported when that is not the report itself (what the
    store filled in does not count when two reports are compared). ``document`` is that of the
    report, when the caller has it already.
    """
    return Prepared(
        report.patient,
        report.site,
        report.protocol,
        report.protocol_version or 1,
        report.session_ref or "",
        report.reported_by,
        index.index_day(report, zone),
        content,
        to_document(report) if document is None else document,
        index.session_facts(report),
        [(event.term, index.event_facts(report, event)) for event in report.events],
    )
