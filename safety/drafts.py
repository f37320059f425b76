"""Drafts: what was typed and not yet filed, sealed, visible to its author and the nurse in charge.

The nurse in charge may look at any draft and take it over to finish it; both are put on record.

A draft's id is the id that the report will have, so that filing it takes the draft away in the
same transaction. Its content is the form's own fields as plain values; nothing is validated before
filing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, delete, insert, select, update

from safety import naming
from safety.access import Action, Actor, guarded
from safety.clock import from_utc_text
from safety.document import canonical
from safety.errors import Conflict, NotFound, Tampered
from safety.keys.derivation import Purpose, derive
from safety.keys.sealing import Place, SealingKey, padded, unpadded
from safety.store import tables
from safety.store.handle import Store

_COLUMNS = tables.drafts.c


@dataclass(frozen=True, slots=True)
class Draft:
    """An unfinished form. ``version`` counts saves."""

    id: UUID
    version: int
    saved_at: datetime
    fields: Mapping[str, Any]

    def __repr__(self) -> str:
        return f"Draft({self.id}, version={self.version})"


@guarded(Action.KEEP_DRAFT)
def save_draft(
    store: Store, actor: Actor, draft_id: UUID, fields: Mapping[str, Any], *, base_version: int = 0
) -> int:
    """Keep ``fields`` and return the new version; ``base_version`` is the one last seen (0: new).

    Raises Conflict when another tab saved the same draft meanwhile; nothing is overwritten.
    """
    version = base_version + 1
    with store.write() as writer:
        row = {
            "id": draft_id.bytes,
            "author": actor.id,
            "version": version,
            "document": _seal(store, actor.id, draft_id, version, fields),
            "saved_at": writer.at,
        }
        stored = writer.connection.execute(
            select(_COLUMNS.version, _COLUMNS.author).where(_COLUMNS.id == draft_id.bytes)
        ).first()
        if _of_another(stored, actor):
            raise Conflict(
                "A colleague goes on with this form: it was taken over. Nothing was overwritten; "
                "ask the nurse in charge."
            )
        if (stored.version if stored else 0) != base_version:
            raise Conflict(
                "This form is open in another tab and was saved there. Nothing was overwritten: "
                "close one of the tabs and go on in the other."
            )
        if stored is None:
            writer.connection.execute(insert(tables.drafts), row)
        else:
            changed = update(tables.drafts).where(_COLUMNS.id == draft_id.bytes)
            writer.connection.execute(changed, row)
        writer.commit()
    return version


def _of_another(stored: Any, actor: Actor) -> bool:
    return stored is not None and stored.author != actor.id


@guarded(Action.KEEP_DRAFT)
def list_drafts(store: Store, actor: Actor) -> tuple[Draft, ...]:
    """The actor's own drafts, newest first."""
    query = (
        select(tables.drafts).where(_COLUMNS.author == actor.id).order_by(_COLUMNS.saved_at.desc())
    )
    with store.read() as connection:
        return tuple(_opened(store, row) for row in connection.execute(query))


@guarded(Action.KEEP_DRAFT)
def read_draft(store: Store, actor: Actor, draft_id: UUID) -> Draft:
    """One of the actor's own drafts. Raises NotFound, for another author's draft too."""
    query = select(tables.drafts).where(_COLUMNS.id == draft_id.bytes, _COLUMNS.author == actor.id)
    with store.read() as connection:
        row = connection.execute(query).first()
    if row is None:
        raise NotFound("There is no such draft of yours. It may have been filed.")
    return _opened(store, row)


@guarded(Action.KEEP_DRAFT)
def discard_draft(store: Store, actor: Actor, draft_id: UUID) -> None:
    """Throw one of the actor's own drafts away, on record."""
    with store.write() as writer:
        gone = writer.connection.execute(
            delete(tables.drafts).where(_COLUMNS.id == draft_id.bytes, _COLUMNS.author == actor.id)
        )
        if gone.rowcount:
            writer.log(actor, "draft.discard", "draft", draft_id.hex)
        writer.commit()


