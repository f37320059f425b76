from __future__ import annotations

import tomllib
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safety.errors import BadInputFile, InvalidReport, UnknownName
from safety.model import Route
from safety.vocabulary import DoseUnit, Drug, Phase, Protocol, seed_protocols, vocabulary
from safety.vocabulary.protocols import dump_protocol, parse_protocols, protocol_index, template

IM = Protocol(
    id="im_course",
    name="IM course",
    drug=Drug.KETAMINE,
    route=Route.INTRAMUSCULAR,
    dose_low=0.5,
    dose_high=1.0,
    dose_unit=DoseUnit.MG_PER_KG,
    planned_interval_days=7,
    minimum_interval_days=3,
    max_sessions_28_days=4,
    max_sessions_90_days=13,
    phase=Phase.COURSE,
    monitoring_minutes=60,
    source="set by the clinic",
)
IM_TOML = dump_protocol(IM)


def loaded(text: str) -> tuple[Protocol, ...]:
    return parse_protocols(text.encode())


def changed(line: str, to: str) -> str:
    assert IM_TOML.count(line) == 1
    return IM_TOML.replace(line, to)


def test_seeds_are_the_six_common_protocols() -> None:
    assert [protocol.id for protocol in seed_protocols()] == [
        "iv_ketamine_depression_induction",
        "iv_ketamine_depression_maintenance",
        "im_ketamine_depression",
        "esketamine_nasal_induction",
        "esketamine_nasal_maintenance",
        "ketamine_pain_multiday_infusion",
    ]


@pytest.mark.parametrize("protocol", seed_protocols(), ids=lambda protocol: protocol.id)
class TestEverySeed:
    def test_offers_effects_that_the_vocabulary_has(self, protocol: Protocol) -> None:
        assert len(protocol.common_terms) >= 8
        assert [vocabulary().get(term).id for term in protocol.common_terms]

    def test_says_where_its_numbers_come_from(self, protocol: Protocol) -> None:
        expected = "default, to be confirmed by the medical director"
        assert protocol.source == ("label" if protocol.drug is Drug.ESKETAMINE else expected)

    def test_comes_back_from_its_own_dump(self, protocol: Protocol) -> None:
        assert loaded(dump_protocol(protocol)) == (protocol,)

    def test_is_found_by_each_of_its_names(self, protocol: Protocol) -> None:
        index = protocol_index(seed_protocols())
        assert {index.find(name.upper()) for name in protocol.names()} == {protocol}


def test_the_template_loads_as_it_is_and_explains_every_key() -> None:
    text = template(seed_protocols())
    assert loaded(text) == seed_protocols()
    for key in tomllib.loads(IM_TOML)["im_course"]:
        assert f"#   {key} " in text


def test_a_version_is_not_written_and_not_read() -> None:
    assert dump_protocol(IM.with_version(7)) == IM_TOML
    assert IM.with_version(7).version == 7
    with pytest.raises(BadInputFile, match="im_course: version: is not a key of a protocol"):
        loaded(IM_TOML + "version = 7\n")


def test_terms_may_be_named_in_any_way_and_are_kept_as_ids() -> None:
    (protocol,) = loaded(changed("common_terms = []", 'common_terms = ["Threw up", "NAUSEA"]'))
    assert protocol.common_terms == ("vomiting", "nausea")


def test_a_byte_order_mark_is_no_fault() -> None:
    assert parse_protocols(b"\xef\xbb\xbf" + IM_TOML.encode()) == (IM,)


