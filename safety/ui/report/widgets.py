"""Widgets that show one field of the open form. What they hold is collected at the next run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, time, timedelta
from typing import Any

import streamlit as st

from safety.ui.report.form import Form

_EARLIEST = date(1900, 1, 1)


def text(form: Form, name: str, label: str, **options: Any) -> None:
    """One line of text."""
    st.text_input(label, key=_seeded(form, name, str, ""), **options)


def paragraph(form: Form, name: str, label: str, **options: Any) -> None:
    """Several lines of text."""
    st.text_area(label, key=_seeded(form, name, str, ""), **options)


def whole(form: Form, name: str, label: str, **options: Any) -> None:
    """A whole number, or nothing."""
    st.number_input(label, value=None, step=1, key=_seeded(form, name, int), **options)


def decimal(form: Form, name: str, label: str, **options: Any) -> None:
    """A number, or nothing."""
    key = _seeded(form, name, float)
    st.number_input(label, value=None, step=0.5, format="%g", key=key, **options)


def day(form: Form, name: str, label: str, **options: Any) -> None:
    """A date, or nothing."""
    key = _seeded(form, name, date.fromisoformat)
    latest = date.today() + timedelta(days=366)  # noqa: DTZ011 - only bounds the calendar
    st.date_input(
        label,
        value=None,
        min_value=_EARLIEST,
        max_value=latest,
        format="DD/MM/YYYY",
        key=key,
        **options,
    )


def clock(form: Form, name: str, label: str, **options: Any) -> None:
    """A time of day, or nothing."""
    key = _seeded(form, name, time.fromisoformat)
    st.time_input(label, value=None, step=60, key=key, **options)


def chosen(form: Form, name: str, label: str, options: Mapping[str, str], **more: Any) -> None:
    """One of several, from a list that opens. The names may be typed by users."""
    key = _seeded(form, name, _one_of(options))
    st.selectbox(
        label,
        list(options),
        index=None,
        format_func=lambda option: options.get(option, option),
        key=key,
        placeholder=more.pop("placeholder", "Choose"),
        **more,
    )


def several(form: Form, name: str, label: str, options: Mapping[str, str], **more: Any) -> None:
    """Any number of several, from a list that opens."""
    key = _seeded(form, name, _those_of(options), [])
    st.multiselect(label, list(options), format_func=options.__getitem__, key=key, **more)


def answer(form: Form, name: str, label: str) -> None:
    """Yes, no, or not asked, in one line with its question."""
    question, choice = st.columns([3, 2], vertical_alignment="center")
    question.markdown(label)
    key = _seeded(form, name, lambda value: value)
    choice.segmented_control(
        label,
        [True, False],
        format_func=lambda yes: "Yes" if yes else "No",
        key=key,
        label_visibility="collapsed",
    )


def _seeded(form: Form, name: str, read: Callable[[Any], Any], absent: Any = None) -> str:
    """Give the widget of ``name`` its value when it is drawn for the first time."""
    key = form.key(name)
    if key not in st.session_state:
        stored = form.fields.get(name)
        st.session_state[key] = absent if stored is None else read(stored)
    return key


def _one_of(options: Mapping[str, str]) -> Callable[[Any], Any]:
    return lambda value: value if value in options else None


def _those_of(options: Mapping[str, str]) -> Callable[[Any], Any]:
    def kept(values: Sequence[str]) -> list[str]:
        return [value for value in values if value in options]

    return kept


def pressed(form: Form, name: str, options: Mapping[str, str], **more: Any) -> None:
    """Any number of several, all visible, as large buttons."""
    key = _seeded(form, name, _those_of(options), [])
    st.pills(
        more.pop("label"),
        list(options),
        selection_mode="multi",
        format_func=options.__getitem__,
        key=key,
        label_visibility="collapsed",
        wrap=True,
        **more,
    )


def graded(form: Form, name: str, grades: Mapping[int, str], **more: Any) -> None:
    """One of the grades that exist, each with its wording."""
    key = _seeded(form, name, lambda grade: grade if grade in grades else None)
    st.radio("Grade", list(grades), index=None, format_func=grades.__getitem__, key=key, **more)
