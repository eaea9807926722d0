"""The experiments of the project: the table of arms, the chart, and what can be done with them."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from synthstudio.client.experiment_table import ALL_CLASSES, MEASURES, ExperimentTable
from synthstudio.client.experiment_words import table_csv
from synthstudio.gui.pages.train.experiment_facts import (
    ExperimentFacts,
    arm_tip,
    cells_of,
    chance_of,
    chart_of,
    differences_line,
    whisker_line,
)
from synthstudio.gui.plan_head import PlanHead
from synthstudio.gui.theme import GRID_PX
from synthstudio.gui.widgets.bar_plot import BarChart, BarPlot
from synthstudio.gui.widgets.choices import fill_choice
from synthstudio.gui.widgets.columns import fill_with_pages, panel_column
from synthstudio.gui.widgets.exporting import ExportButton
from synthstudio.gui.widgets.next_step import NextStep
from synthstudio.gui.widgets.score_table import ScoreColumn, ScoreRow, ScoreTable
from synthstudio.gui.widgets.wheel_guard import guard_wheel
from synthstudio.gui.widgets.wrapped_label import WrappedLabel

KEYS = tuple(measure.key for measure in MEASURES)
COLUMNS = (
    ScoreColumn("Seeds", "Trainings that have been scored."),
    *(ScoreColumn(measure.title, f"{measure.help} Mean of all classes.") for measure in MEASURES),
)
FOREIGN = "its runs are in the lists of the other tabs"
CHART_HEIGHT_PX = 200
MAX_NOTES = 4


class ArmTable(ScoreTable):
    """Mean and spread of every arm; saves all figures, class by class."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(COLUMNS, first="Trained on", parent=parent)
        self._shown: ExperimentTable | None = None

    def show_table(self, table: ExperimentTable | None) -> None:
        """Show another table, or none."""
        self._shown = table
        self.set_rows(_rows(table) if table is not None else [])
        known = {measure.key for measure in table.measures} if table is not None else set(KEYS)
        for column, key in enumerate(KEYS, start=2):
            self.setColumnHidden(column, key not in known)

    @override
    def to_csv(self) -> bytes:
        return table_csv(self._shown) if self._shown is not None else super().to_csv()


def _rows(table: ExperimentTable) -> list[ScoreRow]:
    rows = [ScoreRow(row.title, cells_of(table, row, KEYS), tip=arm_tip(table, row)) for row in table.arms]
    chances = [chance_of(table, key, ALL_CLASSES) for key in KEYS]
    if any(chance is not None for chance in chances):
        cells = ("", *(f"{chance:.2f}" if chance is not None else "" for chance in chances))
        rows.append(ScoreRow("By chance", cells, tip="What a map that knows nothing would score."))
    return rows


