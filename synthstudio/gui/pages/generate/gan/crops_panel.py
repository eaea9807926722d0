"""The crops that a GAN would learn from: many at once, with their maps, before anything is trained."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from pydantic import ValidationError
from PySide6.QtCore import QTimer, Signal, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget
from typing_extensions import override

from synthstudio.domain.errors import UserError
from synthstudio.domain.records import Changes, Role, Run
from synthstudio.gui.actions import ActionSpec
from synthstudio.gui.errors import report
from synthstudio.gui.pages.generate.gan.crop_pictures import CropPictures
from synthstudio.gui.pages.generate.gan.crop_reader import CropReader, CropWish, CutCrop, PlannedCrops
from synthstudio.gui.pages.generate.gan.crop_side import CropSide
from synthstudio.gui.pages.generate.gan.crop_specs import CropParts, crop_specs
from synthstudio.gui.theme import GRID_PX, scaled_px
from synthstudio.gui.widgets.next_step import NextStep
from synthstudio.gui.widgets.segments import Segments
from synthstudio.gui.widgets.wrapped_label import WrappedLabel
from synthstudio.gui.workspace import Workspace
from synthstudio.project.region_crops import CropSplit
from synthstudio.settings.train_gan import TrainGanSettings

SIDE_WIDTH_PX = 356
REPLAN_MS = 200
"""A dragged slider, or a hand that draws boxes, tells many changes; they are planned for together."""
RECORDS = frozenset({"annotations", "fovs", "classes", "samples", "tones"})
MAX_NOTES = 4
PLANNING = "Looking for regions…"


class GanCropsPanel(QWidget):
    """Joins settings, reader and pictures.

    Signals:
        settings_changed: (`TrainGanSettings`) The settings of the crops were changed here; all others are defaults.
        page_requested: What would help: "annotations".
    """

    settings_changed = Signal(object)
    page_requested = Signal(str)
    actions_outdated = Signal()
    """Other actions may be possible now."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._planned: PlannedCrops | None = None
        self._run: Run | None = None
        self._is_stale = True
        self._side: CropSide | None = None
        self._taken: TrainGanSettings | None = None
        self.reader = CropReader(workspace, self)
        self.stack = QStackedWidget(self)
        self.notice = NextStep(parent=self.stack)
        self.content = QWidget(self.stack)
        self.pictures = CropPictures(self.content)
        self.splits = Segments(
            (("train", "Training", "Crops that are learned from"), ("val", "Validation", "Crops that are held out")),
            self.content,
        )
        self.splits.set_value("train")
        self._split: CropSplit = "train"
        self.facts = WrappedLabel("muted", self.content)
        self.notes = WrappedLabel("muted", self.content)
        self.side_holder = QWidget(self)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(REPLAN_MS)
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        foot = QHBoxLayout()
        foot.setContentsMargins(2 * GRID_PX, GRID_PX, 2 * GRID_PX, 2 * GRID_PX)
        foot.setSpacing(3 * GRID_PX)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self.facts)
        words.addWidget(self.notes)
        self.splits.fit_texts()
        foot.addWidget(self.splits)
        foot.addLayout(words, 1)
        column = QVBoxLayout(self.content)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.pictures, 1)
        column.addLayout(foot)
        self.stack.addWidget(self.notice)
        self.stack.addWidget(self.content)
        self.side_holder.setFixedWidth(scaled_px(SIDE_WIDTH_PX))
        holder = QVBoxLayout(self.side_holder)
        holder.setContentsMargins(0, 0, 0, 0)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.stack, 1)
        layout.addWidget(self.side_holder)

    def _connect(self) -> None:
        self._workspace.project_changed.connect(self._on_workspace_project_changed)
        self._workspace.records_changed.connect(self._on_workspace_records_changed)
        self._timer.timeout.connect(self.replan)
        self.reader.planned.connect(self._on_reader_planned)
        self.reader.planning_failed.connect(self._on_reader_planning_failed)
        self.reader.crop_cut.connect(self._on_reader_crop_cut)
        self.reader.cutting_failed.connect(self._on_reader_cutting_failed)
        self.pictures.range_changed.connect(self._cut)
        self.pictures.seed_requested.connect(self.draw_another_seed)
        self.splits.chosen.connect(self.choose_split)
        self.notice.button_clicked.connect(lambda: self.page_requested.emit("annotations"))

    @property
    def side(self) -> CropSide:
        """The settings of the crops; made when they are first wanted."""
        if self._side is None:
            self._side = CropSide(self.side_holder)
            self._side.setProperty("panel", True)
            if self._taken is not None:
                self._side.take_settings(self._taken)
            layout = self.side_holder.layout()
            assert layout is not None  # made in `_lay_out`
            layout.addWidget(self._side)
            self._side.settings_changed.connect(self._on_side_settings_changed)
            self._offer_classes()
        return self._side

    def set_run(self, run: Run | None) -> None:
        """The chosen GAN, whose crops can be looked at again."""
        self._run = run
        self.actions_outdated.emit()

    def take_settings(self, settings: TrainGanSettings) -> None:
        """Use the settings of the crops of a training; tells nobody."""
        self._taken = settings
        if self._side is not None:
            self._side.blockSignals(True)
            self._side.take_settings(settings)
            self._side.blockSignals(False)
            self._replan_soon()

    def show_crops_of_run(self) -> None:
        """Use the settings that the chosen GAN has learned with."""
        if self._run is None:
            return
        try:
            self.side.take_settings(TrainGanSettings.model_validate_json(self._run.settings_json))
        except ValidationError:
            report(
                UserError("The settings of this training are of another version.", "Set the crops by hand."),
                parent=self,
            )

    @Slot(str)
    def choose_split(self, split: CropSplit) -> None:
        """Show the crops that train, or those that are held out."""
        self._split = split
        self.splits.set_value(split)
        self.replan()

    @Slot()
    def draw_another_seed(self) -> None:
        """Draw other windows from the same settings."""
        self.side.form.show_value("seed", secrets.randbelow(100_000))

    # What is shown

    @override
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._is_stale:
            self.replan()

    @Slot()
    def replan(self) -> None:
        """Plan the crops anew, off the GUI thread, where the panel is seen."""
        self._is_stale = not self.isVisible()
        if self._is_stale:
            return
        settings = self.side.form.find_settings()
        if self._workspace.project is None:
            self._show_notice("No project is open", "Open one to see the crops that a GAN would learn from.", "")
        elif settings is not None:
            if self._planned is None:
                self.notice.show_step(PLANNING, "")
            self.reader.plan(CropWish(settings, self._split))

    def _replan_soon(self) -> None:
        self._is_stale = True
        if self.isVisible():
            self._timer.start()

    @Slot(object)
    def _on_reader_planned(self, planned: PlannedCrops) -> None:
        self._planned = planned
        self.side.show_counts(planned)
        self.facts.setText(_facts(planned))
        self.notes.setText("\n".join(_shortened(planned.plans.notes)))
        self.notes.setVisible(bool(planned.plans.notes))
        self.notes.setToolTip("\n".join(planned.plans.notes))
        self.pictures.set_total(len(planned.crops))
        self.stack.setCurrentWidget(self.content)
        self._cut()
        self.actions_outdated.emit()

    @Slot(object)
    def _on_reader_planning_failed(self, error: Exception) -> None:
        if not isinstance(error, UserError):
            report(error, parent=self)
            return
        self._show_notice(error.message, error.hint, "Go to Annotate")

    def _show_notice(self, title: str, text: str, button: str) -> None:
        self._planned = None
        self.pictures.clear()
        if self._side is not None:
            self._side.show_counts(None)
        self.notice.show_step(title, text, button)
        self.stack.setCurrentWidget(self.notice)
        self.actions_outdated.emit()

    @Slot()
    def _cut(self) -> None:
        planned = self._planned
        if planned is None:
            return
        first = self.pictures.first.value()
        crops = planned.crops[first : first + self.pictures.count.value()]
        self.pictures.expect(crops, planned.colors, planned.plans.tone_levels)
        self.reader.cut(planned, crops)
        self.actions_outdated.emit()

    @Slot(int, object)
    def _on_reader_crop_cut(self, place: int, cut: CutCrop) -> None:
        self.pictures.show_crop(place, cut)

    @Slot(object)
    def _on_reader_cutting_failed(self, error: Exception) -> None:
        if isinstance(error, UserError):
            self.notes.setText(str(error))
            self.notes.show()
        else:
            report(error, parent=self)

    # What makes it outdated

    @Slot(object)
    def _on_side_settings_changed(self, settings: TrainGanSettings) -> None:
        self.settings_changed.emit(settings)
        self._replan_soon()

    @Slot()
    def _on_workspace_project_changed(self) -> None:
        self.reader.forget()
        self._show_notice("", "", "")
        self._offer_classes()
        self._replan_soon()

    @Slot(object)
    def _on_workspace_records_changed(self, changed: Changes) -> None:
        if changed.kinds & RECORDS:
            if "classes" in changed.kinds:
                self._offer_classes()
            self._replan_soon()

    def _offer_classes(self) -> None:
        project = self._workspace.project
        if self._side is not None:
            classes = project.classes.list() if project is not None else []
            self._side.offer_classes([(each.name, each.name) for each in classes if each.role is not Role.ARTIFACT])

    def actions(self) -> Sequence[ActionSpec]:  # type: ignore[override]  # the pages' word, not QWidget's list of QActions
        """What can be done here."""
        return crop_specs(
            CropParts(
                self.pictures,
                has_crops=lambda: self._planned is not None,
                draw_another_seed=self.draw_another_seed,
                has_run=lambda: self._run is not None,
                show_crops_of_run=self.show_crops_of_run,
            )
        )


def _facts(planned: PlannedCrops) -> str:
    crops, counted = planned.crops, planned.counted.n_per_crop
    n_images = len(planned.plans.fov_ids)
    low, high = int(counted.min()), int(counted.max())
    regions = f"{low}" if low == high else f"{low} to {high}"
    return (
        f"{len(crops)} crops of {n_images} image{'s' if n_images > 1 else ''}, {regions} "
        f"region{'s' if high > 1 else ''} on each."
    )


def _shortened(notes: Sequence[str]) -> list[str]:
    if len(notes) <= MAX_NOTES:
        return list(notes)
    return [*notes[: MAX_NOTES - 1], f"… and {len(notes) - MAX_NOTES + 1} more remarks."]
