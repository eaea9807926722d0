"""Training a diffusion model from scratch on one's own crops."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget
from typing_extensions import override

from synthstudio.client.diffusion_times import estimate_patch_training
from synthstudio.gui.pages.generate.gan.sample_maps import MapSampleStrip
from synthstudio.gui.pages.generate.trainings.offer import Effort, Offer, learned_classes, missing_marks
from synthstudio.gui.pages.generate.trainings.panel import TrainingPanel
from synthstudio.gui.pages.generate.trainings.side import TrainingSide
from synthstudio.gui.pages.generate.trainings.words import TrainingWords
from synthstudio.gui.workspace import Workspace
from synthstudio.project import Project
from synthstudio.settings.train_patch_diffusion import TrainPatchDiffusionSettings

WORDS = TrainingWords(
    id_prefix="diffusion.scratch_",
    name="the model from scratch",
    start="Train from scratch",
    nothing="No diffusion model has been trained from scratch yet.",
    advice="It needs no weights from elsewhere: it learns small crops around your annotated objects, and makes new ones"
    " of a class and a tone. Choose a preset on the right and press “Train from scratch”.",
)
TITLES = {"loss": "Loss", "validation": "Held-out loss", "kid": "KID"}


class ScratchPanel(TrainingPanel[TrainPatchDiffusionSettings]):
    """One training from scratch at a time; the form of a new one beside it."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(
            workspace,
            parent,
            words=WORDS,
            titles=TITLES,
            samples=MapSampleStrip(workspace),
            records=frozenset({"classes", "fovs", "annotations"}),
        )

    @override
    def _make_side(self, parent: QWidget) -> TrainingSide[TrainPatchDiffusionSettings]:
        return TrainingSide(TrainPatchDiffusionSettings, parent, start=WORDS.start, chosen=("classes",))

    @override
    def _read_offer(self, project: Project) -> Offer:
        return Offer({"classes": learned_classes(project)}, missing_marks(project))

    @override
    def _estimate(self, project: Project, settings: TrainPatchDiffusionSettings) -> Effort:
        words = estimate_patch_training(project.runs.list(kind=settings.kind), settings).words
        return Effort(f"{words[:1].upper()}{words[1:]}.")
