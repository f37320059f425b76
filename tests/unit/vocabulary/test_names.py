from __future__ import annotations

import pytest

from safety.errors import UnknownName
from safety.vocabulary.names import NameIndex, fold


@pytest.fixture
def index() -> NameIndex[int]:
    return NameIndex(
        "term",
        "vocabulary",
        [
            (1, ("Dry mouth", "dry_mouth", "xerostomia")),
            (2, ("Throat irritation", "dry throat")),
            (3, ("Chest pain - cardiac",)),
            (4, ("Mouth pain",)),
        ],
    )


@pytest.mark.parametrize(
    "written",
    [
        "Dry mouth",
        "DRY MOUTH",
        "dry_mouth",
        "dry-mouth",
        "  dry \t mouth\n",
        "dry\u00a0mouth",
        "\uff24ry mouth",
        "Xerostomia",
    ],
)
def test_a_name_is_found_however_it_is_written(index: NameIndex[int], written: str) -> None:
    assert index.find(written) == 1
    assert index.find(written) == 1


def test_dashes_between_words_do_not_count(index: NameIndex[int]) -> None:
    assert index.find("chest pain \u2013 Cardiac") == 3


def test_folding_twice_changes_nothing() -> None:
    assert fold(fold("Stra\u00dfe__X - y")) == fold("Stra\u00dfe__X - y")


def test_two_things_may_not_share_a_name() -> None:
    with pytest.raises(ValueError, match="'dry mouth' names both 'One' and 'Two'"):
        NameIndex("term", "vocabulary", [(1, ("One", "dry mouth")), (2, ("Two", "Dry_Mouth"))])


def test_one_thing_may_carry_a_name_twice() -> None:
    assert NameIndex("term", "vocabulary", [(1, ("Fall", "fall"))]).find("FALL") == 1


def test_a_misspelling_is_repeated_with_what_it_may_mean(index: NameIndex[int]) -> None:
    with pytest.raises(UnknownName) as error:
        index.find("xerostomya")
    assert str(error.value) == '"xerostomya" is not a known term. Did you mean Dry mouth?'


def test_a_part_of_several_names_lists_them(index: NameIndex[int]) -> None:
    with pytest.raises(UnknownName, match="Did you mean Chest pain - cardiac or Mouth pain"):
        index.find("pain")


@pytest.mark.parametrize(
    "typed", ["Quentin Zweistein", "", "zz", "dry mouth " * 20, "Dry mou\x07h", "\u202eyrd"]
)
def test_text_that_resembles_no_name_is_never_repeated(index: NameIndex[int], typed: str) -> None:
    with pytest.raises(UnknownName) as error:
        index.find(typed)
    expected = "The term in this row is not known. List them with: afterdose vocabulary"
    assert str(error.value) == expected


def test_the_number_of_remembered_spellings_is_bounded(
    index: NameIndex[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("safety.vocabulary.names._REMEMBERED", 2)
    assert [index.find(f"dry{' ' * n}mouth") for n in range(1, 9)] == [1] * 8
    assert len(index._exact) == 2


def test_search_puts_whole_names_before_beginnings_before_parts(index: NameIndex[int]) -> None:
    assert index.search("dry") == (1, 2)
    assert index.search("mouth pain") == (4,)
    assert index.search("mouth") == (4, 1)
    assert index.search("irrit") == (2,)


def test_search_stops_at_the_limit_and_ignores_blanks(index: NameIndex[int]) -> None:
    assert index.search("t", limit=2) == (2, 1)
    assert index.search("  ") == ()
    assert index.search("nothing of the kind") == ()
