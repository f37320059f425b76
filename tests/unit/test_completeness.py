"""How complete a report is: what counts, what is named as missing, and files that are refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import pytest

from safety.completeness import (
    Need,
    Rules,
    default_rules,
    default_text,
    parse_rules,
    require,
    score,
)
from safety.completeness_subjects import FIELDS, GROUPS, Condition
from safety.errors import BadInputFile, InvalidReport
from safety.model import (
    AdverseEvent,
    BloodPressure,
    Concomitant,
    Criterion,
    Discharge,
    DrugAmounts,
    Elicitation,
    MisuseScreen,
    Outcome,
    Relatedness,
    Route,
    SessionReport,
    VitalSigns,
)
from safety.vocabulary import Protocol, seed_protocols
from tests.support.builders import PROTOCOL, a_full_report, a_report, an_event

PROTOCOLS: Final = {protocol.id: protocol for protocol in seed_protocols()}
IV: Final = PROTOCOLS[PROTOCOL]
NASAL: Final = PROTOCOLS["esketamine_nasal_induction"]
RULE: Final = {
    "field": '"dose_mg"',
    "need": '"required"',
    "weight": "0.5",
    "add": '"Add the dose."',
}


def a_complete_report(**changes: Any) -> SessionReport:
    asked = Concomitant(False, False, False, False, False)
    rest = {"outcome": Outcome.RECOVERED, "relatedness": Relatedness.PROBABLE}
    events = (an_event("nausea", 2, **rest), an_event("dissociation", 1, **rest))
    return a_full_report(**({"concomitant": asked, "events": events} | changes))


def an_empty_report(**changes: Any) -> SessionReport:
    return a_report(**({"no_adverse_event": None, "dose_mg": None, "weight_kg": None} | changes))


def rules_of(*tables: dict[str, str]) -> Rules:
    return parse_rules("\n".join(toml(f"rule_{n}", table) for n, table in enumerate(tables)))


def toml(rule_id: str, table: dict[str, str]) -> str:
    return f"[{rule_id}]\n" + "".join(f"{key} = {value}\n" for key, value in table.items())


def fields(report: SessionReport, rules: Rules, protocol: Protocol | None = IV) -> list[str]:
    found = score(report, rules, protocol)
    return [each.field for each in (*found.required, *found.recommended)]


def one(field: str, **changes: str) -> Rules:
    key = "group" if field in GROUPS else "field"
    kept = {name: value for name, value in RULE.items() if name != "field"}
    return rules_of({key: f'"{field}"', **kept, **changes})


def test_a_report_that_meets_every_rule_is_complete() -> None:
    found = score(a_complete_report(), default_rules(), IV)
    assert (found.percent, found.required, found.recommended) == (100, (), ())


def test_a_report_that_meets_none_is_far_from_it_and_lists_what_to_add() -> None:
    found = score(an_empty_report(), default_rules(), IV)
    assert found.percent < 15
    assert [each.field for each in found.required] == ["no_adverse_event"]
    named = {each.field for each in found.recommended}
    assert {"dose_mg", "weight_kg", "vitals.at_40_min", "misuse", "route"} <= named
    assert all(each.add.endswith(".") and each.rule for each in found.recommended)


def test_a_weight_is_taken_off_what_is_left() -> None:
    dose, route = RULE | {"weight": "0.2"}, RULE | {"field": '"route"', "weight": "0.5"}
    rules = rules_of(dose, route)
    assert score(an_empty_report(route=Route.ORAL), rules, IV).percent == 80
    assert score(an_empty_report(dose_mg=1), rules, IV).percent == 50
    assert score(an_empty_report(), rules, IV).percent == 40


def test_nothing_but_a_whole_report_is_100_percent() -> None:
    rules = one("dose_mg", weight="0.000001")
    assert score(an_empty_report(), rules, IV).percent == 99
    assert score(a_report(), rules, IV).percent == 100


def test_a_weight_of_1_leaves_nothing() -> None:
    assert score(an_empty_report(), one("dose_mg", weight="1"), IV).percent == 0


def test_where_events_differ_the_share_that_is_missing_counts() -> None:
    told, untold = an_event("nausea"), an_event("vomiting", onset_minutes=None)
    rules = one("events.onset_minutes")
    report = a_report(events=(told, untold))
    assert score(report, rules, IV).percent == 75
    [missing] = score(report, rules, IV).required
    assert (missing.field, missing.term) == ("events.vomiting.onset_minutes", "vomiting")
    assert score(a_report(events=(told,)), rules, IV).percent == 100
    assert score(a_report(), rules, IV).percent == 100  # no event, nothing to ask


def test_an_event_without_a_grade_is_always_missing_it() -> None:
    ungraded = AdverseEvent("nausea", None)  # type: ignore[arg-type] # as a form may hand it in
    report = a_report(events=(ungraded,))
    found = score(report, Rules(()), IV)
    assert [each.field for each in found.required] == ["events.nausea.grade"]
    assert found.percent == 50
    assert fields(report, one("events.outcome", applies='"severe"')) == ["events.nausea.grade"]


@pytest.mark.parametrize("outcome", [Outcome.RECOVERING, Outcome.NOT_RECOVERED])
def test_an_event_that_still_lasts_needs_no_duration(outcome: Outcome) -> None:
    lasting = an_event(duration_minutes=None, outcome=outcome)
    assert fields(a_report(events=(lasting,)), one("events.duration_minutes")) == []
    over = replace(lasting, outcome=Outcome.RECOVERED)
    missing = fields(a_report(events=(over,)), one("events.duration_minutes"))
    assert missing == ["events.nausea.duration_minutes"]


def test_a_serious_event_needs_a_narrative_its_own_or_that_of_the_report() -> None:
    serious = an_event(grade=3, serious=frozenset({Criterion.HOSPITALISATION}))
    rules = default_rules()
    with pytest.raises(InvalidReport) as refused:
        require(a_report(events=(serious, an_event("vomiting"))), rules, IV)
    [problem] = refused.value.problems
    assert problem.field == "events.nausea.narrative"
    assert "narrative" in problem.message
    require(a_report(events=(replace(serious, narrative="Fainted."),)), rules, IV)
    require(a_report(events=(serious,), narrative="Fainted."), rules, IV)
    require(a_report(events=(replace(serious, serious=frozenset()),)), rules, IV)


def test_a_report_that_says_nothing_of_events_is_refused_and_recommendations_are_not() -> None:
    with pytest.raises(InvalidReport, match="that nothing happened"):
        require(an_empty_report(), default_rules(), IV)
    require(an_empty_report(no_adverse_event=True), default_rules(), IV)


def test_every_required_thing_that_is_missing_is_named_at_once() -> None:
    rules = rules_of(RULE, RULE | {"field": '"lot"', "add": '"Add the lot."'})
    with pytest.raises(InvalidReport) as refused:
        require(an_empty_report(), rules, None)
    assert [problem.field for problem in refused.value.problems] == ["dose_mg", "lot"]


def test_half_a_blood_pressure_is_half_missing() -> None:
    half = a_report(vitals=VitalSigns(before=BloodPressure(systolic_mmhg=120)))
    assert score(half, one("vitals.before"), IV).percent == 75
    assert fields(half, one("vitals.before")) == ["vitals.before"]


def test_groups_name_the_first_answer_that_is_missing() -> None:
    some = a_report(
        discharge=Discharge(orientated=True, nausea_controlled=True),
        concomitant=Concomitant(benzodiazepine=False),
        drug=DrugAmounts(drawn_mg=50, given_mg=40),
        misuse=MisuseScreen(craving=0),
    )
    for group, field, percent in (
        ("discharge_criteria", "discharge.gait_steady", 70),
        ("concomitant", "concomitant.opioid", 60),
        ("drug_amounts", "drug.wasted_mg", 83),
    ):
        assert fields(some, one(group)) == [field]
        assert score(some, one(group), IV).percent == percent
    assert fields(some, one("misuse")) == []
    assert fields(an_empty_report(), one("misuse")) == ["misuse"]


def test_two_rules_on_one_field_name_it_once_and_the_required_one_first() -> None:
    lesser = RULE | {"need": '"recommended"', "add": '"Later."'}
    found = score(an_empty_report(), rules_of(lesser, RULE), IV)
    assert [each.add for each in found.required] == ["Add the dose."]
    assert found.recommended == ()


@pytest.mark.parametrize(
    ("condition", "protocol", "changes", "counts"),
    [
        ("always", None, {}, True),
        ("ketamine", IV, {}, True),
        ("ketamine", NASAL, {}, False),
        ("esketamine", NASAL, {}, True),
        ("esketamine", IV, {}, False),
        ("esketamine", None, {}, False),
        ("dose_by_weight", IV, {}, True),
        ("dose_by_weight", NASAL, {}, False),
        ("infusion", IV, {}, True),
        ("infusion", NASAL, {}, False),
        ("has_events", IV, {"events": (an_event(),)}, True),
        ("has_events", IV, {}, False),
        ("severe", IV, {"events": (an_event(grade=3),)}, True),
        ("severe", IV, {"events": (an_event(grade=2),)}, False),
        ("serious", IV, {"events": (an_event(serious=frozenset(Criterion)),)}, True),
        ("serious", IV, {"events": (an_event(),)}, False),
        ("benzodiazepine", IV, {"concomitant": Concomitant(benzodiazepine=True)}, True),
        ("benzodiazepine", IV, {"concomitant": Concomitant(benzodiazepine=False)}, False),
        ("benzodiazepine", IV, {}, False),
        ("wasted", IV, {"drug": DrugAmounts(wasted_mg=5)}, True),
        ("wasted", IV, {"drug": DrugAmounts(wasted_mg=0)}, False),
    ],
)
def test_a_rule_counts_when_its_condition_holds(
    condition: str, protocol: Protocol | None, changes: dict[str, Any], counts: bool
) -> None:
    rules = one("lot", applies=f'"{condition}"')
    assert fields(a_report(**changes), rules, protocol) == (["lot"] if counts else [])


def test_the_lot_is_asked_of_esketamine_and_the_weight_of_what_is_dosed_by_it() -> None:
    nasal = fields(an_empty_report(protocol=NASAL.id), default_rules(), NASAL)
    assert "lot" in nasal
    assert "weight_kg" not in nasal
    assert "lot" not in fields(an_empty_report(), default_rules(), IV)


def test_a_witness_is_asked_when_something_was_wasted() -> None:
    wasted = a_complete_report(drug=DrugAmounts(50, 40, 10))
    assert fields(wasted, default_rules()) == ["drug.waste_witness"]
    assert fields(a_complete_report(drug=DrugAmounts(40, 40, 0)), default_rules()) == []


def test_every_field_and_group_can_be_looked_at() -> None:
    serious = an_event(
        onset_minutes=None, duration_minutes=None, serious=frozenset({Criterion.DISABILITY})
    )
    bare = an_empty_report(
        patient=replace(a_report().patient, name=None, birth_date=None, sex=None)
    )
    for subject in {**FIELDS, **GROUPS}:
        of_events = subject.startswith("events.") or subject == "serious_narrative"
        report = replace(bare, events=(serious,)) if of_events else bare
        assert len(fields(report, one(subject))) == 1, subject
    full = a_complete_report()
    told = tuple(
        replace(e, elicitation=Elicitation.SOLICITED, action="a", narrative="n", verbatim="v")
        for e in full.events
    )
    for subject in {**FIELDS, **GROUPS}:
        assert fields(replace(full, events=told), one(subject)) == [], subject


def test_the_file_of_the_defaults_names_every_field_group_and_condition() -> None:
    notes = default_text().partition("\n[")[0]
    words = set(notes.replace(",", " ").replace("(", " ").split())
    assert {*FIELDS, *GROUPS, *Condition} <= words


def test_the_defaults_are_version_0_and_say_what_is_required() -> None:
    rules = default_rules()
    assert rules.version == 0
    required = {rule.subject for rule in rules.rules if rule.need is Need.REQUIRED}
    assert required == {"nothing_or_events", "serious_narrative"}


@pytest.mark.parametrize("weight", ["0", "-0.1", "1.01", "nan", "inf", '"0.1"', "true", "[0.1]"])
def test_a_weight_out_of_range_is_refused(weight: str) -> None:
    with pytest.raises(BadInputFile, match=r"^dose: weight: must be a number above 0"):
        parse_rules(toml("dose", RULE | {"weight": weight}))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"field": '"dose"'}, "dose: field: must be one of: dose_mg, weight_kg"),
        ({"field": "[1]"}, "dose: field: must be one of: dose_mg"),
        ({"field": '"patient.mrn"'}, "dose: field: is demanded of every report"),
        ({"field": '"events.grade"'}, "dose: field: is demanded of every report"),
        ({"group": '"misuse"'}, "dose: field: or group, one of the two"),
        ({"need": '"perhaps"'}, "dose: need: must be one of: required, recommended"),
        ({"applies": '"monday"'}, "dose: applies: must be one of: always"),
        ({"applies": "[]"}, "dose: applies: must be one of: always"),
        ({"add": '" "'}, "dose: add: must be one line"),
        ({"add": '"a\\nb"'}, "dose: add: must be one line"),
        ({"add": f'"{"x" * 201}"'}, "dose: add: is longer than 200 characters"),
        ({"wieght": "1"}, "dose: keys: holds a key that no rule has"),
    ],
)
def test_a_rule_that_cannot_be_right_is_named_with_its_key(
    changes: dict[str, str], message: str
) -> None:
    with pytest.raises(BadInputFile) as refused:
        parse_rules(toml("dose", RULE | changes))
    assert str(refused.value).startswith(message)


def test_everything_that_is_wrong_is_said_at_once_and_odd_ids_are_not_repeated() -> None:
    text = toml('"Wilma Testcase"', RULE) + toml("dose", {"field": '"dose_mg"'}) + toml("b", RULE)
    with pytest.raises(BadInputFile) as refused:
        parse_rules(f"loose = 1\n{text}")
    said = str(refused.value)
    assert said.splitlines()[0] == (
        "loose: table: is missing. Start it with the id in square brackets."
    )
    assert "rule 2: id: must be lower-case" in said
    assert "dose: need" in said
    assert "dose: add" in said
    assert "Wilma" not in said


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no rule"),
        ("# only a remark", "holds no rule"),
        ("[dose]\n= 1", "is not TOML (at line 2"),
        ("a = 1\na = 2", "is not TOML"),
        ('a = "\ud800"', "is not TOML"),
        ("a = " + "[" * 50_000, "is not TOML"),
        ("#" * 100_001, "larger than 100 kB"),
        ("".join(toml(f"rule_{n}", RULE) for n in range(101)), "more than 100 rules"),
    ],
)
def test_a_file_that_is_not_a_file_of_rules_is_refused(text: str, message: str) -> None:
    with pytest.raises(BadInputFile) as refused:
        parse_rules(text)
    assert message in str(refused.value)
