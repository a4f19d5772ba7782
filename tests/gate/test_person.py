"""Two names are one person for the gate and in a trust file alike, by one rule."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from scalegate.core.person import mixed_scripts, normal_form, person

NAMES = st.text(max_size=12)


@given(NAMES)
def test_every_spelling_of_a_person_stands_for_the_same_one(name):
    spellings = (normal_form(name), person(name), f" {name}\t", unicodedata.normalize("NFKC", name))
    assert {person(spelling) for spelling in spellings} == {person(name)}


def test_letters_that_only_fold_into_a_composed_one_are_the_same_person():
    # U+0345 folds to iota: folding without normalizing first and after leaves two spellings of one name.
    assert person("\u1fb3 Osei") == person("\u0391\u0345 Osei")
    assert person("\uff21DA  Osei") == person("ada osei")


def test_scripts_that_look_alike_are_named():
    assert mixed_scripts("\u0410da") == "Cyrillic and Latin"
    assert mixed_scripts("Ada Osei") == mixed_scripts("\u6797 Osei") == ""
