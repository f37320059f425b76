"""What the last session of a patient gives to a new form, and how the new one differs from it.

What is taken over is also kept beside the fields, as ``last.`` and the name, so that a form that is
opened again tomorrow still says what is other than last time. Pure: nothing is drawn or asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final
from zoneinfo import ZoneInfo

from safety.model import SessionReport
from safety.ui import say, words
from safety.ui.report import summary
from safety.vocabulary import Vocabulary

_TAKEN: Final = ("site", "protocol", "dose_mg", "weight_kg", "route", "lot", "setting")
# The dose belongs to the protocol: under another one it says nothing.
_OF_PROTOCOL: Final = ("dose_mg", "route", "lot")
_SHOWN: Final = {
    "protocol": "protocol",
    "dose_mg": "dose",
    "weight_kg": "weight",
    "route": "route",
    "lot": "lot",
}
_UNIT: Final = {"dose_mg": "mg", "weight_kg": "kg"}
_MOST_EVENTS: Final = 3


def taken(report: SessionReport, protocol: str | None = None) -> dict[str, Any]:
    """The fields that a new form begins with after ``report``; under ``protocol`` when planned."""
    found = {name: getattr(report, name) for name in _TAKEN}
    if protocol is not None and protocol != report.protocol:
        found |= dict.fromkeys(_OF_PROTOCOL) | {"protocol": protocol}
    return {name: _plain(value) for name, value in found.items() if value is not None}


def remembered(
    report: SessionReport, number: int, zone: ZoneInfo, vocabulary: Vocabulary
) -> dict[str, Any]:
    """What the form keeps of the last session. ``number`` counts sessions of its protocol."""
    found = {f"last.{name}": _plain(getattr(report, name)) for name in _SHOWN}
    found["last.day"] = report.started_at.astimezone(zone).date().isoformat()
    found["last.number"] = number
    found["last.told"] = "; ".join(_told(report, vocabulary))
    return {name: value for name, value in found.items() if value not in (None, "")}


def _told(report: SessionReport, vocabulary: Vocabulary) -> Iterator[str]:
    worst = sorted(report.events, key=lambda event: -event.grade)
    named = [f"{vocabulary.get(e.term).name.lower()} {e.grade}" for e in worst[:_MOST_EVENTS]]
    if len(worst) > _MOST_EVENTS:
        named.append(f"{len(worst) - _MOST_EVENTS} more")
    if named:
        yield ", ".join(named)
    elif report.no_adverse_event:
        yield "nothing happened"
    taken = dict(report.vitals.readings())
    for name in ("peak", "at_40_min"):
        if name in taken:
            yield f"BP {summary.reading(taken[name])} {words.READINGS[name].lower()}"
            return


def line(fields: Mapping[str, Any]) -> str | None:
    """``Session 5 of this protocol. Last on 3 May 2026: 40 mg; nausea 1; BP 148/92 highest``."""
    if "last.day" not in fields:
        return None
    said = [
        words.amount(fields["last.dose_mg"], "mg") if fields.get("last.dose_mg") else "",
        fields.get("last.told", ""),
    ]
    last = f"Last on {say.day(date.fromisoformat(fields['last.day']))}"
    told = "; ".join(part for part in said if part)
    same = fields.get("protocol") == fields.get("last.protocol")
    number = f"Session {fields['last.number'] + 1} of this protocol. " if same else ""
    return f"{number}{last}: {told}." if told else f"{number}{last}."


def differences(fields: Mapping[str, Any], protocols: Mapping[str, str]) -> list[str]:
    """What is other than last time, each as ``dose 45 mg, last time 40 mg``."""
    if "last.day" not in fields:
        return []
    found = []
    for name, label in _SHOWN.items():
        now, before = fields.get(name), fields.get(f"last.{name}")
        if now is not None and before is not None and now != before:
            shown = (_shown(name, value, protocols) for value in (now, before))
            found.append(f"{label} {', last time '.join(shown)}")
    return found


def carried(fields: Mapping[str, Any], protocols: Mapping[str, str]) -> list[str]:
    """What stands as it was last time, each as ``dose 40 mg``: nobody typed it for this session."""
    return [
        f"{label} {_shown(name, fields[name], protocols)}"
        for name, label in _SHOWN.items()
        if name != "protocol"
        and fields.get(name) is not None
        and fields.get(name) == fields.get(f"last.{name}")
    ]


def _shown(name: str, value: Any, protocols: Mapping[str, str]) -> str:
    if name in _UNIT:
        return words.amount(value, _UNIT[name])
    if name == "route":
        return words.ROUTE.get(value, str(value)).lower()
    return protocols.get(value, str(value)) if name == "protocol" else str(value)


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, str) else value
