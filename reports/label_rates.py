"""Published rates of trials and registries, to be read beside a clinic's own.

They come from ``label_rates.toml``, which says what each key means. Nothing is tested against them:
:attr:`LabelRates.cannot_tell` holds what such a comparison cannot tell, and is to be printed with
it. A row whose count was not published has a value and no count, and so no interval.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from reports.intervals import LEVEL, Estimate, whole_number, wilson
from safety.errors import UnknownName
from safety.vocabulary import Vocabulary, vocabulary

UNITS: Final = ("patient", "session")
_ROW_KEYS: Final = {"source", "printed", "term", "group", "note"}
_PERCENT: Final = re.compile(r"\d{1,3}(\.\d+)?")


@dataclass(frozen=True, slots=True)
class LabelSource:
    """Where rates were published. ``unit`` is what a denominator counts: patient or session."""

    id: str
    document: str
    study: str
    phase: str
    unit: str


@dataclass(frozen=True, slots=True)
class LabelRate:
    """The rate of one term in one arm: ``x`` of ``n`` of the source's unit.

    ``x`` and ``n`` are None where they were not published; ``percent`` is the printed text, None
    where only the count was seen. ``group`` is the vocabulary's group for a row that the label
    marks as grouped.
    """

    source: LabelSource
    arm: str
    treatment: str
    printed: str
    term: str
    group: str | None
    x: int | None
    n: int | None
    percent: str | None
    note: str

    @property
    def value(self) -> float:
        """Proportion with the event: from the counts where published, else the percentage."""
        if self.x is not None and self.n:
            return self.x / self.n
        if self.percent is None:
            raise ValueError(f"{self.printed}: neither a count nor a percentage")
        return float(self.percent) / 100

    @property
    def published(self) -> str:
        """What the source prints, in words for a table."""
        if self.x is not None:
            return "count and denominator"
        return "percentage and denominator" if self.n else "percentage only"

    def estimate(self, level: float = LEVEL) -> Estimate:
        """Wilson interval where the count was published, else the value alone."""
        if self.x is not None and self.n:
            return wilson(self.x, self.n, level)
        return Estimate(self.value, None, None, "as published")


@dataclass(frozen=True, slots=True)
class LabelRates:
    """All published rates, and what comparing with them cannot tell."""

    rates: tuple[LabelRate, ...]
    cannot_tell: tuple[str, ...]

    def of_term(self, term_id: str) -> tuple[LabelRate, ...]:
        """Every rate of a term, in the order of the file; empty for one without any."""
        return tuple(rate for rate in self.rates if rate.term == term_id)


@cache
def label_rates() -> LabelRates:
    """Return the published rates that come with Afterdose, read once."""
    path = Path(__file__).with_name("label_rates.toml")
    return parse_label_rates(path.read_text(encoding="utf-8"), vocabulary())


def parse_label_rates(text: str, words: Vocabulary) -> LabelRates:
    """Read the tables of ``label_rates.toml``.

    Raises ValueError, with the row, for a term, group, source or arm that is not known, for counts
    that cannot be, for a percentage that its counts do not give, and for a row given twice.
    """
    tables = tomllib.loads(text)
    sources = tables["source"]
    rates: list[LabelRate] = []
    for number, row in enumerate(tables["rate"], 1):
        try:
            rates += _rates_of(row, sources, words)
        except (KeyError, UnknownName, ValueError) as cause:
            raise ValueError(f"rate {number} ({row.get('printed')}): {_said(cause)}") from None
    _refuse_repeats(rates)
    return LabelRates(tuple(rates), tuple(tables["cannot_tell"]))


def _rates_of(
    row: Mapping[str, Any], sources: Mapping[str, Any], words: Vocabulary
) -> list[LabelRate]:
    source, arms = _source(row["source"], sources), sources[row["source"]]["arm"]
    term, group = words.get(row["term"]).id, row.get("group")
    if group is not None and term not in words.group(group).members:
        raise ValueError(f"group {group!r} does not have the term {term!r}")
    counted = [key for key in row if key not in _ROW_KEYS]
    if not counted:
        raise ValueError("no arm")
    if strangers := set(counted) - set(arms):
        raise ValueError(f"no arm {sorted(strangers)} in source {source.id!r}")
    return [
        LabelRate(source, name, arms[name]["treatment"], row["printed"], term, group,
                  *_numbers(row[name], arms[name].get("n")), row.get("note", ""))
        for name in counted
    ]  # fmt: skip


def _source(source_id: str, sources: Mapping[str, Any]) -> LabelSource:
    if source_id not in sources:
        raise ValueError(f"no source {source_id!r}")
    table = sources[source_id]
    if table["unit"] not in UNITS:
        raise ValueError(f"unit must be one of {', '.join(UNITS)}, not {table['unit']!r}")
    return LabelSource(source_id, table["document"], table["study"], table["phase"], table["unit"])


def _numbers(
    cell: Mapping[str, Any], exposed: int | None
) -> tuple[int | None, int | None, str | None]:
    if strangers := set(cell) - {"x", "percent"}:
        raise ValueError(f"unknown key {sorted(strangers)}")
    x, percent = cell.get("x"), cell.get("percent")
    if x is None and percent is None:
        raise ValueError("neither a count nor a percentage")
    n = None if exposed is None else whole_number(exposed, "n")
    if n == 0:
        raise ValueError("n = 0: nobody was exposed")
    if percent is not None and not (_PERCENT.fullmatch(percent) and float(percent) <= 100):
        raise ValueError(f"percent must be a number from 0 to 100 as text, not {percent!r}")
    if x is None:
        return None, n, percent
    return _counted(whole_number(x, "x"), n, percent)


def _counted(x: int, n: int | None, percent: str | None) -> tuple[int, int, str | None]:
    if n is None:
        raise ValueError(f"x = {x} without a denominator")
    if x > n:
        raise ValueError(f"x = {x} is more than n = {n}")
    if percent is not None:
        decimals = len(percent.partition(".")[2])
        if abs(100 * x / n - float(percent)) > 0.5000001 * 10**-decimals:
            raise ValueError(f"{x} of {n} is not {percent} %")
    return x, n, percent


def _said(cause: Exception) -> str:
    return f"no {cause}" if isinstance(cause, KeyError) else str(cause)


def _refuse_repeats(rates: list[LabelRate]) -> None:
    seen: set[tuple[str, str, str]] = set()
    for rate in rates:
        key = (rate.source.id, rate.printed, rate.arm)
        if key in seen:
            raise ValueError(f"given twice: {', '.join(key)}")
        seen.add(key)
