import json
from pathlib import Path

import numpy as np
import pytest

from synthstudio.core.explanation.boxes import boxes_from_cam, boxes_to_csv
from synthstudio.core.explanation.contours import contour_segments
from synthstudio.core.explanation.records import read_explanation
from synthstudio.core.explanation.sanity import rank_correlation
from synthstudio.domain.records import Box


def _disc(side: int, x: float, y: float, radius: float) -> np.ndarray:
    """Distance from the edge of a disc, positive inside; in cells."""
    rows, columns = np.mgrid[:side, :side] + 0.5
    return (radius - np.hypot(columns - x, rows - y)).astype(np.float32)


def test_that_a_contour_lies_where_the_map_crosses_the_level() -> None:
    segments = contour_segments(_disc(40, 20, 18, 9.0), level=0.0, px_per_cell=8.0)
    ends = np.concatenate([segments[:, :2], segments[:, 2:]]) / 8.0
    assert np.hypot(ends[:, 0] - 20, ends[:, 1] - 18) == pytest.approx(9.0, abs=0.05)


def test_that_every_line_is_closed_also_at_the_edge_and_between_two_touching_parts() -> None:
    cam = np.random.default_rng(0).normal(size=(12, 17)).astype(np.float32)
    segments = contour_segments(cam, level=0.0)
    ends = np.round(np.concatenate([segments[:, :2], segments[:, 2:]]), 6)
    _, times = np.unique(ends, axis=0, return_counts=True)
    assert (times % 2 == 0).all()


def test_that_a_map_wholly_above_or_below_the_level_has_no_line_inside() -> None:
    assert len(contour_segments(np.zeros((4, 4), np.float32), level=1.0)) == 0
    framed = contour_segments(np.ones((4, 4), np.float32), level=0.5)
    assert ((framed <= 0.51) | (framed >= 3.49)).any(axis=1).all()


def test_that_each_part_above_the_threshold_gets_the_box_round_all_of_it() -> None:
    cam = np.maximum(_disc(40, 10, 10, 5.0), 2 * _disc(40, 30, 25, 3.0))
    first, second = boxes_from_cam(cam, threshold=0.0, stride_px=8.0, size_px=60.0, width=320, height=320)
    assert (first.box.x0, first.box.x1) == pytest.approx((27 * 8, 33 * 8), abs=6)
    assert (second.box.y0, second.box.y1) == pytest.approx((5 * 8, 15 * 8), abs=6)
    assert first.score > second.score


def test_that_specks_and_what_lies_beyond_the_image_make_no_box() -> None:
    cam = np.full((10, 10), -1.0, np.float32)
    cam[2, 2] = cam[9, 9] = 5.0
    assert boxes_from_cam(cam, threshold=0.0, stride_px=8.0, size_px=200.0, width=80, height=80) == ()
    (only,) = boxes_from_cam(cam, threshold=0.0, stride_px=8.0, size_px=10.0, width=70, height=70)
    assert only.box.x1 < 40


def test_that_boxes_are_written_as_a_table() -> None:
    found = boxes_from_cam(_disc(10, 5, 5, 2.0), threshold=0.0, stride_px=2.0, size_px=4.0, width=20, height=20)
    head, row, end = boxes_to_csv(found, image="a,b.png", class_name="RBC").decode().split("\n")
    assert head == "image,class,x0,y0,x1,y1,score"
    assert row.startswith('"a,b.png",RBC,')
    assert end == ""
    assert isinstance(found[0].box, Box)


def test_that_only_the_order_of_values_counts_when_maps_are_compared() -> None:
    cam = np.random.default_rng(1).normal(size=(9, 9)).astype(np.float32)
    assert rank_correlation(cam, np.exp(cam)) == pytest.approx(1.0)
    assert rank_correlation(cam, -cam) == pytest.approx(-1.0)
    assert rank_correlation(cam, np.zeros((9, 9), np.float32)) is None
    with pytest.raises(ValueError, match="not of one image"):
        rank_correlation(cam, cam[:4])


def test_that_what_an_earlier_version_explained_is_still_read(tmp_path: Path) -> None:
    np.save(tmp_path / "cams.npy", np.ones((1, 2, 3), np.float16))
    known = {"name": "a", "size_px": 9, "threshold": 0, "cam_low": 0, "cam_high": 1, "peaks": [], "overlay": "1-a.png"}
    record = {"run": "r", "fov_id": 1, "fov_name": "f", "width": 9, "height": 9, "stride_px": 4, "classes": [known]}
    (tmp_path / "explanation.json").write_text(json.dumps(record))
    explanation, cams = read_explanation(tmp_path)
    assert (explanation.method, explanation.layer) == ("cam", "")
    assert explanation.classes[0].random_correlation is None
    assert cams.dtype == np.float32
