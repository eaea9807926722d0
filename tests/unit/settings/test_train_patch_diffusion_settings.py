"""The presets of diffusion from scratch, and crops that no network could learn from."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from synthstudio.settings.recipe import read_recipe
from synthstudio.settings.resources import resource_path
from synthstudio.settings.train_patch_diffusion import (
    DenoiserSettings,
    PatchCropSettings,
    TrainPatchDiffusionSettings,
)


@pytest.mark.parametrize(("name", "side"), [("cells-32", 32), ("small-64", 64)])
def test_that_a_preset_says_its_side_and_stores_its_last_step_with_samples(name: str, side: int) -> None:
    settings = read_recipe(resource_path("recipes") / f"train-patch-diffusion-{name}.toml")
    assert isinstance(settings, TrainPatchDiffusionSettings)
    assert settings.crops.side_px == side
    assert settings.optimization.steps % settings.optimization.sample_every == 0


def test_that_settings_that_no_network_is_built_of_are_refused() -> None:
    with pytest.raises(ValidationError, match="multiple of 8"):
        DenoiserSettings(base_channels=20)
    with pytest.raises(ValidationError, match="must not be more than the most"):
        PatchCropSettings(least_share=0.8, most_share=0.5)
