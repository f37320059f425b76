"""The router: which store, who is there, and which pages are theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from reports.ui.places import READING
from safety.errors import AfterdoseError
from safety.ui import entrance, first_run, frame, holding, incidents, places, session
from safety.ui.desk import CLINIC, SESSIONS

if TYPE_CHECKING:
    from safety.store.handle import Store

PLACES = (*READING, *SESSIONS, *CLINIC)


def main() -> None:
    """Draw one run of the app."""
    frame.prepare()
    with incidents.caught():
        if first_run.recovery_code_waits():
            first_run.recovery_page()
            return
        store = _store()
        if store is None:
            return
        frame.banners(store)
        visit = session.visit(store)
        if visit is None:
            entrance.sign_in_page(store)
            return
        page = places.navigation(visit, PLACES)
        frame.strip(visit)
        with incidents.caught():
            _badge(visit)
        with incidents.caught():
            page.run()
        session.watch(store)


def _badge(visit: session.Visit) -> None:
    """What waits for the director, on every page. Imported late: it brings the database along."""
    from safety.ui import notices_page

    notices_page.badge(visit)


def _store() -> Store | None:
    """The open store, or None after drawing the page that leads to one."""
    if session.in_demonstration():
        with st.spinner("Opening the demonstration clinic ..."):
            return session.store()
    config = holding.found_config()
    if config is None:
        first_run.page()
        return None
    try:
        store = holding.held(config)
    except AfterdoseError as failure:
        entrance.unlock_page(config, failure)
        return None
    if store is None:
        entrance.unlock_page(config)
    return store


main()
