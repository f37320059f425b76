"""The import: parse, check, record; commit only when nothing at all is wrong."""

from __future__ import annotations

import hashlib
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final

from safety import protocols
from safety.access import Action, Actor, guarded
from safety.errors import InvalidReport
from safety.importing import columns
from safety.importing.building import Complaints
from safety.importing.preparing import Batch, Order, Ready, without_cycle_collection
from safety.importing.sheets import RowError
from safety.importing.worker import batches
from safety.store.bulk import indexes_at_the_end
from safety.store.handle import Store
from safety.store.preparing import Prepared, fold
from safety.store.recording import Known, Recorder, sites_by_folded_name
from safety.store.writing import Writer

MOST_ERRORS: Final = 10_000
_FUTURE: Final = timedelta(days=366)

__all__ = ["ImportResult", "RowError", "import_files"]


@dataclass(slots=True)
class ImportResult:
    """What an import did, or would have done. With any error nothing was written.

    ``warnings`` are the first of ``unusual`` values that are possible but unlikely; ``new_sites``
    are the sites that were added because a row named them.
    """

    sessions: int = 0
    events: int = 0
    unchanged: int = 0
    errors: list[RowError] = field(default_factory=list)
    unusual: int = 0
    warnings: list[RowError] = field(default_factory=list)
    new_sites: list[str] = field(default_factory=list)


@guarded(Action.IMPORT)
def import_files(
    store: Store, actor: Actor, sessions: Path, events: Path | None = None, *, dry_run: bool = False
) -> ImportResult:
    """Import ``sessions`` with ``events``: all rows or none.

    A session whose reference is in the store with equal content counts as ``unchanged``; with other
    content it is an error. ``dry_run`` checks everything against the store and writes nothing.
    """
    with store.write(much=True) as writer, without_cycle_collection():
        loading = _Loading(store, writer, actor, sessions.name)
        order = _order(store, writer, sessions, events)
        with closing(batches(order)) as found, indexes_at_the_end(writer):
            for batch in found:
                loading.take(batch)
        result = loading.finished()
        if not result.errors and not dry_run:
            note = f"sessions {result.sessions}, events {result.events}"
            writer.log(actor, "import", "import", file_digest(sessions), note=note)
            writer.commit()
    if result.errors:
        return ImportResult(errors=result.errors)
    return result


def _order(store: Store, writer: Writer, sessions: Path, events: Path | None) -> Order:
    return Order(
        sessions,
        events,
        protocols.newest(writer.connection),
        {name: zone for name, (_, zone) in sites_by_folded_name(writer).items()},
        store.clinic.timezone,
        store.clock() + _FUTURE,
    )


def file_digest(path: Path) -> str:
    """SHA-256 of the imported file, so that the audit trail says which one it was."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class _Loading:
    """The second half of an import: compare with the store and record."""

    def __init__(self, store: Store, writer: Writer, actor: Actor, name: str) -> None:
        self._result = ImportResult()
        self._name = name
        self._recorder = Recorder(store, writer, actor)
        self._sites = set(sites_by_folded_name(writer))
        self._spellings: set[str] = set()
        self._seen: dict[bytes, bytes] = {}
        self._unlisted = 0

    def take(self, batch: Batch) -> None:
        """Record the rows of ``batch`` that are new and note what was found."""
        self._note(batch.errors)
        self._result.unusual += batch.unusual
        self._result.warnings += batch.warnings
        known = self._recorder.known([row.prepared.session_ref for row in batch.rows])
        self._recorder.look_up_patients(row.prepared.patient.mrn for row in batch.rows)
        for row in batch.rows:
            wrong = self._take_row(row, known.get(row.prepared.session_ref))
            if wrong:
                self._note([RowError(self._name, row.number, *each) for each in wrong])
        self._recorder.flush()

    def finished(self) -> ImportResult:
        """The result, with its errors in the order of the rows."""
        errors = self._result.errors
        errors.sort(key=lambda error: (error.file, error.row))
        if self._unlisted:
            text = f"{self._unlisted} more errors are not listed. Mend these first."
            errors.append(RowError(self._name, 0, "", text))
        return self._result

    def _note(self, errors: list[RowError]) -> None:
        listed = errors[: max(0, MOST_ERRORS - len(self._result.errors))]
        self._result.errors += listed
        self._unlisted += len(errors) - len(listed)

    def _take_row(self, row: Ready, known: Known | None) -> Complaints:
        prepared = row.prepared
        reference = self._recorder.reference(prepared.session_ref)
        before = self._seen.get(reference)
        if known is not None or before is not None:
            return self._compare(prepared, known, before) if row.comparable else []
        try:
            recorded = self._recorder.add_prepared(prepared)
        except InvalidReport as invalid:
            return [(columns.column_of(p.field), p.message) for p in invalid.problems]
        self._seen[reference] = recorded.content
        self._result.sessions += 1
        self._result.events += len(prepared.events)
        if prepared.site not in self._spellings:
            self._note_site(prepared.site)
        return []

    def _compare(self, prepared: Prepared, known: Known | None, before: bytes | None) -> Complaints:
        content = self._recorder.content_mac(prepared)
        if (known is not None and content in known.contents) or content == before:
            self._result.unchanged += 1
            return []
        where = "an earlier row of this file" if before is not None else "the store"
        text = f"is used by {where} with other content. Amend that report, or mend the row."
        return [("session_ref", text)]

    def _note_site(self, site: str) -> None:
        self._spellings.add(site)
        folded = fold(site)
        if folded not in self._sites:
            self._sites.add(folded)
            self._result.new_sites.append(" ".join(site.split()))
