"""A report recorded as an import does, which takes what a form would ask to complete."""

from __future__ import annotations

from uuid import UUID

from safety.access import CONSOLE, Actor
from safety.model import SessionReport
from safety.store.handle import Store
from safety.store.recording import Recorded, Recorder


def record(
    store: Store, report: SessionReport, *, actor: Actor = CONSOLE, report_id: UUID | None = None
) -> Recorded:
    """Record a new report without asking the rules of completeness."""
    with store.write() as writer:
        recorder = Recorder(store, writer, actor)
        recorded = recorder.add(report, report_id=report_id)
        recorder.flush()
        writer.commit()
    return recorded
