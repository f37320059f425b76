"""Account passwords: stored as a costly hash, refused when easy to guess."""

from __future__ import annotations

import subprocess
import sys
from typing import Final

import pytest

from safety.errors import SignInFailed, Tampered, WeakPassword
from safety.keys.kdf import KdfParameters
from safety.keys.passwords import check_new_password, hash_password, needs_rehash, verify_password

PASSWORD = "otter violin harbour maple"
TAIL = f"{'M' * 22}${'P' * 43}"


def test_the_right_password_is_accepted(cheap: KdfParameters) -> None:
    assert verify_password(hash_password(PASSWORD, cheap), PASSWORD) is True


@pytest.mark.parametrize("typed", ["", PASSWORD.title(), PASSWORD[:-1], f"{PASSWORD} ", "x" * 9999])
def test_any_other_password_is_refused(cheap: KdfParameters, typed: str) -> None:
    with pytest.raises(SignInFailed):
        verify_password(hash_password(PASSWORD, cheap), typed)


def test_a_text_longer_than_any_password_is_neither_stored_nor_cut_to_fit(
    cheap: KdfParameters,
) -> None:
    longest = "otter violin " * 78
    verify_password(hash_password(longest, cheap), longest)
    with pytest.raises(SignInFailed):
        verify_password(hash_password((longest + longest)[:1024], cheap), longest + longest)
    with pytest.raises(WeakPassword, match="at most 256"):
        hash_password(longest + longest, cheap)


def test_a_password_is_the_same_however_it_was_composed(cheap: KdfParameters) -> None:
    stored = hash_password("caf\N{LATIN SMALL LETTER E WITH ACUTE} au lait complet", cheap)
    assert verify_password(stored, "cafe\N{COMBINING ACUTE ACCENT} au lait complet")


def test_two_hashes_of_one_password_differ(cheap: KdfParameters) -> None:
    assert hash_password(PASSWORD, cheap) != hash_password(PASSWORD, cheap)


def test_an_unknown_user_and_a_wrong_password_read_alike(cheap: KdfParameters) -> None:
    with pytest.raises(SignInFailed) as unknown:
        verify_password(None, PASSWORD, cheap)
    with pytest.raises(SignInFailed) as wrong:
        verify_password(hash_password(PASSWORD, cheap), "wrong")
    assert str(unknown.value) == str(wrong.value)
    assert unknown.value.__cause__ is None


