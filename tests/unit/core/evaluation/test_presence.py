import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score, roc_auc_score

from synthstudio.core.evaluation.presence import roc_auc, tune_threshold


def _random(seed: int, n: int = 80, c: int = 3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = rng.random((n, c)) < 0.4
    return np.round(np.clip(labels * 0.3 + rng.random((n, c)) * 0.7, 0, 1), 2), labels


@given(st.integers(0, 10_000))
@settings(max_examples=50, deadline=None)
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
@settings(max_examples=50, deadline=None)
def test_that_ties_count_half_in_the_auc(seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels, scores = rng.random(20) < 0.5, rng.integers(0, 4, 20).astype(float)
    if labels.all() or not labels.any():
        assert roc_auc(scores, labels) is None
    else:
        assert roc_auc(scores, labels) == pytest.approx(roc_auc_score(labels, scores))
