"""A change draws its band alone, shows everything that it changes, and asks who is there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import pytest
from playwright.sync_api import Page, WebSocket, expect, sync_playwright

from safety import accounts
from safety.access import CONSOLE
from safety.clock import now
from safety.store.handle import Store
from tests.support.accounts import PASSWORD, an_account
from tests.support.stores import made_store, reopened
from tests.ui import browsing
from tests.ui.browsing import choose, clock, press, sign_in, title, write

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("bands")]

PROTOCOL: Final = "IV ketamine, depression, induction"
# The page has some two hundred elements, the largest band less than half of them.
FEW: Final = 90
# Sooner than the look every 15 seconds that clears any other page.
AT_ONCE_MS: Final = 5_000


@dataclass
class Nurse:
    """A page with an open form, and the messages that the server sent to it."""

    page: Page
    store: Store
    messages: list[int] = field(default_factory=list)

    def hears(self, socket: WebSocket) -> None:
        socket.on("framereceived", lambda data: self.messages.append(len(data)))

    def says(self, text: str) -> None:
        expect(self.page.locator('[data-testid="stBottom"]').get_by_text(text)).to_be_visible()


@pytest.fixture(scope="module")
def nurse(chromium_path: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nurse]:
    folder = tmp_path_factory.mktemp("bands")
    store = made_store(folder, now)
    an_account(store, username="nora")
    arguments: Any = {"executable_path": chromium_path, "args": list(browsing.ARGUMENTS)}
    with (
        browsing.served(folder / "home", folder / "server.log") as address,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(**arguments)
        nurse = Nurse(browser.new_page(viewport={"width": 820, "height": 1180}), reopened(store))
        nurse.page.on("websocket", nurse.hears)
        nurse.page.goto(address)
        sign_in(nurse.page, "nora", PASSWORD)
        _begin(nurse.page)
        yield nurse
        browser.close()
        nurse.store.close()


def _begin(page: Page) -> None:
    title(page, "Today")
    page.locator(".st-key-new-report button").click()
    title(page, "New report")
    press(page, "New patient")
    write(page, "MRN", "MRN-BAND-1")
    choose(page, "Protocol", PROTOCOL)
    clock(page, "Dose began", "00:01")


def test_a_change_is_drawn_alone_and_kept(nurse: Nurse) -> None:
    write(nurse.page, "Sys", "128")
    nurse.messages.clear()
    write(nurse.page, "Dia", "80")
    assert 0 < len(nurse.messages) < FEW
    nurse.says("Draft saved")


def test_what_one_band_finds_out_another_one_asks_about(nurse: Nurse) -> None:
    asks = nurse.page.get_by_text("The blood pressure rose. Is it an event?")
    expect(asks).to_have_count(0)
    write(nurse.page, "Sys", "190", at=2)
    expect(asks).to_be_visible()
    nurse.page.get_by_role("button", name="Blood pressure increased").last.click()
    expect(asks).to_have_count(0)
    expect(nurse.page.locator(".st-key-event-blood_pressure_increased")).to_be_visible()


def test_the_bar_is_drawn_once_whichever_band_changed(nurse: Nurse) -> None:
    bar, page = nurse.page.locator('[data-testid="stBottom"]'), nurse.page
    score = bar.get_by_role("button", name="Complete")
    changes: tuple[Callable[[], None], ...] = (
        lambda: write(page, "Lowest SpO2, %", "97"),
        lambda: press(page, "Headache"),
        lambda: write(page, "Ready after, min", "90"),
        lambda: write(page, "Dose, mg", "40"),
    )
    shown = [score.inner_text()]
    for change in changes:
        change()
        expect(score).to_have_count(1)
        expect(bar.get_by_text("MRN-BAND-1")).to_have_count(1)
        shown.append(score.inner_text())
    assert shown[0] != shown[1] == shown[2] == shown[3] != shown[4], shown


def test_whoever_is_signed_out_meanwhile_is_shown_nothing_more(nurse: Nurse) -> None:
    (account,) = (a for a in accounts.list_accounts(nurse.store, CONSOLE) if a.username == "nora")
    accounts.close_account(nurse.store, CONSOLE, account.id)
    field = nurse.page.get_by_label("Lowest SpO2, %")
    field.fill("96")
    field.blur()
    expect(nurse.page.get_by_role("heading", name="Sign in")).to_be_visible(timeout=AT_ONCE_MS)
    expect(nurse.page.get_by_text("MRN-BAND-1")).to_have_count(0)
