"""A key source gives its key, or says what is wrong with it."""

from __future__ import annotations

import os
import pickle
import re
import sys
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest

from safety.errors import BadInputFile, IntegrityFailure, MistypedCode, Tampered, UnsafeKeySource
from safety.keys.kdf import KdfParameters
from safety.keys.sources import KeyFile, Passphrase, RecoveryCode, SlotTerms, check_apart

PASSPHRASE = "otter violin harbour maple"
on_posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no mode bits")


@pytest.fixture
def terms(clinic: UUID, cheap: KdfParameters) -> SlotTerms:
    return SlotTerms(clinic, UUID(int=7), "passphrase", cheap, bytes(16))


def written(path: Path, content: bytes, mode: int = 0o600) -> KeyFile:
    path.write_bytes(content)
    path.chmod(mode)
    return KeyFile(path)


def test_a_new_key_file_holds_32_bytes_for_its_owner_alone(key_file: KeyFile) -> None:
    assert key_file.path.stat().st_size == 32
    if sys.platform != "win32":
        assert key_file.path.stat().st_mode & 0o777 == 0o600


def test_two_key_files_differ(tmp_path: Path, terms: SlotTerms) -> None:
    one, other = KeyFile.create(tmp_path / "one"), KeyFile.create(tmp_path / "other")
    assert one.slot_key(terms) != other.slot_key(terms)


def test_a_key_file_gives_the_same_key_again(key_file: KeyFile, terms: SlotTerms) -> None:
    assert key_file.slot_key(terms) == KeyFile(key_file.path).slot_key(terms)


def test_the_key_is_not_the_content_of_the_file(key_file: KeyFile, terms: SlotTerms) -> None:
    assert key_file.slot_key(terms) != key_file.path.read_bytes()


def test_a_key_file_is_never_overwritten(key_file: KeyFile) -> None:
    before = key_file.path.read_bytes()
    with pytest.raises(UnsafeKeySource, match="never overwritten"):
        KeyFile.create(key_file.path)
    assert key_file.path.read_bytes() == before


def test_a_key_file_that_cannot_be_made_says_why(tmp_path: Path) -> None:
    with pytest.raises(BadInputFile, match="cannot be written: No such file"):
        KeyFile.create(tmp_path / "no-such-folder" / "clinic.key")


@pytest.mark.parametrize("length", [0, 1, 31, 33, 64])
def test_a_key_file_of_another_size_is_refused(
    tmp_path: Path, terms: SlotTerms, length: int
) -> None:
    source = written(tmp_path / "clinic.key", os.urandom(length))
    with pytest.raises(UnsafeKeySource, match="exactly 32 random bytes"):
        source.slot_key(terms)


@pytest.mark.parametrize(
    "content", [bytes(32), b"\xff\x00" * 16, b"correct horse battery staple 123"]
)
def test_content_that_is_not_random_is_refused(
    tmp_path: Path, terms: SlotTerms, content: bytes
) -> None:
    source = written(tmp_path / "clinic.key", content)
    with pytest.raises(UnsafeKeySource, match="not random"):
        source.slot_key(terms)


@on_posix
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o644, 0o777])
def test_a_key_file_that_others_can_reach_is_refused(
    key_file: KeyFile, terms: SlotTerms, mode: int
) -> None:
    key_file.path.chmod(mode)
    with pytest.raises(UnsafeKeySource, match=f"mode {mode:04o}.*chmod 600"):
        key_file.slot_key(terms)


@on_posix
def test_a_key_file_that_only_its_owner_can_read_is_fine(
    key_file: KeyFile, terms: SlotTerms
) -> None:
    key_file.path.chmod(0o400)
    assert len(key_file.slot_key(terms)) == 32


@on_posix
def test_a_key_file_of_another_user_is_refused(
    key_file: KeyFile, terms: SlotTerms, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = key_file.path.stat().st_uid or 1
    os.chown(key_file.path, owner, -1)
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    with pytest.raises(UnsafeKeySource, match="belongs to another user"):
        key_file.slot_key(terms)


def test_a_missing_key_file_says_so(tmp_path: Path, terms: SlotTerms) -> None:
    with pytest.raises(BadInputFile, match="cannot be read: No such file"):
        KeyFile(tmp_path / "clinic.key").slot_key(terms)


@on_posix
def test_a_folder_and_a_pipe_are_no_key_files(tmp_path: Path, terms: SlotTerms) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe, 0o600)
    for path in (tmp_path, pipe):
        with pytest.raises(UnsafeKeySource, match="not a regular file"):
            KeyFile(path).slot_key(terms)


@on_posix
def test_a_link_to_another_folder_is_refused(
    tmp_path: Path, key_file: KeyFile, terms: SlotTerms
) -> None:
    folder = tmp_path / "etc"
    folder.mkdir()
    link = folder / "clinic.key"
    link.symlink_to(key_file.path)
    with pytest.raises(UnsafeKeySource, match="link to another folder"):
        KeyFile(link).slot_key(terms)


