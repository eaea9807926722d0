"""How long the training of an upscaler takes: from what this project's own trainings took, else a guess."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from synthstudio.client.experiment_times import START_S, Estimate
from synthstudio.client.training_times import measured_step_s
from synthstudio.domain.records import Run
from synthstudio.settings.train_upscaler import TrainUpscalerSettings

GUESSED_STEP_S = 0.15
"""Seconds of one step with 16 patches of 32 px, 32 channels and 6 layers, on two cores without a GPU."""


def estimate_upscaler(runs: Sequence[Run], settings: TrainUpscalerSettings) -> Estimate | None:
    """Estimate what a training takes; None for a diffusion upscaler unlike any trained here: devices differ too much.

    Args:
        runs: Of the project.
        settings: Of the one that is planned.
    """
    steps, step_s = settings.optimization.steps, None
    step_s = measured_step_s(runs, settings, steps_of=lambda known: known.optimization.steps, load_of=_load)
    if step_s is not None:
        return Estimate(START_S + steps * step_s, is_measured=True)
    if settings.method == "diffusion":
        return None
    width, depth = settings.network.channels / 32, (settings.network.layers + 2) / 8
    area = settings.optimization.batch_size / 16 * (settings.pairs.small_side / 32) ** 2
    return Estimate(START_S + steps * GUESSED_STEP_S * area * width**2 * depth, is_measured=False)


def _load(settings: TrainUpscalerSettings) -> Hashable:
    optimization = settings.optimization
    return (
        settings.method,
        settings.model,
        settings.times,
        settings.pairs.small_side,
        settings.network,
        optimization.batch_size,
        optimization.precision,
    )
