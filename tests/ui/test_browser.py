"""From an empty machine to a verified package, as people do it: in Chromium, on the real app."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from reports.periods import Quarter
from reports.quarterly.verify import verify_package
from reports.ui.places import READING
from safety.vocabulary import vocabulary
from tests.ui import browsing
from tests.ui.browsing import choose, clock, go, press, quiet, sign_in, title, write

# One server and one clinic for the file: one worker runs it.
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

DIRECTOR = ("ida", "window marble thirteen canoe")
NURSE = ("nora", "lantern gravel otter 58")
NAME, MRN, STORY = "Zebrafink Quillfeather", "MRN-ZQ-7781", "Saw seven violet herons."


@pytest.fixture(scope="module")
def browser(chromium_path: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=chromium_path, args=list(browsing.ARGUMENTS)
        )
        yield running
        running.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("browser")


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    with browsing.served(folder / "home", folder / "server.log") as given:
        yield given


RATES = tuple(place.title for place in READING if place.path != "quarter")


def _visitor(browser: Browser, address: str) -> Page:
    """A browser of its own, as of another person at another screen."""
    page = browser.new_context(viewport={"width": 820, "height": 1180}).new_page()
    page.goto(address)
    return page


def _make_the_clinic(page: Page, folder: Path) -> None:
    title(page, "Welcome to Afterdose")
    write(page, "Name of the clinic", "Alder Clinic")
    write(page, "First site", "Main Street")
    write(page, "User name", DIRECTOR[0])
    write(page, "Name shown", "Dr Ida Marsh")
    write(page, "Password", DIRECTOR[1])
    write(page, "Password again", DIRECTOR[1])
    page.get_by_role("textbox", name="Key file").fill(str(folder / "keys" / "clinic.key"))
    page.get_by_role("textbox", name="Key file").blur()
    press(page, "Create the clinic")
    title(page, "The recovery code")
    expect(page.get_by_role("button", name="Go on to sign in")).to_be_disabled()
    page.get_by_text("I wrote it down").click()
    press(page, "Go on to sign in")


def _add_the_nurse(page: Page) -> None:
    go(page, "Accounts")
    title(page, "Accounts")
    write(page, "User name", NURSE[0])
    write(page, "Name shown", "Nora Quill")
    write(page, "First password", NURSE[1])
    write(page, "Your own password", DIRECTOR[1])
    press(page, "Add account")
    expect(page.get_by_text("The account was added.")).to_be_visible()


def _file_two_events(page: Page) -> None:
    go(page, "New report")
    title(page, "New report")
    press(page, "New patient")
    write(page, "MRN", MRN)
    write(page, "Name", NAME)
    choose(page, "Protocol", "IV ketamine, depression, induction")
    clock(page, "Dose began", "00:01")
    write(page, "Dose, mg", "40")
    write(page, "Weight, kg", "80")
    expect(page.get_by_text("0.50 mg/kg")).to_be_visible()
    write(page, "Sys", "128")
    write(page, "Dia", "80")
    write(page, "Sys", "176", at=2)
    write(page, "Dia", "98", at=2)
    expect(page.get_by_text("Rise of 48 mmHg systolic")).to_be_visible()
    for effect in ("nausea", "dissociation"):
        term = vocabulary().get(effect)
        press(page, term.name)
        page.get_by_text(term.wording_for(1)).first.click()
        quiet(page)
    write(page, "What should be remembered of this session", STORY)
    press(page, "Review and sign")
    title(page, "Review and sign")
    press(page, "Sign and file")
    title(page, "Filed")


@dataclass
class Day:
    """The first day of a clinic: it was made, and a nurse filed a report with two events."""

    director: Page
    nurse: Page
    asked: list[str]
    """Every address that the director's browser asked for."""


@pytest.fixture(scope="module")
def day(browser: Browser, address: str, folder: Path) -> Day:
    director = _visitor(browser, address)
    asked: list[str] = []
    director.on("request", lambda request: asked.append(request.url))
    _make_the_clinic(director, folder)
    sign_in(director, *DIRECTOR)
    title(director, "Overview")
    _add_the_nurse(director)
    nurse = _visitor(browser, address)
    sign_in(nurse, *NURSE)
    title(nurse, "Today")
    _file_two_events(nurse)
    return Day(director, nurse, asked)


def test_first_run_to_verified_package(day: Day, folder: Path) -> None:
    """Make the clinic, sign in, file two events, see them counted, export, verify."""
    director = day.director
    go(director, "Incidence")
    title(director, "Incidence")
    expect(director.get_by_text("1 of 1 sessions")).to_be_visible()
    plot = director.locator("svg.marks")
    for shown in ("Nausea", "Dissociation", "IV ketamine, depression, induction (N = 1)"):
        expect(plot.get_by_text(shown)).to_be_visible()
    _export_and_verify(director, folder)
    _nothing_is_shared(director, day.nurse)


