"""A viewer with the boxes of a detector, solid, over those of people, dashed; what is wrong has a red rim."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter
from PySide6.QtWidgets import QWidget
from typing_extensions import override

from synthstudio.core.evaluation.detection_errors import DetectionError, ErrorKind, JudgedDetections
from synthstudio.core.geometry import BoxArray
from synthstudio.gui.canvas.drafts import Pointer
from synthstudio.gui.canvas.image_view import ImageView
from synthstudio.gui.canvas.line_layer import LineLayer
from synthstudio.gui.canvas.view_state import Viewport
from synthstudio.gui.pages.train.detection_facts import SearchedField
from synthstudio.gui.theme import current_theme

LINE_PX, RIM_PX, CHOSEN_PX = 2.0, 6.0, 3.0
MARK_OUTLINE = CHOSEN_COLOR = "#FFFFFF"
CHOSEN_GAP = 0.18
"""The frame round the mistake that is looked at is so much larger than its box."""
MAX_TAGS = 300
LEAST_TAGGED_PX = 22.0
"""Widget px; a smaller box has no room for its score."""


@dataclass(frozen=True, slots=True)
class DetectionLook:
    """What is drawn.

    Attributes:
        thresholds: Score of each class from which on a detection is shown.
        has_annotations: Draw what people marked.
        has_scores: Write the score on each detection.
        only_wrong: Leave out what is right.
    """

    thresholds: tuple[float, ...]
    has_annotations: bool = True
    has_scores: bool = True
    only_wrong: bool = False


@dataclass(frozen=True, slots=True)
class Tag:
    """A few letters at the upper left corner of a box; `box` is x0, y0, x1, y1 in image px."""

    box: tuple[float, float, float, float]
    text: str
    color: str


def box_sides(boxes: BoxArray) -> NDArray[np.float64]:
    """The sides of boxes `(N, 4)` as segments `(4 N, 4)`."""
    x0, y0, x1, y1 = boxes.T
    sides = ((x0, y0, x1, y0), (x1, y0, x1, y1), (x1, y1, x0, y1), (x0, y1, x0, y0))
    return np.concatenate([np.column_stack(side) for side in sides])


def draw_layers(
    searched: SearchedField, judged: JudgedDetections | None, look: DetectionLook, chosen: DetectionError | None
) -> list[LineLayer]:
    """Lines for a field, the lowest first."""
    counts = _counting(searched, look)
    wrong, missed = _wrong(searched, judged, counts)
    shown = wrong if look.only_wrong else counts
    marked = np.full(len(searched.boxes), look.has_annotations)
    if look.only_wrong:
        marked = missed
    red = current_theme().danger
    rims = np.vstack([searched.found.boxes[wrong], searched.boxes[missed]])
    layers = [LineLayer(box_sides(rims), red, width=RIM_PX)] if len(rims) else []
    for label, color in enumerate(searched.colors):
        true = searched.boxes[marked & (searched.labels == label)]
        found = searched.found.boxes[shown & (searched.found.labels == label)]
        if len(true):
            layers.append(LineLayer(box_sides(true), color, width=1.5, is_dashed=True, outline=MARK_OUTLINE))
        if len(found):
            layers.append(LineLayer(box_sides(found), color, width=LINE_PX))
    if chosen is not None:
        layers.append(LineLayer(box_sides(_widened(chosen)), CHOSEN_COLOR, width=CHOSEN_PX))
    return layers


def draw_tags(searched: SearchedField, judged: JudgedDetections | None, look: DetectionLook) -> list[Tag]:
    """Scores, and what is wrong, in letters."""
    counts = _counting(searched, look)
    wrong, _ = _wrong(searched, judged, counts)
    red = current_theme().danger
    mistakes = judged.errors if judged is not None else ()
    errors = {(each.box.x0, each.box.y0, each.box.x1, each.box.y1): each for each in mistakes}
    tags = []
    for row in np.flatnonzero(wrong if look.only_wrong else counts).tolist():
        x0, y0, x1, y1 = searched.found.boxes[row].tolist()
        text = f"{searched.found.scores[row]:.2f}" if look.has_scores else ""
        color = searched.colors[int(searched.found.labels[row])]
        error = errors.get((x0, y0, x1, y1))
        if error is not None and wrong[row]:
            color = red
            is_of = f"is {searched.names[error.true]}" if error.true is not None else "false alarm"
            text = f"{text} {is_of}".strip()
        if text:
            tags.append(Tag((x0, y0, x1, y1), text, color))
    tags.extend(Tag(box, "missed", red) for box, each in errors.items() if each.kind is ErrorKind.MISSED)
    return tags


def _counting(searched: SearchedField, look: DetectionLook) -> NDArray[np.bool_]:
    if not len(searched.found.scores):
        return np.zeros(0, np.bool_)
    return np.asarray(searched.found.scores >= np.array(look.thresholds)[searched.found.labels])


def _wrong(
    searched: SearchedField, judged: JudgedDetections | None, counts: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Wrong detections `(N,)` and missed objects `(M,)`; none before the field has been judged."""
    if judged is None:
        return np.zeros(len(counts), np.bool_), np.zeros(len(searched.boxes), np.bool_)
    if not searched.is_exhaustive:
        return np.zeros(len(counts), np.bool_), judged.missed
    # The thresholds may have moved since it was judged: a detection that no longer counts is not drawn as wrong.
    return counts & judged.counts & ~judged.hits, judged.missed


