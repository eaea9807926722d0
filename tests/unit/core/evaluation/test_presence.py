import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score, precision_score, recall_score, roc_auc_score

from synthstudio.core.evaluation.presence import f1_of, mean_defined, roc_auc, score_presence, tune_threshold


def _random(seed: int, n: int = 80, c: int = 3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = rng.random((n, c)) < 0.4
    return np.round(np.clip(labels * 0.3 + rng.random((n, c)) * 0.7, 0, 1), 2), labels


def test_that_scores_equal_those_of_scikit_learn() -> None:
    scores, labels = _random(1)
    thresholds = np.array([0.5, 0.4, 0.6])
    report = score_presence(scores, labels, thresholds=thresholds, groups=np.arange(80) // 4, n_groups=20, seed=0)
    answers = scores >= thresholds
    for c, score in enumerate(report.per_class):
        assert score.precision == pytest.approx(precision_score(labels[:, c], answers[:, c]))
        assert score.recall == pytest.approx(recall_score(labels[:, c], answers[:, c]))
        assert score.f1 == pytest.approx(f1_score(labels[:, c], answers[:, c]))
        assert score.auc == pytest.approx(roc_auc_score(labels[:, c], scores[:, c]))
        assert score.support == labels[:, c].sum()
        assert score.f1_at_half == pytest.approx(f1_score(labels[:, c], scores[:, c] >= 0.5))
        assert score.prevalence_f1 == pytest.approx(f1_score(labels[:, c], np.ones(80, bool)))
        assert score.ci95 is not None
        assert score.ci95[0] <= (score.f1 or 0) <= score.ci95[1]
    assert report.macro_f1 == pytest.approx(f1_score(labels, answers, average="macro"))
    assert report.accuracy == pytest.approx((answers == labels).mean())


def test_that_the_ready_check_of_a_classification_report_is_met() -> None:
    # TP 66, FN 4, TN 70, FP 0 (targets, section 5)
    labels = np.array([True] * 70 + [False] * 70)[:, None]
    scores = np.array([0.9] * 66 + [0.1] * 74)[:, None]
    report = score_presence(scores, labels, thresholds=np.array([0.5]), groups=np.arange(140), n_groups=140, seed=0)
    assert round(report.per_class[0].f1 or 0, 4) == 0.9706
    assert round(report.accuracy or 0, 4) == 0.9714
    assert f1_of(70, 4, 0) == pytest.approx(0.9722, abs=5e-5)


def test_that_an_undefined_f1_is_none_and_left_out_of_the_mean() -> None:
    labels = np.array([[True, False], [False, False]])
    scores = np.array([[0.9, 0.1], [0.1, 0.1]])
    report = score_presence(
        scores, labels, thresholds=np.array([0.5, 0.5]), groups=np.array([0, 1]), n_groups=2, seed=0
    )
    assert report.per_class[1].f1 is None
    assert report.per_class[1].precision is None
    assert report.per_class[1].prevalence_f1 is None
    assert report.macro_f1 == 1.0
    assert mean_defined([None]) is None


@given(st.integers(0, 10_000))
def test_that_no_other_threshold_has_a_better_f1(seed: int) -> None:
    scores, labels = _random(seed, n=25, c=1)
    found = tune_threshold(scores[:, 0], labels[:, 0])
    if found is None:
        assert labels.all() or not labels.any()
        return

    def f1_at(threshold: float) -> float:
        return float(f1_score(labels[:, 0], scores[:, 0] >= threshold, zero_division=0.0))

    assert f1_at(found) >= max(f1_at(t) for t in np.unique(scores)) - 1e-9


@given(st.integers(0, 10_000))
def test_that_ties_count_half_in_the_auc(seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels, scores = rng.random(20) < 0.5, rng.integers(0, 4, 20).astype(float)
    if labels.all() or not labels.any():
        assert roc_auc(scores, labels) is None
    else:
        assert roc_auc(scores, labels) == pytest.approx(roc_auc_score(labels, scores))
