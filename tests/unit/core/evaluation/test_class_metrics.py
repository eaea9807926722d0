"""Scores equal scikit-learn's on the same answers, degenerate ones among them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn import metrics
from sklearn.calibration import calibration_curve

from synthstudio.core.evaluation.calibration import measure_calibration
from synthstudio.core.evaluation.class_metrics import AnswerCounts, PresenceReport, score_predictions, score_presence
from synthstudio.core.evaluation.presence import f1_of, mean_defined
from synthstudio.core.evaluation.resampling import draw_groups, drawn_ranking
from tests.support.evaluations import make_predictions

HALF = np.array([0.5, 0.5, 0.5])


def _score(scores: np.ndarray, labels: np.ndarray, thresholds: np.ndarray) -> PresenceReport:
    return score_presence(scores, labels, thresholds=thresholds, sample_ids=np.arange(len(scores)) // 3, seed=0)


@st.composite
def answers(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Scores and labels of three classes, often all present, all absent, or all answered alike."""
    n = draw(st.integers(1, 12))
    scores = draw(hnp.arrays(np.int64, (n, 3), elements=st.integers(0, 4))) / 4
    labels = draw(hnp.arrays(np.bool_, (n, 3), fill=st.booleans()))
    return scores, labels


def assert_equal(ours: float | None, theirs: float) -> None:
    if ours is None:
        assert math.isnan(theirs)
    else:
        assert ours == pytest.approx(theirs)


@given(answers())
@settings(max_examples=25, deadline=None)
def test_that_scores_of_classes_and_their_means_equal_those_of_scikit_learn(
    case: tuple[np.ndarray, np.ndarray],
) -> None:
    scores, labels = case
    report, said = _score(scores, labels, HALF), scores >= 0.5
    for column, score in enumerate(report.per_class):
        truth, answer = labels[:, column], said[:, column]
        confusion = metrics.confusion_matrix(truth, answer, labels=[False, True])
        counts = score.counts
        assert [[counts.true_negatives, counts.false_positives], [counts.false_negatives, counts.true_positives]] == (
            confusion.tolist()
        )
        options = {"zero_division": np.nan}
        assert_equal(counts.precision, metrics.precision_score(truth, answer, **options))
        assert_equal(counts.recall, metrics.recall_score(truth, answer, **options))
        assert_equal(counts.f1, metrics.f1_score(truth, answer, **options))
        assert_equal(counts.specificity, metrics.recall_score(~truth, ~answer, **options))
        assert_equal(counts.negative_predictive_value, metrics.precision_score(~truth, ~answer, **options))
        assert counts.support == truth.sum()
        assert score.calibration is not None
        assert score.calibration.brier == pytest.approx(np.mean((scores[:, column] - truth) ** 2))
    assert report.accuracy == pytest.approx((said == labels).mean())
    assert report.exact == pytest.approx(metrics.accuracy_score(labels, said))


@given(answers())
@settings(max_examples=25, deadline=None)
def test_that_means_over_classes_equal_those_of_scikit_learn(case: tuple[np.ndarray, np.ndarray]) -> None:
    scores, labels = case
    report, said = _score(scores, labels, HALF), scores >= 0.5
    for name, average in (("macro", report.macro), ("weighted", report.weighted), ("micro", report.micro)):
        options = {"average": name, "zero_division": np.nan}
        for figure, compute in (
            ("precision", metrics.precision_score),
            ("recall", metrics.recall_score),
            ("f1", metrics.f1_score),
        ):
            ours, of_classes = getattr(average, figure), [getattr(each.counts, figure) for each in report.per_class]
            is_weightless = not any(labels[:, c].any() for c in range(3) if of_classes[c] is not None)
            if name == "weighted" and is_weightless:
                assert ours is None  # where all that is defined weighs nothing scikit-learn gives the plain mean of it
            else:
                assert_equal(ours, compute(labels, said, **options))


def test_that_scores_on_many_crops_equal_those_of_scikit_learn() -> None:
    predictions = make_predictions(400, n_samples=40)
    report = score_predictions(predictions, seed=0)
    for column, score in enumerate(report.per_class):
        truth, values = predictions.truth[:, column], predictions.scores[:, column].astype(np.float64)
        assert score.auc == pytest.approx(metrics.roc_auc_score(truth, values))
        assert score.average_precision == pytest.approx(metrics.average_precision_score(truth, values))
        assert score.calibration is not None
        assert score.calibration.brier == pytest.approx(metrics.brier_score_loss(truth, values))
        shares, means = calibration_curve(truth, values, n_bins=10)
        np.testing.assert_allclose([each.share_present for each in score.calibration.bins], shares)
        np.testing.assert_allclose([each.mean_score for each in score.calibration.bins], means)
        assert score.prevalence_f1 == pytest.approx(metrics.f1_score(truth, np.ones(len(truth), bool)))
        assert score.at_half.f1 == pytest.approx(metrics.f1_score(truth, values >= 0.5))
    assert report.macro.f1 == pytest.approx(metrics.f1_score(predictions.truth, predictions.answers, average="macro"))
    assert report.is_reliable
    assert report.n_groups == 40


