"""Sealing, padding, joining and indexing hold for any input, not only for those we thought of."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from safety.errors import AfterdoseError, Tampered, WrongKey
from safety.keys.derivation import joined, normalised_mrn
from safety.keys.recovery import RecoveryCode
from safety.keys.sealing import OVERHEAD, Place, SealingKey, padded, unpadded

KEYS = st.binary(min_size=32, max_size=32)
PLACES = st.builds(
    Place,
    purpose=st.text(max_size=12),
    clinic=st.uuids(),
    table=st.text(max_size=12),
    column=st.text(max_size=12),
    row=st.uuids(),
    version=st.integers(min_value=0, max_value=2**64 - 1),
    patient=st.none() | st.uuids(),
)
PARTS = st.lists(st.binary(max_size=6), max_size=5)


@given(key=KEYS, text=st.binary(max_size=2000), place=PLACES)
def test_what_was_sealed_opens(key: bytes, text: bytes, place: Place) -> None:
    record = SealingKey(key).seal(text, place)
    assert len(record) == len(text) + OVERHEAD
    assert SealingKey(key).open(record, place) == text


@given(one=PLACES, other=PLACES)
def test_distinct_places_have_distinct_bytes(one: Place, other: Place) -> None:
    assert (one.encoded() == other.encoded()) == (one == other)


@given(place=PLACES, cut=st.integers(min_value=0, max_value=12))
def test_moving_letters_between_table_and_column_changes_the_bytes(place: Place, cut: int) -> None:
    both = place.table + place.column
    assume(cut <= len(both))
    shifted = place._replace(table=both[:cut], column=both[cut:])
    assert (shifted.encoded() == place.encoded()) == (shifted == place)


@given(one=PARTS, other=PARTS)
def test_joining_never_confuses_two_lists(one: list[bytes], other: list[bytes]) -> None:
    assert (joined(*one) == joined(*other)) == (one == other)


@given(key=KEYS, text=st.binary(max_size=50), one=PLACES, other=PLACES)
def test_a_record_never_opens_in_another_place(
    key: bytes, text: bytes, one: Place, other: Place
) -> None:
    assume(one != other)
    with pytest.raises(Tampered):
        SealingKey(key).open(SealingKey(key).seal(text, one), other)


@given(key=KEYS, other=KEYS, place=PLACES)
def test_a_record_never_opens_under_another_key(key: bytes, other: bytes, place: Place) -> None:
    assume(key != other)
    with pytest.raises(WrongKey):
        SealingKey(other).open(SealingKey(key).seal(b"text", place), place)


@given(key=KEYS, place=PLACES, junk=st.binary(max_size=200))
def test_junk_never_opens(key: bytes, place: Place, junk: bytes) -> None:
    with pytest.raises(AfterdoseError):
        SealingKey(key).open(junk, place)


@given(text=st.binary(max_size=1200))
def test_padding_comes_off_and_fills_blocks_of_256(text: bytes) -> None:
    assert len(padded(text)) % 256 == 0
    assert 0 < len(padded(text)) - len(text) <= 256
    assert unpadded(padded(text)) == text


@given(junk=st.binary(max_size=600))
def test_only_what_was_padded_is_unpadded(junk: bytes) -> None:
    try:
        text = unpadded(junk)
    except Tampered:
        return
    assert padded(text) == junk


@settings(max_examples=300)
@given(mrn=st.text(max_size=12))
def test_the_written_form_of_a_record_number_is_its_own_written_form(mrn: str) -> None:
    assert normalised_mrn(normalised_mrn(mrn)) == normalised_mrn(mrn)


@given(
    mrn=st.text("ABCXYZ0189", min_size=1, max_size=10),
    separators=st.lists(st.sampled_from([" ", "-", ".", "/", "\N{EN DASH}", ""]), min_size=11),
)
def test_separators_and_case_never_change_a_record_number(mrn: str, separators: list[str]) -> None:
    spelled = "".join(
        separator + letter for separator, letter in zip(separators, mrn.lower(), strict=False)
    )
    assert normalised_mrn(spelled) == mrn


@given(secret=KEYS)
def test_a_recovery_code_is_read_as_it_was_printed(secret: bytes) -> None:
    printed = RecoveryCode(secret).printed()
    assert RecoveryCode.parse(printed.lower().replace("-", " ")).printed() == printed
