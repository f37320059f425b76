"""``afterdose trend``: columns, a row a period, marks, and what stands beside."""

from __future__ import annotations

import csv
import io
from typing import Final

import pytest

from reports.charts import RULE_SETS
from reports.commands.parser import TREND_CHARTS, TREND_RULES
from reports.trends import CHARTS
from tests.support.command_line import Desk

SESSIONS: Final = """\
session_ref,site,patient_mrn,protocol,started_at,no_adverse_event
s1,Main Street,A-1,IV induction,2026-01-05T10:00,
s2,Main Street,A-1,IV induction,2026-01-08T10:00,1
s3,Main Street,B-2,IV induction,2026-01-20T10:00,
"""
EVENTS: Final = "session_ref,term,grade\ns1,Nausea,2\ns3,feeling sick,1\n"
COLUMNS: Final = [
    "period", "with_event", "exposed", "estimate", "centre", "lower", "upper", "flag", "rule",
]  # fmt: skip
ASKED: Final = (
    *("trend", "--term", "nausea", "--protocol", "IV induction"),
    *("--from", "2026-01-05", "--to", "2026-01-25"),
)


@pytest.fixture
def filled(clinic: Desk) -> Desk:
    pair = clinic.file("SESSIONS.csv", SESSIONS), clinic.file("EVENTS.csv", EVENTS)
    assert clinic.run("import", *pair).status == 0
    return clinic


def test_the_csv_has_exactly_the_promised_columns(filled: Desk) -> None:
    done = filled.run(*ASKED, "--every", "week", "--format", "csv")
    assert done.status == 0
    rows = list(csv.DictReader(io.StringIO(done.out)))
    assert list(rows[0]) == COLUMNS
    found = [(r["period"], r["with_event"], r["exposed"], r["estimate"], r["flag"]) for r in rows]
    assert found == [
        ("2026-01-05", "1", "2", "0.5", "0"),
        ("2026-01-12", "0", "0", "", "0"),
        ("2026-01-19", "1", "1", "1.0", "0"),
    ]


def test_the_json_holds_numbers_and_nothing_else_is_on_standard_output(filled: Desk) -> None:
    done = filled.run(*ASKED, "--every", "month", "--chart", "laney", "--format", "json")
    (row,) = done.json()
    assert list(row) == COLUMNS
    assert (row["period"], row["with_event"], row["exposed"]) == ("2026-01-01", 2, 3)
    assert (row["flag"], row["rule"]) == (0, "")
    assert "baseline of 1 points, provisional" in done.err


def test_filters_reach_the_counts(filled: Desk) -> None:
    done = filled.run(*ASKED, "--min-grade", "2", "--site", "Main Street", "--format", "json")
    assert [row["with_event"] for row in done.json()] == [1, 0, 0]


def test_a_wrong_name_says_what_to_do(filled: Desk) -> None:
    done = filled.run("trend", "--protocol", "nothing like it", *ASKED[5:])
    assert done.status == 1
    assert done.out == ""
    assert "protocol" in done.err


def test_the_parser_offers_every_chart_and_set_of_rules() -> None:
    assert TREND_CHARTS == CHARTS
    assert set(TREND_RULES) == set(RULE_SETS)