@dataclass(frozen=True, slots=True)
class OwnedDraft:
    """A draft of anybody's. ``author`` is an account id; without an account the name is empty."""

    draft: Draft
    author: str
    author_name: str

    def __repr__(self) -> str:
        return f"OwnedDraft({self.draft.id}, version={self.draft.version})"


@guarded(Action.READ_DRAFTS)
def list_all_drafts(store: Store, actor: Actor) -> tuple[OwnedDraft, ...]:
    """The drafts of all, newest first; that the list was seen is on record."""
    with store.read() as connection:
        rows = connection.execute(select(tables.drafts).order_by(_COLUMNS.saved_at.desc())).all()
        names = naming.names(store, connection, {row.author for row in rows})
    found = tuple(_owned(store, row, names) for row in rows)
    with store.write() as writer:
        writer.log(actor, "draft.list-all", "drafts", "", note=f"drafts {len(found)}")
        writer.commit()
    return found


@guarded(Action.READ_DRAFTS)
def read_draft_of_all(store: Store, actor: Actor, draft_id: UUID) -> OwnedDraft:
    """One draft, whosoever it is; the view is on record. Its author stays. Raises NotFound."""
    with store.read() as connection:
        row = _row(connection, draft_id)
        found = _owned(store, row, naming.names(store, connection, {row.author}))
    with store.write() as writer:
        writer.log(actor, "draft.view", "draft", draft_id.hex)
        writer.commit()
    return found


@guarded(Action.READ_DRAFTS)
def take_over_draft(store: Store, actor: Actor, draft_id: UUID) -> Draft:
    """Make the actor the author of a colleague's draft, on record, and return it to go on with.

    It is a new version, so that a tab in which the colleague still types saves nothing over it.
    One's own draft is returned as it is. Raises NotFound.
    """
    with store.write() as writer:
        row = _row(writer.connection, draft_id)
        before = _opened(store, row)
        if row.author == actor.id:
            return before
        version = before.version + 1
        writer.connection.execute(
            update(tables.drafts)
            .where(_COLUMNS.id == draft_id.bytes)
            .values(
                author=actor.id,
                version=version,
                document=_seal(store, actor.id, draft_id, version, before.fields),
            )
        )
        writer.log(actor, "draft.take-over", "draft", draft_id.hex, note=f"from {row.author}")
        writer.commit()
    return Draft(draft_id, version, before.saved_at, before.fields)


def _row(connection: Connection, draft_id: UUID) -> Any:
    query = select(tables.drafts).where(_COLUMNS.id == draft_id.bytes)
    row = connection.execute(query).first()
    if row is None:
        raise NotFound("There is no such draft. It may have been filed or discarded.")
    return row


def _owned(store: Store, row: Any, names: Mapping[str, str]) -> OwnedDraft:
    return OwnedDraft(_opened(store, row), row.author, names.get(row.author, ""))


def remove_filed(connection: Connection, draft_id: UUID) -> None:
    """Take away the draft of a report that is being filed in the same transaction."""
    connection.execute(delete(tables.drafts).where(_COLUMNS.id == draft_id.bytes))


def _key(store: Store) -> SealingKey:
    return SealingKey(derive(store.ring.root, Purpose.DRAFT))


def _place(store: Store, author: str, draft_id: UUID, version: int) -> Place:
    # The author is part of the place: a row given to somebody else does not open.
    column = f"document by {author}"
    return Place("field", store.ring.clinic, "drafts", column, draft_id, version)


def _seal(
    store: Store, author: str, draft_id: UUID, version: int, fields: Mapping[str, Any]
) -> bytes:
    content = padded(canonical({"fields": dict(fields)}))
    return _key(store).seal(content, _place(store, author, draft_id, version))


def _opened(store: Store, row: Any) -> Draft:
    draft_id = UUID(bytes=bytes(row.id))
    place = _place(store, row.author, draft_id, row.version)
    content = unpadded(_key(store).open(bytes(row.document), place))
    try:
        fields = json.loads(content)["fields"]
    except (ValueError, KeyError, TypeError):
        raise Tampered("A stored draft is not a draft. Restore the backup.") from None
    return Draft(draft_id, row.version, from_utc_text(row.saved_at), fields)
