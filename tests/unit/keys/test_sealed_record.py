"""A sealed record opens under its own key and in its own place, and nowhere else."""

from __future__ import annotations

import copy
import pickle
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from safety.errors import AfterdoseError, NewerFormat, Tampered, Truncated, WrongKey
from safety.keys.derivation import expand, joined
from safety.keys.sealing import OVERHEAD, Place, SealingKey, key_id_of, padded, unpadded

RAW_KEY = bytes(range(32))
TEXT = b"felt drunk"
CLINIC, ROW, PATIENT, OTHER = (UUID(int=number) for number in (1, 2, 3, 4))
PLACE = Place("field", CLINIC, "report", "document", ROW, 1, PATIENT)
ELSEWHERE = {
    "purpose": "wrapped-key",
    "clinic": OTHER,
    "table": "draft",
    "column": "narrative",
    "row": OTHER,
    "version": 2,
    "patient": OTHER,
}


@pytest.fixture
def key() -> SealingKey:
    return SealingKey(RAW_KEY)


@pytest.fixture
def record(key: SealingKey) -> bytes:
    return key.seal(TEXT, PLACE)


def test_a_record_opens_in_its_place(key: SealingKey, record: bytes) -> None:
    assert key.open(record, PLACE) == TEXT


def test_a_record_is_61_bytes_longer_than_its_text(record: bytes) -> None:
    assert len(record) - len(TEXT) == OVERHEAD == 61


def test_a_record_follows_the_written_format(record: bytes) -> None:
    """Open a record by hand, from the description alone."""
    key_id = HKDFExpand(SHA256(), 32, b"afterdose/v1/sealing/key-id").derive(RAW_KEY)
    cipher = AESGCM(HKDFExpand(SHA256(), 32, b"afterdose/v1/sealing/enc").derive(RAW_KEY))
    parts = [b"afterdose", b"\x01" + key_id, b"field", CLINIC.bytes, b"report", b"document"]
    parts += [ROW.bytes, bytes(7) + b"\x01", PATIENT.bytes]
    associated = b"".join(len(part).to_bytes(4, "big") + part for part in parts)

    assert record[:33] == b"\x01" + key_id
    assert cipher.decrypt(record[33:45], record[45:], associated) == TEXT


def test_no_nonce_is_used_twice(key: SealingKey) -> None:
    nonces = {key.seal(TEXT, PLACE)[33:45] for _ in range(1000)}
    assert len(nonces) == 1000


def test_every_part_of_the_place_is_in_the_swap_matrix() -> None:
    assert set(ELSEWHERE) == set(Place._fields)


@pytest.mark.parametrize("part", ELSEWHERE)
def test_a_record_moved_to_another_place_is_refused(
    key: SealingKey, record: bytes, part: str
) -> None:
    moved = PLACE._replace(**{part: ELSEWHERE[part]})  # type: ignore[arg-type]
    with pytest.raises(Tampered):
        key.open(record, moved)


def test_a_record_of_a_patient_is_refused_where_no_patient_is_meant(
    key: SealingKey, record: bytes
) -> None:
    with pytest.raises(Tampered):
        key.open(record, PLACE._replace(patient=None))


def test_another_key_is_told_apart_from_tampering(record: bytes) -> None:
    with pytest.raises(WrongKey):
        SealingKey(bytes(32)).open(record, PLACE)


def test_another_key_is_found_before_anything_is_decrypted(record: bytes) -> None:
    damaged = record[:-1] + bytes([record[-1] ^ 1])
    with pytest.raises(WrongKey):
        SealingKey(bytes(32)).open(damaged, PLACE)


def test_a_forged_key_id_does_not_open(record: bytes) -> None:
    other = SealingKey(bytes(32))
    with pytest.raises(Tampered):
        other.open(record[:1] + other.key_id + record[33:], PLACE)


def _expected_for_flip(byte: int, bit: int) -> type[AfterdoseError]:
    if byte == 0:
        return Tampered if bit == 0 else NewerFormat
    return WrongKey if byte <= 32 else Tampered


def test_every_single_bit_flip_is_refused_with_its_class(key: SealingKey, record: bytes) -> None:
    for byte in range(len(record)):
        for bit in range(8):
            damaged = bytearray(record)
            damaged[byte] ^= 1 << bit
            with pytest.raises(_expected_for_flip(byte, bit)):
                key.open(bytes(damaged), PLACE)


