from __future__ import annotations

import re
from collections import Counter

import pytest

from safety.errors import UnknownName
from safety.model import Elicitation
from safety.vocabulary import Group, Instrument, Term, Vocabulary, vocabulary
from safety.vocabulary.catalogue import read_tables
from safety.vocabulary.names import fold
from safety.vocabulary.terms import grades_in_words

TERMS = vocabulary().terms
SLUG = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")

# Of the 26 system organ classes of CTCAE v5.0, those that a term here needs.
SOCS = frozenset(
    {
        "Cardiac disorders",
        "Ear and labyrinth disorders",
        "Eye disorders",
        "Gastrointestinal disorders",
        "General disorders and administration site conditions",
        "Immune system disorders",
        "Injury, poisoning and procedural complications",
        "Investigations",
        "Nervous system disorders",
        "Psychiatric disorders",
        "Renal and urinary disorders",
        "Respiratory, thoracic and mediastinal disorders",
        "Skin and subcutaneous tissue disorders",
        "Vascular disorders",
    }
)

# Grades by CTCAE v5.0 (27 November 2017), taken from the workbook of the National Cancer Institute
# and not from our file.
CTCAE_GRADES = {
    (1,): """
        Dysuria
    """,
    (1, 2): """
        Dysgeusia | Lethargy | Palpitations | Urinary frequency | Urinary urgency
    """,
    (1, 2, 3): """
        Amnesia | Ataxia | Bladder spasm | Chest pain - cardiac | Cognitive disturbance |
        Concentration impairment | Dizziness | Dry mouth | Dysarthria | Euphoria | Fall |
        Fatigue | Flushing | Headache | Hyperhidrosis | Insomnia | Irritability | Memory
        impairment | Nasal congestion | Nausea | Non-cardiac chest pain | Oropharyngeal pain
        | Paresthesia | Pruritus | Restlessness | Sinus tachycardia | Tremor | Urinary
        incontinence | Urinary tract pain | Urticaria | Vertigo
    """,
    (1, 2, 3, 4): """
        Agitation | Alanine aminotransferase increased | Anxiety | Aspartate
        aminotransferase increased | Blood bilirubin increased | Blurred vision | Confusion
        | Suicidal ideation
    """,
    (1, 2, 3, 4, 5): """
        Allergic reaction | Bronchospasm | Constipation | Cystitis noninfective | Delirium |
        Depressed level of consciousness | Depression | Diarrhea | Dyspnea | Hallucinations
        | Hematuria | Hypertension | Hypotension | Infusion related reaction | Infusion site
        extravasation | Injection site reaction | Mania | Psychosis | Seizure | Sinus
        bradycardia | Somnolence | Vomiting
    """,
    (2,): """
        Phlebitis | Presyncope
    """,
    (2, 3): """
        Nystagmus
    """,
    (2, 3, 4, 5): """
        Delusions | Hypoxia | Laryngospasm
    """,
    (3,): """
        Syncope
    """,
    (3, 4, 5): """
        Anaphylaxis | Apnea | Suicide attempt | Vasovagal reaction
    """,
}


def every(attribute: str) -> list[str]:
    return [getattr(term, attribute) for term in TERMS]


@pytest.mark.parametrize("term", TERMS, ids=every("id"))
class TestEveryTerm:
    def test_has_an_id_that_is_a_slug(self, term: Term) -> None:
        assert SLUG.fullmatch(term.id)

    def test_has_grades_from_one_to_five_in_order(self, term: Term) -> None:
        assert term.grades
        assert list(term.grades) == sorted(set(term.grades) & {1, 2, 3, 4, 5})

    def test_has_a_short_wording_for_each_grade(self, term: Term) -> None:
        for wording in term.wording.values():
            assert 4 <= len(wording) <= 80
            assert wording == wording.strip()
            assert not wording.endswith(".")

    def test_words_its_grades_differently(self, term: Term) -> None:
        assert len(set(term.wording.values())) == len(term.wording)

    def test_belongs_to_a_system_organ_class_of_ctcae(self, term: Term) -> None:
        assert term.soc in SOCS or (term.id == "other" and term.soc == "Not classified")

    def test_is_found_by_each_of_its_names_in_any_case(self, term: Term) -> None:
        for name in term.names():
            assert vocabulary().find(name.upper()) is term
            assert vocabulary().find(f" {name.title()} ") is term

    def test_names_the_scale_of_its_grades(self, term: Term) -> None:
        own = ("Afterdose", "1")
        expected = own if term.ctcae is None else ("CTCAE", "5.0")
        assert (term.scale, term.scale_version) == expected

    def test_is_elicited_in_a_known_way(self, term: Term) -> None:
        assert isinstance(term.elicitation, Elicitation)

    def test_can_be_hashed(self, term: Term) -> None:
        assert len({term, vocabulary().get(term.id)}) == 1


def test_no_term_has_a_key_that_nothing_reads() -> None:
    known = {"name", "synonyms", "soc", "ctcae", "expected", "elicitation", "grade"}
    assert set().union(*read_tables("terms.toml").values()) <= known


