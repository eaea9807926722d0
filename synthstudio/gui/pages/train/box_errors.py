"""What became of each object and of each box of a detector: a confusion matrix, and the boxes behind its cells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QStackedLayout, QWidget

from synthstudio.core.evaluation.confusion import Confusion
from synthstudio.core.evaluation.detection_outcomes import NONE, DetectionOutcomes, match_outcomes, outcome_confusion
from synthstudio.core.evaluation.stored_detections import read_detections
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import FovId
from synthstudio.domain.progress import Tick
from synthstudio.domain.records import Box, FieldOfView
from synthstudio.gui.canvas.crop_tiles import CropItem
from synthstudio.gui.errors import report
from synthstudio.gui.pages.train.matrix_gallery import MatrixGallery
from synthstudio.gui.widgets.next_step import NextStep
from synthstudio.gui.workspace import Workspace

MAX_BOXES = 5000
SURROUNDINGS = 0.75
"""Seen on each side of a box, as a share of its longer side."""
NOTE = "At an overlap (IoU) of one half and the thresholds of validation. Last row: false alarms; last column: missed."


@dataclass(frozen=True, slots=True, eq=False)
class BoxAnswers:
    """Of one detector: what became of each object and box, and the FOVs that they are on."""

    class_names: tuple[str, ...]
    outcomes: DetectionOutcomes
    confusion: Confusion
    fovs: Mapping[FovId, FieldOfView]


class BoxErrors(QWidget):
    """Shows the stored boxes of one evaluation.

    Signals:
        page_requested: (str) What has to be seen: "annotations".
    """

    page_requested = Signal(str)

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._path: Path | None = None
        self._answers: BoxAnswers | None = None
        self.gallery = MatrixGallery(workspace, self)
        self.empty = NextStep(
            "There are no stored boxes of this detector on this split.",
            "“Evaluate” scores it and keeps every box; then the wrong ones can be looked at here.",
            parent=self,
        )
        self.stack = QStackedLayout(self)
        self.stack.addWidget(self.empty)
        self.stack.addWidget(self.gallery)
        self.gallery.cell_chosen.connect(self._on_gallery_cell_chosen)
        self.gallery.item_opened.connect(self._on_gallery_item_opened)

    def show_detections(self, path: Path | None) -> None:
        """Show what an evaluation has stored; None where it stored nothing."""
        if path == self._path and path is not None:
            return
        self._path, self._answers = path, None
        project = self._workspace.project
        if path is None or project is None:
            self.stack.setCurrentWidget(self.empty)
            return

        def read(_tick: Tick) -> BoxAnswers:
            stored = read_detections(path)
            outcomes = match_outcomes(stored)
            confusion = outcome_confusion(outcomes, stored.class_names)
            return BoxAnswers(stored.class_names, outcomes, confusion, {fov.id: fov for fov in project.fovs.list()})

        def show(answers: BoxAnswers) -> None:
            if path == self._path:
                self._show_answers(answers)

        self._workspace.background.run(read, done=show, owner=self, priority=1)

    def _show_answers(self, answers: BoxAnswers) -> None:
        self._answers = answers
        self.stack.setCurrentWidget(self.gallery)
        self.gallery.show_matrix(answers.confusion, NOTE, first=(0, len(answers.class_names)))

    @Slot(int, int)
    def _on_gallery_cell_chosen(self, row: int, column: int) -> None:
        answers = self._answers
        if answers is None:
            return
        n_classes = len(answers.class_names)
        rows = answers.outcomes.in_cell(row if row < n_classes else NONE, column if column < n_classes else NONE)
        items = [_item(answers, int(each)) for each in rows[:MAX_BOXES]]
        words = f"boxes: truth {answers.confusion.rows[row]}, answer {answers.confusion.columns[column]}"
        self.gallery.show_items(items, answers.fovs, n_all=len(rows), words=words, order="the surest")

    @Slot(object)
    def _on_gallery_item_opened(self, item: CropItem) -> None:
        """Show the box where its field can be looked at."""
        self.page_requested.emit("annotations")  # first, as what is shown is fitted into the viewer as it is seen
        try:
            self._workspace.show_region(item.fov_id, item.outline or item.part)
        except UserError as error:
            report(error, parent=self)


def _item(answers: BoxAnswers, row: int) -> CropItem:
    outcomes, fov_id = answers.outcomes, FovId(int(answers.outcomes.fov_ids[row]))
    true_label, found_label = int(outcomes.true_labels[row]), int(outcomes.found_labels[row])
    box, score = Box(*(float(each) for each in outcomes.boxes[row])), float(outcomes.scores[row])
    margin = SURROUNDINGS * max(box.width, box.height)
    fov = answers.fovs.get(fov_id)
    place = f"{fov.sample_name} / {fov.name}" if fov is not None else "a field that is gone"
    truth = answers.class_names[true_label] if true_label != NONE else "nothing there"
    answer = f"{answers.class_names[found_label]} {score:.2f}" if np.isfinite(score) else "missed"
    is_wrong = true_label != found_label
    return CropItem(
        fov_id=fov_id,
        part=Box(box.x0 - margin, box.y0 - margin, box.x1 + margin, box.y1 + margin),
        caption=f"{'✗' if is_wrong else '✓'} {answer}",
        is_wrong=is_wrong,
        kind=truth if is_wrong else "",
        tip=f"{place}\nTruth: {truth}\nAnswer: {answer}\nBox at {box.x0:.0f}, {box.y0:.0f},"
        f" {box.width:.0f} × {box.height:.0f} px\nDouble-click to open it in the viewer",
        outline=box,
    )
