"""Instance masks in a COCO export, as pycocotools and torchvision read them."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import io
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from pycocotools import mask as coco_masks
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from torchvision.datasets import CocoDetection, wrap_dataset_for_transforms_v2

from synthstudio.core.annotations.readers import READERS
from synthstudio.core.export.datasets import ExportData, ExportResult
from synthstudio.core.export.run_lengths import encode_run_lengths
from synthstudio.core.export.writers import WRITERS
from synthstudio.core.imaging import encode_labels
from synthstudio.core.synthesis.instance_masks import InstanceMask
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import AnnotationId
from synthstudio.domain.records import Box
from tests.support.exports import CELL, DUST, HEIGHT, WIDTH, box_mark, build_data, write_fov

# pycocotools' decoding asks NumPy in a way of version 1.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

Labels = NDArray[np.uint16]

BOXES = (Box(0, 0, 30, 20), Box(10.25, 5.5, 40, 30), Box(60, 40, WIDTH, HEIGHT), Box(50, 10, 60, 20))
"""The last of them is hidden; the object with number 2 of the mask is no annotation."""
NUMBERS = (1, 3, 4, 5)


def make_labels() -> Labels:
    labels = np.zeros((HEIGHT, WIDTH), np.uint16)
    labels[:20, :30] = 1
    labels[5:12, 20:35] = 2
    labels[6:30, 10:22] = 3
    labels[40:, 60:] = 4
    return labels


def write_mask(path: Path, labels: Labels) -> InstanceMask:
    data = encode_labels(labels)
    path.write_bytes(data)
    numbers = {AnnotationId(place): number for place, number in enumerate(NUMBERS, start=1)}
    return InstanceMask(path, hashlib.sha256(data).hexdigest(), numbers)


def make_data(folder: Path, labels: Labels | None) -> ExportData:
    fov = write_fov(folder)
    classes = (CELL, DUST, CELL, CELL)
    marks = [
        dataclasses.replace(box_mark(box, object_class), id=AnnotationId(place))
        for place, (box, object_class) in enumerate(zip(BOXES, classes, strict=True), start=1)
    ]
    data = build_data(fov, *marks)
    masks = {} if labels is None else {fov.id: write_mask(folder / "mask.png", labels)}
    return dataclasses.replace(data, masks=masks)


def export(data: ExportData, out: Path) -> tuple[COCO, ExportResult]:
    result = WRITERS["coco"](data, out)
    with contextlib.redirect_stdout(io.StringIO()):
        return COCO(str(out / "annotations" / "instances_default.json")), result


def score(coco: COCO, kind: str) -> float:
    """Average precision of detections that are the truth itself."""
    found = [
        {"image_id": each["image_id"], "category_id": each["category_id"], "score": 1.0}
        | ({"bbox": each["bbox"]} if kind == "bbox" else {"segmentation": coco.annToRLE(each)})
        for each in coco.anns.values()
    ]
    with contextlib.redirect_stdout(io.StringIO()):
        scored = COCOeval(coco, coco.loadRes(found), kind)
        scored.evaluate()
        scored.accumulate()
        scored.summarize()
    return float(scored.stats[0])


@given(arrays(np.uint16, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.integers(0, 4)))
def test_that_run_lengths_are_those_of_coco(labels: Labels) -> None:
    numbers = [3, 1, 4, 2]
    for number, counts in zip(numbers, encode_run_lengths(labels, numbers), strict=True):
        height, width = labels.shape
        decoded = coco_masks.decode(coco_masks.frPyObjects({"size": [height, width], "counts": counts}, height, width))
        np.testing.assert_array_equal(decoded, labels == number)
        assert sum(counts) == labels.size
        assert sum(counts[1::2]) == (labels == number).sum()
        assert all(length > 0 for length in counts[1:])
        assert all(type(length) is int for length in counts)


def test_that_each_object_has_its_own_pixels_and_area(tmp_path: Path) -> None:
    labels = make_labels()
    coco, _ = export(make_data(tmp_path / "in", labels), tmp_path / "out")
    for record, number in zip(coco.anns.values(), NUMBERS, strict=True):
        np.testing.assert_array_equal(coco.annToMask(record), labels == number)
        assert record["area"] == (labels == number).sum()
    assert coco.anns[1]["area"] == 30 * 20 - 7 * 10 - (14 * 12 - 6 * 2)  # what lies upon it is not its own


def test_that_masks_change_nothing_else(tmp_path: Path) -> None:
    written = []
    for name, labels in (("with", make_labels()), ("without", None)):
        export(make_data(tmp_path / name, labels), tmp_path / f"{name} out")
        document = json.loads((tmp_path / f"{name} out" / "annotations" / "instances_default.json").read_text("utf-8"))
        for record in document["annotations"]:
            assert record.pop("segmentation") == [] or name == "with"
            del record["area"]
        written.append((document, READERS["coco"](tmp_path / f"{name} out")))
    assert written[0][0] == written[1][0]
    assert written[0][1].problems == ()
    marks = [plan.fovs[0].annotations for _, plan in written]
    assert marks[0] == marks[1]
    assert tuple(mark.box for mark in marks[0]) == BOXES


def test_that_a_hidden_object_keeps_its_box_and_can_be_left_out_by_its_area(tmp_path: Path) -> None:
    coco, result = export(make_data(tmp_path / "in", make_labels()), tmp_path / "out")
    hidden = coco.anns[4]
    assert (hidden["bbox"], hidden["area"]) == ([50, 10, 10, 10], 0)
    assert not coco.annToMask(hidden).any()
    assert coco.getAnnIds(areaRng=[0, float("inf")]) == [1, 2, 3]
    assert result.notes == (
        "1 object lies wholly behind others: box and class are kept, with an empty mask of area 0.",
    )
    assert score(coco, "bbox") == pytest.approx(1.0)
    assert 0.0 < score(coco, "segm") <= 1.0


def test_that_torchvision_gives_the_masks(tmp_path: Path) -> None:
    labels = make_labels()
    export(make_data(tmp_path / "in", labels), tmp_path / "out")
    with contextlib.redirect_stdout(io.StringIO()):
        files = CocoDetection(str(tmp_path / "out" / "images"), str(next((tmp_path / "out").rglob("*.json"))))
    _, target = wrap_dataset_for_transforms_v2(files, target_keys=("boxes", "labels", "masks"))[0]
    np.testing.assert_array_equal(target["masks"].numpy(), np.stack([labels == number for number in NUMBERS]))
    assert target["boxes"].shape == (4, 4)


def test_that_boxes_without_masks_are_opened_chosen_by_area_and_scored(tmp_path: Path) -> None:
    coco, result = export(make_data(tmp_path / "in", None), tmp_path / "out")
    assert [record["segmentation"] for record in coco.anns.values()] == [[]] * 4
    assert coco.getAnnIds(areaRng=[99, 700]) == [1, 4]
    assert score(coco, "bbox") == pytest.approx(1.0)
    assert result.notes == ()
    with contextlib.redirect_stdout(io.StringIO()):
        files = CocoDetection(str(tmp_path / "out" / "images"), str(next((tmp_path / "out").rglob("*.json"))))
    _, target = wrap_dataset_for_transforms_v2(files)[0]
    assert target["boxes"].shape == (4, 4)


@pytest.mark.parametrize("damage", ["changed", "gone", "no mask", "other size"])
def test_that_a_mask_that_is_not_that_of_the_image_is_refused_and_nothing_is_left(tmp_path: Path, damage: str) -> None:
    data = make_data(tmp_path / "in", make_labels())
    ((fov_id, mask),) = data.masks.items()
    match damage:
        case "changed":
            mask.path.write_bytes(encode_labels(make_labels()[::-1].copy()))
        case "gone":
            mask.path.unlink()
        case "no mask":
            mask.path.write_bytes(b"text")
            mask = dataclasses.replace(mask, sha256=hashlib.sha256(b"text").hexdigest())
        case "other size":
            mask = write_mask(mask.path, make_labels()[:-1].copy())
    with pytest.raises(UserError, match=r"mask\.png"):
        WRITERS["coco"](dataclasses.replace(data, masks={fov_id: mask}), tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["in"]
