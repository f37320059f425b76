"""A person at the app in Chromium, at a steady pace, with every interaction counted and timed."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from playwright.sync_api import Locator, Page, expect, sync_playwright

from tests.ui.browsing import ARGUMENTS

PACE_MS: Final = 300
_CHROMIUM: Final = ("chromium", "chromium-browser", "google-chrome")
_TABLET: Final = {"width": 820, "height": 1180}
_SLOW_MS: Final = 60_000
# The app says on its outermost element whether a run goes on; the times are the browser's own.
_WATCH: Final = """() => {
  const app = document.querySelector('[data-testid="stApp"]');
  window.ended = performance.now();
  new MutationObserver(() => {
    if (app.dataset.testScriptState === 'notRunning') window.ended = performance.now();
    else window.begun = performance.now();
  }).observe(app, {attributes: true, attributeFilter: ['data-test-script-state']});
}"""
_QUIET: Final = """(pause) => {
  const state = document.querySelector('[data-testid="stApp"]').dataset.testScriptState;
  return state === 'notRunning' && performance.now() - window.ended > pause
    && performance.now() - (window.acted ?? 0) > pause;
}"""
_ANSWERED: Final = "() => window.ended > window.acted ? window.ended - window.acted : null"


@dataclass(slots=True)
class Person:
    """Somebody at one page. A click or one typed field is one interaction.

    ``answers`` are the milliseconds from each interaction to the end of the run that it caused;
    an interaction that caused none is not among them.
    """

    page: Page
    interactions: int = 0
    answers: list[float] = field(default_factory=list)
    _begun: float = 0.0

    def begin(self) -> None:
        """Count and time from now on."""
        self.page.evaluate(_WATCH)
        self.interactions, self._begun = 0, time.perf_counter()

    def seconds(self) -> float:
        """Since :meth:`begin`."""
        return time.perf_counter() - self._begun

    def click(self, target: Locator) -> None:
        """Press something."""
        target.first.scroll_into_view_if_needed(timeout=_SLOW_MS)
        self._acted()
        target.first.click(timeout=_SLOW_MS)
        self._answered()

    def write(self, target: Locator, text: str) -> None:
        """Fill one field and leave it."""
        self._acted()
        target.first.fill(text, timeout=_SLOW_MS)
        target.first.press("Tab")
        self._answered()

    def sees(self, heading: str) -> None:
        """Wait for the heading of a page."""
        found = self.page.get_by_role("heading", name=heading, exact=True, level=1)
        expect(found).to_be_visible(timeout=_SLOW_MS)

    def _acted(self) -> None:
        self.interactions += 1
        self.page.evaluate("() => { window.acted = performance.now(); }")

    def _answered(self) -> None:
        """Wait as long as a person does, and for the end of the run."""
        self.page.wait_for_timeout(PACE_MS)
        self.page.wait_for_function(_QUIET, arg=100, timeout=_SLOW_MS)
        answered = self.page.evaluate(_ANSWERED)
        if answered is not None:
            self.answers.append(float(answered))


@contextmanager
def a_person(address: str) -> Iterator[Person]:
    """A new Chromium of a tablet's size at ``address``."""
    path = next(filter(None, map(shutil.which, _CHROMIUM)), None)
    if path is None:
        sys.exit("No Chromium found. Install it: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        page = browser.new_context(viewport=_TABLET).new_page()  # type: ignore[arg-type]
        page.goto(address)
        yield Person(page)
        browser.close()
