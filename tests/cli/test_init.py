"""``afterdose init`` and ``unlock``: making a clinic, opening it, and one key more."""

from __future__ import annotations

import io
import stat
from collections.abc import Callable

import pytest

from safety.config import read_config
from tests.support.command_line import PASSWORD, Desk
from tests.support.postgresql import Server

PASSPHRASE = "five unrelated words make this"


def recovery_code(out: str) -> str:
    return next(word for word in out.split() if word.count("-") == 13)


def test_init_prints_the_recovery_code_once_and_nothing_secret_stays(desk: Desk) -> None:
    done = desk.init()
    assert (done.status, done.out.count(recovery_code(done.out))) == (0, 1)
    assert "Write it on paper" in done.out
    assert PASSWORD not in done.out + done.err
    kept = [path.read_bytes() for path in desk.home.iterdir()]
    assert not any(recovery_code(done.out).encode() in content for content in kept)


def test_the_key_file_is_made_for_its_owner_alone_and_remembered(desk: Desk) -> None:
    desk.init()
    assert stat.S_IMODE(desk.key.stat().st_mode) == 0o600
    assert read_config(desk.home).key_file == desk.key
    assert desk.run("unlock").status == 0


def test_an_existing_key_file_is_used_as_it_is(desk: Desk) -> None:
    desk.init()
    before = desk.key.read_bytes()
    desk.home = desk.folder / "second"
    assert desk.init().status == 0
    assert desk.key.read_bytes() == before


def test_the_key_may_be_named_before_the_command(desk: Desk) -> None:
    assert desk.run("--key-file", desk.key, "init", *desk.founding()).status == 0
    assert desk.key.exists()


def test_a_passphrase_opens_the_store_in_place_of_a_file(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = desk.file("words", PASSPHRASE)
    assert desk.run("init", *desk.founding(), "--passphrase-file", words).status == 0
    assert read_config(desk.home).key_file is None
    assert desk.run("--passphrase-file", words, "unlock").status == 0
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSPHRASE}\n"))
    assert desk.run("unlock").status == 0
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    done = desk.run("unlock")
    assert (done.status, done.out) == (1, "")
    assert "Name a file with --passphrase-file" in done.err


