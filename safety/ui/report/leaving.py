"""The band of the report page before leaving: misuse screen, release, drug, words."""

from __future__ import annotations

import streamlit as st

from safety.ui import say, words
from safety.ui.report import parts, widgets
from safety.ui.report.fields import Attempt
from safety.ui.report.form import Form


def band(form: Form, made: Attempt) -> None:
    """Everything that is asked before the patient goes, and the account of the drug."""
    say.section("Before leaving")
    left, right = st.columns(2, gap="large")
    with left:
        _screen(form, made)
    with right:
        _release(form, made)
    say.section("The drug")
    _drug(form, made)
    say.section("In words")
    widgets.paragraph(
        form,
        "narrative",
        "What should be remembered of this session",
        placeholder="Leave empty when there is nothing to add.",
    )
    parts.tell(made.about("narrative"))


def _screen(form: Form, made: Attempt) -> None:
    st.markdown("**Asked of everybody**")
    for name, question in words.MISUSE.items():
        widgets.answer(form, f"misuse.{name}", question)
    liking, craving = st.columns(2)
    with liking:
        widgets.decimal(form, "misuse.drug_liking", "Liking, 0 to 100")
    with craving:
        widgets.decimal(form, "misuse.craving", "Craving, 0 to 100")
    with st.expander("Findings"):
        for name, question in words.MISUSE_FINDINGS.items():
            widgets.answer(form, f"misuse.{name}", question)
    parts.tell(made.about("misuse"))


def _release(form: Form, made: Attempt) -> None:
    st.markdown("**Fit to leave**")
    for name, question in words.DISCHARGE.items():
        widgets.answer(form, f"discharge.{name}", question)
    ready, left = st.columns(2)
    with ready:
        widgets.whole(
            form,
            "discharge.ready_minutes",
            "Ready after, min",
            help="Minutes from the start of the dose until the patient could have left.",
        )
    with left:
        widgets.clock(form, "left_time", "Left at")
    widgets.text(form, "discharge.released_by", "Released by")
    parts.tell(made.about("discharge"))


def _drug(form: Form, made: Attempt) -> None:
    cells = st.columns(3)
    for cell, (name, label) in zip(cells, _AMOUNTS, strict=True):
        with cell:
            widgets.decimal(form, f"drug.{name}", label)
    staff, witness = st.columns(2)
    with staff:
        widgets.text(form, "drug.staff", "Given by")
    with witness:
        widgets.text(form, "drug.waste_witness", "Witness of the waste")
    parts.tell(made.about("drug"))


_AMOUNTS = (("drawn_mg", "Drawn, mg"), ("given_mg", "Given, mg"), ("wasted_mg", "Wasted, mg"))
