"""Bars of all detectors that are scored on a split, class by class."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from synthstudio.domain.records import Split
from synthstudio.gui.pages.train.detector_facts import DetectorFacts
from synthstudio.gui.pages.train.run_colors import run_color
from synthstudio.gui.theme import GRID_PX, scaled_px
from synthstudio.gui.widgets.bar_plot import Bar, BarChart, BarPlot, BarSeries
from synthstudio.gui.widgets.exporting import ExportButton
from synthstudio.gui.widgets.segments import Segments
from synthstudio.protocol.results import ClassDetection, EvaluateDetectorResult

FIGURES = (
    ("f1", "F1", "At IoU .5 and the threshold of validation"),
    ("ap50", "AP50", "Average precision at IoU .5"),
    ("ap", "AP50:95", "Mean of the average precisions at IoU .50 to .95"),
)
MAX_DETECTORS = 12
"""Bars of more could not be told apart; they are in the table."""
HEIGHT_PX = 240
MEAN = "Mean"


class DetectorBars(QWidget):
    """One figure at a time; hidden where no detector is scored."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.figure = "f1"
        self.plot: BarPlot | None = None
        self._detectors: Sequence[DetectorFacts] = ()
        self._split: Split | None = None
        self.figures = Segments(FIGURES, self)
        self.figures.set_value(self.figure)
        self.figures.fit_texts()
        self._bar = QHBoxLayout()
        self._bar.addWidget(self.figures)
        self._bar.addStretch(1)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(GRID_PX)
        self._column.addLayout(self._bar)
        self.figures.chosen.connect(self.choose)
        self.hide()

    @Slot(str)
    def choose(self, figure: str) -> None:
        """Show another figure: "f1", "ap50" or "ap"."""
        self.figure = figure
        self.figures.set_value(figure)
        self._draw()

    def show_detectors(self, detectors: Sequence[DetectorFacts], split: Split | None) -> None:
        """Show those of these that are scored on the split."""
        found = [each for each in detectors if split is not None and split in each.evaluations][:MAX_DETECTORS]
        self.setVisible(bool(found))
        if (found, split) != (self._detectors, self._split):
            self._detectors, self._split = found, split
            self._draw()

    def _draw(self) -> None:
        if self._split is None or not self._detectors:
            return
        if self.plot is None:
            self.plot = self._build_plot()
        title = next(title for key, title, _ in FIGURES if key == self.figure)
        chart = build_chart(self._detectors, self._split, self.figure)
        self.plot.set_chart(chart, title=f"{title} on {self._split.value} images")

    def _build_plot(self) -> BarPlot:
        """Make the plot once there is something to plot: it takes 20 ms."""
        plot = BarPlot("F1", self)
        plot.setFixedHeight(scaled_px(HEIGHT_PX))
        self._column.addWidget(plot)
        self._bar.addWidget(ExportButton({"Detectors": plot}, self))
        return plot


def build_chart(detectors: Sequence[DetectorFacts], split: Split, figure: str) -> BarChart:
    """A group of bars for each class and for their mean, a bar for each detector."""
    results = [each.evaluations[split] for each in detectors]
    names = list(dict.fromkeys(name for result in results for name in result.per_class))
    series = tuple(
        BarSeries(
            f"{each.words}, {each.run.created_at[5:16].replace('T', ' ')}",
            run_color(place),
            (*(_bar(result.per_class.get(name), figure) for name in names), _mean_bar(result, figure)),
        )
        for place, (each, result) in enumerate(zip(detectors, results, strict=True))
    )
    return BarChart((*names, MEAN), series)


def _bar(scores: ClassDetection | None, figure: str) -> Bar:
    if scores is None:
        return Bar(None)
    if figure == "f1":
        return Bar(scores.f1, *(scores.ci95 or (None, None)))
    return Bar(scores.ap50 if figure == "ap50" else scores.ap)


def _mean_bar(result: EvaluateDetectorResult, figure: str) -> Bar:
    if figure == "f1":
        return Bar(result.macro_f1, *(result.ci95 or (None, None)))
    return Bar(result.map50 if figure == "ap50" else result.map)
