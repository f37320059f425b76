"""What an amendment changed, and how late a report came, in words. Pure: nothing is drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum
from typing import Any, Final
from zoneinfo import ZoneInfo

from safety.changes import changes
from safety.model import AdverseEvent, SessionReport
from safety.ui import say, words
from safety.vocabulary import Vocabulary

LATE: Final = timedelta(hours=24)  # default of Afterdose
NOT_RECORDED: Final = "not recorded"

_LONG: Final = 60
_ASKED: Final = words.MISUSE | words.MISUSE_FINDINGS | words.CONCOMITANT | words.DISCHARGE
_OWN: Final = {
    "relatedness": "caused by the dose",
    "serious": "serious",
    "elicitation": "how it came to be known",
    "verbatim": "in the patient's words",
    "no_adverse_event": "Nothing happened",
    "session_ref": "Session reference",
    "reported_by": "Reported by",
    "reported_at": "Reported at",
    "patient.mrn": "MRN",
    "lot": "Lot",
}
_UNITS: Final = {
    "mg": "mg",
    "kg": "kg",
    "mmhg": "mmHg",
    "bpm": "per min",
    "percent": "%",
    "minutes": "min",
}
_CHOICES: Final[dict[str, str]] = {
    **words.SEX,
    **words.ROUTE,
    **words.SETTING,
    **words.OUTCOME,
    **words.RELATEDNESS,
    **words.ELICITATION,
    **words.CRITERION,
}


@dataclass(frozen=True, slots=True)
class Wording:
    """What the words depend on: the clinic's terms and protocols, and the clock of the site."""

    vocabulary: Vocabulary
    protocols: Mapping[str, str]
    zone: ZoneInfo


def lines(before: SessionReport, after: SessionReport, wording: Wording) -> Iterator[str]:
    """Every change in a line: ``Weight: 80 kg → 82 kg``. They hold what people typed."""
    found = changes(before, after)
    for change in found:
        old, new = change.before, change.after
        if isinstance(old, AdverseEvent):
            yield f"Removed: {_event(old, wording)}"
        elif isinstance(new, AdverseEvent):
            yield f"Added: {_event(new, wording)}"
        else:
            shown = (_value(change.field, old, wording), _value(change.field, new, wording))
            yield _line(label(change.field, wording.vocabulary), *shown)
    if not found:
        yield "Nothing in the report itself was changed."


def _line(name: str, old: str, new: str) -> str:
    if max(len(old), len(new)) <= _LONG and "\n" not in old + new:
        return f"{name}: {old} → {new}"
    return f"{name}, before: {old}\n{name}, now: {new}"


def _event(event: AdverseEvent, wording: Wording) -> str:
    reasons = _value("serious", event.serious, wording)
    serious = f", serious ({reasons})" if event.serious else ""
    return f"{wording.vocabulary.get(event.term).name}, grade {event.grade}{serious}"


def label(field: str, vocabulary: Vocabulary) -> str:
    """The name of a field where it stands before a colon, without an article."""
    group, _, rest = field.partition(".")
    last = field.rpartition(".")[2]
    if group == "events":
        term, _, part = rest.partition(".")
        return f"{vocabulary.get(term).name}, {_OWN.get(part) or _bare(part).lower()}"
    if group == "vitals" and rest.partition(".")[0] in words.READINGS:
        reading = words.READINGS[rest.partition(".")[0]]
        return f"{_bare(last)}, {reading[0].lower()}{reading[1:]}"
    return _OWN.get(field) or _ASKED.get(last) or _bare(field)


def _bare(field: str) -> str:
    named = words.label(field).removeprefix("The ")
    return named[:1].upper() + named[1:]


def _value(field: str, value: Any, wording: Wording) -> str:
    if value is None or value == frozenset():
        return NOT_RECORDED if value is None else "no"
    last = field.rpartition(".")[2]
    if field == "protocol":
        return wording.protocols.get(value, value)
    kind = next((kind for kind in _SHOWN if isinstance(value, kind)), None)
    if kind is not None:
        return _SHOWN[kind](value, wording)
    if isinstance(value, int | float):
        unit = _UNITS.get(last.rpartition("_")[2], "")
        return words.amount(value, unit).strip()
    return str(value)


_SHOWN: Final[dict[type, Callable[[Any, Wording], str]]] = {
    # In this order: a moment is a date, and yes is a number, to Python.
    datetime: lambda value, wording: say.moment(value, wording.zone),
    date: lambda value, _: say.day(value),
    bool: lambda value, _: "yes" if value else "no",
    Enum: lambda value, _: _choice(value),
    frozenset: lambda value, _: "; ".join(sorted(_choice(each) for each in value)),
}


def _choice(value: Enum) -> str:
    return _CHOICES.get(value.value, str(value)).lower()


def lateness(report: SessionReport, entered_at: datetime, zone: ZoneInfo) -> str:
    """When the session was, when it was reported, and the time between in words.

    ``entered_at`` is when this store took it: with an import, later than it was reported.
    """
    reported = report.reported_at or entered_at
    lag = reported - report.started_at
    late = "Late entry. " if lag > LATE else ""
    told = (
        f"{late}Session {say.moment(report.started_at, zone)}, entered "
        f"{say.moment(reported, zone)}: reported {duration(lag)} after the session"
    )
    if entered_at - reported > LATE:
        return f"{told}. Taken over into Afterdose {say.moment(entered_at, zone)}"
    return told


def duration(lag: timedelta) -> str:
    """A length of time as one says it, rounded down: ``3 days``, ``2 hours``, ``10 minutes``."""
    for unit, size in (("day", timedelta(days=1)), ("hour", timedelta(hours=1))):
        if lag >= size:
            return _counted(lag // size, unit)
    return _counted(max(0, lag // timedelta(minutes=1)), "minute")


def _counted(count: int, unit: str) -> str:
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"
