"""The band of the report page before leaving: misuse screen, release, drug, words."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from safety.ui import say, words
from safety.ui.report import parts, watching, widgets
from safety.ui.report.fields import Attempt
from safety.ui.report.form import Form
from safety.ui.report.names import NO_OTHER
from safety.vocabulary import Protocol


def band(form: Form, made: Attempt, protocol: Protocol | None, staff: Sequence[str]) -> None:
    """Everything that is asked before the patient goes, and the account of the drug.

    ``staff`` are the people of the clinic, of whom two see waste destroyed.
    """
    say.section("Before leaving")
    left, right = st.columns(2, gap="large")
    with left:
        _screen(form, made)
    with right:
        _release(form, made, protocol)
    _also(form, made)
    say.section("The drug")
    _drug(form, made, staff)
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


def _also(form: Form, made: Attempt) -> None:
    st.markdown("**Also takes**")
    with st.container(key="also"):
        widgets.pressed(form, "also", "Also takes", words.CONCOMITANT | {NO_OTHER: _none(form)})
    parts.tell(made.about("concomitant"))


def _none(form: Form) -> str:
    named = set(form.fields.get("also") or ()) - {NO_OTHER}
    return "None of the others" if named else "None of these"


def _release(form: Form, made: Attempt, protocol: Protocol | None) -> None:
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
    for remark in watching.remarks(form.fields, protocol):
        st.markdown(f":orange[:material/info: {remark.text}]" if remark.look else remark.text)
    widgets.text(form, "discharge.released_by", "Released by")
    parts.tell(made.about("discharge"))


def _drug(form: Form, made: Attempt, staff: Sequence[str]) -> None:
    cells = st.columns(3)
    for cell, (name, label) in zip(cells, _AMOUNTS, strict=True):
        with cell:
            widgets.decimal(form, f"drug.{name}", label)
    giver, witness = st.columns(2)
    given_by = form.fields.get("drug.staff")
    with giver:
        widgets.chosen(form, "drug.staff", "Given by", _people(staff, given_by))
    seen_by = form.fields.get("drug.waste_witness")
    others = [name for name in staff if name != given_by]
    with witness:
        widgets.chosen(
            form,
            "drug.waste_witness",
            "Witness of the waste",
            _people(others, seen_by),
            placeholder="Somebody else",
            help="Who saw the rest destroyed. It is never the person who gave the drug.",
        )
    parts.tell(made.about("drug"))


def _people(names: Sequence[str], chosen: str | None) -> dict[str, str]:
    """The names to choose from, and the one that stands there, though the account may be closed."""
    return {name: name for name in dict.fromkeys((*names, *([chosen] if chosen else ())))}


_AMOUNTS = (("drawn_mg", "Drawn, mg"), ("given_mg", "Given, mg"), ("wasted_mg", "Wasted, mg"))
