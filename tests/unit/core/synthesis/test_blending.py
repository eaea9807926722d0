"""Blendings and augmentations: what each does, and that boxes and masks follow all of them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.sparse.linalg import spsolve

from synthstudio.core.patches.bank import PatchBank
from synthstudio.core.patches.plates import add_plates
from synthstudio.core.synthesis.augmentation import N_AUGMENTATION_NUMBERS, ImageAugmenter, disc_kernel
from synthstudio.core.synthesis.composer import Composer
from synthstudio.core.synthesis.poisson import blend_gradients
from synthstudio.settings.compose import CompositionSettings, ImageAugmentation, PatchAugmentation, PatchSettings
from tests.support.cells import make_bank, make_cells

PLAIN_IMAGE = ImageAugmentation(brightness=0, contrast=0, blur_px=0, noise=0, jpeg=0, flip=False)
CANVASES = ["matched", "emptied", "black", "white", "mean"]
BLENDS = ["feather", "paste", "poisson", "poisson_mixed", "mixed", "all"]
MIDDLE = (0.5,) * N_AUGMENTATION_NUMBERS


@pytest.fixture(scope="module")
def bank() -> PatchBank:
    cells = make_cells()
    return add_plates(make_bank(cells), cells.fovs, cells.annotations, settings=PatchSettings(), read=cells.read)


@pytest.fixture(scope="module")
def cut_out_bank() -> PatchBank:
    cells, chosen = make_cells(), PatchSettings(foreground="threshold")
    return add_plates(make_bank(cells, chosen), cells.fovs, cells.annotations, settings=chosen, read=cells.read)


def smooth_noise(height: int, width: int, seed: int) -> np.ndarray:
    values = np.random.default_rng(seed).integers(40, 216, (height, width, 3)).astype(np.uint8)
    return np.asarray(cv2.GaussianBlur(values, (0, 0), 2.0))


def solve_plainly(patch: np.ndarray, below: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """The equation of the paper (Perez et al. 2003, eq. 7) as a sparse linear system over the window."""
    height, width = inside.shape
    source = np.pad(patch, ((1, 1), (1, 1), (0, 0)), mode="edge").astype(float)
    target, chosen = below.astype(float), np.pad(inside, 1)
    matrix = sparse.lil_matrix((height * width, height * width))
    wanted = np.zeros((height * width, 3))
    for row in range(height):
        for column in range(width):
            here = row * width + column
            matrix[here, here] = 4
            for down, right in ((-1, 0), (1, 0), (0, -1), (0, 1)):
                y, x = row + 1 + down, column + 1 + right
                guide = source if chosen[row + 1, column + 1] and chosen[y, x] else target
                wanted[here] += guide[row + 1, column + 1] - guide[y, x]
                if 0 <= row + down < height and 0 <= column + right < width:
                    matrix[here, here + down * width + right] = -1
                else:
                    wanted[here] += target[y, x]
    solved = np.stack([spsolve(matrix.tocsr(), wanted[:, channel]) for channel in range(3)], axis=-1)
    return np.clip(solved, 0, 255).reshape(height, width, 3)


@settings(max_examples=15, deadline=None)
@given(height=st.integers(2, 17), width=st.integers(2, 17), seed=st.integers(0, 10_000))
def test_that_poisson_blending_solves_the_equation_of_its_paper(height: int, width: int, seed: int) -> None:
    patch, below = smooth_noise(height, width, seed), smooth_noise(height + 2, width + 2, seed + 1)
    inside = np.random.default_rng(seed).random((height, width)) < 0.7
    made = blend_gradients(patch, below, inside, keep_stronger=False)
    assert np.abs(made - solve_plainly(patch, below, inside)).max() <= 0.51


@pytest.mark.parametrize("keep_stronger", [False, True])
def test_that_poisson_blending_of_what_is_there_changes_nothing(keep_stronger: bool) -> None:
    below = smooth_noise(52, 41, 5)
    patch = np.ascontiguousarray(below[1:-1, 1:-1])
    everywhere = np.ones(patch.shape[:2], np.bool_)
    assert np.array_equal(blend_gradients(patch, below, everywhere, keep_stronger=keep_stronger), patch)
    # Only gradients count: a darker patch takes the brightness of what lies around it.
    darker = (patch // 2 * 2 - 30).clip(0, 255).astype(np.uint8)
    made = blend_gradients(darker, below // 2 * 2, everywhere, keep_stronger=False)
    assert np.abs(made.astype(int) - patch // 2 * 2).max() <= 1


def test_that_mixed_gradients_keep_what_lies_below_a_flat_patch() -> None:
    below = smooth_noise(42, 42, 1)
    flat, everywhere = np.full((40, 40, 3), 128, np.uint8), np.ones((40, 40), np.bool_)
    assert np.array_equal(blend_gradients(flat, below, everywhere, keep_stronger=True), below[1:-1, 1:-1])
    plain = blend_gradients(flat, below, everywhere, keep_stronger=False)
    assert plain[15:25, 15:25].std(axis=(0, 1)).max() < below[15:25, 15:25].std(axis=(0, 1)).min() / 2


@settings(max_examples=150, deadline=None)
@given(
    index=st.integers(0, 2**30),
    canvas=st.sampled_from(CANVASES),
    blend=st.sampled_from(BLENDS),
    mask=st.sampled_from(["square", "rounded", "ellipse"]),
    render=st.sampled_from(["continuous", "cached"]),
    elastic=st.sampled_from([0.0, 0.15]),
    with_foreground=st.booleans(),
    feather=st.sampled_from([0.02, 0.3]),
)
def test_that_boxes_are_the_extents_of_the_masks(
    *,
    bank: PatchBank,
    cut_out_bank: PatchBank,
    index: int,
    canvas: str,
    blend: str,
    mask: str,
    render: str,
    elastic: float,
    with_foreground: bool,
    feather: float,
) -> None:
    chosen = CompositionSettings(
        canvas_px=160,
        canvas_height_px=120,
        n_objects_max=5,
        max_overlap=0.0,
        feather=feather,
        variants=2,
        patch=PatchAugmentation(elastic=elastic),
        image=ImageAugmentation(color_cast=0.1, vignette=0.3, defocus_px=1.0, jpeg=20),
    ).model_copy(update={"canvas": canvas, "blend": blend, "mask": mask, "render": render})
    composer = Composer(cut_out_bank if with_foreground else bank, chosen, seed=9)
    owners = np.empty((120, 160), np.uint16)
    composite = composer.compose(index, owners=owners)
    assert np.array_equal(composite.image, composer.compose(index).image)
    assert set(np.unique(owners)) <= set(range(len(composite.objects) + 1))
    for number, item in enumerate(composite.objects, start=1):
        rows, columns = np.nonzero(owners == number)
        if not rows.size:
            assert with_foreground  # the window may lie on the canvas with its empty part alone
            continue
        seen = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        # Cut by the edge, an ellipse's widest part may lie outside.
        inner = all((item.box.x0 > 0, item.box.y0 > 0, item.box.x1 < 160, item.box.y1 < 120))
        within = np.subtract(seen, (item.box.x0, item.box.y0, item.box.x1, item.box.y1))
        assert within[:2].min() >= -1
        assert within[2:].max() <= 1
        if inner:
            assert np.abs(within).max() <= 1


@pytest.mark.parametrize("blend", ["poisson", "poisson_mixed", "all"])
@pytest.mark.parametrize("render", ["continuous", "cached"])
def test_that_blended_images_depend_on_their_index_alone(cut_out_bank: PatchBank, blend: str, render: str) -> None:
    chosen = CompositionSettings(canvas_px=96, n_objects_max=6, cache_mb=8, variants=3).model_copy(
        update={"blend": blend, "render": render}
    )
    expected, _ = Composer(cut_out_bank, chosen, seed=1).compose_batch(range(10))
    pressed = Composer(cut_out_bank, chosen, seed=1)
    pressed._paster._variants._limit_bytes = 30_000
    for index in reversed(range(10)):
        assert np.array_equal(pressed.compose(index).image, expected[index])


def test_that_all_blendings_are_drawn_where_all_are_wanted(bank: PatchBank) -> None:
    chosen = CompositionSettings(canvas_px=300, n_objects_min=15, blend="all")
    looks = [item.look for index in range(20) for item in Composer(bank, chosen, seed=1).plan(index).objects]
    kinds = {(look.gradients.name, look.feather > 0) for look in looks}
    assert kinds == {("NONE", True), ("NONE", False), ("OWN", False), ("STRONGER", False)}


def test_that_bending_moves_the_inside_of_a_patch_and_not_its_window(bank: PatchBank) -> None:
    def image(elastic: float) -> np.ndarray:
        chosen = CompositionSettings(
            canvas_px=128,
            n_objects_min=1,
            n_objects_max=1,
            image=PLAIN_IMAGE,
            patch=PatchAugmentation(elastic=elastic, rotation_deg=0, flip=False),
        )
        return np.asarray(Composer(bank, chosen, seed=4).compose(2).image)

    straight, slight, strong = image(0.0), image(1e-6), image(0.15)
    assert np.abs(straight.astype(int) - slight).max() <= 2  # only the interpolation differs
    assert np.abs(straight.astype(int) - strong).max() > 20


@pytest.mark.parametrize(
    ("field", "value", "numbers"),
    [
        ("color_cast", 0.4, {8: 0.95, 9: 0.1, 10: 0.5}),
        ("saturation", 0.8, {13: 0.9}),
        ("vignette", 0.8, {11: 0.9}),
        ("defocus_px", 6.0, {12: 0.9}),
        ("blur_px", 4.0, {2: 0.9}),
        ("noise", 20.0, {3: 0.9}),
        ("jpeg", 90, {6: 0.99}),
        ("brightness", 0.5, {0: 0.9}),
        ("contrast", 0.5, {1: 0.9}),
    ],
)
def test_that_each_augmentation_does_its_work_and_nothing_at_zero(
    field: str, value: float, numbers: dict[int, float]
) -> None:
    image = smooth_noise(80, 110, 2)
    drawn = tuple(numbers.get(place, 0.5) for place in range(N_AUGMENTATION_NUMBERS))
    for strength in (0, value):
        chosen = PLAIN_IMAGE.model_copy(update={field: strength})
        made = image.copy()
        ImageAugmenter(chosen, size=(110, 80), seed=1).augment(made, drawn)
        assert np.array_equal(made, image) == (strength == 0)


def test_that_a_colour_cast_shifts_the_colours_against_each_other() -> None:
    image = np.full((50, 50, 3), 120, np.uint8)
    numbers = (*MIDDLE[:8], 1.0, 0.5, 0.0, *MIDDLE[11:])
    ImageAugmenter(PLAIN_IMAGE.model_copy(update={"color_cast": 0.25}), size=(50, 50), seed=0).augment(image, numbers)
    assert image[0, 0].tolist() == [150, 120, 90]


def test_that_saturation_draws_colours_from_grey_and_leaves_grey_alone() -> None:
    image = np.full((8, 8, 3), 120, np.uint8)
    image[:4] = (160, 100, 80)
    vivid = PLAIN_IMAGE.model_copy(update={"saturation": 1.0})
    drawn, faded = image.copy(), image.copy()
    ImageAugmenter(vivid, size=(8, 8), seed=0).augment(drawn, (*MIDDLE[:13], 0.75))
    ImageAugmenter(vivid, size=(8, 8), seed=0).augment(faded, (*MIDDLE[:13], 0.0))
    assert drawn[4:].tolist() == image[4:].tolist()
    assert drawn[0, 0, 0] > 160
    assert drawn[0, 0, 2] < 80
    grey = round(0.299 * 160 + 0.587 * 100 + 0.114 * 80)
    assert faded[0, 0].tolist() == [grey] * 3


def test_that_vignetting_darkens_the_corners_alone() -> None:
    image = np.full((101, 151, 3), 200, np.uint8)
    numbers = (*MIDDLE[:11], 0.999, *MIDDLE[12:])
    ImageAugmenter(PLAIN_IMAGE.model_copy(update={"vignette": 0.5}), size=(151, 101), seed=0).augment(image, numbers)
    assert image[50, 75].tolist() == [200, 200, 200]
    assert image[0, 0].max() < 110
    assert np.all(np.diff(image[50, :76, 0].astype(int)) >= 0)


@given(radius=st.floats(0.2, 16.0))
def test_that_a_point_out_of_focus_becomes_an_even_disc(radius: float) -> None:
    disc = disc_kernel(radius)
    assert disc.sum() == pytest.approx(1.0, abs=1e-5)
    assert np.array_equal(disc, disc[::-1, ::-1])
    # Its soft edge takes as much as it gives.
    assert 1.0 / disc.max() == pytest.approx(np.pi * (radius**2 + 1 / 12), rel=0.1, abs=1.0)
