"""Agreement of two authors, against cases counted by hand and against scikit-learn."""

from __future__ import annotations

import itertools
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from synthstudio.core.evaluation.agreement import (
    DisagreementKind,
    DoublyMarked,
    cohen_kappa,
    compare_authors,
    match_marks,
)
from synthstudio.domain.ids import AnnotationId, ClassId, FovId
from synthstudio.domain.records import Annotation

RBC, WBC = ClassId(1), ClassId(2)
SIZES = {RBC: 20.0, WBC: 40.0}
_ids = itertools.count(1)


def mark(x: float, y: float, class_id: ClassId = RBC) -> Annotation:
    return Annotation(AnnotationId(next(_ids)), FovId(1), class_id, x, y)


def test_that_agreement_is_counted_as_by_hand() -> None:
    first = [mark(10, 10), mark(50, 50), mark(90, 90, WBC), mark(200, 200)]
    second = [mark(13, 14), mark(52, 50, WBC), mark(95, 90, WBC), mark(300, 300, WBC)]
    found = compare_authors([DoublyMarked(FovId(1), first, second, SIZES)])
    rbc, wbc = found.by_class[RBC], found.by_class[WBC]
    assert (rbc.n_both, rbc.n_first, rbc.n_second) == (1, 3, 1)
    assert (rbc.precision, rbc.recall, rbc.f1) == (1.0, pytest.approx(1 / 3), 0.5)
    assert (wbc.n_both, wbc.n_first, wbc.n_second) == (1, 1, 3)
    assert found.n_matched == 3
    # Pairs RBC-RBC, RBC-WBC, WBC-WBC: observed 2/3; by chance (2*1 + 1*2) / 9 = 4/9; kappa = (2/9) / (5/9).
    assert found.kappa == pytest.approx(0.4)
    assert [each.kind for each in found.disagreements] == [
        DisagreementKind.CLASS,
        DisagreementKind.ONLY_FIRST,
        DisagreementKind.ONLY_SECOND,
    ]
    assert found.disagreements[1].marks == (first[3],)


def test_that_centres_are_matched_up_to_half_the_size_and_not_beyond() -> None:
    assert match_marks([mark(0, 0)], [mark(10, 0)], SIZES) == [(0, 0)]
    assert match_marks([mark(0, 0)], [mark(10.01, 0)], SIZES) == []
    assert match_marks([mark(0, 0)], [mark(19, 0, WBC)], SIZES) == [(0, 0)]  # the larger class reaches farther
    assert match_marks([mark(0, 0)], [mark(0, 0)], {}) == [(0, 0)]  # no size: the very same place only
    assert match_marks([mark(0, 0)], [mark(1, 0)], {}) == []


def test_that_the_number_of_pairs_counts_before_nearness_and_one_class_before_another() -> None:
    # The nearest pair (0, 1) would leave both others alone.
    assert match_marks([mark(0, 0), mark(12, 0)], [mark(-9, 0), mark(4, 0)], SIZES) == [(0, 0), (1, 1)]
    assert match_marks([mark(0, 0)], [mark(1, 0, WBC), mark(9, 0)], SIZES) == [(0, 1)]


def test_that_the_authors_may_change_places() -> None:
    rng = np.random.default_rng(3)
    first = [mark(*rng.uniform(0, 150, 2), ClassId(int(rng.integers(1, 3)))) for _ in range(40)]
    second = [mark(*rng.uniform(0, 150, 2), ClassId(int(rng.integers(1, 3)))) for _ in range(35)]
    there = compare_authors([DoublyMarked(FovId(1), first, second, SIZES)])
    back = compare_authors([DoublyMarked(FovId(1), second, first, SIZES)])
    assert there.n_matched == back.n_matched
    assert there.kappa == pytest.approx(back.kappa)
    for class_id in SIZES:
        assert there.by_class[class_id].precision == back.by_class[class_id].recall
        assert there.by_class[class_id].f1 == back.by_class[class_id].f1


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(1, 4)), min_size=1, max_size=60))
def test_that_kappa_is_that_of_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    ours = cohen_kappa([(ClassId(a), ClassId(b)) for a, b in pairs])
    if ours is None:
        assert len({each for pair in pairs for each in pair}) == 1
    else:
        assert ours == pytest.approx(cohen_kappa_score([a for a, _ in pairs], [b for _, b in pairs]))


def test_that_nobody_agrees_about_nothing() -> None:
    found = compare_authors([])
    assert (found.n_fovs, found.kappa, found.overall.f1, found.disagreements) == (0, None, None, ())
    one = compare_authors([DoublyMarked(FovId(1), [mark(1, 1)], [], SIZES)])
    assert one.by_class[RBC].precision is None
    assert one.by_class[RBC].recall == 0.0


def test_that_ten_thousand_marks_are_matched_in_a_second_or_so() -> None:
    rng = np.random.default_rng(0)
    places = rng.uniform(0, 4000, (10_000, 2))
    first = [mark(x, y) for x, y in places]
    second = [mark(x, y) for x, y in places + rng.normal(0, 1, places.shape)]
    start = time.perf_counter()
    assert len(match_marks(first, second, SIZES)) > 9_900
    assert time.perf_counter() - start < 10
