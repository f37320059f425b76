"""What tests of the pages need: a clinic with an account a role, held open, and a Chromium."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from safety import signing_in
from safety.access import Role
from safety.keys.kdf import KdfParameters
from safety.store.handle import Store
from safety.ui import holding
from tests.support.accounts import PASSWORD, an_account

# Debian's name, older Ubuntu's name, and the vendor's own package.
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
ROUTER = str(Path(__file__).parents[2] / "streamlit_app.py")
SECONDS = 30


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """Give the path of a Chromium; without one, skip on a desk and fail in CI."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is not None:
        return found
    reason = f"no browser found (looked for {', '.join(BROWSERS)})"
    if os.environ.get("CI") == "true":
        pytest.fail(f"{reason}; CI must run these tests")
    pytest.skip(reason)


@dataclass(frozen=True)
class Clinic:
    """A store that this process holds open, as the pages find it."""

    store: Store

    def router(self, role: Role | None = None) -> AppTest:
        """The whole app, signed in as ``role`` or not at all; run already."""
        return self._signed(AppTest.from_file(ROUTER, default_timeout=SECONDS), role).run()

    def page(self, module: str, role: Role, **state: Any) -> AppTest:
        """One page without the router around it, beginning with ``state``; run already."""
        app = AppTest.from_string(_PAGE.format(module), default_timeout=SECONDS)
        for name, value in state.items():
            app.session_state[name.replace("_", "-")] = value
        return self._signed(app, role).run()

    def _signed(self, app: AppTest, role: Role | None) -> AppTest:
        if role is not None:
            app.session_state["token"] = signing_in.sign_in(self.store, role, PASSWORD).token
        return app


_PAGE = """
from {} import page
from safety.ui import session

store = session.store()
page(session.visit(store))
"""


@pytest.fixture
def clinic(
    embedded_store: Store, cheap_kdf: KdfParameters, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Clinic]:
    """A clinic with one account a role."""
    for role in Role:
        an_account(embedded_store, role)
    monkeypatch.setenv("AFTERDOSE_HOME", str(embedded_store.config.home))
    holding.hold(embedded_store)
    yield Clinic(embedded_store)
    holding.release()


@pytest.fixture
def no_clinic(
    tmp_path: Path, cheap_kdf: KdfParameters, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """A folder in which no clinic was made yet."""
    home = tmp_path / "home"
    monkeypatch.setenv("AFTERDOSE_HOME", str(home))
    yield home
    holding.release()


Texts = Callable[[AppTest], str]


@pytest.fixture
def texts() -> Texts:
    """Everything that a run of a page wrote, in one string to search."""

    def gathered(app: AppTest) -> str:
        kinds = ("title", "subheader", "markdown", "caption", "text", "warning", "error", "info")
        return "\n".join(str(part.value) for kind in kinds for part in getattr(app, kind))

    return gathered
