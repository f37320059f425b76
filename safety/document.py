"""The signed form of a report: canonical JSON, sealed, from which everything is rebuilt.

Keys are sorted, nothing is padded with spaces, absent values are left out, text is UTF-8.
``schema`` is the version of this layout: a reader refuses a later one and reads every earlier one.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import date, datetime
from enum import Enum, StrEnum
from operator import attrgetter
from types import UnionType
from typing import Any, Final, TypeVar, get_args, get_type_hints

from safety.errors import InvalidReport, NewerFormat, Tampered
from safety.model import AdverseEvent, Criterion, PatientIdentity, SessionReport

SCHEMA: Final = 1
T = TypeVar("T")


def to_document(report: SessionReport) -> bytes:
    """Canonical bytes of ``report``."""
    return _bytes(_SORTED_ENCODER.encode({"report": plain(report), "schema": SCHEMA}))


def content_digest(document: bytes) -> bytes:
    """SHA-256 of what a document says was reported, without what the store or an amendment adds.

    Two imports of one row have equal digests, whichever versions of protocol, scale and report they
    came to be. The additions are cut out of the document, which costs a quarter of writing it again
    without them. Inside a text a quotation mark is escaped, so only fields can match.
    """
    return hashlib.sha256(_ADDED.sub(b"", document)).digest()


_ADDED: Final = re.compile(
    rb'"(?:protocol_version":\d+|(?:scale|scale_version|amendment_reason)":"(?:[^"\\]|\\.)*"),'
)


def canonical(content: Mapping[str, Any]) -> bytes:
    """Canonical JSON of plain values."""
    return _bytes(_ENCODER.encode(content))


def _bytes(text: str) -> bytes:
    """UTF-8. Half a character becomes its JSON escape: an error would carry the text along."""
    return text.encode(errors="backslashreplace")


_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))
_SORTED_ENCODER: Final = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), check_circular=False
)
"""For what :func:`plain` gave: its keys come sorted, which saves a quarter of the time."""


def plain(value: Any) -> dict[str, Any]:
    """The fields of a value of the model that say something, sorted, as JSON can hold them.

    Absent fields and empty parts are left out: most of a report is usually not recorded.
    """
    shape = _SHAPES.get(type(value))
    names, get = shape if shape is not None else _shape(type(value))
    found = {}
    for name, item in zip(names, get(value)):  # noqa: B905 - strict costs, both come from one class
        if item is None:
            continue
        kind = type(item)
        if kind in _AS_IS:
            found[name] = item
            continue
        simplify = _SIMPLIFY.get(kind)
        simple = simplify(item) if simplify is not None else _simple(kind, item)
        if simple:  # an empty part says nothing
            found[name] = simple
    return found


_AS_IS: Final = frozenset({str, int, float, bool})
_SHAPES: Final[dict[type, tuple[tuple[str, ...], Any]]] = {}


def _shape(kind: type) -> tuple[tuple[str, ...], Any]:
    names = tuple(sorted(field.name for field in dataclasses.fields(kind)))
    _SHAPES[kind] = (names, attrgetter(*names))
    return _SHAPES[kind]


def _simple(kind: type, item: Any) -> Any:
    """Simplify a value of a kind met for the first time, and remember how."""
    _SIMPLIFY[kind] = attrgetter("value") if issubclass(kind, StrEnum) else plain
    return _SIMPLIFY[kind](item)


_SIMPLIFY: Final[dict[type, Callable[[Any], Any]]] = {
    datetime: datetime.isoformat,
    date: date.isoformat,
    tuple: lambda parts: [plain(part) for part in parts],
    frozenset: lambda parts: sorted(part.value for part in parts),
}


_UNREADABLE: Final = (ValueError, KeyError, TypeError, AttributeError, InvalidReport)
"""What reading raises when bytes are no report. Suppressed, not chained: each carries the text."""


def from_document(document: bytes) -> SessionReport:
    """Read :func:`to_document` back.

    Raises :class:`~safety.errors.NewerFormat` for a later schema and
    :class:`~safety.errors.Tampered` when the bytes are not a report.
    """
    schema = None
    with suppress(*_UNREADABLE):
        content = json.loads(document)
        schema = int(content["schema"])
        if schema <= SCHEMA:
            return report_from(content["report"])
    if schema is None or schema <= SCHEMA:
        raise Tampered("A stored report is not a report. Restore the backup.")
    raise NewerFormat(
        f"A report has layout {schema}; this Afterdose reads up to {SCHEMA}. Update Afterdose."
    )


def report_from(content: Mapping[str, Any]) -> SessionReport:
    """Build a report from the plain form of its fields (also used for drafts that are complete)."""
    return _build(SessionReport, content)


def identity_from(content: bytes) -> PatientIdentity:
    """Read a patient's identity back from its canonical form."""
    with suppress(*_UNREADABLE):
        return _build(PatientIdentity, json.loads(content)["identity"])
    raise Tampered("A stored identity is not an identity. Restore the backup.")


def _build(kind: type[T], content: Mapping[str, Any]) -> T:
    hints = _hints(kind)
    unknown = content.keys() - hints.keys()
    if unknown:
        raise Tampered("A stored report has fields that no version of Afterdose wrote.")
    given = {name: _typed(hints[name], value) for name, value in content.items()}
    return _as_signed(kind, given)


def _as_signed(kind: type[T], given: Mapping[str, Any]) -> T:
    """Make a value without its checks: what was signed stays readable when limits change later.

    The seal vouches for the bytes. A field that must be there and is not raises KeyError.
    """
    made = object.__new__(kind)
    for name, default in _defaults(kind).items():
        if name in given:
            value = given[name]
        elif default is dataclasses.MISSING:
            raise KeyError(name)
        else:
            value = default
        object.__setattr__(made, name, value)
    return made


_DEFAULTS: dict[type, dict[str, Any]] = {}


def _defaults(kind: type[Any]) -> dict[str, Any]:
    """Default of every field; the parts of a report are immutable, so one of each serves all."""
    if kind not in _DEFAULTS:
        _DEFAULTS[kind] = {
            field.name: field.default
            if field.default_factory is dataclasses.MISSING
            else field.default_factory()
            for field in dataclasses.fields(kind)
        }
    return _DEFAULTS[kind]


_HINTS: dict[type, dict[str, Any]] = {}


def _hints(kind: type) -> dict[str, Any]:
    hints = _HINTS.get(kind)
    if hints is None:
        hints = _HINTS[kind] = {n: _concrete(h) for n, h in get_type_hints(kind).items()}
    return hints


def _concrete(hint: Any) -> Any:
    if isinstance(hint, UnionType):
        return next(part for part in get_args(hint) if part is not type(None))
    return hint


def _typed(hint: Any, value: Any) -> Any:
    if hint == tuple[AdverseEvent, ...]:
        return tuple(_build(AdverseEvent, item) for item in value)
    if hint == frozenset[Criterion]:
        return frozenset(Criterion(item) for item in value)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return _build(hint, value)
    if hint in (datetime, date):
        return hint.fromisoformat(value)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(value)
    return value
