from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, f1_score

from synthstudio.core.evaluation.class_metrics import score_predictions
from synthstudio.core.evaluation.comparison import compare_predictions, two_sided_p
from synthstudio.core.evaluation.predictions import CropPredictions
from synthstudio.core.evaluation.resampling import draw_groups
from synthstudio.domain.errors import UserError
from tests.support.evaluations import make_predictions

GOOD, POOR = make_predictions(seed=1, skill=0.45), make_predictions(seed=2, skill=0.1)


def _taken(predictions: CropPredictions, rows: np.ndarray) -> CropPredictions:
    taken = {name: getattr(predictions, name)[rows] for name in ("fov_ids", "sample_ids", "boxes", "truth", "scores")}
    return dataclasses.replace(predictions, **taken)


def test_that_a_plainly_better_run_is_told_from_a_worse_one() -> None:
    compared = compare_predictions(POOR, GOOD, seed=0)
    macro = compared.macro_f1
    assert macro.first == pytest.approx(f1_score(POOR.truth, POOR.answers, average="macro"))
    assert macro.second == pytest.approx(f1_score(GOOD.truth, GOOD.answers, average="macro"))
    assert macro.difference == pytest.approx((macro.second or 0) - (macro.first or 0))
    assert macro.ci95 is not None
    assert 0 < macro.ci95[0] < (macro.difference or 0) < macro.ci95[1]
    assert macro.p is not None
    assert macro.p < 0.01
    assert compared.is_reliable
    assert [each.name for each in compared.per_class] == list(GOOD.class_names)
    right = [each.answers[:, 0] == each.truth[:, 0] for each in (POOR, GOOD)]
    assert compared.per_class[0].n_only_first == (right[0] & ~right[1]).sum()
    assert compared.per_class[0].n_only_second == (right[1] & ~right[0]).sum()


def test_that_average_precision_is_compared_without_a_threshold() -> None:
    compared = compare_predictions(POOR, GOOD, seed=0)
    for number, each in enumerate(compared.per_class):
        for run, found in ((POOR, each.ap.first), (GOOD, each.ap.second)):
            expected = average_precision_score(run.truth[:, number], run.scores[:, number].astype(np.float64))
            assert found == pytest.approx(expected)
        assert each.ap.ci95 is not None
        assert each.ap.ci95[0] < (each.ap.difference or 0) < each.ap.ci95[1]
    firsts = [each.ap.first or 0.0 for each in compared.per_class]
    assert compared.mean_ap.first == pytest.approx(np.mean(firsts))
    stricter = dataclasses.replace(GOOD, thresholds=GOOD.thresholds + 0.2)
    again = compare_predictions(POOR, stricter, seed=0)
    assert again.mean_ap == compared.mean_ap
    assert again.macro_f1 != compared.macro_f1


def _precision_by_hand(predictions: CropPredictions, column: int, weights: np.ndarray) -> np.ndarray:
    """Average precision in each draw `(B,)`, row by row from the surest down; `weights` `(B, N)` are counts of rows."""
    order = np.argsort(-predictions.scores[:, column], kind="stable")
    weights, hits = weights[:, order], predictions.truth[order, column]
    found = np.cumsum(weights * hits, axis=1)
    precision = found / np.maximum(np.cumsum(weights, axis=1), 1.0)
    return (weights * hits * precision).sum(axis=1) / found[:, -1]


def test_that_intervals_of_average_precision_are_those_of_the_same_samples_drawn_for_both_by_hand() -> None:
    rng = np.random.default_rng(5)
    runs = []
    for run in (POOR, GOOD):  # scores without ties, so that the order of rows is one
        runs.append(dataclasses.replace(run, scores=(run.scores + rng.random(run.scores.shape) * 1e-4).astype("f4")))
    compared = compare_predictions(*runs, seed=7)
    draws = draw_groups(runs[0].sample_ids, seed=7)
    _, samples = np.unique(runs[0].sample_ids, return_inverse=True)
    assert draws.weights.sum(axis=1) == pytest.approx(np.full(len(draws.weights), samples.max() + 1))
    rows = draws.weights[:, samples]  # a sample that was drawn twice counts all of its rows twice
    drawn = []
    for column, each in enumerate(compared.per_class):
        first, second = (_precision_by_hand(run, column, rows) for run in runs)
        drawn.append(second - first)
        assert each.ap.ci95 == pytest.approx(tuple(np.percentile(second - first, (2.5, 97.5))), abs=1e-9)
    assert compared.mean_ap.ci95 == pytest.approx(tuple(np.percentile(np.mean(drawn, axis=0), (2.5, 97.5))), abs=1e-9)


def test_that_the_order_of_runs_only_changes_the_sign() -> None:
    there, back = compare_predictions(POOR, GOOD, seed=0), compare_predictions(GOOD, POOR, seed=0)
    for one, other in zip((there.macro_f1, there.per_class[1].f1), (back.macro_f1, back.per_class[1].f1), strict=True):
        assert one.difference == pytest.approx(-(other.difference or 0))
        assert one.ci95 == pytest.approx((-(other.ci95 or (0, 0))[1], -(other.ci95 or (0, 0))[0]))
        assert one.p == other.p


