"""The import: parse, check, record; commit only when nothing at all is wrong."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final

from safety import protocols
from safety.access import Action, Actor, guarded
from safety.errors import InvalidReport
from safety.importing import columns
from safety.importing.preparing import Batch, Order, batches, without_cycle_collection
from safety.importing.sheets import RowError
from safety.store import seeding
from safety.store.handle import Store
from safety.store.preparing import Prepared
from safety.store.recording import Known, Recorder, sites_by_folded_name
from safety.store.writing import Writer

_MOST_ERRORS: Final = 10_000
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
    with store.write() as writer, without_cycle_collection():
        loading = _Loading(store, writer, actor)
        for batch in batches(_order(store, writer, sessions, events)):
            loading.take(batch, sessions.name)
        result = loading.result
        result.errors.sort(key=lambda error: (error.file, error.row))
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

    def __init__(self, store: Store, writer: Writer, actor: Actor) -> None:
        self.result = ImportResult()
        self._recorder = Recorder(store, writer, actor)
        self._sites = set(sites_by_folded_name(writer))
        self._seen: dict[str, bytes] = {}

    def take(self, batch: Batch, name: str) -> None:
        """Record the rows of ``batch`` that are new and note what was found."""
        self.result.errors += batch.errors[: _MOST_ERRORS - len(self.result.errors)]
        self.result.unusual += batch.unusual
        self.result.warnings += batch.warnings
        known = self._recorder.known([prepared.session_ref for _, prepared in batch.rows])
        self._recorder.look_up_patients(prepared.patient.mrn for _, prepared in batch.rows)
        for number, prepared in batch.rows:
            problem = self._take_row(prepared, known.get(prepared.session_ref))
            self.result.errors += [RowError(name, number, *found) for found in problem]
        self._recorder.flush()

    def _take_row(self, prepared: Prepared, known: Known | None) -> list[tuple[str, str]]:
        before = self._seen.get(prepared.session_ref)
        if known is not None or before is not None:
            return self._compare(prepared, known, before)
        try:
            recorded = self._recorder.add_prepared(prepared)
        except InvalidReport as invalid:
            return [(columns.column_of(p.field), p.message) for p in invalid.problems]
        self._seen[prepared.session_ref] = recorded.content
        self.result.sessions += 1
        self.result.events += len(prepared.events)
        self._note_site(prepared.site)
        return []

    def _compare(
        self, prepared: Prepared, known: Known | None, before: bytes | None
    ) -> list[tuple[str, str]]:
        content = self._recorder.content_mac(prepared.content)
        if (known is not None and content in known.contents) or content == before:
            self.result.unchanged += 1
            return []
        where = "an earlier row of this file" if before is not None else "the store"
        text = f"is used by {where} with other content. Amend that report, or mend the row."
        return [("session_ref", text)]

    def _note_site(self, site: str) -> None:
        folded = seeding.fold(site)
        if folded not in self._sites:
            self._sites.add(folded)
            self.result.new_sites.append(" ".join(site.split()))