@on_posix
def test_a_link_within_its_folder_is_followed(key_file: KeyFile, terms: SlotTerms) -> None:
    """Container platforms mount a secret as a link to a dated folder beside it."""
    link = key_file.path.with_name("current.key")
    link.symlink_to(key_file.path.name)
    assert KeyFile(link).slot_key(terms) == key_file.slot_key(terms)


@on_posix
def test_a_ring_of_links_is_refused(tmp_path: Path, terms: SlotTerms) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises((UnsafeKeySource, BadInputFile)):
        KeyFile(tmp_path / "a").slot_key(terms)


@pytest.mark.parametrize("inside", ["clinic.key", "keys/clinic.key", "../home/clinic.key"])
def test_a_key_file_in_the_data_folder_is_refused(tmp_path: Path, inside: str) -> None:
    home = tmp_path / "home"
    home.mkdir()
    with pytest.raises(UnsafeKeySource, match="lies in the data folder"):
        check_apart(home / inside, home)


def test_a_data_folder_that_is_not_there_yet_is_guarded_too(tmp_path: Path) -> None:
    with pytest.raises(UnsafeKeySource, match="lies in the data folder"):
        check_apart(tmp_path / "home" / "clinic.key", tmp_path / "home")


def test_a_key_file_beside_the_data_folder_is_accepted(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    check_apart(tmp_path / "clinic.key", tmp_path / "home")
    check_apart(tmp_path / "home-keys" / "clinic.key", tmp_path / "home")


@on_posix
def test_a_link_that_leads_into_the_data_folder_is_refused(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (tmp_path / "keys").symlink_to(home)
    with pytest.raises(UnsafeKeySource, match="lies in the data folder"):
        check_apart(tmp_path / "keys" / "clinic.key", home)


def test_a_short_passphrase_is_refused() -> None:
    with pytest.raises(UnsafeKeySource, match="15 characters or more; this one has 14"):
        Passphrase("x" * 14)


def test_length_is_counted_after_normalisation() -> None:
    with pytest.raises(UnsafeKeySource, match="this one has 8"):
        Passphrase("e\N{COMBINING ACUTE ACCENT}" * 8)


def test_a_passphrase_is_the_same_however_it_was_composed(
    passphrase: Callable[[str], Passphrase], terms: SlotTerms
) -> None:
    composed = passphrase("caf\N{LATIN SMALL LETTER E WITH ACUTE} au lait complet")
    decomposed = passphrase("cafe\N{COMBINING ACUTE ACCENT} au lait complet")
    assert composed.slot_key(terms) == decomposed.slot_key(terms)


def test_case_and_spaces_count_in_a_passphrase(
    passphrase: Callable[[str], Passphrase], terms: SlotTerms
) -> None:
    texts = [PASSPHRASE, PASSPHRASE.title(), f"{PASSPHRASE} ", PASSPHRASE.replace(" ", "-")]
    assert len({passphrase(text).slot_key(terms) for text in texts}) == len(texts)


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_one_newline_at_the_end_of_a_passphrase_file_does_not_count(
    tmp_path: Path, cheap: KdfParameters, terms: SlotTerms, ending: str
) -> None:
    path = tmp_path / "words.txt"
    path.write_bytes(f"{PASSPHRASE}{ending}".encode())
    read = Passphrase.from_file(path, kdf=cheap, floor=cheap)
    assert read.slot_key(terms) == Passphrase(PASSPHRASE, kdf=cheap, floor=cheap).slot_key(terms)


def test_further_white_space_in_a_passphrase_file_counts(
    tmp_path: Path, cheap: KdfParameters, terms: SlotTerms
) -> None:
    path = tmp_path / "words.txt"
    path.write_bytes(f"{PASSPHRASE}\n\n".encode())
    read = Passphrase.from_file(path, kdf=cheap, floor=cheap)
    assert read.slot_key(terms) != Passphrase(PASSPHRASE, kdf=cheap, floor=cheap).slot_key(terms)


def test_the_mark_that_some_editors_put_first_is_not_part_of_the_passphrase(
    tmp_path: Path, cheap: KdfParameters, terms: SlotTerms
) -> None:
    path = tmp_path / "words.txt"
    path.write_bytes(PASSPHRASE.encode("utf-8-sig"))
    read = Passphrase.from_file(path, kdf=cheap, floor=cheap)
    assert read.slot_key(terms) == Passphrase(PASSPHRASE, kdf=cheap, floor=cheap).slot_key(terms)


def test_a_passphrase_file_that_is_no_text_or_not_there_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    with pytest.raises(BadInputFile, match="cannot be read"):
        Passphrase.from_file(path)
    path.write_bytes(PASSPHRASE.encode("utf-16"))
    with pytest.raises(BadInputFile, match="not UTF-8"):
        Passphrase.from_file(path)


@pytest.mark.parametrize(
    "cost",
    [
        KdfParameters(memory_kib=19 * 1024 - 1),
        KdfParameters(iterations=1),
        KdfParameters(lanes=0),
        KdfParameters(memory_kib=1 << 30),
        KdfParameters(iterations=1000),
        KdfParameters(lanes=200),
    ],
)
def test_a_cost_that_afterdose_never_writes_is_refused_before_any_work(
    clinic: UUID, cost: KdfParameters
) -> None:
    terms = SlotTerms(clinic, UUID(int=7), "passphrase", cost, bytes(16))
    with pytest.raises(Tampered, match="never writes"):
        Passphrase(PASSPHRASE).slot_key(terms)
    with pytest.raises(UnsafeKeySource, match="outside"):
        Passphrase(PASSPHRASE, kdf=cost)


def test_a_passphrase_slot_without_a_cost_is_refused(clinic: UUID) -> None:
    terms = SlotTerms(clinic, UUID(int=7), "passphrase", None, bytes(16))
    with pytest.raises(Tampered, match="never writes"):
        Passphrase(PASSPHRASE).slot_key(terms)


CODE = RecoveryCode(bytes(range(32)))


def test_a_printed_code_is_14_groups_of_unmistakable_symbols() -> None:
    group = "[0-9ABCDEFGHJKMNPQRSTVWXYZ]{4}"
    assert re.fullmatch(f"{group}(-{group}){{13}}", CODE.printed())


def test_new_codes_differ() -> None:
    assert RecoveryCode.new().printed() != RecoveryCode.new().printed()


@pytest.mark.parametrize(
    "typed",
    [
        CODE.printed().lower(),
        CODE.printed().replace("-", ""),
        CODE.printed().replace("-", " "),
        CODE.printed().replace("-", "\N{EN DASH}"),
        CODE.printed().replace("0", "O"),
        CODE.printed().replace("0", "o").replace("1", "l"),
        CODE.printed().replace("1", "I"),
        f"\n  {CODE.printed()}\n",
        CODE.printed().replace("-", "\n"),
    ],
)
def test_a_code_may_be_typed_carelessly(typed: str) -> None:
    assert RecoveryCode.parse(typed).printed() == CODE.printed()


def test_every_wrong_symbol_is_found_by_the_checksum() -> None:
    symbols = CODE.printed().replace("-", "")
    for at, symbol in enumerate(symbols):
        for other in set("0123456789ABCDEFGHJKMNPQRSTVWXYZ") - {symbol}:
            with pytest.raises(MistypedCode, match="checksum"):
                RecoveryCode.parse(symbols[:at] + other + symbols[at + 1 :])


def test_every_pair_of_exchanged_symbols_is_found_by_the_checksum() -> None:
    symbols = CODE.printed().replace("-", "")
    for at in range(len(symbols) - 1):
        exchanged = symbols[:at] + symbols[at + 1] + symbols[at] + symbols[at + 2 :]
        if exchanged != symbols:
            with pytest.raises(MistypedCode, match="checksum"):
                RecoveryCode.parse(exchanged)


def test_missing_and_extra_symbols_are_counted() -> None:
    for typed in ("", CODE.printed()[:-1], CODE.printed() + "7"):
        with pytest.raises(MistypedCode, match="56 letters and digits"):
            RecoveryCode.parse(typed)


@pytest.mark.parametrize(
    "sign",
    ["U", "\N{LATIN SMALL LETTER E WITH ACUTE}", "\N{DIGIT TWO}\N{CYRILLIC SMALL LETTER YA}"],
)
def test_a_sign_that_is_never_used_is_named_by_its_group(sign: str) -> None:
    symbols = CODE.printed().replace("-", "")
    with pytest.raises(MistypedCode, match="Group 3 "):
        RecoveryCode.parse(symbols[:8] + sign + symbols[9:])


def test_a_mistyped_code_is_no_integrity_failure() -> None:
    assert not issubclass(MistypedCode, IntegrityFailure)


def test_messages_about_a_code_do_not_repeat_it() -> None:
    symbols = CODE.printed().replace("-", "")
    with pytest.raises(MistypedCode) as caught:
        RecoveryCode.parse("Z" + symbols[1:])
    assert symbols[1:9] not in str(caught.value)


def test_a_code_stands_for_32_bytes() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        RecoveryCode(bytes(31))


def test_sources_that_hold_a_secret_show_nothing_of_it(
    passphrase: Callable[[str], Passphrase],
) -> None:
    for source in (CODE, passphrase(PASSPHRASE)):
        assert f"{source}{source!r}" == 2 * f"<{type(source).__name__}: content not shown>"
        with pytest.raises(TypeError, match="holds a secret"):
            pickle.dumps(source)
