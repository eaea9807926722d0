"""Which images a study takes and in which order a reader meets them."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from synthstudio.core.review.study_design import PRESETS, AnswerForm, StudyDesign, StudyKind
from synthstudio.core.review.study_items import (
    Candidate,
    StudyItem,
    StudyPage,
    draw_items,
    order_pages,
    truth_commitment,
)
from synthstudio.domain.errors import UserError

NAMES = ("rbc", "wbc", "platelet", "yeast")


def make_candidates(n: int) -> list[Candidate]:
    """`n` real and `n` synthetic images, each of one class."""
    return [
        Candidate(f"{kind} {number}", kind == "real", frozenset({NAMES[number % 4]}), f"{kind} {number // 3}")
        for kind in ("real", "synthetic")
        for number in range(n)
    ]


def pages_of(design: StudyDesign, *, reader: int = 0) -> tuple[list[StudyItem], list[StudyPage]]:
    items = draw_items(make_candidates(200), design, secret="s")
    return items, order_pages(items, design, secret="s", reader=reader)


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_that_every_preset_is_possible_and_survives_json(name: str) -> None:
    PRESETS[name].check()
    assert StudyDesign.from_json(PRESETS[name].to_json()) == PRESETS[name]


def test_that_the_published_designs_are_those_of_the_paper() -> None:
    turing, relevance = PRESETS["turing-published"], PRESETS["relevance-published"]
    assert (turing.n_readers, turing.n_real, turing.n_synthetic) == (10, 80, 80)
    assert relevance.n_questions == 16


def test_that_a_turing_test_takes_as_many_of_each_class() -> None:
    items, _ = pages_of(PRESETS["turing-published"])
    assert Counter((item.is_real, item.class_name) for item in items) == {
        (is_real, name): 20 for is_real in (True, False) for name in NAMES
    }
    assert len({item.token for item in items}) == len({item.source for item in items}) == 160


@pytest.mark.parametrize("name", ["turing-published", "turing-one-at-a-time"])
def test_that_a_tenth_comes_again_on_a_later_page_as_many_real_as_synthetic(name: str) -> None:
    items, pages = pages_of(PRESETS[name])
    is_real = {item.token: item.is_real for item in items}
    shown = Counter(token for page in pages for token in page.tokens)
    twice = [token for token, n in shown.items() if n == 2]
    assert set(shown) == set(is_real)
    assert len(twice) == 16
    assert sum(is_real[token] for token in twice) == 8
    assert all(len(set(page.tokens)) == len(page.tokens) for page in pages)


def test_that_a_study_of_one_page_repeats_on_another() -> None:
    design = StudyDesign(StudyKind.TURING, n_real=4, n_synthetic=4, page_size=20, repeat_share=0.5)
    _, pages = pages_of(design)
    assert [len(page.tokens) for page in pages] == [8, 4]


def test_that_each_reader_has_an_order_of_his_own_which_comes_back() -> None:
    design = PRESETS["turing-published"]
    items, first = pages_of(design)
    assert order_pages(items[::-1], design, secret="s", reader=0) == first
    assert order_pages(items, design, secret="s", reader=1) != first
    assert order_pages(items, design, secret="other", reader=0) != first


def test_that_a_relevance_page_shows_the_condition_on_the_images_that_it_counts() -> None:
    design = PRESETS["relevance-published"]
    items, pages = pages_of(design)
    by_token = {item.token: item for item in items}
    assert len(pages) == 16 + 2
    assert len({frozenset(page.tokens) for page in pages}) == 16
    assert Counter(item.condition for item in items) == dict.fromkeys(NAMES, 4 * 12)
    for page in pages:
        own = [by_token[token] for token in page.tokens]
        assert {item.condition for item in own} == {page.condition}
        assert Counter((item.shows_condition, item.is_real) for item in own) == {
            (True, True): 4,
            (True, False): 4,
            (False, True): 2,
            (False, False): 2,
        }


def test_that_too_few_images_are_named() -> None:
    with pytest.raises(UserError, match="needs 80 real images, there are 10"):
        draw_items(make_candidates(10), PRESETS["turing-published"], secret="s")
    with pytest.raises(UserError, match='real images of "'):
        draw_items(make_candidates(20), PRESETS["relevance-published"], secret="s")


@pytest.mark.parametrize(
    "changed",
    [{"page_size": 1}, {"form": AnswerForm.ONE}, {"repeat_share": 0.05}, {"n_real": 0}, {"n_questions": 3}],
)
def test_that_an_impossible_design_is_refused(changed: dict[str, object]) -> None:
    with pytest.raises(UserError):
        StudyDesign.from_json(replace(PRESETS["turing-published"], **changed).to_json())  # type: ignore[arg-type]


def test_that_the_commitment_depends_on_truth_and_salt() -> None:
    items, _ = pages_of(PRESETS["turing-published"])
    turned = [replace(items[0], is_real=not items[0].is_real), *items[1:]]
    assert truth_commitment(items, salt="a") == truth_commitment(items[::-1], salt="a")
    assert (
        len({truth_commitment(items, salt="a"), truth_commitment(items, salt="b"), truth_commitment(turned, salt="a")})
        == 3
    )