def test_no_page_asks_another_machine(day: Day) -> None:
    """Fonts, icons and scripts come from the server itself."""
    for place in (*RATES, "Quarter", "Today", "New report", "Accounts", "My account"):
        go(day.director, place)
    hosts = {urlsplit(url).hostname for url in day.asked if url.startswith("http")}
    assert hosts == {"127.0.0.1"}


def _export_and_verify(page: Page, folder: Path) -> None:
    go(page, "Quarter")
    title(page, "Quarter")
    quarter = Quarter.containing(date.today())  # noqa: DTZ011 - the server runs on this machine
    page.get_by_role("combobox").first.click()
    page.get_by_role("option", name=f"{quarter.year} Q{quarter.number}").click()
    quiet(page)
    write(page, "Your password, once more", DIRECTOR[1])
    press(page, "Make package")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download").click()
    package = folder / "package.zip"
    waiting.value.save_as(package)
    assert verify_package(package).fingerprint
    command = [sys.executable, "-m", "reports.commands", "verify", str(package)]
    assert subprocess.run(command, cwd=browsing.ROOT, check=False).returncode == 0


def _nothing_is_shared(director: Page, nurse: Page) -> None:
    """What the nurse typed is on no page of the director's that does not show reports."""
    for place in (*RATES, "Quarter", "Accounts", "My account"):
        go(director, place)
        source = director.content() + director.title() + director.url
        for marker in (NAME, MRN, STORY):
            assert marker not in source
    go(nurse, "Today")
    title(nurse, "Today")
    assert NAME in nurse.content()
    assert MRN not in nurse.url


def test_what_was_typed_is_in_no_file_and_no_log(day: Day, folder: Path) -> None:
    """Name, MRN, narrative and passwords are readable nowhere on the disk."""
    assert (folder / "home" / "store.db").exists()
    for path in folder.rglob("*"):
        if path.is_file() and path.suffix != ".zip":
            content = path.read_bytes()
            for marker in (NAME, MRN, STORY, NURSE[1], DIRECTOR[1]):
                assert marker.encode() not in content, path.name


def test_signing_out_clears_the_screen_and_a_reload_signs_out(
    day: Day, browser: Browser, address: str
) -> None:
    nurse = _visitor(browser, address)
    sign_in(nurse, *NURSE)
    assert NAME in nurse.content()
    press(nurse, "Sign out")
    title(nurse, "Sign in")
    assert NAME not in nurse.content()
    sign_in(nurse, *NURSE)
    nurse.reload()
    title(nurse, "Sign in")


def test_a_draft_outlives_the_browser_and_a_double_click_files_once(
    day: Day, browser: Browser, address: str
) -> None:
    nurse = _visitor(browser, address)
    sign_in(nurse, *NURSE)
    go(nurse, "New report")
    title(nurse, "New report")
    write(nurse, "MRN or name", MRN)
    press(nurse, "Find")
    press(nurse, "Choose")
    choose(nurse, "Protocol", "IV ketamine, depression, induction")
    clock(nurse, "Dose began", "00:02")
    nothing = nurse.get_by_role("radio", name="Nothing happened")
    nothing.click()
    expect(nothing).to_be_checked()
    nurse.wait_for_timeout(2_000)  # a busy machine takes a while to begin the run that saves
    quiet(nurse)
    expect(nurse.get_by_text("Draft saved")).to_be_visible()
    nurse.context.close()

    again = _visitor(browser, address)
    sign_in(again, *NURSE)
    title(again, "Today")
    press(again, "Continue")
    title(again, "New report")
    press(again, "Review and sign")
    title(again, "Review and sign")
    expect(again.get_by_text("Nothing happened.")).to_be_visible()
    again.get_by_role("button", name="Sign and file").dblclick()
    title(again, "Filed")
    go(again, "Today")
    title(again, "Today")
    expect(again.get_by_role("button", name="View")).to_have_count(2)
    expect(again.get_by_role("button", name="Continue")).to_have_count(0)


def test_a_slow_tablet_and_a_hurried_nurse_lose_nothing_that_was_filled_in(
    day: Day, browser: Browser, address: str
) -> None:
    """What the form begins with survives being overtaken by the first presses."""
    nurse = _visitor(browser, address)
    sign_in(nurse, *NURSE)
    nurse.context.new_cdp_session(nurse).send("Emulation.setCPUThrottlingRate", {"rate": 8})
    nurse.get_by_role("link", name="New report", exact=True).click()
    nurse.get_by_role("button", name="New patient", exact=True).click()
    write(nurse, "MRN", "MRN-HURRY")
    expect(nurse.get_by_role("combobox", name="Site")).to_have_value("Main Street")
    expect(nurse.get_by_role("combobox", name="Where")).to_have_value("Clinic")
    year = str(date.today().year)  # noqa: DTZ011 - the server runs on this machine
    parts = nurse.get_by_role("group", name="Day").get_by_role("spinbutton")
    expect(parts.nth(2)).to_have_text(year)
