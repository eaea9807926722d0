"""Charts of the objects and images of the project, alone or beside those of a set."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QStackedWidget, QVBoxLayout, QWidget
from typing_extensions import override

from synthstudio.client.data_charts import read_charts
from synthstudio.core.export.report.charts import series_color
from synthstudio.core.review.data_charts import DataCharts
from synthstudio.core.review.gallery_filter import GalleryView
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import RunId
from synthstudio.domain.progress import Tick
from synthstudio.gui import errors
from synthstudio.gui.actions import ActionSpec
from synthstudio.gui.reading_panel import UNREADABLE, ReadingPanel
from synthstudio.gui.theme import GRID_PX
from synthstudio.gui.widgets.choices import fill_choice, make_choice
from synthstudio.gui.widgets.next_step import NextStep
from synthstudio.gui.widgets.segments import Segments
from synthstudio.gui.workspace import Workspace
from synthstudio.project import Project
from synthstudio.project.image_figures import list_surveys
from synthstudio.settings.describe import DescribeSettings

if TYPE_CHECKING:
    from synthstudio.gui.pages.quality.chart_grid import ChartGrid

ALL_WORDS = "all"
UNMEASURED = (
    "Light, colour and sharpness have not been measured yet. Each image is read once; the job bar shows how far it is."
)


class ChartsPanel(ReadingPanel[tuple[str, str], DataCharts]):
    """Counts what is wanted: beside which set, of which class.

    Signals:
        picked: (ChartPick) A part of a chart was chosen.
    """

    picked = Signal(object)

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(workspace, parent, follows=("fovs", "annotations", "classes", "sets", "samples"))
        self._measuring: set[RunId] = set()
        self._marked: tuple[GalleryView, NDArray[np.int64], str] = ("images", np.zeros(0, np.int64), "")
        self.shown: DataCharts | None = None
        self.grids: dict[GalleryView, ChartGrid] = {}
        self.data, self.classes = make_choice("Set beside the project", self), make_choice("Class of the charts", self)
        self.data.addItem("project alone", "")
        self.classes.addItem(ALL_WORDS, "")
        self.views = Segments(
            [("objects", "Objects", "What is marked"), ("images", "Images", "Light, colour, sharpness, tone")], self
        )
        self.views.set_value("objects")
        self.view: GalleryView = "objects"
        self.sides = Segments(
            [("real", "Real", "Choose among the project's"), ("made", "Set", "Choose among those of the set")], self
        )
        self.sides.set_value("real")
        self.legend = QLabel(self)
        self.note = QLabel(self)
        self.note.setProperty("muted", True)
        self.note.setWordWrap(True)
        self.measure = QPushButton("Measure the rest", self)
        self.step = NextStep()
        self.stack = QStackedWidget(self)
        self._lay_out()
        self._connect()
        self._adopt(None)

    def _lay_out(self) -> None:
        self.views.fit_texts()
        self.sides.fit_texts()
        bar = QHBoxLayout()
        bar.setSpacing(2 * GRID_PX)
        bar.addWidget(self.views)
        for words, combo in (("Of", self.data), ("Class", self.classes)):
            bar.addWidget(QLabel(words, self))
            bar.addWidget(combo)
        bar.addWidget(self.legend)
        bar.addStretch(1)
        self.choose_words = QLabel("Choose among", self)
        bar.addWidget(self.choose_words)
        bar.addWidget(self.sides)
        below = QHBoxLayout()
        below.addWidget(self.note, 1)
        below.addWidget(self.measure)
        self.stack.addWidget(self.step)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2 * GRID_PX, GRID_PX, 2 * GRID_PX, GRID_PX)
        layout.setSpacing(2 * GRID_PX)
        layout.addLayout(bar)
        layout.addWidget(self.stack, 1)
        layout.addLayout(below)

    def _connect(self) -> None:
        for combo in (self.data, self.classes):
            combo.currentIndexChanged.connect(self._read)
        self.views.chosen.connect(self.choose_view)
        self.sides.chosen.connect(self._on_sides_chosen)
        self.measure.clicked.connect(self.measure_images)
        self.step.button_clicked.connect(self.measure_images)
        self._workspace.gpu_worker.job_ended.connect(self._on_worker_job_ended)

    # What is shown

    @override
    def _offer(self, project: Project | None) -> None:
        sets = [item.name for item in reversed(project.sets.list())] if project is not None else []
        fill_choice(self.data, [("project alone", ""), *((f"project beside set {name}", name) for name in sets)])

    @override
    def _wish(self) -> tuple[str, str]:
        return self.data.currentData() or "", self.classes.currentData() or ""

    @override
    def _find(self, project: Project, wish: tuple[str, str], tick: Tick) -> DataCharts:
        return read_charts(project, *wish, tick)

    @Slot(str)
    def choose_view(self, view: GalleryView) -> None:
        """Show the charts of the "objects" or those of the "images"."""
        self.view = view
        self.views.set_value(view)
        self._show()

    @override
    def _adopt(self, facts: DataCharts | None) -> None:
        self.shown = facts
        names = facts.class_names if facts is not None else ()
        if not self.has_failed:  # or another class could not be chosen
            fill_choice(self.classes, [(ALL_WORDS, ""), *((name, name) for name in names)])
        self._show()

    def _show(self) -> None:
        """Show the plots, or what to do first."""
        charts = self.shown
        is_beside = charts is not None and bool(charts.set_name)
        for widget in (self.choose_words, self.sides):
            widget.setVisible(is_beside)
        lacks = charts is not None and charts.n_unmeasured > 0 and self.view == "images"
        self._fit_measuring(lacks=lacks)
        self.actions_outdated.emit()
        step = self._next_step()
        self.legend.setVisible(step is None)
        self.note.setVisible(step is None)
        if step is not None:
            self.measure.hide()
            self.step.show_step(*step)
            self.stack.setCurrentWidget(self.step)
            return
        assert charts is not None  # or there would be a next step
        grid = self._ready_grid()
        grid.show_charts(charts)
        self.legend.setText(grid.legend_text)
        self.stack.setCurrentWidget(grid)
        self._mark()

    def _next_step(self) -> tuple[str, str, str] | None:
        """Title, text and button where there is nothing to chart; None where there is."""
        charts = self.shown
        if self.has_failed:
            return (*UNREADABLE, "")
        if charts is None:
            is_open = self._workspace.project is not None
            return ("Reading…", "", "") if is_open else ("No project is open.", "Open one, or make one.", "")
        if self.view == "images" and not any(charts.n_measured):
            if not any(charts.n_images):
                return "There are no images yet.", "Import some first.", ""
            return "Images have not been measured.", UNMEASURED, self._measure_words()
        if self.view == "objects" and not any(charts.n_objects):
            return "No objects are marked.", "Mark some in Annotate, or import annotations.", ""
        return None

    def _ready_grid(self) -> ChartGrid:
        if self.view not in self.grids:
            from synthstudio.gui.pages.quality.chart_grid import (  # noqa: PLC0415 - 0.4 s that the start need not wait for
                ChartGrid,
            )

            grid = ChartGrid(self.view, series_color, self)
            grid.picked.connect(self.picked)
            self.grids[self.view] = grid
            self.stack.addWidget(grid)
        return self.grids[self.view]

    @Slot(str)
    def _on_sides_chosen(self, side: str) -> None:
        self.sides.set_value(side)
        for grid in self.grids.values():
            grid.choose_side(int(side == "made"))

    def mark_selected(self, view: GalleryView, ids: NDArray[np.int64], *, set_name: str = "") -> None:
        """Point at images or objects that are selected elsewhere, in each chart; no ids point at nothing."""
        self._marked = view, ids, set_name
        self._mark()

    def _mark(self) -> None:
        view, ids, set_name = self._marked
        grid, charts = self.grids.get(self.view), self.shown
        if grid is None or charts is None:
            return
        is_shown = not set_name or set_name == charts.set_name
        pointed = ids if is_shown else ids[:0]
        grid.mark(view, pointed, side=int(bool(set_name) and is_shown))
        told = f" Dotted: what is selected in the gallery ({len(pointed):,})." if len(pointed) else ""
        self.note.setText(_note(charts, self.view) + told)

    # Measuring

    def _measure_words(self) -> str:
        charts = self.shown
        if self._measuring or charts is None:
            return "Measuring…"
        return f"Measure {charts.n_unmeasured:,} images"

    def _fit_measuring(self, *, lacks: bool) -> None:
        can_start = self._workspace.is_writable and not self._measuring
        self.measure.setVisible(lacks)
        self.measure.setText(self._measure_words())
        for button in (self.measure, self.step.button):
            button.setEnabled(can_start)

    @property
    def can_measure(self) -> bool:
        """Whether there are images to measure, and nothing does so already."""
        charts = self.shown
        return charts is not None and charts.n_unmeasured > 0 and not self._measuring and self._workspace.is_writable

    @Slot()
    def measure_images(self) -> None:
        """Queue the measuring of those sides that lack some; its progress is in the job bar."""
        charts = self.shown
        if charts is None or not self.can_measure:
            return
        try:
            for side, (seen, known) in enumerate(zip(charts.n_images, charts.n_measured, strict=True)):
                if known < seen:
                    name = charts.set_name if side else ""
                    settings = DescribeSettings(set_name=name)
                    title = f"Measuring the images of {f'set {name}' if name else 'the project'}"
                    self._measuring.add(self._workspace.submit(settings, title=title))
        except UserError as error:
            errors.report(error, parent=self)
        self._show()

    @Slot(str, object)
    def _on_worker_job_ended(self, run_id: RunId, _outcome: object) -> None:
        project = self._workspace.project
        if run_id in self._measuring:
            self._measuring.discard(run_id)
            self.refresh()
        elif project is not None and any(run.id == run_id for run in list_surveys(project)):
            self._reread.start()  # a check measures, too

    def actions(self) -> Sequence[ActionSpec]:  # type: ignore[override]  # the pages' word, not QWidget's list of QActions
        """What can be done here."""
        return (
            ActionSpec(
                "quality.measure_images",
                "Measure the images for the charts",
                self.measure_images,
                icon="mdi6.image-search-outline",
                menu="Quality",
                enabled_when=lambda: self.isVisible() and self.can_measure,
            ),
        )

    @override
    def _forget(self) -> None:
        self._measuring.clear()


def _note(charts: DataCharts, view: GalleryView) -> str:
    numbers = charts.n_objects if view == "objects" else charts.n_measured
    what = "objects" if view == "objects" else "measured images"
    text = f"{numbers[0]:,} {what} of the project"
    if charts.set_name:
        text += f", {numbers[1]:,} of the set"
    return f"{text}. Drag over a part of a chart, or click a bar, to see in the gallery what lies there."
