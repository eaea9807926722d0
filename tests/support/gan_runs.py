"""Trainings of a GAN as they lie in a project, without an engine."""

from __future__ import annotations

from synthstudio.core.training.gan_card import CARD_NAME, WEIGHTS_NAME
from synthstudio.domain.ids import RunId
from synthstudio.domain.records import RunStatus
from synthstudio.project import Project
from synthstudio.settings.train_gan import GanOptimizationSettings, TrainGanSettings
from tests.support.training_runs import N_COLUMNS, N_STEPS, add_sample, add_training_run

__all__ = ["N_CROPS", "add_gan_run", "add_sample"]
N_CROPS = N_COLUMNS


def add_gan_run(
    project: Project,
    *,
    title: str = "",
    samples: tuple[int, ...] = (20, 40, 60),
    status: RunStatus = RunStatus.FINISHED,
    has_generator: bool = True,
    has_checkpoint: bool = False,
    settings: TrainGanSettings | None = None,
    warnings: tuple[str, ...] = (),
) -> RunId:
    """Enter a training with sample pictures and curves; its generator is no network."""
    return add_training_run(
        project,
        settings or TrainGanSettings(optimization=GanOptimizationSettings(steps=N_STEPS, sample_every=20)),
        title=title,
        curves={"loss/image": 0.5, "loss/adversarial": 2.0, "validation/image": 90.0},
        files={CARD_NAME: b"{}", WEIGHTS_NAME: b"{}"} if has_generator else {},
        samples=samples,
        status=status,
        has_checkpoint=has_checkpoint,
        warnings=warnings,
    )