@pytest.mark.parametrize(
    ("line", "to", "message"),
    [
        ("dose_low = 0.5", "dose_low = 2", "dose_high: 1 is lower than dose_low 2. Were they"),
        ("dose_low = 0.5", "dose_low = 0", "dose_low: must be above zero."),
        ("dose_low = 0.5", "dose_low = -1", "dose_low: -1 mg/kg cannot be right"),
        ("dose_low = 0.5", "dose_low = nan", "dose_low: nan mg/kg cannot be right"),
        ("dose_low = 0.5", 'dose_low = "0.5"', "dose_low: must be a number in mg/kg."),
        ("dose_low = 0.5", "dose_low = true", "dose_low: must be a number in mg/kg."),
        ("dose_low = 0.5\n", "", "dose_low: is missing."),
        ('"mg_per_kg"', '"mcg"', "dose_unit: must be one of: mg, mg_per_kg."),
        ('"ketamine"', '"propofol"', "drug: must be one of: ketamine, esketamine, placebo."),
        ('"intramuscular"', '"rectal"', "route: must be one of: intravenous, intramuscular, "),
        ('"course"', "3", "phase: must be text in quotation marks."),
        ('"course"', '"later"', "phase: must be one of: induction, maintenance, course."),
        (
            "planned_interval_days = 7",
            "planned_interval_days = 2",
            "minimum_interval_days: 3 is longer than planned_interval_days 2.",
        ),
        (
            "planned_interval_days = 7",
            "planned_interval_days = 0",
            "planned_interval_days: 0 days cannot be right",
        ),
        (
            "planned_interval_days = 7",
            "planned_interval_days = 3.5",
            "planned_interval_days: must be a whole number in days.",
        ),
        (
            "max_sessions_28_days = 4",
            "max_sessions_28_days = 11",
            "max_sessions_28_days: 11 sessions do not fit into 28 days at 3 days apart.",
        ),
        (
            "max_sessions_90_days = 13",
            "max_sessions_90_days = 3",
            "max_sessions_90_days: 3 is lower than max_sessions_28_days.",
        ),
        ("synonyms = []", 'synonyms = "IM"', "synonyms: must be a list of texts"),
        ("synonyms = []", "synonyms = [1]", "synonyms: must be a list of texts"),
        ("synonyms = []", 'synonyms = [" "]', "synonyms: is blank."),
        ("synonyms = []", f"synonyms = {['x'] * 21}", "synonyms: are more than 20."),
        ('"IM course"', '""', "name: is blank."),
        ('"IM course"', '"IM\\ncourse"', "name: must be one line."),
        ('"IM course"', '"IM\\u007Fcourse"', "name: must be one line."),
        ('"IM course"', f'"{"x" * 201}"', "name: is longer than 200 characters."),
        (
            "common_terms = []",
            'common_terms = ["nausia"]',
            'common_terms: "nausia" is not a known term. Did you mean Nausea?',
        ),
        (
            "common_terms = []",
            'common_terms = ["vomiting", "threw up"]',
            "common_terms: names a term twice.",
        ),
        ("monitoring_minutes", "monitering_minutes", "monitering_minutes: is not a key"),
    ],
)
def test_a_file_that_cannot_be_right_names_protocol_and_key(
    line: str, to: str, message: str
) -> None:
    with pytest.raises(BadInputFile) as error:
        loaded(changed(line, to))
    assert f"im_course: {message}" in str(error.value)


def test_the_ceiling_is_what_fits_at_the_shortest_interval() -> None:
    """Four days apart, days 1, 5, ... 25 make seven sessions; the eighth falls on day 29."""
    seven = replace(IM, minimum_interval_days=4, max_sessions_28_days=7)
    with pytest.raises(InvalidReport, match="8 sessions do not fit into 28 days"):
        replace(seven, max_sessions_28_days=8)


