"""The rows that a new store begins with, and the numbered names that index rows refer to."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from safety.access import CONSOLE, Actor
from safety.store import tables
from safety.store.preparing import fold
from safety.store.writing import Writer
from safety.vocabulary import vocabulary
from safety.vocabulary.protocols import Protocol, dump_protocol, seed_protocols


def seed(
    writer: Writer, clinic: UUID, name: str, site: str, timezone: str, *, demonstration: bool
) -> None:
    """Write the clinic, its first site, the numbers of the terms and the seeded protocols."""
    row = {
        "id": clinic.bytes,
        "name": name,
        "timezone": timezone,
        "created_at": writer.at,
        "demonstration": int(demonstration),
    }
    mac = writer.insert(tables.clinic, row)
    writer.log(CONSOLE, "store.create", "clinic", clinic.hex, macs=[mac])
    add_site(writer, CONSOLE, site, timezone)
    number_terms(writer)
    for protocol in seed_protocols():
        add_protocol(writer, CONSOLE, protocol)


def add_site(writer: Writer, actor: Actor, name: str, timezone: str) -> int:
    """Add a site and return its number."""
    number = writer.next_number(tables.sites)
    mac = writer.insert(
        tables.sites,
        {
            "no": number,
            "name": " ".join(name.split()),
            "folded": fold(name),
            "timezone": timezone,
            "created_at": writer.at,
        },
    )
    writer.log(actor, "site.add", "site", str(number), macs=[mac])
    return number


def number_terms(writer: Writer) -> dict[str, int]:
    """Give every term of the vocabulary a number that never changes, and return them all."""
    known = term_numbers(writer.connection)
    fresh: list[tuple[Any, ...]] = []
    for term in vocabulary().terms:
        if term.id not in known:
            known[term.id] = max(known.values(), default=0) + 1
            fresh.append(writer.digests.with_mac(tables.term_numbers, (known[term.id], term.id)))
    writer.insert_all(tables.term_numbers, fresh)
    return known


def term_numbers(connection: Connection) -> dict[str, int]:
    """Number by term id."""
    rows = connection.execute(select(tables.term_numbers.c.id, tables.term_numbers.c.no))
    return {row.id: row.no for row in rows}


def add_protocol(writer: Writer, actor: Actor, protocol: Protocol) -> Protocol:
    """Add a protocol, or the next version of the one with the same id; return it as stored."""
    columns = tables.protocols.c
    newest = writer.connection.execute(
        select(columns.no, columns.version)
        .where(columns.id == protocol.id)
        .order_by(columns.version.desc())
        .limit(1)
    ).first()
    number = newest.no if newest else writer.next_number(tables.protocols)
    version = newest.version + 1 if newest else 1
    stored = replace(protocol, version=version)
    mac = writer.insert(
        tables.protocols,
        {
            "no": number,
            "version": version,
            "id": stored.id,
            "content": dump_protocol(stored),
            "created_at": writer.at,
            "created_by": actor.id,
            "retired": 0,
        },
    )
    writer.log(actor, "protocol.add", "protocol", f"{number}.{version}", macs=[mac])
    return stored
