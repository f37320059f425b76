"""The page where there is no store yet: make the clinic, or look at the demonstration."""

from __future__ import annotations

from pathlib import Path
from typing import Final
from zoneinfo import available_timezones

import streamlit as st

from safety.errors import AfterdoseError
from safety.keys.passwords import SHORTEST
from safety.keys.sources import SHORTEST_PASSPHRASE
from safety.ui import frame, say, session
from safety.ui.founding import Founding, found_clinic, suggested_key_file

_CODE: Final = "recovery-code"
_FILE, _WORDS = "Key file", "Passphrase"


def recovery_code_waits() -> bool:
    """Whether a clinic was just made here and its recovery code is still on the screen."""
    return bool(st.session_state.get(_CODE))


def page() -> None:
    """Draw the first-run page."""
    frame.narrow()
    say.title(
        "Welcome to Afterdose",
        "There is no clinic on this machine yet. The medical director creates it once. To look "
        "around, open the demonstration.",
    )
    make, look = st.tabs(["Create the clinic", "Open the demonstration"])
    with make:
        _create()
    with look:
        st.markdown(
            "A made-up clinic with two years of sessions, in a store of its own. It shows every "
            "page for every role. Nothing in it is real, and nothing real belongs in it."
        )
        st.button(
            "Open the demonstration",
            icon=":material/theater_comedy:",
            on_click=session.choose_demonstration,
            kwargs={"chosen": True},
        )


def _create() -> None:
    say.section("The clinic")
    clinic = st.text_input("Name of the clinic", key="first.clinic", max_chars=200)
    left, right = st.columns(2)
    site = left.text_input("First site", key="first.site", placeholder="Main Street")
    zone = right.selectbox("Time zone", _zones(), index=_own_zone(), key="first.zone")
    say.section("The medical director")
    left, right = st.columns(2)
    username = left.text_input("User name", key="first.username", autocomplete="username")
    shown = right.text_input("Name shown", key="first.display", placeholder="Dr A. Weber")
    password, repeated = _password()
    say.section("The key")
    key_file, passphrase = _key()
    if st.button("Create the clinic", type="primary", icon=":material/add_home_work:"):
        wanted = Founding(clinic, site, zone, username, shown, password, key_file, passphrase)
        _found(wanted, repeated)


def _zones() -> list[str]:
    return sorted(zone for zone in available_timezones() if "/" in zone or zone == "UTC")


def _own_zone() -> int:
    zones = _zones()
    own = st.context.timezone or "UTC"
    return zones.index(own) if own in zones else zones.index("UTC")


def _password() -> tuple[str, str]:
    left, right = st.columns(2)
    given = left.text_input(
        "Password", type="password", key="first.password", autocomplete="new-password"
    )
    repeated = right.text_input(
        "Password again", type="password", key="first.repeated", autocomplete="new-password"
    )
    st.caption(
        f"{SHORTEST} characters or more. A few unrelated words are easy to remember; spaces are "
        "welcome. No digits or signs are asked for."
    )
    return given, repeated


def _key() -> tuple[Path | None, str | None]:
    st.caption(
        "Everything is kept encrypted. The key opens it: keep it apart from the data and from the "
        "backup of the data."
    )
    way = st.radio(
        "How the store opens",
        [_FILE, _WORDS],
        key="first.way",
        captions=[
            "The program opens the store by itself. A new file is made if there is none.",
            "Somebody types it after each start of the program.",
        ],
    )
    if way == _FILE:
        path = st.text_input("Key file", value=str(suggested_key_file()), key="first.key-file")
        return Path(path).expanduser(), None
    words = st.text_input("Passphrase", type="password", key="first.passphrase", autocomplete="off")
    st.caption(f"{SHORTEST_PASSPHRASE} characters or more, another one than the password.")
    return None, words


def _found(wanted: Founding, repeated: str) -> None:
    if problems := wanted.problems(repeated):
        say.problems(problems)
        return
    # A second click ends this run at its next word with Streamlit, and the code exists only once:
    # it goes straight into a list that the session holds already.
    shown: list[str] = []
    st.session_state[_CODE] = shown
    try:
        with st.spinner("Making the clinic ..."):
            shown.append(found_clinic(wanted))
    except AfterdoseError as error:
        say.failure(error)
        return
    st.rerun()


def recovery_page() -> None:
    """Show the recovery code once, and go on when it was written down."""
    frame.narrow()
    _forget_what_was_typed()
    say.title("The recovery code", "Write it on paper now. It is shown this once.")
    st.code(_in_lines(st.session_state[_CODE][0]), language=None)
    st.markdown(
        "With it the store opens when the key file or the passphrase is lost. Without either of "
        "them nobody can open it, ever. Keep the paper in a safe, apart from the machine."
    )
    written = st.checkbox("I wrote it down")
    if st.button("Go on to sign in", type="primary", disabled=not written):
        st.session_state.clear()
        st.rerun()


def _forget_what_was_typed() -> None:
    for key in [key for key in st.session_state if key != _CODE]:
        del st.session_state[key]


def _in_lines(code: str) -> str:
    groups = code.split("-")
    return "\n".join("-".join(groups[at : at + 5]) for at in range(0, len(groups), 5))
