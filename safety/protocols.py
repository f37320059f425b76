"""The protocols and sites of a clinic, and the wording of its terms, as the store keeps them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import Connection, delete, insert, select

from safety.access import Action, Actor, guarded
from safety.store import seeding, tables
from safety.store.handle import Store
from safety.vocabulary import OfficialWording, Protocol, Vocabulary, parse_protocols, vocabulary
from safety.vocabulary.names import NameIndex
from safety.vocabulary.protocols import protocol_index


@dataclass(frozen=True, slots=True)
class Site:
    """A place where sessions are given."""

    no: int
    name: str
    timezone: str


def newest(connection: Connection) -> tuple[Protocol, ...]:
    """The newest version of every protocol that is in use, in the order they were added."""
    columns = tables.protocols.c
    query = select(columns.id, columns.version, columns.content, columns.retired).order_by(
        columns.no, columns.version
    )
    rows = {row.id: row for row in connection.execute(query)}
    return tuple(_protocol(row.content, row.version) for row in rows.values() if not row.retired)


def _protocol(content: str, version: int) -> Protocol:
    return replace(parse_protocols(content.encode())[0], version=version)


def index_of(connection: Connection) -> NameIndex[Protocol]:
    """The protocols in use by id, name and synonym."""
    return protocol_index(newest(connection))


@guarded(Action.READ_VOCABULARY)
def list_protocols(store: Store, actor: Actor) -> tuple[Protocol, ...]:
    """The protocols in use."""
    with store.read() as connection:
        return newest(connection)


@guarded(Action.EDIT_VOCABULARY)
def add_protocols(
    store: Store, actor: Actor, protocols: Iterable[Protocol]
) -> tuple[Protocol, ...]:
    """Add protocols, or new versions of known ones, all or none; return them as stored.

    One that equals the newest stored version is left alone. Raises Conflict when two would
    share a name.
    """
    with store.write() as writer:
        known = {protocol.id: protocol for protocol in newest(writer.connection)}
        added = []
        for protocol in protocols:
            same = known.get(protocol.id)
            if same is not None and replace(protocol, version=same.version) == same:
                added.append(same)
                continue
            added.append(seeding.add_protocol(writer, actor, protocol))
        _refuse_shared_names(writer.connection)
        writer.commit()
    return tuple(added)


def _refuse_shared_names(connection: Connection) -> None:
    from safety.errors import Conflict

    try:
        index_of(connection)
    except ValueError as error:
        raise Conflict(
            f"Two protocols would share a name: {error}. Nothing was changed; rename one."
        ) from None


@guarded(Action.READ_VOCABULARY)
def list_sites(store: Store, actor: Actor) -> tuple[Site, ...]:
    """The sites of the clinic, in the order they were added."""
    with store.read() as connection:
        rows = connection.execute(select(tables.sites).order_by(tables.sites.c.no)).all()
    return tuple(Site(row.no, row.name, row.timezone) for row in rows)


_WORDING: Final = tables.official_wording.c


@guarded(Action.READ_VOCABULARY)
def clinic_vocabulary(store: Store, actor: Actor) -> Vocabulary:
    """The vocabulary, with the official wording when the clinic loaded it."""
    with store.read() as connection:
        rows = connection.execute(
            select(_WORDING.version, _WORDING.term, _WORDING.grade, _WORDING.wording)
        ).all()
    if not rows:
        return vocabulary()
    texts = [(row.term, row.grade, row.wording) for row in rows]
    return vocabulary().with_official(OfficialWording.from_rows(rows[0].version, texts))


@guarded(Action.EDIT_VOCABULARY)
def keep_official_wording(store: Store, actor: Actor, wording: OfficialWording) -> int:
    """Store the official wording of our terms, in place of what was loaded before.

    Returns the number of texts. Grades and rates do not change by it: only what is shown.
    """
    rows = [
        {"version": wording.version, "term": term, "grade": grade, "wording": text}
        for term, grade, text in wording.limited_to(vocabulary().terms).rows()
    ]
    with store.write() as writer:
        writer.connection.execute(delete(tables.official_wording))
        if rows:
            writer.connection.execute(insert(tables.official_wording), rows)
        writer.log(actor, "vocabulary.load", "vocabulary", wording.version, note=str(len(rows)))
        writer.commit()
    return len(rows)
