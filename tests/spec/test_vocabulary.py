"""What can be filed, with which grades, and what is counted together.

Each test is a paragraph of the manual for the medical director.
"""

from __future__ import annotations

import pytest

from safety.errors import UnknownName
from safety.vocabulary import seed_protocols, vocabulary

LABEL_REACTIONS = """
    Dissociation | Dizziness | Nausea | Sedation | Vertigo | Headache | Dysgeusia | Hypoesthesia
    Anxiety | Lethargy | Blood pressure increased | Vomiting | Insomnia | Diarrhea
    Nasal discomfort | Throat irritation           | Feeling drunk | Dry mouth | Hyperhidrosis
    Euphoric mood | Dysarthria | Tremor | Oropharyngeal pain | Mental impairment | Constipation
    Pollakiuria | Feeling abnormal | Tachycardia
"""


def named(table: str) -> list[str]:
    return [name.strip() for line in table.split("\n") for name in line.split("|") if name.strip()]


@pytest.mark.parametrize("reaction", named(LABEL_REACTIONS))
def test_every_reaction_of_the_label_table_is_found_by_its_name_and_is_expected(
    reaction: str,
) -> None:
    assert vocabulary().find(reaction).expected
    assert vocabulary().find(reaction.upper()) is vocabulary().find(reaction.lower())


def test_the_label_table_has_28_reactions_and_each_is_a_term_of_its_own() -> None:
    assert len({vocabulary().find(name).id for name in named(LABEL_REACTIONS)}) == 28


@pytest.mark.parametrize(
    ("term", "grades"),
    [
        ("Nausea", "grades 1 to 3"),
        ("Vomiting", "grades 1 to 5"),
        ("Headache", "grades 1 to 3"),
        ("Dysgeusia", "grades 1 to 2"),
        ("Lethargy", "grades 1 to 2"),
        ("Palpitations", "grades 1 to 2"),
        ("Urinary frequency", "grades 1 to 2"),
        ("Dysuria", "grade 1 only"),
        ("Presyncope", "grade 2 only"),
        ("Phlebitis", "grade 2 only"),
        ("Syncope", "grade 3 only"),
        ("Nystagmus", "grades 2 to 3"),
        ("Hypoxia", "grades 2 to 5"),
        ("Anxiety", "grades 1 to 4"),
        ("Suicidal ideation", "grades 1 to 4"),
        ("Suicide attempt", "grades 3 to 5"),
        ("Anaphylaxis", "grades 3 to 5"),
        ("Hypertension", "grades 1 to 5"),
    ],
)
def test_a_term_has_only_the_grades_that_ctcae_gives_it(term: str, grades: str) -> None:
    found = vocabulary().find(term)
    assert found.grades_in_words() == grades
    assert (found.scale, found.scale_version) == ("CTCAE", "5.0")


def test_nausea_has_no_grade_4() -> None:
    assert not vocabulary().find("Nausea").has_grade(4)
    with pytest.raises(UnknownName, match="Nausea has no grade 4: grades 1 to 3"):
        vocabulary().find("Nausea").wording_for(4)


@pytest.mark.parametrize(
    "term",
    [
        "Dissociation",
        "Derealisation",
        "Depersonalisation",
        "Sedation",
        "Feeling drunk",
        "Feeling abnormal",
        "Hypoaesthesia",
        "Pollakiuria",
        "Mental impairment",
        "Diplopia",
        "Salivary hypersecretion",
        "Drug abuse",
        "Drug dependence",
        "Craving",
        "Withdrawal syndrome",
        "Medication error",
        "Overdose",
        "Respiratory depression",
        "Other, specify",
    ],
)
def test_a_term_that_ctcae_does_not_have_is_graded_on_our_own_scale(term: str) -> None:
    found = vocabulary().find(term)
    assert found.ctcae is None
    assert (found.scale, found.scale_version) == ("Afterdose", "1")


