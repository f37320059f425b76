"""Looking after a store: the long check, the rebuilt index, new receipts; each on record."""

from __future__ import annotations

from safety import audit
from safety.access import Action, Actor, guarded
from safety.errors import AfterdoseError
from safety.store import rebuilding, verifying
from safety.store.handle import Store
from safety.store.rebuilding import Rebuilt
from safety.store.verifying import Verification


@guarded(Action.VERIFY)
def verify_store(store: Store, actor: Actor, *, anchor: audit.Head | None = None) -> Verification:
    """Check every page, audit entry, row and sealed report; ``anchor`` is a kept checkpoint.

    What was found is put on record, unless the store takes no writing any more.
    """
    result = verifying.verify(store, anchor=anchor)
    try:
        with store.write() as writer:
            note = f"findings {len(result.findings)}"
            writer.log(actor, "store.verify", "audit", str(result.head.seq), note=note)
            writer.commit()
    except AfterdoseError as failure:
        if store.distrust is None:
            result.note(str(failure))
    return result


@guarded(Action.REBUILD)
def rebuild_index(store: Store, actor: Actor, *, write: bool = False) -> Rebuilt:
    """Build the index rows again from the sealed reports; ``write`` replaces what differs."""
    return rebuilding.rebuild(store, actor, write=write)


@guarded(Action.MANAGE_KEYS)
def renew_receipts(store: Store, actor: Actor) -> None:
    """Begin a new receipts file at the present end of the audit trail, on record.

    For the day on which the receipts file is lost: compare the store with a printed checkpoint
    first.
    """
    verifying.renew_receipts(store, actor)
