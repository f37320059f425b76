"""Derived keys differ by purpose; a record number finds its patient however it is spelled."""

from __future__ import annotations

import hmac
from uuid import UUID

import pytest

from safety.errors import InvalidReport
from safety.keys.derivation import (
    Purpose,
    derive,
    derive_slot_key,
    expand,
    label,
    mrn_index,
    normalised_mrn,
    reference_index,
)

ROOT = bytes(range(32))
CLINIC, OTHER_CLINIC = UUID(int=1), UUID(int=2)


def test_each_purpose_has_a_key_of_its_own() -> None:
    keys = {derive(ROOT, purpose) for purpose in Purpose}
    assert len(keys) == len(Purpose)
    assert all(len(key) == 32 for key in keys)


def test_labels_name_product_version_and_purpose() -> None:
    assert label("root/kek") == b"afterdose/v1/root/kek"


def test_derivation_is_hkdf_with_extraction() -> None:
    """Follow RFC 5869 by hand: extract with a salt of zeros, then expand."""
    extracted = hmac.digest(bytes(32), ROOT, "sha256")
    assert derive(ROOT, Purpose.FILE) == expand(extracted, b"afterdose/v1/root/file")


def test_a_slot_key_depends_on_salt_and_kind() -> None:
    keys = {
        derive_slot_key(ROOT, bytes(16), "key-file"),
        derive_slot_key(ROOT, bytes(15) + b"\x01", "key-file"),
        derive_slot_key(ROOT, bytes(16), "recovery"),
    }
    assert len(keys) == 3


@pytest.mark.parametrize(
    "spelling",
    [
        "AB-12345",
        "ab12345",
        "  AB 123 45\t",
        "AB.12/345",
        "AB\\123\N{EN DASH}45",
        "AB123\N{NON-BREAKING HYPHEN}45",
        "AB\N{MINUS SIGN}12345",
        "\N{FULLWIDTH LATIN SMALL LETTER A}b\N{FULLWIDTH DIGIT ONE}2345",
        "AB12345\N{ZERO WIDTH SPACE}",
        "AB\N{SOFT HYPHEN}12345",
        "AB\N{NO-BREAK SPACE}12345",
    ],
)
def test_every_spelling_of_a_number_has_one_index(spelling: str) -> None:
    assert mrn_index(ROOT, CLINIC, spelling) == mrn_index(ROOT, CLINIC, "AB12345")


def test_composed_and_decomposed_letters_are_the_same() -> None:
    composed, decomposed = "\N{LATIN SMALL LETTER E WITH ACUTE}7", "e\N{COMBINING ACUTE ACCENT}7"
    assert composed != decomposed
    assert mrn_index(ROOT, CLINIC, composed) == mrn_index(ROOT, CLINIC, decomposed)


def test_other_numbers_have_other_indexes() -> None:
    numbers = ["12345", "012345", "12346", "A12345", "12345A", "1234", "5", "54321"]
    assert len({mrn_index(ROOT, CLINIC, number) for number in numbers}) == len(numbers)


def test_the_index_depends_on_the_clinic_and_on_the_key() -> None:
    assert mrn_index(ROOT, CLINIC, "1") != mrn_index(ROOT, OTHER_CLINIC, "1")
    assert mrn_index(ROOT, CLINIC, "1") != mrn_index(bytes(32), CLINIC, "1")


def test_the_index_is_built_as_written() -> None:
    parts = [b"afterdose/v1/index/mrn", CLINIC.bytes, b"AB1"]
    message = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    assert mrn_index(ROOT, CLINIC, "ab-1") == hmac.digest(ROOT, message, "sha256")


@pytest.mark.parametrize("empty", ["", "   ", "-/.", "\N{ZERO WIDTH SPACE}"])
def test_a_number_without_letters_or_digits_is_refused(empty: str) -> None:
    with pytest.raises(InvalidReport) as caught:
        mrn_index(ROOT, CLINIC, empty)
    assert [problem.field for problem in caught.value.problems] == ["patient_mrn"]


def test_a_lone_surrogate_does_not_raise_an_error_that_carries_the_text() -> None:
    assert len(mrn_index(ROOT, CLINIC, "12\ud800")) == 32
    assert len(reference_index(ROOT, CLINIC, "12\ud800")) == 32


def test_case_and_separators_count_in_a_session_reference() -> None:
    references = ["S-1", "s-1", "S1", "S.1"]
    assert len({reference_index(ROOT, CLINIC, ref) for ref in references}) == len(references)


def test_space_around_a_session_reference_does_not_count() -> None:
    assert reference_index(ROOT, CLINIC, " S-1\n") == reference_index(ROOT, CLINIC, "S-1")


def test_an_empty_session_reference_is_refused() -> None:
    with pytest.raises(InvalidReport, match="session_ref"):
        reference_index(ROOT, CLINIC, " ")


def test_a_reference_and_a_number_never_share_an_index() -> None:
    assert reference_index(ROOT, CLINIC, "12345") != mrn_index(ROOT, CLINIC, "12345")


def test_the_number_is_shown_in_one_form() -> None:
    assert normalised_mrn(" ab-0012/x ") == "AB0012X"
