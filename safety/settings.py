"""What a clinic sets for itself: now the rules by which a report is called complete.

A setting is one row with a version that counts its changes; each change is on record.
"""

from __future__ import annotations

import hmac
from typing import Any, Final

from sqlalchemy import Connection, select, update

from safety.access import Action, Actor, guarded
from safety.completeness import Rules, default_rules, default_text, parse_rules
from safety.errors import Tampered
from safety.store import tables
from safety.store.handle import Store
from safety.store.writing import Writer

COMPLETENESS: Final = "completeness"
_KIND: Final = "setting"
_COLUMNS: Final = tables.settings.c


@guarded(Action.READ_VOCABULARY)
def completeness_rules(store: Store, actor: Actor) -> Rules:  # noqa: ARG001 - guarded
    """The clinic's rules of completeness; version 0 are the defaults. Raises Tampered."""
    with store.read() as connection:
        row = trusted_document(store, connection, COMPLETENESS)
    return default_rules() if row is None else parse_rules(row["content"], row["version"])


@guarded(Action.READ_VOCABULARY)
def completeness_text(store: Store, actor: Actor) -> str:  # noqa: ARG001 - guarded
    """The file of the rules in use, comments and all, to be edited. Raises Tampered."""
    with store.read() as connection:
        row = trusted_document(store, connection, COMPLETENESS)
    return default_text() if row is None else str(row["content"])


@guarded(Action.EDIT_VOCABULARY)
def set_completeness_rules(store: Store, actor: Actor, text: str) -> None:
    """Put the rules of a TOML text in place of those in use, as their next version.

    Text that equals the one in use changes nothing. Raises BadInputFile that names each rule that
    cannot be right, and changes nothing then.
    """
    parse_rules(text)
    with store.write() as writer:
        known = trusted_document(store, writer.connection, COMPLETENESS)
        if known is not None and known["content"] == text:
            return
        keep_document(writer, actor, COMPLETENESS, text, (known["version"] if known else 0) + 1)
        writer.commit()


def keep_document(writer: Writer, actor: Actor, name: str, content: str, version: int) -> None:
    """Write a setting as its next version, on record; the caller asks for the role and commits."""
    row: dict[str, Any] = {
        "name": name,
        "version": version,
        "content": content,
        "created_at": writer.at,
        "created_by": actor.id,
    }
    if version == 1:
        writer.insert(tables.settings, row)
    else:
        writer.digests.stamped(tables.settings, row)
        writer.connection.execute(
            update(tables.settings).where(_COLUMNS.name == name).values(**row)
        )
    writer.log(actor, "setting.change", _KIND, name, note=f"v{version}", macs=[row["mac"]])


def trusted_document(store: Store, connection: Connection, name: str) -> dict[str, Any] | None:
    """The row of a setting, or None. Whoever can write to the database must not loosen a rule."""
    query = select(tables.settings).where(_COLUMNS.name == name)
    found = connection.execute(query).mappings().first()
    if found is None:
        return None
    row = dict(found)
    if not hmac.compare_digest(store.digests.mac(tables.settings, row), bytes(row["mac"])):
        raise Tampered(
            f"The setting {name} was changed outside Afterdose. Run `afterdose verify --store`."
        )
    return row
