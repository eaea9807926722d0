"""How long the training of a GAN takes: from what this project's own trainings took, else a stated guess."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from synthstudio.client.experiment_times import START_S, Estimate
from synthstudio.client.training_times import measured_step_s
from synthstudio.domain.records import Run
from synthstudio.settings.train_gan import TrainGanSettings

GUESSED_STEP_S = 0.26
"""Seconds of one step with one crop of 256 px and 32 base channels, on two cores without a GPU."""
GUESSED_MEASURING_S = 60.0
"""Seconds in which a trained GAN is measured against some hundred crops."""
GUESSED_WIDTH_POWER = 1.65
"""Measured there: twice the channels take 3.2 times as long."""


def estimate_training(runs: Sequence[Run], settings: TrainGanSettings) -> Estimate:
    """Estimate what one training takes.

    Args:
        runs: Trainings of GANs in this project.
        settings: Of the one that is planned.
    """
    step_s = measured_step_s(runs, settings, steps_of=lambda known: known.optimization.steps, load_of=_load)
    steps = settings.optimization.steps
    if step_s is None:
        return Estimate(START_S + steps * guessed_step_s(settings), is_measured=False)
    return Estimate(START_S + steps * step_s, is_measured=True)


def guessed_step_s(settings: TrainGanSettings) -> float:
    """Seconds that a step would take on two cores."""
    side, base, batch, _precision = _load(settings)
    width = float((base / 32) ** GUESSED_WIDTH_POWER)
    return GUESSED_STEP_S * batch * (side / 256) ** 2 * width


def _load(settings: TrainGanSettings) -> tuple[int, int, int, str]:
    """What the time of a step depends on most."""
    optimization = settings.optimization
    return (
        settings.crops.side_px,
        settings.network.base_channels,
        optimization.batch_size,
        optimization.precision,
    )


def estimate_measuring(seconds: Sequence[float]) -> float:
    """Seconds of one measuring: as long as the earlier ones took, else a guess."""
    return START_S + (median(seconds) if seconds else GUESSED_MEASURING_S)
