"""The pages in front of the door: signing in, and unlocking a store that asks for a passphrase."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from safety.config import Config
from safety.errors import AfterdoseError
from safety.ui import frame, holding, say, session

if TYPE_CHECKING:
    from safety.store.handle import Store


def sign_in_page(store: Store) -> None:
    """Ask for user name and password."""
    frame.narrow()
    say.title("Sign in", "Afterdose keeps the safety record of this clinic.")
    with st.container(key="subject"):
        st.text(store.clinic.name)
    if (notice := session.notice()) is not None:
        st.info(say.plain(notice), icon=":material/info:")
    _sign_in_form(store)
    _demonstration_accounts()


def _sign_in_form(store: Store) -> None:
    with st.form("sign-in"):
        username = st.text_input("User name", autocomplete="username", key="sign-in.username")
        password = st.text_input(
            "Password",
            type="password",
            autocomplete="current-password",
            key="sign-in.password",
        )
        asked = st.form_submit_button("Sign in", type="primary", icon=":material/login:")
    if not asked:
        return
    try:
        session.sign_in(store, username, password)
    except AfterdoseError as error:
        say.failure(error)
    else:
        st.rerun()


def _demonstration_accounts() -> None:
    accounts = session.demo_accounts()
    if not accounts:
        return
    say.section("Accounts of the demonstration")
    st.caption("Anybody may use these. They open nothing but the made-up clinic.")
    st.table(
        [{"Role": str(a.role), "User name": a.username, "Password": a.password} for a in accounts],
        hide_index=True,
    )
    st.button(
        "Leave the demonstration",
        icon=":material/arrow_back:",
        on_click=session.choose_demonstration,
        kwargs={"chosen": False},
    )


def unlock_page(config: Config, failure: AfterdoseError | None = None) -> None:
    """Ask for the passphrase, or the recovery code when the daily key is lost."""
    from safety.keys.sources import Passphrase, RecoveryCode

    frame.narrow()
    if failure is None:
        say.title("Unlock", "The store of this clinic is locked since the program was started.")
    else:
        say.title("The store does not open", "Mend what is said below, then reload this page.")
        say.failure(failure)
    with st.form("unlock", clear_on_submit=True):
        way = st.radio("Unlock with", ["Passphrase", "Recovery code"], horizontal=True)
        secret = st.text_input("Passphrase or recovery code", type="password", key="unlock.secret")
        asked = st.form_submit_button("Unlock", type="primary", icon=":material/lock_open:")
    st.caption("What you type is used once and kept nowhere.")
    if not asked:
        return
    try:
        with st.spinner("Deriving the key ..."):
            source = Passphrase(secret) if way == "Passphrase" else RecoveryCode.parse(secret)
            holding.unlock(config, source)
    except AfterdoseError as error:
        say.failure(error)
    else:
        st.session_state.clear()
        st.rerun()
