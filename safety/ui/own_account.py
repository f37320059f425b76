"""One's own account: who one is here, and a new password."""

from __future__ import annotations

import streamlit as st

from safety import signing_in
from safety.errors import AfterdoseError
from safety.keys.passwords import SHORTEST
from safety.ui import frame, say, session
from safety.ui.session import Visit


def page(visit: Visit) -> None:
    """Draw the page."""
    frame.narrow()
    say.title("My account", "Your name, your role and your password.")
    st.text(f"{visit.actor.name}, {visit.actor.role}")
    say.section("New password")
    st.caption(
        f"{SHORTEST} characters or more; a few unrelated words are easy to remember. All your "
        "sessions end, this one too."
    )
    with st.form("own-password", clear_on_submit=True):
        old = st.text_input("Password now", type="password", autocomplete="current-password")
        new = st.text_input("New password", type="password", autocomplete="new-password")
        again = st.text_input("New password again", type="password", autocomplete="new-password")
        asked = st.form_submit_button("Change password", type="primary")
    if asked:
        _change(visit, old, new, again)


def _change(visit: Visit, old: str, new: str, again: str) -> None:
    if new != again:
        say.look("The two new passwords differ. Type both again.")
        return
    try:
        signing_in.change_own_password(visit.store, visit.actor, old, new)
    except AfterdoseError as error:
        say.failure(error)
    else:
        session.forget("Your password was changed. Sign in with the new one.")
        st.rerun()
