"""From mistake to mistake: on this field, then on the next that has any, round and round, and to an end."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from synthstudio.domain.ids import FovId
from synthstudio.gui.pages.train.mistake_walk import MistakeWalk


def walk_on(walk: MistakeWalk, step: int, errors: dict[FovId, int], current: FovId | None) -> FovId | None:
    """One step, with fields that load at once; returns the field that is shown then."""
    fields = list(errors)
    following = walk.step(step, errors.get(current, 0) if current else 0, fields=fields, current=current)
    while following is not None:
        current = following
        walk.forget()
        following = walk.arrive(errors[current], fields=fields, current=current)
    return current


@given(
    counts=st.lists(st.integers(0, 3), min_size=1, max_size=6),
    start=st.integers(0, 5),
    step=st.sampled_from([1, -1]),
)
def test_that_every_mistake_is_met_once_in_a_round(counts: list[int], start: int, step: int) -> None:
    errors = {FovId(number + 1): count for number, count in enumerate(counts)}
    walk, current = MistakeWalk(), list(errors)[start % len(errors)]
    met = []
    for _ in range(sum(counts)):
        field = walk_on(walk, step, errors, current)
        assert field is not None
        assert walk.place is not None
        assert not walk.is_over
        current = field
        met.append((field, walk.place))
    assert sorted(met) == [(field, place) for field, count in errors.items() for place in range(count)]
    if not met:
        walk_on(walk, step, errors, current)
        assert walk.is_over
        assert walk.place is None


def test_that_a_walk_begins_on_a_searched_field_where_none_is_shown() -> None:
    walk = MistakeWalk()
    assert walk_on(walk, 1, {FovId(3): 2}, FovId(9)) == 3
    assert walk.place == 0


def test_that_nothing_is_looked_for_where_nothing_was_searched() -> None:
    walk = MistakeWalk()
    assert walk_on(walk, 1, {}, FovId(9)) == 9
    assert walk.is_over


def test_that_a_mistake_that_is_gone_is_no_longer_looked_at() -> None:
    walk = MistakeWalk()
    walk.step(-1, 3, fields=[FovId(1)], current=FovId(1))
    assert walk.place == 2
    walk.fit(2)
    assert walk.place is None
