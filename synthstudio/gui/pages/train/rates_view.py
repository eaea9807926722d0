"""ROC, precision-recall and calibration curves of the chosen runs, with the threshold of validation marked on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PySide6.QtCore import Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget
from typing_extensions import override

from synthstudio.core.evaluation.calibration import measure_calibration
from synthstudio.core.evaluation.class_metrics import count_answers
from synthstudio.core.evaluation.curves import average_precision, precision_recall_curve, roc_curve
from synthstudio.core.evaluation.predictions import CropPredictions, read_predictions
from synthstudio.core.evaluation.presence import roc_auc
from synthstudio.domain.progress import Tick
from synthstudio.gui.pages.train.results_view import ResultsView
from synthstudio.gui.theme import GRID_PX
from synthstudio.gui.widgets.class_chips import Chip, ClassChips
from synthstudio.gui.widgets.elided_combo import ElidedCombo
from synthstudio.gui.widgets.exporting import ExportButton
from synthstudio.gui.widgets.rate_plot import RateAxes, RateCurve, RatePlot
from synthstudio.gui.widgets.wheel_guard import guard_wheel
from synthstudio.gui.widgets.wrapped_label import WrappedLabel
from synthstudio.gui.workspace import Workspace

EVERY_CLASS = ""
DIAGONAL = ((0.0, 0.0), (1.0, 1.0))
ROC_AXES = RateAxes("False positive rate", "True positive rate", DIAGONAL)
PR_AXES = RateAxes("Recall", "Precision")
CALIBRATION_AXES = RateAxes("Probability", "Share present", DIAGONAL)


@dataclass(frozen=True, slots=True)
class CurveWish:
    """One curve to be drawn: which run, which class, and how it is called."""

    path: Path
    class_name: str
    name: str
    color: str


@dataclass(frozen=True, slots=True, eq=False)
class Rates:
    """What was computed for the wishes.

    Attributes:
        prevalence: Share of the crops with the class, where all curves are of one: precision of always "yes".
    """

    roc: tuple[RateCurve, ...]
    precision_recall: tuple[RateCurve, ...]
    calibration: tuple[RateCurve, ...]
    prevalence: float | None


class RatesView(ResultsView):
    """One class of all chosen runs, or all classes of one run."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(workspace, parent)
        self.classes = ElidedCombo(self.content)
        self.classes.setAccessibleName("Class of the curves")
        guard_wheel(self.classes)
        self.legend = ClassChips(self.content)
        self.roc = RatePlot("ROC", ROC_AXES, self.content)
        self.precision_recall = RatePlot("Precision and recall", PR_AXES, self.content)
        self.calibration = RatePlot("Calibration", CALIBRATION_AXES, self.content)
        parts: dict[str, QWidget] = {
            "ROC": self.roc,
            "Precision and recall": self.precision_recall,
            "Calibration": self.calibration,
        }
        self.export = ExportButton(parts, self.content)
        self._lay_out()
        self.classes.currentIndexChanged.connect(self._on_classes_current_index_changed)

    def _lay_out(self) -> None:
        bar = QHBoxLayout()
        bar.addWidget(QLabel("Class", self.content))
        bar.addWidget(self.classes)
        bar.addSpacing(2 * GRID_PX)
        bar.addWidget(self.legend, 1)
        bar.addWidget(self.export)
        plots = QHBoxLayout()
        plots.setSpacing(2 * GRID_PX)
        for plot in (self.roc, self.precision_recall, self.calibration):
            plots.addWidget(plot, 1)
        note = WrappedLabel("muted", self.content)
        note.setText(
            "The dot is the threshold that validation chose. Dashed: what chance would draw, and where a probability"
            " keeps its word."
        )
        column = QVBoxLayout(self.content)
        column.setContentsMargins(3 * GRID_PX, 2 * GRID_PX, 3 * GRID_PX, 2 * GRID_PX)
        column.setSpacing(2 * GRID_PX)
        column.addLayout(bar)
        column.addLayout(plots, 1)
        column.addWidget(note)

    @override
    def _refresh(self) -> None:
        if not self.selection.predicted:
            self._say_unpredicted()
            return
        self._offer_classes()
        self._draw()

    def _offer_classes(self) -> None:
        selection = self.selection
        names = list(
            dict.fromkeys(
                name
                for each in selection.predicted
                for name in each.evaluations[selection.split].classification.per_class
            )
        )
        kept = self.classes.currentData()
        self.classes.blockSignals(True)
        self.classes.clear()
        if len(names) > 1:
            self.classes.addItem("All, of one run", EVERY_CLASS)
        for name in names:
            self.classes.addItem(name, name)
        known = self.classes.findData(kept) if kept is not None else -1
        first = 1 if len(names) > 1 and len(selection.predicted) > 1 else 0
        self.classes.setCurrentIndex(known if known >= 0 else first)
        self.classes.blockSignals(False)

    @Slot()
    def _on_classes_current_index_changed(self) -> None:
        self._draw()

    def _wishes(self) -> list[CurveWish]:
        selection, chosen_class = self.selection, self.classes.currentData()
        if chosen_class != EVERY_CLASS:
            return [
                CurveWish(
                    each.predictions[selection.split], chosen_class, selection.label_of(each), selection.color_of(each)
                )
                for each in selection.predicted
            ]
        chosen = selection.chosen if selection.chosen in selection.predicted else selection.predicted[0]
        assert chosen is not None  # it is one of the predicted, then
        colors = self._class_colors()
        names = chosen.evaluations[selection.split].classification.per_class
        path = chosen.predictions[selection.split]
        return [CurveWish(path, name, name, colors.get(name, "#888888")) for name in names]

    def _class_colors(self) -> Mapping[str, str]:
        project = self._workspace.project
        return {each.name: each.color for each in project.classes.list()} if project is not None else {}

    def _draw(self) -> None:
        wishes = self._wishes()
        self._work(lambda tick: compute_rates(wishes, tick), self._show_rates)

    def _show_rates(self, rates: Rates) -> None:
        self.roc.set_curves(rates.roc, ROC_AXES)
        chance = ((0.0, rates.prevalence), (1.0, rates.prevalence)) if rates.prevalence is not None else None
        self.precision_recall.set_curves(rates.precision_recall, RateAxes(PR_AXES.x, PR_AXES.y, chance))
        areas = {each.name: each.area for each in rates.precision_recall}
        self.calibration.set_curves(rates.calibration, CALIBRATION_AXES)
        self.legend.set_chips(
            [
                Chip(each.color, each.name, f"AUC {each.area:.3f} · AP {areas.get(each.name) or 0.0:.3f}")
                for each in rates.roc
            ]
        )
        self.stack.setCurrentWidget(self.content)


