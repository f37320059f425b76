"""The catch-all: what nobody expected becomes a number on the screen and two facts in the log.

An exception's message can carry what somebody typed, so it is neither shown nor logged: the log has
the incident number, the type of the exception and the place in the program.
"""

from __future__ import annotations

import logging
import secrets
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import streamlit as st

from safety.errors import AfterdoseError
from safety.ui import say

LOG: Final = logging.getLogger("afterdose.pages")
_STREAMLIT: Final = logging.getLogger("streamlit.error_util")
_ALPHABET: Final = "ABCDEFGHJKMNPQRSTVWXYZ23456789"


def place_of(error: BaseException) -> str:
    """Where ``error`` was raised, as ``module:line``; no text of the program is read."""
    frames = traceback.extract_tb(error.__traceback__, limit=-1)
    if not frames:
        return "unknown place"
    return f"{frames[-1].filename}:{frames[-1].lineno}"


def record(error: BaseException) -> str:
    """Log an unexpected error without its message and return its incident number."""
    number = "".join(secrets.choice(_ALPHABET) for _ in range(6))
    LOG.error("incident %s: %s at %s", number, type(error).__name__, place_of(error))
    return number


@contextmanager
def caught() -> Iterator[None]:
    """Show errors of ours as they are, and any other as an incident."""
    try:
        yield
    except AfterdoseError as error:
        say.failure(error)
    except Exception as error:  # noqa: BLE001 - the one catch-all of the pages
        show(record(error))


def show(number: str) -> None:
    """Say that something failed and what to do, with the number to quote."""
    st.error(
        f"Something failed that should not have. Incident {number}. What was filed before is safe. "
        "Reload the page and sign in again; if it happens twice, tell whoever looks after "
        "Afterdose this number.",
        icon=":material/report:",
    )


class _WithoutMessage(logging.Filter):
    """Cuts the message from what escapes to Streamlit: callbacks and fragments are logged there."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
        if error is not None:
            record.msg = "page failed: %s at %s"
            record.args = (type(error).__name__, place_of(error))
            record.exc_info = record.exc_text = None
        return True


def quieten() -> None:
    """Keep Streamlit's own error log free of messages. Repeating it changes nothing."""
    st.set_option("logger.enableRich", value=False)  # it would print messages past every filter
    if not any(isinstance(known, _WithoutMessage) for known in _STREAMLIT.filters):
        _STREAMLIT.addFilter(_WithoutMessage())