def _widened(error: DetectionError) -> BoxArray:
    box = error.box
    gap = CHOSEN_GAP * max(box.width, box.height)
    return np.array([[box.x0 - gap, box.y0 - gap, box.x1 + gap, box.y1 + gap]])


class DetectionView(ImageView):
    """Shows a field with boxes; the hand moves it."""

    place_double_clicked = Signal(float, float)
    """x, y in image px."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tags: tuple[Tag, ...] = ()
        self.setAccessibleName("Field with detections")

    @property
    def tags(self) -> tuple[Tag, ...]:
        return self._tags

    def set_tags(self, tags: Sequence[Tag]) -> None:
        """Write these at their boxes, where there is room."""
        self._tags = tuple(tags)
        self.update()

    @override
    def _on_left_pressed(self, pointer: Pointer) -> None:
        self._pan_from = QPointF(pointer.widget_x, pointer.widget_y)  # nothing is drawn here: the hand moves the image
        self._refresh_cursor()

    @override
    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self.pyramid is not None:
            self.place_double_clicked.emit(*self.widget_to_image(event.position()))
        else:
            super().mouseDoubleClickEvent(event)

    @override
    def _paint_on_top(self, painter: QPainter, viewport: Viewport) -> None:
        places = self._tags_in_view(viewport)
        if len(places) > MAX_TAGS:
            return  # a carpet of letters: the boxes alone are seen better
        metrics = painter.fontMetrics()
        for tag, left, top in places:
            width = metrics.horizontalAdvance(tag.text) + 6
            area = QRectF(round(left) - 1, round(top) - metrics.height() - 1, width, metrics.height())
            color = QColor(tag.color)
            painter.fillRect(area, color)
            painter.setPen(QColor("#101010" if color.lightness() > 140 else "#FFFFFF"))
            painter.drawText(area, Qt.AlignmentFlag.AlignCenter, tag.text)

    def _tags_in_view(self, viewport: Viewport) -> list[tuple[Tag, float, float]]:
        if not self._tags:
            return []
        corners = viewport.boxes_to_widget(np.array([tag.box for tag in self._tags], np.float64).T)
        seen = (corners[:, 2] > 0) & (corners[:, 3] > 0)
        seen &= (corners[:, 0] < viewport.width) & (corners[:, 1] < viewport.height)
        seen &= corners[:, 2] - corners[:, 0] >= LEAST_TAGGED_PX
        rows = np.flatnonzero(seen).tolist()
        return [(self._tags[row], float(corners[row, 0]), float(corners[row, 1])) for row in rows]
