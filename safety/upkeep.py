"""Looking after a store: the long check, the rebuilt index, new receipts; each on record."""

from __future__ import annotations

from base64 import b64encode

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


@guarded(Action.VERIFY)
def signed_checkpoint(store: Store, actor: Actor) -> bytes:
    """The present end of the audit trail, signed with the clinic's Ed25519 key, for safe keeping.

    Three lines (clinic, number of entries, mac of the last), an empty one, and the signature over
    the three lines in base64. Whoever keeps it elsewhere can later show that the trail up to there
    is the same: ``verify_store`` takes it as its ``anchor``.
    """
    with store.write() as writer:
        writer.log(actor, "audit.checkpoint", "audit", str(writer.head.seq))
        writer.commit()
        lines = audit.checkpoint(f"afterdose {store.ring.clinic}", writer.head)
    return lines + b"\n" + b64encode(store.ring.checkpoint_key.sign(lines)) + b"\n"


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
