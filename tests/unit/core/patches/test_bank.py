"""The patch bank: what is cut, how large, and what stays out."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import tifffile

from synthstudio.core.imaging import ImageSource, open_image_source
from synthstudio.core.patches.background import estimate_background
from synthstudio.core.patches.bank import build_patch_bank, scaled
from synthstudio.core.patches.texture import EDGE
from synthstudio.core.synthesis.composer import Composer
from synthstudio.core.synthesis.manifest import bank_digest
from synthstudio.domain.errors import Cancelled, UserError
from synthstudio.domain.ids import AnnotationId
from synthstudio.domain.records import Annotation, Box, FieldOfView
from synthstudio.settings.compose import CompositionSettings, PatchSettings
from tests.support.cells import SIDES_PX, make_bank, make_cells


def test_that_every_annotation_gives_a_patch_of_its_class_size() -> None:
    bank = make_bank()
    assert bank.count_by_class() == {1: 9, 2: 9, 3: 9}
    assert all(patch.width == patch.height == SIDES_PX[patch.class_id] for patch in bank.patches)
    assert bank.n_left_out == 0


def test_that_a_patch_is_centred_on_its_click() -> None:
    cells = make_cells(noise=0.0)
    bank = make_bank(cells)
    large = next(number for number, patch in enumerate(bank.patches) if patch.class_id == 2)
    crop, patch = bank.crop(large), bank.patches[large]
    dark = crop[..., 1] < 120
    rows, columns = np.nonzero(dark)
    assert abs(columns.mean() + 0.5 - patch.center[0]) < 1.5
    assert abs(rows.mean() + 0.5 - patch.center[1]) < 1.5


def test_that_the_working_scale_shrinks_patches_and_pixels() -> None:
    bank = make_bank(settings=PatchSettings(scale=0.5))
    assert all(patch.width == SIDES_PX[patch.class_id] / 2 for patch in bank.patches)
    assert bank.pixels.nbytes < make_bank().pixels.nbytes / 3
    assert scaled(np.zeros((240, 320, 3), np.uint8), 0.5).shape == (120, 160, 3)


def test_that_boxes_measure_a_class_without_a_size() -> None:
    cells = make_cells(boxes=True)
    nameless = [dataclasses.replace(item, size_px=None) for item in cells.classes]
    bank = make_bank(dataclasses.replace(cells, classes=nameless))
    assert {patch.class_id: round(patch.width) for patch in bank.patches} == {1: 40, 2: 60, 3: 14}


def test_that_a_class_without_size_and_boxes_is_named() -> None:
    cells = make_cells()
    nameless = [dataclasses.replace(item, size_px=None) for item in cells.classes]
    with pytest.raises(UserError, match='"round" has no size'):
        make_bank(dataclasses.replace(cells, classes=nameless))


def test_that_own_boxes_are_used_where_they_are_wanted() -> None:
    cells = make_cells()
    box = Box(30, 40, 80, 60)
    first = cells.annotations[0].with_box(box)
    bank = make_bank(
        dataclasses.replace(cells, annotations=[first, *cells.annotations[1:]]), PatchSettings(window="own_box")
    )
    patch = next(patch for patch in bank.patches if patch.annotation_id == first.id)
    assert (patch.width, patch.height) == (50, 20)


def test_that_objects_mostly_outside_the_image_are_left_out_and_cut_ones_mirrored() -> None:
    cells = make_cells()
    cut = Annotation(AnnotationId(900), cells.fovs[0].id, cells.classes[0].id, 12.0, 100.0)
    gone = Annotation(AnnotationId(901), cells.fovs[0].id, cells.classes[0].id, -5.0, 100.0)
    bank = make_bank(dataclasses.replace(cells, annotations=[*cells.annotations, cut, gone]))
    ids = {patch.annotation_id: number for number, patch in enumerate(bank.patches)}
    assert AnnotationId(901) not in ids
    assert bank.n_left_out == 1
    patch = bank.patches[ids[AnnotationId(900)]]
    assert patch.inside == pytest.approx(0.8)
    crop, n_beyond = bank.crop(ids[AnnotationId(900)]), 22
    assert crop.min() > 50 - EDGE  # no black beyond the edge; sharpening may darken an edge by so much
    assert crop[:, :n_beyond].min() >= crop[:, n_beyond:].min()


def test_that_memory_is_bounded_by_thinning_the_largest_classes() -> None:
    cells = make_cells(n_fovs=12)
    many = [dataclasses.replace(item, id=AnnotationId(1000 + item.id)) for item in cells.annotations]
    many += [dataclasses.replace(item, id=AnnotationId(5000 * k + item.id)) for item in many for k in range(1, 20)]
    bank = make_bank(dataclasses.replace(cells, annotations=many), PatchSettings(memory_mb=16))
    assert bank.pixels.nbytes <= 16_000_000
    assert bank.n_left_out > 0
    assert min(bank.count_by_class().values()) == max(bank.count_by_class().values())


def test_that_the_order_of_the_input_does_not_matter() -> None:
    cells = make_cells()
    shuffled = dataclasses.replace(cells, annotations=cells.annotations[::-1], fovs=cells.fovs[::-1])
    assert bank_digest(make_bank(cells)) == bank_digest(make_bank(shuffled))


def test_that_annotations_of_other_images_stay_out() -> None:
    cells = make_cells()
    bank = make_bank(dataclasses.replace(cells, fovs=cells.fovs[:1]))
    assert {patch.fov_id for patch in bank.patches} == {cells.fovs[0].id}


def test_that_no_annotation_is_said_in_words() -> None:
    cells = make_cells()
    with pytest.raises(UserError, match="No patch can be cut"):
        make_bank(dataclasses.replace(cells, annotations=[]))


def test_that_an_image_that_changed_its_size_is_named() -> None:
    cells = make_cells()
    first = cells.fovs[0].id
    shrunk = {**cells.images, first: cells.images[first][:100]}
    with pytest.raises(UserError, match="fov 1 is now 320 x 100 px"):
        make_bank(dataclasses.replace(cells, images=shrunk))


def test_that_building_can_be_cancelled() -> None:
    cells = make_cells()

    def cancel(done: int, total: int) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        build_patch_bank(
            cells.fovs, cells.annotations, cells.classes, settings=PatchSettings(), read=cells.read, tick=cancel
        )


def test_that_the_background_is_found_among_objects() -> None:
    cells = make_cells(noise=2.0)
    background = estimate_background(cells.images[cells.fovs[0].id])
    assert np.abs(np.subtract(background.color, (215, 210, 205))).max() < 3
    assert np.sqrt(np.diag(background.noise)) == pytest.approx([2, 2, 2], abs=0.5)
    assert background.field[1].mean() == pytest.approx(-0.04, abs=0.01)  # darker to the right, as drawn


@pytest.mark.parametrize("shape", [(1, 1, 3), (2, 300, 3), (64, 64, 3)])
def test_that_tiny_and_flat_images_have_a_background(shape: tuple[int, int, int]) -> None:
    background = estimate_background(np.full(shape, 200, np.uint8))
    assert np.abs(np.subtract(background.color, 200)).max() < 1


def test_that_a_size_far_beyond_the_image_is_said_in_words() -> None:
    cells = make_cells()
    huge = [dataclasses.replace(item, size_px=9000.0) for item in cells.classes]
    with pytest.raises(UserError, match="too far outside") as caught:
        build_patch_bank(cells.fovs, cells.annotations, huge, settings=PatchSettings(), read=cells.read)
    assert "sizes of the classes" in caught.value.hint


@pytest.mark.parametrize("scale", [1.0, 0.5])
def test_that_patches_of_a_large_image_are_cut_from_its_file(tmp_path: Path, scale: float) -> None:
    cells = make_cells(noise=0.0)
    for fov in cells.fovs:
        tifffile.imwrite(tmp_path / f"{fov.id}.tif", cells.images[fov.id], photometric="rgb", tile=(64, 64))

    def read(fov: FieldOfView) -> ImageSource:
        return open_image_source(tmp_path / f"{fov.id}.tif")

    settings = PatchSettings(scale=scale, foreground="none")
    whole = make_bank(cells, settings)
    parts = build_patch_bank(cells.fovs, cells.annotations, cells.classes, settings=settings, read=read)
    assert parts.patches == whole.patches
    assert [each.rows for each in parts.backgrounds] == [each.rows for each in whole.backgrounds]
    # Light is fitted on an overview and patches are resized one by one: grey levels may differ a little.
    away = np.abs(parts.pixels.astype(int) - whole.pixels)
    assert np.quantile(away, 0.99) <= (3 if scale == 1.0 else 25)
    assert away.mean() < 1.5


def test_that_a_large_image_of_another_size_is_named(tmp_path: Path) -> None:
    cells = make_cells(n_fovs=1)
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((50, 60, 3), np.uint8), photometric="rgb")
    with pytest.raises(UserError, match="is now 60 x 50 px"):
        build_patch_bank(
            cells.fovs,
            cells.annotations,
            cells.classes,
            settings=PatchSettings(),
            read=lambda _fov: open_image_source(tmp_path / "a.tif"),
        )


def test_that_a_rejected_annotation_gives_no_patch_and_changes_no_other() -> None:
    whole = make_bank()
    rejected = {whole.patches[0].annotation_id, whole.patches[-1].annotation_id}
    cells = make_cells()
    bank = build_patch_bank(
        cells.fovs, cells.annotations, cells.classes, settings=PatchSettings(), read=cells.read, rejected=rejected
    )
    assert [patch.annotation_id for patch in bank.patches] == [
        patch.annotation_id for patch in whole.patches if patch.annotation_id not in rejected
    ]
    number = next(n for n, patch in enumerate(whole.patches) if patch.annotation_id == bank.patches[0].annotation_id)
    np.testing.assert_array_equal(bank.crop(0), whole.crop(number))
    assert bank.pixels.nbytes < whole.pixels.nbytes
    assert bank_digest(bank) != bank_digest(whole)


def test_that_leaving_patches_out_of_a_bank_composes_the_same_images_as_never_cutting_them() -> None:
    cells = make_cells()
    whole = make_bank(cells)
    first = [patch.annotation_id for patch in whole.patches if patch.fov_id == cells.fovs[0].id]
    rejected = {*first, whole.patches[-1].annotation_id}  # the first field loses all, its background included
    cut = build_patch_bank(
        cells.fovs, cells.annotations, cells.classes, settings=PatchSettings(), read=cells.read, rejected=rejected
    )
    view = whole.without(rejected)
    assert view.fov_ids == cut.fov_ids == (cells.fovs[1].id, cells.fovs[2].id)
    composition = CompositionSettings(canvas_px=128, n_objects_min=3)
    for index in range(4):
        one, other = (Composer(bank, composition, seed=5).compose(index) for bank in (view, cut))
        np.testing.assert_array_equal(one.image, other.image)
        assert one.objects == other.objects
    assert whole.without(()) is whole


def test_that_rejecting_every_patch_is_told_with_the_way_back() -> None:
    cells = make_cells()
    everything = {mark.id for mark in cells.annotations}
    with pytest.raises(UserError, match="all 27 were rejected"):
        build_patch_bank(
            cells.fovs, cells.annotations, cells.classes, settings=PatchSettings(), read=cells.read, rejected=everything
        )
