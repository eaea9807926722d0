"""Cut-outs: the object, all of it, and nothing of its neighbours."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from synthstudio.core.patches.background import WHITE
from synthstudio.core.patches.foreground import find_foreground
from synthstudio.core.patches.remasking import differ_in_foreground_alone, with_foregrounds
from synthstudio.core.synthesis.composer import Composer
from synthstudio.core.synthesis.manifest import bank_digest
from synthstudio.domain.records import Box
from synthstudio.settings.compose import CompositionSettings, ImageAugmentation, PatchSettings
from tests.support.cells import make_bank

SIDE = 96
WINDOW = Box(20.0, 20.0, 76.0, 76.0)


def draw(
    *, radius: float, grey: int, noise: float = 2.0, seed: int = 0, pale_middle: bool = False
) -> NDArray[np.uint8]:
    """A disc in the middle of evened background."""
    image = np.full((SIDE, SIDE, 3), WHITE, np.float32)
    middle = (SIDE // 2, SIDE // 2)
    cv2.circle(image, middle, round(radius), (grey, grey - 20, grey), -1)
    if pale_middle:
        cv2.circle(image, middle, round(radius * 0.4), (WHITE,) * 3, -1)
    image += np.random.default_rng(seed).normal(0, noise, image.shape)
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)


def disc(radius: float, *, x: float = SIDE // 2, y: float = SIDE // 2) -> NDArray[np.bool_]:
    rows, columns = np.indices((SIDE, SIDE))
    return np.asarray((columns - x) ** 2 + (rows - y) ** 2 <= radius**2)


def cut(image: NDArray[np.uint8], *, margin: float = 0.0, noise: float = 2.0) -> NDArray[np.bool_]:
    opacity = find_foreground(image, WINDOW, method="threshold", level=WHITE, noise=noise, margin=margin)
    assert opacity.shape == image.shape[:2]
    assert opacity.dtype == np.uint8
    return np.asarray(opacity > 127)


def overlap(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float:
    return float((first & second).sum() / (first | second).sum())


@settings(max_examples=40, deadline=None)
@given(
    radius=st.floats(14, 26),
    grey=st.integers(60, 180),
    noise=st.floats(0, 4),
    pale=st.booleans(),
    seed=st.integers(0, 9),
)
def test_that_a_disc_is_found_whole_with_its_pale_middle(
    *, radius: float, grey: int, noise: float, pale: bool, seed: int
) -> None:
    image = draw(radius=radius, grey=grey, noise=noise, seed=seed, pale_middle=pale)
    assert overlap(cut(image, noise=noise), disc(round(radius))) > 0.85


def test_that_a_neighbour_is_left_out_apart_or_touching() -> None:
    for distance in (52, 45):  # radii 22 and 22: apart, and touching
        image = draw(radius=22, grey=120)
        cv2.circle(image, (SIDE // 2 + distance, SIDE // 2), 22, (120, 100, 120), -1)
        found = cut(image)
        assert overlap(found, disc(22)) > 0.8
        assert not found[:, SIDE // 2 + 30 :].any()


def test_that_the_rim_grows_by_the_margin() -> None:
    image = draw(radius=18, grey=120, noise=0)
    lean, wide = cut(image), cut(image, margin=0.1)
    assert wide.sum() > lean.sum()
    assert overlap(wide, disc(18 + 0.1 * WINDOW.width)) > 0.85


@pytest.mark.parametrize("radius", [0, 3])
def test_that_the_window_is_kept_whole_where_no_object_stands_out(radius: int) -> None:
    image = draw(radius=radius, grey=WHITE - 4)
    assert cut(image).all()


def test_that_a_speck_beside_the_click_is_not_taken_for_the_object() -> None:
    image = draw(radius=0, grey=WHITE)
    cv2.circle(image, (26, 26), 5, (80, 60, 80), -1)
    assert cut(image).all()


def test_that_without_a_method_everything_is_kept() -> None:
    opacity = find_foreground(draw(radius=20, grey=100), WINDOW, method="none", level=WHITE, noise=2.0, margin=0.0)
    assert (opacity == 255).all()


def test_that_an_ellipse_fills_its_window_and_fades_at_its_rim() -> None:
    opacity = find_foreground(
        draw(radius=10, grey=90), Box(20.0, 30.0, 76.0, 70.0), method="ellipse", level=WHITE, noise=2.0, margin=0.0
    )
    x, y, width, height = cv2.boundingRect((opacity > 127).astype(np.uint8))
    assert (x, y, x + width, y + height) == (20, 30, 76, 70)
    assert opacity[50, 48] == 255
    assert opacity[31, 21] == 0
    assert 0 < opacity[30, 48] < 255


def test_that_each_class_has_the_foreground_that_was_chosen_for_it() -> None:
    settings = PatchSettings(foreground="ellipse", foreground_by_class=("large=threshold", "dirt=none"))
    bank = make_bank(settings=settings)
    assert bank.foreground_classes == {1, 2}
    opaque = {
        class_id: float(np.mean([(bank.padded_crop(n)[..., 3] > 127).mean() for n in numbers]))
        for class_id in (1, 2, 3)
        if (numbers := [n for n, patch in enumerate(bank.patches) if patch.class_id == class_id])
    }
    assert opaque[3] == 1.0
    whole = make_bank(settings=PatchSettings(foreground="threshold"))
    for number, patch in enumerate(bank.patches):
        if patch.class_id == 2:
            np.testing.assert_array_equal(bank.padded_crop(number), whole.padded_crop(number))


def test_that_boxes_of_a_class_without_foreground_stay_those_of_the_window_beside_others_with_one() -> None:
    composition = CompositionSettings(
        canvas_px=256, n_objects_min=6, max_overlap=0.0, overhang=0.0, image=ImageAugmentation(flip=False)
    )
    plain = Composer(make_bank(), composition, seed=3)
    mixed_bank = make_bank(settings=PatchSettings(foreground_by_class=("large=threshold",)))
    mixed = Composer(mixed_bank, composition, seed=3)
    for index in range(6):
        for one, other in zip(plain.compose(index).objects, mixed.compose(index).objects, strict=True):
            if one.class_id == 2:
                assert other.box.width < one.box.width
            else:
                assert other.box == one.box


@pytest.mark.parametrize(
    ("former", "wanted"),
    [
        (PatchSettings(), PatchSettings(foreground="threshold")),
        (PatchSettings(foreground="threshold"), PatchSettings(foreground_by_class=("large=ellipse",))),
        (PatchSettings(foreground="threshold"), PatchSettings(foreground="threshold", foreground_margin=0.1)),
    ],
)
def test_that_other_foregrounds_are_those_of_patches_that_are_cut_anew(
    former: PatchSettings, wanted: PatchSettings
) -> None:
    before = make_bank(settings=former)
    kept = before.pixels.copy()
    assert differ_in_foreground_alone(former, wanted)
    assert bank_digest(with_foregrounds(before, former, wanted)) == bank_digest(make_bank(settings=wanted))
    np.testing.assert_array_equal(before.pixels, kept)


def test_that_patches_of_another_scale_have_to_be_cut_anew() -> None:
    assert not differ_in_foreground_alone(PatchSettings(), PatchSettings(scale=0.5, foreground="threshold"))