def test_that_every_interval_holds_its_figure_and_repeats() -> None:
    predictions = make_predictions(300, n_samples=30)
    report = score_predictions(predictions, seed=3)
    assert report == score_predictions(predictions, seed=3)
    assert report != score_predictions(predictions, seed=4)
    for score in report.per_class:
        counts, intervals = score.counts, score.intervals
        for figure, interval in (
            (counts.precision, intervals.precision),
            (counts.recall, intervals.recall),
            (counts.f1, intervals.f1),
            (counts.specificity, intervals.specificity),
            (counts.negative_predictive_value, intervals.negative_predictive_value),
            (score.auc, intervals.auc),
            (score.average_precision, intervals.average_precision),
        ):
            assert figure is not None
            assert interval is not None
            assert 0 <= interval[0] < figure < interval[1] <= 1


def test_that_a_drawn_area_is_that_of_the_drawn_crops() -> None:
    rng = np.random.default_rng(2)
    scores, labels = rng.integers(0, 6, 40) / 5, rng.random(40) < 0.4
    draws = draw_groups(rng.integers(0, 8, 40), seed=1)
    areas, averages = drawn_ranking(scores, labels, draws)
    weights = draws.weights[:, draws.groups]
    assert weights.shape == (2000, 40)
    for number in range(0, 200, 10):
        rows = np.repeat(np.arange(40), weights[number].astype(int))
        if labels[rows].any() and not labels[rows].all():
            assert areas[number] == pytest.approx(metrics.roc_auc_score(labels[rows], scores[rows]))
            assert averages[number] == pytest.approx(metrics.average_precision_score(labels[rows], scores[rows]))


def test_that_very_many_scores_give_the_interval_of_all_of_them() -> None:
    rng = np.random.default_rng(3)
    labels, groups = rng.random(3000) < 0.2, rng.integers(0, 30, 3000)
    scores = rng.random(3000) * 0.7 + 0.3 * labels
    draws = draw_groups(groups, seed=1)
    areas, averages = drawn_ranking(scores, labels, draws)
    rows = np.repeat(np.arange(3000), draws.weights[0, draws.groups].astype(int))
    assert areas[0] == pytest.approx(metrics.roc_auc_score(labels[rows], scores[rows]), abs=1e-3)
    assert averages[0] == pytest.approx(metrics.average_precision_score(labels[rows], scores[rows]), abs=3e-3)


def test_that_no_crops_leave_everything_undefined() -> None:
    report = score_predictions(make_predictions(0), seed=0)
    assert report.macro.f1 is None
    assert report.accuracy is None
    assert report.macro_ci95 is None
    assert not report.is_reliable
    assert measure_calibration(np.empty(0), np.empty(0, np.bool_)) is None


def test_that_the_ready_check_of_a_classification_report_is_met() -> None:
    # TP 66, FN 4, TN 70, FP 0 (targets, section 5)
    labels = np.array([True] * 70 + [False] * 70)[:, None]
    scores = np.array([0.9] * 66 + [0.1] * 74)[:, None]
    report = score_presence(scores, labels, thresholds=np.array([0.5]), sample_ids=np.arange(140), seed=0)
    assert report.per_class[0].counts == AnswerCounts(66, 0, 4, 70)
    assert round(report.per_class[0].counts.f1 or 0, 4) == 0.9706
    assert round(report.accuracy or 0, 4) == 0.9714
    assert f1_of(70, 4, 0) == pytest.approx(0.9722, abs=5e-5)


def test_that_an_undefined_f1_is_none_and_left_out_of_the_mean() -> None:
    labels = np.array([[True, False], [False, False]])
    scores = np.array([[0.9, 0.1], [0.1, 0.1]])
    report = score_presence(scores, labels, thresholds=np.array([0.5, 0.5]), sample_ids=np.array([0, 1]), seed=0)
    assert report.per_class[1].counts.f1 is None
    assert report.per_class[1].counts.precision is None
    assert report.per_class[1].prevalence_f1 is None
    assert report.macro.f1 == 1.0
    assert mean_defined([None]) is None


def test_that_one_class_is_scored_against_its_absence_as_a_published_report_of_two_classes() -> None:
    # 66 of 70 positives and all of 70 negatives are answered rightly.
    labels = np.repeat([True, False], 70)[:, None]
    scores = np.concatenate([np.full(66, 0.9), np.full(74, 0.1)])[:, None]
    report = score_presence(scores, labels, thresholds=np.array([0.5]), sample_ids=np.arange(140), seed=0)
    assert report.absence is not None
    present, absent = report.per_class[0].counts, report.absence.counts
    assert (present.f1, absent.f1, report.accuracy) == pytest.approx((0.9706, 0.9722, 0.9714), abs=5e-5)
    expected = metrics.classification_report(labels[:, 0], scores[:, 0] >= 0.5, output_dict=True)
    assert (absent.precision, absent.recall, absent.support) == pytest.approx(
        tuple(expected["False"][key] for key in ("precision", "recall", "support"))
    )
    for name, average in (("macro avg", report.absence.macro), ("weighted avg", report.absence.weighted)):
        assert (average.precision, average.recall, average.f1) == pytest.approx(
            tuple(expected[name][key] for key in ("precision", "recall", "f1-score"))
        )


def test_that_absence_is_no_class_beside_several() -> None:
    report = _score(np.full((4, 3), 0.2), np.eye(4, 3, dtype=bool), HALF)
    assert report.absence is None