@pytest.mark.parametrize(
    ("said", "filed"),
    [
        ("threw up", "Vomiting"),
        ("spaced out", "Dissociation"),
        ("Diarrhea", "Diarrhoea"),
        ("hypoesthesia", "Hypoaesthesia"),
        ("numb", "Hypoaesthesia"),
        ("pins and needles", "Paraesthesia"),
        ("room spinning", "Vertigo"),
        ("light-headed", "Dizziness"),
        ("low sats", "Hypoxia"),
        ("BP spike", "Blood pressure increased"),
        ("high blood pressure", "Hypertension"),
        ("Tachycardia", "Sinus tachycardia"),
        ("Euphoric mood", "Euphoria"),
        ("Chest pain - cardiac", "Cardiac chest pain"),
    ],
)
def test_a_term_is_found_by_what_people_say(said: str, filed: str) -> None:
    assert vocabulary().find(said).name == filed


def test_chest_pain_alone_is_not_guessed() -> None:
    expected = "Did you mean Cardiac chest pain or Non-cardiac chest pain"
    with pytest.raises(UnknownName, match=expected):
        vocabulary().find("chest pain")


def test_a_patients_name_in_the_wrong_column_does_not_come_back_in_the_message() -> None:
    with pytest.raises(UnknownName) as error:
        vocabulary().find("Quentin Zweistein")
    assert "Zweistein" not in str(error.value)


def test_blood_pressure_increased_is_a_term_and_its_group_has_another_name() -> None:
    """One event "Blood pressure increased" can be filed; the group also counts hypertension."""
    assert vocabulary().members("Blood pressure increased") == {"blood_pressure_increased"}
    assert vocabulary().members("Blood pressure increased (grouped)") == {
        "blood_pressure_increased",
        "hypertension",
    }


def test_a_group_says_that_its_list_is_a_default() -> None:
    group = vocabulary().group("Dissociation (grouped)")
    assert group.label_row
    assert group.members == ("dissociation", "derealisation", "depersonalisation", "hallucinations")
    assert group.note.startswith("Members are a default of this vocabulary")


def test_5_on_moaas_is_alert_and_anything_below_is_sedation() -> None:
    scale = vocabulary().instrument("moaas")
    assert (scale.low, scale.high) == (0, 5)
    assert scale.direction.startswith("5 is alert")
    assert (scale.threshold_rule, scale.threshold_mark) == (
        "below 5 counts as sedation",
        "confirmed",
    )


def test_cadss_6_runs_from_0_to_24_and_has_no_threshold() -> None:
    scale = vocabulary().instrument("cadss6")
    assert (scale.low, scale.high, scale.threshold_mark) == (0, 24, "none")


def test_no_published_threshold_is_claimed_for_liking_and_craving() -> None:
    for name in ("drug_liking_vas", "craving_vas", "sds"):
        assert vocabulary().instrument(name).threshold_mark == "default"


PROTOCOLS = """
    name                                 | dose                        | days | in 28 | in 90
    IV ketamine, depression, induction   | 0.5 mg/kg over 40 min       | 3    | 8     | 12
    IV ketamine, depression, maintenance | 0.5 mg/kg over 40 min       | 21   | 2     | 6
    IM ketamine, depression              | 0.5 to 1 mg/kg              | 7    | 6     | 14
    Esketamine nasal, induction          | 56 to 84 mg                 | 3    | 8     | 8
    Esketamine nasal, maintenance        | 56 to 84 mg                 | 7    | 4     | 13
    Ketamine infusion, pain, multi-day   | 0.5 to 2 mg/kg over 240 min | 1    | 10    | 20
"""


def test_a_new_store_begins_with_six_protocols() -> None:
    """Days are the planned interval; the last two columns are the most sessions in so many days."""
    found = [
        [
            each.name,
            each.dose_in_words(),
            str(each.planned_interval_days),
            str(each.max_sessions_28_days),
            str(each.max_sessions_90_days),
        ]
        for each in seed_protocols()
    ]
    rows = [row.split("|") for row in PROTOCOLS.strip().split("\n")]
    assert found == [[cell.strip() for cell in row] for row in rows[1:]]


def test_only_the_label_is_a_source_everything_else_waits_for_the_medical_director() -> None:
    assert {each.source for each in seed_protocols()} == {
        "label",
        "default, to be confirmed by the medical director",
    }
