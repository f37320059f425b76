"""What the comparison page compares: chosen in one line, and kept in the address.

The address holds protocol ids, days and the unit, and nothing else. What it says is taken over only
where it names something that exists; anybody can write an address.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final

import streamlit as st

from reports.compare import UNITS, CompareQuery
from reports.rates import exposure, today
from safety.ui.session import Visit

_DAYS: Final = 365
_EARLIEST: Final = date(1970, 1, 1)
_KEY: Final = "comparison.{}"
_PLURAL: Final = {"session": "Sessions", "patient": "Patients"}
NAMES: Final = ("reference", "against", "from", "to", "unit")
"""What stands in the address."""


def choose(visit: Visit, protocols: Mapping[str, str]) -> CompareQuery:
    """Draw the choices; ``protocols`` are names by id, two at least. Raises UserError."""
    _begin(visit, list(protocols))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        against = _protocol("Protocol", "against", protocols)
        reference = _protocol("Compared with", "reference", protocols)
        first, last = _date("From", "from", visit), _date("To", "to", visit)
        unit: str = st.selectbox(
            "Count", UNITS, format_func=_PLURAL.__getitem__, key=_KEY.format("unit"), width=130
        )
    _keep((reference, against, first.isoformat(), last.isoformat(), unit))
    return CompareQuery(reference, against, first, last, unit)


def _date(words: str, name: str, visit: Visit) -> date:
    latest = today(visit.store)
    day: date = st.date_input(
        words, key=_KEY.format(name), min_value=_EARLIEST, max_value=latest, width=150
    )
    return day


def _protocol(words: str, name: str, protocols: Mapping[str, str]) -> str:
    return st.selectbox(
        words,
        list(protocols),
        format_func=protocols.__getitem__,
        key=_KEY.format(name),
        width=320,
    )


def _begin(visit: Visit, ids: Sequence[str]) -> None:
    """Begin the choices with what the address says, else with the last year's most used two."""
    state = st.session_state
    for name in ("reference", "against"):  # one that is no longer in use would break the list
        if state.get(_KEY.format(name)) not in ids:
            state.pop(_KEY.format(name), None)
    missing = [name for name in NAMES if _KEY.format(name) not in state]
    if not missing:
        return
    usual = _usual(visit, ids)
    for name in missing:
        state[_KEY.format(name)] = _said(name, ids, today(visit.store)) or usual[name]


def _usual(visit: Visit, ids: Sequence[str]) -> dict[str, Any]:
    last = today(visit.store)
    first = last - timedelta(days=_DAYS - 1)
    used = {row.protocol: row.sessions for row in exposure(visit.store, visit.actor, first, last)}
    most = sorted(ids, key=lambda protocol: -used.get(protocol, 0))
    return dict(zip(NAMES, (most[0], most[1], first, last, UNITS[0]), strict=True))


def _said(name: str, ids: Sequence[str], latest: date) -> str | date | None:
    """What the address says for ``name``, if that exists."""
    text = st.query_params.get(name)
    if name in {"from", "to"}:
        day = _day(text)
        return day if day is not None and _EARLIEST <= day <= latest else None
    return text if text in (UNITS if name == "unit" else ids) else None


def _day(text: str | None) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        return None


def _keep(values: tuple[str, ...]) -> None:
    said = dict(zip(NAMES, values, strict=True))
    if {name: st.query_params.get(name) for name in NAMES} != said:
        st.query_params.update(said)
