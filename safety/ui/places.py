"""What the navigation can show: each place with its icon and the action it needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Final

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from safety.access import Action, Actor, Role
from safety.ui import memory
from safety.ui.session import Visit

_DRAWN: Final[set[str]] = set()
_PAGES: Final = "pages"


@dataclass(frozen=True, slots=True)
class Place:
    """One page of the navigation. ``needs`` is None where everybody who is signed in may go.

    ``first_for`` names the roles that land here after signing in; places of one ``section`` open
    under one word of the navigation, so that it fits on one line.
    """

    path: str
    title: str
    icon: str
    purpose: str
    draw: Callable[[Visit], None]
    needs: Action | None = None
    first_for: frozenset[Role] = frozenset()
    listed: bool = True
    section: str = ""

    def open_to(self, actor: Actor) -> bool:
        """Whether the role of ``actor`` sees this page; the services ask again."""
        return self.needs is None or actor.may(self.needs)


def drawn_by(module: str) -> Callable[[Visit], None]:
    """The function ``page`` of ``module``, imported when the page is opened first.

    Together the pages bring half a second of libraries, which the sign-in page need not wait for.
    """

    def draw(visit: Visit) -> None:
        page: Callable[[Visit], None] = import_module(module).page
        try:
            page(visit)
        finally:
            if module not in _DRAWN:
                _DRAWN.add(module)
                memory.set_aside()

    return draw


def navigation(visit: Visit, places: Iterable[Place]) -> StreamlitPage:
    """Offer the places that the actor may see and return the one that is open."""
    offered = [place for place in places if place.open_to(visit.actor)]
    first = next((p for p in offered if visit.actor.role in p.first_for), offered[0])
    pages = {place.path: _page(place, visit, first=place is first) for place in offered}
    st.session_state[_PAGES] = pages
    sections: dict[str, list[StreamlitPage]] = {"": []}
    for place in offered:
        sections.setdefault(place.section, []).append(pages[place.path])
    return st.navigation(sections, position="top")


def go(path: str) -> None:
    """Open another place of the navigation."""
    st.switch_page(st.session_state[_PAGES][path])


def _page(place: Place, visit: Visit, *, first: bool) -> StreamlitPage:
    return st.Page(
        partial(place.draw, visit),
        title=place.title,
        icon=place.icon,
        url_path=place.path,
        default=first,
        visibility="visible" if place.listed else "hidden",
        help=place.purpose,
    )
