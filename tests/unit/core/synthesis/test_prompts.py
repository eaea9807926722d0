"""Captions made of fields and taken apart again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthstudio.core.synthesis.prompts import (
    CaptionFields,
    estimate_tokens,
    has_words,
    parse_caption,
    tidy_fields,
    with_subject,
    write_caption,
)

SUBJECT = "zxq mpox lesion"
FULL = CaptionFields("close-up photo", "pustular", "red with a yellow centre", "5 mm", "several", "back of the hand")
SENTENCE = (
    "a close-up photo of zxq mpox lesion, in the pustular stage, red with a yellow centre in colour, 5 mm in size,"
    " several in number, on the back of the hand"
)
WORDS = st.text(st.sampled_from("abcde 0-.\n"), max_size=12)


def test_that_fields_become_one_sentence_with_identifier_and_class_name() -> None:
    assert write_caption(FULL, SUBJECT) == SENTENCE


def test_that_empty_fields_are_not_spoken_of() -> None:
    assert write_caption(CaptionFields(color="red"), SUBJECT) == "a photo of zxq mpox lesion, red in colour"
    assert write_caption(CaptionFields("electron micrograph"), "zxq cell") == "an electron micrograph of zxq cell"


def test_that_what_was_written_is_read_back() -> None:
    assert parse_caption(SENTENCE, SUBJECT) == FULL


@given(st.builds(CaptionFields, WORDS, WORDS, WORDS, WORDS, WORDS, WORDS), st.sampled_from([SUBJECT, "cell", ""]))
def test_that_any_fields_are_read_back_as_a_sentence_can_hold_them(described: CaptionFields, subject: str) -> None:
    assert parse_caption(write_caption(described, subject), subject) == tidy_fields(described)


@pytest.mark.parametrize(
    "caption",
    [
        "",
        "pustules on a hand",
        "a photo of zxq cell, red in colour",
        "a photo of zxq mpox lesion, very red",
        "a photo of zxq mpox lesion, 5 mm in size, red in colour",
        "a photo of zxq mpox lesion, red in colour, blue in colour",
        "an photo of zxq mpox lesion",
    ],
)
def test_that_a_caption_of_a_hand_is_left_to_the_hand(caption: str) -> None:
    assert parse_caption(caption, SUBJECT) is None


def test_that_commas_of_a_field_do_not_part_the_sentence() -> None:
    caption = write_caption(CaptionFields(color="red, swollen,"), SUBJECT)
    assert caption == "a photo of zxq mpox lesion, red; swollen in colour"
    assert parse_caption(caption, SUBJECT) == CaptionFields(color="red; swollen")


def test_that_words_are_found_as_words_in_any_case() -> None:
    assert has_words("A ZXQ mpox  lesion.", "zxq mpox lesion")
    assert not has_words("zxqs", "zxq")
    assert has_words("a <zxq> cell", "<zxq>")
    assert has_words("anything", "")


def test_that_a_new_identifier_takes_the_place_of_the_old_one() -> None:
    assert with_subject("a Zxq cell, not azxq", old="zxq cell", new=r"\1 blast") == r"a \1 blast, not azxq"
    assert with_subject("a cell", old="", new="zxq") == "a cell"


def test_that_tokens_grow_with_words_marks_and_digits() -> None:
    assert estimate_tokens("") == 2
    assert estimate_tokens("a red cell") == 5
    assert estimate_tokens("12 mm, red") == 7
    assert estimate_tokens("erythematous") > estimate_tokens("red")
