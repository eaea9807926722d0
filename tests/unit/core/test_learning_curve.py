"""Expert time from commits, and what more annotations would bring."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from synthstudio.core.suggestions.effort import FIRST_LOOK_S, expert_effort
from synthstudio.core.suggestions.learning import LearningPoint, look_ahead

START = datetime(2026, 11, 22, 8, tzinfo=UTC)


def moments(*seconds: float) -> list[str]:
    """As the project stores them."""
    return [
        (START + timedelta(seconds=each)).isoformat(timespec="milliseconds").replace("+00:00", "Z") for each in seconds
    ]


def test_that_short_gaps_are_work_and_a_pause_counts_as_one_look() -> None:
    effort = expert_effort({"ada": moments(0, 2, 4, 3604, 3606, 3608)})
    assert effort.n_actions == 6
    assert effort.seconds == pytest.approx(4 * 2 + 2 * 2)  # four gaps, and the look before each of two beginnings


def test_that_many_marks_stored_at_once_are_one_action_and_do_not_shorten_the_usual_look() -> None:
    effort = expert_effort({"ada": moments(0, 4, 8, 8.01, 8.02, 8.03)})
    assert effort.n_actions == 3
    assert effort.seconds == pytest.approx(8.03 + 4)


def test_that_two_experts_who_work_at_once_are_added_up_and_one_mark_counts_as_a_look() -> None:
    both = expert_effort({"ada": moments(0, 2, 4), "grace": moments(1, 3, 5)})
    assert both == expert_effort({"ada": moments(0, 2, 4), "grace": moments(3600, 3602, 3604)})
    assert expert_effort({"ada": moments(7)}).seconds == FIRST_LOOK_S
    assert expert_effort({}).n_actions == 0
    assert expert_effort({"ada": []}).seconds == 0.0


def point(n: int, score: float, *, expert_s: float | None = None) -> LearningPoint:
    return LearningPoint(n, n, expert_s if expert_s is not None else 3.0 * n, score)


def test_that_the_outlook_follows_the_last_three_rounds() -> None:
    found = look_ahead([point(10, 0.1), point(100, 0.50), point(200, 0.60), point(400, 0.70)])
    assert found is not None
    assert found.per_doubling == pytest.approx(0.1)
    assert found.n_more == 100
    assert found.gain == pytest.approx(0.1 * 0.3219, abs=1e-4)
    assert found.more_s == pytest.approx(300.0)
    assert found.pays


def test_that_a_flat_curve_has_stopped_paying_and_a_falling_one_too() -> None:
    flat = look_ahead([point(100, 0.80), point(200, 0.81), point(400, 0.82)])
    assert flat is not None
    assert flat.gain == pytest.approx(0.0032, abs=1e-4)
    assert not flat.pays
    falling = look_ahead([point(100, 0.80), point(200, 0.79), point(400, 0.78)])
    assert falling is not None
    assert not falling.pays


def test_that_too_few_rounds_or_the_same_annotations_say_nothing() -> None:
    assert look_ahead([point(100, 0.5), point(200, 0.6)]) is None
    assert look_ahead([point(100, 0.5), point(100, 0.6), point(105, 0.55)]) is None
    assert look_ahead([point(0, 0.0), point(100, 0.5), point(200, 0.6)]) is None


def test_that_no_time_is_foretold_where_none_was_measured() -> None:
    imported = [point(each, 0.5, expert_s=0.0) for each in (100, 200, 400)]
    found = look_ahead(imported)
    assert found is not None
    assert found.more_s is None
