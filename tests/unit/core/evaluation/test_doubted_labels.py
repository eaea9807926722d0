"""Labels are doubted by classifiers that have not seen them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from synthstudio.core.evaluation.kernel_classifier import KERNELS, fit_kernel_classifier
from synthstudio.core.evaluation.object_profile import N_TURNED, describe_objects
from synthstudio.core.evaluation.out_of_fold import STRENGTH, divide_folds, fit_classifier, predict_out_of_fold
from synthstudio.core.evaluation.wrong_labels import DoubtedLabels, doubt_labels
from synthstudio.settings.quality import LabelLimits


def _clouds(n: int, *, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Three clouds in six dimensions, the last of which is the same for all."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, n)
    middles = rng.normal(0, 1.5, (3, 5))
    return np.hstack([middles[labels] + rng.normal(0, 1, (n, 5)), np.full((n, 1), 7.0)]), labels.astype(np.int64)


def test_that_the_classifier_is_the_logistic_regression_of_scikit_learn() -> None:
    features, labels = _clouds(300)
    own = fit_classifier(features, labels, n_classes=3).probabilities(features)
    scaled = StandardScaler().fit_transform(features)
    reference = LogisticRegression(C=STRENGTH, max_iter=500, tol=1e-8).fit(scaled, labels).predict_proba(scaled)
    assert own == pytest.approx(reference, abs=2e-3)


@given(
    st.lists(st.tuples(st.integers(0, 15), st.integers(0, 3)), min_size=1, max_size=80),
    st.integers(0, 9),
    st.integers(2, 6),
)
def test_that_no_sample_is_in_two_folds_and_no_fold_is_empty(
    rows: list[tuple[int, int]], seed: int, n_folds: int
) -> None:
    groups, labels = [each[0] for each in rows], np.array([each[1] for each in rows], np.int64)
    folds = divide_folds(groups, labels, n_folds=n_folds, seed=seed)
    by_group = {group: set(folds[np.array(groups) == group].tolist()) for group in groups}
    assert all(len(each) == 1 for each in by_group.values())
    assert set(folds.tolist()) == set(range(min(n_folds, len(by_group))))


def test_that_a_rare_class_is_spread_over_the_folds() -> None:
    labels = np.array([1 if group % 5 == 0 else 0 for group in range(50) for _ in range(4)], np.int64)
    folds = divide_folds([group for group in range(50) for _ in range(4)], labels, n_folds=5)
    assert np.bincount(folds[labels == 1], minlength=5).tolist() == [8] * 5


def test_that_what_is_said_of_a_row_does_not_depend_on_its_own_label() -> None:
    features, labels = _clouds(120)
    folds = divide_folds(list(range(120)), labels, n_folds=4)
    said = predict_out_of_fold(features, labels, folds, n_classes=3)
    changed = labels.copy()
    changed[folds == 2] = (changed[folds == 2] + 1) % 3
    again = predict_out_of_fold(features, changed, folds, n_classes=3)
    assert again[folds == 2] == pytest.approx(said[folds == 2])


def _with_wrong(labels: np.ndarray, n: int, *, seed: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Labels of which n are wrong, and the rows of these."""
    wrong = np.random.default_rng(seed).choice(len(labels), n, replace=False)
    changed = labels.copy()
    changed[wrong] = (changed[wrong] + 1) % 3
    return changed, wrong


def _doubt(features: np.ndarray, labels: np.ndarray) -> DoubtedLabels:
    folds = divide_folds(list(range(len(labels))), labels)
    return doubt_labels(predict_out_of_fold(features, labels, folds, n_classes=3, fit=fit_kernel_classifier), labels)


def test_that_wrong_labels_are_doubted_most() -> None:
    features, labels = _clouds(600)
    given_labels, wrong = _with_wrong(labels, 30)
    doubted = _doubt(features, given_labels)
    assert len(set(doubted.order[:30].tolist()) & set(wrong.tolist())) >= 24  # by chance: 1 or 2
    assert (doubted.other[wrong] == labels[wrong]).mean() > 0.85
    assert doubted.share == pytest.approx(0.05, abs=0.02)
    told = doubted.suspects(confidence=0.5)
    assert np.isin(told, wrong).mean() > 0.85
    assert told.tolist() == doubted.order[: len(told)].tolist()


def test_that_a_few_wrong_labels_among_few_that_are_easily_told_are_found_and_nothing_is_doubted_else() -> None:
    features, labels = _clouds(200)
    apart = features.copy()
    apart[:, :3] += 8 * np.eye(3)[labels]
    given_labels, wrong = _with_wrong(labels, 4)
    assert set(_doubt(apart, given_labels).suspects(confidence=0.3).tolist()) == set(wrong.tolist())
    assert _doubt(apart, labels).suspects(confidence=0.3).tolist() == []


def test_that_nothing_is_doubted_where_classes_cannot_be_told_apart() -> None:
    features = np.random.default_rng(4).normal(size=(300, 5))
    labels = np.random.default_rng(5).integers(0, 3, 300)
    assert _doubt(features, labels).suspects(confidence=0.3).tolist() == []


def test_that_kernel_least_squares_are_those_of_scikit_learn() -> None:
    features, labels = _clouds(150)
    own = fit_kernel_classifier(features, labels, n_classes=3).probabilities(features)
    scaled, wanted = StandardScaler().fit_transform(features), np.eye(3)[labels]
    told = []
    for width, ridge in KERNELS:
        reference = KernelRidge(alpha=ridge, kernel="rbf", gamma=1 / (2 * width * features.shape[1]))
        told.append(reference.fit(scaled, wanted - 1 / 3).predict(scaled) + 1 / 3)
    assert own == pytest.approx(np.mean(told, axis=0), abs=1e-3)


