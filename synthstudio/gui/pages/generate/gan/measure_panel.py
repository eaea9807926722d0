"""How near synthetic images come to real ones: measurements in a table and a chart, and the nearest pairs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSplitter, QStackedWidget, QVBoxLayout, QWidget
from typing_extensions import override

from synthstudio.core.evaluation.nearest_table import NearestTable, NearPair, read_nearest
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import FovId
from synthstudio.domain.progress import Tick
from synthstudio.domain.records import Box, Run
from synthstudio.gui.actions import ActionSpec, trigger_action
from synthstudio.gui.errors import report
from synthstudio.gui.pages.generate.gan.measure_facts import (
    COLUMNS,
    FIGURE_TITLES,
    PARTS,
    Measurement,
    Measurements,
    read_measurements,
    table_row,
)
from synthstudio.gui.pages.generate.gan.measure_side import MeasureSide
from synthstudio.gui.pages.generate.gan.near_gallery import NearGallery, PairSource
from synthstudio.gui.reading_panel import UNREADABLE, ReadingPanel
from synthstudio.gui.theme import GRID_PX, scaled_px
from synthstudio.gui.widgets.elided_combo import ElidedCombo
from synthstudio.gui.widgets.exporting import ExportButton
from synthstudio.gui.widgets.job_state import JobStateLabel
from synthstudio.gui.widgets.next_step import NextStep
from synthstudio.gui.widgets.sortable_table import SortableTable
from synthstudio.gui.widgets.wrapped_label import WrappedLabel
from synthstudio.gui.workspace import Workspace
from synthstudio.project import Project

if TYPE_CHECKING:
    from synthstudio.gui.widgets.bar_plot import BarPlot

SIDE_WIDTH_PX = 300
ROWS_IN_SIGHT = 3
MENU = "Generate"
PROJECT_NEEDED = "Open a project first."
NO_PAIRS = "No training image was looked at for copies."
NO_PAIRS_READ = "The pairs could not be read. The message in the window says why."


class MeasurePanel(ReadingPanel[None, Measurements]):
    """Table above, chart and pairs of the chosen measurements below, the form of a new one beside."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(workspace, parent, follows=("runs", "sets"), follows_jobs=True)
        self._run: Run | None = None
        self._known = Measurements()
        self._shown_pairs = ""
        self._side: MeasureSide | None = None
        self.stack = QStackedWidget(self)
        self.empty = NextStep(parent=self.stack)
        self.content = QWidget(self.stack)
        self.state = JobStateLabel(self)
        self.table = SortableTable("Measurements", self.content)
        self.figure = ElidedCombo(self.content)
        self.part = ElidedCombo(self.content)
        self._plot: BarPlot | None = None
        self.notes = WrappedLabel("muted", self.content)
        self.gallery = NearGallery(workspace, self.content)
        self.chart_holder = QVBoxLayout()
        self.export_holder = QHBoxLayout()
        self.side_holder = QFrame(self)
        self._side_layout = QVBoxLayout(self.side_holder)
        self._lay_out()
        self._connect()
        self._adopt(None)

    def _lay_out(self) -> None:
        for title, name in ((title, name) for name, title in FIGURE_TITLES.items()):
            self.figure.addItem(title, name)
        for name, title in PARTS.items():
            self.part.addItem(title, name)
        self.figure.setAccessibleName("Figure of the chart")
        self.part.setAccessibleName("Images of the chart")
        column = QVBoxLayout(self.content)
        column.setContentsMargins(2 * GRID_PX, 0, 2 * GRID_PX, 2 * GRID_PX)
        column.setSpacing(2 * GRID_PX)
        column.addWidget(self.table)
        column.addWidget(self._build_lower(), 1)
        self.stack.addWidget(self.empty)
        self.stack.addWidget(self.content)
        self.side_holder.setProperty("panel", True)
        self.side_holder.setFixedWidth(scaled_px(SIDE_WIDTH_PX))
        self._side_layout.setContentsMargins(0, 0, 0, 0)
        self.state.setContentsMargins(2 * GRID_PX, 2 * GRID_PX, 2 * GRID_PX, 0)
        left = QVBoxLayout()
        left.setSpacing(2 * GRID_PX)
        left.addWidget(self.state)
        left.addWidget(self.stack, 1)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(left, 1)
        layout.addWidget(self.side_holder)

    def _build_lower(self) -> QSplitter:
        splitter = QSplitter(Qt.Orientation.Horizontal, self.content)
        splitter.setChildrenCollapsible(False)
        left = QWidget(splitter)
        head = QHBoxLayout()
        for text, choice in (("Figure", self.figure), ("of", self.part)):
            label = QLabel(text, left)
            label.setBuddy(choice)
            head.addWidget(label)
            head.addWidget(choice)
        head.addStretch(1)
        head.addLayout(self.export_holder)
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, GRID_PX, 0)
        column.setSpacing(GRID_PX)
        column.addLayout(head)
        column.addLayout(self.chart_holder, 1)
        column.addWidget(self.notes)
        splitter.addWidget(left)
        splitter.addWidget(self.gallery)
        splitter.setStretchFactor(0, 1)
        splitter.setStretchFactor(1, 1)
        return splitter

    def _connect(self) -> None:
        self.table.selection_changed.connect(self._show_chosen)
        self.figure.currentIndexChanged.connect(self._show_chart)
        self.part.currentIndexChanged.connect(self._show_chart)
        self.gallery.pair_opened.connect(self._on_gallery_pair_opened)
        self.gallery.grid.selection_changed.connect(self.actions_outdated)

    @property
    def side(self) -> MeasureSide:
        """The form; made when it is first wanted."""
        if self._side is None:
            self._side = MeasureSide(self.side_holder)
            self._side_layout.addWidget(self._side)
            self._side.start_requested.connect(self.start)
            self._side.validity_changed.connect(self.actions_outdated)
            self._fit_side()
        return self._side

    @property
    def plot(self) -> BarPlot:
        """The chart; made with the first measurement that is shown: its library takes half a second to load."""
        if self._plot is None:
            from synthstudio.gui.widgets.bar_plot import BarPlot  # noqa: PLC0415 - see above

            self._plot = BarPlot("FID", self.content)
            self.chart_holder.addWidget(self._plot)
            self.export_holder.addWidget(ExportButton({"Measurements": self.table, "Chart": self._plot}, self.content))
        return self._plot

    @override
    def showEvent(self, event: QShowEvent) -> None:
        self.side.show()
        super().showEvent(event)

    def set_run(self, run: Run | None) -> None:
        """Measure this trained GAN, where no set is chosen; None where there is none."""
        self._run = run
        self._fit_side()
        self._show_empty()

    @override
    def _wish(self) -> None:
        """All of them."""

    @override
    def _find(self, project: Project, wish: None, tick: Tick) -> Measurements:
        return read_measurements(project)

    @override
    def _forget(self) -> None:
        self._run = None
        self._shown_pairs = ""

    @override
    def _adopt(self, facts: Measurements | None) -> None:
        former = {each.run.id for each in self._known.finished}
        # What could not be read takes the choice of a set away from nobody.
        self._known = known = facts or Measurements(sets=self._known.sets if self.has_failed else ())
        self.table.set_table(COLUMNS, [table_row(each) for each in known.finished])
        self.table.show_all_rows(at_least=min(ROWS_IN_SIGHT, len(known.finished)))
        newest = known.finished[0].run.id if known.finished else ""
        if newest and (newest not in former or not self.table.selected):
            self.table.select([newest], current=newest)
        self.state.show_state(known.state)
        self.stack.setCurrentWidget(self.content if known.finished else self.empty)
        self._fit_side()
        self._show_empty()
        self._show_chosen()

    def _fit_side(self) -> None:
        if self._side is not None:
            self._side.fit(
                run=self._run,
                sets=self._known.sets,
                can_start=self._workspace.is_writable,
                is_known=not self.has_failed,
            )

    def _show_empty(self) -> None:
        if self.has_failed:
            self.empty.show_step(*UNREADABLE)
            return
        if self._workspace.project is None:
            text = PROJECT_NEEDED
        elif self._run is None and not self._known.sets:
            text = "Train a GAN, or write a set, first. Then its images are compared with held-out real ones here."
        else:
            text = "Press “Measure” on the right: FID, KID and coverage beside those of real images against each other."
        self.empty.show_step("Nothing has been measured yet.", text)

    @property
    def chosen(self) -> list[Measurement]:
        """The selected measurements, as they stand in the table."""
        by_id = {str(each.run.id): each for each in self._known.finished}
        return [by_id[key] for key in self.table.selected if key in by_id]

    @property
    def current(self) -> Measurement | None:
        """The one whose pairs and notes are shown: that of the keyboard, where it is selected."""
        chosen = self.chosen
        return next((each for each in chosen if each.run.id == self.table.current), chosen[0] if chosen else None)

    @Slot()
    def _show_chosen(self) -> None:
        current = self.current
        self.notes.setText("\n".join(current.result.notes) if current is not None else "")
        self.notes.setVisible(bool(self.notes.text()))
        self._show_chart()
        self._load_pairs(current)
        self.actions_outdated.emit()

    @Slot()
    def _show_chart(self) -> None:
        if self._plot is None and not self.chosen:
            return
        from synthstudio.gui.pages.generate.gan.measure_chart import chart_of  # noqa: PLC0415 - as the plot itself

        figure, part = self.figure.currentData(), self.part.currentData()
        chart = chart_of(sorted(self.chosen, key=lambda each: each.number), figure, part)
        self.plot.set_chart(chart, title=f"{self.figure.currentText()}, {self.part.currentText().lower()}")

    def _load_pairs(self, current: Measurement | None) -> None:
        key = str(current.run.id) if current is not None else ""
        project = self._workspace.project
        if key == self._shown_pairs and key:
            return
        self._shown_pairs = key
        if current is None or project is None or not current.result.nearest:
            self.gallery.show_pairs(None, PairSource(Path(), {}), placeholder=NO_PAIRS if current is not None else "")
            return

        def read(_tick: Tick) -> tuple[NearestTable, PairSource]:
            return read_nearest(project.run_folder(current.run.id)), _pair_source(project, current)

        def show(found: tuple[NearestTable, PairSource]) -> None:
            if key == self._shown_pairs:
                self.gallery.show_pairs(*found)

        def fail(error: Exception) -> None:
            if not isinstance(error, UserError):
                report(error, parent=self)
            if key == self._shown_pairs:
                self._shown_pairs = ""  # tried again when the measurement is chosen again, or all are read
                told = str(error) if isinstance(error, UserError) else NO_PAIRS_READ
                self.gallery.show_pairs(None, PairSource(Path(), {}), placeholder=told)

        self._workspace.background.run(read, done=show, failed=fail, owner=self)

    @Slot(object)
    def _on_gallery_pair_opened(self, pair: NearPair) -> None:
        """Show the real image in Annotate, by the window's own action: a page knows no other page."""
        x, y, side = pair.window
        try:
            self._workspace.show_region(FovId(pair.fov), Box(x, y, x + side, y + side))
        except UserError as error:
            report(error, parent=self)
            return
        trigger_action("go.annotate", self)

    @Slot()
    def start(self) -> None:
        """Queue a measurement with the settings of the form; its progress is in the job bar."""
        settings = self.side.find_settings()
        if settings is None:
            return
        try:
            self._workspace.submit(settings, title=f"Measurement of {settings.set_name or 'the GAN'}")
        except UserError as error:
            report(error, parent=self)

    def actions(self) -> Sequence[ActionSpec]:  # type: ignore[override]  # the pages' word, not QWidget's list of QActions
        """What can be done here."""
        return (
            ActionSpec(
                "gan.measure",
                "Measure",
                self.start,
                icon="mdi6.tape-measure",
                menu=MENU,
                enabled_when=lambda: self._side is not None and self._side.start.isEnabled(),
                tip="Compare synthetic images with held-out real ones",
            ),
            ActionSpec(
                "gan.show_nearest_real",
                "Show the real image of the selected pair",
                self.gallery.open_selected,
                menu=MENU,
                enabled_when=lambda: self.gallery.selected is not None,
            ),
            ActionSpec(
                "gan.copy_measurements",
                "Copy the measurements",
                self.table.copy,
                menu=MENU,
                enabled_when=lambda: bool(self.table.keys),
            ),
        )


def _pair_source(project: Project, measured: Measurement) -> PairSource:
    result = measured.result
    folder = project.set_folder(result.name) if result.target == "set" else project.run_folder(measured.run.id)
    return PairSource(folder, {fov.id: fov for fov in project.fovs.list()})
