"""Loss and F1 of one run, live while it trains. The plotting library is only loaded once there is something to plot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QTimer, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget
from typing_extensions import override

from synthstudio.domain.ids import RunId
from synthstudio.domain.progress import Tick
from synthstudio.gui.theme import GRID_PX, current_theme
from synthstudio.gui.widgets.next_step import NextStep
from synthstudio.gui.workspace import Workspace

if TYPE_CHECKING:
    from synthstudio.gui.widgets.curve_plot import CurvePlot

Points = list[tuple[int, float]]

REDRAW_MS = 150
TURN_MS = 15
"""Between two plots: what the hand does meanwhile comes first."""
TITLES = {"loss": "Loss", "f1": "F1 on validation images", "auc": "AUC on validation images"}


class CurvesPanel(QWidget):
    """One plot for each group of metrics: what stands before the slash of their names."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._run_id: RunId | None = None
        self._points: dict[str, Points] = {}
        self.plots: dict[str, CurvePlot] = {}
        self.stack = QStackedWidget(self)
        self.empty = NextStep(parent=self.stack)
        self._holder = QWidget(self.stack)
        self._column = QVBoxLayout(self._holder)
        self._column.setContentsMargins(2 * GRID_PX, 2 * GRID_PX, 2 * GRID_PX, 2 * GRID_PX)
        self._column.setSpacing(2 * GRID_PX)
        self.stack.addWidget(self.empty)
        self.stack.addWidget(self._holder)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.stack)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._redraw)
        self._waiting: list[str] = []
        self._turn = QTimer(self)
        self._turn.setSingleShot(True)
        self._turn.setInterval(TURN_MS)
        self._turn.timeout.connect(self._draw_next)

    def show_run(self, run_id: RunId | None, empty_title: str, empty_text: str) -> None:
        """Show the curves of a run; the texts say what to do where it has none."""
        self.empty.show_step(empty_title, empty_text)
        project = self._workspace.project
        if run_id != self._run_id:
            self._run_id, self._points = run_id, {}
            self._redraw()
        if run_id is None or project is None:
            return

        def read(_tick: Tick) -> Mapping[str, Points]:
            return project.runs.metrics(run_id)

        self._workspace.background.run(read, done=lambda found: self._merge(run_id, found), owner=self)

    def _merge(self, run_id: RunId, found: Mapping[str, Points]) -> None:
        if run_id != self._run_id:
            return
        for name, points in found.items():
            known = dict(points)
            known.update(self._points.get(name, []))  # what came live may not be stored yet
            self._points[name] = sorted(known.items())
        self._redraw()

    def add_point(self, run_id: RunId, name: str, step: int, value: float) -> None:
        """Take a value that was just logged; drawn with the next redraw."""
        if run_id == self._run_id:
            self._points.setdefault(name, []).append((step, value))
            if not self._timer.isActive():
                self._timer.start(REDRAW_MS)

    @override
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._redraw()

    @Slot()
    def _redraw(self) -> None:
        """Draw what can be seen, one plot a turn: all in one turn would be felt as a stall."""
        self.stack.setCurrentIndex(1 if self._points else 0)
        groups = self._groups()
        for gone in [group for group in self.plots if group not in groups]:
            plot = self.plots.pop(gone)
            self._column.removeWidget(plot)
            plot.deleteLater()
        self._waiting = list(groups)
        self._turn.start()

    def _groups(self) -> dict[str, list[str]]:
        """The metrics of each plot, in the order of the plots."""
        groups: dict[str, list[str]] = {}
        for name in self._points:
            groups.setdefault(name.split("/")[0], []).append(name)
        return {group: groups[group] for group in sorted(groups, key=lambda each: (each != "loss", each != "f1", each))}

    @Slot()
    def _draw_next(self) -> None:
        if not self.isVisible() or not self._waiting:
            return  # drawn when it is shown
        group = self._waiting.pop(0)
        groups = self._groups()
        if group in groups:
            self._draw_group(group, groups[group], list(groups).index(group))
        self._turn.start()

    def _draw_group(self, group: str, names: Sequence[str], place: int) -> None:
        from synthstudio.gui.widgets.curve_plot import Curve, CurvePlot  # noqa: PLC0415 - 0.4 s that the start need not wait for

        if group not in self.plots:
            self.plots[group] = CurvePlot(TITLES.get(group, group.capitalize()), self._holder)
            self._column.insertWidget(place, self.plots[group], 1)
        curves = []
        for number, name in enumerate(sorted(names)):
            points = np.array(self._points[name], np.float64).reshape(-1, 2)
            short = name.split("/", 1)[-1]
            color = self._color(short, number)
            curves.append(Curve(short, color, points[:, 0], points[:, 1], is_dashed=short == "macro"))
        self.plots[group].set_curves(tuple(curves))

    def _color(self, name: str, number: int) -> str:
        project = self._workspace.project
        found = project.classes.find(name) if project is not None else None
        if found is not None:
            return found.color
        theme = current_theme()
        return (theme.text, theme.accent, theme.text_muted)[number % 3]