def test_an_unknown_user_costs_one_derivation_like_any_other(
    cheap: KdfParameters, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hash that nothing fits is verified at the cost that was asked for."""
    seen: list[str] = []

    class Recorder:
        @staticmethod
        def verify_phc_encoded(_: bytes, phc: str) -> None:
            seen.append(phc)

    monkeypatch.setattr("safety.keys.passwords.Argon2id", Recorder)
    verify_password(None, PASSWORD, KdfParameters(65536, 3, 4))
    assert [phc[:31] for phc in seen] == ["$argon2id$v=19$m=65536,t=3,p=4$"]
    assert len(seen[0]) == len("$argon2id$v=19$m=65536,t=3,p=4$") + 22 + 1 + 43


def test_a_hash_is_made_anew_when_its_cost_is_not_today_s(cheap: KdfParameters) -> None:
    stored = hash_password(PASSWORD, cheap)
    assert needs_rehash(stored)
    assert not needs_rehash(stored, cheap)


@pytest.mark.parametrize(
    "stored",
    [
        "",
        "plaintext",
        "$argon2i$v=19$m=8,t=1,p=1$" + TAIL,
        "$argon2id$v=16$m=8,t=1,p=1$" + TAIL,
        "$argon2id$v=19$m=99999999,t=3,p=4$" + TAIL,
        "$argon2id$v=19$m=8,t=999,p=1$" + TAIL,
        "$argon2id$v=19$m=8,t=0,p=1$" + TAIL,
        "$argon2id$v=19$m=8,t=1,p=4$" + TAIL,
        "$argon2id$v=19$m=8,t=1,p=1$" + TAIL[1:],
        "$argon2id$v=19$m=8,t=1,p=1$" + TAIL[:-1],
    ],
)
def test_a_stored_hash_that_is_not_ours_is_an_integrity_failure(stored: str) -> None:
    with pytest.raises(Tampered, match="stored password hash"):
        verify_password(stored, PASSWORD)


def test_production_costs_stand_in_the_hash() -> None:
    """The one test that pays the real price."""
    stored = hash_password(PASSWORD)
    assert stored.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert verify_password(stored, PASSWORD)
    assert not needs_rehash(stored)


@pytest.mark.parametrize(
    "password",
    [
        "aaaaaaaaaaaaaaaaaaaa",
        "abcabcabcabcabcabc",
        "abcdefghijklmnopqrst",
        "vu3Kq9vu3Kq9vu3Kq9",
        "xkxxkkxkxkkxxkxk",
        "1234567890123456",
        "98765432109876543210",
        "qwertyuiopasdfghjkl",
        "1q2w3e4r5t6y7u8i9o",
        "1qaz2wsx3edc4rfv5tgb",
        "PasswordPassword1!",
        "P@ssw0rd P@ssw0rd 12",
        "passwort-123456789",
        "Welcome2024Welcome2024",
        "correct horse battery staple",
        "CorrectHorseBatteryStaple!",
        "the quick brown fox jumps over the lazy dog",
        "Harbour Ketamine Clinic 1",
        "harbourketamine2026",
        "n.dubois-n.dubois-1",
        "NDubois123456789",
        "ketamine director 1",
        "changemechangeme99",
        "december december 24",
    ],
)
def test_an_obvious_password_is_refused(password: str) -> None:
    with pytest.raises(WeakPassword, match="easy to guess") as caught:
        check_new_password(password, "n.dubois", "Harbour Ketamine Clinic")
    assert password not in str(caught.value)


@pytest.mark.parametrize(
    "password",
    [
        PASSWORD,
        "purple otter climbs",
        "Tr0ub4dor&3 zebra",
        "vu3Kq9xLw2pZt8Rb",
        "elf Kraniche ziehen \N{LATIN SMALL LETTER U WITH DIAERESIS}ber das Moor",
        "my clinic password lives under a walnut",
        "\N{HIRAGANA LETTER KA}\N{HIRAGANA LETTER MO}\N{HIRAGANA LETTER ME}"
        * 3
        + "\N{HIRAGANA LETTER SO}\N{HIRAGANA LETTER RA}\N{HIRAGANA LETTER U}"
        "\N{HIRAGANA LETTER MI}\N{HIRAGANA LETTER NO}\N{HIRAGANA LETTER TO}"
        "\N{HIRAGANA LETTER RI}",
        "x7 " * 5 + "maple violin otter",
    ],
)
def test_a_long_unrelated_password_needs_no_special_signs(password: str) -> None:
    check_new_password(password, "n.dubois", "Harbour Ketamine Clinic")


@pytest.mark.parametrize(
    ("length", "message"), [(14, "15 characters or more"), (257, "at most 256")]
)
def test_length_has_two_ends(length: int, message: str) -> None:
    with pytest.raises(WeakPassword, match=message):
        check_new_password((PASSWORD * 12)[:length], "n.dubois", "Harbour")


def test_empty_and_short_names_explain_nothing() -> None:
    check_new_password("violin otter maple", "", "")
    check_new_password("violin otter maple", "o", "al")


_TOGETHER: Final = """
import threading
from safety.keys.passwords import hash_password, verify_password
stored = hash_password("lantern gravel otter 58")
done = []
def sign_in():
    verify_password(stored, "lantern gravel otter 58")
    done.append(1)
threads = [threading.Thread(target=sign_in) for _ in range(6)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(len(done))
"""


def test_people_who_sign_in_at_the_same_moment_all_get_in() -> None:
    """Two derivations at once hung for ever; in a process of its own, so that it can be ended."""
    found = subprocess.run(
        [sys.executable, "-c", _TOGETHER], capture_output=True, text=True, timeout=60, check=False
    )
    assert found.stdout.strip() == "6", found.stderr