def test_everything_that_is_wrong_is_said_at_once() -> None:
    text = changed('"ketamine"', '"propofol"').replace('"course"', '"later"')
    second = IM_TOML.replace("[im_course]", "[other_course]").replace("dose_high = 1.0\n", "")
    with pytest.raises(BadInputFile) as error:
        loaded(text + second)
    assert [line.split(": ")[:2] for line in str(error.value).splitlines()] == [
        ["im_course", "drug"],
        ["im_course", "phase"],
        ["other_course", "dose_high"],
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "holds no protocol. Start from: afterdose protocols template"),
        (b"\xff\xfe[\x00", "not UTF-8 text"),
        (b"[a\nname=", r"not TOML \(at line 1, column 3\)"),
        (b"x = " + b"[" * 100_000, "not TOML"),
        (b"x = 1" + b"0" * 5_000, "not TOML"),
        (b"#" * 1_000_001, "larger than 1 MB"),
        (b"x = 1", r"x: table: is missing. Start it with \[x\]."),
        (b"[[x]]\nname = 'a'", "x: table: is missing"),
        (b'["Upper Case"]\n' + IM_TOML.split("\n", 1)[1].encode(), "id: must be lower-case"),
        (b'["a\\u0007"]\n', "(unreadable name)"),
    ],
)
def test_a_file_that_is_no_list_of_protocols_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(BadInputFile, match=message):
        parse_protocols(content)


def test_two_protocols_may_not_share_a_name() -> None:
    twin = IM_TOML.replace("[im_course]", "[im_two]")
    with pytest.raises(BadInputFile, match="Two protocols share a name: 'im course' names both"):
        loaded(IM_TOML + twin)


def test_an_unknown_protocol_is_not_repeated() -> None:
    with pytest.raises(UnknownName) as error:
        protocol_index(seed_protocols()).find("Quentin Zweistein")
    expected = "The protocol in this row is not known. List them with: afterdose protocols"
    assert str(error.value) == expected


def test_a_protocol_made_in_code_is_checked_too() -> None:
    with pytest.raises(InvalidReport, match="dose_high"):
        replace(IM, dose_high=0.1)


@pytest.mark.parametrize(
    ("dose_mg", "weight_kg", "usual"),
    [
        (35, 70, True),
        (70, 70, True),
        (77, 70, True),
        (77.1, 70, False),
        (31.5, 70, True),
        (31.4, 70, False),
        (35, None, None),
    ],
)
def test_a_dose_by_weight_is_usual_within_a_tenth(
    dose_mg: float, weight_kg: float | None, usual: bool | None
) -> None:
    assert IM.dose_is_usual(dose_mg, weight_kg) is usual


def test_a_fixed_dose_needs_no_weight() -> None:
    spray = protocol_index(seed_protocols()).find("esketamine_nasal_induction")
    assert [spray.dose_is_usual(dose, None) for dose in (28, 56, 84, 112)] == [
        False,
        True,
        True,
        False,
    ]


def test_a_dose_is_said_in_words() -> None:
    words = {protocol.id: protocol.dose_in_words() for protocol in seed_protocols()}
    assert words["iv_ketamine_depression_induction"] == "0.5 mg/kg over 40 min"
    assert words["im_ketamine_depression"] == "0.5 to 1 mg/kg"
    assert words["esketamine_nasal_maintenance"] == "56 to 84 mg"


def _one_line(text: str) -> bool:
    return bool(text.strip()) and text.isprintable()


@st.composite
def protocols(draw: st.DrawFn) -> Protocol:
    text = st.text(min_size=1, max_size=30).filter(_one_line)
    low = draw(st.floats(0.01, 50))
    values: dict[str, Any] = {
        "id": draw(st.from_regex(r"[a-z][a-z0-9_]{1,59}", fullmatch=True)),
        "name": draw(text),
        "source": draw(text),
        "drug": draw(st.sampled_from(Drug)),
        "route": draw(st.sampled_from(Route)),
        "phase": draw(st.sampled_from(Phase)),
        "dose_unit": draw(st.sampled_from(DoseUnit)),
        "dose_low": low,
        "dose_high": draw(st.floats(low, 100)),
        "infusion_minutes": draw(st.none() | st.integers(1, 600)),
        "common_terms": tuple(draw(st.sets(st.sampled_from([t.id for t in vocabulary().terms])))),
    }
    return replace(IM, **values, synonyms=tuple(draw(st.lists(text, max_size=3))))


@given(protocols())
@settings(max_examples=60, deadline=None)
def test_every_protocol_comes_back_from_its_dump(protocol: Protocol) -> None:
    assert loaded(dump_protocol(protocol)) == (protocol,)
