"""Every page for every role, as axe-core sees it: light and dark, at a desk and on a tablet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from reports.ui.places import READING
from safety.access import PERMITTED, Role
from safety.demonstration import demonstration_accounts
from safety.ui.desk import CLINIC, SESSIONS
from safety.ui.places import Place
from safety.vocabulary import vocabulary
from tests.ui import browsing
from tests.ui.axe import STREAMLITS_OWN, Finding, grave_findings
from tests.ui.browsing import choose, clock, go, press, quiet, sign_in, title, write

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("accessibility")]

PLACES: Final = (*READING, *SESSIONS, *CLINIC)
TABLET: Final = (820, 1180)
DESK: Final = (1440, 900)
SMALLEST: Final = 44
"""Pixels: the height of a target for fingers, WCAG 2.2, 2.5.5."""

DOCUMENT: Final = Path(__file__).parents[2] / "docs" / "accessibility.md"
Scheme = Literal["light", "dark"]


@dataclass
class Walk:
    """One browser of one size and colour, and what was found on the way."""

    page: Page
    found: dict[str, list[Finding]] = field(default_factory=dict)

    def look(self, where: str) -> None:
        """Let axe look at the page as it is now."""
        quiet(self.page)
        self.page.wait_for_timeout(300)  # fading in lowers the contrast
        if found := grave_findings(self.page):
            self.found[where] = found

    def assert_nothing(self) -> None:
        """Fail with every finding and where it is."""
        lines = [
            f"{where}: {each.rule} ({each.impact})\n  {each.element}\n  {each.says}"
            for where, found in self.found.items()
            for each in found
        ]
        assert not lines, "\n".join(lines)


@pytest.fixture(scope="module")
def browser(chromium_path: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=chromium_path, args=list(browsing.ARGUMENTS)
        )
        yield running
        running.close()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("accessibility")
    with browsing.served(folder / "home", folder / "server.log") as given:
        yield given


_SIZES: Final = {
    "tablet-light": (TABLET, "light"),
    "desk-dark": (DESK, "dark"),
    "tablet-dark": (TABLET, "dark"),
    "desk-light": (DESK, "light"),
}


def _walks(*always: str) -> list[Any]:
    """Every size and colour; those that are not walked always are walked with --run-slow."""
    return [
        pytest.param(size, id=name, marks=() if name in always else pytest.mark.slow)
        for name, size in _SIZES.items()
    ]


unfolded = pytest.mark.parametrize("walk", _walks("tablet-light"), indirect=True)
"""For what takes long: one size always, the others with --run-slow."""


@pytest.fixture(params=_walks("tablet-light", "desk-dark"))
def walk(request: pytest.FixtureRequest, browser: Browser, address: str) -> Iterator[Walk]:
    (width, height), scheme = request.param
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce"
    )
    page = context.new_page()
    page.goto(address)
    title(page, "Welcome to Afterdose")
    yield Walk(page)
    context.close()


def test_the_pages_before_signing_in_keep_nobody_out(walk: Walk) -> None:
    walk.look("first run")
    _to_the_demonstration(walk)
    walk.look("sign in")
    walk.assert_nothing()


_SEES_MOST: Final = (Role.NURSE, Role.DIRECTOR)
"""Together they see every page but the administrator's emergency access."""


@pytest.mark.parametrize(
    "role",
    [pytest.param(r, marks=() if r in _SEES_MOST else pytest.mark.slow) for r in Role],
)
def test_every_page_of_every_role_keeps_nobody_out(walk: Walk, role: Role) -> None:
    _to_the_demonstration(walk)
    _sign_in_as(walk.page, role)
    for place in _open_to(role):
        if place.listed:
            _go(walk.page, place.title)
            walk.look(f"{role}: {place.path}")
        else:
            WAYS[place.path](walk.page)
            walk.look(f"{role}: {place.path}")
    walk.assert_nothing()


def test_each_step_of_a_report_keeps_nobody_out(walk: Walk) -> None:
    _to_the_demonstration(walk)
    _sign_in_as(walk.page, Role.NURSE)
    _write_a_report(walk)
    press(walk.page, "Review and sign")
    title(walk.page, "Review and sign")
    walk.look("review")
    press(walk.page, "Sign and file")
    title(walk.page, "Filed")
    walk.look("filed")
    walk.assert_nothing()


@unfolded
def test_what_opens_on_a_page_keeps_nobody_out(walk: Walk) -> None:
    page = walk.page
    _to_the_demonstration(walk)
    _sign_in_as(page, Role.NURSE)
    _go(page, "Today")
    page.locator(".st-key-plan-session button").click()
    page.get_by_role("dialog").get_by_label("MRN or name").fill("DEMO-402")
    page.keyboard.press("Enter")
    walk.look("dialog of planning")
    page.keyboard.press("Escape")
    _open_a_patient(page)
    walk.look("patient")
    page.get_by_text("The same as a table").click()
    walk.look("patient, as a table")
    _write_a_report(walk)
    for more in page.get_by_text("More about it").all():
        more.click()
    page.get_by_text("Findings", exact=True).click()
    press(page, "It was serious all the same")
    walk.look("report, everything unfolded")
    page.get_by_role("button", name="Complete").click()
    walk.look("report, what is missing")
    page.keyboard.press("Escape")
    page.get_by_role("combobox", name="Protocol").click()
    walk.look("report, a list open")
    walk.assert_nothing()


