from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from synthstudio.core.evaluation.predictions import read_predictions, write_predictions
from synthstudio.domain.errors import UserError
from tests.support.evaluations import make_predictions


@pytest.mark.parametrize("n", [0, 1, 12])
def test_that_predictions_are_read_as_they_were_written(tmp_path: Path, n: int) -> None:
    written = make_predictions(n)
    write_predictions(tmp_path / "predictions.npz", written)
    read = read_predictions(tmp_path / "predictions.npz")
    for field in dataclasses.fields(written):
        first, second = getattr(written, field.name), getattr(read, field.name)
        assert np.array_equal(first, second), field.name
        assert getattr(first, "dtype", None) == getattr(second, "dtype", None)
    assert [each.name for each in tmp_path.iterdir()] == ["predictions.npz"]


def test_that_a_score_at_its_threshold_counts_as_present() -> None:
    predictions = dataclasses.replace(
        make_predictions(2),
        scores=np.array([[0.5, 0.49], [0.25, 0.5]], np.float32),
        thresholds=np.array([0.5, 0.5]),
    )
    assert predictions.answers.tolist() == [[True, False], [False, True]]
    assert predictions.column("Blutplättchen") == 1
    with pytest.raises(KeyError, match="platelet"):
        predictions.column("platelet")


def test_that_arrays_that_do_not_fit_together_are_refused() -> None:
    with pytest.raises(ValueError, match="truth has shape"):
        dataclasses.replace(make_predictions(3), truth=np.zeros((2, 2), np.bool_))


@pytest.mark.parametrize("damage", ["cut", "text", "pickle", "part", "newer"])
def test_that_a_damaged_file_is_told(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "predictions.npz"
    write_predictions(path, make_predictions())
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:200])
    elif damage == "text":
        path.write_text("no archive")
    elif damage == "pickle":
        np.savez(path, format=np.array([object()], object))
    elif damage == "part":
        np.savez(path, format=np.int64(1))
    else:
        np.savez(path, format=np.int64(99))
    with pytest.raises(UserError, match=r"damaged|another version") as caught:
        read_predictions(path)
    assert "Evaluate" in caught.value.hint


def test_that_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="does not exist"):
        read_predictions(tmp_path / "predictions.npz")
