"""Scores of the chosen run per class, each beside what chance would give, and all evaluated runs side by side."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal, Slot
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QScrollArea, QStackedWidget, QVBoxLayout, QWidget

from synthstudio.domain.records import Split
from synthstudio.gui.pages.train.run_facts import TrainingFacts
from synthstudio.gui.theme import GRID_PX
from synthstudio.gui.widgets.class_chips import color_icon
from synthstudio.gui.widgets.next_step import NextStep
from synthstudio.gui.widgets.score_table import ScoreColumn, ScoreRow, ScoreTable
from synthstudio.gui.workspace import Workspace
from synthstudio.protocol.results import ClassLocalization, ClassScore, EvaluateResult, Interval

NOT_DEFINED = "n/a"

PRESENCE = (
    ScoreColumn("F1", "Presence of the class on crops of held-out images, at the threshold chosen on validation."),
    ScoreColumn("95 %", "95 % interval of F1, from resampling samples."),
    ScoreColumn("Precision", "Share of the answers “present” that are right."),
    ScoreColumn("Recall", "Share of the crops with the class that are found."),
    ScoreColumn("F1 at .5", "F1 at the fixed threshold 0.5."),
    ScoreColumn("Always “yes”", "F1 of always answering “present”: what a score must beat."),
    ScoreColumn("Crops", "Number of crops that show the class."),
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
COMPARISON = (
    ScoreColumn("Split", "Images scored on."),
    ScoreColumn("Macro F1", "Mean over the classes."),
    ScoreColumn("95 %", "95 % interval of the macro F1, from resampling samples."),
    ScoreColumn("AUC", "Mean area under the ROC curve."),
    ScoreColumn("Pointing", "Mean over the classes."),
    ScoreColumn("Chance", "Pointing accuracy of a random point."),
    ScoreColumn("Centre F1", "Mean over the classes."),
    ScoreColumn("Energy", "Mean share of the map's mass in the boxes."),
)


class ResultsPanel(QWidget):
    """Tables; a run that was not evaluated says how to do it."""

    evaluate_requested = Signal()

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._chosen: TrainingFacts | None = None
        self.split = QComboBox(self)
        self.split.setAccessibleName("Split")
        self.facts = QLabel(self)
        self.facts.setProperty("muted", True)
        # From the outside in: a widget that changes its parent is styled anew with all that it holds.
        self.scroller = QScrollArea(self)
        self.content = QWidget(self.scroller.viewport())
        self.chosen_stack = QStackedWidget(self.content)
        self.scores = QWidget(self.chosen_stack)
        self.presence = ScoreTable(PRESENCE, first="Presence on crops", parent=self.scores)
        self.places = ScoreTable(PLACES, first="Class activation map", parent=self.scores)
        self.comparison = ScoreTable(COMPARISON, first="All evaluated runs", parent=self.content)
        self.notes = QLabel(self)
        self.notes.setProperty("muted", True)
        self.notes.setWordWrap(True)
        self.empty = NextStep(parent=self.chosen_stack)
        self._lay_out()
        self.split.currentIndexChanged.connect(self._show_scores)
        self.empty.button_clicked.connect(self.evaluate_requested)

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.addWidget(QLabel("Scored on", self))
        head.addWidget(self.split)
        head.addWidget(self.facts, 1)
        column = QVBoxLayout(self.scores)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3 * GRID_PX)
        column.addLayout(head)
        column.addWidget(self.presence)
        column.addWidget(self.places)
        column.addWidget(self.notes)
        self.chosen_stack.addWidget(self.scores)
        self.chosen_stack.addWidget(self.empty)
        outer = QVBoxLayout(self.content)
        outer.setContentsMargins(3 * GRID_PX, 3 * GRID_PX, 3 * GRID_PX, 3 * GRID_PX)
        outer.setSpacing(6 * GRID_PX)
        outer.addWidget(self.chosen_stack)
        outer.addWidget(self.comparison)
        outer.addStretch(1)
        self.scroller.setWidgetResizable(True)
        self.scroller.setWidget(self.content)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.scroller)

    def show_runs(self, chosen: TrainingFacts | None, trainings: Sequence[TrainingFacts]) -> None:
        """Show the scores of the chosen run, and compare it with the others."""
        self._chosen = chosen
        kept = self.split.currentData()
        self.split.blockSignals(True)
        self.split.clear()
        for name in [each.value for each in Split] if chosen is not None else []:
            if chosen is not None and name in chosen.evaluations:
                self.split.addItem(name, name)
        wanted = self.split.findData(kept if kept is not None else Split.TEST.value)
        self.split.setCurrentIndex(max(0, wanted if wanted >= 0 else self.split.count() - 1))
        self.split.blockSignals(False)
        self._show_scores()
        self._compare(trainings)

    @Slot()
    def _show_scores(self) -> None:
        result = self._chosen.evaluations.get(str(self.split.currentData())) if self._chosen is not None else None
        self.chosen_stack.setCurrentIndex(0 if result is not None else 1)
        if result is None:
            is_ready = self._chosen is not None and self._chosen.score is not None
            self.empty.show_step(
                "This run has not been evaluated yet." if self._chosen is not None else "No training is chosen.",
                "Evaluating scores it on held-out images: F1 per class, and where its class activation maps lie."
                if is_ready
                else "Train a classifier first; it can be scored once it has finished.",
                "Evaluate" if is_ready else "",
            )
            return
        self.facts.setText(f"{result.n_images:,} images of {result.n_groups:,} samples")
        self.presence.set_rows(self._presence_rows(result))
        self.places.set_rows(self._place_rows(result))
        self.notes.setText("\n".join(result.notes))
        self.notes.setVisible(bool(result.notes))

    def _presence_rows(self, result: EvaluateResult) -> list[ScoreRow]:
        rows = [self._presence_row(name, score) for name, score in result.classification.per_class.items()]
        whole = result.classification
        rows.append(ScoreRow("Macro", (figure(whole.macro_f1), interval(whole.ci95), "", "", "", "", "")))
        return rows

    def _presence_row(self, name: str, score: ClassScore) -> ScoreRow:
        cells = (
            figure(score.f1),
            interval(score.ci95),
            figure(score.precision),
            figure(score.recall),
            figure(score.f1_at_half),
            figure(score.prevalence_f1),
            f"{score.support:,}",
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

    def _compare(self, trainings: Sequence[TrainingFacts]) -> None:
        rows = []
        for training in trainings:
            for split, result in sorted(training.evaluations.items()):
                whole, places = result.classification, result.localization
                cells = (
                    split,
                    figure(whole.macro_f1),
                    interval(whole.ci95),
                    figure(whole.auc),
                    figure(places.pointing_accuracy),
                    figure(places.chance),
                    figure(places.center.f1),
                    figure(places.energy_in_box),
                )
                rows.append(ScoreRow(training.name, cells, tip=training.run.id))
        self.comparison.set_rows(rows)
        self.comparison.setVisible(bool(rows))

    def _icon(self, name: str) -> QIcon | None:
        project = self._workspace.project
        found = project.classes.find(name) if project is not None else None
        return color_icon(found.color) if found is not None else None


def figure(value: float | None) -> str:
    """A share with three decimals; undefined is n/a, never 0."""
    return NOT_DEFINED if value is None else f"{value:.3f}"


def interval(value: Interval | None) -> str:
    """An interval; empty where none was asked for."""
    return "" if value is None else f"{value[0]:.2f}–{value[1]:.2f}"