def compute_rates(wishes: list[CurveWish], tick: Tick) -> Rates:
    """Compute the curves that are wished for; one that is undefined is left out. Raises UserError."""
    read = {path: read_predictions(path) for path in dict.fromkeys(wish.path for wish in wishes)}
    roc: list[RateCurve] = []
    precision_recall: list[RateCurve] = []
    calibration: list[RateCurve] = []
    shares: list[float] = []
    for done, wish in enumerate(wishes):
        tick(done, len(wishes))
        predictions = read[wish.path]
        if wish.class_name not in predictions.class_names:
            continue
        column = predictions.column(wish.class_name)
        shares.append(float(predictions.truth[:, column].mean()))
        roc += _roc(wish, predictions, column)
        precision_recall += _precision_recall(wish, predictions, column)
        calibration += _calibration(wish, predictions, column)
    names = {wish.class_name for wish in wishes}
    prevalence = shares[0] if len(names) == 1 and shares and np.ptp(shares) < 1e-9 else None
    return Rates(tuple(roc), tuple(precision_recall), tuple(calibration), prevalence)


def _roc(wish: CurveWish, predictions: CropPredictions, column: int) -> list[RateCurve]:
    scores, truth = predictions.scores[:, column], predictions.truth[:, column]
    curve = roc_curve(scores, truth)
    if curve is None:
        return []
    counts = count_answers(predictions.answers[:, column], truth)
    mark = (1.0 - (counts.specificity or 0.0), counts.recall or 0.0)
    x, y = curve.false_positive_rate, curve.true_positive_rate
    area = roc_auc(scores.astype(np.float64), truth)
    return [RateCurve(wish.name, wish.color, x, y, curve.thresholds, mark, area)]


def _precision_recall(wish: CurveWish, predictions: CropPredictions, column: int) -> list[RateCurve]:
    scores, truth = predictions.scores[:, column], predictions.truth[:, column]
    curve = precision_recall_curve(scores, truth)
    if curve is None:
        return []
    counts = count_answers(predictions.answers[:, column], truth)
    mark = (counts.recall or 0.0, counts.precision) if counts.precision is not None else None
    thresholds = np.append(curve.thresholds, np.nan)
    area = average_precision(scores, truth)
    return [RateCurve(wish.name, wish.color, curve.recall, curve.precision, thresholds, mark, area)]


def _calibration(wish: CurveWish, predictions: CropPredictions, column: int) -> list[RateCurve]:
    measured = measure_calibration(predictions.scores[:, column].astype(np.float64), predictions.truth[:, column])
    if measured is None:
        return []
    x = np.array([each.mean_score for each in measured.bins])
    y = np.array([each.share_present for each in measured.bins])
    return [RateCurve(wish.name, wish.color, x, y, np.full(len(x), np.nan), has_points=True)]
