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
from enum import Enum
from operator import attrgetter
from types import UnionType
from typing import Any, Final, TypeVar, get_args, get_type_hints

import orjson

from safety.errors import InvalidReport, NewerFormat, Tampered
from safety.model import AdverseEvent, Criterion, PatientIdentity, SessionReport

SCHEMA: Final = 1
T = TypeVar("T")


def to_document(report: SessionReport) -> bytes:
    """Canonical bytes of ``report``."""
    content = {"report": plain(report), "schema": SCHEMA}  # sorted already
    return orjson.dumps(content)


def document_of(given: Mapping[str, Any]) -> bytes:
    """The same bytes from the fields that say something, its parts as mappings of theirs.

    Values are plain, or what :func:`part_of` made.
    """
    return orjson.dumps({"report": given, "schema": SCHEMA}, option=orjson.OPT_SORT_KEYS)


def part_of(given: Mapping[str, Any]) -> orjson.Fragment:
    """A part of what :func:`document_of` takes, written once for the many reports that hold it."""
    return orjson.Fragment(orjson.dumps(given, option=orjson.OPT_SORT_KEYS))


def content_digest(document: bytes) -> bytes:
    """SHA-256 of what a document says was reported, without what the store or an amendment adds.

    Two imports of one row have equal digests, whichever versions of protocol, scale and report they
    came to be. The additions are cut out of the document, which costs a tenth of writing it again
    without them. Inside a text a quotation mark is escaped, so only fields can match.
    """
    if document.startswith(_AMENDED):
        document = _REASON.sub(_BEGINNING, document)
    return hashlib.sha256(_SCALE.sub(b"", _PROTOCOL_VERSION.sub(b"", document))).digest()


_TEXT: Final = rb'"(?:[^"\\]|\\.)*"'
# Each begins with all it can of what it looks for, which lets the search leap from place to place.
_PROTOCOL_VERSION: Final = re.compile(rb',"protocol_version":\d+')
_SCALE: Final = re.compile(rb',"scale(?:_version)?":' + _TEXT)
_BEGINNING: Final = b'{"report":{'
_AMENDED: Final = _BEGINNING + b'"amendment_reason":'
_REASON: Final = re.compile(rb"\A" + re.escape(_AMENDED) + _TEXT + b",")


def canonical(content: Mapping[str, Any]) -> bytes:
    """Canonical JSON of plain values. Half a character becomes its JSON escape."""
    try:
        return orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:  # a draft may hold it; an error would carry the text along
        return _ENCODER.encode(content).encode(errors="backslashreplace")


_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def plain(value: Any) -> dict[str, Any]:
    """The fields of a value of the model that say something, sorted, as JSON can hold them.

    Absent fields and empty parts are left out: most of a report is usually not recorded.
    """
    kind = type(value)
    names, get, simplifiers = _SHAPES.get(kind) or _shape(kind)
    pairs = zip(names, get(value))  # noqa: B905 - strict costs, both come from one class
    found = {name: item for name, item in pairs if item is not None}
    for name, simplify in simplifiers:
        item = found.get(name)
        if item is not None:
            found[name] = simple = simplify(item)
            if not simple:  # an empty part says nothing
                del found[name]
    return found


_Shape = tuple[tuple[str, ...], Callable[[Any], Any], tuple[tuple[str, Callable[[Any], Any]], ...]]
_SHAPES: Final[dict[type, _Shape]] = {}


def _shape(kind: type) -> _Shape:
    """Sorted names, what gets their values at once, and what makes the values of some simple."""
    hints = _hints(kind)
    names = tuple(sorted(hints))
    simplifiers = ((name, _simplifier(hints[name])) for name in names)
    special = tuple((name, simplify) for name, simplify in simplifiers if simplify is not None)
    _SHAPES[kind] = (names, attrgetter(*names), special)
    return _SHAPES[kind]


def _simplifier(hint: Any) -> Callable[[Any], Any] | None:
    """What makes a value of this type simple; None when JSON holds it as it is, words included."""
    if hint is datetime or hint is date:
        return hint.isoformat
    if hint == tuple[AdverseEvent, ...]:
        return lambda events: [plain(event) for event in events]
    if hint == frozenset[Criterion]:
        return sorted
    return plain if dataclasses.is_dataclass(hint) else None


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
