"""``afterdose completeness``: list, print, load."""

from __future__ import annotations

from tests.support.command_line import Desk


def test_a_new_clinic_has_the_defaults(clinic: Desk) -> None:
    done = clinic.run("completeness", "--format", "json")
    rules = {rule["id"]: rule for rule in done.json()}
    assert rules["lot"] == {
        "id": "lot",
        "looks_at": "lot",
        "need": "recommended",
        "weight": 0.1,
        "applies": "esketamine",
        "add": "Add the lot number: the REMS form asks for it.",
    }
    assert "defaults" in done.err
    assert "serious_narrative" in clinic.run("completeness").out


def test_the_template_can_be_edited_and_loaded(clinic: Desk) -> None:
    template = clinic.run("completeness", "--template").out
    stricter = clinic.file("rules.toml", template.replace("weight = 0.20", "weight = 0.40", 1))
    done = clinic.run("completeness", "--load", stricter)
    assert (done.status, done.out) == (0, "")
    assert "version 1" in done.err
    rules = {rule["id"]: rule for rule in clinic.run("completeness", "--format", "json").json()}
    assert rules["dose"]["weight"] == 0.4
    assert clinic.run("completeness", "--template").out == stricter.read_text(encoding="utf-8")


def test_the_template_needs_no_store(desk: Desk) -> None:
    assert desk.run("completeness", "--template").out.startswith("# How complete is a report?")


def test_rules_that_cannot_be_right_are_refused(clinic: Desk) -> None:
    done = clinic.run("completeness", "--load", clinic.file("bad.toml", "[x_y]\nweight = 2"))
    assert done.status == 1
    assert "x_y: weight: must be" in done.err
    assert clinic.run("completeness", "--load", clinic.folder / "none.toml").status == 1
    odd = clinic.folder / "odd.toml"
    odd.write_bytes(b"\xff\xfe")
    assert "not UTF-8" in clinic.run("completeness", "--load", odd).err
    assert "defaults" in clinic.run("completeness").err
