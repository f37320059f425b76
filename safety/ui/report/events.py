"""The band of the report page that says what happened: nothing on purpose, or graded events."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from safety.ui import say, words
from safety.ui.report import parts, pressure, seriousness, widgets
from safety.ui.report.fields import Attempt
from safety.ui.report.form import Form
from safety.vocabulary import Term, Vocabulary

_PRESSURE = "blood_pressure_increased"
_MOST_FOUND = 6


def band(form: Form, made: Attempt, common: Sequence[str], vocabulary: Vocabulary) -> None:
    """Choose what happened, then say of each how bad it was.

    ``common`` are the terms to offer at once, the clinic's most frequent first.
    """
    say.section("What happened")
    _nothing(form)
    _common(form, common, vocabulary)
    _search(form, vocabulary)
    _suggest(form, made)
    parts.tell(made.about("no_adverse_event"))
    for term in events(form):
        _event(form, made, vocabulary.get(term))


def events(form: Form) -> list[str]:
    """The terms chosen so far."""
    return list(form.fields.get("events", ()))


def _nothing(form: Form) -> None:
    with st.container(key="nothing"):
        widgets.marked(form, "nothing", "Nothing happened", disabled=bool(events(form)))


def _common(form: Form, common: Sequence[str], vocabulary: Vocabulary) -> None:
    offered = dict.fromkeys((*common, *events(form)))
    if not offered:
        st.caption("Choose the protocol to see its common effects here, or search below.")
        return
    names = {term: vocabulary.get(term).name for term in offered}
    with st.container(key="common"):
        widgets.pressed(form, "events", "Common effects", names)


def _search(form: Form, vocabulary: Vocabulary) -> None:
    key = f"{form.id.hex}-find-term"
    text = st.text_input(
        "Something else",
        key=key,
        type="search",
        live="300ms",
        placeholder="Search, also in everyday words: spaced out, high BP, burning",
    )
    found = vocabulary.search(text, _MOST_FOUND) if text and len(text) > 1 else ()
    with st.container(horizontal=True):
        for term in found:
            st.button(
                term.name,
                key=f"{form.id.hex}-add-{term.id}",
                icon=":material/add:",
                on_click=_add,
                args=(form, term.id, key),
            )
    if text and len(text) > 1 and not found:
        st.caption("No such effect in the vocabulary. Try another word, or describe it below.")


def _suggest(form: Form, made: Attempt) -> None:
    if _PRESSURE in events(form) or not pressure.spike(made.vitals):
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(":orange[:material/info: The blood pressure rose. Is it an event?]")
        st.button(
            "Blood pressure increased",
            key=f"{form.id.hex}-suggested",
            icon=":material/add:",
            on_click=_add,
            args=(form, _PRESSURE),
        )


def _add(form: Form, term: str, search_key: str | None = None) -> None:
    if term not in events(form):
        form.put("events", [*events(form), term])
    if search_key is not None:
        st.session_state[search_key] = ""


def _remove(form: Form, term: str) -> None:
    form.put("events", [known for known in events(form) if known != term])


def _event(form: Form, made: Attempt, term: Term) -> None:
    start = f"events.{term.id}"
    _suppose(form, term)
    with st.container(border=True, key=f"event-{term.id}"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{term.name}**", width="stretch")
            st.button(
                "Remove",
                key=f"{form.id.hex}-remove-{term.id}",
                type="tertiary",
                icon=":material/close:",
                on_click=_remove,
                args=(form, term.id),
            )
        _grade(form, term)
        _course(form, start)
        _judgement(form, term)
        parts.tell(made.about(start))


def _suppose(form: Form, term: Term) -> None:
    """Begin a new event with how such an event is usually known; it is shown and can be changed."""
    filed = form.amends.report.events if form.amends else ()
    if form.fields.get(f"events.{term.id}.begun") or term.id in {event.term for event in filed}:
        return
    form.set(f"events.{term.id}.begun", value=True)
    form.put(f"events.{term.id}.elicitation", str(term.elicitation))


def _grade(form: Form, term: Term) -> None:
    wording = {g: f"**{g}** {say.plain(term.wording[g])}" for g in term.grades}
    official = [term.official.get(g, "") for g in term.grades]
    widgets.graded(form, f"events.{term.id}.grade", wording, official)
    scale = f"CTCAE {term.scale_version}" if term.ctcae else "own scale, not in CTCAE"
    st.caption(f"{term.grades_in_words().capitalize()} ({scale}). How bad, not how serious.")


def _course(form: Form, start: str) -> None:
    cells = st.columns([2, 2, 3, 3])
    with cells[0]:
        widgets.whole(form, f"{start}.onset_minutes", "From, min", help="After the dose began.")
    with cells[1]:
        widgets.whole(form, f"{start}.duration_minutes", "For, min")
    with cells[2]:
        widgets.chosen(form, f"{start}.outcome", "Outcome", words.OUTCOME)
    with cells[3]:
        widgets.chosen(form, f"{start}.relatedness", "Caused by the dose", words.RELATEDNESS)


def _judgement(form: Form, term: Term) -> None:
    start = f"events.{term.id}"
    known, said = st.columns([4, 6])
    with known:
        widgets.chosen(form, f"{start}.elicitation", "How we know", words.ELICITATION)
    with said:
        widgets.text(form, f"{start}.verbatim", "In the patient's words")
    _seriousness(form, term)
    with st.expander("More about it"):
        widgets.text(form, f"{start}.action", "What was done")
        if not form.fields.get(f"{start}.serious"):
            widgets.paragraph(form, f"{start}.narrative", "In words")


def _seriousness(form: Form, term: Term) -> None:
    """Ask for the criteria where one can apply; elsewhere they are one press away."""
    start = f"events.{term.id}"
    if not (seriousness.can_apply(form.fields, term) or form.fields.get(f"{start}.asked")):
        st.button(
            "It was serious all the same",
            key=f"{form.id.hex}-serious-{term.id}",
            type="tertiary",
            icon=":material/priority_high:",
            on_click=form.set,
            args=(f"{start}.asked", True),
        )
        return
    widgets.several(
        form,
        f"{start}.serious",
        "Serious, because",
        words.CRITERION,
        placeholder="Not serious. Choose a reason if it was.",
        help="Serious is about what came of it, severe is about how strong it was.",
    )
    if form.fields.get(f"{start}.serious"):
        widgets.paragraph(
            form,
            f"{start}.narrative",
            "What happened, in words",
            placeholder="Needed for a serious event: what happened, what was done, how it ended.",
        )
        st.caption("The medical director is told as soon as this report is filed.")
