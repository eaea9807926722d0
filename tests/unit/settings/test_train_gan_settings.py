"""The settings of the GAN, and its presets: each ablation of the paper is one switch away from it."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from synthstudio.settings.differences import differing_names, flat_settings
from synthstudio.settings.recipe import read_recipe
from synthstudio.settings.resources import resource_path
from synthstudio.settings.train_gan import GanLossSettings, RegionCropSettings, TrainGanSettings

PAPER = "paper-ghorbani-2019"


def preset(name: str) -> TrainGanSettings:
    settings = read_recipe(resource_path("recipes") / f"train-gan-{name}.toml")
    assert isinstance(settings, TrainGanSettings)
    return settings


def test_that_the_preset_of_the_paper_is_the_published_network_with_all_four_losses() -> None:
    paper = preset(PAPER)
    assert (paper.crops.side_px, paper.network.base_channels, paper.network.upsampling) == (256, 64, "resize")
    losses = paper.losses
    assert losses.form == "min-max"
    assert min(losses.image, losses.region, losses.adversarial, losses.features) > 0
    assert (paper.optimization.batch_size, paper.optimization.ema, paper.optimization.augmentation) == (1, 0.0, "none")


@pytest.mark.parametrize(
    ("name", "switch"),
    [
        ("without-checkerboard-mitigation", "network.upsampling"),
        ("without-region-loss", "losses.region"),
        ("without-feature-matching", "losses.features"),
    ],
)
def test_that_each_ablation_is_one_switch_away_from_the_paper(name: str, switch: str) -> None:
    both = [flat_settings(each.model_dump_json()) for each in (preset(PAPER), preset(f"{PAPER}-{name}"))]
    assert differing_names(both) == [switch]


def test_that_settings_that_contradict_themselves_are_refused() -> None:
    with pytest.raises(ValidationError, match="must not be more than the most"):
        RegionCropSettings(least_share=0.8, most_share=0.5)
    with pytest.raises(ValidationError, match="nothing to learn"):
        GanLossSettings(image=0, region=0, adversarial=0, features=0)
    assert RegionCropSettings(least_share=0.5, most_share=0.5).side_px == 128