def test_every_truncation_is_refused_with_its_class(key: SealingKey, record: bytes) -> None:
    for length in range(len(record)):
        with pytest.raises(Truncated if length < OVERHEAD else Tampered):
            key.open(record[:length], PLACE)


def test_bytes_added_at_either_end_are_refused(key: SealingKey, record: bytes) -> None:
    for longer in (record + b"\x00", b"\x01" + record):
        with pytest.raises((Tampered, WrongKey)):
            key.open(longer, PLACE)


def test_a_later_format_is_refused_as_such_even_when_it_is_short(key: SealingKey) -> None:
    with pytest.raises(NewerFormat, match="later version"):
        key.open(b"\x02short", PLACE)


@pytest.mark.parametrize("damage", [b"", b"\x01" + bytes(80), b"\x02", b"\x00" * 90])
def test_messages_name_the_place_and_never_the_patient(key: SealingKey, damage: bytes) -> None:
    with pytest.raises(AfterdoseError) as caught:
        key.open(damage, PLACE)
    message = str(caught.value)
    assert f"field in report.document, row {ROW}, version 1" in message
    assert str(PATIENT) not in message
    assert message.endswith(".")


def test_parts_cannot_run_into_each_other() -> None:
    """Joined by a bar these two were the same; with lengths they differ."""
    assert b"|".join([b"a", b"1|x", b"y"]) == b"|".join([b"a", b"1", b"x|y"])
    assert joined(b"a", b"1|x", b"y") != joined(b"a", b"1", b"x|y")
    assert joined(b"", b"a") != joined(b"a", b"")


def test_lengths_count_bytes_and_not_characters() -> None:
    """Names with letters of two bytes shift nothing into the next part."""
    assert joined("é".encode()) == b"\x00\x00\x00\x02\xc3\xa9"


# RFC 5869, appendix A, cases 1 to 3: pseudorandom key, info, the output's first block.
RFC_5869 = [
    (
        "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
        "f0f1f2f3f4f5f6f7f8f9",
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf",
    ),
    (
        "06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244",
        bytes(range(0xB0, 0x100)).hex(),
        "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c",
    ),
    (
        "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
        "",
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d",
    ),
]


@pytest.mark.parametrize(("key", "info", "output"), RFC_5869)
def test_expand_gives_the_vectors_of_rfc_5869(key: str, info: str, output: str) -> None:
    assert expand(bytes.fromhex(key), bytes.fromhex(info)).hex() == output


@pytest.mark.parametrize("info", [b"", b"afterdose/v1/sealing/enc", bytes(300)])
def test_expand_equals_the_library_s(info: bytes) -> None:
    assert expand(RAW_KEY, info) == HKDFExpand(SHA256(), 32, info).derive(RAW_KEY)


def test_a_key_shows_nothing_of_itself(key: SealingKey) -> None:
    assert repr(key) == str(key) == "<SealingKey: content not shown>"
    assert not hasattr(key, "__dict__")


def test_a_key_is_neither_pickled_nor_copied(key: SealingKey) -> None:
    for attempt in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="holds a secret"):
            attempt(key)


def test_a_key_has_32_bytes() -> None:
    for length in (0, 16, 31, 33):
        with pytest.raises(ValueError, match="32 bytes"):
            SealingKey(bytes(length))


def test_the_key_id_can_be_read_off_a_record(key: SealingKey, record: bytes) -> None:
    assert key_id_of(record) == key.key_id == SealingKey(RAW_KEY).key_id


@pytest.mark.parametrize(("length", "padded_length"), [(0, 256), (255, 256), (256, 512)])
def test_padding_hides_the_length(length: int, padded_length: int) -> None:
    text = b"x" * length
    assert len(padded(text)) == padded_length
    assert unpadded(padded(text)) == text


def test_a_text_that_ends_like_padding_comes_back_whole() -> None:
    for text in (b"\x80", b"\x80\x00\x00", b"\x00" * 300, b"a\x80" * 128):
        assert unpadded(padded(text)) == text


@pytest.mark.parametrize(
    "text", [b"", b"abc\x80", bytes(256), b"\x80" + bytes(511), b"\x80" + bytes(254) + b"\x01"]
)
def test_text_that_was_not_padded_is_refused(text: bytes) -> None:
    with pytest.raises(Tampered, match="padded"):
        unpadded(text)
