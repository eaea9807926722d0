"""Fields of different magnification, brought to one pixel size."""

import dataclasses

import cv2
import numpy as np
import pytest

from synthstudio.core.imaging import ImageArray
from synthstudio.core.patches.bank import PatchBank, build_patch_bank
from synthstudio.core.patches.plates import add_plates
from synthstudio.core.patches.windows import class_sizes
from synthstudio.core.synthesis.composer import Composer
from synthstudio.core.synthesis.distributions import describe_annotations
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import ClassId, FovId
from synthstudio.domain.records import Annotation, Box, FieldOfView, ObjectClass
from synthstudio.domain.scale import WorkingScale
from synthstudio.settings.compose import CompositionSettings, PatchAugmentation, PatchSettings
from tests.support.cells import Cells, make_cells

UM_PER_PX = 0.2
COARSE = PatchSettings(um_per_px=2 * UM_PER_PX)


def magnified(cells: Cells) -> Cells:
    """The same specimens, each second one taken with twice the magnification; boxes instead of centres."""
    sizes = {item.id: item.size_px or 0.0 for item in cells.classes}
    fovs: list[FieldOfView] = []
    images: dict[FovId, ImageArray] = {}
    annotations: list[Annotation] = []
    for number, fov in enumerate(cells.fovs):
        times = 2 if number % 2 else 1
        image = cells.images[fov.id]
        images[fov.id] = np.asarray(
            cv2.resize(image, None, fx=times, fy=times, interpolation=cv2.INTER_CUBIC), np.uint8
        )
        fovs.append(
            dataclasses.replace(
                fov, width=times * fov.width, height=times * fov.height, um_per_px=2 * UM_PER_PX / times
            )
        )
        for mark in cells.annotations:
            if mark.fov_id == fov.id:
                x, y, half = mark.x * times, mark.y * times, sizes[mark.class_id] * times / 2
                box = Box(x - half, y - half, x + half, y + half)
                annotations.append(dataclasses.replace(mark, x=x, y=y, box=box, size_px=None))
    return Cells(fovs, annotations, [dataclasses.replace(item, size_px=None) for item in cells.classes], images)


def build(cells: Cells, settings: PatchSettings) -> PatchBank:
    return build_patch_bank(cells.fovs, cells.annotations, cells.classes, settings=settings, read=cells.read)


def in_um(item: ObjectClass, size_um: float) -> ObjectClass:
    return dataclasses.replace(item, size_um=size_um)


@pytest.mark.parametrize("window", ["class_size", "own_box"])
def test_that_patches_of_both_magnifications_are_those_of_one(window: str) -> None:
    cells = make_cells(n_fovs=4)
    plain = build(cells, PatchSettings())
    mixed = build(magnified(cells), COARSE.model_copy(update={"window": window}))
    assert [patch.annotation_id for patch in mixed.patches] == [patch.annotation_id for patch in plain.patches]
    for number, (one, other) in enumerate(zip(plain.patches, mixed.patches, strict=True)):
        assert (other.width, other.height) == pytest.approx((one.width, one.height), abs=0.01)
        difference = np.abs(mixed.crop(number).astype(int) - plain.crop(number).astype(int))
        assert difference.mean() < 4, "enlarged and reduced again, it is the same picture but for the resampling"


def test_that_without_a_pixel_size_the_magnified_ones_stay_larger() -> None:
    mixed = build(magnified(make_cells(n_fovs=4)), PatchSettings(window="own_box"))
    widths: dict[ClassId, set[int]] = {}
    for patch in mixed.patches:
        widths.setdefault(patch.class_id, set()).add(round(patch.width))
    assert all(max(each) == 2 * min(each) for each in widths.values())


def test_that_composites_keep_the_true_proportions() -> None:
    mixed = build(magnified(make_cells(n_fovs=4)), COARSE)
    still = PatchAugmentation(size_jitter=0, scale_jitter=0)
    composer = Composer(mixed, CompositionSettings(canvas_px=200, patch=still, overhang=0), seed=1)
    sizes: dict[ClassId, set[int]] = {}
    for index in range(30):
        for item in composer.compose(index).objects:
            sizes.setdefault(item.class_id, set()).add(round(item.box.x1 - item.box.x0))
    assert len(sizes) == 3
    assert all(max(each) - min(each) <= 1 for each in sizes.values())


def test_that_plates_and_real_distributions_are_brought_to_it_too() -> None:
    cells = make_cells(n_fovs=4)
    mixed = magnified(cells)
    bank = add_plates(build(mixed, COARSE), mixed.fovs, mixed.annotations, settings=COARSE, read=mixed.read)
    assert {(plate.columns, plate.rows) for plate in bank.plates} == {(cells.fovs[0].width, cells.fovs[0].height)}
    by_fov = {fov.id: [mark for mark in mixed.annotations if mark.fov_id == fov.id] for fov in mixed.fovs}
    settings = CompositionSettings(canvas_px=100)
    found = describe_annotations(mixed.fovs, by_fov, mixed.classes, scale=bank.scale, settings=settings)
    plain = {fov.id: [mark for mark in cells.annotations if mark.fov_id == fov.id] for fov in cells.fovs}
    wanted = describe_annotations(cells.fovs, plain, cells.classes, scale=WorkingScale(), settings=settings)
    assert np.array_equal(found.counts, wanted.counts)
    assert np.allclose(found.sizes, wanted.sizes)


def test_that_sizes_in_micrometres_pixels_and_boxes_agree() -> None:
    cells = make_cells(n_fovs=4)
    mixed = magnified(cells)
    scale = WorkingScale(um_per_px=UM_PER_PX)
    measured = class_sizes(mixed.classes, mixed.annotations, mixed.fovs, scale=scale)
    stated_px = [2.0 * (item.size_px or 0.0) for item in cells.classes]
    assert measured == pytest.approx(stated_px)
    stated = [in_um(item, size * UM_PER_PX) for item, size in zip(mixed.classes, stated_px, strict=True)]
    assert class_sizes(stated, mixed.annotations, mixed.fovs, scale=scale) == pytest.approx(stated_px)


def test_that_a_field_without_calibration_is_named() -> None:
    cells = magnified(make_cells(n_fovs=2))
    cells.fovs[1] = dataclasses.replace(cells.fovs[1], um_per_px=None)
    with pytest.raises(UserError, match=r"fov 2 is not calibrated") as caught:
        build(cells, COARSE)
    assert "Calibrate" in caught.value.hint


def test_that_a_calibration_that_cannot_be_right_is_named() -> None:
    cells = magnified(make_cells(n_fovs=2))
    with pytest.raises(UserError, match=r"fov 1 has 0.4 µm/px: .* resized 20 times"):
        build(cells, PatchSettings(um_per_px=0.02))


def test_that_the_pixel_size_of_composites_is_known() -> None:
    assert WorkingScale(0.5).pixel_size(0.2) == pytest.approx(0.4)
    assert WorkingScale(0.5).pixel_size(None) is None
    assert WorkingScale.choose(factor=0.5, um_per_px=0.3).pixel_size(None) == 0.3
