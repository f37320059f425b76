"""What stands around every page: title, style, banners, who is signed in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import streamlit as st

from safety.ui import incidents, say, session

if TYPE_CHECKING:
    from safety.store.handle import Store

_STYLE: Final = Path(__file__).with_name("style.css")
# A file of ours: for a Material icon the browser would fetch its picture from another machine.
_ICON: Final = Path(__file__).with_name("icon.svg")


def prepare() -> None:
    """Set the browser's title and the style; to be called first."""
    incidents.quieten()
    st.set_page_config(page_title="Afterdose", page_icon=_ICON, layout="wide")
    st.html(_STYLE)


def banners(store: Store) -> None:
    """Say what has to be known on every page."""
    if store.distrust is not None:
        st.error(
            f"{say.plain(str(store.distrust))} Rates can be read. Reports cannot be opened or "
            "filed until somebody has looked at the store.",
            icon=":material/gpp_bad:",
        )
    if store.clinic.demonstration:
        st.info(
            "**Demonstration clinic.** Everything here is made up. Never enter a real patient.",
            icon=":material/theater_comedy:",
        )


def strip(visit: session.Visit) -> None:
    """The line with the clinic, who is signed in, and the way out."""
    row = st.container(
        key="strip", horizontal=True, horizontal_alignment="right", vertical_alignment="center"
    )
    with row:
        st.text(f"{visit.store.clinic.name} · {visit.actor.name}, {visit.actor.role}")
        st.button(
            "Sign out",
            icon=":material/logout:",
            type="tertiary",
            key="sign-out",
            on_click=session.sign_out,
            args=(visit.store,),
        )


def narrow() -> None:
    """Draw what follows in a readable column instead of over the whole width."""
    st.set_page_config(layout="centered")
