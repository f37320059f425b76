"""Every link, picture, path and heading that a page names is there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

from docs import tables

ROOT: Final = tables.ROOT
LINK: Final = re.compile(r"!?\[[^\]]*\]\((?P<target>[^)\s]+)\)")
NAMED: Final = re.compile(r"`((?:safety|reports|tests|docs|examples|benchmarks)/[\w./-]*)`")
FENCE: Final = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
HEADING: Final = re.compile(r"^#+ (.+)$", re.MULTILINE)
PAGES: Final = [page.relative_to(ROOT).as_posix() for page in tables.pages()]
NUMBERED: Final = re.compile(r"(?P<number>\d{4})-[a-z0-9-]+\.md")


def prose(page: str | Path) -> str:
    """The text of a page without what stands between fences."""
    return FENCE.sub("", (ROOT / page).read_text(encoding="utf-8"))


def anchors(page: Path) -> set[str]:
    """The anchors that a page's headings make."""
    plain = (re.sub(r"[^\w\- ]", "", text.casefold()) for text in HEADING.findall(prose(page)))
    return {text.replace(" ", "-") for text in plain}


@pytest.mark.parametrize("page", PAGES)
def test_every_relative_link_and_picture_resolves(page: str) -> None:
    broken = []
    for match in LINK.finditer(prose(page)):
        target, _, anchor = match["target"].partition("#")
        if target.startswith(("http://", "https://")):
            continue
        path = (ROOT / page).parent / target if target else ROOT / page
        if not path.exists() or (anchor and anchor not in anchors(path)):
            broken.append(match["target"])
    assert broken == []


@pytest.mark.parametrize("page", PAGES)
def test_every_file_that_a_page_names_exists(page: str) -> None:
    named = NAMED.findall(prose(page))
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached or page.suffix != ".md":
            continue
        reached.add(page)
        for match in LINK.finditer(prose(page)):
            target = (page.parent / match["target"].partition("#")[0]).resolve()
            if target.is_file():
                waiting.append(target)
    assert [page.name for page in tables.pages() if page.resolve() not in reached] == []


def test_decisions_are_numbered_once_and_listed() -> None:
    listing = (ROOT / "docs/adr/README.md").read_text(encoding="utf-8")
    records = sorted(path.name for path in (ROOT / "docs/adr").glob("[0-9]*.md"))
    numbers = [match["number"] for name in records if (match := NUMBERED.fullmatch(name))]
    assert numbers == [f"{number:04}" for number in range(1, len(records) + 1)]
    assert [name for name in records if f"({name})" not in listing] == []


@pytest.mark.parametrize("page", [page for page in PAGES if "/adr/0" in page])
def test_a_decision_has_its_sections_and_says_what_it_costs(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    assert re.search(r"^Date: \d{4}-\d\d-\d\d$", text, re.MULTILINE)
    assert re.search(r"^Status: (accepted|superseded by \[)", text, re.MULTILINE)
    assert HEADING.findall(text)[1:] == ["Context", "Decision", "Consequences"]
    assert text.partition("## Consequences")[2].count("\n- ") >= 2


def test_each_promise_names_a_module_and_a_test() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = text.partition("## Security promises")[2].partition("\n## ")[0]
    rows = [line.split("|")[1:-1] for line in section.splitlines() if line.startswith("| ")][2:]
    assert len(rows) >= 15
    for promise, modules, tests in rows:
        assert re.search(r"`(safety|reports|\.streamlit)/", modules), promise
        assert re.search(r"`tests/", tests), promise
