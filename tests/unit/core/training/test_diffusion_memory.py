"""What a fine-tuning is said to take, and what is advised where it does not fit."""

from __future__ import annotations

import pytest

from synthstudio.core.training.diffusion_card import (
    DiffusionCard,
    checkpoint_folder,
    find_checkpoint,
)
from synthstudio.core.training.diffusion_memory import (
    GB,
    STABLE_DIFFUSION_1,
    STABLE_DIFFUSION_2,
    estimate_memory,
    size_of,
    suggest_changes,
)
from synthstudio.domain.errors import UserError
from synthstudio.settings.recipe import read_recipe
from synthstudio.settings.resources import resource_path
from synthstudio.settings.train_diffusion import TrainDiffusionSettings


def preset(name: str) -> TrainDiffusionSettings:
    settings = read_recipe(resource_path("recipes") / f"train-diffusion-{name}.toml")
    assert isinstance(settings, TrainDiffusionSettings)
    return settings


def test_that_the_preset_of_the_paper_has_its_numbers() -> None:
    paper = preset("paper-kularathne-2024")
    chosen = paper.optimization
    assert (paper.method, paper.side, chosen.steps, chosen.rate) == ("dreambooth", 512, 2000, 2e-6)
    assert (chosen.text_encoder_steps, chosen.text_encoder_rate, paper.samples.every) == (350, 4e-7, 500)
    assert (paper.prior.weight, chosen.min_snr, chosen.ema) == (1.0, 0.0, 0.0)


@pytest.mark.parametrize(("name", "gigabytes"), [("paper-kularathne-2024", 16), ("lora", 8)])
def test_that_presets_fit_the_memory_that_their_name_tells(name: str, gigabytes: float) -> None:
    settings = preset(name)
    assert estimate_memory(settings).bytes < gigabytes * GB
    assert suggest_changes(settings, gigabytes * GB) == ()


def test_that_weights_gradients_and_optimiser_of_a_full_training_are_counted() -> None:
    parts = dict(estimate_memory(TrainDiffusionSettings()).parts)
    trained = STABLE_DIFFUSION_1.denoiser + STABLE_DIFFUSION_1.text_encoder
    assert parts["weights"] == pytest.approx(4 * (trained + STABLE_DIFFUSION_1.vae))
    assert (parts["gradients"], parts["optimiser"]) == (4 * trained, 8 * trained)
    assert estimate_memory(TrainDiffusionSettings(), STABLE_DIFFUSION_2).bytes > sum(parts.values())
    assert size_of("Stable Diffusion 2.x") is STABLE_DIFFUSION_2
    assert size_of("Stable Diffusion 1.x, one file") is STABLE_DIFFUSION_1


def test_that_what_costs_least_is_advised_first_and_nothing_where_nothing_helps() -> None:
    settings = TrainDiffusionSettings()
    assert suggest_changes(settings, 40 * GB) == ()
    assert suggest_changes(settings, 20 * GB) == ("gradient checkpointing",)
    advised = suggest_changes(settings, 6 * GB, has_eight_bit=False)
    assert advised is not None
    assert advised[0] == "gradient checkpointing"
    assert advised[-1] == "LoRA"
    assert suggest_changes(settings, 1 * GB) is None


def test_that_the_words_tell_memory_and_disk() -> None:
    words = estimate_memory(preset("lora")).words
    assert words.startswith("About ")
    assert "GB of memory (weights" in words
    assert words.endswith("on the disk.")


def test_that_a_card_without_a_checkpoint_says_what_to_do(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("run")
    card = DiffusionCard(
        method="lora",
        base_model="tiny",
        base_sha256="0",
        prediction_type="epsilon",
        guide_set="lesions",
        class_name="lesion",
        identifier="zxq",
        captions=(),
        side=64,
        has_text_encoder=False,
        train_fov_ids=(),
        seed=0,
        versions={},
        threads=1,
    )
    with pytest.raises(UserError, match="has no checkpoint yet"):
        find_checkpoint(folder, card)
    checkpoint_folder(folder, 4).mkdir(parents=True)
    card = card.model_copy(update={"steps": (2, 4)})
    assert find_checkpoint(folder, card) == (4, checkpoint_folder(folder, 4))
    with pytest.raises(UserError, match="no checkpoint of step 2"):  # its folder was removed by hand
        find_checkpoint(folder, card, step=2)
