"""The published rates: what the file holds, and what its reader refuses."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from reports.intervals import wilson
from reports.label_rates import LabelRate, label_rates, parse_label_rates
from safety.vocabulary import vocabulary

ROOT = Path(__file__).parents[3]
HEAD = """
cannot_tell = ["much"]
[source.here]
document = "a document"
study = "a study"
phase = "a phase"
unit = "patient"
[source.here.arm.esketamine]
treatment = "esketamine"
n = 346
[source.here.arm.registry]
treatment = "esketamine"
"""


def parsed(row: str, head: str = HEAD) -> tuple[LabelRate, ...]:
    text = f'{head}\n[[rate]]\nsource = "here"\nprinted = "A row"\n{row}'
    return parse_label_rates(text, vocabulary()).rates


def test_the_label_table_is_the_one_of_the_example() -> None:
    """All 28 rows, both arms, counts and percentages."""
    with (ROOT / "examples/label/us_label_reactions.csv").open(encoding="utf-8") as file:
        expected = {
            (row["reaction"], arm, int(row[f"{arm}_n"]), n, row[f"{arm}_percent"])
            for row in csv.DictReader(file)
            for arm, n in (("esketamine", 346), ("placebo", 222))
        }
    found = {
        (rate.printed, rate.arm, rate.x, rate.n, rate.percent)
        for rate in label_rates().rates
        if rate.source.id == "us_label_trd"
    }
    assert len(found) == 56
    assert found == expected


@pytest.mark.parametrize(
    "rate", label_rates().rates, ids=lambda rate: f"{rate.source.id}-{rate.printed}-{rate.arm}"
)
def test_every_rate_is_of_a_term_and_within_0_and_1(rate: LabelRate) -> None:
    """Label rows are filed under the term that their printed name finds."""
    term = vocabulary().get(rate.term)
    assert 0 <= rate.value <= 1
    assert rate.source.unit in {"patient", "session"}
    if rate.source.id.startswith("us_label"):
        assert vocabulary().find(rate.printed) == term
        assert rate.published == "count and denominator"
    if rate.group is not None:
        assert vocabulary().group(rate.group).label_row


def test_rows_that_the_label_marks_as_grouped_name_the_group() -> None:
    """Every group of the vocabulary that stands for a label row is used, and no other."""
    used = {rate.group for rate in label_rates().rates if rate.group is not None}
    assert used == {group.id for group in vocabulary().groups if group.label_row}


def test_one_registry_shows_why_the_unit_is_printed() -> None:
    """Sedation in 61.9 % of patients and 34.7 % of sessions, without counts."""
    rates = [
        rate for rate in label_rates().of_term("sedation") if rate.source.phase != "short term"
    ]
    assert [(rate.source.unit, rate.percent) for rate in rates] == [
        ("patient", "61.9"),
        ("session", "34.7"),
    ]
    assert [rate.estimate().value for rate in rates] == pytest.approx([0.619, 0.347])
    assert {rate.estimate().low for rate in rates} == {None}
    assert {rate.estimate().method for rate in rates} == {"as published"}


def test_grouping_changes_the_count_of_the_same_patients() -> None:
    """34 of 227 in the label, 26 of 227 in the article."""
    rates = label_rates().of_term("blood_pressure_increased")
    counts = {rate.source.id: (rate.x, rate.n) for rate in rates if rate.arm == "esketamine"}
    assert (counts["us_label_si"], counts["si_article"]) == ((34, 227), (26, 227))


def test_a_percentage_of_known_patients_is_not_worked_back_to_a_count() -> None:
    """44.3 % of 203: the denominator is known, the count was not published."""
    (rate,) = (rate for rate in label_rates().rates if rate.source.id == "crtce")
    assert (rate.x, rate.n, rate.published) == (None, 203, "percentage and denominator")
    assert rate.estimate().low is None


def test_published_counts_have_a_wilson_interval() -> None:
    """Dissociation, 142 of 346."""
    rate = label_rates().of_term("dissociation")[0]
    assert rate.estimate(0.9) == wilson(142, 346, 0.9)


def test_what_cannot_be_told_is_said() -> None:
    """Chosen patients, placebo, the unit, the grouping, the asking, and no test."""
    said = " ".join(label_rates().cannot_tell)
    for word in ("chosen", "placebo", "not sessions", "groups of terms", "questions", "No test"):
        assert word in said


def test_a_term_without_a_published_rate_has_none() -> None:
    """Silence, not 0."""
    assert label_rates().of_term("nystagmus") == ()


def test_a_good_row_is_read() -> None:
    """What was published decides what is known."""
    count, share = parsed(
        'term = "nausea"\nesketamine = { x = 98, percent = "28.3" }\nregistry = { percent = "30" }'
    )
    assert (count.x, count.n, count.value) == (98, 346, 98 / 346)
    assert (share.x, share.n, share.value, share.published) == (None, None, 0.3, "percentage only")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ('term = "toothache"\nesketamine = { x = 1 }', "There is no term with this id"),
        ('term = "grouped_anxiety"\nesketamine = { x = 1 }', "There is no term with this id"),
        ('term = "nausea"\nesketamine = { x = 347 }', "x = 347 is more than n = 346"),
        ('term = "nausea"\nesketamine = { x = -1 }', "x must be a count of 0 or more"),
        ('term = "nausea"\nesketamine = { x = 9.5 }', "x must be a whole number"),
        ('term = "nausea"\nregistry = { x = 3 }', "x = 3 without a denominator"),
        ('term = "nausea"\nesketamine = {}', "neither a count nor a percentage"),
        ('term = "nausea"\nesketamine = { n = 5 }', "unknown key"),
        ('term = "nausea"\nesketamine = { percent = "100.1" }', "percent must be"),
        ('term = "nausea"\nesketamine = { percent = "many" }', "percent must be"),
        ('term = "nausea"\nesketamine = { x = 98, percent = "28.4" }', "98 of 346 is not 28.4 %"),
        ('term = "nausea"', "no arm"),
        ('term = "nausea"\nketamine = { x = 3 }', "no arm .'ketamine'. in source 'here'"),
        ('term = "nausea"\ngroup = "grouped_anxiety"\nesketamine = { x = 3 }', "does not have"),
        ('term = "nausea"\ngroup = "nausea"\nesketamine = { x = 3 }', "is a term, not a group"),
        ("esketamine = { x = 3 }", "no 'term'"),
    ],
)
def test_a_wrong_row_is_refused_by_name(row: str, message: str) -> None:
    """The message says which row and what is wrong with it."""
    with pytest.raises(ValueError, match=rf"rate 1 \(A row\): .*{message}"):
        parsed(row)


@pytest.mark.parametrize(
    ("head", "message"),
    [
        (HEAD.replace("[source.here", "[source.there"), "no source 'here'"),
        (HEAD.replace('"patient"', '"month"'), "unit must be one of patient, session"),
        (HEAD.replace("n = 346", "n = 0"), "nobody was exposed"),
    ],
)
def test_a_wrong_source_is_refused(head: str, message: str) -> None:
    """A row is only as good as what it points to."""
    with pytest.raises(ValueError, match=message):
        parsed('term = "nausea"\nesketamine = { percent = "3" }', head)


def test_a_row_given_twice_is_refused() -> None:
    """It would be printed twice."""
    row = '[[rate]]\nsource = "here"\nprinted = "A row"\nterm = "nausea"\nesketamine = { x = 3 }\n'
    with pytest.raises(ValueError, match="given twice: here, A row, esketamine"):
        parse_label_rates(HEAD + row + row, vocabulary())
