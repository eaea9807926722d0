"""What is known of the project's trainings of diffusion models. No widgets."""

from __future__ import annotations

from pathlib import Path

from synthstudio.core.training.diffusion_card import CARD_NAME, CHECKPOINTS
from synthstudio.core.training.patch_diffusion_card import CARD_NAME as PATCH_CARD_NAME
from synthstudio.core.training.patch_diffusion_card import WEIGHTS_NAME
from synthstudio.gui.pages.generate.trainings.facts import TrainingFacts, TrainingKind, read_trainings
from synthstudio.project import Project
from synthstudio.settings.train_diffusion import TrainDiffusionSettings
from synthstudio.settings.train_patch_diffusion import TrainPatchDiffusionSettings

TunedFacts = TrainingFacts[TrainDiffusionSettings]
PatchFacts = TrainingFacts[TrainPatchDiffusionSettings]
METHODS = {"dreambooth": "DreamBooth", "lora": "LoRA"}


def _tuned_title(settings: TrainDiffusionSettings | None) -> str:
    if settings is None:
        return "Fine-tuning"
    name = METHODS[settings.method]
    return f"{name} on {settings.guides}" if settings.guides else f"{name} {settings.side} px"


def _has_checkpoint(folder: Path) -> bool:
    return (folder / CARD_NAME).is_file() and any((folder / CHECKPOINTS).glob("step-*"))


def _patch_title(settings: TrainPatchDiffusionSettings | None) -> str:
    return "Diffusion" if settings is None else f"Diffusion {settings.crops.side} px"


def _has_denoiser(folder: Path) -> bool:
    return (folder / WEIGHTS_NAME).is_file() and (folder / PATCH_CARD_NAME).is_file()


FINE_TUNING = TrainingKind(
    TrainDiffusionSettings, _tuned_title, lambda settings: settings.optimization.steps, _has_checkpoint
)
FROM_SCRATCH = TrainingKind(
    TrainPatchDiffusionSettings, _patch_title, lambda settings: settings.optimization.steps, _has_denoiser
)


def read_tuned(project: Project) -> list[TunedFacts]:
    """Read the fine-tunings of which there is something to be seen, newest first."""
    return read_trainings(project, FINE_TUNING)


def read_from_scratch(project: Project) -> list[PatchFacts]:
    """Read the trainings from scratch of which there is something to be seen, newest first."""
    return read_trainings(project, FROM_SCRATCH)