def test_the_director_can_sign_in_with_the_typed_password(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))
    options = desk.founding()
    at = options.index("--password-file")
    del options[at : at + 2]
    assert desk.run("init", *options, "--key-file", desk.key).status == 0
    [account] = desk.run("users", "--format", "json").json()
    assert (account["username"], account["role"]) == ("ida", "director")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"director": "Ida Marsh"}, "--director: needs 2 to 64 characters"),
        ({"clinic": " "}, "--clinic: is blank"),
        ({"timezone": "Mars/Olympus"}, "There is no time zone 'Mars/Olympus'"),
        ({"password-file": "/nowhere"}, "/nowhere cannot be read: No such file"),
        ({"database": "postgresql://u:secret@host/x"}, "The database URL"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(
    desk: Desk, change: dict[str, str], message: str
) -> None:
    done = desk.run("init", *desk.founding(**change), "--key-file", desk.key)
    assert (done.status, done.out) == (1, "")
    assert done.err.startswith(f"afterdose: {message}")
    assert "secret" not in done.err
    assert not desk.key.exists()
    assert not (desk.home / "config.toml").exists()


def test_a_weak_password_is_refused(desk: Desk) -> None:
    weak = desk.file("weak", "Alder Clinic 1234")
    done = desk.run("init", *desk.founding(**{"password-file": weak}), "--key-file", desk.key)
    assert done.status == 1
    assert "easy to guess" in done.err
    assert not desk.home.exists()


def test_a_key_file_among_the_data_is_refused(desk: Desk) -> None:
    done = desk.run("init", *desk.founding(), "--key-file", desk.home / "clinic.key")
    assert done.status == 1
    assert "lies in the data folder" in done.err
    assert not desk.home.exists()


def test_a_second_init_leaves_the_first_store_alone(clinic: Desk) -> None:
    before = (clinic.home / "keys.json").read_bytes()
    done = clinic.init()
    assert done.status == 1
    assert "holds a store already" in done.err
    assert (clinic.home / "keys.json").read_bytes() == before
    assert clinic.run("unlock").status == 0


def test_init_without_a_key_says_what_is_missing(desk: Desk) -> None:
    done = desk.run("init", *desk.founding())
    assert done.status == 1
    assert "--key-file PATH" in done.err


def test_unlock_says_what_is_there(clinic: Desk) -> None:
    about = clinic.run("unlock", "--format", "json").json()
    assert about["clinic"] == "Alder Clinic"
    assert about["opened_by"] == "key-file"
    assert [slot.split(",")[0] for slot in about["slots"]] == ["key-file", "recovery"]
    assert (about["sites"], about["sessions"], about["accounts"]) == (1, 0, 1)


def test_without_a_store_unlock_says_so(desk: Desk) -> None:
    done = desk.run("unlock")
    assert done.status == 1
    assert f"There is no Afterdose store in {desk.home}" in done.err


def test_another_clinics_key_is_an_integrity_failure(clinic: Desk) -> None:
    before = clinic.home
    other = clinic.folder / "other.key"
    clinic.home = clinic.folder / "elsewhere"
    assert clinic.run("init", *clinic.founding(), "--key-file", other).status == 0
    clinic.home = before
    done = clinic.run("--key-file", other, "unlock")
    assert (done.status, done.out) == (3, "")
    assert "does not open this store" in done.err


def test_the_recovery_code_opens_when_the_key_file_is_lost_and_makes_a_new_one(
    clinic: Desk,
) -> None:
    clinic.key.unlink()
    assert clinic.run("unlock").status == 1
    fresh = clinic.folder / "keys" / "fresh.key"
    code = clinic.folder / "code"
    done = clinic.run("unlock", "--recovery-code-file", code, "--new-key-file", fresh)
    assert done.status == 0
    assert read_config(clinic.home).key_file == fresh
    assert clinic.run("unlock", "--format", "json").json()["opened_by"] == "key-file"
    assert clinic.run("verify", "--store").status == 0


def test_a_typed_recovery_code_adds_a_passphrase_and_the_lost_file_is_forgotten(
    clinic: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    clinic.key.unlink()
    typed = (clinic.folder / "code").read_text(encoding="utf-8").lower().replace("-", " ")
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{typed}\n"))
    words = clinic.file("words", PASSPHRASE)
    assert clinic.run("unlock", "--recovery", "--new-passphrase-file", words).status == 0
    assert read_config(clinic.home).key_file is None
    assert clinic.run("--passphrase-file", words, "unlock").status == 0


def test_a_passphrase_beside_a_key_file_changes_nothing_else(clinic: Desk) -> None:
    words = clinic.file("words", PASSPHRASE)
    assert clinic.run("unlock", "--new-passphrase-file", words).status == 0
    assert read_config(clinic.home).key_file == clinic.key


@pytest.mark.parametrize(
    "spoil",
    [lambda code: code[:-4], lambda code: f"{'1' if code[0] != '1' else '2'}{code[1:]}"],
    ids=["cut", "one sign wrong"],
)
def test_a_mistyped_recovery_code_can_be_mended(clinic: Desk, spoil: Callable[[str], str]) -> None:
    code = clinic.folder / "code"
    code.write_text(spoil(code.read_text(encoding="utf-8")), encoding="utf-8")
    done = clinic.run("unlock", "--recovery-code-file", code)
    assert (done.status, done.out) == (1, "")
    assert "recovery code" in done.err


@pytest.mark.postgresql
def test_a_clinic_can_live_in_postgresql(desk: Desk, postgresql: Server) -> None:
    name = postgresql.create_database()
    try:
        options = ("--database", postgresql.url(name))
        assert desk.init(*options).status == 0
        about = desk.run("unlock", "--format", "json").json()
        assert (about["engine"], about["accounts"]) == ("PostgreSQL", 1)
        assert desk.run("verify", "--store").status == 0
        desk.home, desk.key = desk.folder / "second", desk.folder / "second.key"
        again = desk.init(*options)
        assert again.status == 1
        assert "holds an Afterdose store already" in again.err
        assert not desk.key.exists()
    finally:
        postgresql.drop_database(name)
