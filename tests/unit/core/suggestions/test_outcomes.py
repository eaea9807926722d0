"""How good suggestions were, and whether seeing them sways the expert."""

from __future__ import annotations

import numpy as np
import pytest

from synthstudio.core.suggestions.outcomes import FovOutcome, score_outcomes
from synthstudio.domain.ids import FovId, SampleId


def outcomes(
    n: int, *, right: int, suggested: int, left: int, was_seen: bool, first: int = 0, is_random: bool = False
) -> list[FovOutcome]:
    return [
        FovOutcome(FovId(number), SampleId(number), was_seen, is_random, right, suggested, left)
        for number in range(first, first + n)
    ]


def test_that_precision_and_recall_are_of_all_suggestions_together() -> None:
    scores = score_outcomes(
        [
            *outcomes(1, right=8, suggested=10, left=16, was_seen=True),
            *outcomes(1, right=0, suggested=6, left=0, was_seen=True, first=1),
        ]
    )

    assert scores.seen.precision.value == pytest.approx(8 / 16)
    assert scores.seen.recall.value == pytest.approx(8 / 16)
    assert scores.seen.left.value == pytest.approx(8)
    assert not scores.seen.is_reliable
    assert scores.unseen.precision.value is None


def test_that_an_expert_who_agrees_more_with_what_he_sees_is_found_out() -> None:
    rng = np.random.default_rng(0)
    told = []
    for number in range(120):
        was_seen = number % 2 == 0
        right = int(rng.binomial(20, 0.95 if was_seen else 0.75))
        told += outcomes(1, right=right, suggested=20, left=22, was_seen=was_seen, first=number)
    scores = score_outcomes(told)

    assert scores.precision.first == pytest.approx(0.75, abs=0.03)
    assert scores.precision.second == pytest.approx(0.95, abs=0.03)
    assert scores.precision.ci95 is not None
    assert scores.precision.ci95[0] > 0.1
    assert scores.words.startswith("The expert agrees more where suggestions are seen, by +")
    assert "unreliable" not in scores.words


def test_that_an_interval_of_an_unswayed_expert_holds_zero_in_most_projects() -> None:
    rng = np.random.default_rng(1)
    n_held = 0
    for _ in range(60):
        told = []
        for number in range(60):
            right = int(rng.binomial(20, rng.beta(16, 4)))
            told += outcomes(1, right=right, suggested=20, left=20, was_seen=number >= 15, first=number)
        interval = score_outcomes(told).precision.ci95
        assert interval is not None
        n_held += interval[0] <= 0 <= interval[1]

    assert n_held >= 51, "of 60; 95 % would be 57"


def test_that_too_few_samples_are_said_to_be_too_few() -> None:
    seen = outcomes(4, right=9, suggested=10, left=10, was_seen=True)
    unseen = outcomes(3, right=9, suggested=10, left=10, was_seen=False, first=10)

    assert "unreliable" in score_outcomes([*seen, *unseen]).words


def test_that_one_sample_has_no_interval() -> None:
    many = outcomes(4, right=9, suggested=10, left=10, was_seen=True)
    alone = outcomes(1, right=5, suggested=10, left=10, was_seen=False, first=10)
    scores = score_outcomes([*many, *alone])
    assert scores.unseen.precision.value == pytest.approx(0.5)
    assert scores.unseen.precision.ci95 is None
    assert scores.seen.precision.ci95 is not None
    assert scores.precision.ci95 is None
    assert scores.words.startswith("Too little to compare: 4 fields with suggestions, 1 without")


@pytest.mark.parametrize("was_seen", [True, False])
def test_that_one_side_alone_says_what_is_missing(was_seen: bool) -> None:
    scores = score_outcomes(outcomes(5, right=1, suggested=2, left=3, was_seen=was_seen))

    assert ("without suggestions yet" in scores.words) == was_seen
    assert scores.precision.difference is None


def test_that_nothing_annotated_yet_gives_no_figure() -> None:
    scores = score_outcomes([])

    assert scores.seen.n_fovs == 0
    assert scores.seen.precision.value is None
    assert scores.precision.ci95 is None


def test_that_what_was_picked_by_lot_is_told_apart() -> None:
    scores = score_outcomes(
        [
            *outcomes(2, right=5, suggested=10, left=10, was_seen=True),
            *outcomes(2, right=9, suggested=10, left=10, was_seen=True, first=2, is_random=True),
        ]
    )

    assert scores.by_lot.n_fovs == 2
    assert scores.by_lot.precision.value == pytest.approx(0.9)
    assert scores.seen.precision.value == pytest.approx(0.7)
