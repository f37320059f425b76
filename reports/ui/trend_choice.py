"""What the trend page shows, chosen by widgets and kept in the address.

The address holds ids of terms and protocols, dates and kinds: nothing about a patient, and nothing
that somebody typed. What stands there and is not known is passed by.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import date, timedelta
from typing import Any, Final

import streamlit as st

from reports.rates import exposure, today
from reports.rows import ANY_EVENT
from reports.trend_periods import monday
from reports.trends import TrendQuery
from safety import protocols
from safety.ui.session import Visit
from safety.vocabulary import vocabulary

CHARTS: Final[Mapping[str, str]] = {
    "p": "Share of sessions (p)",
    "p-exact": "Share, exact limits (p)",
    "laney": "Share, sessions alike (Laney p')",
    "u": "Events a session (u)",
    "u-exact": "Events a session, exact limits (u)",
    "ewma": "Small lasting shift (EWMA)",
    "cusum": "Watch for twice the rate (CUSUM)",
    "g": "Rare: sessions between (g)",
    "t": "Rare: days between (t)",
}
RULES: Final[Mapping[str, str]] = {
    "sparing": "Limits, eight in a row",
    "limits": "Limits alone",
    "sparing-nelson": "Limits, nine in a row",
    "western-electric": "Western Electric",
    "nelson": "Nelson, all eight",
}
EVERY: Final[Mapping[str, str]] = {"week": "Weeks", "month": "Months"}
_WEEKS: Final = 52
_EARLIEST: Final = date(1990, 1, 1)
_LATEST: Final = date(2200, 1, 1)


def pick(visit: Visit) -> TrendQuery | None:
    """Draw the filters and give what they ask for; None while there is no protocol.

    Raises UserError for dates that cannot be.
    """
    names = {each.id: each.name for each in protocols.list_protocols(visit.store, visit.actor)}
    if not names:
        return None
    terms = _terms()
    now = today(visit.store)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        term = _one("Effect", "term", terms, ANY_EVENT, 280)
        protocol = _one("Protocol", "protocol", names, lambda: _busiest(visit, names, now), 320)
        first = _day("From", "from", monday(now) - timedelta(weeks=_WEEKS - 1))
        last = _day("To", "to", now)
        every = _one("Points", "every", EVERY, "week", 130)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chart = _one("Chart", "chart", CHARTS, "p-exact", 280)
        rules = _one("Rules", "rules", RULES, "sparing", 230)
        grade = _one("Grades", "grade", _GRADES, "1", 150)
        emergent = _switch("Treatment-emergent only", "emergent")
    return TrendQuery(
        term,
        protocol,
        first,
        last,
        every=every,
        chart=chart,
        rules=rules,
        min_grade=int(grade),
        treatment_emergent=emergent,
    )


_GRADES: Final[Mapping[str, str]] = {
    str(grade): "All" if grade == 1 else f"{grade} and above" for grade in range(1, 6)
}


def _terms() -> dict[str, str]:
    words = vocabulary()
    listed = sorted(words.terms, key=lambda term: term.name.casefold())
    return {
        ANY_EVENT: ANY_EVENT.capitalize(),
        **{group.id: f"{group.name} (group)" for group in words.groups},
        **{term.id: term.name for term in listed},
    }


def _busiest(visit: Visit, names: Mapping[str, str], now: date) -> str:
    """The protocol with most sessions in the last year, else the first one."""
    done = exposure(visit.store, visit.actor, now - timedelta(days=365), now)
    known = [row for row in done if row.protocol in names]
    busiest = max(known, key=lambda row: row.sessions, default=None)
    return next(iter(names)) if busiest is None else busiest.protocol


def _one(
    label: str, name: str, choices: Mapping[str, str], usual: str | Callable[[], str], width: int
) -> str:
    def begin() -> str:
        given = st.query_params.get(name)
        if given is not None and given in choices:
            return given
        return usual if isinstance(usual, str) else usual()

    _begun(name, begin, list(choices))
    chosen: str = st.selectbox(
        label, list(choices), format_func=choices.__getitem__, key=_key(name), width=width
    )
    return _kept(name, chosen)


def _day(label: str, name: str, usual: date) -> date:
    def begin() -> date:
        with suppress(ValueError):
            given = date.fromisoformat(st.query_params.get(name, ""))
            return min(max(given, _EARLIEST), _LATEST)
        return usual

    _begun(name, begin)
    chosen = st.date_input(label, key=_key(name), width=150, min_value=_EARLIEST, max_value=_LATEST)
    day = chosen if isinstance(chosen, date) else usual
    _kept(name, day.isoformat())
    return day


def _switch(label: str, name: str) -> bool:
    _begun(name, lambda: st.query_params.get(name) == "1")
    chosen = st.toggle(
        label,
        key=_key(name),
        help="Only what began or got worse with the dose; not what was there before.",
    )
    _kept(name, str(int(chosen)))
    return chosen


def _key(name: str) -> str:
    return f"trend.{name}"


def _begun(name: str, begin: Callable[[], Any], choices: Sequence[str] | None = None) -> None:
    """Let the widget begin with what the address says, or with the usual."""
    known = st.session_state.get(_key(name))
    if known is None or (choices is not None and known not in choices):
        st.session_state[_key(name)] = begin()


def _kept(name: str, value: str) -> str:
    if st.query_params.get(name) != value:
        st.query_params[name] = value
    return value
