"""The class activation map on the current field: one map, or two beside each other with linked views."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QPoint, Qt, Signal, Slot
from PySide6.QtWidgets import QCheckBox, QSplitter, QVBoxLayout, QWidget

from synthstudio.core.explanation.picture import ClassMap
from synthstudio.domain.ids import FovId, RunId
from synthstudio.domain.progress import Tick
from synthstudio.domain.records import Box, Changes, ObjectClass, Role
from synthstudio.gui.actions import ActionSpec
from synthstudio.gui.canvas.pyramid import ImagePyramid
from synthstudio.gui.canvas.view_state import ViewState, fit_scale
from synthstudio.gui.pages.train.cam_controls import ANNOTATIONS, NOTHING, THIS_RUN, CamControls
from synthstudio.gui.pages.train.cam_files import CamFiles
from synthstudio.gui.pages.train.cam_pane import CamPane
from synthstudio.gui.pages.train.cam_render import METHOD_NAMES, CamField, load_cam
from synthstudio.gui.pages.train.cam_wrong import WrongAnswer, WrongAnswers, read_wrong_answers
from synthstudio.gui.pages.train.run_facts import TrainingFacts
from synthstudio.gui.workspace import Workspace
from synthstudio.settings.explain import CamMethod

CROP_MARGIN = 0.5
"""Of a wrong answer's crop so much more is shown around it, as a share of its side."""
CamWish = tuple[RunId, FovId, CamMethod]
"""A map that is wanted: run, field, method."""


