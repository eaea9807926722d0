"""The pictures of a GAN's training: what is shown on them, and how they are found again."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from synthstudio.core.training.gan_samples import (
    GAP_LEVEL,
    MAX_PREVIEW_PX,
    choose_spread,
    find_samples,
    sample_grid,
    sample_name,
    shrink_preview,
)
from synthstudio.domain.maps import MapRegion, MapRequest
from synthstudio.domain.records import Box


def request(name: str, tone: int) -> MapRequest:
    return MapRequest(64, tone, (MapRegion(name, Box(0, 0, 8, 8)),))


def test_that_conditions_and_tones_are_shown_in_turns() -> None:
    common = [request("a", 1)] * 50 + [request("a", 2)] * 20
    requests = [*common, request("b", 1), request("b", 2), request("c", 3)]
    chosen = choose_spread(requests, 6)
    shown = [(requests[each].regions[0].class_name, requests[each].tone) for each in chosen]
    assert shown[:3] == [("a", 1), ("b", 2), ("c", 3)]
    assert {name for name, _ in shown[3:5]} == {"a", "b"}
    assert len(set(chosen)) == 6
    assert choose_spread(requests, 6) == chosen


def test_that_no_more_is_chosen_than_there_is() -> None:
    requests = [request("a", 1), request("a", 1), MapRequest(64, 0)]
    assert sorted(choose_spread(requests, 8)) == [0, 1, 2]
    assert choose_spread([], 8) == []


def test_that_a_grid_has_its_rows_and_gaps_where_they_are_read() -> None:
    rows = [np.full((3, 8, 8, 3), level, np.uint8) for level in (10, 20)]
    grid = sample_grid(*rows)
    assert grid.shape == (2 * 10 - 2, 3 * 10 - 2, 3)
    assert (grid[0, 0, 0], grid[10, 0, 0], grid[0, 8, 0]) == (10, 20, GAP_LEVEL)


def test_that_a_preview_is_never_larger_than_it_may_be() -> None:
    large = np.zeros((1542, 4110, 3), np.uint8)
    assert shrink_preview(large).shape == (240, MAX_PREVIEW_PX, 3)
    small = large[:100, :100]
    assert shrink_preview(small) is small


def test_that_pictures_are_found_in_the_order_of_their_steps(tmp_path: Path) -> None:
    for step in (200, 1_000_000, 50):
        path = tmp_path / sample_name(step)
        path.parent.mkdir(exist_ok=True)
        path.touch()
    (tmp_path / "samples" / "notes.png").touch()
    assert [step for step, _ in find_samples(tmp_path)] == [50, 200, 1_000_000]
    assert find_samples(tmp_path / "nowhere") == []
