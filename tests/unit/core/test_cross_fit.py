"""Scores whose thresholds were chosen on other samples than they are scored on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthstudio.core.evaluation.presence import cross_fit_f1, f1_of, tune_threshold
from synthstudio.core.explanation.matching import cross_fit_centers, match_centers, tune_peak_threshold
from synthstudio.core.stats import draw_halves


@given(st.lists(st.integers(0, 12), min_size=1, max_size=60), st.integers(0, 99))
def test_that_no_group_is_in_both_halves(groups: list[int], seed: int) -> None:
    numbers = np.array(groups, np.int64)
    first = draw_halves(numbers, seed=seed)
    assert not set(numbers[first]) & set(numbers[~first])
    n_groups = len(set(groups))
    assert len(set(numbers[first])) == n_groups // 2
    assert (draw_halves(numbers, seed=seed) == first).all()


def test_that_scores_of_noise_are_not_better_than_always_yes_by_choice_of_threshold() -> None:
    rng = np.random.default_rng(3)
    tuned, crossed = [], []
    for _ in range(60):
        scores, labels = rng.random((24, 1)), rng.random((24, 1)) < 0.3
        first = draw_halves(np.arange(24), seed=int(rng.integers(1000)))
        threshold = tune_threshold(scores[:, 0], labels[:, 0])
        assert threshold is not None
        answers = scores[:, 0] >= threshold
        present = labels[:, 0]
        tuned.append(f1_of((answers & present).sum(), (answers & ~present).sum(), (~answers & present).sum()) or 0)
        crossed.append(cross_fit_f1(scores, labels, first)[0] or 0)
    always_yes = 2 * 0.3 / 1.3
    assert np.mean(tuned) > always_yes + 0.04  # what choosing and scoring on the same crops pretends
    assert np.mean(crossed) < always_yes + 0.02


def test_that_a_separable_class_is_found_in_full_by_thresholds_of_the_other_half() -> None:
    labels = np.array([[True], [False]] * 10)
    scores = np.where(labels, 0.8, 0.3)
    assert cross_fit_f1(scores, labels, np.arange(20) < 10) == [1.0]


def test_that_a_single_half_serves_itself() -> None:
    labels = np.array([[True], [False], [True]])
    scores = np.where(labels, 0.4, 0.3)
    assert cross_fit_f1(scores, labels, np.zeros(3, np.bool_)) == [1.0]
    peaks, points = [np.array([[5.0, 5.0, 2.0], [50.0, 50.0, 1.0]])], [np.array([[5.0, 6.0]])]
    counts = cross_fit_centers(peaks, points, max_distance=3.0, first=np.zeros(1, np.bool_))
    assert counts.f1 == 1.0


def test_that_a_class_that_is_nowhere_has_no_f1() -> None:
    assert cross_fit_f1(np.full((4, 1), 0.2), np.zeros((4, 1), np.bool_), np.arange(4) < 2) == [None]


def test_that_centres_are_matched_at_the_threshold_of_the_other_half() -> None:
    rng = np.random.default_rng(0)
    points = [rng.uniform(0, 100, (4, 2)) for _ in range(6)]
    peaks = [np.column_stack([each, rng.uniform(1, 2, 4)]) for each in points]
    peaks = [np.vstack([each, [[200.0, 200.0, rng.uniform(0, 1.2)]]]) for each in peaks]
    first = np.arange(6) < 3
    low = tune_peak_threshold(peaks[3:], points[3:], max_distance=5.0)
    high = tune_peak_threshold(peaks[:3], points[:3], max_distance=5.0)
    assert low is not None
    assert high is not None
    expected = [
        match_centers(found[found[:, 2] >= (low if number < 3 else high), :2], true, max_distance=5.0)
        for number, (found, true) in enumerate(zip(peaks, points, strict=True))
    ]
    counts = cross_fit_centers(peaks, points, max_distance=5.0, first=first)
    assert counts.n_matched == sum(each.n_matched for each in expected)
    assert counts.n_predicted == sum(each.n_predicted for each in expected)
    assert counts.n_true == 24
    assert counts.f1 == pytest.approx(2 * counts.n_matched / (counts.n_predicted + 24))
