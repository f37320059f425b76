"""Filters of the pages of groups and of blood pressure, kept in the address.

The address holds ids of protocols and terms, a period and what is compared: never a name, an MRN or
a word that somebody typed. What it says and does not exist is taken for the first choice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import streamlit as st

from reports.periods import Quarter
from reports.rates import today
from reports.ui import quarters
from safety import protocols
from safety.limits import EARLIEST_YEAR
from safety.ui.session import Visit
from safety.vocabulary import vocabulary

ANY: Final = "any"
ALL: Final = "all"
_YEAR: Final = "12-months"
_EVERYTHING: Final = "everything"
_BEGINNING: Final = date(EARLIEST_YEAR, 1, 1)
_A_YEAR: Final = timedelta(days=364)  # both end days count


@dataclass(frozen=True, slots=True)
class Period:
    """Days, both ends included, and how a sentence names them."""

    first: date
    last: date
    words: str


def chosen(page: str, name: str, label: str, options: Mapping[str, str], width: int) -> str:
    """One choice of ``options`` (words by id): the id, also in the address as ``name``."""
    key, ids = f"{page}-{name}", list(options)
    if key not in st.session_state and (given := st.query_params.get(name)) in options:
        st.session_state[key] = given
    if st.session_state.get(key, ids[0]) not in options:
        del st.session_state[key]
    value: str = st.selectbox(label, ids, format_func=options.__getitem__, key=key, width=width)
    _keep(name, None if value == ids[0] else value)
    return value


def _keep(name: str, value: str | None) -> None:
    if st.query_params.get(name) == value:
        return
    if value is None:
        del st.query_params[name]
    else:
        st.query_params[name] = value


def period(visit: Visit, page: str) -> Period:
    """The last twelve months, everything, or a quarter."""
    now = today(visit.store)
    known = {quarter.label: quarter for quarter in quarters.offered(now)}
    words = {_YEAR: "Last 12 months", _EVERYTHING: "Everything so far"}
    words |= {label: quarters.in_words(quarter, now) for label, quarter in known.items()}
    value = chosen(page, "period", "Period", words, 300)
    if value in known:
        quarter: Quarter = known[value]
        return Period(quarter.first, quarter.last, f"in {quarter.label}")
    if value == _EVERYTHING:
        return Period(_BEGINNING, now, "so far")
    return Period(now - _A_YEAR, now, "in the last 12 months")


def protocol(visit: Visit, page: str) -> tuple[str, ...] | None:
    """The protocol asked for by its id; None for all of them."""
    known = names(visit)
    value = chosen(page, "protocol", "Protocol", {ALL: "All protocols"} | known, 320)
    return None if value == ALL else (value,)


def names(visit: Visit) -> dict[str, str]:
    """Names of the protocols in use by id, in the clinic's fixed order."""
    return {each.id: each.name for each in protocols.list_protocols(visit.store, visit.actor)}


def effect(page: str) -> str | None:
    """The id of a term or group; None for any adverse event."""
    words = vocabulary()
    options = {ANY: "Any adverse event"}
    options |= {group.id: group.name for group in words.groups}
    options |= {term.id: term.name for term in words.terms if term.id not in options}
    value = chosen(page, "term", "Effect", options, 240)
    return None if value == ANY else value
