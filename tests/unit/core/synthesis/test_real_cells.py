"""Composites of real blood cells look like the images that they are made from."""

import numpy as np
import pytest

from synthstudio.core.patches.bank import PatchBank, build_patch_bank, scaled
from synthstudio.core.synthesis.composer import Composer
from synthstudio.settings.compose import CompositionSettings, PatchSettings
from tests.support.blood import blood_classes, load_blood, read_fov
from tests.support.shared_data import shared_data

HALF = PatchSettings(scale=0.5)


@pytest.fixture(scope="module")
def bank() -> PatchBank:
    fovs, annotations = load_blood(shared_data("bccd"), limit=40)
    return build_patch_bank(fovs, annotations, blood_classes(), settings=HALF, read=read_fov)


def test_that_every_class_of_real_cells_has_patches(bank: PatchBank) -> None:
    assert min(bank.count_by_class().values()) >= 20
    assert bank.is_transmitted


def test_that_an_empty_canvas_has_the_colour_and_noise_of_real_background(bank: PatchBank) -> None:
    chosen = CompositionSettings(canvas_px=128, n_objects_min=0, n_objects_max=1)
    composites = [Composer(bank, chosen, seed=0).compose(index) for index in range(40)]
    empty = [item.image.astype(float) for item in composites if not item.objects]
    colors = np.array([background.color for background in bank.backgrounds])
    assert len(empty) >= 10
    for image in empty:
        mean = image.reshape(-1, 3).mean(axis=0)
        assert (mean > colors.min(axis=0) * 0.85).all()
        assert (mean < colors.max(axis=0) * 1.15).all()
        assert 0.5 < image[..., 1].std() < 8


def test_that_pasted_cells_are_as_dark_as_real_ones(bank: PatchBank) -> None:
    fovs, _ = load_blood(shared_data("bccd"), limit=40)
    real = np.concatenate([scaled(read_fov(fov), 0.5).reshape(-1, 3)[::50] for fov in fovs])
    chosen = CompositionSettings(canvas_px=240, n_objects_min=20, class_presence=1.0, class_draw="empirical")
    images, _ = Composer(bank, chosen, seed=0).compose_batch(range(40))
    made = images.reshape(-1, 3)[::50]
    for share in (5, 25, 75, 95):
        assert np.abs(np.percentile(real, share, axis=0) - np.percentile(made, share, axis=0)).max() < 40