def test_that_of_what_is_unlike_all_others_nothing_is_said_whatever_is_frequent() -> None:
    features, labels = _clouds(200)
    frequent = np.where(np.arange(200) < 160, 0, labels).astype(np.int64)
    far = np.full((1, 6), 90.0)
    said = fit_kernel_classifier(features, frequent, n_classes=3).probabilities(far)
    assert said == pytest.approx(np.full((1, 3), 1 / 3), abs=1e-3)


def test_that_a_feature_of_importance_counts_as_many_of_its_like() -> None:
    features, labels = _clouds(150)
    many = np.hstack([features[:, :5], features[:, :1], features[:, :1]])
    weighed = fit_kernel_classifier(features[:, :5], labels, n_classes=3, importance=np.array([3.0, 1, 1, 1, 1]))
    repeated = fit_kernel_classifier(many, labels, n_classes=3)
    plain = fit_kernel_classifier(features[:, :5], labels, n_classes=3)
    assert weighed.probabilities(features[:, :5]) == pytest.approx(repeated.probabilities(many), abs=1e-3)
    assert np.abs(weighed.probabilities(features[:, :5]) - plain.probabilities(features[:, :5])).max() > 0.05


def test_that_turning_an_object_leaves_its_profile_as_it_is() -> None:
    rng = np.random.default_rng(3)
    image = rng.integers(0, 256, (66, 66, 3), dtype=np.uint8)
    first, turned = describe_objects([image, np.ascontiguousarray(np.rot90(image))])
    assert first[-N_TURNED:] == pytest.approx(turned[-N_TURNED:], abs=1e-4)
    assert np.isfinite(first).all()


def test_that_light_and_stain_of_a_sample_leave_the_profile_nearly_as_it_is() -> None:
    rng = np.random.default_rng(3)
    image = np.full((66, 66, 3), 180, np.uint8)
    image[20:40, 25:45] = rng.integers(60, 90, (20, 20, 3), dtype=np.uint8)
    tinted = np.asarray(image * np.array([0.9, 0.7, 0.8]), np.uint8)
    other = np.ascontiguousarray(image.transpose(1, 0, 2))
    other[28:32] = 180
    own, same, different = describe_objects([image, tinted, other])
    assert 4 * np.linalg.norm(own - same) < np.linalg.norm(own - different)


def test_that_a_class_that_is_often_taken_for_another_is_doubted_more_where_it_looks_like_that() -> None:
    labels = np.repeat([0, 1, 2, 3], 60).astype(np.int64)
    answers = np.full((240, 4), 0.02) + 0.94 * np.eye(4)[labels]
    answers[::7] += np.random.default_rng(2).normal(0, 0.08, answers[::7].shape)
    often, once = np.arange(60, 69), 180  # of class 0 and called 1; of class 2 and called 3
    for rows, looks_like in ((often, 0), ([once], 2)):
        answers[rows] = 0.02 + 0.94 * np.eye(4)[looks_like]
    dim_often, dim_once = 69, 181  # neither looks like what it is called for sure
    for row, looks_like in ((dim_often, 0), (dim_once, 2)):
        answers[row] = 0.05
        answers[row, [looks_like, labels[row]]] = 0.5, 0.4
    doubted = doubt_labels(answers, labels)
    assert doubted.wrong[[*often.tolist(), once]].min() > 0.5
    assert doubted.wrong[dim_often] > 2 * doubted.wrong[dim_once]
    assert doubted.own[dim_often] == pytest.approx(doubted.own[dim_once])


def test_that_rows_that_are_not_trusted_are_judged_and_not_learned_from() -> None:
    features, labels = _clouds(120)
    folds = divide_folds(list(range(120)), labels, n_folds=4)
    is_learned = np.arange(120) % 6 != 0
    said = predict_out_of_fold(features, labels, folds, n_classes=3, is_learned=is_learned)
    changed = np.where(is_learned, labels, (labels + 1) % 3)
    assert (predict_out_of_fold(features, changed, folds, n_classes=3, is_learned=is_learned) == said).all()
    assert (predict_out_of_fold(features, changed, folds, n_classes=3) != said).any()
    assert said.sum(axis=1) == pytest.approx(np.ones(120))


@pytest.mark.parametrize("distance", [1.0, 1.6, 2.2, 2.8])
def test_that_right_labels_are_not_doubted_where_a_rare_class_overlaps_a_frequent_one(distance: float) -> None:
    """The answers are the true probabilities of two classes that lie so many standard deviations apart, and a third."""
    rng, counts = np.random.default_rng(0), np.array([1500, 200, 400])
    labels = np.repeat(np.arange(3), counts)
    middles = np.array([[0.0, 0.0], [distance, 0.0], [0.0, 6.0]])
    places = middles[labels] + np.stack([rng.normal(0, 1, labels.size), rng.normal(0, 1, labels.size)], axis=1)
    density = counts * np.exp(-((places[:, None] - middles) ** 2).sum(axis=2) / 2)
    doubted = doubt_labels(density / density.sum(axis=1, keepdims=True), labels)
    assert (doubted.wrong >= LabelLimits().confidence).sum() == 0
