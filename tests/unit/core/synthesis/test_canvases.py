"""Canvases made of real images: nothing lies on them, and whole fields of any shape can be made."""

from __future__ import annotations

import dataclasses
import re

import cv2
import numpy as np
import pytest

from synthstudio.core.patches.background import WHITE
from synthstudio.core.patches.bank import PatchBank
from synthstudio.core.patches.plates import MAX_SIDE_PX, add_plates, plan_plates
from synthstudio.core.synthesis.canvases import SIDE_STEP_PX
from synthstudio.core.synthesis.composer import Composer
from synthstudio.core.synthesis.manifest import bank_digest
from synthstudio.domain.errors import UserError
from synthstudio.domain.scale import WorkingScale
from synthstudio.settings.compose import CompositionSettings, ImageAugmentation, PatchSettings
from tests.support.cells import Cells, make_bank, make_cells, make_fov

PLAIN_IMAGE = ImageAugmentation(brightness=0, contrast=0, blur_px=0, noise=0, jpeg=0, flip=False)
EMPTY = {"n_objects_min": 0, "n_objects_max": 1, "class_presence": 0.05, "image": PLAIN_IMAGE}


def add_empty_fov(cells: Cells) -> Cells:
    """The same with one more FOV, on which nothing lies but one object that nobody clicked."""
    fov = make_fov(len(cells.fovs) + 1)
    image = cells.images[cells.fovs[0].id].copy()
    background = np.array([215, 210, 205], np.float32) * np.linspace(1.04, 0.96, fov.width)[None, :, None]
    image[:] = np.clip(np.rint(background + np.random.default_rng(3).normal(0, 2, image.shape)), 0, 255)
    cv2.circle(image, (40, 40), 15, (90, 60, 160), -1, cv2.LINE_AA)
    return dataclasses.replace(cells, fovs=[*cells.fovs, fov], images={**cells.images, fov.id: image})


def plated(cells: Cells) -> PatchBank:
    return add_plates(make_bank(cells), cells.fovs, cells.annotations, settings=PatchSettings(), read=cells.read)


@pytest.fixture(scope="module")
def bank() -> PatchBank:
    return plated(add_empty_fov(make_cells()))


def test_that_everything_is_taken_out_of_a_plate_clicked_or_not(bank: PatchBank) -> None:
    assert len(bank.plates) == 4
    for number in range(len(bank.plates)):
        pixels = bank.plate_pixels(number)
        assert pixels.shape == (240, 320, 4)
        smooth = cv2.GaussianBlur(pixels[..., :3], (0, 0), 2.0).astype(int)
        assert np.abs(smooth - WHITE).max() < 14  # the discs differ by 60 and more
        assert 0.1 < (pixels[..., 3] > 0).mean() < 1.0
    unclicked = bank.plate_pixels(3)[..., 3]
    assert not unclicked[30:50, 30:50].any()
    assert unclicked[150:, 200:].all()


def test_that_what_was_taken_out_is_as_noisy_as_the_rest(bank: PatchBank) -> None:
    for number in range(len(bank.plates)):
        pixels = bank.plate_pixels(number)
        fine = pixels[..., :3].astype(np.float32)
        fine -= cv2.blur(fine, (5, 5))
        kept = cv2.erode(pixels[..., 3], np.ones((7, 7), np.uint8)) > 0
        filled = cv2.erode(255 - pixels[..., 3], np.ones((7, 7), np.uint8)) > 0
        assert fine[filled].std() == pytest.approx(fine[kept].std(), rel=0.25)


def test_that_patches_stay_where_plates_are_added(bank: PatchBank) -> None:
    bare = make_bank()
    for number in range(len(bare.patches)):
        assert np.array_equal(bare.padded_crop(number), bank.padded_crop(number))
    assert bank_digest(bare) != bank_digest(bank)


@pytest.mark.parametrize("canvas", ["emptied", "empty_region"])
@pytest.mark.parametrize("render", ["continuous", "cached"])
def test_that_an_image_on_a_real_canvas_depends_on_its_index_alone(bank: PatchBank, canvas: str, render: str) -> None:
    chosen = CompositionSettings(canvas_px=96, n_objects_max=6).model_copy(update={"canvas": canvas, "render": render})
    expected, _ = Composer(bank, chosen, seed=2).compose_batch(range(12))
    other = Composer(bank, chosen, seed=2)
    for index in (9, 1, 9, 0):
        assert np.array_equal(other.compose(index).image, expected[index])


