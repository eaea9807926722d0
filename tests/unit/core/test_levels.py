"""Levels against NumPy, written anew and slowly."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthstudio.core.imaging import Channel, Levels, apply_levels, auto_range, count_samples

looks = st.builds(
    Levels,
    black=st.floats(0, 0.6),
    white=st.floats(0.65, 1),
    gamma=st.floats(0.2, 5),
    is_inverted=st.booleans(),
    channel=st.sampled_from(Channel),
)


@settings(max_examples=80, deadline=None)
@given(levels=looks, seed=st.integers(0, 999), full_scale=st.sampled_from([255, 1023, 4095, 65535]))
def test_that_levels_are_what_the_formula_says(levels: Levels, seed: int, full_scale: int) -> None:
    dtype = np.uint8 if full_scale == 255 else np.uint16
    samples = np.random.default_rng(seed).integers(0, full_scale + 1, (7, 9, 3)).astype(dtype)
    color = samples.astype(np.float64)
    match levels.channel:
        case Channel.LUMINANCE:
            color = np.repeat((color @ (0.299, 0.587, 0.114))[..., None], 3, axis=2)
        case Channel.RED | Channel.GREEN | Channel.BLUE:
            color = np.repeat(color[..., [["red", "green", "blue"].index(levels.channel)]], 3, axis=2)
    # A luminance is rounded to a whole sample first, so what is shown lies between its neighbours' shades.
    rounding = 0.51 if levels.channel is Channel.LUMINANCE else 0.0
    shades = [
        255 * np.clip((each / full_scale - levels.black) / (levels.white - levels.black), 0, 1) ** (1 / levels.gamma)
        for each in (color - rounding, color + rounding)
    ]
    low, high = sorted((255 - each if levels.is_inverted else each for each in shades), key=np.sum)
    shown = apply_levels(samples, levels, full_scale=full_scale)
    assert np.all(shown >= low - 0.51)
    assert np.all(shown <= high + 0.51)


def test_that_neutral_levels_change_nothing() -> None:
    image = np.random.default_rng(1).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    assert Levels().is_neutral
    np.testing.assert_array_equal(apply_levels(image, Levels(), full_scale=255), image)
    twice = Levels(is_inverted=True)
    np.testing.assert_array_equal(
        apply_levels(apply_levels(image, twice, full_scale=255), twice, full_scale=255), image
    )


def test_that_sixteen_bit_samples_keep_their_depth() -> None:
    samples = np.arange(1000, 1256, dtype=np.uint16).reshape(16, 16)
    shown = apply_levels(samples, Levels(black=1000 / 65535, white=1255 / 65535), full_scale=65535)
    np.testing.assert_array_equal(shown.reshape(256, 3)[:, 0], np.arange(256))


def test_that_automatic_levels_find_the_narrow_range_of_a_dim_image() -> None:
    samples = np.random.default_rng(4).integers(2000, 2400, (300, 300)).astype(np.uint16)
    samples[0, 0] = 60000  # one hot pixel makes it 16 bit
    black, white = auto_range(count_samples(samples, full_scale=65535))
    assert 65535 * black == pytest.approx(2000, abs=20)
    assert 65535 * white == pytest.approx(2400, abs=20)


@pytest.mark.parametrize("full_scale", [255, 4095])
def test_that_automatic_levels_leave_a_thousandth_at_each_end(full_scale: int) -> None:
    rng = np.random.default_rng(2)
    samples = np.clip(rng.normal(0.5, 0.05, (500, 500)), 0, 1)
    image = np.rint(samples * full_scale).astype(np.uint8 if full_scale == 255 else np.uint16)
    black, white = auto_range(count_samples(image, full_scale=full_scale))
    low, high = np.quantile(image / full_scale, [0.001, 0.999])
    assert black == pytest.approx(low, abs=2 / 256)
    assert white == pytest.approx(high, abs=2 / 256)


def test_that_an_even_picture_is_left_as_it_is() -> None:
    even = np.full((50, 50, 3), 77, np.uint8)
    assert auto_range(count_samples(even, full_scale=255)) == (0.0, 1.0)


@pytest.mark.parametrize(("full_scale", "n_bins"), [(255, 256), (1023, 1024), (4095, 4096), (65535, 4096)])
def test_that_every_sample_is_counted_once_in_its_bin(full_scale: int, n_bins: int) -> None:
    image = np.random.default_rng(3).integers(0, full_scale + 1, (40, 50, 3)).astype(np.uint16)
    histogram = count_samples(image, full_scale=full_scale)
    assert histogram.counts.shape == (3, n_bins)
    for channel in range(3):
        expected, _ = np.histogram(image[:, :, channel], bins=n_bins, range=(0, full_scale + 1))
        np.testing.assert_array_equal(histogram.counts[channel], expected)
