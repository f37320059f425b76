"""Protocols as TOML: the six that a new store begins with, and the file that a clinic edits."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, Final

from safety.errors import BadInputFile, InvalidReport, Problem, UnknownName
from safety.model import Route
from safety.vocabulary.catalogue import vocabulary
from safety.vocabulary.names import NameIndex
from safety.vocabulary.protocol import DoseUnit, Drug, Phase, Protocol

__all__ = [
    "Protocol",
    "dump_protocol",
    "parse_protocols",
    "protocol_index",
    "seed_protocols",
    "template",
]

_MOST_BYTES: Final = 1_000_000


def protocol_index(protocols: Iterable[Protocol]) -> NameIndex[Protocol]:
    """Return ``protocols`` by id, name and synonym; raise ``ValueError`` when two share a name."""
    return NameIndex("protocol", "protocols", [(each, each.names()) for each in protocols])


@cache
def seed_protocols() -> tuple[Protocol, ...]:
    """Return the six protocols that a new store begins with."""
    return parse_protocols(Path(__file__).with_name("protocols.toml").read_bytes())


def parse_protocols(content: bytes) -> tuple[Protocol, ...]:
    """Return the protocols of a TOML file, one table each, headed by the id.

    Raises :class:`BadInputFile` that names the protocol and the key of everything that is wrong.
    """
    tables = _tables(content)
    found: list[Protocol] = []
    wrong: list[str] = []
    for protocol_id, table in tables.items():
        try:
            found.append(_protocol(protocol_id, table))
        except InvalidReport as error:
            wrong += [f"{_named(protocol_id)}: {problem}" for problem in error.problems]
    if wrong:
        raise BadInputFile("\n".join(wrong))
    try:
        protocol_index(found)
    except ValueError as error:
        raise BadInputFile(f"Two protocols share a name: {error}.") from None
    return tuple(found)


def dump_protocol(protocol: Protocol) -> str:
    """Return the TOML table that :func:`parse_protocols` reads back; the version is not in it."""
    lines = [f"[{protocol.id}]"]
    for key in _KEYS:
        value = getattr(protocol, key)
        if value is not None:
            lines.append(f"{key} = {_toml(value)}")
    return "\n".join(lines) + "\n"


def template(protocols: Iterable[Protocol]) -> str:
    """Return a file to edit: what each key means, then ``protocols`` as they are."""
    notes = "".join(f"#   {key:<22} {note}\n" for key, note in _KEYS.items())
    tables = "\n".join(dump_protocol(protocol) for protocol in protocols)
    return f"{_INTRODUCTION}{notes}\n{tables}"


_INTRODUCTION: Final = """\
# Protocols of this clinic. Edit, then load with: afterdose protocols load FILE.toml
# One table a protocol, headed by its id, which never changes. A protocol whose id is known becomes
# a new version; sessions keep the version under which they were given.
#
"""

# Every key of a table, in the order in which it is written, with what it means.
_KEYS: Final[Mapping[str, str]] = {
    "name": "as shown",
    "synonyms": "other names that may stand in a row, may be left out",
    "drug": " or ".join(Drug),
    "route": ", ".join(Route),
    "dose_low": "lowest usual dose of a session",
    "dose_high": "highest usual dose of a session",
    "dose_unit": " or ".join(DoseUnit),
    "infusion_minutes": "left out for a dose given at once",
    "planned_interval_days": "days from one session to the next, as planned",
    "minimum_interval_days": "fewest days that are no deviation",
    "max_sessions_28_days": "most sessions of this protocol in any 28 days",
    "max_sessions_90_days": "most sessions of this protocol in any 90 days",
    "phase": ", ".join(Phase),
    "monitoring_minutes": "shortest observation after the start of the dose",
    "source": "where the numbers come from",
    "common_terms": "effects to offer first: ids, names or synonyms of the vocabulary",
}
_TEXTS: Final = ("name", "drug", "route", "dose_unit", "phase", "source")
_LISTS: Final = ("synonyms", "common_terms")
_OPTIONAL: Final = ("infusion_minutes", *_LISTS)


def _tables(content: bytes) -> dict[str, Any]:
    if len(content) > _MOST_BYTES:
        raise BadInputFile("The file is larger than 1 MB. Six protocols take 5 kB.")
    try:
        tables = tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise BadInputFile("The file is not UTF-8 text. Save it as UTF-8.") from None
    except (ValueError, RecursionError) as error:
        place = re.search(r"\(at .*\)$", str(error))
        raise BadInputFile(f"The file is not TOML{f' {place[0]}' if place else ''}.") from None
    if not tables:
        raise BadInputFile("The file holds no protocol. Start from: afterdose protocols template")
    return tables


def _protocol(protocol_id: str, table: Any) -> Protocol:
    if not isinstance(table, dict):
        raise InvalidReport(
            [Problem("table", f"is missing. Start it with [{_named(protocol_id)}].")]
        )
    problems = [*_key_problems(table), *_type_problems(table)]
    if problems:
        raise InvalidReport(problems)
    values: dict[str, Any] = dict(table)
    problems = [
        *_choose(values, "drug", Drug),
        *_choose(values, "route", Route),
        *_choose(values, "dose_unit", DoseUnit),
        *_choose(values, "phase", Phase),
        *_find_terms(values),
    ]
    if problems:
        raise InvalidReport(problems)
    values["synonyms"] = tuple(values.get("synonyms", ()))
    return Protocol(id=protocol_id, **values)


def _key_problems(table: Mapping[str, Any]) -> Iterator[Problem]:
    for key in table:
        if key not in _KEYS:
            yield Problem(_named(key), f"is not a key of a protocol. The keys: {', '.join(_KEYS)}.")
    for key in _KEYS:
        if key not in table and key not in _OPTIONAL:
            yield Problem(key, "is missing.")


def _type_problems(table: Mapping[str, Any]) -> Iterator[Problem]:
    for key in _TEXTS:
        if key in table and not isinstance(table[key], str):
            yield Problem(key, "must be text in quotation marks.")
    for key in _LISTS:
        value = table.get(key, [])
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            yield Problem(key, "must be a list of texts in quotation marks.")


def _choose(values: dict[str, Any], key: str, choices: type[StrEnum]) -> Iterator[Problem]:
    try:
        values[key] = choices(values[key])
    except ValueError:
        yield Problem(key, f"must be one of: {', '.join(choices)}.")


def _find_terms(values: dict[str, Any]) -> Iterator[Problem]:
    ids: list[str] = []
    for text in values.get("common_terms", ()):
        try:
            ids.append(vocabulary().find(text).id)
        except UnknownName as error:
            yield Problem("common_terms", str(error))
    if len(set(ids)) < len(ids):
        yield Problem("common_terms", "names a term twice.")
    values["common_terms"] = tuple(ids)


def _named(protocol_id: str) -> str:
    return protocol_id[:60] if protocol_id.isprintable() else "(unreadable name)"


def _toml(value: object) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(_toml(each) for each in value)}]"
    # A JSON string is a TOML string too, as long as it is printable, which Protocol sees to.
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else f"{value!r}"
