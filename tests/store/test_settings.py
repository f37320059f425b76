"""The clinic's rules of completeness: defaults, changes on record, who may, tampering seen."""

from __future__ import annotations

import pytest

from safety import settings
from safety.access import Actor
from safety.completeness import default_rules, default_text
from safety.errors import AccessDenied, BadInputFile, Tampered
from safety.store.handle import Store
from safety.store.verifying import verify
from tests.support.accounts import audit_of
from tests.support.builders import ADMINISTRATOR, COMPLIANCE, DIRECTOR, NURSE
from tests.support.stores import tampering

LOOSER = """\
# Ours
[dose]
field = "dose_mg"
need = "required"
weight = 0.3
add = "Add the dose."
"""


def test_a_new_store_has_the_defaults(store: Store) -> None:
    assert settings.completeness_rules(store, NURSE) == default_rules()
    assert settings.completeness_text(store, NURSE) == default_text()


def test_a_change_is_a_new_version_on_record(store: Store) -> None:
    settings.set_completeness_rules(store, DIRECTOR, LOOSER)
    first = settings.completeness_rules(store, NURSE)
    assert ([rule.id for rule in first.rules], first.version) == (["dose"], 1)
    settings.set_completeness_rules(store, DIRECTOR, LOOSER.replace("0.3", "0.4"))
    second = settings.completeness_rules(store, COMPLIANCE)
    assert (second.rules[0].weight, second.version) == (0.4, 2)
    assert settings.completeness_text(store, DIRECTOR).startswith("# Ours\n")
    assert audit_of(store, "setting.change") == [
        (DIRECTOR.id, "director", "setting.change", "setting", "completeness", note)
        for note in ("v1", "v2")
    ]
    assert verify(store).findings == []


def test_the_same_rules_again_change_nothing(store: Store) -> None:
    settings.set_completeness_rules(store, DIRECTOR, LOOSER)
    settings.set_completeness_rules(store, DIRECTOR, LOOSER)
    assert settings.completeness_rules(store, NURSE).version == 1
    assert len(audit_of(store, "setting.change")) == 1


def test_rules_that_cannot_be_right_leave_the_old_ones(store: Store) -> None:
    settings.set_completeness_rules(store, DIRECTOR, LOOSER)
    with pytest.raises(BadInputFile, match="dose: weight"):
        settings.set_completeness_rules(store, DIRECTOR, LOOSER.replace("0.3", "3"))
    with pytest.raises(BadInputFile, match="not TOML"):
        settings.set_completeness_rules(store, DIRECTOR, "[dose")
    assert settings.completeness_text(store, NURSE) == LOOSER


@pytest.mark.parametrize("actor", [NURSE, COMPLIANCE, ADMINISTRATOR])
def test_only_the_director_changes_them(store: Store, actor: Actor) -> None:
    with pytest.raises(AccessDenied):
        settings.set_completeness_rules(store, actor, LOOSER)
    assert settings.completeness_rules(store, actor).version == 0


def test_a_rule_that_was_loosened_in_the_database_is_not_believed(store: Store) -> None:
    settings.set_completeness_rules(store, DIRECTOR, LOOSER)
    with tampering(store) as raw:
        raw.execute("UPDATE settings SET content = ?", LOOSER.replace("required", "recommended"))
    with pytest.raises(Tampered, match="changed outside"):
        settings.completeness_rules(store, NURSE)
    with pytest.raises(Tampered, match="changed outside"):
        settings.set_completeness_rules(store, DIRECTOR, LOOSER)
