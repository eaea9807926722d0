"""The map with its colours and what they mean."""

from __future__ import annotations

from collections import Counter
from html import escape

from PySide6.QtCore import QPoint, Qt, Signal, Slot
from PySide6.QtWidgets import QMenu, QVBoxLayout, QWidget

from synthstudio.gui.canvas.plane_view import Rows
from synthstudio.gui.canvas.point_map import NO_POINTS, PointMap
from synthstudio.gui.pages.quality.map_facts import GROUPINGS, ShownMap, group_points, words_of
from synthstudio.gui.theme import GRID_PX
from synthstudio.gui.widgets.choices import fill_choice, make_choice
from synthstudio.gui.widgets.exporting import add_exports
from synthstudio.gui.widgets.wrapped_label import WrappedLabel
from synthstudio.project.pictures import Picture


class MapBoard(QWidget):
    """The points, and under them their groups and how they came to lie where they do.

    Attributes:
        grouping: The choice what the colours mean; it stands elsewhere.

    Signals:
        similar_requested: What is like the picked point is wanted.
    """

    similar_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown: ShownMap | None = None
        self.grouping = make_choice("What the colours mean", self)
        fill_choice(self.grouping, [(words, key) for key, words in GROUPINGS.items()])
        self.map = PointMap(self)
        self.map.describe = self._describe_row
        self.legend = WrappedLabel("muted", self)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, GRID_PX, 0)
        column.setSpacing(GRID_PX)
        column.addWidget(self.map, 1)
        column.addWidget(self.legend)
        self.grouping.currentIndexChanged.connect(self._regroup)
        self.map.menu_requested.connect(self._on_map_menu_requested)

    def show_map(self, shown: ShownMap | None, *, placeholder: str = "") -> None:
        """Show another map, or none."""
        self._shown = shown
        self.map.set_points(group_points(shown, self.grouping.currentData()) if shown is not None else NO_POINTS)
        self.map.set_placeholder(placeholder)
        self._show_legend()

    @Slot()
    def _regroup(self) -> None:
        if self._shown is not None:
            self.map.set_groups(group_points(self._shown, self.grouping.currentData()))
        self._show_legend()

    def _show_legend(self) -> None:
        shown, points = self._shown, self.map.points
        if shown is None:
            self.legend.setText("")
            return
        counts = Counter(points.group_of.tolist())
        entries = [
            f'<span style="color:{color}">●</span> {escape(name)} ({counts[place]:,})'
            for place, (name, color) in enumerate(zip(points.names, points.colors, strict=True))
        ]
        result = shown.result
        method = (
            "t-SNE: close points look alike; long distances mean nothing"
            if result.layout == "t-sne"
            else "two principal components"
        )
        if result.layout == "t-sne" and len(points) > result.n_landmarks:
            method += f"; {result.n_landmarks:,} laid out, the others placed among those they are like"
        self.legend.setText(f"{'&nbsp;&nbsp; '.join(entries)}<br>{result.features}. {method}.")

    def _describe_row(self, row: int) -> str:
        return self.describe(self._shown.pictures[row]) if self._shown is not None else ""

    def counts(self, rows: Rows) -> str:
        """How many points of each group are among some, the largest group first."""
        names = self.map.points.names
        found = Counter(self.map.points.group_of[rows].tolist()).most_common()
        return ", ".join(f"{count:,} {names[place]}" for place, count in found)

    def describe(self, picture: Picture) -> str:
        """What a picture is, in lines."""
        return words_of(picture, self._shown.classes) if self._shown is not None else picture.fov.name

    def caption(self, picture: Picture) -> str:
        """The class of an object, or the name of an image."""
        if self._shown is None or picture.mark is None:
            return picture.fov.stem
        return next((each.name for each in self._shown.classes if each.id == picture.mark.class_id), "")

    @Slot(QPoint)
    def _on_map_menu_requested(self, position: QPoint) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        similar = menu.addAction("Find similar")
        similar.setEnabled(bool(len(self.map.selected)))
        similar.triggered.connect(self.similar_requested)
        menu.addAction("Show all of the map").triggered.connect(self.map.fit)
        menu.addSeparator()
        add_exports(menu, self.map, "Map")
        menu.popup(position)
