from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from synthstudio.core.evaluation.cases import ALL_KINDS, CaseKind, list_cases, measure_wrongness
from synthstudio.core.evaluation.confusion import class_cells
from synthstudio.core.evaluation.predictions import CropPredictions
from tests.support.evaluations import make_predictions


@pytest.fixture
def predictions() -> CropPredictions:
    return dataclasses.replace(
        make_predictions(4),
        truth=np.array([[True, False], [True, False], [False, True], [False, True]]),
        scores=np.array([[0.1, 0.2], [0.7, 0.99], [0.65, 0.6], [0.2, 0.3]], np.float32),
        thresholds=np.array([0.5, 0.8]),
    )


def test_that_the_most_wrong_answers_come_first(predictions: CropPredictions) -> None:
    cases = list_cases(predictions)
    assert [(case.row, case.class_name, case.kind) for case in cases] == [
        (1, "Blutplättchen", CaseKind.FALSE_ALARM),  # .19 of .20 above
        (0, "red cell", CaseKind.MISSED),  # .4 of .5 below
        (3, "Blutplättchen", CaseKind.MISSED),  # .5 of .8 below
        (2, "red cell", CaseKind.FALSE_ALARM),  # .15 of .5 above
        (2, "Blutplättchen", CaseKind.MISSED),  # .2 of .8 below
    ]
    assert [case.wrongness for case in cases] == pytest.approx([0.95, 0.8, 0.625, 0.3, 0.25], abs=1e-6)
    first = cases[0]
    assert first.fov_id == predictions.fov_ids[1]
    assert first.box == tuple(predictions.boxes[1])
    assert first.true_names == ("red cell",)
    assert first.score == pytest.approx(0.99)


def test_that_cases_are_chosen_by_class_kind_and_cell(predictions: CropPredictions) -> None:
    found = list_cases(predictions, columns=[0], kinds=[CaseKind.FOUND])
    assert [case.row for case in found] == [1]
    assert found[0].wrongness == pytest.approx(-0.4, abs=1e-6)
    missed = class_cells(predictions, 0)[:, 0, 1]
    assert [case.row for case in list_cases(predictions, columns=[0], kinds=ALL_KINDS, rows=missed)] == [0]
    assert list_cases(predictions, kinds=[]) == []
    assert len(list_cases(predictions, limit=2)) == 2


def test_that_right_answers_are_listed_from_the_least_certain(predictions: CropPredictions) -> None:
    cases = list_cases(predictions, columns=[1], kinds=[CaseKind.RIGHTLY_ABSENT, CaseKind.FOUND])
    assert [case.row for case in cases] == [0]


def test_that_every_answer_is_of_one_kind_and_wrong_ones_are_above_zero() -> None:
    predictions = make_predictions()
    cases = list_cases(predictions, kinds=ALL_KINDS)
    assert len(cases) == predictions.truth.size
    assert sum(len(list_cases(predictions, kinds=[kind])) for kind in CaseKind) == len(cases)
    assert all((case.wrongness >= 0) == case.kind.is_wrong for case in cases if case.wrongness)
    assert np.abs(measure_wrongness(predictions)).max() <= 1


def test_that_thresholds_at_the_ends_divide_nothing_by_zero(predictions: CropPredictions) -> None:
    extreme = dataclasses.replace(predictions, thresholds=np.array([0.0, 1.0]))
    assert np.isfinite(measure_wrongness(extreme)).all()
