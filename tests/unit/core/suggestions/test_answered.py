"""Which suggestions the marks of the expert answer, against the plain double loop."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from synthstudio.core.suggestions import answered
from synthstudio.core.suggestions.answered import LEAST_HALF_PX, count_answers


def square(x: float, y: float, side: float) -> tuple[float, float, float, float]:
    return x - side / 2, y - side / 2, x + side / 2, y + side / 2


def extents(*squares: tuple[float, float, float, float]) -> NDArray[np.float64]:
    return np.array(squares, dtype=np.float64).reshape(-1, 4).T


def plainly(suggested: NDArray[np.float64], marked: NDArray[np.float64]) -> list[int]:
    counts = []
    for one in suggested.T:
        n = 0
        for other in marked.T:
            way = np.abs((one[:2] + one[2:]) / 2 - (other[:2] + other[2:]) / 2)
            halves = [np.maximum((each[2:] - each[:2]) / 2, LEAST_HALF_PX) for each in (one, other)]
            n += all(np.hypot(*(way / half)) <= 1 for half in halves)
        counts.append(n)
    return counts


def test_that_a_mark_near_the_middle_answers_a_suggestion_and_one_beside_it_does_not() -> None:
    suggested = extents(square(50, 50, 40), square(150, 50, 40))
    assert count_answers(suggested, extents(square(60, 50, 40))).tolist() == [1, 0]
    assert count_answers(suggested, extents(square(75, 50, 40))).tolist() == [0, 0]


def test_that_a_small_object_on_a_large_one_answers_nothing_but_itself() -> None:
    suggested = extents(square(100, 100, 200), square(150, 100, 20))
    assert count_answers(suggested, extents(square(150, 100, 20))).tolist() == [0, 1]


def test_that_nothing_is_answered_where_nothing_is_marked() -> None:
    assert count_answers(extents(square(5, 5, 9)), extents()).tolist() == [0]
    assert count_answers(extents(), extents(square(5, 5, 9))).tolist() == []


squares = st.builds(
    square, st.floats(-20, 300, width=32), st.floats(-20, 200, width=32), st.sampled_from([0.0, 6.0, 40.0, 90.0])
)


@settings(max_examples=60, deadline=None)
@given(st.lists(squares, max_size=12), st.lists(squares, max_size=12))
def test_that_the_counts_are_those_of_comparing_each_with_each(
    first: list[tuple[float, float, float, float]], second: list[tuple[float, float, float, float]]
) -> None:
    suggested, marked = extents(*first), extents(*second)
    assert count_answers(suggested, marked).tolist() == plainly(suggested, marked)


def test_that_a_crowd_is_counted_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    places = rng.uniform(0, 100, (40, 2))
    crowd = extents(*[square(x, y, 30) for x, y in places])
    whole = count_answers(crowd, crowd).tolist()
    monkeypatch.setattr(answered, "MAX_PAIRS", 50)
    assert count_answers(crowd, crowd).tolist() == whole == plainly(crowd, crowd)
