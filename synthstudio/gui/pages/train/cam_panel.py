"""The class activation map on the current field: one run, or two beside each other with linked views."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QSlider,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from synthstudio.domain.ids import FovId, RunId
from synthstudio.domain.records import Changes, ObjectClass, Role
from synthstudio.gui.canvas.pyramid import ImagePyramid
from synthstudio.gui.canvas.view_state import ViewState, fit_scale
from synthstudio.gui.pages.train.cam_pane import CamField, CamLook, CamPane, load_cam
from synthstudio.gui.pages.train.run_facts import TrainingFacts
from synthstudio.gui.theme import GRID_PX
from synthstudio.gui.widgets.class_chips import color_icon
from synthstudio.gui.widgets.wheel_guard import guard_wheel
from synthstudio.gui.workspace import Workspace

NOTHING, ANNOTATIONS = "", "annotations"
PERCENT = 100


class CamControls(QWidget):
    """Class, opacity, threshold, what else is drawn, and what stands beside."""

    changed = Signal()
    beside_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.classes = QComboBox(self)
        self.opacity = _percent_slider("Opacity", 60)
        self.threshold = _percent_slider("Threshold", 10)
        self.threshold.setToolTip("What lies below this share of the scale stays clear.")
        self.peaks = QCheckBox("Predicted centres", self)
        self.marks = QCheckBox("Annotations", self)
        self.only = QCheckBox("Of this class only", self)
        for box in (self.peaks, self.marks, self.only):
            box.setChecked(True)
        self.peaks.setToolTip("Peaks of the map above the threshold that was chosen on validation, as crosses.")
        self.beside = QComboBox(self)
        self.beside.setToolTip("A second view of the same field; both move together.")
        self.opacity_value, self.threshold_value = QLabel("60 %"), QLabel("10 %")
        for combo, name in ((self.classes, "Class"), (self.beside, "Beside")):
            combo.setAccessibleName(name)
            combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            guard_wheel(combo)
        self._lay_out()
        self.classes.currentIndexChanged.connect(self.changed)
        self.opacity.valueChanged.connect(self._on_slider_value_changed)
        self.threshold.valueChanged.connect(self._on_slider_value_changed)
        for box in (self.peaks, self.marks, self.only):
            box.toggled.connect(self.changed)
        self.beside.currentIndexChanged.connect(self.beside_changed)

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.setVerticalSpacing(2 * GRID_PX)
        form.addRow("Class", self.classes)
        form.addRow("Opacity", _beside(self.opacity, self.opacity_value))
        form.addRow("Threshold", _beside(self.threshold, self.threshold_value))
        form.addRow(self.peaks)
        form.addRow(self.marks)
        form.addRow(self.only)
        form.addRow("Beside", self.beside)
        note = QLabel(
            "Colours have one fixed scale per class and run: a field without evidence stays clear, and two fields can "
            "be compared.",
            self,
        )
        note.setWordWrap(True)
        note.setProperty("muted", True)
        note.setProperty("small", True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(3 * GRID_PX, 3 * GRID_PX, 3 * GRID_PX, 3 * GRID_PX)
        layout.addLayout(form)
        layout.addWidget(note)
        layout.addStretch(1)

    def look(self) -> CamLook:
        """What the controls say."""
        return CamLook(
            class_name=self.classes.currentText(),
            opacity=self.opacity.value() / PERCENT,
            threshold=self.threshold.value() / PERCENT,
            has_peaks=self.peaks.isChecked(),
        )

    def set_classes(self, classes: Sequence[ObjectClass]) -> None:
        """Offer these; the chosen one stays chosen."""
        kept = self.classes.currentText()
        self.classes.blockSignals(True)
        self.classes.clear()
        for item in classes:
            self.classes.addItem(color_icon(item.color), item.name)
        self.classes.setCurrentIndex(max(0, self.classes.findText(kept)))
        self.classes.blockSignals(False)
        self.changed.emit()

    def set_runs(self, runs: Sequence[TrainingFacts]) -> None:
        """Offer these to stand beside."""
        kept = self.beside.currentData()
        self.beside.blockSignals(True)
        self.beside.clear()
        self.beside.addItem("Nothing", NOTHING)
        self.beside.addItem("Image and annotations", ANNOTATIONS)
        for each in runs:
            self.beside.addItem(each.name, each.run.id)
            self.beside.setItemData(self.beside.count() - 1, each.run.id, Qt.ItemDataRole.ToolTipRole)
        self.beside.setCurrentIndex(max(0, self.beside.findData(kept)))
        self.beside.blockSignals(False)

    @Slot()
    def _on_slider_value_changed(self) -> None:
        self.opacity_value.setText(f"{self.opacity.value()} %")
        self.threshold_value.setText(f"{self.threshold.value()} %")
        self.changed.emit()


def _beside(slider: QSlider, value: QLabel) -> QHBoxLayout:
    """A slider with its number, in the room that the longest number needs: nothing moves while it is dragged."""
    value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    value.setMinimumWidth(value.fontMetrics().horizontalAdvance("100 %") + GRID_PX)
    row = QHBoxLayout()
    row.setSpacing(2 * GRID_PX)
    row.addWidget(slider, 1)
    row.addWidget(value)
    return row


def _percent_slider(name: str, value: int) -> QSlider:
    slider = QSlider(Qt.Orientation.Horizontal)
    slider.setRange(0, PERCENT)
    slider.setValue(value)
    slider.setAccessibleName(name)
    guard_wheel(slider)
    return slider


class CamPanel(QWidget):
    """Shows the maps of the chosen run on the current field."""

    explain_requested = Signal(object, object)
    """`RunId` and `FovId` of the map that is wanted."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._chosen: TrainingFacts | None = None
        self._trainings: dict[str, TrainingFacts] = {}
        self._pending: set[tuple[RunId, FovId]] = set()
        self._is_linked = False
        self.controls = CamControls()
        self.main = CamPane(workspace, self)
        self.beside = CamPane(workspace, self)
        self.beside.hide()
        self.splitter = QSplitter(Qt.Orientation.Horizontal, self)
        self.splitter.addWidget(self.main)
        self.splitter.addWidget(self.beside)
        self.splitter.setSizes([1, 1])
        self.splitter.setChildrenCollapsible(False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.splitter)
        self.main.view.set_placeholder("Choose a field in the list on the left.")
        self.main.view.view_changed.connect(self._on_view_changed)
        self.main.compute_requested.connect(self._on_main_compute_requested)
        self.beside.compute_requested.connect(self._on_beside_compute_requested)
        self.controls.changed.connect(self._on_controls_changed)
        self.controls.beside_changed.connect(self.refresh)
        workspace.current_fov_changed.connect(self._on_workspace_current_fov_changed)
        workspace.records_changed.connect(self._on_workspace_records_changed)

    def show_runs(
        self, chosen: TrainingFacts | None, trainings: Sequence[TrainingFacts], pending: set[tuple[RunId, FovId]]
    ) -> None:
        """Show the maps of this run; `pending` are maps that are being computed."""
        self._chosen = chosen
        self._pending = pending
        self._trainings = {each.run.id: each for each in trainings}
        others = [each for each in trainings if chosen is None or each.run.id != chosen.run.id]
        self.controls.set_runs([each for each in others if each.score is not None or each.cams])
        project = self._workspace.project
        classes = project.classes.list() if project is not None else []
        self.controls.set_classes([item for item in classes if item.role is Role.OBJECT])
        self.refresh()

    @Slot()
    def refresh(self) -> None:
        """Show the current field anew, with all that belongs to it."""
        project, fov_id = self._workspace.project, self._workspace.current_fov_id
        beside = self.controls.beside.currentData() or NOTHING
        self.beside.setVisible(beside != NOTHING)
        self._link(beside != NOTHING)
        if not self.isVisible():
            return
        if project is None or fov_id is None:
            self.main.set_image(None)
            self.beside.set_image(None)
            return
        self._workspace.load_fov_image(fov_id, lambda pyramid: self._on_image_loaded(fov_id, pyramid), self)

    def _link(self, is_linked: bool) -> None:
        """Let both views move together; a hidden one must not, or its own size would undo the fit of the other."""
        if is_linked == self._is_linked:
            return
        self._is_linked = is_linked
        if is_linked:
            self.main.view.link_view(self.beside.view)
        else:
            self.main.view.unlink_view(self.beside.view)

    def _on_image_loaded(self, fov_id: FovId, pyramid: ImagePyramid) -> None:
        if fov_id != self._workspace.current_fov_id:
            return
        kept = self._workspace.view_state
        for pane in (self.main, self.beside):
            if pane.view.pyramid is not pyramid:
                pane.set_image(pyramid)
        if kept is not None:
            self.main.view.set_view_state(kept)
        else:
            self.main.view.fit()
        self._show_annotations()
        self._show_cams(fov_id)

    def _show_annotations(self) -> None:
        project, fov_id = self._workspace.project, self._workspace.current_fov_id
        if project is None or fov_id is None:
            return
        fov, classes = project.fovs.get(fov_id), project.classes.list()
        marks = project.annotations.list(fov_id)
        for pane in (self.main, self.beside):
            pane.set_annotations(fov, marks, classes)
        self._hide_marks(classes)

    def _hide_marks(self, classes: Sequence[ObjectClass]) -> None:
        chosen, only = self.controls.classes.currentText(), self.controls.only.isChecked()
        others = {item.id for item in classes if only and item.name != chosen}
        everything = {item.id for item in classes}
        self.main.set_hidden_classes(others if self.controls.marks.isChecked() else everything)
        is_reference = self.controls.beside.currentData() == ANNOTATIONS
        self.beside.set_hidden_classes(others if is_reference or self.controls.marks.isChecked() else everything)

    def _show_cams(self, fov_id: FovId) -> None:
        self._show_cam(self.main, self._chosen, fov_id)
        data = self.controls.beside.currentData() or NOTHING
        if data == ANNOTATIONS:
            self.beside.set_title("Annotations")
            self.beside.set_cam(None, can_compute=False)
        elif data in self._trainings:
            self._show_cam(self.beside, self._trainings[data], fov_id)

    def _show_cam(self, pane: CamPane, training: TrainingFacts | None, fov_id: FovId) -> None:
        if training is None:
            pane.set_title("")
            pane.set_cam(None, can_compute=False, words="Train a classifier to see where it looks.")
            return
        pane.set_title(training.name)
        folder = training.cams.get(fov_id)
        if folder is None:
            is_pending = (training.run.id, fov_id) in self._pending
            words = "Being computed…" if is_pending else "This run has no class activation map of this field yet."
            if training.score is None:
                words = "This run has not finished: there is no network to explain."
            pane.set_cam(None, can_compute=training.score is not None and not is_pending, words=words)
            return
        self._load(pane, training, fov_id, folder)

    def _load(self, pane: CamPane, training: TrainingFacts, fov_id: FovId, folder: Path) -> None:
        def show(loaded: CamField) -> None:
            if fov_id == self._workspace.current_fov_id and pane.title.text() == training.name:
                pane.set_look(self.controls.look())
                pane.set_cam(loaded, can_compute=False)

        self._workspace.background.run(lambda _tick: load_cam(folder), done=show, owner=self, priority=1)

    @Slot()
    def _on_controls_changed(self) -> None:
        look, project = self.controls.look(), self._workspace.project
        self.main.set_look(look)
        self.beside.set_look(look)
        if project is not None:
            self._hide_marks(project.classes.list())

    @Slot()
    def _on_main_compute_requested(self) -> None:
        if self._chosen is not None and self._workspace.current_fov_id is not None:
            self.explain_requested.emit(self._chosen.run.id, self._workspace.current_fov_id)

    @Slot()
    def _on_beside_compute_requested(self) -> None:
        run_id = self.controls.beside.currentData()
        if run_id in self._trainings and self._workspace.current_fov_id is not None:
            self.explain_requested.emit(RunId(run_id), self._workspace.current_fov_id)

    @Slot(object)
    def _on_view_changed(self, state: ViewState) -> None:
        view, fov_id = self.main.view, self._workspace.current_fov_id
        if not self.isVisible() or view.pyramid is None or fov_id is None:
            return
        fitted = fit_scale(view.pyramid.width, view.pyramid.height, width=view.width(), height=view.height())
        if math.isclose(state.scale, fitted, rel_tol=1e-6):
            self._workspace.view_states.pop(fov_id, None)  # fitted stays fitted, whatever size the view gets
        else:
            self._workspace.view_state = state

    @Slot(object)
    def _on_workspace_current_fov_changed(self, _fov_id: object) -> None:
        self.refresh()

    @Slot(object)
    def _on_workspace_records_changed(self, changed: Changes) -> None:
        if self.isVisible() and changed.kinds & {"annotations", "classes"}:
            self._show_annotations()
