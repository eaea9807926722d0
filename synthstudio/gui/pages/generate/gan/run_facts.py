"""What is known of the project's GAN trainings. No widgets."""

from __future__ import annotations

from pathlib import Path

from synthstudio.core.training.gan_card import CARD_NAME, WEIGHTS_NAME
from synthstudio.gui.pages.generate.trainings.facts import TrainingFacts, TrainingKind, read_trainings
from synthstudio.project import Project
from synthstudio.settings.train_gan import TrainGanSettings

GanFacts = TrainingFacts[TrainGanSettings]


def _title(settings: TrainGanSettings | None) -> str:
    return "GAN" if settings is None else f"GAN {settings.crops.side} px"


def _has_generator(folder: Path) -> bool:
    return (folder / WEIGHTS_NAME).is_file() and (folder / CARD_NAME).is_file()


GAN_TRAINING = TrainingKind(TrainGanSettings, _title, lambda settings: settings.optimization.steps, _has_generator)


def read_gans(project: Project) -> list[GanFacts]:
    """Read the GAN trainings of which there is something to be seen, newest first."""
    return read_trainings(project, GAN_TRAINING)
