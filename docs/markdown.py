"""Markdown tables."""

from __future__ import annotations

from collections.abc import Iterable


def table(heading: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table with one line a row; cells are Markdown already."""
    lines = [tuple(heading), *map(tuple, rows)]
    text = [f"| {' | '.join(line)} |" for line in lines]
    text.insert(1, f"|{' --- |' * len(lines[0])}")
    return "\n".join(text)
