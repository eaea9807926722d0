"""The logged values of a training as plots, one for each group of metrics. The plotting library is only loaded once
there is something to plot."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import Qt, QTimer, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QBoxLayout, QWidget
from typing_extensions import override

from synthstudio.gui.theme import GRID_PX, PLOT_HEIGHT_PX

if TYPE_CHECKING:
    from synthstudio.gui.widgets.curve_plot import CurvePlot

Points = list[tuple[int, float]]
"""(step, value) pairs."""

REDRAW_MS = 150
TURN_MS = 15
"""Between two plots: what the hand does meanwhile comes first."""
FIRST_GROUPS = ("loss", "f1")


class MetricPlots(QWidget):
    """One plot for each group of metrics: what stands before the slash of their names.

    Args:
        titles: Title of each group; its name where it is missing.
        color_of: Colour of a curve, from its name and its place in the plot.
        orientation: Whether the plots stand below each other or side by side.
    """

    def __init__(
        self,
        titles: Mapping[str, str],
        color_of: Callable[[str, int], str],
        *,
        orientation: Qt.Orientation = Qt.Orientation.Vertical,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._titles = titles
        self._color_of = color_of
        self._points: dict[str, Points] = {}
        self.plots: dict[str, CurvePlot] = {}
        self._slots: dict[str, QWidget] = {}
        is_vertical = orientation is Qt.Orientation.Vertical
        self._layout = QBoxLayout(QBoxLayout.Direction.TopToBottom if is_vertical else QBoxLayout.Direction.LeftToRight)
        self._layout.setContentsMargins(2 * GRID_PX, 2 * GRID_PX, 2 * GRID_PX, 2 * GRID_PX)
        self._layout.setSpacing(2 * GRID_PX)
        self.setLayout(self._layout)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.redraw)
        self._waiting: list[str] = []
        self._turn = QTimer(self)
        self._turn.setSingleShot(True)
        self._turn.setInterval(TURN_MS)
        self._turn.timeout.connect(self._draw_next)

    @property
    def has_points(self) -> bool:
        """Whether there is anything to plot."""
        return bool(self._points)

    def clear(self) -> None:
        """Show nothing."""
        self._points = {}
        self.redraw()

    def merge(self, found: Mapping[str, Points]) -> None:
        """Take stored values; those that came live may not be stored yet, and stay."""
        for name, points in found.items():
            known = dict(points)
            known.update(self._points.get(name, []))
            self._points[name] = sorted(known.items())
        self.redraw()

    def add_point(self, name: str, step: int, value: float) -> None:
        """Take a value that was just logged; drawn with the next redraw."""
        points = self._points.setdefault(name, [])
        if points and step <= points[-1][0]:  # a run that was resumed says some steps again
            self._points[name] = sorted((dict(points) | {step: value}).items())
        else:
            points.append((step, value))
        if not self._timer.isActive():
            self._timer.start(REDRAW_MS)

    @override
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.redraw()

    @Slot()
    def redraw(self) -> None:
        """Draw what can be seen, one plot a turn: all in one turn would be felt as a stall."""
        groups = self._groups()
        for gone in [group for group in self._slots if group not in groups]:
            slot = self._slots.pop(gone)
            self.plots.pop(gone, None)
            self._layout.removeWidget(slot)
            slot.deleteLater()
        for place, group in enumerate(groups):
            if group not in self._slots:
                self._add_slot(group, place)
        self._waiting = list(groups)
        self._turn.start()

    def _add_slot(self, group: str, place: int) -> None:
        """Keep the room of a plot free: a plot that came later would change the size of all that are drawn."""
        self._slots[group] = QWidget(self)
        self._slots[group].setMinimumHeight(PLOT_HEIGHT_PX)
        self._layout.insertWidget(place, self._slots[group], 1)

    def _groups(self) -> dict[str, list[str]]:
        """The metrics of each plot, in the order of the plots."""
        groups: dict[str, list[str]] = {}
        for name in self._points:
            groups.setdefault(name.split("/")[0], []).append(name)
        order = {group: place for place, group in enumerate(FIRST_GROUPS)}
        return {group: groups[group] for group in sorted(groups, key=lambda each: (order.get(each, len(order)), each))}

    @Slot()
    def _draw_next(self) -> None:
        if not self.isVisible() or not self._waiting:
            return  # drawn when it is shown
        group = self._waiting[0]
        groups = self._groups()
        if group in groups and group not in self.plots:
            self._add_plot(group)  # and its curves in the next turn
        else:
            self._waiting.pop(0)
            if group in groups:
                self._draw_group(group, groups[group])
        self._turn.start()

    def _add_plot(self, group: str) -> None:
        from synthstudio.gui.widgets.curve_plot import CurvePlot  # noqa: PLC0415 - 0.4 s that the start need not wait for

        plot = CurvePlot(self._titles.get(group, group.capitalize()), self)
        self._layout.replaceWidget(self._slots[group], plot)
        self._slots[group].deleteLater()
        self.plots[group] = self._slots[group] = plot

    def _draw_group(self, group: str, names: Sequence[str]) -> None:
        from synthstudio.gui.widgets.curve_plot import Curve  # noqa: PLC0415 - as above

        curves = []
        for number, name in enumerate(sorted(names)):
            points = np.array(self._points[name], np.float64).reshape(-1, 2)
            short = name.split("/", 1)[-1]
            color = self._color_of(short, number)
            curves.append(Curve(short, color, points[:, 0], points[:, 1], is_dashed=short == "macro"))
        self.plots[group].set_curves(tuple(curves))
