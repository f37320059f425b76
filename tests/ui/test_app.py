"""The router and the pages around the record: first run, signing in and out, roles, accounts."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from safety import accounts, signing_in
from safety.access import CONSOLE, PERMITTED, Action, Role
from safety.config import read_config
from safety.errors import Tampered
from safety.keys.sources import KeyFile
from safety.store.opening import open_store
from safety.ui import founding, holding
from tests.support.accounts import PASSWORD
from tests.support.builders import CLINIC, SITE
from tests.support.clock import FakeClock
from tests.ui.conftest import ROUTER, SECONDS, Clinic, Texts

SECRET = "window marble thirteen canoe"


def _app() -> AppTest:
    return AppTest.from_file(ROUTER, default_timeout=SECONDS).run()


def _first_run(app: AppTest, key_file: Path | None = None) -> AppTest:
    given = {"clinic": CLINIC, "site": SITE, "username": "ida", "display": "Dr Ida Marsh"}
    for name, text in given.items():
        app.text_input(key=f"first.{name}").set_value(text)
    for name in ("password", "repeated"):
        app.text_input(key=f"first.{name}").set_value(SECRET)
    if key_file is None:
        app.radio(key="first.way").set_value("Passphrase").run()
        app.text_input(key="first.passphrase").set_value("another secret of words").run()
    else:
        app.text_input(key="first.key-file").set_value(str(key_file)).run()
    return app


def _press(app: AppTest, label: str) -> AppTest:
    next(button for button in app.button if button.label == label).click()
    return app.run()


def _sign_in(app: AppTest, username: str, password: str) -> AppTest:
    app.text_input(key="sign-in.username").set_value(username)
    app.text_input(key="sign-in.password").set_value(password)
    return _press(app, "Sign in")


def test_without_a_store_the_clinic_is_made_and_the_recovery_code_shown_once(
    no_clinic: Path, texts: Texts
) -> None:
    key = no_clinic.parent / "keys" / "clinic.key"
    app = _press(_first_run(_app(), key), "Create the clinic")
    assert app.title[0].value == "The recovery code"
    code = app.code[0].value
    assert len(code.replace("\n", "-").split("-")) == 14
    go_on = next(button for button in app.button if button.label == "Go on to sign in")
    assert go_on.disabled
    app.checkbox[0].check().run()
    app = _press(app, "Go on to sign in")
    assert app.title[0].value == "Sign in"
    assert code not in str(app.session_state.to_dict())
    assert not _sign_in(app, "ida", SECRET).exception
    assert "director" in texts(app)
    assert open_store(read_config(no_clinic), KeyFile(key)).clinic.name == CLINIC


def test_a_clinic_with_a_passphrase_asks_for_it_after_a_restart(no_clinic: Path) -> None:
    _press(_first_run(_app()), "Create the clinic")
    holding.release()
    app = _app()
    assert app.title[0].value == "Unlock"
    app.text_input(key="unlock.secret").set_value("not the right secret at all")
    _press(app, "Unlock")
    assert app.error
    app.text_input(key="unlock.secret").set_value("another secret of words")
    _press(app, "Unlock")
    assert app.title[0].value == "Sign in"
    assert "another secret" not in str(app.session_state.to_dict())


@pytest.mark.parametrize(
    ("field", "text", "told"),
    [
        ("first.clinic", " ", "The name of the clinic is blank."),
        ("first.username", "Ida Marsh!", "The user name needs 2 to 64 characters"),
        ("first.repeated", "something else entirely", "The two passwords differ."),
        ("first.password", "short", "The two passwords differ."),
        ("first.key-file", "beside.key", "whole path"),
    ],
)
def test_a_first_run_that_cannot_be_right_makes_nothing(
    no_clinic: Path, texts: Texts, field: str, text: str, told: str
) -> None:
    app = _first_run(_app(), no_clinic.parent / "keys" / "clinic.key")
    app.text_input(key=field).set_value(text)
    _press(app, "Create the clinic")
    assert told in texts(app).replace("\\", "")
    assert not (no_clinic / "config.toml").exists()


def test_a_password_that_is_easy_to_guess_makes_no_clinic(no_clinic: Path, texts: Texts) -> None:
    app = _first_run(_app(), no_clinic.parent / "keys" / "clinic.key")
    for name in ("password", "repeated"):
        app.text_input(key=f"first.{name}").set_value("password password")
    _press(app, "Create the clinic")
    assert "easy to guess" in texts(app)
    assert not (no_clinic / "store.db").exists()


def test_a_key_file_inside_the_data_folder_is_refused(no_clinic: Path, texts: Texts) -> None:
    app = _press(_first_run(_app(), no_clinic / "clinic.key"), "Create the clinic")
    assert "lies in the data folder" in texts(app).replace("\\", "")
    assert not (no_clinic / "store.db").exists()


def test_first_run_refuses_where_a_store_is(clinic: Clinic) -> None:
    wanted = founding.Founding("A", "B", "UTC", "ida", "Ida", SECRET, passphrase=SECRET)
    with pytest.raises(Exception, match="exists already"):
        founding.found_clinic(wanted)


def test_wrong_passwords_and_unknown_names_are_told_alike(clinic: Clinic) -> None:
    wrong = _sign_in(clinic.router(), "nurse", "not the password at all")
    unknown = _sign_in(clinic.router(), "nobody", "not the password at all")
    assert wrong.warning[0].value == unknown.warning[0].value
    assert "token" not in wrong.session_state


@pytest.mark.parametrize(
    ("role", "first", "actions"),
    [
        (Role.NURSE, "Today", {Action.FILE_REPORT}),
        (Role.DIRECTOR, "Overview", {Action.READ_RATES, Action.FILE_REPORT}),
        (Role.COMPLIANCE, "Quarter", {Action.EXPORT}),
        (Role.ADMINISTRATOR, "Accounts", {Action.MANAGE_ACCOUNTS}),
    ],
)
def test_each_role_lands_on_its_own_page(
    clinic: Clinic, role: Role, first: str, actions: set[Action]
) -> None:
    app = clinic.router(role)
    assert not app.exception
    assert app.title[0].value == first
    assert all(role in PERMITTED[action] for action in actions)


@pytest.mark.parametrize("role", list(Role))
def test_a_role_is_offered_only_the_pages_it_may_use(clinic: Clinic, role: Role) -> None:
    from reports.ui.places import READING
    from safety.ui.desk import CLINIC as PLACES_OF_CLINIC
    from safety.ui.desk import SESSIONS

    offered = set(clinic.router(role).session_state["pages"])
    places = (*READING, *SESSIONS, *PLACES_OF_CLINIC)
    assert offered == {p.path for p in places if p.needs is None or role in PERMITTED[p.needs]}


def test_signing_out_forgets_everything_and_ends_the_session_on_the_server(
    clinic: Clinic,
) -> None:
    app = clinic.router(Role.NURSE)
    token = app.session_state["token"]
    app.session_state["form"] = "something that was typed"
    app.button(key="sign-out").click().run()
    assert app.title[0].value == "Sign in"
    assert "form" not in app.session_state
    with pytest.raises(Exception, match="signed out"):
        signing_in.session_actor(clinic.store, token)


def test_an_idle_session_is_over_at_the_next_run_and_says_why(
    clinic: Clinic, clock: FakeClock, texts: Texts
) -> None:
    app = clinic.router(Role.DIRECTOR)
    app.session_state["form"] = "something that was typed"
    clock.advance(minutes=11)
    app.run()
    assert app.title[0].value == "Sign in"
    assert "nothing was done for a while" in texts(app)
    assert "form" not in app.session_state


def test_looking_whether_a_session_is_over_does_not_keep_it_alive(
    clinic: Clinic, clock: FakeClock
) -> None:
    signed = signing_in.sign_in(clinic.store, "nurse", PASSWORD)
    script = "from safety.ui import session; session.watch(session.store())"
    app = AppTest.from_string(script, default_timeout=SECONDS)
    app.session_state["token"] = signed.token
    for _ in range(3):
        clock.advance(minutes=3)
        app.run()
        assert "token" in app.session_state
    clock.advance(minutes=2)
    app.run()
    assert "token" not in app.session_state


def test_a_role_taken_away_counts_at_the_next_run(clinic: Clinic, texts: Texts) -> None:
    app = clinic.router(Role.NURSE)
    nurse = next(a for a in accounts.list_accounts(clinic.store, CONSOLE) if a.username == "nurse")
    accounts.set_role(clinic.store, CONSOLE, nurse.id, Role.COMPLIANCE)
    app.run()
    assert app.title[0].value == "Sign in"
    assert "account was changed" in texts(app)


@pytest.mark.parametrize("role", [None, *Role])
def test_a_store_that_cannot_be_trusted_says_so_on_every_page(
    clinic: Clinic, texts: Texts, role: Role | None
) -> None:
    app = clinic.router(role)
    clinic.store.distrust = Tampered("Audit entry 7 was changed.")
    assert "Audit entry 7 was changed" in texts(app.run()).replace("\\", "")


def test_a_store_whose_key_file_is_gone_says_so(clinic: Clinic, texts: Texts) -> None:
    holding.release()
    key = clinic.store.config.key_file
    assert key is not None
    key.unlink()
    app = _app()
    assert app.title[0].value == "The store does not open"
    assert "cannot be read" in texts(app)


def test_an_account_is_added_only_with_the_own_password(clinic: Clinic, texts: Texts) -> None:
    app = clinic.page("safety.ui.accounts_page", Role.ADMINISTRATOR)
    given = {"username": "newnurse", "display": "New Nurse", "password": SECRET}
    for name, text in given.items():
        app.text_input(key=f"add-0.{name}").set_value(text)
    app.text_input(key="add-0.own").set_value("wrong")
    _press(app, "Add account")
    assert "not your password" in texts(app)
    app.text_input(key="add-0.own").set_value(PASSWORD)
    _press(app, "Add account")
    assert app.success[0].value == "The account was added."
    assert app.text_input(key="add-1.password").value == ""
    names = [a.username for a in accounts.list_accounts(clinic.store, CONSOLE)]
    assert "newnurse" in names


@pytest.mark.parametrize(("what", "active"), [("Close", False), ("Role", True), ("Password", True)])
def test_an_account_is_changed_with_the_own_password(
    clinic: Clinic, what: str, active: bool
) -> None:
    app = clinic.page("safety.ui.accounts_page", Role.DIRECTOR)
    known = accounts.list_accounts(clinic.store, CONSOLE)
    nurse = next(a for a in known if a.username == "nurse")
    app.selectbox(key="change.account").set_value(nurse.id).run()
    app.session_state["change.what"] = what
    app.run()
    if what == "Password":
        next(t for t in app.text_input if t.label == "New password").set_value(SECRET)
    if what == "Role":
        next(s for s in app.selectbox if s.label == "New role").set_value(Role.COMPLIANCE)
    app.text_input(key="change.own").set_value(PASSWORD)
    _press(app, "Change")
    assert not app.exception
    changed = next(
        a for a in accounts.list_accounts(clinic.store, CONSOLE) if a.username == "nurse"
    )
    assert changed.active is active
    assert changed.version > nurse.version


def test_the_own_password_is_changed_and_the_session_ends(clinic: Clinic, texts: Texts) -> None:
    app = clinic.page("safety.ui.own_account", Role.NURSE)
    old, new, again = app.text_input
    old.set_value(PASSWORD)
    new.set_value(SECRET)
    again.set_value(SECRET)
    _press(app, "Change password")
    assert "token" not in app.session_state
    assert signing_in.sign_in(clinic.store, "nurse", SECRET).actor.role is Role.NURSE


def test_an_unexpected_error_becomes_a_number_and_its_message_is_nowhere(
    clinic: Clinic, caplog: pytest.LogCaptureFixture, texts: Texts
) -> None:
    script = """
