import cv2
import numpy as np
import pytest

from synthstudio.core.explanation.maps import cam_range, mass_range, upsample_cam
from synthstudio.core.explanation.overlay import blend_overlay, cam_overlay


def test_that_upsampling_by_a_whole_number_equals_bilinear_resizing() -> None:
    cam = np.random.default_rng(0).normal(size=(5, 7)).astype(np.float32)
    expected = cv2.resize(cam, (56, 40), interpolation=cv2.INTER_LINEAR)
    assert upsample_cam(cam, stride=8, width=56, height=40) == pytest.approx(expected, abs=1e-4)


def test_that_the_middle_of_a_cell_lies_where_its_value_belongs() -> None:
    cam = np.zeros((4, 4), np.float32)
    cam[2, 1] = 1.0
    pixels = upsample_cam(cam, stride=7, width=28, height=28)
    assert np.unravel_index(pixels.argmax(), pixels.shape) == (17, 10)


def test_that_a_map_without_evidence_is_transparent() -> None:
    picture = cam_overlay(np.full((3, 3), -2.0, np.float32), vmin=0.0, vmax=5.0)
    assert (picture[..., 3] == 0).all()


def test_that_the_scale_is_fixed_and_not_that_of_the_map() -> None:
    weak = cam_overlay(np.full((2, 2), 1.0, np.float32), vmin=0.0, vmax=10.0)
    strong = cam_overlay(np.full((2, 2), 10.0, np.float32), vmin=0.0, vmax=10.0, opacity=0.6)
    assert weak[0, 0, 3] < strong[0, 0, 3] == 153


def test_that_a_threshold_hides_weaker_evidence() -> None:
    picture = cam_overlay(np.array([[1.0, 8.0]], np.float32), vmin=0.0, vmax=10.0, threshold=0.5)
    assert picture[0, 0, 3] == 0 < picture[0, 1, 3]


def test_that_the_colour_of_a_class_can_be_used() -> None:
    picture = cam_overlay(np.ones((1, 1), np.float32), vmin=0.0, vmax=1.0, color=(1, 2, 3), opacity=1.0)
    assert picture[0, 0].tolist() == [1, 2, 3, 255]
    image = np.full((1, 1, 3), 200, np.uint8)
    assert blend_overlay(image, picture)[0, 0].tolist() == [1, 2, 3]


def test_that_the_range_starts_at_no_evidence() -> None:
    assert cam_range([np.array([[-5.0, -1.0]], np.float32)]) == (0.0, 1.0)
    low, high = cam_range([np.linspace(-1, 2, 301, dtype=np.float32)[None]])
    assert low == 0.0
    assert high == pytest.approx(2.0, abs=0.05)


def test_that_the_scale_of_a_map_with_few_hot_cells_ends_among_them() -> None:
    cam = np.full((50, 50), 0.001, np.float32)
    cam[10, 10:15] = [40.0, 50.0, 60.0, 70.0, 80.0]
    low, high = mass_range([cam, -cam])
    assert low == 0.0
    assert 50.0 <= high <= 70.0
    assert cam_range([cam], quantile=0.98)[1] < 1.0
    assert mass_range([-cam]) == (0.0, 1.0)