def test_that_a_run_does_not_differ_from_itself() -> None:
    compared = compare_predictions(GOOD, GOOD, seed=0)
    assert compared.macro_f1.difference == 0
    assert compared.macro_f1.ci95 == (0, 0)
    assert compared.macro_f1.p == 1


def test_that_the_order_of_crops_and_of_classes_does_not_matter() -> None:
    expected = compare_predictions(POOR, GOOD, seed=0)
    shuffled = _taken(GOOD, np.random.default_rng(0).permutation(len(GOOD)))
    assert compare_predictions(POOR, shuffled, seed=0) == expected
    turned = dataclasses.replace(
        GOOD,
        class_names=GOOD.class_names[::-1],
        truth=GOOD.truth[:, ::-1],
        scores=GOOD.scores[:, ::-1],
        thresholds=GOOD.thresholds[::-1],
    )
    assert compare_predictions(POOR, turned, seed=0) == expected


def test_that_pairing_is_narrower_than_two_runs_by_themselves() -> None:
    """Two runs that err on the same crops: alone each is uncertain, their difference is not."""
    similar = dataclasses.replace(POOR, scores=np.clip(POOR.scores + 0.01, 0, 1).astype(np.float32))
    compared = compare_predictions(POOR, similar, seed=0)
    alone = score_predictions(POOR, seed=0).macro_ci95
    assert compared.macro_f1.ci95 is not None
    assert alone is not None
    assert compared.macro_f1.ci95[1] - compared.macro_f1.ci95[0] < 0.5 * (alone[1] - alone[0])


def test_that_few_samples_are_called_unreliable() -> None:
    few = [make_predictions(seed=seed, n_samples=6) for seed in (1, 2)]
    assert not compare_predictions(*few, seed=0).is_reliable


def test_that_a_class_that_one_run_does_not_know_is_left_out_and_named() -> None:
    other = dataclasses.replace(GOOD, class_names=("red cell", "white cell"))
    compared = compare_predictions(POOR, other, seed=0)
    assert [each.name for each in compared.per_class] == ["red cell"]
    assert compared.left_out == ("Blutplättchen", "white cell")
    with pytest.raises(UserError, match="no class in common"):
        compare_predictions(POOR, dataclasses.replace(GOOD, class_names=("a", "b")), seed=0)


def test_that_an_undefined_class_has_no_difference() -> None:
    truth, scores = GOOD.truth.copy(), GOOD.scores.copy()
    truth[:, 1], scores[:, 1] = False, 0
    empty = dataclasses.replace(GOOD, truth=truth, scores=scores)
    compared = compare_predictions(empty, empty, seed=0)
    assert compared.per_class[1].f1.difference is None
    assert compared.per_class[1].f1.p is None
    assert compared.macro_f1.first == compared.per_class[0].f1.first


def test_that_runs_on_other_crops_are_refused_with_the_reason() -> None:
    with pytest.raises(UserError, match="different images"):
        compare_predictions(GOOD, _taken(POOR, np.flatnonzero(POOR.fov_ids > 3)), seed=0)
    wider = dataclasses.replace(POOR, boxes=POOR.boxes + np.array([0, 0, 32, 32]))
    with pytest.raises(UserError, match="of 64 and of 96 px"):
        compare_predictions(GOOD, wider, seed=0)
    with pytest.raises(UserError, match="other places"):
        compare_predictions(GOOD, dataclasses.replace(POOR, boxes=POOR.boxes + np.array([1, 0, 0, 0])), seed=0)
    with pytest.raises(UserError, match="annotations have changed"):
        compare_predictions(GOOD, dataclasses.replace(POOR, truth=~POOR.truth), seed=0)


def test_that_p_counts_draws_on_the_other_side_and_never_claims_nothing() -> None:
    assert two_sided_p(np.linspace(0.1, 1, 1999)) == pytest.approx(2 / 2000)
    assert two_sided_p(np.array([-1.0, 1.0, 1.0])) == 1.0
    assert two_sided_p(np.array([-1.0] * 10 + [1.0] * 189)) == pytest.approx(22 / 200)
    assert two_sided_p(np.array([np.nan])) is None


def test_that_the_interval_covers_the_true_difference_about_as_often_as_it_says() -> None:
    """Two runs of equal skill on new samples each time: 95 % of the intervals hold 0."""
    n_holding = 0
    for trial in range(40):
        pair = [
            make_predictions(200, seed=2 * trial + turn, n_samples=40, skill=0.5, truth_seed=1000 + trial)
            for turn in range(2)
        ]
        interval = compare_predictions(pair[0], pair[1], seed=0).macro_f1.ci95
        assert interval is not None
        n_holding += interval[0] <= 0 <= interval[1]
    assert n_holding >= 34
