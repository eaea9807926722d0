"""The studies of the project: the table of variants and the chart of one measure."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QPushButton, QStackedWidget, QVBoxLayout, QWidget
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
from synthstudio.gui.theme import GRID_PX
from synthstudio.gui.widgets.bar_plot import BarChart, BarPlot
from synthstudio.gui.widgets.exporting import ExportButton
from synthstudio.gui.widgets.next_step import NextStep
from synthstudio.gui.widgets.run_choice import RunChoice
from synthstudio.gui.widgets.sortable_table import SortableTable
from synthstudio.gui.widgets.wheel_guard import guard_wheel
from synthstudio.gui.widgets.wrapped_label import WrappedLabel
from synthstudio.settings.gan_study import GanStudySettings, Variant

LEAST_ROWS = 5
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
        self._studies: list[StudyFacts] = []
        self._active = self._job_title = ""
        self._can_write = False
        self.stack = QStackedWidget(self)
        self.content = QWidget(self.stack)
        self.choice = RunChoice("Study", self.content)
        self.go_on = QPushButton("Continue", self.content)
        self.go_on.setToolTip("Do what is left; a training that was cut off goes on from its checkpoint")
        self.stop = QPushButton("Stop", self.content)
        self.stop.setToolTip("Cancel the running job and leave the rest; what is finished stays")
        self.new = QPushButton("New study…", self.content)
        self.state = WrappedLabel("muted", self.content)
        self.trouble = WrappedLabel("danger", self.content)
        self.table = VariantTable(self.content)
        self.table.setSelectionMode(SortableTable.SelectionMode.SingleSelection)
        self.measure = QComboBox(self.content)
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
        head = QHBoxLayout()
        head.addWidget(self.choice, 1)
        for button in (self.go_on, self.stop, self.new):
            head.addWidget(button)
        chart_head = QHBoxLayout()
        chart_head.addWidget(QLabel("Chart", self.content))
        chart_head.addWidget(self.measure)
        chart_head.addStretch(1)
        chart_head.addWidget(self.use)
        chart_head.addWidget(self.export)
        self.chart.setMinimumHeight(CHART_HEIGHT_PX)
        column = QVBoxLayout(self.content)
        column.setContentsMargins(3 * GRID_PX, 3 * GRID_PX, 3 * GRID_PX, 3 * GRID_PX)
        column.setSpacing(2 * GRID_PX)
        column.addLayout(head)
        column.addWidget(self.state)
        column.addWidget(self.trouble)
        column.addWidget(self.table)
        column.addLayout(chart_head)
        column.addWidget(self.chart, 1)
        column.addWidget(self.notes)
        self.stack.addWidget(self.content)
        self.stack.addWidget(self.empty)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.stack)

    def _connect(self) -> None:
        self.choice.currentIndexChanged.connect(self._show_chosen)
        self.measure.currentIndexChanged.connect(self._show_chart)
        self.go_on.clicked.connect(self.continue_requested)
        self.stop.clicked.connect(self.stop_requested)
        self.new.clicked.connect(self.new_requested)
        self.empty.button_clicked.connect(self.new_requested)
        self.use.clicked.connect(self.use_requested)
        self.table.selection_changed.connect(self._on_table_selection_changed)

    @property
    def chosen(self) -> StudyFacts | None:
        """The study that is shown."""
        name = self.choice.currentData()
        return next((each for each in self._studies if each.name == name), None)

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
        return frozenset(each.name for each in self._studies)

    @property
    def can_continue(self) -> bool:
        """Whether something of the study that is shown is left to be done, and no study is under way."""
        chosen = self.chosen
        is_left = chosen is not None and chosen.settings is not None and not chosen.is_complete
        return self._can_write and not self._active and is_left

    def show_studies(self, studies: Sequence[StudyFacts], *, can_write: bool) -> None:
        """Show these; the chosen one stays chosen, unless a newer one has begun."""
        self._studies = list(studies)
        self._can_write = can_write
        self.choice.show_runs([(each.line, each.name) for each in studies])
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
        self._active, self._job_title = name, job_title
        self._show_state()

    @Slot()
    def _show_chosen(self) -> None:
        chosen = self.chosen
        table = chosen.table if chosen is not None else None
        self.table.show_study(table)
        measures = table.measures if table is not None else ()
        kept = self.measure.currentData()
        self.measure.blockSignals(True)
        self.measure.clear()
        for each in measures:
            self.measure.addItem(each.title, each.key)
        self.measure.setCurrentIndex(max(0, self.measure.findData(kept)) if measures else -1)
        self.measure.blockSignals(False)
        failures = table.failures if table is not None else ()
        self.trouble.setText("\n".join(failures[:MAX_NOTES]))
        self.trouble.setVisible(bool(failures))
        self._show_chart()
        self._show_state()
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

    def _show_state(self) -> None:
        chosen = self.chosen
        is_active = bool(self._active) and chosen is not None and chosen.name == self._active
        self.stop.setVisible(bool(self._active))
        self.go_on.setVisible(not self._active and chosen is not None and not chosen.is_complete)
        self.go_on.setEnabled(self.can_continue)
        self.new.setEnabled(self._can_write and not self._active)
        self.state.setText(_state_words(chosen, job_title=self._job_title if is_active else "", is_active=is_active))


def _state_words(chosen: StudyFacts | None, *, job_title: str, is_active: bool) -> str:
    if chosen is None:
        return ""
    table, time_left = chosen.table, chosen.time_left
    if table is None or time_left is None:
        return "Another version of the program planned this study; its GANs are in the choice above."
    parts = [f"{table.n_done} of {table.n_planned} jobs are done"]
    if not chosen.is_complete:
        parts.append(f"time left {time_left.words}")
    now = f" Now: {job_title}." if job_title else " Beginning." if is_active else ""
    return f"{', '.join(parts)}.{now}"
