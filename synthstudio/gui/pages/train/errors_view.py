"""Right and wrong answers of one run, or where its maps point: a matrix, and the crops behind its cells."""

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
from synthstudio.core.evaluation.map_scores import (
    OFF_MARKS,
    ON_MARK,
    CropMapScores,
    pointing_cells,
    pointing_counts,
    read_map_scores,
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
POINTS = "\0"
"""Before the name of a class, and no part of any: where the map of the class points."""
MISSED_CELL, FIRST_CELL = (0, 1), (0, 0)
LEAST_ON_MARKS = "the least heat on marks"
MAX_CASES = 5000
"""Crops of one cell that are listed: nobody looks through more."""


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What one run said on every crop, where its maps lay if that was kept, and the FOVs that the crops are of."""

    predictions: CropPredictions
    maps: CropMapScores | None
    fovs: Mapping[FovId, FieldOfView]


@dataclass(frozen=True, slots=True, eq=False)
class MatrixAnswers:
    """A matrix.

    Attributes:
        cells: (N, R, K) crops behind its cells; of maps the rows behind them.
        column: Of the class that it is of; None where it is of all.
        note: How to read it.
        is_of_maps: It tells where maps point, not what was answered.
    """

    confusion: Confusion
    cells: NDArray[np.bool_]
    column: int | None
    note: str
    is_of_maps: bool = False


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
        maps = chosen.map_scores.get(split) if chosen is not None else None
        if path is None or project is None:
            self._answers = None
            self._say_unpredicted()
            return

        def read(_tick: Tick) -> Answers:
            scores = read_map_scores(maps) if maps is not None else None
            return Answers(read_predictions(path), scores, {fov.id: fov for fov in project.fovs.list()})

        self._work(read, self._show_answers)

    def _show_answers(self, answers: Answers) -> None:
        self._answers = answers
        names = answers.predictions.class_names
        items = [(f"{name}: present or absent", name) for name in names]
        if len(names) > 1:
            items.append(("Class for class", ALONE))
        if answers.maps is not None and answers.maps.tops is not None:
            items += [(f"{name}: where the map points", POINTS + name) for name in names]
        fill_choice(self.classes, items)
        self.stack.setCurrentWidget(self.content)
        self._show_matrix()

    @Slot()
    def _show_matrix(self) -> None:
        if self._answers is not None:
            answers, name = self._answers, str(self.classes.currentData())
            self._work(lambda _tick: count_answers(answers, name), self._show_counts)

    def _show_counts(self, found: MatrixAnswers) -> None:
        self._shown = found
        first = MISSED_CELL if found.column is not None else FIRST_CELL
        self.gallery.show_matrix(found.confusion, found.note, first=first)

    @Slot(int, int)
    def _on_gallery_cell_chosen(self, row: int, column: int) -> None:
        if self._answers is None or self._shown is None:
            return
        answers, shown = self._answers, self._shown
        if shown.is_of_maps:
            self._show_pointed(answers, shown, row, column)
            return
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

    def _show_pointed(self, answers: Answers, shown: MatrixAnswers, row: int, column: int) -> None:
        """Show the crops behind a cell of where maps point."""
        rows = np.flatnonzero(shown.cells[:, row, column])
        words = f"crops: the hottest point is {shown.confusion.columns[column]}"

        def show(items: list[CropItem]) -> None:
            self.gallery.show_items(items, answers.fovs, n_all=len(rows), words=words, order=LEAST_ON_MARKS)

        self._work(lambda _tick: pointed_items(answers, rows), show)

    def open_selected(self) -> None:
        """Show the first selected crop in the viewer."""
        self.gallery.open_selected()


def count_answers(answers: Answers, class_name: str) -> MatrixAnswers:
    """Count the answers about a class; with `ALONE` which class is taken for which, after `POINTS` where maps point."""
    predictions, maps = answers.predictions, answers.maps
    if class_name.startswith(POINTS) and maps is not None:
        name = class_name.removeprefix(POINTS)
        note = (
            "Crops that hold the class. Many a hottest point off every mark lies on an object that nobody has marked:"
            " look before you blame the map."
        )
        cells = pointing_cells(maps, name)
        return MatrixAnswers(pointing_counts(cells), cells, predictions.column(name), note, is_of_maps=True)
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


def pointed_items(answers: Answers, rows: NDArray[np.intp]) -> list[CropItem]:
    """Crops of some rows of the maps, each with its hottest point, the least heat on marks first."""
    maps = answers.maps
    if maps is None or maps.boxes is None or maps.tops is None:
        return []
    order = np.argsort(np.nan_to_num(maps.energies[rows], nan=-1.0), kind="stable")[:MAX_CASES]
    return [_pointed_item(maps, int(row), answers.fovs) for row in rows[order]]


def _pointed_item(maps: CropMapScores, row: int, fovs: Mapping[FovId, FieldOfView]) -> CropItem:
    assert maps.boxes is not None
    assert maps.tops is not None
    x, y, width, height = (int(value) for value in maps.boxes[row])
    top_x, top_y = (int(value) for value in maps.tops[row])
    fov_id, is_hit, energy = FovId(int(maps.fov_ids[row])), bool(maps.hits[row]), float(maps.energies[row])
    name = maps.class_names[int(maps.columns[row])]
    heat = "no heat" if np.isnan(energy) else f"{energy:.0%} on marks"
    return CropItem(
        fov_id=fov_id,
        part=Box(x, y, x + width, y + height),
        caption=f"{'✓' if is_hit else '✗'} {heat}",
        is_wrong=not is_hit,
        tip=f"{_place(fovs.get(fov_id))}\nHottest point of the map of {name} at {top_x}, {top_y} px, "
        f"{ON_MARK if is_hit else OFF_MARKS}\nShare of the map's heat on marks of the class: {heat}\n"
        f"Crop at {x}, {y}, {width} × {height} px\nDouble-click to open it in the viewer",
        point=None if np.isnan(energy) else (top_x, top_y),
    )


def _place(fov: FieldOfView | None) -> str:
    return f"{fov.sample_name} / {fov.name}" if fov is not None else "a field that is gone"


def _item(case: Case, answers: Answers) -> CropItem:
    x, y, width, height = case.box
    fov = answers.fovs.get(FovId(case.fov_id))
    threshold = float(answers.predictions.thresholds[case.column])
    return CropItem(
        fov_id=FovId(case.fov_id),
        part=Box(x, y, x + width, y + height),
        caption=f"{'✗' if case.kind.is_wrong else '✓'} {case.class_name} {case.score:.2f}",
        is_wrong=case.kind.is_wrong,
        kind=case.kind.value,
        tip=f"{_place(fov)}\n{case.class_name}: {case.kind.value}, score {case.score:.3f}, threshold {threshold:.3f}\n"
        f"Annotated on this crop: {', '.join(case.true_names) or 'no class'}\n"
        f"Crop at {x}, {y}, {width} × {height} px\nDouble-click to open it in the viewer",
    )