@unfolded
def test_founding_and_unlocking_keep_nobody_out(walk: Walk, tmp_path: Path) -> None:
    home, page = tmp_path / "home", walk.page
    with browsing.served(home, tmp_path / "server.log") as address:
        page.goto(address)
        title(page, "Welcome to Afterdose")
        _found_with_a_passphrase(page)
        title(page, "The recovery code")
        walk.look("recovery code")
    with browsing.served(home, tmp_path / "server.log") as address:
        page.goto(address)
        title(page, "Unlock")
        walk.look("unlock")
        page.get_by_label("Passphrase or recovery code").fill("not the passphrase at all")
        press(page, "Unlock")
        walk.look("unlock, refused")
    walk.assert_nothing()


def test_what_a_nurse_presses_on_a_tablet_is_large_enough(browser: Browser, address: str) -> None:
    context = browser.new_context(viewport={"width": TABLET[0], "height": TABLET[1]})
    page = context.new_page()
    page.goto(address)
    walk = Walk(page)
    _to_the_demonstration(walk)
    _sign_in_as(page, Role.NURSE)
    small: dict[str, list[str]] = {}
    for place in _open_to(Role.NURSE):
        if place.listed:
            _go(page, place.title)
            quiet(page)
            small[place.path] = page.evaluate(_SMALL, SMALLEST)
    _write_a_report(walk)
    small["two events"] = page.evaluate(_SMALL, SMALLEST)
    context.close()
    assert small == {place: [] for place in small}


def test_what_is_excused_is_in_the_document() -> None:
    rows = [
        tuple(cell.strip().strip("`") for cell in line.strip("|").split("|"))
        for line in DOCUMENT.read_text(encoding="utf-8").splitlines()
        if line.startswith("| `")
    ]
    assert rows == [tuple(excused) for excused in STREAMLITS_OWN]


def test_every_page_without_a_link_has_a_way_here() -> None:
    assert {place.path for place in PLACES if not place.listed} == set(WAYS)


# Everything that is pressed, in sight. The small signs inside a field (clear, open, step, show) and
# beside its label (help) are Streamlit's own; the field itself answers a finger anywhere.
_SMALL: Final = """(least) => [...document.querySelectorAll(
    '[data-testid="stMain"] button, [data-testid="stBottom"] button, [role="radiogroup"] label')]
  .filter((e) => e.checkVisibility({visibilityProperty: true}) && e.offsetHeight > 0)
  .filter((e) => !e.closest('[data-testid="stSelectbox"], [data-testid="stMultiSelect"], '
    + '[data-testid="stNumberInput"], [data-testid="stDateInput"], [data-testid="stTimeInput"], '
    + '[data-testid="stTextInput"], [data-testid="stTooltipIcon"]'))
  .filter((e) => e.getBoundingClientRect().height < least - 0.5)
  .map((e) => `${(e.innerText || e.ariaLabel || e.dataset.testid || e.className).slice(0, 40)}: `
    + `${Math.round(e.getBoundingClientRect().height)}`)
"""


def _to_the_demonstration(walk: Walk) -> None:
    walk.page.get_by_role("tab", name="Open the demonstration").click()
    press(walk.page, "Open the demonstration")
    title(walk.page, "Sign in")


def _sign_in_as(page: Page, role: Role) -> None:
    account = next(known for known in demonstration_accounts() if known.role is role)
    sign_in(page, account.username, account.password)


def _open_to(role: Role) -> list[Place]:
    return [p for p in PLACES if p.needs is None or role in PERMITTED[p.needs]]


def _go(page: Page, name: str) -> None:
    go(page, name)
    page.locator("h1").first.wait_for(timeout=30_000)


def _view_a_report(page: Page) -> None:
    _go(page, "Today")
    if not page.get_by_role("button", name="View", exact=True).count():
        press(page, "Earlier reports")
    press(page, "View")
    title(page, "Filed report")


WAYS: Final[dict[str, Callable[[Page], None]]] = {"filed": _view_a_report}
"""How a person comes to each page that the navigation does not list."""


def _open_a_patient(page: Page) -> None:
    _go(page, "Patients")
    page.get_by_label("MRN or name").fill("a")
    press(page, "Find")
    press(page, "Open")
    expect(page.get_by_text("The same as a table")).to_be_visible(timeout=30_000)


def _found_with_a_passphrase(page: Page) -> None:
    for label, text in (
        ("Name of the clinic", "Alder Clinic"),
        ("First site", "Main Street"),
        ("User name", "ida"),
        ("Name shown", "Dr Ida Marsh"),
        ("Password", "lantern gravel otter 58"),
        ("Password again", "lantern gravel otter 58"),
    ):
        write(page, label, text)
    page.locator("label", has_text="Passphrase").first.click()
    quiet(page)
    secret = page.locator('[data-testid="stTextInput"]', has_text="Passphrase").locator("input")
    secret.fill("seven herons over the quiet harbour 93")
    secret.blur()
    quiet(page)
    press(page, "Create the clinic")


def _write_a_report(walk: Walk) -> None:
    page = walk.page
    _go(page, "New report")
    title(page, "New report")
    press(page, "New patient")
    write(page, "MRN", f"AXE-{id(walk) % 100_000}")
    write(page, "Name", "Willow Example")
    walk.look("report, new patient")
    choose(page, "Site", "Main Street")
    choose(page, "Protocol", "IV ketamine, depression, induction")
    clock(page, "Dose began", "00:01")
    write(page, "Dose, mg", "40")
    write(page, "Weight, kg", "80")
    for at, (high, low) in {0: (128, 80), 2: (176, 98)}.items():
        write(page, "Sys", str(high), at=at)
        write(page, "Dia", str(low), at=at)
    for name in ("nausea", "dissociation"):
        term = vocabulary().get(name)
        press(page, term.name)
        page.get_by_text(term.wording_for(1)).first.click()
        quiet(page)
    walk.look("report, two events and a spike")
