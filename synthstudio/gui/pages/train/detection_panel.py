"""The current field with what a detector found on it, and the way from mistake to mistake."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PySide6.QtCore import QPoint, Signal, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QPushButton, QSizePolicy, QVBoxLayout, QWidget
from typing_extensions import override

from synthstudio.core.evaluation.detection_errors import DetectionError, JudgedDetections
from synthstudio.core.geometry import BoxArray
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import FovId
from synthstudio.domain.progress import Tick
from synthstudio.domain.records import Box, Changes, Split
from synthstudio.gui.canvas.pyramid import ImagePyramid
from synthstudio.gui.errors import report
from synthstudio.gui.pages.train.detection_controls import DetectionControls
from synthstudio.gui.pages.train.detection_facts import (
    SearchedField,
    class_words,
    error_words,
    field_words,
    load_field,
)
from synthstudio.gui.pages.train.detection_view import DetectionLook, DetectionView, draw_layers, draw_tags
from synthstudio.gui.pages.train.detector_facts import DetectorFacts
from synthstudio.gui.pages.train.kept_view import KeptView
from synthstudio.gui.pages.train.mistake_walk import MistakeWalk
from synthstudio.gui.theme import GRID_PX
from synthstudio.gui.widgets.saving import save_image
from synthstudio.gui.workspace import Workspace

SURROUNDINGS = 5.0
"""A mistake is shown with so many times its own size about it."""
LEAST_SHOWN_PX = 120.0


class DetectionPanel(QWidget):
    """Shows one field at a time; the thresholds of a detector stay as they were set while the window is open."""

    detect_requested = Signal(object)
    """`FovId` of the field to search; None for all of a split."""
    annotate_requested = Signal()
    """The place that was double-clicked is to be seen where annotations are edited."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._detector: DetectorFacts | None = None
        self._pending: frozenset[FovId] = frozenset()
        self._searched: SearchedField | None = None
        self._judged: JudgedDetections | None = None
        self._thresholds: dict[str, dict[str, float]] = {}
        self._walk = MistakeWalk()
        self._n_wanted, self._is_judging = 0, False
        self.controls = DetectionControls()
        self.view = DetectionView(self)
        self._kept_view = KeptView(workspace, self.view)
        self.words = QLabel(self)
        self.words.setProperty("muted", True)
        self.detect = QPushButton("Detect on this field", self)
        self.detect.setToolTip("Search this field with the detector")
        self.detect_all = QPushButton("Detect on all", self)
        self.detect_all.setToolTip("Search all images of the split with the detector")
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        # No sentence may widen the window.
        self.words.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        bar = QHBoxLayout()
        bar.setSpacing(2 * GRID_PX)
        bar.addWidget(self.words, 1)
        bar.addWidget(self.detect)
        bar.addWidget(self.detect_all)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2 * GRID_PX)
        layout.addLayout(bar)
        layout.addWidget(self.view, 1)

    def _connect(self) -> None:
        workspace, controls, view = self._workspace, self.controls, self.view
        view.set_placeholder("Choose a field in the list on the left; images are imported under Annotate.")
        view.place_double_clicked.connect(self._on_view_place_double_clicked)
        view.context_menu_requested.connect(self._on_view_context_menu_requested)
        controls.thresholds_changed.connect(self._on_controls_thresholds_changed)
        controls.look_changed.connect(self._draw)
        controls.reset_requested.connect(self._on_controls_reset_requested)
        controls.step_requested.connect(self.step_error)
        self.detect.clicked.connect(self._on_detect_clicked)
        self.detect_all.clicked.connect(lambda: self.detect_requested.emit(None))
        workspace.project_changed.connect(self._on_workspace_project_changed)
        workspace.current_fov_changed.connect(self._on_workspace_current_fov_changed)
        workspace.records_changed.connect(self._on_workspace_records_changed)

    # What is shown

    @property
    def searched(self) -> SearchedField | None:
        """The field that is shown, with what was found on it."""
        return self._searched

    @property
    def judged(self) -> JudgedDetections | None:
        """What is right and wrong on it, once that is known."""
        return self._judged

    @property
    def error(self) -> DetectionError | None:
        """The mistake that is looked at."""
        place = self._walk.place
        if self._judged is None or place is None or place >= len(self._judged.errors):
            return None
        return self._judged.errors[place]

    @property
    def _files(self) -> Mapping[FovId, Path]:
        return self._detector.detections if self._detector is not None else {}

    @override
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.refresh()

    def show_detector(self, detector: DetectorFacts | None, pending: frozenset[FovId]) -> None:
        """Show what this detector found; `pending` are fields that are being searched."""
        self._detector, self._pending = detector, pending
        self.refresh()

    def offer_split(self, split: Split | None) -> None:
        """Name the split whose images can all be searched."""
        self.detect_all.setText(f"Detect on all of {split.value}" if split is not None else "Detect on all")
        self.detect_all.setEnabled(split is not None)

    @Slot()
    def refresh(self) -> None:
        """Show the current field anew, with all that belongs to it."""
        project, fov_id = self._workspace.project, self._workspace.current_fov_id
        if not self.isVisible():
            return
        if project is None or fov_id is None:
            self.view.set_image(None)
            self._show_field(None)
            return
        self._workspace.load_fov_image(fov_id, lambda pyramid: self._on_image_loaded(fov_id, pyramid), self)

    def _on_image_loaded(self, fov_id: FovId, pyramid: ImagePyramid) -> None:
        project = self._workspace.project
        if fov_id != self._workspace.current_fov_id or project is None:
            return
        if self.view.pyramid is not pyramid:
            self.view.set_lines(())
            self.view.set_tags(())
            self.view.set_image(pyramid)
        self.view.set_um_per_px(project.fovs.get(fov_id).um_per_px)
        self._kept_view.restore()
        self._load(fov_id)

    def _load(self, fov_id: FovId) -> None:
        project, path = self._workspace.project, self._files.get(fov_id)
        if project is None or path is None:
            self._show_field(None)
            return

        def show(loaded: SearchedField) -> None:
            if fov_id == self._workspace.current_fov_id and self._files.get(fov_id) == path:
                self._show_field(loaded)

        self._workspace.background.run(
            lambda _tick: load_field(project, fov_id, path), done=show, owner=self, priority=1
        )

    def _show_field(self, searched: SearchedField | None) -> None:
        is_other = (
            searched is None
            or self._searched is None
            or (searched.record.fov_id, searched.record.run)
            != (self._searched.record.fov_id, self._searched.record.run)
        )
        self._searched, self._judged = searched, None
        if is_other:
            self._walk.forget()
        self.controls.set_usable(searched is not None)
        self._show_buttons()
        if searched is None:
            self.view.set_lines(())
            self.view.set_tags(())
            self.words.setText(self._missing_words())
            self.controls.mistake.setText("")
            return
        self.controls.show_classes(searched.names, searched.colors, self._kept_thresholds(searched))
        self._draw()
        self._judge()

    def _show_buttons(self) -> None:
        is_ready = self._detector is not None and self._detector.is_finished and self._workspace.is_writable
        fov_id = self._workspace.current_fov_id
        self.detect.setVisible(is_ready and fov_id is not None and fov_id not in self._files)
        self.detect.setEnabled(fov_id not in self._pending)
        self.detect_all.setVisible(is_ready)
        for button in (self.controls.previous, self.controls.next):
            button.setEnabled(bool(self._files))

    def _missing_words(self) -> str:
        if self._detector is None or self._workspace.current_fov_id is None:
            return ""
        if not self._detector.is_finished:
            return "This training has not finished: there is no detector yet."
        if self._workspace.current_fov_id in self._pending:
            return "Being searched…"
        return "This detector has not searched this field yet."

    # Thresholds

    def _kept_thresholds(self, searched: SearchedField) -> list[float]:
        kept = self._thresholds.get(searched.record.run, {})
        return [kept.get(each.name, each.threshold) for each in searched.record.classes]

    @Slot()
    def _on_controls_thresholds_changed(self) -> None:
        if self._searched is not None:
            values = zip(self._searched.names, self.controls.thresholds, strict=True)
            self._thresholds[self._searched.record.run] = dict(values)
            self._walk.is_over = False
            self._draw()
            self._judge()

    @Slot()
    def _on_controls_reset_requested(self) -> None:
        if self._searched is not None:
            self._thresholds.pop(self._searched.record.run, None)
            self.controls.show_classes(
                self._searched.names, self._searched.colors, self._kept_thresholds(self._searched)
            )
            self._draw()
            self._judge()

    def _judge(self) -> None:
        """Tell right from wrong, off the GUI thread: a crowded field takes longer than a frame.

        One at a time: while a slider is dragged, the last threshold is judged next, and those between are not.
        """
        self._n_wanted += 1
        if not self._is_judging:
            self._judge_next()

    def _judge_next(self) -> None:
        searched = self._searched
        if searched is None:
            return
        number, thresholds = self._n_wanted, np.array(self.controls.thresholds)

        def work(_tick: Tick) -> JudgedDetections | None:
            return searched.judge(thresholds)

        def show(judged: JudgedDetections | None) -> None:
            self._is_judging = False
            if number == self._n_wanted and searched is self._searched:
                self._adopt(judged)
            else:
                self._judge_next()

        self._is_judging = True
        self._workspace.background.run(work, done=show, owner=self, priority=1)

    def _adopt(self, judged: JudgedDetections | None) -> None:
        self._judged = judged
        self._walk.fit(self._n_errors)
        if self._walk.is_arriving:
            following = self._walk.arrive(self._n_errors, fields=self._fields, current=self._workspace.current_fov_id)
            self._follow(following)
        else:
            self._draw()

    # Drawing

    @Slot()
    def _draw(self) -> None:
        searched = self._searched
        if searched is None:
            return
        controls = self.controls
        look = DetectionLook(
            thresholds=controls.thresholds,
            has_annotations=controls.annotations.isChecked(),
            has_scores=controls.scores.isChecked(),
            only_wrong=controls.only_wrong.isChecked(),
        )
        self.view.set_lines(draw_layers(searched, self._judged, look, self.error))
        self.view.set_tags(draw_tags(searched, self._judged, look))
        self.words.setText(field_words(searched, self._judged))
        self.words.setToolTip(self.words.text())
        for label, row in enumerate(controls.rows):
            row.words.setText(class_words(searched, self._judged, label, row.threshold))
        controls.mistake.setText(self._mistake_words(searched))

    def _mistake_words(self, searched: SearchedField) -> str:
        error = self.error
        if error is None or self._walk.place is None:
            return "Nothing is wrong on the searched fields at these thresholds." if self._walk.is_over else ""
        return f"{self._walk.place + 1:,} of {self._n_errors:,}: {error_words(searched, error)}"

    # From mistake to mistake

    @property
    def _n_errors(self) -> int:
        return len(self._judged.errors) if self._judged is not None else 0

    @property
    def _fields(self) -> list[FovId]:
        """The searched fields in the list's order."""
        return [fov_id for fov_id in self._workspace.fov_order if fov_id in self._files]

    @Slot(int)
    def step_error(self, step: int) -> None:
        """Go to the next (+1) or the previous (-1) mistake, over all fields that this detector has searched."""
        current = self._workspace.current_fov_id
        self._follow(self._walk.step(step, self._n_errors, fields=self._fields, current=current))

    def _follow(self, field: FovId | None) -> None:
        """Show the field that the walk leads to, or the mistake on this one."""
        if field is not None:
            self._workspace.set_current_fov(field)
            return
        error = self.error
        if error is not None:
            self.view.show_box(_surroundings(error.box))
        self._draw()

    # The way to the annotations

    @Slot(float, float)
    def _on_view_place_double_clicked(self, x: float, y: float) -> None:
        fov_id, searched = self._workspace.current_fov_id, self._searched
        if fov_id is None:
            return
        try:
            marks = _rows_at(searched.boxes, x, y) if searched is not None else []
            if searched is not None and marks:
                self._workspace.show_annotation(fov_id, searched.annotation_ids[marks[0]])
            else:
                self._workspace.show_region(fov_id, self._box_at(x, y))
        except UserError as error:
            report(error, parent=self)
            return
        self.annotate_requested.emit()

    def _box_at(self, x: float, y: float) -> Box:
        """The smallest detection that counts under a place, or some of the image about it."""
        if self._searched is not None:
            boxes = self._searched.counting_boxes(np.array(self.controls.thresholds))
            rows = _rows_at(boxes, x, y)
            if rows:
                return Box(*boxes[rows[0]].tolist())
        half = LEAST_SHOWN_PX / 2
        return Box(x - half, y - half, x + half, y + half)

    @Slot(QPoint, float, float)
    def _on_view_context_menu_requested(self, place: QPoint, x: float, y: float) -> None:
        menu = QMenu(self)
        menu.addAction("Show under Annotate", lambda: self._on_view_place_double_clicked(x, y))
        menu.addAction("Save picture…", lambda: save_image(self, self.view.grab().toImage(), "detections.png"))
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(place)

    @Slot()
    def _on_detect_clicked(self) -> None:
        if self._workspace.current_fov_id is not None:
            self.detect_requested.emit(self._workspace.current_fov_id)

    @Slot()
    def _on_workspace_project_changed(self) -> None:
        self._is_judging = False  # what was under way is not told any more
        self._thresholds.clear()
        self._show_field(None)

    @Slot(object)
    def _on_workspace_current_fov_changed(self, _fov_id: object) -> None:
        self._searched = self._judged = None
        self._walk.forget()
        self.refresh()

    @Slot(object)
    def _on_workspace_records_changed(self, changed: Changes) -> None:
        fov_id = self._workspace.current_fov_id
        if self.isVisible() and fov_id is not None and changed.kinds & {"annotations", "classes", "fovs"}:
            self._load(fov_id)


def _surroundings(box: Box) -> Box:
    half = max(SURROUNDINGS * max(box.width, box.height), LEAST_SHOWN_PX) / 2
    x, y = box.center
    return Box(x - half, y - half, x + half, y + half)


def _rows_at(boxes: BoxArray, x: float, y: float) -> list[int]:
    """Rows of boxes `(N, 4)` under a place, the smallest first."""
    inside = (boxes[:, 0] <= x) & (x < boxes[:, 2]) & (boxes[:, 1] <= y) & (y < boxes[:, 3])
    rows = np.flatnonzero(inside)
    areas = (boxes[rows, 2] - boxes[rows, 0]) * (boxes[rows, 3] - boxes[rows, 1])
    return [int(row) for row in rows[np.argsort(areas, kind="stable")]]
