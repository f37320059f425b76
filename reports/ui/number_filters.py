"""The choices of the page by session number: one line, kept in the address.

The address holds a protocol's id, a term's id, days and a grade, and nothing else. What it says is
taken over only where it names something that exists.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import date, timedelta
from typing import Any, Final

import streamlit as st

from reports.asking import RateQuery
from reports.habituation import BY
from reports.rates import exposure, today
from reports.rows import ANY_EVENT
from safety import protocols
from safety.ui.session import Visit
from safety.vocabulary import vocabulary

_DAYS: Final = 730
"""How far back the page looks at first (default): later sessions need time to happen."""
_KEY: Final = "numbers.{}"
_EARLIEST: Final = date(1990, 1, 1)
_LATEST: Final = date(2200, 1, 1)


def choose(visit: Visit) -> RateQuery:
    """Draw the choices. Raises UserError for a period that ends before it begins."""
    now = today(visit.store)
    listed = {each.id: each.name for each in protocols.list_protocols(visit.store, visit.actor)}
    _begin(visit, listed, now)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        protocol = _one_of("Protocol", "protocol", listed, 340)
        term = _one_of("Effect", "term", terms(), 300)
        grade = _one_of("Grades", "grade", _GRADES, 150)
        first = st.date_input(
            "From", key=_KEY.format("from"), width=150, min_value=_EARLIEST, max_value=_LATEST
        )
        last = st.date_input(
            "To", key=_KEY.format("to"), width=150, min_value=_EARLIEST, max_value=_LATEST
        )
    chosen = (protocol, term, grade, first.isoformat(), last.isoformat())
    _keep(dict(zip(_NAMES, chosen, strict=True)))
    return RateQuery(first, last, by=BY, term=term, min_grade=int(grade), protocols=(protocol,))


_NAMES: Final = ("protocol", "term", "grade", "from", "to")
_GRADES: Final = {str(g): "All" if g == 1 else f"{g} and above" for g in range(1, 6)}


def terms() -> dict[str, str]:
    """Any event, the groups and the terms, by id."""
    words = vocabulary()
    return {
        ANY_EVENT: ANY_EVENT.capitalize(),
        **{group.id: f"{group.name} (group)" for group in words.groups},
        **{term.id: term.name for term in sorted(words.terms, key=lambda t: t.name.casefold())},
    }


def _one_of(words: str, name: str, choices: Mapping[str, str], width: int) -> str:
    chosen: str = st.selectbox(
        words,
        list(choices),
        format_func=choices.__getitem__,
        key=_KEY.format(name),
        width=width,
    )
    return chosen


def _begin(visit: Visit, listed: Mapping[str, str], now: date) -> None:
    """Begin with what the address says, else with the protocol most used, any event, two years."""
    if all(_KEY.format(name) in st.session_state for name in _NAMES):
        return
    first = now - timedelta(days=_DAYS)
    usual: dict[str, Any] = {
        "protocol": _busiest(visit, listed, first, now),
        "term": ANY_EVENT,
        "grade": "1",
        "from": first,
        "to": now,
    }
    known: dict[str, Mapping[str, str]] = {"protocol": listed, "term": terms(), "grade": _GRADES}
    for name, default in usual.items():
        said = st.query_params.get(name)
        if name in known:
            value = said if said in known[name] else default
        else:
            value = _day(said) or default
        st.session_state[_KEY.format(name)] = value


def _busiest(visit: Visit, listed: Mapping[str, str], first: date, now: date) -> str:
    used = {row.protocol: row.sessions for row in exposure(visit.store, visit.actor, first, now)}
    return max(listed, key=lambda protocol: used.get(protocol, 0))


def _day(text: str | None) -> date | None:
    with suppress(ValueError):
        return date.fromisoformat(text or "")
    return None


def _keep(said: Mapping[str, str]) -> None:
    if {name: st.query_params.get(name) for name in said} != dict(said):
        st.query_params.update(said)
