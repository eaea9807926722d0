"""How long the training of a diffusion model takes: from what this project's own trainings took, else a guess."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from synthstudio.client.experiment_times import START_S, Estimate
from synthstudio.client.training_times import measured_step_s
from synthstudio.domain.records import Run
from synthstudio.settings.train_diffusion import TrainDiffusionSettings
from synthstudio.settings.train_patch_diffusion import TrainPatchDiffusionSettings

GUESSED_PATCH_STEP_S = 0.5
"""Seconds of one step with 32 crops of 32 px and 32 base channels, on two cores without a GPU."""
GUESSED_WIDTH_POWER = 1.5
"""Measured there: twice the channels take 2.9 times as long."""


def estimate_patch_training(runs: Sequence[Run], settings: TrainPatchDiffusionSettings) -> Estimate:
    """Estimate what a training from scratch takes.

    Args:
        runs: Of the project.
        settings: Of the one that is planned.
    """
    step_s = measured_step_s(runs, settings, steps_of=lambda known: known.optimization.steps, load_of=_load_of_patches)
    steps = settings.optimization.steps
    if step_s is None:
        return Estimate(START_S + steps * _guessed_patch_step_s(settings), is_measured=False)
    return Estimate(START_S + steps * step_s, is_measured=True)


def _load_of_patches(settings: TrainPatchDiffusionSettings) -> Hashable:
    optimization = settings.optimization
    return settings.crops.side, settings.network, optimization.batch_size, optimization.precision


def _guessed_patch_step_s(settings: TrainPatchDiffusionSettings) -> float:
    width = float((settings.network.base_channels / 32) ** GUESSED_WIDTH_POWER)
    area = float((int(settings.crops.side) / 32) ** 2)
    return (
        GUESSED_PATCH_STEP_S * settings.optimization.batch_size / 32 * area * width * (settings.network.layers + 1) / 2
    )


def estimate_tuning(runs: Sequence[Run], settings: TrainDiffusionSettings) -> Estimate | None:
    """Estimate what a fine-tuning takes; None where nothing like it was trained here: devices differ too much.

    Args:
        runs: Of the project.
        settings: Of the one that is planned.
    """
    step_s = measured_step_s(runs, settings, steps_of=lambda known: known.optimization.steps, load_of=_load_of_tuning)
    return None if step_s is None else Estimate(START_S + settings.optimization.steps * step_s, is_measured=True)


def _load_of_tuning(settings: TrainDiffusionSettings) -> Hashable:
    optimization = settings.optimization
    return (
        settings.model,
        settings.method,
        settings.side,
        settings.lora.rank,
        settings.prior.weight > 0,
        optimization.batch_size,
        optimization.accumulate,
        optimization.precision,
        optimization.gradient_checkpointing,
    )
