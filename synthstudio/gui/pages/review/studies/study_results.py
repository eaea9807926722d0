"""The result of a closed study: a sentence, tables, plots."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from synthstudio.core.review.reading_shares import PickedShare
from synthstudio.core.review.relevance import RelevanceResult
from synthstudio.core.review.study_answers import StudyResult
from synthstudio.core.review.turing import TuringResult
from synthstudio.domain.palette import class_color
from synthstudio.gui.pages.review.studies.study_facts import (
    FIGURE_COLUMNS,
    RECALL_COLUMNS,
    TURING_READER_COLUMNS,
    reader_color,
    recall_rows,
    summary_words,
    turing_reader_rows,
    turing_rows,
)
from synthstudio.gui.theme import GRID_PX, current_theme, scaled_px
from synthstudio.gui.widgets.bar_plot import Bar, BarChart, BarPlot, BarSeries
from synthstudio.gui.widgets.rate_plot import RateAxes, RateCurve, RatePlot
from synthstudio.gui.widgets.score_table import ScoreTable
from synthstudio.gui.widgets.wrapped_label import WrappedLabel
from synthstudio.project.studies import StudyReader

ROC_AXES = RateAxes("FPR: synthetic taken for real", "TPR: real taken for real", chance=((0.0, 0.0), (1.0, 1.0)))
PLOT_PX = 260
ALL_READERS = "All readers"


class StudyResults(QWidget):
    """Knows nothing of the project."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.summary = WrappedLabel("muted", self)
        self.figures = ScoreTable(FIGURE_COLUMNS, first="Figure", parent=self)
        self.readers = ScoreTable(TURING_READER_COLUMNS, first="Reader", parent=self)
        self.recalls = ScoreTable(RECALL_COLUMNS, first="Condition", parent=self)
        self.roc = RatePlot("Real taken for real, over synthetic taken for real", ROC_AXES, self)
        self.shares = BarPlot("Share of images picked", self)
        plots = QHBoxLayout()
        plots.setSpacing(2 * GRID_PX)
        for plot in (self.roc, self.shares):
            plot.setFixedHeight(scaled_px(PLOT_PX))
            plots.addWidget(plot, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2 * GRID_PX)
        layout.addWidget(self.summary)
        layout.addLayout(plots)
        for table in (self.figures, self.recalls, self.readers):
            layout.addWidget(table)

    def show_result(self, result: StudyResult, readers: Sequence[StudyReader]) -> None:
        """Show another result."""
        self.summary.setText(summary_words(result))
        is_turing = isinstance(result, TuringResult)
        for widget in (self.figures, self.readers, self.roc):
            widget.setVisible(is_turing)
        self.recalls.setVisible(not is_turing)
        if isinstance(result, TuringResult):
            self.figures.set_rows(turing_rows(result))
            self.readers.set_rows(turing_reader_rows(result, {each.number: each.name for each in readers}))
            self.roc.set_curves(_curves(result, readers), ROC_AXES)
            self.shares.set_chart(_turing_chart(result))
        else:
            self.recalls.set_rows(recall_rows(result))
            self.shares.set_chart(_recall_chart(result))


def _curves(result: TuringResult, readers: Sequence[StudyReader]) -> tuple[RateCurve, ...]:
    """The ROC curve of each reader, or the one point that picking gives, and the curve of all answers."""
    names = {each.number: each.name for each in readers}
    tpr = {each.reader: each.share for each in result.tpr.by_reader}
    fpr = {each.reader: each.share for each in result.fpr.by_reader}
    curves = []
    for place, each in enumerate(result.readers):
        if each.roc is not None:
            x, y = np.array(each.roc.fpr), np.array(each.roc.tpr)
        else:
            point = fpr.get(each.reader), tpr.get(each.reader)
            if point[0] is None or point[1] is None:
                continue
            x, y = np.array([point[0]]), np.array([point[1]])
        name = names.get(each.reader, f"Reader {each.reader}")
        curves.append(RateCurve(name, reader_color(place), x, y, np.full(len(x), np.nan), has_points=True))
    if result.roc is not None:
        x, y = np.array(result.roc.fpr), np.array(result.roc.tpr)
        curves.append(RateCurve(ALL_READERS, current_theme().text, x, y, np.full(len(x), np.nan), has_points=True))
    return tuple(curves)


def _bar(share: PickedShare) -> Bar:
    low, high = share.interval or (None, None)
    return Bar(share.mean, low, high)


def _turing_chart(result: TuringResult) -> BarChart:
    groups = [("All", result.tpr, result.fpr), *result.by_class]
    return BarChart(
        tuple(name for name, _, _ in groups),
        (
            BarSeries("Real", class_color(0), tuple(_bar(tpr) for _, tpr, _ in groups)),
            BarSeries("Synthetic", class_color(1), tuple(_bar(fpr) for _, _, fpr in groups)),
        ),
    )


def _recall_chart(result: RelevanceResult) -> BarChart:
    shown = (result.overall, *result.by_condition)
    return BarChart(
        tuple(each.condition or "All" for each in shown),
        (
            BarSeries("Real", class_color(0), tuple(_bar(each.real) for each in shown)),
            BarSeries("Synthetic", class_color(1), tuple(_bar(each.synthetic) for each in shown)),
            BarSeries("False, real", class_color(2), tuple(_bar(each.false_real) for each in shown)),
            BarSeries("False, synthetic", class_color(3), tuple(_bar(each.false_synthetic) for each in shown)),
        ),
    )
