"""What every page promises: read from the source, so that a new page cannot forget it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = (ROOT / "safety/ui", ROOT / "reports/ui")
PAGES = sorted([*(path for f in FOLDERS for path in f.rglob("*.py")), ROOT / "streamlit_app.py"])
IN_THE_ADDRESS = {
    "comparison_filters.py",
    "group_filters.py",
    "incidence_page.py",
    "number_filters.py",
    "quarters.py",
    "trend_choice.py",
}
"""Choices that a link may carry: periods, protocols, terms, units. They are chosen, never typed."""

MARKDOWN = {"write", "markdown", "caption", "title", "header", "subheader", "metric", "badge"}
# Names of people, places and their words: st.text shows them, Markdown must not meet them.
TYPED = re.compile(
    r"\b(\w+\.)?(narrative|display_name|mrn|in_one_line|heading\(|\.lines|username)\b"
)


def _calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node.func.attr, node


@pytest.mark.parametrize("path", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
class TestEveryPage:
    def test_caches_nothing(self, path: Path) -> None:
        assert not re.search(r"cache_(data|resource)", path.read_text(encoding="utf-8"))

    def test_allows_no_html_of_strings(self, path: Path) -> None:
        text = path.read_text(encoding="utf-8")
        assert "unsafe_allow" not in text
        html = [call for name, call in _calls(path) if name == "html"]
        assert all(isinstance(call.args[0], ast.Name) for call in html)

    def test_puts_nothing_into_the_address_but_what_rates_are_asked_of(self, path: Path) -> None:
        text = path.read_text(encoding="utf-8")
        if path.name in IN_THE_ADDRESS:
            assert path.parent == ROOT / "reports" / "ui"  # where no page draws a patient
            assert not {name for name, _ in _calls(path)} & {"text_input", "text_area"}
            return
        assert "query_params" not in text
        assert "query-params" not in text

    def test_gives_no_typed_text_to_markdown(self, path: Path) -> None:
        for name, call in _calls(path):
            if name in MARKDOWN and ast.unparse(call.func).startswith("st."):
                shown = " ".join(ast.unparse(argument) for argument in call.args[:1])
                assert not TYPED.search(shown) or "say.plain" in shown, ast.unparse(call)

    def test_asks_services_and_never_the_database(self, path: Path) -> None:
        text = path.read_text(encoding="utf-8")
        for forbidden in ("sqlalchemy", ".read()", ".write()", "safety.store.tables", ".ring"):
            assert forbidden not in text

    def test_is_short(self, path: Path) -> None:
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 260


def test_the_router_is_short() -> None:
    assert len((ROOT / "streamlit_app.py").read_text(encoding="utf-8").splitlines()) < 80


def test_the_style_asks_no_other_machine() -> None:
    style = (ROOT / "safety/ui/style.css").read_text(encoding="utf-8")
    assert "url(" not in style
    assert "@import" not in style
