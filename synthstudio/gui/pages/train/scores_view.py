"""Scores of the chosen run per class, each beside what chance would give."""

from __future__ import annotations

from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget
from typing_extensions import override

from synthstudio.domain.figures import interval_text as interval
from synthstudio.gui.pages.train.results_view import ResultsView
from synthstudio.gui.pages.train.run_columns import figure_words as figure
from synthstudio.gui.theme import GRID_PX
from synthstudio.gui.widgets.class_chips import color_icon
from synthstudio.gui.widgets.exporting import ExportButton
from synthstudio.gui.widgets.score_table import ScoreColumn, ScoreRow, ScoreTable
from synthstudio.gui.widgets.wrapped_label import WrappedLabel
from synthstudio.gui.workspace import Workspace
from synthstudio.protocol.results import (
    AbsenceFigures,
    AverageFigures,
    Classification,
    ClassLocalization,
    ClassScore,
    EvaluateResult,
)

PRESENCE = (
    ScoreColumn("F1", "Presence of the class on crops of held-out images, at the threshold chosen on validation."),
    ScoreColumn("95 %", "95 % interval of F1, from resampling samples."),
    ScoreColumn("Precision", "Share of the answers “present” that are right."),
    ScoreColumn("Recall", "Share of the crops with the class that are found."),
    ScoreColumn("F1 at .5", "F1 at the fixed threshold 0.5."),
    ScoreColumn("Always “yes”", "F1 of always answering “present”: what a score must beat."),
    ScoreColumn("Crops", "Number of crops that show the class."),
    ScoreColumn("Specificity", "Share of the crops without the class that are answered “absent”."),
    ScoreColumn("NPV", "Negative predictive value: share of the answers “absent” that are right."),
    ScoreColumn("AUC", "Area under the ROC curve."),
    ScoreColumn("AP", "Average precision: area under the curve of precision over recall."),
    ScoreColumn("Calibration", "Expected calibration error: how far probabilities are from frequencies, on average."),
)
PLACES = (
    ScoreColumn("Pointing", "Share of the images on which the hottest point of the map lies on an object."),
    ScoreColumn("95 %", "95 % interval of the pointing accuracy, from resampling samples."),
    ScoreColumn("Chance", "Pointing accuracy of a random point."),
    ScoreColumn("Energy", "Share of the positive mass of the map that lies in the boxes."),
    ScoreColumn("Area", "Area share of the boxes: the energy of a flat map."),
    ScoreColumn("Centre F1", "Peaks of the map against annotated centres."),
    ScoreColumn("Precision", "Share of the peaks that match a centre."),
    ScoreColumn("Recall", "Share of the centres that a peak finds."),
)


class ScoresView(ResultsView):
    """Tables of one run."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(workspace, parent)
        # From the outside in: a widget that changes its parent is styled anew with all that it holds.
        self.scroller = QScrollArea(self.content)
        inner = QWidget(self.scroller.viewport())
        self.facts = QLabel(inner)
        self.facts.setProperty("muted", True)
        self.presence = ScoreTable(PRESENCE, first="Presence on crops", parent=inner)
        self.places = ScoreTable(PLACES, first="Class activation map", parent=inner)
        self.notes = WrappedLabel("muted", inner)
        parts: dict[str, QWidget] = {"Presence on crops": self.presence, "Class activation map": self.places}
        self.export = ExportButton(parts, inner)
        head = QHBoxLayout()
        head.addWidget(self.facts, 1)
        head.addWidget(self.export)
        column = QVBoxLayout(inner)
        column.setContentsMargins(3 * GRID_PX, 2 * GRID_PX, 3 * GRID_PX, 3 * GRID_PX)
        column.setSpacing(2 * GRID_PX)
        column.addLayout(head)
        for part in (self.presence, self.places, self.notes):
            column.addWidget(part)
        column.addStretch(1)
        self.scroller.setWidgetResizable(True)
        self.scroller.setWidget(inner)
        layout = QVBoxLayout(self.content)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.scroller)

    @override
    def _refresh(self) -> None:
        chosen = self.selection.chosen
        result = chosen.evaluations.get(self.selection.split) if chosen is not None else None
        if chosen is None or result is None:
            self._say_unevaluated()
            return
        self.facts.setText(f"{chosen.name}: {result.n_images:,} images of {result.n_groups:,} samples")
        self.presence.set_rows(self._presence_rows(result))
        self.places.set_rows(self._place_rows(result))
        self.notes.setText("\n".join(result.notes))
        self.notes.setVisible(bool(result.notes))
        self.stack.setCurrentWidget(self.content)

    def _presence_rows(self, result: EvaluateResult) -> list[ScoreRow]:
        whole = result.classification
        rows = [self._presence_row(name, score) for name, score in whole.per_class.items()]
        rows.append(_macro_row(whole))
        return [*rows, *(_average_row(name.capitalize(), each) for name, each in whole.averages)]

    def _presence_row(self, name: str, score: ClassScore) -> ScoreRow:
        cells = (
            figure(score.f1),
            interval(score.ci95),
            figure(score.precision),
            figure(score.recall),
            figure(score.f1_at_half),
            figure(score.prevalence_f1),
            f"{score.support:,}",
            figure(score.specificity),
            figure(score.npv),
            figure(score.auc),
            figure(score.ap),
            figure(score.calibration_error),
        )
        return ScoreRow(name, cells, self._icon(name))

    def _place_rows(self, result: EvaluateResult) -> list[ScoreRow]:
        rows = [self._place_row(name, score) for name, score in result.localization.per_class.items()]
        whole = result.localization
        center = whole.center
        cells = (
            figure(whole.pointing_accuracy),
            "",
            figure(whole.chance),
            figure(whole.energy_in_box),
            "",
            figure(center.f1),
            figure(center.precision),
            figure(center.recall),
        )
        rows.append(ScoreRow("Mean", cells))
        return rows

    def _place_row(self, name: str, score: ClassLocalization) -> ScoreRow:
        cells = (
            figure(score.pointing_accuracy),
            interval(score.ci95),
            figure(score.chance),
            figure(score.energy_in_box),
            figure(score.energy_chance),
            figure(score.center.f1),
            figure(score.center.precision),
            figure(score.center.recall),
        )
        return ScoreRow(name, cells, self._icon(name))

    def _icon(self, name: str) -> QIcon | None:
        project = self._workspace.project
        found = project.classes.find(name) if project is not None else None
        return color_icon(found.color) if found is not None else None


def _macro_row(whole: Classification) -> ScoreRow:
    precision, recall = (figure(whole.macro.precision), figure(whole.macro.recall)) if whole.macro else ("", "")
    ends = (figure(whole.auc), figure(whole.ap), "")
    return ScoreRow("Macro", (figure(whole.macro_f1), interval(whole.ci95), precision, recall, *[""] * 5, *ends))


def _average_row(name: str, average: AverageFigures) -> ScoreRow:
    support = f"{average.support:,}" if isinstance(average, AbsenceFigures) else ""
    rates = figure(average.precision), figure(average.recall)
    cells = (figure(average.f1), "", *rates, "", "", support, *[""] * 5)
    return ScoreRow(name, cells)
