"""Training an upscaler: the form, the curves, samples of held-out patches, and what is gained over bicubic."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QVBoxLayout, QWidget
from typing_extensions import override

from synthstudio.client.upscaler_times import estimate_upscaler
from synthstudio.domain.models import ModelKind
from synthstudio.domain.records import Run
from synthstudio.gui.pages.generate.diffusion.upscaler_facts import cut_patches, figure_note, figure_rows
from synthstudio.gui.pages.generate.trainings.facts import TrainingFacts
from synthstudio.gui.pages.generate.trainings.offer import Effort, NextThing, Offer
from synthstudio.gui.pages.generate.trainings.panel import TrainingPanel
from synthstudio.gui.pages.generate.trainings.sample_strip import SampleStrip
from synthstudio.gui.pages.generate.trainings.side import TrainingSide
from synthstudio.gui.pages.generate.trainings.words import TrainingWords
from synthstudio.gui.theme import GRID_PX, scaled_px
from synthstudio.gui.widgets.wrapped_label import WrappedLabel
from synthstudio.gui.workspace import Workspace
from synthstudio.project import Project
from synthstudio.settings.train_upscaler import TrainUpscalerSettings

WORDS = TrainingWords(
    id_prefix="diffusion.upscaler_",
    name="the upscaler",
    start="Train the upscaler",
    nothing="No upscaler has been trained yet.",
    advice="It learns from small and large patches of your own images how to enlarge others. The compact network needs"
    " minutes and no GPU. Choose a preset on the right and press “Train the upscaler”.",
)
TITLES = {"loss": "Loss", "psnr": "PSNR in dB", "ssim": "SSIM"}
NO_IMAGES = NextThing(
    "No images to learn from yet.",
    "An upscaler learns from the images of the train split, or from a guide set.",
    "Import images",
    "import",
)
FIGURES_WIDTH_PX = 340
HEADS = ("", "Upscaler", "Bicubic", "Gain")


class UpscalerFigures(QFrame):
    """PSNR and SSIM beside those of bicubic enlargement."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.note = WrappedLabel("muted", self)
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(3 * GRID_PX)
        self._grid.setVerticalSpacing(GRID_PX)
        column = QVBoxLayout(self)
        column.setSpacing(2 * GRID_PX)
        column.addLayout(self._grid)
        column.addWidget(self.note)
        column.addStretch(1)
        self._texts: list[str] = []
        self.show_run(None)

    @property
    def texts(self) -> list[str]:
        """What stands in the table, row after row."""
        return self._texts

    def show_run(self, run: Run | None) -> None:
        """Show the figures of a training; a sentence where it has none yet."""
        while (item := self._grid.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()
        rows = figure_rows(run)
        self._texts = [text for row in rows for text in row]
        for row, texts in enumerate((HEADS, *rows) if rows else ()):
            for column, text in enumerate(texts):
                label = QLabel(text, self)
                label.setProperty("muted", row == 0 or column == 0)
                label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
                self._grid.addWidget(label, row, column, Qt.AlignmentFlag.AlignTop)
        self.note.setText(figure_note(run))


class UpscalerTrainingPanel(TrainingPanel[TrainUpscalerSettings]):
    """One training of an upscaler at a time; the form of a new one beside it."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(
            workspace,
            parent,
            words=WORDS,
            titles=TITLES,
            samples=SampleStrip(workspace.background, cut=cut_patches),
            records=frozenset({"models", "guides", "fovs", "samples"}),
        )

    @override
    def _build_beside(self) -> None:
        self.figures = UpscalerFigures(self.foot)
        self.foot.addWidget(self.figures)
        self.foot.setStretchFactor(0, 1)
        self.foot.setStretchFactor(1, 0)
        self.figures.setMinimumWidth(scaled_px(FIGURES_WIDTH_PX))

    @override
    def set_facts(self, facts: TrainingFacts[TrainUpscalerSettings] | None) -> None:
        """Show a training, or none."""
        super().set_facts(facts)
        self.figures.show_run(facts.run if facts is not None else None)

    @override
    def _make_side(self, parent: QWidget) -> TrainingSide[TrainUpscalerSettings]:
        return TrainingSide(TrainUpscalerSettings, parent, start=WORDS.start, chosen=("model", "guides"))

    @override
    def _read_offer(self, project: Project) -> Offer:
        kinds = (ModelKind.COMPACT_UPSCALER, ModelKind.DIFFUSION_UPSCALER)
        models = [(each.name, f"{each.name} · {each.kind.words.lower()}") for each in project.models.list(*kinds)]
        guides = [(each.name, each.name) for each in project.guides.list()]
        choices = {
            "model": [("", "random numbers"), *models],
            "guides": [("", "the train split"), *guides],
        }
        return Offer(choices, None if guides or project.fovs.list() else NO_IMAGES)

    @override
    def _estimate(self, project: Project, settings: TrainUpscalerSettings) -> Effort:
        warning = ""
        if settings.method == "diffusion" and not settings.model:
            warning = "The diffusion upscaler is trained further from a local model: choose one, or bring one in."
        time = estimate_upscaler(project.runs.list(kind=settings.kind), settings)
        text = f"{time.words[:1].upper()}{time.words[1:]}." if time is not None else ""
        return Effort(text, warning)
