"""How long the patient has to be watched, as sentences. The minutes are those of the protocol."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from safety.ui.report.pressure import Remark
from safety.vocabulary import Protocol
from safety.vocabulary.protocol import Drug

_HALF_A_DAY: Final = 12 * 60
LABEL_MINUTES: Final = 120
"""At least two hours after esketamine: US prescribing information, section 2 (monitoring)."""


def remarks(fields: Mapping[str, Any], protocol: Protocol | None) -> Iterator[Remark]:
    """When the patient may leave at the earliest, and whether that was kept."""
    began = fields.get("start_time")
    if protocol is None or began is None or _over_days(fields, protocol):
        return
    earliest = _of_day(began) + protocol.monitoring_minutes
    clock = f"{earliest // 60 % 24:02}:{earliest % 60:02}"
    yield Remark(f"Not before {clock}: {_why(protocol)}.", look=False)
    left = fields.get("left_time")
    minutes = None if left is None else _of_day(left) - _of_day(began)
    if minutes is not None and 0 <= minutes < protocol.monitoring_minutes:
        yield Remark(f"Left {minutes} min after the dose began, before the time of the protocol.")


def _over_days(fields: Mapping[str, Any], protocol: Protocol) -> bool:
    other_day = fields.get("left_date") or fields.get("end_date")
    return bool(other_day) or (protocol.infusion_minutes or 0) >= _HALF_A_DAY


def _of_day(clock: str) -> int:
    """Minutes since midnight of ``HH:MM``."""
    hours, minutes = clock.split(":")[:2]
    return 60 * int(hours) + int(minutes)


def _why(protocol: Protocol) -> str:
    minutes = protocol.monitoring_minutes
    if protocol.drug is Drug.ESKETAMINE and minutes >= LABEL_MINUTES:
        return f"{minutes} min after the dose began; the label asks for two hours"
    return f"the protocol watches for {minutes} min"
