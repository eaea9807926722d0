"""Which FOV to annotate next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from synthstudio.core.suggestions.criteria import Candidate, Criterion, Proposals, class_rarity, measure_fov, standings
from synthstudio.core.suggestions.ranking import Features, Pick, RankingRules, rank_fovs
from synthstudio.domain.ids import ClassId, FovId

RED, PLATELET = ClassId(1), ClassId(2)
NAMES = {RED: "red", PLATELET: "platelet"}
KNOWN = {RED: 100, PLATELET: 4}


@dataclass(frozen=True)
class Mark:
    class_id: ClassId
    x: float
    y: float
    score: float


def marks(*scores: float, class_id: ClassId = RED, step: float = 50.0) -> tuple[Mark, ...]:
    return tuple(Mark(class_id, 20.0 + step * number, 20.0, score) for number, score in enumerate(scores))


def candidate(number: int, given: Sequence[Mark] | None, *, others: Sequence[Mark] | None = None) -> Candidate:
    return Candidate(
        FovId(number),
        Proposals(given) if given is not None else None,
        Proposals(others) if others is not None else None,
        {RED: 20.0, PLATELET: 10.0},
    )


def rank(candidates: Sequence[Candidate], *, count: int = 99, **others: object) -> list[Pick]:
    rules = others.pop("rules", RankingRules(random_share=0.0))
    return rank_fovs(
        candidates,
        count=count,
        rules=rules,  # type: ignore[arg-type]
        n_annotated=KNOWN,
        class_names=NAMES,
        **others,  # type: ignore[arg-type]
    )


def test_that_a_field_of_doubtful_suggestions_comes_before_one_of_sure_ones() -> None:
    picks = rank([candidate(1, marks(0.99, 0.98, 0.97)), candidate(2, marks(0.52, 0.48, 0.55))])

    assert [pick.fov_id for pick in picks] == [2, 1]
    assert picks[0].reasons[0] == "3 suggestions near the threshold"
    assert picks[0].worth > picks[1].worth


def test_that_a_crowded_field_is_worth_no_more_for_being_crowded() -> None:
    crowded = measure_fov(candidate(1, marks(*[0.5, 0.99] * 20)), {})
    sparse = measure_fov(candidate(2, marks(0.5, 0.5, 0.5, 0.99)), {})

    assert sparse.doubt is not None
    assert crowded.doubt is not None
    assert sparse.doubt > crowded.doubt


def test_that_doubt_is_judged_by_the_threshold_of_the_class() -> None:
    given = Proposals(marks(0.1, 0.9), {RED: 0.1})

    assert given.probabilities() == pytest.approx([0.5, 0.5 + 0.5 * 0.8 / 0.9])
    assert len(given.shown()) == 2


def test_that_fields_where_two_runs_differ_come_first_and_say_so() -> None:
    same = marks(0.9, 0.9, 0.9)
    moved = (*marks(0.9, 0.9), Mark(RED, 500.0, 500.0, 0.9))
    picks = rank([candidate(1, same, others=same), candidate(2, same, others=moved)])

    assert picks[0].fov_id == 2
    assert picks[0].reasons[0] == "2 of 4 places differ between the two models"
    assert picks[1].facts.n_differing == 0


def test_that_another_class_at_the_same_place_is_a_difference() -> None:
    red, platelet = marks(0.9), marks(0.9, class_id=PLATELET)

    facts = measure_fov(candidate(1, red, others=platelet), {})

    assert (facts.n_differing, facts.n_places) == (1, 1)


def test_that_fields_of_a_rare_class_come_first_and_say_how_rare() -> None:
    picks = rank([candidate(1, marks(0.9, 0.9)), candidate(2, marks(0.9, 0.9, class_id=PLATELET))])

    assert picks[0].fov_id == 2
    assert "about 2 platelet; of this class 4 are annotated" in picks[0].reasons


def test_that_the_rarest_class_is_worth_one_and_the_others_less() -> None:
    worth = class_rarity({RED: 99, PLATELET: 0})

    assert worth == {PLATELET: 1.0, RED: pytest.approx(0.1)}


def test_that_a_class_is_no_rarity_where_all_are_about_as_common() -> None:
    candidates = [candidate(1, marks(0.9, 0.9)), candidate(2, marks(0.89, 0.9, class_id=PLATELET))]
    picks = rank_fovs(
        candidates,
        count=2,
        rules=RankingRules(random_share=0.0),
        n_annotated={RED: 20, PLATELET: 18},
        class_names=NAMES,
    )

    assert picks[0].fov_id == 2, "by its doubt"
    assert not any("annotated" in reason for reason in picks[0].reasons)


def test_that_what_looks_like_a_pick_is_new_no_longer() -> None:
    pictures = np.array([[10.0, 0.0], [10.0, 0.1], [0.0, 9.0], [0.5, 0.5]], np.float32)
    picks = rank(
        [candidate(number, None) for number in range(4)], features=Features(pictures, np.zeros((1, 2), np.float32))
    )

    assert [pick.fov_id for pick in picks[:2]] == [1, 2]
    assert "unlike the annotated fields" in picks[0].reasons[0]


def test_that_a_list_without_any_suggestion_or_feature_is_in_the_given_order() -> None:
    picks = rank([candidate(number, None) for number in (3, 1, 2)])

    assert [pick.fov_id for pick in picks] == [3, 1, 2]
    assert picks[0].reasons == ("not searched yet: no run has suggested anything here",)
    assert picks[0].worth == 0.5


def test_that_nothing_is_ranked_where_nothing_is_left() -> None:
    assert rank([]) == []


@pytest.mark.parametrize("n_done", [0, 1, 2, 3, 4, 7])
def test_that_every_fifth_pick_is_by_lot_wherever_a_list_begins(n_done: int) -> None:
    everything = [Candidate(FovId(number), Proposals(marks(0.5)), random_place=number / 100) for number in range(100)]
    picks = rank(everything, count=20, rules=RankingRules(random_share=0.2, n_done=n_done))

    turns = [place for place, pick in enumerate(picks) if pick.is_random]
    assert turns == [place for place in range(20) if (n_done + place) % 5 == 4]
    by_lot = [int(pick.fov_id) for pick in picks if pick.is_random]
    assert by_lot == sorted(by_lot)
    assert all(number < 20 for number in by_lot), "drawn once: those with the lowest places are the lot's"
    assert all(int(pick.fov_id) >= 20 for pick in picks if not pick.is_random)


def test_that_the_lot_takes_over_where_nothing_else_is_left() -> None:
    everything = [Candidate(FovId(number), random_place=0.1) for number in range(3)]

    assert [pick.is_random for pick in rank(everything, rules=RankingRules(random_share=0.2))] == [True] * 3


def test_that_equal_values_share_their_place_and_unknown_ones_stand_in_the_middle() -> None:
    assert standings(np.array([1.0, 1.0, 5.0, np.nan])) == pytest.approx([1 / 3, 1 / 3, 5 / 6, 0.5])


def test_that_criteria_without_weight_do_not_count() -> None:
    doubtful, rare = candidate(1, marks(0.5, 0.5)), candidate(2, marks(0.99, class_id=PLATELET))

    for weights, first in (({Criterion.DOUBT: 1.0}, 1), ({Criterion.RARITY: 1.0}, 2)):
        assert rank([doubtful, rare], rules=RankingRules(weights, random_share=0.0))[0].fov_id == first
