"""Objects are shown alone: their neighbours and the edge of their image change nothing."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from synthstudio.core.evaluation.lone_objects import cut_lone_object, lone_square
from synthstudio.core.imaging import ImageArray
from synthstudio.core.imaging.source import WholeSource
from synthstudio.domain.errors import UserError
from synthstudio.domain.records import Box

GROUND = (200, 190, 180)


def _with_ellipse(x: float, y: float, half: tuple[int, int], *, width: int = 120, height: int = 100) -> ImageArray:
    image = np.full((height, width, 3), GROUND, np.uint8)
    cv2.ellipse(image, (round(x), round(y)), half, 0, 0, 360, (60, 80, 120), -1)
    return image


def _cut(image: ImageArray, box: Box, side: int = 0) -> ImageArray:
    window = lone_square(box, width=image.shape[1], height=image.shape[0])
    return cut_lone_object(image, window, box, side=side or window.side, name="an image")


def test_that_a_neighbour_is_not_seen_and_the_object_is() -> None:
    alone = _with_ellipse(60, 50, (20, 8))
    crowded = alone.copy()
    crowded[65:80] = (20, 20, 20)  # a line beside it, in the square around it
    box = Box(39.5, 41.5, 81.5, 58.5)
    assert (_cut(crowded, box) == _cut(alone, box)).all()
    assert (_cut(alone, box)[26, 26] == (60, 80, 120)).all()
    changed = alone.copy()
    changed[48:53, 50:60] = (20, 20, 20)
    assert (_cut(changed, box) != _cut(alone, box)).any()


@pytest.mark.parametrize("x", [0, 5, 119], ids=["halved", "cut", "halved at the right"])
def test_that_an_object_that_the_edge_cuts_is_in_the_middle_and_goes_on_beyond(x: int) -> None:
    image = _with_ellipse(x, 50, (20, 20))
    inner = Box(max(x - 20, 0), 30, min(x + 21, 120), 71)
    window = lone_square(inner, width=120, height=100)
    assert window.x + window.side / 2 == pytest.approx(inner.center[0], abs=0.51)
    assert window.x < 0 or window.x + window.side > 120
    seen = cut_lone_object(image, window, inner, side=window.side, name="an image")
    assert seen.shape == (52, 52, 3)
    n_beyond = -window.x if window.x < 0 else window.x + window.side - 120
    beyond = seen[:, :n_beyond]  # the edge lies to the left, whichever it is
    assert (beyond.min(axis=(0, 2)) < 100).any()  # of the object, too


def test_that_an_object_looks_the_same_whichever_edge_cuts_it() -> None:
    left = _with_ellipse(0, 60, (9, 20), width=120, height=120)
    cv2.circle(left, (4, 50), 3, (20, 20, 20), -1)  # not symmetric
    boxes = (Box(0, 40, 10, 81), Box(39, 0, 80, 10), Box(110, 39, 120, 80), Box(40, 110, 81, 120))
    turned = [_cut(np.ascontiguousarray(np.rot90(left, -turns)), box) for turns, box in enumerate(boxes)]
    for each in turned[1:]:
        assert np.abs(each.astype(float) - turned[0]).mean() < 1.5  # of 255; a square may lie half a px aside
    whole = _with_ellipse(60, 60, (9, 20), width=120, height=120)
    seen = _cut(whole, Box(50, 39, 71, 81)), _cut(np.ascontiguousarray(np.rot90(whole)), Box(39, 49, 81, 70))
    assert np.abs(seen[0].astype(float) - seen[1]).mean() > 5  # one that nothing cuts is left as it lies


def test_that_a_source_is_read_as_an_array_is() -> None:
    rng = np.random.default_rng(1)
    image = cv2.GaussianBlur(rng.integers(0, 256, (100, 120, 3), dtype=np.uint8), (0, 0), 4)
    image = np.asarray(cv2.normalize(image, None, 0, 255, cv2.NORM_MINMAX), np.uint8)
    source = WholeSource(Path("an image"), image)
    for box in (Box(50, 40, 90, 60), Box(0, 0, 40, 30), Box(100, 80, 120, 100)):
        window = lone_square(box, width=120, height=100)
        whole = cut_lone_object(source, window, box, side=window.side, name="an image")
        assert (whole == _cut(image, box)).all()
        small = cut_lone_object(source, window, box, side=20, name="an image")
        assert np.abs(small.astype(float) - _cut(image, box, 20)).mean() < 6  # of 255; its edge may lie half a px aside


def test_that_a_box_beyond_the_image_shows_nothing_and_one_that_is_larger_all() -> None:
    image = _with_ellipse(60, 50, (20, 20))
    outside = _cut(image, Box(-90, 40, -60, 60))
    assert (outside == GROUND).all()
    huge = _cut(image, Box(0, 0, 120, 100))
    assert (huge == image[:, 10:110]).all()
    with pytest.raises(UserError, match="does not reach"):
        cut_lone_object(
            image, lone_square(Box(300, 40, 340, 60), width=400, height=100), Box(0, 0, 1, 1), side=20, name=""
        )
