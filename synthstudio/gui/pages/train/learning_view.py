"""How the chosen runs learned: one logged value over the steps, a line for each run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from PySide6.QtCore import Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget
from typing_extensions import override

from synthstudio.domain.ids import RunId
from synthstudio.domain.progress import Tick
from synthstudio.gui.pages.train.results_view import ResultsView
from synthstudio.gui.theme import GRID_PX
from synthstudio.gui.widgets.curve_plot import Curve, CurvePlot
from synthstudio.gui.widgets.elided_combo import ElidedCombo
from synthstudio.gui.widgets.exporting import ExportButton
from synthstudio.gui.widgets.wheel_guard import guard_wheel
from synthstudio.gui.workspace import Workspace

FIRST_METRIC = "f1/macro"
GROUPS = {"f1": "F1", "auc": "AUC"}
Points = Sequence[tuple[int, float]]


class LearningView(ResultsView):
    """One metric at a time."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(workspace, parent)
        self._metrics: Mapping[RunId, Mapping[str, Points]] = {}
        self.logged = ElidedCombo(self.content)
        self.logged.setAccessibleName("Logged value")
        guard_wheel(self.logged)
        self.plot = CurvePlot("Learning", self.content)
        self.export = ExportButton({"Learning": self.plot}, self.content)
        bar = QHBoxLayout()
        bar.addWidget(QLabel("Value", self.content))
        bar.addWidget(self.logged)
        bar.addStretch(1)
        bar.addWidget(self.export)
        column = QVBoxLayout(self.content)
        column.setContentsMargins(3 * GRID_PX, 2 * GRID_PX, 3 * GRID_PX, 2 * GRID_PX)
        column.setSpacing(2 * GRID_PX)
        column.addLayout(bar)
        column.addWidget(self.plot, 1)
        self.logged.currentIndexChanged.connect(self._draw)

    @override
    def _refresh(self) -> None:
        runs, project = self.selection.runs, self._workspace.project
        if not runs or project is None:
            self._say("No training is chosen.", "Train a classifier first; its values are compared here.")
            return
        run_ids = [each.run.id for each in runs]

        def read(_tick: Tick) -> dict[RunId, Mapping[str, Points]]:
            return {run_id: project.runs.metrics(run_id) for run_id in run_ids}

        self._work(read, self._show_metrics)

    def _show_metrics(self, metrics: Mapping[RunId, Mapping[str, Points]]) -> None:
        self._metrics = metrics
        names = sorted({name for found in metrics.values() for name in found}, key=_rank)
        if not names:
            self._say("These runs logged no values.", "A value appears after the first steps of a training.")
            return
        kept = self.logged.currentData() or FIRST_METRIC
        self.logged.blockSignals(True)
        self.logged.clear()
        for name in names:
            self.logged.addItem(_words(name), name)
        self.logged.setCurrentIndex(max(0, self.logged.findData(kept)))
        self.logged.blockSignals(False)
        self.stack.setCurrentWidget(self.content)
        self._draw()

    @Slot()
    def _draw(self) -> None:
        name, selection = self.logged.currentData(), self.selection
        curves = []
        for each in selection.runs:
            points = np.array(self._metrics.get(each.run.id, {}).get(name, ()), np.float64).reshape(-1, 2)
            if len(points):
                label, color = selection.label_of(each), selection.color_of(each)
                curves.append(Curve(label, color, points[:, 0], points[:, 1]))
        self.plot.set_curves(tuple(curves))


def _words(name: str) -> str:
    group, _, rest = name.partition("/")
    title = GROUPS.get(group, group.replace("_", " ").capitalize())
    return f"{title}, {rest}" if rest else title


def _rank(name: str) -> tuple[bool, bool, str]:
    return name != FIRST_METRIC, not name.startswith("f1/"), name