class ExperimentPanel(QWidget):
    """One experiment at a time."""

    new_requested = Signal()
    continue_requested = Signal()
    stop_requested = Signal()
    report_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.stack = QStackedWidget(self)
        self.content = QWidget(self.stack)
        self.head: PlanHead[ExperimentFacts] = PlanHead("experiment", foreign=FOREIGN, parent=self.content)
        self.body = QScrollArea(self.content)
        self.inner = inner = QWidget(self.body.viewport())
        self.trouble = WrappedLabel("danger", inner)
        self.scroller = QScrollArea(inner)
        self.table = ArmTable(self.scroller.viewport())
        self.measure = QComboBox(inner)
        self.measure.setAccessibleName("Measure of the chart")
        guard_wheel(self.measure)
        self.chart = BarPlot("Experiment", inner)
        self.report = QPushButton("Report…", inner)
        self.report.setToolTip("Write table, charts, data and settings as a web page or a PDF, fit for an appendix")
        self.export = ExportButton({"Chart": self.chart, "Scores": self.table}, inner)
        self.differences = WrappedLabel("muted", inner)
        self.notes = WrappedLabel("muted", inner)
        self.empty = NextStep(parent=self.stack)
        self._lay_out()
        self._connect()
        self.show_experiments([], can_write=False)

    def _lay_out(self) -> None:
        column = panel_column(self.content)
        column.addWidget(self.head)
        column.addWidget(self.body, 1)
        self._lay_out_body()
        fill_with_pages(self, self.stack, self.content, self.empty)

    def _lay_out_body(self) -> None:
        """Table, chart and remarks scroll together where the window is low."""
        inner = self.inner
        chart_head = QHBoxLayout()
        chart_head.addWidget(QLabel("Chart", inner))
        chart_head.addWidget(self.measure)
        chart_head.addStretch(1)
        chart_head.addWidget(self.report)
        chart_head.addWidget(self.export)
        self.scroller.setWidgetResizable(True)
        self.scroller.setWidget(self.table)
        self.chart.setMinimumHeight(CHART_HEIGHT_PX)
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2 * GRID_PX)
        column.addWidget(self.trouble)
        column.addWidget(self.scroller)
        column.addLayout(chart_head)
        column.addWidget(self.chart, 1)
        column.addWidget(self.differences)
        column.addWidget(self.notes)
        self.body.setWidgetResizable(True)
        self.body.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.body.setWidget(inner)

    def _connect(self) -> None:
        self.head.choice_changed.connect(self._show_chosen)
        self.head.continue_requested.connect(self.continue_requested)
        self.head.stop_requested.connect(self.stop_requested)
        self.head.new_requested.connect(self.new_requested)
        self.measure.currentIndexChanged.connect(self._show_chart)
        self.report.clicked.connect(self.report_requested)
        self.empty.button_clicked.connect(self.new_requested)

    @property
    def chosen(self) -> ExperimentFacts | None:
        """The experiment that is shown."""
        return self.head.chosen

    @property
    def has_scores(self) -> bool:
        """Whether the experiment that is shown has any score yet."""
        chosen = self.chosen
        return chosen is not None and chosen.table is not None and bool(chosen.table.measures)

    @property
    def names(self) -> frozenset[str]:
        """Names of all experiments."""
        return self.head.names

    @property
    def can_continue(self) -> bool:
        """Whether something of the experiment that is shown is left to be done, and nothing else is under way."""
        return self.head.can_continue

    def show_experiments(self, experiments: Sequence[ExperimentFacts], *, can_write: bool) -> None:
        """Show these; the chosen one stays chosen, unless a newer one has begun."""
        self.head.show_plans(experiments, can_write=can_write)
        self.empty.show_step(
            "No experiment yet.",
            "An experiment trains on real images, on synthetic ones and on both, several times each, and scores all of"
            " them on the test images, which none of them has seen.",
            "New experiment…" if can_write else "",
        )
        self.stack.setCurrentWidget(self.content if experiments else self.empty)
        self._show_chosen()

    def show_active(self, name: str, job_title: str) -> None:
        """Say which experiment is under way, if any, and what it does."""
        self.head.show_active(name, job_title)

    @Slot()
    def _show_chosen(self) -> None:
        chosen = self.chosen
        table = chosen.table if chosen is not None else None
        self.table.show_table(table)
        self.scroller.setFixedHeight(self.table.height() + 2)
        measures = table.measures if table is not None else ()
        fill_choice(self.measure, [(each.title, each.key) for each in measures])
        failures = table.failures if table is not None else ()
        self.trouble.setText("\n".join(failures[:MAX_NOTES]))
        self.trouble.setVisible(bool(failures))
        notes = table.notes[:MAX_NOTES] if table is not None else ()
        self.notes.setText("\n".join(notes))
        self.notes.setVisible(bool(notes))
        self._show_chart()
        scored = f"scored on {table.n_images:,} test images of {table.n_samples:,} samples" if table is not None else ""
        self.head.show_state(scored if table is not None and table.n_images else "")

    @Slot()
    def _show_chart(self) -> None:
        chosen, key = self.chosen, self.measure.currentData()
        table = chosen.table if chosen is not None else None
        has_chart = table is not None and key is not None
        for widget in (self.chart, self.measure, self.report, self.export):
            widget.setEnabled(has_chart)
        if table is None or key is None:
            self.chart.set_chart(BarChart((), ()), title="No scores yet")
            self.differences.setText("")
            return
        self.chart.set_chart(chart_of(table, key), title=self.measure.currentText())
        self.differences.setText(f"{whisker_line(table, key)} {differences_line(table, key)}".strip())
