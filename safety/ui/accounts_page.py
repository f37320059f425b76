"""The accounts of the clinic. Every change asks for the password of who makes it."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from safety import accounts, signing_in
from safety.access import Role
from safety.accounts import Account
from safety.errors import AfterdoseError
from safety.keys.passwords import SHORTEST
from safety.ui import say
from safety.ui.session import Visit

_DONE = "account-done"
_ROUND = "account-round"
_WHAT = {
    Role.NURSE: "files and reads reports",
    Role.CHARGE: "the nurse in charge: as a nurse, and sees the drafts of all",
    Role.DIRECTOR: "reads everything, files, exports, manages accounts",
    Role.COMPLIANCE: "sees counts and makes packages, no patient",
    Role.ADMINISTRATOR: "manages accounts and keys, no patient and no counts",
}


def page(visit: Visit) -> None:
    """Draw the accounts and what can be done with them."""
    say.title("Accounts", "Who may sign in, and with which role.")
    if (done := st.session_state.pop(_DONE, None)) is not None:
        st.success(done, icon=":material/check:")
    known = accounts.list_accounts(visit.store, visit.actor)
    left, right = st.columns([3, 2], gap="large")
    with left:
        _list(known)
    with right:
        add, change = st.tabs(["Add an account", "Change an account"])
        with add:
            _add(visit)
        with change:
            _change(visit, known)


def _list(known: tuple[Account, ...]) -> None:
    rows = [
        {
            "User name": account.username,
            "Name": account.display_name,
            "Role": str(account.role),
            "State": "open" if account.active else "closed",
        }
        for account in known
    ]
    st.dataframe(rows, hide_index=True, width="stretch", alt="The accounts of the clinic")
    st.caption("  \n".join(f"{role.capitalize()}: {text}." for role, text in _WHAT.items()))


def _add(visit: Visit) -> None:
    # After each success the form gets new keys, so that it is empty and keeps no password.
    turn = f"add-{st.session_state.get(_ROUND, 0)}"
    with st.form(turn):
        username = st.text_input("User name", key=f"{turn}.username", autocomplete="off")
        shown = st.text_input("Name shown", key=f"{turn}.display", autocomplete="off")
        role = _role("Role", Role.NURSE, key=f"{turn}.role")
        password = st.text_input(
            "First password", type="password", key=f"{turn}.password", autocomplete="new-password"
        )
        st.caption(f"{SHORTEST} characters or more. The person changes it under My account.")
        own = _own_password(turn)
        asked = st.form_submit_button("Add account", type="primary")
    if asked:
        _confirmed(
            visit,
            own,
            lambda: accounts.add_account(
                visit.store,
                visit.actor,
                username=username,
                display_name=shown,
                role=role,
                password=password,
            ),
            "The account was added.",
        )


def _change(visit: Visit, known: tuple[Account, ...]) -> None:
    by_id = {account.id: account for account in known}
    picked = st.selectbox(
        "Account", list(by_id), format_func=lambda i: by_id[i].username, key="change.account"
    )
    account = by_id[picked]
    what = st.segmented_control(
        "Change",
        ["Role", "Password", "Close" if account.active else "Reopen"],
        key="change.what",
        required=True,
        default="Role",
    )
    with st.form(f"change-{what}", clear_on_submit=True):
        act = _act(visit, account, what or "Role")
        own = _own_password("change")
        asked = st.form_submit_button("Change", type="primary")
    if asked:
        _confirmed(visit, own, act, "The account was changed. Its open sessions have ended.")


def _act(visit: Visit, account: Account, what: str) -> Callable[[], Account]:
    store, actor = visit.store, visit.actor
    if what == "Close":
        st.caption("Nobody can sign in with a closed account. What it filed stays.")
        return lambda: accounts.close_account(store, actor, account.id)
    if what == "Reopen":
        st.caption("The account can sign in again, with the password it had.")
        return lambda: accounts.reopen_account(store, actor, account.id)
    if what == "Password":
        password = st.text_input("New password", type="password", autocomplete="new-password")
        return lambda: accounts.set_password(store, actor, account.id, password)
    role = _role("New role", account.role)
    return lambda: accounts.set_role(store, actor, account.id, role)


def _role(label: str, now: Role, key: str | None = None) -> Role:
    roles = list(Role)
    return st.selectbox(label, roles, roles.index(now), format_func=str.capitalize, key=key)


def _own_password(form: str) -> str:
    return st.text_input(
        "Your own password", type="password", key=f"{form}.own", autocomplete="current-password"
    )


def _confirmed(visit: Visit, own: str, act: Callable[[], Account], done: str) -> None:
    try:
        signing_in.confirm_password(visit.store, visit.actor, own)
        act()
    except AfterdoseError as error:
        say.failure(error)
    else:
        st.session_state[_DONE] = done
        st.session_state[_ROUND] = st.session_state.get(_ROUND, 0) + 1
        st.rerun()
