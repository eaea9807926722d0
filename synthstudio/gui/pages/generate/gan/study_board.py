"""The studies of the project: the table of variants and the chart of one measure."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QStackedWidget, QWidget
from typing_extensions import override

from synthstudio.client.gan_study_table import StudyTable, differences_line, study_csv
from synthstudio.gui.pages.generate.gan.study_facts import (
    StudyFacts,
    chart_of,
    columns_of,
    features_line,
    rows_of,
    whisker_line,
)
from synthstudio.gui.plan_head import PlanHead
from synthstudio.gui.widgets.bar_plot import BarChart, BarPlot
from synthstudio.gui.widgets.choices import fill_choice
from synthstudio.gui.widgets.columns import fill_with_pages, panel_column
from synthstudio.gui.widgets.elided_combo import ElidedCombo
from synthstudio.gui.widgets.exporting import ExportButton
from synthstudio.gui.widgets.next_step import NextStep
from synthstudio.gui.widgets.sortable_table import SortableTable
from synthstudio.gui.widgets.wheel_guard import guard_wheel
from synthstudio.gui.widgets.wrapped_label import WrappedLabel
from synthstudio.settings.gan_study import GanStudySettings, Variant

LEAST_ROWS = 5
FOREIGN = "its GANs are in the choice above"
CHART_HEIGHT_PX = 200
MAX_NOTES = 4


class VariantTable(SortableTable):
    """Figures of every variant; saves all of them with their intervals."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Study", parent)
        self._shown: StudyTable | None = None

    def show_study(self, table: StudyTable | None) -> None:
        """Show another study, or none."""
        self._shown = table
        if table is None:
            self.set_table((), ())
        else:
            self.set_table(columns_of(table), rows_of(table))
        self.show_all_rows(at_least=LEAST_ROWS)

    @override
    def to_csv(self) -> bytes:
        return study_csv(self._shown) if self._shown is not None else super().to_csv()


class StudyBoard(QWidget):
    """One study at a time."""

    new_requested = Signal()
    continue_requested = Signal()
    stop_requested = Signal()
    use_requested = Signal()
    selection_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.stack = QStackedWidget(self)
        self.content = QWidget(self.stack)
        self.head: PlanHead[StudyFacts] = PlanHead("study", foreign=FOREIGN, parent=self.content)
        self.trouble = WrappedLabel("danger", self.content)
        self.table = VariantTable(self.content)
        self.table.setSelectionMode(SortableTable.SelectionMode.SingleSelection)
        self.measure = ElidedCombo(self.content)
        self.measure.setAccessibleName("Measure of the chart")
        guard_wheel(self.measure)
        self.chart = BarPlot("Study", self.content)
        self.export = ExportButton({"Chart": self.chart, "Figures": self.table}, self.content)
        self.use = QPushButton("Use for training", self.content)
        self.use.setToolTip("Put the settings of the selected variant into the form of the training")
        self.notes = WrappedLabel("muted", self.content)
        self.empty = NextStep(parent=self.stack)
        self._lay_out()
        self._connect()
        self.show_studies([], can_write=False)

    def _lay_out(self) -> None:
        chart_head = QHBoxLayout()
        chart_head.addWidget(QLabel("Chart", self.content))
        chart_head.addWidget(self.measure)
        chart_head.addStretch(1)
        chart_head.addWidget(self.use)
        chart_head.addWidget(self.export)
        self.chart.setMinimumHeight(CHART_HEIGHT_PX)
        column = panel_column(self.content)
        column.addWidget(self.head)
        column.addWidget(self.trouble)
        column.addWidget(self.table)
        column.addLayout(chart_head)
        column.addWidget(self.chart, 1)
        column.addWidget(self.notes)
        fill_with_pages(self, self.stack, self.content, self.empty)

    def _connect(self) -> None:
        self.head.choice_changed.connect(self._show_chosen)
        self.head.continue_requested.connect(self.continue_requested)
        self.head.stop_requested.connect(self.stop_requested)
        self.head.new_requested.connect(self.new_requested)
        self.measure.currentIndexChanged.connect(self._show_chart)
        self.empty.button_clicked.connect(self.new_requested)
        self.use.clicked.connect(self.use_requested)
        self.table.selection_changed.connect(self._on_table_selection_changed)

    @property
    def chosen(self) -> StudyFacts | None:
        """The study that is shown."""
        return self.head.chosen

    @property
    def variant(self) -> tuple[GanStudySettings, Variant] | None:
        """The variant that is selected, and the plan that it is a part of."""
        chosen, selected = self.chosen, self.table.selected
        if chosen is None or chosen.settings is None or not selected:
            return None
        found = next((each for each in chosen.settings.variants if each.key == selected[0]), None)
        return (chosen.settings, found) if found is not None else None

    @property
    def names(self) -> frozenset[str]:
        """Names of all studies."""
        return self.head.names

    @property
    def can_continue(self) -> bool:
        """Whether something of the study that is shown is left to be done, and no study is under way."""
        return self.head.can_continue

    def show_studies(self, studies: Sequence[StudyFacts], *, can_write: bool) -> None:
        """Show these; the chosen one stays chosen, unless a newer one has begun."""
        self.head.show_plans(studies, can_write=can_write)
        self.empty.show_step(
            "No study yet.",
            "A study trains a GAN as it is, and each time without one of its parts, or with other weights of its"
            " losses, and measures all of them against the same real images.",
            "New study…" if can_write else "",
        )
        self.stack.setCurrentWidget(self.content if studies else self.empty)
        self._show_chosen()

    def show_active(self, name: str, job_title: str) -> None:
        """Say which study is under way, if any, and what it does."""
        self.head.show_active(name, job_title)

    @Slot()
    def _show_chosen(self) -> None:
        chosen = self.chosen
        table = chosen.table if chosen is not None else None
        self.table.show_study(table)
        measures = table.measures if table is not None else ()
        fill_choice(self.measure, [(each.title, each.key) for each in measures])
        failures = table.failures if table is not None else ()
        self.trouble.setText("\n".join(failures[:MAX_NOTES]))
        self.trouble.setVisible(bool(failures))
        self._show_chart()
        self.head.show_state()
        self._on_table_selection_changed()

    @Slot()
    def _on_table_selection_changed(self) -> None:
        self.use.setEnabled(self.variant is not None)
        self.selection_changed.emit()

    @Slot()
    def _show_chart(self) -> None:
        chosen, key = self.chosen, self.measure.currentData()
        table = chosen.table if chosen is not None else None
        has_chart = table is not None and key is not None
        for widget in (self.chart, self.measure, self.export):
            widget.setEnabled(has_chart)
        if table is None or key is None:
            self.chart.set_chart(BarChart((), ()), title="Nothing is measured yet")
            self.notes.setText("")
            return
        self.chart.set_chart(chart_of(table, key), title=self.measure.currentText())
        said = (differences_line(table, key), whisker_line(table, key), features_line(table), *table.notes[:MAX_NOTES])
        self.notes.setText(" ".join(each for each in said if each))