def test_no_name_leads_to_two_terms() -> None:
    counts = Counter(name for term in TERMS for name in {fold(name) for name in term.names()})
    assert [name for name, count in counts.items() if count > 1] == []


def test_each_ctcae_term_stands_once() -> None:
    named = [term.ctcae for term in TERMS if term.ctcae]
    assert len(named) == len(set(named)) == 78


@pytest.mark.parametrize(
    ("grades", "name"),
    [
        (grades, name.strip())
        for grades, table in CTCAE_GRADES.items()
        for name in " ".join(table.split()).split("|")
    ],
)
def test_the_grades_of_a_ctcae_term_are_those_of_ctcae(grades: tuple[int, ...], name: str) -> None:
    found = vocabulary().find(name)
    assert (found.ctcae, found.grades) == (name, grades)


def test_ids_are_unique_over_terms_groups_and_instruments() -> None:
    words = vocabulary()
    ids = [
        *(term.id for term in words.terms),
        *(group.id for group in words.groups),
        *(instrument.id for instrument in words.instruments),
    ]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("group", vocabulary().groups, ids=lambda group: group.id)
def test_every_group_has_members_that_are_terms_and_says_where_the_list_is_from(
    group: Group,
) -> None:
    assert SLUG.fullmatch(group.id)
    assert len(set(group.members)) == len(group.members) >= 2
    assert {vocabulary().get(member).id for member in group.members} == set(group.members)
    assert "default of this vocabulary" in group.note


def test_a_group_with_a_stranger_is_refused() -> None:
    group = Group("g", "G", ("nausea", "nothing"), label_row=False, note="")
    with pytest.raises(ValueError, match=r"group 'g' names \['nothing'\], not terms"):
        Vocabulary(terms=TERMS, groups=(group,), instruments=())


def test_a_group_with_the_name_of_a_term_is_refused() -> None:
    group = Group("g", "Nausea", ("nausea",), label_row=False, note="")
    with pytest.raises(ValueError, match="'nausea' names both"):
        Vocabulary(terms=TERMS, groups=(group,), instruments=())


def test_a_group_cannot_be_filed() -> None:
    with pytest.raises(UnknownName, match="is a group for counting"):
        vocabulary().find("Sedation (grouped)")


def test_a_term_is_no_group() -> None:
    with pytest.raises(UnknownName, match="Nausea is a term, not a group"):
        vocabulary().group("nausea")


def test_members_of_a_term_are_the_term_and_of_a_group_its_terms() -> None:
    assert vocabulary().members("threw up") == {"vomiting"}
    expected = {"blood_pressure_increased", "hypertension"}
    assert vocabulary().members("blood pressure increased (grouped)") == expected
    assert vocabulary().members("grouped_blood_pressure_increased") == expected
    with pytest.raises(UnknownName):
        vocabulary().members("nothing of the kind")


def test_get_takes_ids_only() -> None:
    assert vocabulary().get("dry_mouth").name == "Dry mouth"
    for text in ("Dry mouth", "xerostomia", "grouped_sedation", "moaas"):
        with pytest.raises(UnknownName):
            vocabulary().get(text)


def test_search_is_for_terms_and_keeps_its_limit() -> None:
    found = vocabulary().search("sed", limit=3)
    assert found[0].id == "sedation"
    assert len(vocabulary().search("a", limit=3)) == 3
    assert all(isinstance(term, Term) for term in vocabulary().search("grouped"))


def test_wording_of_a_grade_that_does_not_exist_is_refused() -> None:
    with pytest.raises(UnknownName, match="Nausea has no grade 4: grades 1 to 3"):
        vocabulary().get("nausea").wording_for(4)


@pytest.mark.parametrize(
    ("grades", "words"),
    [
        ((), "no grades"),
        ((3,), "grade 3 only"),
        ((1, 2, 3), "grades 1 to 3"),
        ((2, 3), "grades 2 to 3"),
        ((1, 2, 5), "grades 1, 2 and 5"),
    ],
)
def test_grades_are_said_in_words(grades: tuple[int, ...], words: str) -> None:
    assert grades_in_words(grades) == words


@pytest.mark.parametrize(
    "instrument", vocabulary().instruments, ids=lambda instrument: instrument.id
)
class TestEveryInstrument:
    def test_has_a_range_and_a_direction(self, instrument: Instrument) -> None:
        assert instrument.low < instrument.high
        assert instrument.direction
        assert instrument.source
        assert instrument.range_mark in {"confirmed", "unconfirmed"}

    def test_marks_its_threshold(self, instrument: Instrument) -> None:
        assert instrument.threshold_mark in {"confirmed", "unconfirmed", "default", "none"}
        assert (instrument.threshold is None) == (instrument.threshold_mark == "none")
        assert bool(instrument.threshold_rule) == (instrument.threshold is not None)


def test_an_unknown_instrument_is_refused() -> None:
    with pytest.raises(UnknownName):
        vocabulary().instrument("nausea")


def test_the_vocabulary_is_read_once() -> None:
    assert vocabulary() is vocabulary()