class CamPanel(QWidget):
    """Shows the maps of the chosen run on the current field."""

    explain_requested = Signal(object, object, str)
    """`RunId`, `FovId` and method of the map that is wanted."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._chosen: TrainingFacts | None = None
        self._trainings: dict[str, TrainingFacts] = {}
        self._pending: set[CamWish] = set()
        self._wrong: WrongAnswers | None = None
        self._seen_wrong: WrongAnswer | None = None
        self._is_linked = False
        self.controls = CamControls()
        self.main = CamPane(workspace, self)
        self.beside = CamPane(workspace, self)
        self.beside.hide()
        self._files = CamFiles(workspace, self)
        self.splitter = QSplitter(Qt.Orientation.Horizontal, self)
        self.splitter.addWidget(self.main)
        self.splitter.addWidget(self.beside)
        self.splitter.setSizes([1, 1])
        self.splitter.setChildrenCollapsible(False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.splitter)
        self.main.view.set_placeholder("Choose a field in the list on the left; images are imported under Annotate.")
        self.main.view.view_changed.connect(self._on_view_changed)
        self.main.compute_requested.connect(self._on_main_compute_requested)
        self.beside.compute_requested.connect(self._on_beside_compute_requested)
        self.controls.changed.connect(self._on_controls_changed)
        self.controls.beside_changed.connect(self.refresh)
        self.controls.wrong_requested.connect(self.step_wrong)
        self.controls.export_menu.aboutToShow.connect(self._fill_export_menu)
        self.main.view.context_menu_requested.connect(self._on_view_context_menu_requested)
        workspace.current_fov_changed.connect(self._on_workspace_current_fov_changed)
        workspace.records_changed.connect(self._on_workspace_records_changed)

    def show_runs(
        self, chosen: TrainingFacts | None, trainings: Sequence[TrainingFacts], pending: set[CamWish]
    ) -> None:
        """Show the maps of this run; `pending` are maps that are being computed."""
        if chosen is None or self._chosen is None or chosen.run.id != self._chosen.run.id:
            self._forget_wrong()
        self._chosen = chosen
        self._pending = pending
        self._trainings = {each.run.id: each for each in trainings}
        others = [each for each in trainings if chosen is None or each.run.id != chosen.run.id]
        self.controls.set_runs(chosen, [each for each in others if each.score is not None or each.cams])
        self.controls.set_wrong_enabled(enabled=bool(chosen and chosen.predictions))
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
        self._show_wrong(fov_id)

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
        self._show_cam(self.main, self._chosen, fov_id, self.controls.chosen_method)
        if self.controls.beside.currentData() == ANNOTATIONS:
            self.beside.set_title("Annotations")
            self.beside.set_cam(None, can_compute=False)
        elif (beside := self._training_beside) is not None:
            self._show_cam(self.beside, beside, fov_id, self.controls.chosen_beside_method)

    @property
    def _training_beside(self) -> TrainingFacts | None:
        data = self.controls.beside.currentData()
        return self._chosen if data == THIS_RUN else self._trainings.get(data or NOTHING)

    def _show_cam(self, pane: CamPane, training: TrainingFacts | None, fov_id: FovId, method: CamMethod) -> None:
        if training is None:
            pane.set_title("")
            pane.set_cam(None, can_compute=False, words="Train a classifier to see where it looks.")
            return
        pane.set_title(f"{training.name} · {METHOD_NAMES[method]}")
        folder = training.cams.get((fov_id, method))
        if folder is None:
            is_pending = (training.run.id, fov_id, method) in self._pending
            words = f"This run has no map of this field by {METHOD_NAMES[method]} yet."
            if is_pending:
                words = "Being computed…"
            elif training.score is None:
                words = "This run has not finished: there is no network to explain."
            pane.set_cam(None, can_compute=training.score is not None and not is_pending, words=words)
            return
        self._load(pane, fov_id, folder)

    def _load(self, pane: CamPane, fov_id: FovId, folder: Path) -> None:
        title = pane.title.text()

        def show(loaded: CamField) -> None:
            if fov_id == self._workspace.current_fov_id and pane.title.text() == title:
                pane.set_look(self.controls.look())
                pane.set_cam(loaded, can_compute=False)

        self._workspace.background.run(lambda _tick: load_cam(folder), done=show, owner=self, priority=1)

    # Wrong answers

    @Slot(int)
    def step_wrong(self, step: int) -> None:
        """Show the next crop about whose class the run was wrong, or the one before."""
        chosen, name = self._chosen, self.controls.classes.currentText()
        if chosen is None or not chosen.predictions or not name:
            return
        if self._wrong is not None and self._wrong.class_name == name:
            self._adopt_wrong(self._wrong.stepped(step))
            return
        stored = dict(chosen.predictions)

        def work(_tick: Tick) -> WrongAnswers:
            return read_wrong_answers(stored, name)

        def show(found: WrongAnswers) -> None:
            if chosen is self._chosen and name == self.controls.classes.currentText():
                self._adopt_wrong(found.stepped(step))

        self._workspace.background.run(work, done=show, owner=self, priority=1)

    def _adopt_wrong(self, found: WrongAnswers) -> None:
        self._wrong = found
        self.controls.wrong_words.setText(found.words)
        if found.current is None:
            return
        if found.current.fov_id == self._workspace.current_fov_id:
            self._show_wrong(found.current.fov_id)
        else:
            self._workspace.set_current_fov(found.current.fov_id)

    def _show_wrong(self, fov_id: FovId) -> None:
        """Frame the wrong answer's crop, if it is on this field, and bring it into view where it is new."""
        found = self._wrong.current if self._wrong is not None else None
        area = found.area if found is not None and found.fov_id == fov_id else None
        for pane in (self.main, self.beside):
            pane.set_area(area)
        if area is None or found is self._seen_wrong:
            return
        self._seen_wrong = found
        extra = CROP_MARGIN * area.width / 2
        self.main.view.show_box(Box(area.x0 - extra, area.y0 - extra, area.x1 + extra, area.y1 + extra))

    def _forget_wrong(self) -> None:
        self._wrong = self._seen_wrong = None
        self.controls.wrong_words.setText("")
        for pane in (self.main, self.beside):
            pane.set_area(None)

    # Files

    @property
    def shown_map(self) -> ClassMap | None:
        """The map of the chosen class in the main view."""
        shown = self.main.cam_field
        return shown.find(self.controls.classes.currentText()) if shown is not None else None

    def save_overlay(self) -> None:
        """Ask where to, and save the map over its field as a picture."""
        found, project = self.shown_map, self._workspace.project
        if found is not None and project is not None:
            fov = project.fovs.get(FovId(found.explanation.fov_id))
            self._files.save_overlay(fov, found, self.controls.look())

    def save_map(self) -> None:
        """Ask where to, and save the numbers of the map."""
        if (found := self.shown_map) is not None:
            self._files.save_map(found, self.controls.look())

    def save_boxes(self) -> None:
        """Ask where to, and save the boxes of the map as a table."""
        if (found := self.shown_map) is not None:
            self._files.save_boxes(found, self.controls.look())

    def actions(self) -> Sequence[ActionSpec]:  # type: ignore[override]  # the pages' word, not QWidget's list of QActions
        """What can be done here."""

        def has_map() -> bool:
            return self.isVisible() and self.shown_map is not None

        def has_answers() -> bool:
            return self.isVisible() and self._chosen is not None and bool(self._chosen.predictions)

        def toggle(spec_id: str, text: str, box: QCheckBox, icon: str) -> ActionSpec:
            return ActionSpec(
                spec_id, text, box.toggle, icon=icon, menu="Train", enabled_when=has_map, checked_when=box.isChecked
            )

        def saver(spec_id: str, text: str, callback: Callable[[], None]) -> ActionSpec:
            return ActionSpec(spec_id, text, callback, icon="mdi6.export", menu="Train", enabled_when=has_map)

        def stepper(spec_id: str, text: str, key: str, step: int) -> ActionSpec:
            return ActionSpec(
                spec_id, text, lambda: self.step_wrong(step), shortcut=key, menu="Train", enabled_when=has_answers
            )

        return (
            toggle("train.cam_contours", "Contour lines of the map", self.controls.contours, "mdi6.vector-polyline"),
            toggle("train.cam_boxes", "Boxes from the map", self.controls.boxes, "mdi6.crop-free"),
            stepper("train.cam_next_wrong", "Next wrong answer", "F8", 1),
            stepper("train.cam_previous_wrong", "Previous wrong answer", "Shift+F8", -1),
            saver("train.cam_save_overlay", "Save the map over its field (PNG)…", self.save_overlay),
            saver("train.cam_save_map", "Save the map as an array (NPY, JSON)…", self.save_map),
            saver("train.cam_save_boxes", "Save the boxes from the map (CSV)…", self.save_boxes),
        )

    @Slot()
    def _on_controls_changed(self) -> None:
        look, project = self.controls.look(), self._workspace.project
        self.main.set_look(look)
        self.beside.set_look(look)
        if self._wrong is not None and self._wrong.class_name != look.class_name:
            self._forget_wrong()
        if project is not None:
            self._hide_marks(project.classes.list())

    @Slot()
    def _on_main_compute_requested(self) -> None:
        self._request(self._chosen, self.controls.chosen_method)

    @Slot()
    def _on_beside_compute_requested(self) -> None:
        self._request(self._training_beside, self.controls.chosen_beside_method)

    def _request(self, training: TrainingFacts | None, method: CamMethod) -> None:
        if training is not None and self._workspace.current_fov_id is not None:
            self.explain_requested.emit(training.run.id, self._workspace.current_fov_id, method)

    @Slot(QPoint, float, float)
    def _on_view_context_menu_requested(self, place: QPoint, _x: float, _y: float) -> None:
        self.controls.export_menu.popup(place)

    @Slot()
    def _fill_export_menu(self) -> None:
        menu = self.controls.export_menu
        menu.clear()
        for text, callback in (
            ("Map over its field (PNG)…", self.save_overlay),
            ("Map as an array (NPY, JSON)…", self.save_map),
            ("Boxes from the map (CSV)…", self.save_boxes),
        ):
            menu.addAction(text, callback).setEnabled(self.shown_map is not None)

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
