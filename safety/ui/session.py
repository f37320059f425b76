"""Who is at the screen: the token of a server-side session, asked about at every run.

The browser session keeps the token and what is being typed, nothing else. The server's session row
decides each time whether the token still stands; when it does not, everything here is forgotten.
What needs the database is imported where it is used: the first page shows before that is read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import streamlit as st

from safety.access import Actor
from safety.errors import SignedOut
from safety.ui import holding, incidents

if TYPE_CHECKING:
    from safety.demonstration import DemoAccount
    from safety.store.handle import Store

_TOKEN: Final = "token"  # noqa: S105 - the name of an entry
_DEMONSTRATION: Final = "demonstration"
_NOTICE: Final = "notice"
_WATCH_SECONDS: Final = 15


@dataclass(frozen=True, slots=True)
class Visit:
    """One run of a page: the store and who asks."""

    store: Store
    actor: Actor


def store() -> Store | None:
    """The store this browser session works in, or None when it has to be made or unlocked."""
    if st.session_state.get(_DEMONSTRATION):
        return holding.demonstration()[0]
    config = holding.found_config()
    return None if config is None else holding.held(config)


def demo_accounts() -> tuple[DemoAccount, ...]:
    """The accounts to show beside the sign-in form; empty outside the demonstration."""
    return holding.demonstration()[1] if st.session_state.get(_DEMONSTRATION) else ()


def choose_demonstration(*, chosen: bool) -> None:
    """Work in the demonstration clinic from now on, or no longer."""
    forget()
    st.session_state[_DEMONSTRATION] = chosen


def in_demonstration() -> bool:
    """Whether this browser session works in the demonstration clinic."""
    return bool(st.session_state.get(_DEMONSTRATION))


def sign_in(store: Store, username: str, password: str) -> None:
    """Sign in and keep the token. Raises SignInFailed."""
    from safety import signing_in

    # None on this machine itself, and for whoever comes through a proxy that does not tell.
    address = st.context.ip_address
    known = address if isinstance(address, str) else None
    signed = signing_in.sign_in(store, username, password, address=known)
    forget()
    st.session_state[_TOKEN] = signed.token


def visit(store: Store) -> Visit | None:
    """Who is signed in, asked of the server; None when nobody is. The run counts as activity."""
    token = st.session_state.get(_TOKEN)
    if token is None:
        return None
    from safety import signing_in

    try:
        return Visit(store, signing_in.session_actor(store, token))
    except SignedOut as ended:
        forget(str(ended))
        return None


def sign_out(store: Store) -> None:
    """End the session on the server and forget everything here."""
    from safety import signing_in

    token = st.session_state.get(_TOKEN)
    forget()
    if token is not None:
        signing_in.sign_out(store, token)


def forget(notice: str | None = None) -> None:
    """Clear the browser session; keep which clinic it is in and one sentence for the next page."""
    kept = in_demonstration()
    st.session_state.clear()
    st.session_state[_DEMONSTRATION] = kept
    if notice is not None:
        st.session_state[_NOTICE] = notice


def notice() -> str | None:
    """The sentence left by the last page, given once."""
    text: str | None = st.session_state.pop(_NOTICE, None)
    return text


@st.fragment(run_every=_WATCH_SECONDS)
def watch(store: Store) -> None:
    """Clear the screen once the session is over. Looking does not count as activity."""
    token = st.session_state.get(_TOKEN)
    if token is None:
        return
    from safety import signing_in

    with incidents.caught():
        try:
            signing_in.session_actor(store, token, activity=False)
        except SignedOut as ended:
            forget(f"{ended} Drafts are kept.")
            st.rerun()
