"""Fine-tuning a local Stable Diffusion on guide images: its settings, its curves, samples and checkpoints."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QWidget
from typing_extensions import override

from synthstudio.client.device_memory import find_device_memory
from synthstudio.client.diffusion_times import estimate_tuning
from synthstudio.client.tuning_room import describe_room
from synthstudio.domain.ids import RunId
from synthstudio.domain.models import ModelKind
from synthstudio.domain.progress import Tick
from synthstudio.gui.actions import ActionSpec
from synthstudio.gui.pages.generate.diffusion.checkpoint_facts import Checkpoint, cut_prompts, read_checkpoints
from synthstudio.gui.pages.generate.diffusion.checkpoint_list import CheckpointList
from synthstudio.gui.pages.generate.trainings.offer import Effort, NextThing, Offer
from synthstudio.gui.pages.generate.trainings.panel import TrainingPanel
from synthstudio.gui.pages.generate.trainings.sample_strip import SampleStrip
from synthstudio.gui.pages.generate.trainings.side import TrainingSide
from synthstudio.gui.pages.generate.trainings.words import TrainingWords
from synthstudio.gui.theme import scaled_px
from synthstudio.gui.workspace import Workspace
from synthstudio.project import Project
from synthstudio.settings.train_diffusion import TrainDiffusionSettings

WORDS = TrainingWords(
    id_prefix="diffusion.tuning_",
    name="the fine-tuning",
    start="Fine-tune the model",
    nothing="Nothing has been fine-tuned yet.",
    advice="The base model learns the subject of your guide images, and makes new ones from prompts. Choose a preset on"
    " the right and press “Fine-tune the model”.",
)
TITLES = {"loss": "Losses", "rate": "Rates"}
NO_MODEL = NextThing(
    "No base model yet.",
    "Fine-tuning begins with a Stable Diffusion that lies on this computer. Without one, train from scratch instead.",
    "Bring in a model",
    "Models",
)
NO_GUIDES = NextThing(
    "No guide images yet.",
    "Ten images with captions are enough to begin with.",
    "Choose guide images",
    "Guides",
)
LIST_WIDTH_PX = 260
PLOTS, LIST = range(2)
MENU = "Generate"


class TunedTrainingPanel(TrainingPanel[TrainDiffusionSettings]):
    """One fine-tuning at a time, with its checkpoints; the form of a new one beside it."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(
            workspace,
            parent,
            words=WORDS,
            titles=TITLES,
            samples=SampleStrip(workspace.background, cut=cut_prompts),
            records=frozenset({"models", "guides"}),
        )
        self.samples.samples_changed.connect(self._on_samples_changed)
        self.checkpoints.selection_changed.connect(self._on_checkpoints_selection_changed)

    @override
    def _build_beside(self) -> None:
        self.checkpoints = CheckpointList(self.foot)
        self.foot.addWidget(self.checkpoints)
        self.foot.setStretchFactor(PLOTS, 1)
        self.foot.setStretchFactor(LIST, 0)
        self.checkpoints.setMinimumWidth(scaled_px(LIST_WIDTH_PX))

    # The form

    @override
    def _make_side(self, parent: QWidget) -> TrainingSide[TrainDiffusionSettings]:
        return TrainingSide(TrainDiffusionSettings, parent, start=WORDS.start, chosen=("model", "guides"))

    @override
    def _read_offer(self, project: Project) -> Offer:
        models = [each.name for each in project.models.list(ModelKind.STABLE_DIFFUSION)]
        guides = [each.name for each in project.guides.list()]
        choices = {"model": [(name, name) for name in models], "guides": [(name, name) for name in guides]}
        return Offer(choices, NO_MODEL if not models else NO_GUIDES if not guides else None)

    @override
    def _estimate(self, project: Project, settings: TrainDiffusionSettings) -> Effort:
        time = estimate_tuning(project.runs.list(kind=settings.kind), settings)
        room, trouble = describe_room(project, settings, find_device_memory())
        return Effort(room if time is None else f"{time.words[:1].upper()}{time.words[1:]}. {room}", trouble)

    # The checkpoints

    @override
    def _show_run(self) -> None:
        super()._show_run()
        self._read_checkpoints()

    @Slot()
    def _on_samples_changed(self) -> None:
        """A sample is made with every checkpoint: there may be another one."""
        shown = self.samples.shown_step
        if shown is not None and str(shown) not in self.checkpoints.table.keys:
            self._read_checkpoints()
        self.checkpoints.select(shown)

    def _read_checkpoints(self) -> None:
        project, run_id = self._workspace.project, self._run_id
        if project is None or run_id is None:
            self.checkpoints.show_checkpoints(())
            return
        if not self.isVisible():
            return  # read when it is shown

        def read(_tick: Tick) -> list[Checkpoint]:
            return read_checkpoints(project, run_id)

        self._workspace.background.run(read, done=lambda found: self._show_checkpoints(run_id, found), owner=self)

    def _show_checkpoints(self, run_id: RunId, found: Sequence[Checkpoint]) -> None:
        if run_id == self._run_id:
            self.checkpoints.show_checkpoints(found)
            self.checkpoints.select(self.samples.shown_step)
            self.actions_outdated.emit()

    @Slot(int)
    def _on_checkpoints_selection_changed(self, step: int) -> None:
        if step in self.samples.steps and step != self.samples.shown_step:
            self.samples.choose(self.samples.steps.index(step))
        self.actions_outdated.emit()

    @override
    def actions(self) -> Sequence[ActionSpec]:  # type: ignore[override]  # the pages' word, see `TrainingPanel`
        """What can be done here."""
        use = ActionSpec(
            "diffusion.use_checkpoint",
            "Make images with the selected checkpoint",
            self.checkpoints.request_use,
            icon="mdi6.image-multiple-outline",
            menu=MENU,
            enabled_when=lambda: self.checkpoints.selected is not None,
        )
        return (*super().actions(), use)
