"""What was typed survives the server's death, a closed tab and signing out: in Chromium."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from safety.clock import now
from safety.vocabulary import vocabulary
from tests.support.accounts import PASSWORD, an_account
from tests.support.stores import made_store
from tests.ui import browsing
from tests.ui.browsing import choose, clock, go, press, quiet, sign_in, title, write

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("return")]

NAME, MRN, STORY = "Zebrafink Quillfeather", "MRN-ZQ-7781", "Saw seven violet herons."
PROTOCOL: Final = "IV ketamine, depression, induction"
_KEPT_MS: Final = 2_500
_DRAWN_SECONDS: Final = 30.0

# Every field of the form by its name, with what a person sees in it. The key of a field is the
# form's id, a turn that grows when the program sets it, and its name.
_ON_THE_SCREEN: Final = """() => {
  const seen = {};
  for (const field of document.querySelectorAll('[data-testid="stMain"] [class*="st-key-"]')) {
    const key = [...field.classList].map((c) => c.match(/^st-key-[0-9a-f]{32}-[0-9]+-(.+)$/))
      .find(Boolean);
    if (!key) continue;
    const typed = [...field.querySelectorAll('input:not([type=radio]):not([type=checkbox]), '
      + 'textarea')].map((e) => e.value);
    const parts = [...field.querySelectorAll('[role="spinbutton"]')].map((e) => e.textContent);
    const chosen = [...field.querySelectorAll('[aria-checked="true"], [aria-pressed="true"], '
      + 'label:has(input:checked), [data-baseweb="tag"]')].map((e) => e.innerText);
    seen[key[1]] = [...typed, ...parts, ...chosen].join(" | ");
  }
  return seen;
}"""


@pytest.fixture(scope="module")
def browser(chromium_path: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=chromium_path, args=list(browsing.ARGUMENTS)
        )
        yield running
        running.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A clinic with one nurse, not served yet."""
    store = made_store(tmp_path, now)
    an_account(store, username="nora")
    store.close()
    return tmp_path


@contextmanager
def _served(folder: Path) -> Iterator[str]:
    with browsing.served(folder / "home", folder / "server.log") as address:
        yield address


def _kill(address: str) -> None:
    """End the server as a power cut would."""
    port = address.rsplit(":", 1)[1].encode()
    children = {
        int(child)
        for task in Path("/proc/self/task").iterdir()
        for child in (task / "children").read_text(encoding="ascii").split()
    }
    (server,) = (
        c for c in children if port in Path(f"/proc/{c}/cmdline").read_bytes().split(b"\0")
    )
    os.kill(server, signal.SIGKILL)


def _signed_in(browser: Browser, address: str) -> Page:
    page = browser.new_context(viewport={"width": 820, "height": 1180}).new_page()
    page.goto(address)
    sign_in(page, "nora", PASSWORD)
    title(page, "Today")
    return page


def _fill(page: Page) -> None:
    """Something in every kind of field there is."""
    page.locator(".st-key-new-report button").click()
    title(page, "New report")
    press(page, "New patient")
    write(page, "MRN", MRN)
    write(page, "Name", NAME)
    choose(page, "Sex", "Female")
    choose(page, "Protocol", PROTOCOL)
    clock(page, "Dose began", "00:01")
    write(page, "Dose, mg", "40.5")
    write(page, "Weight, kg", "80")
    write(page, "Lot number", "LOT 42-A")
    write(page, "Sys", "128")
    write(page, "Dia", "80")
    nausea = vocabulary().get("nausea")
    press(page, nausea.name)
    page.get_by_text(nausea.wording_for(2)).first.click()
    quiet(page)
    write(page, "From, min", "20")
    _choose_with_keys(page, "Outcome", "Recovered")
    page.get_by_role("radio", name="Yes", exact=True).first.click()
    quiet(page)
    write(page, "What should be remembered of this session", STORY)


def _choose_with_keys(page: Page, label: str, option: str) -> None:
    """Choose without the mouse: a list that is opened while the page scrolls closes again."""
    box = page.get_by_role("combobox", name=label).first
    box.focus()
    page.wait_for_timeout(500)
    page.keyboard.type(option)
    page.keyboard.press("Enter")
    quiet(page)
    expect(box).to_have_value(option)


def _kept(page: Page) -> dict[str, Any]:
    """What the form shows, once the draft holds it."""
    page.wait_for_timeout(_KEPT_MS)
    quiet(page)
    expect(page.get_by_text("Draft saved")).to_be_visible()
    return _shown(page)


def _shown(page: Page) -> dict[str, Any]:
    seen: dict[str, Any] = page.evaluate(_ON_THE_SCREEN)
    return seen


def _continue_and_find(page: Page, before: dict[str, Any]) -> None:
    """Go on with the draft, and find every field again as soon as the browser has drawn it."""
    filled = {name for name, text in before.items() if text.strip(" |")}
    assert len(filled) >= 14, before
    assert STORY in before["narrative"]
    press(page, "Continue")
    title(page, "New report")
    latest = time.monotonic() + _DRAWN_SECONDS
    while _shown(page) != before and time.monotonic() < latest:
        page.wait_for_timeout(250)
    page.wait_for_timeout(1_000)
    quiet(page)
    assert _shown(page) == before


def test_a_killed_server_gives_every_field_back(browser: Browser, folder: Path) -> None:
    with _served(folder) as address:
        page = _signed_in(browser, address)
        _fill(page)
        before = _kept(page)
        _kill(address)
        page.context.close()
    with _served(folder) as address:
        page = _signed_in(browser, address)
        _continue_and_find(page, before)
        page.context.close()


def test_a_closed_tab_and_signing_out_give_every_field_back(browser: Browser, folder: Path) -> None:
    with _served(folder) as address:
        page = _signed_in(browser, address)
        _fill(page)
        before = _kept(page)
        page.context.close()

        page = _signed_in(browser, address)
        _continue_and_find(page, before)
        press(page, "Sign out")
        assert STORY not in page.content()
        sign_in(page, "nora", PASSWORD)
        go(page, "Today")  # the tab is still where it was: at an empty report now
        title(page, "Today")
        _continue_and_find(page, before)
        page.context.close()
