"""The compliance officer's page: the package of a quarter."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Final

import streamlit as st

from reports.disclosure import DEFAULT_THRESHOLD
from reports.periods import Quarter
from reports.rates import exposure, today
from reports.ui import quarters, table
from safety import signing_in
from safety.errors import AfterdoseError
from safety.ui import say
from safety.ui.session import Visit

_MADE: Final = "quarter-package"


def page(visit: Visit) -> None:
    """Draw the page."""
    say.title("Quarter", "A package that an outsider can check, with nobody in it to recognise.")
    quarter = quarters.pick(visit, "quarter.quarter", closed=True)
    left, right = st.columns(2, gap="large")
    with left:
        _readiness(visit, quarter)
        _what_leaves()
    with right:
        _make(visit, quarter)
        _how_to_verify()


def _readiness(visit: Visit, quarter: Quarter) -> None:
    say.section("Is it complete?")
    quiet, sessions = table.silent(exposure(visit.store, visit.actor, quarter.first, quarter.last))
    if not sessions:
        st.markdown("No session was reported in this quarter. The package would hold zeros.")
        return
    _check(quarter.has_ended(today(visit.store)), "The quarter has ended", "It still runs")
    _check(
        quiet == 0,
        f"All {sessions} sessions say what happened",
        f'{quiet} of {sessions} sessions say neither an event nor "nothing happened"',
    )
    trusted = visit.store.distrust is None
    _check(trusted, "The store was checked at the start", "The store cannot be trusted now")


def _check(holds: bool, yes: str, no: str) -> None:  # noqa: FBT001 - a line of the list
    if holds:
        st.markdown(f":material/check: {yes}")
    else:
        st.markdown(f":orange[:material/info: {no}]")


def _what_leaves() -> None:
    say.section("What leaves")
    st.markdown(
        "Counts by protocol and effect: sessions, patients, and how many had the effect. No name, "
        "no MRN, no date of a session, no words of a report."
    )
    st.markdown(
        f"A count from 1 to {DEFAULT_THRESHOLD} is hidden, because a small count can be a person. "
        "Where a hidden count could be worked out from the others, one of those is hidden too. "
        "Zero stays."
    )


def _make(visit: Visit, quarter: Quarter) -> None:
    say.section("Make the package")
    with st.form("make-package", clear_on_submit=True):
        password = st.text_input(
            "Your password, once more", type="password", autocomplete="current-password"
        )
        asked = st.form_submit_button("Make package", type="primary", icon=":material/package_2:")
    if asked:
        _made(visit, quarter, password)
    name, content = st.session_state.get(_MADE, ("", b""))
    if name == _file_name(quarter):
        st.download_button(
            "Download",
            content,
            file_name=name,
            mime="application/zip",
            icon=":material/download:",
            on_click="ignore",
        )
        st.caption(f"{name}, {len(content) / 1024:.0f} kB. Making it is on record.")


def _made(visit: Visit, quarter: Quarter, password: str) -> None:
    st.session_state.pop(_MADE, None)
    try:
        signing_in.confirm_password(visit.store, visit.actor, password)
        with st.spinner("Counting, hiding small counts, signing ..."):
            st.session_state[_MADE] = (_file_name(quarter), package(visit, quarter))
    except AfterdoseError as error:
        say.failure(error)


def package(visit: Visit, quarter: Quarter) -> bytes:
    """The package as one ZIP file. The folder it is written to is gone afterwards."""
    from reports.quarterly.assemble import export_quarter
    from reports.quarterly.verify import zip_package

    with tempfile.TemporaryDirectory(prefix="afterdose-") as folder:
        out = export_quarter(visit.store, visit.actor, quarter, Path(folder) / quarter.label)
        return zip_package(out)


def _file_name(quarter: Quarter) -> str:
    return f"afterdose-{quarter.label}.zip"


def _how_to_verify() -> None:
    say.section("How somebody else checks it")
    st.markdown(
        "Unpack the ZIP file and run the command below with any Afterdose. It checks every file "
        "against the manifest and the signature of this clinic. Without Afterdose, `sha256sum "
        "--check SHA256SUMS` in the folder checks the files."
    )
    st.code("afterdose verify FOLDER", language="bash")
