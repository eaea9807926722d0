"""What verdicts come to, which images may be used, and how reviewers agree."""

from __future__ import annotations

import numpy as np
import pytest

from synthstudio.core.review.verdict_agreement import KINDS, cohen_kappa, fleiss_kappa, measure_agreement
from synthstudio.core.review.verdicts import Outcome, choose_usable, find_outcome, find_outcomes
from synthstudio.domain.ids import SetName
from synthstudio.domain.records import Verdict, VerdictKind

ACCEPTED, REJECTED, UNSURE = VerdictKind.ACCEPTED, VerdictKind.REJECTED, VerdictKind.UNSURE


def verdict(index: int, kind: VerdictKind, reviewer: str = "me", *, is_final: bool = False) -> Verdict:
    return Verdict(SetName("made"), index, kind, "", reviewer, "", is_final=is_final)


@pytest.mark.parametrize(
    ("kinds", "outcome"),
    [
        ((), Outcome.UNDECIDED),
        ((ACCEPTED, ACCEPTED), Outcome.ACCEPTED),
        ((ACCEPTED, UNSURE), Outcome.UNSURE),
        ((REJECTED, UNSURE), Outcome.REJECTED),
        ((ACCEPTED, REJECTED, UNSURE), Outcome.DISAGREED),
    ],
)
def test_that_reviewers_come_to_an_outcome(kinds: tuple[VerdictKind, ...], outcome: Outcome) -> None:
    assert find_outcome([verdict(0, kind, f"r{place}") for place, kind in enumerate(kinds)]) is outcome


def test_that_a_final_verdict_settles_a_disagreement() -> None:
    given = [verdict(0, ACCEPTED, "a"), verdict(0, REJECTED, "b"), verdict(0, ACCEPTED, "a", is_final=True)]
    assert find_outcome(given) is Outcome.ACCEPTED


def test_that_only_accepted_images_of_a_judged_set_are_used_and_the_others_are_counted() -> None:
    given = [verdict(0, ACCEPTED), verdict(1, REJECTED), verdict(2, UNSURE), verdict(0, REJECTED, "you")]
    given.append(verdict(3, ACCEPTED))
    assert find_outcomes(given)[0] is Outcome.DISAGREED
    chosen = choose_usable(range(6), given, "accepted")
    assert chosen.indices == {3}
    assert chosen.left_out == {
        Outcome.UNDECIDED: 2,
        Outcome.REJECTED: 1,
        Outcome.UNSURE: 1,
        Outcome.DISAGREED: 1,
    }
    assert "5 images of the set made were left out: 2 undecided, 1 rejected" in chosen.describe("made")
    assert choose_usable(range(6), given, "not-rejected").indices == {2, 3, 4, 5}


def test_that_a_set_that_nobody_has_judged_is_used_as_a_whole_and_says_so() -> None:
    chosen = choose_usable(range(3), [], "accepted")
    assert chosen.indices == {0, 1, 2}
    assert "Nobody has judged" in chosen.describe("made")


def test_that_the_kappas_are_those_of_their_authors() -> None:
    # Cohen's by hand: 0.7 observed, 0.5 * 0.6 + 0.5 * 0.4 = 0.5 expected.
    assert cohen_kappa(np.array([[20, 5], [10, 15]])) == pytest.approx(0.4)
    # The example of Fleiss' kappa that reference works give: 10 subjects, 14 reviewers, 5 categories.
    counts = np.array(
        [
            [0, 0, 0, 0, 14],
            [0, 2, 6, 4, 2],
            [0, 0, 3, 5, 6],
            [0, 3, 9, 2, 0],
            [2, 2, 8, 1, 1],
            [7, 7, 0, 0, 0],
            [3, 2, 6, 3, 0],
            [2, 5, 3, 2, 2],
            [6, 5, 2, 1, 0],
            [0, 2, 2, 3, 7],
        ]
    )
    assert fleiss_kappa(counts) == pytest.approx(0.20993, abs=1e-5)


def test_that_cohens_kappa_equals_scikit_learns() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(3)
    first = rng.integers(0, 3, 200)
    second = np.where(rng.random(200) < 0.6, first, rng.integers(0, 3, 200))
    table = np.zeros((3, 3), np.int64)
    np.add.at(table, (first, second), 1)
    assert cohen_kappa(table) == pytest.approx(metrics.cohen_kappa_score(first, second))


def test_that_reviewers_are_compared_on_the_images_that_they_share() -> None:
    rng = np.random.default_rng(5)
    given = [
        verdict(index, KINDS[int(rng.integers(3))], reviewer)
        for reviewer, n_images in (("a", 30), ("b", 20), ("c", 10))
        for index in range(n_images)
    ]
    found = measure_agreement([*given, verdict(0, ACCEPTED, "z", is_final=True)])
    assert found.reviewers == ("a", "b", "c")
    assert {(each.first, each.second): each.n_images for each in found.pairs} == {
        ("a", "b"): 20,
        ("a", "c"): 10,
        ("b", "c"): 10,
    }
    assert found.n_images == 10
    assert found.kappa is not None


def test_that_agreement_is_not_defined_where_all_say_the_same() -> None:
    found = measure_agreement([verdict(0, ACCEPTED, "a"), verdict(0, ACCEPTED, "b")])
    assert (found.kappa, found.pairs[0].kappa, found.pairs[0].n_same) == (None, None, 1)
    assert measure_agreement([verdict(0, ACCEPTED)]).pairs == ()
