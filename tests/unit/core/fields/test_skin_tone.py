"""The skin tone that pixels suggest."""

import math

import cv2
import numpy as np
import pytest

from synthstudio.core.fields.skin_tone import CLASS_LIMITS_DEG, estimate_skin_tone, tone_of_ita
from synthstudio.core.imaging import ImageArray
from synthstudio.domain.records import Box


def skin(lightness: float, a: float, b: float, *, height: int = 200, width: int = 300) -> ImageArray:
    """A photograph of one colour with a little noise."""
    lab = np.full((height, width, 3), (lightness, a, b), np.float32)
    rgb = np.asarray(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB)) * 255
    noise = np.random.default_rng(0).normal(0, 2, rgb.shape)
    return np.clip(np.rint(rgb + noise), 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    ("lightness", "b", "tone"), [(75, 14, 1), (68, 17, 2), (62, 18, 3), (56, 19, 4), (46, 18, 5), (32, 12, 6)]
)
def test_that_the_angle_is_that_of_the_formula_and_gives_the_six_classes(lightness: float, b: float, tone: int) -> None:
    found = estimate_skin_tone(skin(lightness, 12, b), [])
    assert found is not None
    assert found.ita_deg == pytest.approx(math.degrees(math.atan2(lightness - 50, b)), abs=1.5)
    assert found.tone == tone
    assert found.share > 0.95


def test_that_the_limits_are_those_of_the_source() -> None:
    assert [tone_of_ita(each + 0.01) for each in CLASS_LIMITS_DEG] == [1, 2, 3, 4, 5]
    assert [tone_of_ita(each) for each in CLASS_LIMITS_DEG] == [2, 3, 4, 5, 6]


def test_that_what_is_marked_black_or_shining_does_not_count() -> None:
    image = skin(68, 12, 17)
    image[:, :60] = 0  # cut away
    image[:30] = 255  # glare
    image[80:160, 150:260] = (120, 20, 30)  # the condition
    image[100:110, 60:] = (25, 18, 15)  # a hair
    found = estimate_skin_tone(image, [Box(150, 80, 260, 160)])
    assert found is not None
    assert found.tone == 2
    assert found.share < 0.75


def test_that_a_red_patch_moves_the_suggestion_only_while_it_is_not_marked() -> None:
    image = skin(68, 12, 17)
    image[:, :180] = skin(40, 30, 14, width=180)
    with_mark = estimate_skin_tone(image, [Box(0, 0, 180, 200)])
    without = estimate_skin_tone(image, [])
    assert with_mark is not None
    assert without is not None
    assert (with_mark.tone, without.tone) == (2, 6)


def test_that_an_image_without_skin_suggests_nothing() -> None:
    grey = np.full((100, 100, 3), 200, np.uint8)
    assert estimate_skin_tone(grey, []) is None
    assert estimate_skin_tone(skin(68, 12, 17), [Box(0, 0, 300, 200)]) is None
    assert estimate_skin_tone(np.zeros((1, 1, 3), np.uint8), []) is None
