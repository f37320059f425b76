"""Widgets that show one field of the open form. What they hold is collected at the next run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, time, timedelta
from typing import Any

import streamlit as st

from safety.ui.report.form import Form
from safety.ui.say import plain

_EARLIEST = date(1900, 1, 1)


def text(form: Form, name: str, label: str, **options: Any) -> None:
    """One line of text."""
    st.text_input(label, form.beginning(name) or "", key=form.key(name), **options)


def paragraph(form: Form, name: str, label: str, **options: Any) -> None:
    """Several lines of text."""
    st.text_area(label, form.beginning(name) or "", key=form.key(name), **options)


def whole(form: Form, name: str, label: str, **options: Any) -> None:
    """A whole number, or nothing."""
    value: int | None = form.beginning(name)
    st.number_input(label, value=value, step=1, key=form.key(name), **options)


def decimal(form: Form, name: str, label: str, **options: Any) -> None:
    """A number, or nothing."""
    given = form.beginning(name)
    value = None if given is None else float(given)
    st.number_input(label, value=value, step=0.5, format="%g", key=form.key(name), **options)


def day(form: Form, name: str, label: str, **options: Any) -> None:
    """A date, or nothing."""
    given = form.beginning(name)
    latest = date.today() + timedelta(days=366)  # noqa: DTZ011 - only bounds the calendar
    st.date_input(
        label,
        value=None if given is None else date.fromisoformat(given),
        min_value=_EARLIEST,
        max_value=latest,
        format="DD/MM/YYYY",
        key=form.key(name),
        **options,
    )


def clock(form: Form, name: str, label: str, **options: Any) -> None:
    """A time of day, or nothing."""
    given = form.beginning(name)
    value = None if given is None else time.fromisoformat(given)
    st.time_input(label, value=value, step=60, key=form.key(name), **options)


def chosen(form: Form, name: str, label: str, options: Mapping[str, str], **more: Any) -> None:
    """One of several, from a list that opens. The names may be typed by users."""
    st.selectbox(
        label,
        list(options),
        index=_place(form.beginning(name), options),
        format_func=lambda option: options.get(option, option),
        key=form.key(name),
        placeholder=more.pop("placeholder", "Choose"),
        **more,
    )


def several(form: Form, name: str, label: str, options: Mapping[str, str], **more: Any) -> None:
    """Any number of several, from a list that opens."""
    st.multiselect(
        label,
        list(options),
        default=_known(form.beginning(name), options),
        format_func=options.__getitem__,
        key=form.key(name),
        **more,
    )


def pressed(form: Form, name: str, label: str, options: Mapping[str, str]) -> None:
    """Any number of several, all visible, as large buttons."""
    st.pills(
        label,
        list(options),
        selection_mode="multi",
        default=_known(form.beginning(name), options),
        format_func=options.__getitem__,
        key=form.key(name),
        label_visibility="collapsed",
        wrap=True,
    )


def marked(form: Form, name: str, label: str, *, disabled: bool) -> None:
    """One large button that says something on purpose, or nothing."""
    st.pills(
        label,
        [True],
        default=form.beginning(name),
        format_func=lambda _: label,
        key=form.key(name),
        label_visibility="collapsed",
        disabled=disabled,
    )


def answer(form: Form, name: str, question: str) -> None:
    """Yes, no, or not asked. Where there is room, the style puts it in one line with its question.

    The question is the label of the choice: a line of columns would be five elements in place of
    one, and there are some twenty questions on the page.
    """
    st.segmented_control(
        question,
        [True, False],
        default=form.beginning(name),
        format_func=lambda yes: "Yes" if yes else "No",
        key=form.key(name),
    )


def graded(form: Form, name: str, grades: Mapping[int, str], official: Sequence[str]) -> None:
    """One of the grades that exist, each with our wording and, where loaded, the official one."""
    st.radio(
        "Grade",
        list(grades),
        captions=[f"Official: {plain(text)}" if text else "" for text in official]
        if any(official)
        else None,
        index=_place(form.beginning(name), grades),
        format_func=grades.__getitem__,
        key=form.key(name),
    )


def _place(value: Any, options: Mapping[Any, str]) -> int | None:
    return list(options).index(value) if value in options else None


def _known(values: Sequence[str] | None, options: Mapping[str, str]) -> list[str]:
    return [value for value in values or () if value in options]
