"""Snapping a click to the object under it."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthstudio.core.fields.blobs import find_blob_center
from synthstudio.core.fields.simulator import SIMULATED_CLASSES, SimulatedFov, simulate_study
from synthstudio.core.imaging import ImageArray

SIZES = {each.name: each.size_px for each in SIMULATED_CLASSES}


@pytest.fixture(scope="module")
def fovs() -> list[SimulatedFov]:
    return list(simulate_study(4, 2, seed=5))


def disc(x: float, y: float, *, radius: float, ground: int = 220, ink: int = 120, side: int = 81) -> ImageArray:
    rows, columns = np.mgrid[0:side, 0:side]
    away = np.hypot(columns + 0.5 - x, rows + 0.5 - y)
    grey = ground + (ink - ground) * np.clip(radius + 0.5 - away, 0, 1)
    return np.repeat(grey[:, :, None], 3, axis=2).astype(np.uint8)


def snap(image: ImageArray, x: float, y: float, size_px: float) -> tuple[float, float] | None:
    height, width = image.shape[:2]
    left, top = max(math.floor(x - size_px), 0), max(math.floor(y - size_px), 0)
    right, bottom = min(math.ceil(x + size_px), width), min(math.ceil(y + size_px), height)
    found = find_blob_center(image[top:bottom, left:right], x - left, y - top, size_px=size_px)
    return None if found is None else (found[0] + left, found[1] + top)


@given(st.floats(30, 50), st.floats(30, 50), st.floats(0, 9), st.floats(0, 2 * math.pi), st.booleans())
def test_that_the_middle_of_a_disc_is_found_to_a_third_of_a_pixel(
    x: float, y: float, away: float, angle: float, is_dark: bool
) -> None:
    ground, ink = (220, 120) if is_dark else (20, 140)
    image = disc(x, y, radius=12, ground=ground, ink=ink)
    found = find_blob_center(image, x + away * math.cos(angle), y + away * math.sin(angle), size_px=24)
    assert found is not None
    assert math.hypot(found[0] - x, found[1] - y) < 0.34


def test_that_snapping_halves_the_distance_to_simulated_cells(fovs: list[SimulatedFov]) -> None:
    rng = np.random.default_rng(0)
    before, after = [], []
    for fov in fovs:
        for each in fov.objects:
            size, angle = SIZES[each.class_name], rng.uniform(0, 2 * math.pi)
            away = rng.uniform(0.1, 0.35) * size
            x, y = each.x + away * math.cos(angle), each.y + away * math.sin(angle)
            if each.class_name not in ("rbc", "yeast", "wbc") or not (0 <= x < 640 and 0 <= y < 480):
                continue
            found = snap(fov.image, x, y, size) or (x, y)
            before.append(away / size)
            after.append(math.hypot(found[0] - each.x, found[1] - each.y) / size)
    assert len(after) > 100
    assert np.median(after) < 0.5 * np.median(before)


def test_that_no_click_moves_farther_than_half_the_size(fovs: list[SimulatedFov]) -> None:
    rng = np.random.default_rng(1)
    for fov in fovs:
        for _ in range(60):
            x, y, size = rng.uniform(0, 640), rng.uniform(0, 480), rng.uniform(6, 70)
            found = snap(fov.image, x, y, size)
            assert found is None or math.hypot(found[0] - x, found[1] - y) <= size / 2


def test_that_clicks_on_empty_ground_stay_where_they_are(fovs: list[SimulatedFov]) -> None:
    rng = np.random.default_rng(2)
    n = 0
    for fov in fovs:
        for _ in range(60):
            x, y = rng.uniform(0, 640), rng.uniform(0, 480)
            if all(abs(x - o.x) > o.box.width / 2 + 14 or abs(y - o.y) > o.box.height / 2 + 14 for o in fov.objects):
                n += 1
                assert snap(fov.image, x, y, 28.0) is None
    assert n > 100


def test_that_a_neighbour_that_touches_does_not_pull_the_click_over() -> None:
    image = np.minimum(disc(30, 40, radius=10), disc(51, 40, radius=10))
    found = find_blob_center(image, 27, 42, size_px=20)
    assert found is not None
    assert found == pytest.approx((30, 40), abs=1.0)


def test_that_a_flat_image_has_no_blob() -> None:
    assert find_blob_center(np.full((40, 40, 3), 200, np.uint8), 20, 20, size_px=20) is None
    assert find_blob_center(np.full((1, 1, 3), 200, np.uint8), 0.5, 0.5, size_px=20) is None