from safety.ui import incidents
with incidents.caught():
    raise RuntimeError("Wilma Testcase was here")
"""
    with caplog.at_level(logging.DEBUG):
        app = AppTest.from_string(script, default_timeout=SECONDS).run()
    assert "Incident" in app.error[0].value
    assert "Wilma" not in texts(app)
    assert "Wilma" not in caplog.text
    assert "RuntimeError at " in caplog.text


def test_what_escapes_to_streamlit_is_logged_without_its_message(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    script = """
import streamlit as st
from safety.ui import incidents
incidents.quieten()
def fail():
    raise RuntimeError("Wilma Testcase was here")
st.button("Fail", on_click=fail)
"""
    app = AppTest.from_string(script, default_timeout=SECONDS).run()
    app.button[0].click().run()
    out, err = capfd.readouterr()
    assert app.exception
    assert "Wilma" not in caplog.text + out + err
    assert "page failed: RuntimeError at " in caplog.text + err


def test_two_browser_sessions_have_nothing_in_common(clinic: Clinic) -> None:
    nurse, director = clinic.router(Role.NURSE), clinic.router(Role.DIRECTOR)
    assert nurse.session_state["token"] != director.session_state["token"]
    assert nurse.title[0].value != director.title[0].value


def test_the_demonstration_is_a_store_of_its_own_with_a_banner_and_its_accounts_shown(
    no_clinic: Path, texts: Texts
) -> None:
    app = _press(_app(), "Open the demonstration")
    assert app.title[0].value == "Sign in"
    assert "Everything here is made up" in texts(app)
    accounts_shown = app.table[0].value.to_dict("records")
    assert {row["Role"] for row in accounts_shown} == set(Role)
    nurse = next(row for row in accounts_shown if row["Role"] == Role.NURSE)
    _sign_in(app, nurse["User name"], nurse["Password"])
    assert app.title[0].value == "Today"
    assert "Everything here is made up" in texts(app)
    app.button(key="sign-out").click().run()
    _press(app, "Leave the demonstration")
    assert app.title[0].value == "Welcome to Afterdose"
    assert not (no_clinic / "config.toml").exists()
