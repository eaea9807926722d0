"""Loss and F1 of one run, live while it trains."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from synthstudio.domain.ids import RunId
from synthstudio.domain.progress import Tick
from synthstudio.gui.theme import current_theme
from synthstudio.gui.widgets.metric_plots import MetricPlots, Points
from synthstudio.gui.widgets.next_step import NextStep
from synthstudio.gui.workspace import Workspace

if TYPE_CHECKING:
    from synthstudio.gui.widgets.curve_plot import CurvePlot

TITLES = {"loss": "Loss", "f1": "F1 on validation images", "auc": "AUC on validation images"}


class CurvesPanel(QWidget):
    """The plots of a run, or what to do where it has none."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._run_id: RunId | None = None
        self.stack = QStackedWidget(self)
        self.empty = NextStep(parent=self.stack)
        self._metrics = MetricPlots(TITLES, self._color, parent=self.stack)
        self.stack.addWidget(self.empty)
        self.stack.addWidget(self._metrics)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.stack)

    @property
    def plots(self) -> Mapping[str, CurvePlot]:
        """The plots by the groups of their metrics."""
        return self._metrics.plots

    def show_run(self, run_id: RunId | None, empty_title: str, empty_text: str) -> None:
        """Show the curves of a run; the texts say what to do where it has none."""
        self.empty.show_step(empty_title, empty_text)
        project = self._workspace.project
        if run_id != self._run_id:
            self._run_id = run_id
            self._metrics.clear()
            self._show()
        if run_id is None or project is None:
            return

        def read(_tick: Tick) -> Mapping[str, Points]:
            return project.runs.metrics(run_id)

        self._workspace.background.run(read, done=lambda found: self._merge(run_id, found), owner=self)

    def _merge(self, run_id: RunId, found: Mapping[str, Points]) -> None:
        if run_id == self._run_id:
            self._metrics.merge(found)
            self._show()

    def add_point(self, run_id: RunId, name: str, step: int, value: float) -> None:
        """Take a value that was just logged; drawn with the next redraw."""
        if run_id == self._run_id:
            self._metrics.add_point(name, step, value)
            self._show()

    def _show(self) -> None:
        self.stack.setCurrentIndex(1 if self._metrics.has_points else 0)

    def _color(self, name: str, number: int) -> str:
        project = self._workspace.project
        found = project.classes.find(name) if project is not None else None
        if found is not None:
            return found.color
        theme = current_theme()
        return (theme.text, theme.accent, theme.text_muted)[number % 3]
