from __future__ import annotations

import cv2
import numpy as np
import pytest

from synthstudio.core.imaging import ImageArray, encode_jpeg
from synthstudio.core.patches.background import WHITE, estimate_background, even_out, synthesize_noise
from synthstudio.core.patches.texture import SQUARE_PX, cut_texture, lay_texture, leave_out_strays, measure_grain
from synthstudio.core.patches.turning import find_sharpening, sharpened
from tests.support.cells import make_cells


def camera_file(image: ImageArray) -> ImageArray:
    """What a camera that writes JPEG would have kept of an image."""
    decoded = cv2.imdecode(np.frombuffer(encode_jpeg(image, 90), np.uint8), cv2.IMREAD_COLOR)
    return np.ascontiguousarray(np.asarray(decoded, np.uint8)[..., ::-1])


def field_of_a_camera() -> ImageArray:
    cells = make_cells(noise=2.0)
    return camera_file(cells.images[cells.fovs[0].id])


def turned(image: ImageArray) -> ImageArray:
    matrix = cv2.getRotationMatrix2D((image.shape[1] / 2, image.shape[0] / 2), 33.0, 1.0)
    return np.asarray(cv2.warpAffine(image, matrix, image.shape[1::-1], borderMode=cv2.BORDER_REFLECT_101), np.uint8)


@pytest.mark.parametrize("is_jpeg", [True, False])
def test_that_a_canvas_has_the_grain_of_its_field(is_jpeg: bool) -> None:
    empty = np.random.default_rng(0).normal(WHITE, 2.0, (256, 256, 3)).round().astype(np.uint8)
    field = camera_file(empty) if is_jpeg else empty
    noise = synthesize_noise([estimate_background(field)], 256, 256, stream=np.random.default_rng(1), level=WHITE)
    canvas = np.clip(np.rint(WHITE + noise), 0, 255).astype(np.uint8)
    assert measure_grain(canvas) == pytest.approx(measure_grain(field), rel=0.1)


@pytest.mark.parametrize("is_jpeg", [True, False])
def test_that_a_turned_patch_has_the_grain_of_its_field(is_jpeg: bool) -> None:
    drawn = make_cells(noise=2.0).images
    field = next(iter(drawn.values()))
    field = camera_file(field) if is_jpeg else field
    share = find_sharpening(field, np.ones(3, np.float32))
    true, blurred = measure_grain(field)[0], measure_grain(turned(field))[0]
    assert abs(measure_grain(turned(sharpened(field, share)))[0] - true) < 0.5 * abs(blurred - true)


@pytest.mark.parametrize("spread", [1.0, 1.5])
def test_that_a_turned_dark_field_patch_has_the_grain_of_its_field(spread: float) -> None:
    noise = np.random.default_rng(0).normal(20.0, spread, (256, 256, 3))
    field = np.rint(noise).clip(0, 255).astype(np.uint8)
    background = estimate_background(field, is_transmitted=False)
    evened = even_out(field, background, is_transmitted=False)
    assert measure_grain(turned(sharpened(evened, background.sharpening)))[0] == pytest.approx(
        measure_grain(field)[0], rel=0.05
    )


def test_that_a_field_without_grain_is_not_sharpened() -> None:
    assert find_sharpening(np.full((200, 200, 3), 180, np.uint8), np.ones(3, np.float32)) == 0.0


def test_that_a_hard_edge_gets_no_halo() -> None:
    field = np.full((64, 64, 3), 200, np.uint8)
    field[:, 32:] = 60
    assert sharpened(field, 1.0).min() >= 52
    assert sharpened(field, 1.0).max() <= 208


def test_that_squares_of_texture_hold_no_object() -> None:
    texture = estimate_background(field_of_a_camera()).texture
    assert len(texture)
    assert np.abs(texture.astype(int)).max() < 15  # the discs are darker by 80 and more


def test_that_small_squares_are_joined_where_there_is_no_room_for_large_ones() -> None:
    inside = np.zeros((128, 128), np.bool_)
    inside[:16], inside[64:80] = True, True
    view = np.full((128, 128, 3), 100.0, np.float32)
    view[:8] = 102.0
    texture = cut_texture(view, inside)
    assert texture.shape == (4, SQUARE_PX, SQUARE_PX, 3)
    assert set(np.unique(texture)) == {-1, 0, 1}


def test_that_noise_is_made_up_where_objects_leave_no_room() -> None:
    crowded = np.full((120, 120, 3), 200, np.uint8)
    crowded[(np.indices((120, 120)) % 12 < 3).any(axis=0)] = 90
    background = estimate_background(crowded)
    assert not len(background.texture)
    noise = synthesize_noise([background], 64, 80, stream=np.random.default_rng(0), level=WHITE)
    assert noise.shape == (64, 80, 3)


def test_that_laid_texture_is_the_same_for_the_same_draw() -> None:
    squares = np.random.default_rng(0).integers(-5, 6, (3, SQUARE_PX, SQUARE_PX, 3)).astype(np.int8)
    first, second = (lay_texture(squares, 100, 70, stream=np.random.default_rng(5)) for _ in range(2))
    assert first.shape == (100, 70, 3)
    assert np.array_equal(first, second)


def test_that_a_square_with_the_rim_of_an_object_is_left_out() -> None:
    squares = np.random.default_rng(0).normal(0.0, 3.0, (20, SQUARE_PX, SQUARE_PX, 3)).round().astype(np.int8)
    squares[7, :, 20:] -= 12
    assert np.array_equal(leave_out_strays(squares), np.delete(squares, 7, axis=0))


def test_that_squares_without_any_grain_all_stay() -> None:
    squares = np.zeros((4, SQUARE_PX, SQUARE_PX, 3), np.int8)
    squares[2, :8] = 1  # half a grey level more, rounded
    assert len(leave_out_strays(squares)) == len(squares)
