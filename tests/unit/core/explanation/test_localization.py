import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthstudio.core.explanation.localization import score_map, summarize_localization
from synthstudio.core.explanation.matching import CenterCounts, match_centers, tune_peak_threshold
from synthstudio.core.explanation.peaks import find_peaks

BOX = np.array([[2.0, 2.0, 6.0, 6.0]])


def _blob(x: float, y: float, shape: tuple[int, int] = (20, 20), width: float = 2.0) -> np.ndarray:
    rows, columns = np.mgrid[: shape[0], : shape[1]] + 0.5
    return np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * width**2)).astype(np.float32)


def test_that_energy_is_the_positive_mass_inside_the_boxes() -> None:
    cam = np.zeros((10, 10), np.float32)
    cam[3, 3], cam[8, 8], cam[0, 0] = 3.0, 1.0, -50.0
    score = score_map(cam, BOX, size_px=4.0)
    assert score.hit
    assert score.energy == pytest.approx(0.75)
    assert score.box_share == pytest.approx(0.16)


def test_that_a_map_without_evidence_never_hits() -> None:
    score = score_map(np.full((10, 10), -1.0, np.float32), BOX, size_px=4.0)
    assert not score.hit
    assert score.energy is None


def test_that_the_maximum_may_lie_within_half_the_size_of_a_centre() -> None:
    cam = np.zeros((10, 10), np.float32)
    cam[4, 7] = 1.0  # outside the box, 3.5 px from its middle (4, 4)
    assert not score_map(cam, BOX, size_px=4.0).hit
    assert score_map(cam, BOX, size_px=8.0).hit


def test_that_chance_is_the_share_of_places_that_hit() -> None:
    assert score_map(np.ones((10, 10), np.float32), BOX, size_px=1.0).chance == pytest.approx(0.16)


def test_that_peaks_are_found_between_cells() -> None:
    cam = _blob(7.3, 12.6)
    peaks = find_peaks(cam, stride=4.0, size_px=16.0)
    assert len(peaks) == 1
    assert peaks[0, :2] == pytest.approx([7.3 * 4, 12.6 * 4], abs=0.6)


def test_that_peaks_closer_than_half_the_size_are_one() -> None:
    cam = _blob(5, 5, width=1.0) + 0.8 * _blob(9, 5, width=1.0)
    assert len(find_peaks(cam, stride=1.0, size_px=5.0)) == 2
    assert len(find_peaks(cam, stride=1.0, size_px=10.0)) == 1


def test_that_a_flat_map_without_evidence_has_no_peak() -> None:
    assert find_peaks(np.zeros((6, 6), np.float32), stride=8.0, size_px=20.0).shape == (0, 3)


def test_that_a_peak_at_the_edge_is_found() -> None:
    assert len(find_peaks(_blob(0.5, 10.5), stride=1.0, size_px=4.0)) == 1


@given(st.integers(0, 5000))
def test_that_matching_finds_as_many_pairs_as_any_assignment(seed: int) -> None:
    rng = np.random.default_rng(seed)
    predicted, true = rng.random((4, 2)) * 4, rng.random((3, 2)) * 4
    near = np.hypot(*(predicted[:, None] - true[None]).transpose(2, 0, 1)) <= 1.0
    best = max(
        sum(near[row, column] for column, row in enumerate(order)) for order in itertools.permutations(range(4), 3)
    )
    assert match_centers(predicted, true, max_distance=1.0) == CenterCounts(best, 4, 3)


def test_that_two_predictions_of_one_object_count_once() -> None:
    counts = match_centers(np.array([[0.0, 0.0], [0.1, 0.0]]), np.array([[0.0, 0.0]]), max_distance=1.0)
    assert (counts.precision, counts.recall, counts.f1) == (0.5, 1.0, pytest.approx(2 / 3))


def test_that_scores_of_nothing_are_undefined() -> None:
    counts = match_centers(np.empty((0, 2)), np.empty((0, 2)), max_distance=1.0)
    assert (counts.precision, counts.recall, counts.f1) == (None, None, None)


def test_that_the_peak_threshold_parts_true_from_false_peaks() -> None:
    peaks = [np.array([[0.0, 0.0, 5.0], [9.0, 9.0, 1.0]]), np.array([[4.0, 4.0, 4.0]])]
    true = [np.array([[0.0, 0.0]]), np.array([[4.0, 4.0]])]
    assert tune_peak_threshold(peaks, true, max_distance=1.0) == 4.0
    assert tune_peak_threshold([], [], max_distance=1.0) is None


def test_that_a_summary_resamples_groups() -> None:
    cam = np.zeros((10, 10), np.float32)
    cam[3, 3] = 1.0
    hit, miss = score_map(cam, BOX, size_px=4.0), score_map(np.flip(cam).copy(), BOX, size_px=4.0)
    found = summarize_localization(
        [hit, hit, miss, miss], np.array([0, 0, 1, 1]), n_groups=2, centers=CenterCounts(1, 2, 2), seed=0
    )
    assert found.pointing_accuracy == 0.5
    assert found.energy == 0.5
    assert found.ci95 == (0.0, 1.0)
    empty = summarize_localization([], np.empty(0, np.int64), n_groups=2, centers=CenterCounts(0, 0, 0), seed=0)
    assert empty.pointing_accuracy is None
