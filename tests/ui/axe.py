"""axe-core in a page: what keeps people out, as the rules of WCAG see it."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Final, NamedTuple

from playwright.sync_api import Page

GRAVE: Final = frozenset({"serious", "critical"})


class Excused(NamedTuple):
    """What is Streamlit's own: elements that match ``selector`` may break ``rule``."""

    rule: str
    selector: str
    why: str


class Finding(NamedTuple):
    """One element that breaks one rule; it shows its markup, never where a secret was typed."""

    rule: str
    impact: str
    element: str
    says: str


STREAMLITS_OWN: Final[tuple[Excused, ...]] = ()

_RUN: Final = """async (excused) => {
  const done = await axe.run(document, {resultTypes: ["violations"]});
  return done.violations.flatMap((rule) => rule.nodes
    .filter((node) => {
      const found = document.querySelector(node.target[0]);
      return !excused.some(([id, selector]) => id === rule.id && found && found.matches(selector));
    })
    .map((node) => [rule.id, rule.impact, node.html.slice(0, 300), node.failureSummary]));
}"""


@cache
def _source() -> str:
    wheel = files("axe_playwright_python")
    return wheel.joinpath("axe.min.js").read_text(encoding="utf-8")


def grave_findings(page: Page, excused: tuple[Excused, ...] = STREAMLITS_OWN) -> list[Finding]:
    """The serious and critical violations on the page as it is now, less those excused."""
    if not page.evaluate("typeof axe === 'object'"):
        page.evaluate(_source())
    pairs = [[known.rule, known.selector] for known in excused]
    found = [Finding(*each) for each in page.evaluate(_RUN, pairs)]
    return [finding for finding in found if finding.impact in GRAVE]