@pytest.mark.parametrize("canvas", ["emptied", "empty_region"])
def test_that_an_empty_canvas_looks_like_the_background_of_its_field(bank: PatchBank, canvas: str) -> None:
    cells = add_empty_fov(make_cells())
    chosen = CompositionSettings.model_validate({**EMPTY, "canvas_px": 96, "canvas": canvas})
    composer = Composer(bank, chosen, seed=5)
    empty = [made for made in map(composer.compose, range(60)) if not made.objects]
    assert len(empty) > 5
    for made in empty:
        assert made.canvas_fov_id is not None
        colors = np.median(cells.images[made.canvas_fov_id].reshape(-1, 3), axis=0)
        assert np.abs(made.image.reshape(-1, 3).mean(axis=0) - colors).max() < 14
        assert np.abs(cv2.GaussianBlur(made.image, (0, 0), 2.0).astype(int) - colors).max() < 30
        if canvas == "empty_region":
            assert made.canvas_fov_id == 4  # only there is room


def test_that_a_canvas_larger_than_the_field_is_filled() -> None:
    cells = make_cells()
    chosen = CompositionSettings.model_validate({**EMPTY, "canvas_px": 700, "canvas": "emptied"})
    image = Composer(plated(cells), chosen, seed=1).compose(3).image
    assert image.shape == (700, 700, 3)
    assert image.min() > 100


def test_that_a_missing_empty_region_is_said() -> None:
    bank = plated(make_cells())
    chosen = CompositionSettings(canvas="empty_region", canvas_px=300)
    with pytest.raises(UserError, match="No training image has an empty region of 300 x 300 px") as caught:
        Composer(bank, chosen, seed=0)
    found = re.match(r"Choose a canvas of at most (\d+) px, import images", caught.value.hint)
    assert found is not None
    largest = int(found[1])
    Composer(bank, CompositionSettings(canvas="empty_region", canvas_px=largest), seed=0)
    with pytest.raises(UserError):
        Composer(bank, CompositionSettings(canvas="empty_region", canvas_px=largest + SIDE_STEP_PX), seed=0)


def test_that_many_large_fields_give_few_plates_of_their_middles() -> None:
    frames = plan_plates([make_fov(number, width=4072, height=3072) for number in range(1, 101)], scale=WorkingScale())
    assert 2 <= len(frames) <= 10
    assert {(frame.width, frame.height) for frame in frames} == {(MAX_SIDE_PX, MAX_SIDE_PX)}
    assert (frames[0].left, frames[0].top) == ((4072 - MAX_SIDE_PX) // 2, (3072 - MAX_SIDE_PX) // 2)
    assert len({frame.fov.id for frame in frames}) == len(frames)


@pytest.mark.parametrize("canvas", ["matched", "emptied", "black"])
def test_that_an_image_need_not_be_a_square(bank: PatchBank, canvas: str) -> None:
    chosen = CompositionSettings(
        canvas_px=220, canvas_height_px=100, n_objects_min=10, n_objects_max=20, image=ImageAugmentation(vignette=0.3)
    ).model_copy(update={"canvas": canvas})
    composer = Composer(bank, chosen, seed=3)
    reached = np.zeros(2)
    for index in range(30):
        composite = composer.compose(index)
        assert composite.image.shape == (100, 220, 3)
        for item in composite.objects:
            assert 0 <= item.box.x0 < item.box.x1 <= 220
            assert 0 <= item.box.y0 < item.box.y1 <= 100
            reached = np.maximum(reached, (item.box.x1, item.box.y1))
    assert reached.tolist() == [220, 100]


def test_that_a_whole_field_of_the_paper_can_be_made(bank: PatchBank) -> None:
    chosen = CompositionSettings(canvas_px=4072, canvas_height_px=3072, n_objects_min=1500, n_objects_max=1500)
    composite = Composer(bank, chosen, seed=0).compose(0)
    assert composite.image.shape == (3072, 4072, 3)
    assert len(composite.objects) > 1400
