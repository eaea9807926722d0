"""The export of a set by command has its instance masks where the format has a place for them."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from pycocotools.coco import COCO

from synthstudio.cli.main import main
from synthstudio.project import Project
from synthstudio.project.set_images import list_set_images, list_set_masks
from synthstudio.settings.compose import ComposeSettings
from tests.support.cell_projects import make_cell_project
from tests.support.sets import add_set

# pycocotools' decoding asks NumPy in a way of version 1.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

CROWDED = {"canvas_px": 96, "canvas_height_px": 128, "n_objects_min": 8, "n_objects_max": 16, "max_overlap": 0.7}
N_IMAGES = 8


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    made = make_cell_project(tmp_path / "study")
    for name, has_masks in (("masked", True), ("plain", False)):
        values = {"set_name": name, "count": N_IMAGES, "first_index": 3, "masks": has_masks, "composition": CROWDED}
        add_set(made, ComposeSettings.model_validate(values))
    yield made
    made.close()


def export(project: Project, name: str, out: Path) -> COCO:
    with contextlib.redirect_stdout(io.StringIO()):
        arguments = ["export", str(project.folder), str(out), "--format", "coco", "--set", name]
        assert main(arguments, open_app=lambda _: 1) == 0
        return COCO(str(out / "annotations" / "instances_train.json"))


def test_that_the_masks_of_all_labelled_objects_are_those_of_the_files(project: Project, tmp_path: Path) -> None:
    coco = export(project, "masked", tmp_path / "out")
    folder, n_objects, n_partly = project.set_folder("masked"), 0, 0
    lines = [json.loads(line) for line in (folder / "manifest.jsonl").read_text().splitlines()]
    for image_id, line in enumerate(lines, start=1):
        labels = cv2.imread(str(folder / line["mask"]), cv2.IMREAD_UNCHANGED)
        records = coco.loadAnns(coco.getAnnIds(imgIds=[image_id]))
        shown = [(number, item) for number, item in enumerate(line["objects"], start=1) if item["labelled"]]
        n_partly += len(shown) < len(line["objects"])
        for record, (number, item) in zip(records, shown, strict=True):
            np.testing.assert_array_equal(coco.annToMask(record), labels == number)
            assert record["area"] == np.count_nonzero(labels == number)
            x0, y0, x1, y1 = item["box"]
            assert record["bbox"] == [x0, y0, x1 - x0, y1 - y0]
            n_objects += 1
    assert n_objects == len(coco.anns) > 3 * N_IMAGES
    assert n_partly > 0  # artifacts have numbers in the mask, and no annotation


def test_that_both_sets_differ_in_the_masks_alone(project: Project, tmp_path: Path) -> None:
    masked, plain = (export(project, name, tmp_path / name) for name in ("masked", "plain"))
    assert list_set_masks(project, "plain") == {}
    for one, other in zip(masked.anns.values(), plain.anns.values(), strict=True):
        assert other["segmentation"] == []
        assert other["area"] == other["bbox"][2] * other["bbox"][3]
        assert {**one, "area": None, "segmentation": None} == {**other, "area": None, "segmentation": None}


def test_that_masks_name_the_annotations_of_the_listed_images(project: Project) -> None:
    fovs, annotations = list_set_images(project, "masked")
    masks = list_set_masks(project, "masked")
    assert list(masks) == [fov.id for fov in fovs]
    for fov in fovs:
        assert list(masks[fov.id].numbers) == [mark.id for mark in annotations[fov.id]]
        assert masks[fov.id].read().shape == (fov.height, fov.width) == (128, 96)
