"""Curves equal scikit-learn's on the same answers, ties and degenerate ones among them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn import metrics

from synthstudio.core.evaluation.curves import average_precision, precision_recall_curve, roc_curve
from synthstudio.core.evaluation.presence import roc_auc


@st.composite
def answers(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Scores with many ties, and labels of both kinds."""
    n = draw(st.integers(2, 40))
    grain = draw(st.sampled_from([1, 3, 10, 1000]))
    scores = draw(hnp.arrays(np.int64, n, elements=st.integers(0, grain))) / grain
    labels = draw(hnp.arrays(np.bool_, n))
    labels[0], labels[1] = True, False
    return scores, labels


@given(answers())
@settings(max_examples=60, deadline=None)
def test_that_curves_equal_those_of_scikit_learn(case: tuple[np.ndarray, np.ndarray]) -> None:
    scores, labels = case
    roc, expected = roc_curve(scores, labels), metrics.roc_curve(labels, scores, drop_intermediate=False)
    assert roc is not None
    for ours, theirs in zip((roc.false_positive_rate, roc.true_positive_rate, roc.thresholds), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-12)
    curve, expected = precision_recall_curve(scores, labels), metrics.precision_recall_curve(labels, scores)
    assert curve is not None
    for ours, theirs in zip((curve.precision, curve.recall, curve.thresholds), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-12)
    assert average_precision(scores, labels) == pytest.approx(metrics.average_precision_score(labels, scores))
    area = np.trapezoid(roc.true_positive_rate, roc.false_positive_rate)
    assert roc_auc(scores, labels) == pytest.approx(area)


@pytest.mark.parametrize("labels", [[], [False, False]])
def test_that_curves_are_undefined_where_there_is_nothing_to_find(labels: list[bool]) -> None:
    scores, truth = np.linspace(0, 1, len(labels)), np.array(labels, np.bool_)
    assert roc_curve(scores, truth) is None
    assert precision_recall_curve(scores, truth) is None
    assert average_precision(scores, truth) is None


def test_that_roc_is_undefined_where_the_class_is_on_every_crop() -> None:
    scores, truth = np.array([0.1, 0.9]), np.ones(2, np.bool_)
    assert roc_curve(scores, truth) is None
    assert average_precision(scores, truth) == 1.0
