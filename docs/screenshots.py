"""Draw the pictures of the documentation: the demonstration clinic, in a real browser.

Run it with ``make screenshots``. It needs the development environment and a Chromium.
"""

from __future__ import annotations

import io
import shutil
import tempfile
from pathlib import Path
from typing import Final

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from safety.access import Role
from safety.demonstration import demonstration_accounts
from safety.vocabulary import vocabulary
from tests.ui import browsing

IMAGES: Final = Path(__file__).with_name("images")
_TABLET: Final = (820, 1180)
_DESK: Final = (1440, 900)
_CHROMIUM: Final = ("chromium", "chromium-browser", "google-chrome")


def main() -> None:
    """Draw every picture again."""
    path = next(filter(None, map(shutil.which, _CHROMIUM)), None)
    if path is None:
        raise SystemExit("No Chromium found. Install it: apt-get install chromium")
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        home = Path(folder) / "home"
        browser = playwright.chromium.launch(executable_path=path, args=list(browsing.ARGUMENTS))
        with browsing.served(home, Path(folder) / "server.log") as address:
            _first_run(browser, address)
            _today(browser, address)
            _report(browser, address)
            _patient(browser, address)
            _director(browser, address)
        browser.close()


def _first_run(browser: Browser, address: str) -> None:
    page = _visited(browser, address, (820, 1060))
    page.get_by_role("textbox", name="Key file").fill("/etc/afterdose/afterdose.key")
    page.get_by_role("textbox", name="Key file").blur()
    browsing.quiet(page)
    _keep(page, "first-run")


def _director(browser: Browser, address: str) -> None:
    page = _demonstration(browser, address, Role.DIRECTOR, _DESK)
    browsing.title(page, "Overview")
    page.wait_for_timeout(1500)
    _keep(page, "overview")
    page = _demonstration(browser, address, Role.DIRECTOR, _DESK)
    browsing.go(page, "Incidence")
    page.get_by_role("combobox").first.click()
    page.get_by_role("option").nth(1).click()
    browsing.quiet(page)
    _drawn(page)
    page.locator("h1").click()  # takes the focus off the list
    _keep(page, "incidence")
    page = _demonstration(browser, address, Role.DIRECTOR, (1440, 1100))
    browsing.go(page, "Trend")
    _drawn(page)
    _keep(page, "trend")


def _drawn(page: Page) -> None:
    page.locator("svg.marks").first.wait_for()
    page.wait_for_timeout(1500)


def _today(browser: Browser, address: str) -> None:
    page = _demonstration(browser, address, Role.NURSE, _TABLET)
    page.wait_for_timeout(500)
    _keep(page, "today")


def _patient(browser: Browser, address: str) -> None:
    page = _demonstration(browser, address, Role.DIRECTOR, (1100, 1250))
    browsing.go(page, "Patients")
    page.get_by_label("MRN or name").first.fill("DEMO-40211")
    browsing.press(page, "Find")
    browsing.press(page, "Open")
    page.locator("svg.marks").first.wait_for()
    page.wait_for_timeout(1500)
    _keep(page, "patient")


def _report(browser: Browser, address: str) -> None:
    page = _demonstration(browser, address, Role.NURSE, _TABLET)
    page.locator("[class*=st-key-report-] button").first.click()
    browsing.title(page, "New report")
    for at, (high, low) in enumerate(((128, 80), (176, 98), (176, 98), (134, 84))):
        browsing.write(page, "Sys", str(high), at=at)
        browsing.write(page, "Dia", str(low), at=at)
    for name in ("dissociation", "nausea"):
        term = vocabulary().get(name)
        browsing.press(page, term.name)
        page.get_by_text(term.wording_for(1)).first.click()
        browsing.quiet(page)
    page.get_by_role("heading", name="Vital signs").evaluate("e => e.scrollIntoView()")
    page.wait_for_timeout(1000)
    _keep(page, "report")


def _visited(browser: Browser, address: str, size: tuple[int, int]) -> Page:
    context = browser.new_context(viewport={"width": size[0], "height": size[1]})
    page = context.new_page()
    page.goto(address)
    browsing.title(page, "Welcome to Afterdose")
    return page


def _demonstration(browser: Browser, address: str, role: Role, size: tuple[int, int]) -> Page:
    """A page of the demonstration, signed in as ``role``."""
    page = _visited(browser, address, size)
    page.get_by_role("tab", name="Open the demonstration").click()
    browsing.press(page, "Open the demonstration")
    account = next(known for known in demonstration_accounts() if known.role is role)
    browsing.sign_in(page, account.username, account.password)
    return page


def _keep(page: Page, name: str) -> None:
    with Image.open(io.BytesIO(page.screenshot())) as picture:
        picture.convert("RGB").save(IMAGES / f"{name}.png", optimize=True)
    page.context.close()


if __name__ == "__main__":
    main()
