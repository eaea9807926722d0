"""Right and wrong answers of one run: a confusion matrix, and the crops behind its cells, the most wrong first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QVBoxLayout, QWidget
from typing_extensions import override

from synthstudio.core.evaluation.cases import ALL_KINDS, Case, list_cases
from synthstudio.core.evaluation.confusion import (
    Confusion,
    class_cells,
    class_confusion,
    single_class_cells,
    single_class_confusion,
)
from synthstudio.core.evaluation.predictions import CropPredictions, read_predictions
from synthstudio.domain.ids import FovId
from synthstudio.domain.progress import Tick
from synthstudio.domain.records import Box, FieldOfView
from synthstudio.gui.canvas.crop_tiles import CropItem
from synthstudio.gui.pages.train.matrix_gallery import MatrixGallery
from synthstudio.gui.pages.train.results_view import ResultsView
from synthstudio.gui.widgets.choices import fill_choice
from synthstudio.gui.widgets.elided_combo import ElidedCombo
from synthstudio.gui.widgets.wheel_guard import guard_wheel
from synthstudio.gui.workspace import Workspace

ALONE = ""
"""In place of a class: crops that hold one class alone, class by class."""
MISSED_CELL, FIRST_CELL = (0, 1), (0, 0)
MAX_CASES = 5000
"""Crops of one cell that are listed: nobody looks through more."""


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """Of one run: what it said on every crop, and the FOVs that the crops are of."""

    predictions: CropPredictions
    fovs: Mapping[FovId, FieldOfView]


@dataclass(frozen=True, slots=True, eq=False)
class MatrixAnswers:
    """A matrix.

    Attributes:
        cells: (N, R, K) crops behind its cells.
        column: Of the class that it is of; None where it is of all.
        note: How to read it.
    """

    confusion: Confusion
    cells: NDArray[np.bool_]
    column: int | None
    note: str


class ErrorsView(ResultsView):
    """The matrix of a class, or of all, with its gallery.

    Signals:
        crop_opened: (`CropItem`) Show this crop in the viewer.
    """

    crop_opened = Signal(object)

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(workspace, parent)
        self._answers: Answers | None = None
        self._shown: MatrixAnswers | None = None
        self.gallery = MatrixGallery(workspace, self.content)
        self.classes = ElidedCombo(self.gallery)
        self.classes.setAccessibleName("Class of the confusion matrix")
        guard_wheel(self.classes)
        self.gallery.head.addWidget(self.classes)
        layout = QVBoxLayout(self.content)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.gallery)
        self.classes.currentIndexChanged.connect(self._show_matrix)
        self.gallery.cell_chosen.connect(self._on_gallery_cell_chosen)
        self.gallery.item_opened.connect(self.crop_opened)

    @override
    def _refresh(self) -> None:
        chosen, split, project = self.selection.chosen, self.selection.split, self._workspace.project
        path = chosen.predictions.get(split) if chosen is not None else None
        if path is None or project is None:
            self._answers = None
            self._say_unpredicted()
            return

        def read(_tick: Tick) -> Answers:
            return Answers(read_predictions(path), {fov.id: fov for fov in project.fovs.list()})

        self._work(read, self._show_answers)

    def _show_answers(self, answers: Answers) -> None:
        self._answers = answers
        names = answers.predictions.class_names
        items = [(f"{name}: present or absent", name) for name in names]
        fill_choice(self.classes, [*items, ("Class for class", ALONE)] if len(names) > 1 else items)
        self.stack.setCurrentWidget(self.content)
        self._show_matrix()

    @Slot()
    def _show_matrix(self) -> None:
        if self._answers is not None:
            predictions, name = self._answers.predictions, self.classes.currentData()
            self._work(lambda _tick: count_answers(predictions, name), self._show_counts)

    def _show_counts(self, found: MatrixAnswers) -> None:
        self._shown = found
        first = MISSED_CELL if found.column is not None else FIRST_CELL
        self.gallery.show_matrix(found.confusion, found.note, first=first)

    @Slot(int, int)
    def _on_gallery_cell_chosen(self, row: int, column: int) -> None:
        if self._answers is None or self._shown is None:
            return
        answers, shown = self._answers, self._shown
        predictions, rows = answers.predictions, shown.cells[:, row, column]
        # Where a cell is a pair of classes the score of interest is that of the answer; without one, of the truth.
        asked = shown.column if shown.column is not None else _column_of_interest(predictions, row, column)
        words = f"crops: truth {shown.confusion.rows[row]}, answer {shown.confusion.columns[column]}"
        n_all = int(rows.sum())

        def find(_tick: Tick) -> list[CropItem]:
            cases = list_cases(predictions, columns=[asked], kinds=ALL_KINDS, rows=rows, limit=MAX_CASES)
            return [_item(case, answers) for case in cases]

        def show(items: list[CropItem]) -> None:
            self.gallery.show_items(items, answers.fovs, n_all=n_all, words=words, order="the most doubtful")

        self._work(find, show)

    def open_selected(self) -> None:
        """Show the first selected crop in the viewer."""
        self.gallery.open_selected()


def count_answers(predictions: CropPredictions, class_name: str) -> MatrixAnswers:
    """Count the answers about one class, or with `ALONE` which class is taken for which."""
    if class_name == ALONE:
        note = "Crops that hold one class alone, or none. A crop with two answers is in two columns."
        return MatrixAnswers(single_class_confusion(predictions), single_class_cells(predictions), None, note)
    column = predictions.column(class_name)
    note = f"“Present” is a score of {predictions.thresholds[column]:.3f} or more, where F1 was best on validation."
    return MatrixAnswers(class_confusion(predictions, column), class_cells(predictions, column), column, note)


def _column_of_interest(predictions: CropPredictions, row: int, column: int) -> int:
    n_classes = len(predictions.class_names)
    if column < n_classes:
        return column
    return row if row < n_classes else 0


def _item(case: Case, answers: Answers) -> CropItem:
    x, y, width, height = case.box
    fov = answers.fovs.get(FovId(case.fov_id))
    place = f"{fov.sample_name} / {fov.name}" if fov is not None else "a field that is gone"
    threshold = float(answers.predictions.thresholds[case.column])
    return CropItem(
        fov_id=FovId(case.fov_id),
        part=Box(x, y, x + width, y + height),
        caption=f"{'✗' if case.kind.is_wrong else '✓'} {case.class_name} {case.score:.2f}",
        is_wrong=case.kind.is_wrong,
        kind=case.kind.value,
        tip=f"{place}\n{case.class_name}: {case.kind.value}, score {case.score:.3f}, threshold {threshold:.3f}\n"
        f"Annotated on this crop: {', '.join(case.true_names) or 'no class'}\n"
        f"Crop at {x}, {y}, {width} × {height} px\nDouble-click to open it in the viewer",
    )
