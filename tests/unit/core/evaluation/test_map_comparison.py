from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from synthstudio.core.evaluation.map_comparison import compare_map_scores
from synthstudio.core.evaluation.map_scores import (
    CropMapScores,
    MapRow,
    collect_map_scores,
    pointing_cells,
    pointing_counts,
    read_map_scores,
    write_map_scores,
)
from synthstudio.domain.errors import UserError
from synthstudio.domain.records import CropSquare


def make(seed: int, *, skill: float, n_fovs: int = 30) -> CropMapScores:
    """The same crops for every seed; the maps hit an object on a share `skill` of them."""
    shared, own = np.random.default_rng(4), np.random.default_rng([seed, 3])
    rows = [
        MapRow(
            column,
            fov_id,
            100 + fov_id,
            hit=bool(own.random() < skill),
            energy=own.random() * skill,
            square=CropSquare(10 * fov_id, 5, 64),
            top=(10 * fov_id + 3, 20),
        )
        for column in range(2)
        for fov_id in range(n_fovs)
        for _ in range(int(shared.integers(0, 5)))
    ]
    rows.append(MapRow(1, n_fovs, 100 + n_fovs, hit=False, energy=None, square=CropSquare(0, 0, 64), top=(0, 0)))
    return collect_map_scores(("red cell", "platelet"), rows)


def test_that_map_scores_are_read_as_they_were_written(tmp_path: Path) -> None:
    written = make(0, skill=0.5)
    write_map_scores(tmp_path / "map-scores.npz", written)
    read = read_map_scores(tmp_path / "map-scores.npz")
    for field in dataclasses.fields(written):
        first, second = getattr(written, field.name), getattr(read, field.name)
        assert np.array_equal(first, second, equal_nan=field.name == "energies"), field.name


def test_that_a_file_of_an_earlier_version_is_read_without_places(tmp_path: Path) -> None:
    path = tmp_path / "map-scores.npz"
    write_map_scores(path, make(0, skill=0.5))
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files if name not in ("boxes", "tops")}
    np.savez(path, **arrays)
    read = read_map_scores(path)
    assert read.boxes is None
    assert read.tops is None
    assert compare_map_scores(read, make(0, skill=0.5), seed=0).per_class


def test_that_each_crop_of_a_class_is_counted_as_pointing_on_or_off_a_mark() -> None:
    scores = make(0, skill=0.5)
    cells = pointing_cells(scores, "platelet")
    counted = pointing_counts(cells)
    rows = scores.of_class("platelet")
    assert counted.totals.tolist() == [len(rows)]
    assert counted.counts.tolist() == [[int(scores.hits[rows].sum()), int((~scores.hits[rows]).sum())]]
    assert set(np.flatnonzero(cells.any(axis=(1, 2)))) == set(rows.tolist())


def test_that_a_file_that_names_unknown_classes_is_told(tmp_path: Path) -> None:
    path = tmp_path / "map-scores.npz"
    write_map_scores(path, make(0, skill=0.5))
    with np.load(path) as file:
        arrays = dict(file)
    np.savez(path, **{**arrays, "columns": arrays["columns"] + 2})
    with pytest.raises(UserError, match="damaged"):
        read_map_scores(path)


def test_that_maps_that_point_better_are_told_from_worse_ones() -> None:
    poor, good = make(1, skill=0.4), make(2, skill=0.9)
    compared = compare_map_scores(poor, good, seed=0)
    for column, each in enumerate(compared.per_class):
        rows = poor.columns == column
        assert each.pointing.first == pytest.approx(poor.hits[rows].mean())
        assert each.pointing.second == pytest.approx(good.hits[rows].mean())
        assert each.energy.first == pytest.approx(np.nanmean(poor.energies[rows]))
        assert each.pointing.ci95 is not None
        assert each.pointing.ci95[0] > 0
    assert compared.pointing.first == pytest.approx(np.mean([each.pointing.first for each in compared.per_class]))
    assert (compared.pointing.p or 1) < 0.01
    assert compared.is_reliable
    assert compared.n_groups == len(np.unique(poor.sample_ids))


def test_that_maps_do_not_differ_from_themselves_whatever_the_order_of_classes() -> None:
    scores = make(1, skill=0.4)
    turned = dataclasses.replace(scores, class_names=scores.class_names[::-1], columns=1 - scores.columns)
    compared = compare_map_scores(scores, turned, seed=0)
    assert compared.pointing.difference == 0
    assert compared.pointing.p == 1


def test_that_a_class_without_any_crop_is_undefined() -> None:
    scores = make(1, skill=0.4)
    wider = dataclasses.replace(scores, class_names=(*scores.class_names, "white cell"))
    compared = compare_map_scores(wider, wider, seed=0)
    assert compared.per_class[2].pointing.first is None
    assert compared.per_class[2].energy.p is None
    assert compared.pointing.first is not None


def test_that_maps_on_other_crops_are_refused() -> None:
    scores = make(1, skill=0.4)
    kept = scores.fov_ids != 3
    names = [field.name for field in dataclasses.fields(scores) if field.name != "class_names"]
    fewer = dataclasses.replace(scores, **{name: getattr(scores, name)[kept] for name in names})
    with pytest.raises(UserError, match="different crops"):
        compare_map_scores(scores, fewer, seed=0)
