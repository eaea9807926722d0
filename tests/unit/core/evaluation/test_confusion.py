from __future__ import annotations

import dataclasses

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from synthstudio.core.evaluation.confusion import (
    NO_CLASS,
    class_cells,
    class_confusion,
    single_class_cells,
    single_class_confusion,
)
from synthstudio.core.evaluation.predictions import CropPredictions
from tests.support.evaluations import make_predictions


def _one_hot(true: np.ndarray, said: np.ndarray, n_classes: int) -> CropPredictions:
    n = len(true)
    return CropPredictions(
        class_names=tuple(f"class {number}" for number in range(n_classes)),
        fov_ids=np.arange(n),
        sample_ids=np.arange(n),
        boxes=np.zeros((n, 4), np.int64),
        truth=true[:, None] == np.arange(n_classes),
        scores=(said[:, None] == np.arange(n_classes)).astype(np.float32),
        thresholds=np.full(n_classes, 0.5),
    )


@given(st.integers(0, 1000))
@settings(max_examples=50, deadline=None)
def test_that_single_answers_give_the_matrix_of_scikit_learn(seed: int) -> None:
    rng = np.random.default_rng(seed)
    true, said = rng.integers(0, 4, (2, 15))  # 3: none of the three classes
    predictions = _one_hot(true, said, 3)
    confusion = single_class_confusion(predictions)
    assert confusion.rows == confusion.columns == ("class 0", "class 1", "class 2", NO_CLASS)
    assert confusion.counts.tolist() == metrics.confusion_matrix(true, said, labels=range(4)).tolist()
    assert confusion.totals.tolist() == np.bincount(true, minlength=4).tolist()
    is_filled = confusion.totals > 0
    expected = metrics.confusion_matrix(true, said, labels=range(4), normalize="true")
    np.testing.assert_allclose(confusion.shares[is_filled], expected[is_filled])
    assert np.isnan(confusion.shares[~is_filled]).all()


def test_that_the_table_of_a_class_equals_that_of_scikit_learn() -> None:
    predictions = make_predictions()
    expected = metrics.multilabel_confusion_matrix(predictions.truth, predictions.answers)
    for column in range(2):
        confusion = class_confusion(predictions, column)
        assert confusion.counts[::-1, ::-1].tolist() == expected[column].tolist()
        assert confusion.totals.sum() == len(predictions)


def test_that_a_crop_with_two_answers_is_in_two_columns_and_crops_of_two_classes_in_none() -> None:
    predictions = dataclasses.replace(
        make_predictions(3),
        truth=np.array([[True, False], [True, True], [False, False]]),
        scores=np.array([[0.9, 0.9], [0.9, 0.1], [0.1, 0.1]], np.float32),
    )
    confusion = single_class_confusion(predictions)
    assert confusion.counts.tolist() == [[1, 1, 0], [0, 0, 0], [0, 0, 1]]
    assert confusion.totals.tolist() == [1, 0, 1]


def test_that_the_crops_behind_a_cell_are_as_many_as_it_says() -> None:
    predictions = make_predictions()
    assert (class_cells(predictions, 1).sum(axis=0) == class_confusion(predictions, 1).counts).all()
    assert (single_class_cells(predictions).sum(axis=0) == single_class_confusion(predictions).counts).all()
