"""Training a GAN: its settings, its curves, and what it makes of the same maps as it learns."""

from __future__ import annotations

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QWidget
from typing_extensions import override

from synthstudio.client.gan_times import estimate_training
from synthstudio.gui.pages.generate.gan.sample_maps import MapSampleStrip
from synthstudio.gui.pages.generate.trainings.offer import Effort, Offer, learned_classes, missing_marks
from synthstudio.gui.pages.generate.trainings.panel import TrainingPanel
from synthstudio.gui.pages.generate.trainings.side import TrainingSide
from synthstudio.gui.pages.generate.trainings.words import TrainingWords
from synthstudio.gui.workspace import Workspace
from synthstudio.project import Project
from synthstudio.settings.train_gan import TrainGanSettings

WORDS = TrainingWords(
    id_prefix="gan.",
    name="the GAN",
    start="Train the GAN",
    nothing="No GAN has been trained yet.",
    advice="It learns from images with boxes around the conditions, and makes new ones from maps that say where which"
    " condition is, in which tone. Choose a preset on the right and press “Train the GAN”.",
)
TITLES = {
    "loss": "Losses",
    "discriminator": "Judged right",
    "validation": "Grey levels off",
    "kid": "KID",
}
SHARED = ("crops", "classes", "validation_share", "seed")
"""Settings that decide about the crops."""


class GanTrainingPanel(TrainingPanel[TrainGanSettings]):
    """One training of a GAN at a time; the form of a new one beside it."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(
            workspace,
            parent,
            words=WORDS,
            titles=TITLES,
            samples=MapSampleStrip(workspace),
            records=frozenset({"classes", "fovs", "annotations"}),
        )
        self._crops: TrainGanSettings | None = None  # for the form that is not there yet

    @override
    def _make_side(self, parent: QWidget) -> TrainingSide[TrainGanSettings]:
        side = TrainingSide(TrainGanSettings, parent, start=WORDS.start, chosen=("classes",))
        if self._crops is not None:
            side.take(self._crops, SHARED)
        return side

    @override
    def _read_offer(self, project: Project) -> Offer:
        return Offer({"classes": learned_classes(project)}, missing_marks(project))

    @override
    def _estimate(self, project: Project, settings: TrainGanSettings) -> Effort:
        words = estimate_training(project.runs.list(kind=settings.kind), settings).words
        return Effort(f"{words[:1].upper()}{words[1:]}.")

    @Slot(object)
    def take_crops(self, settings: TrainGanSettings) -> None:
        """Take over what decides about the crops, from where they are looked at."""
        self._crops = settings
        if self._side is not None:
            self._side.take(settings, SHARED)
