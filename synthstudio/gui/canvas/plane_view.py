"""Which part of a plane of points is seen, and which points lie where on the screen."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QSize

Rows = NDArray[np.int64]
MARGIN_PX = 24
MOST_ZOOM = 400.0
REACH_PX = 10.0
"""A point is hit from so far away."""


class PlaneView:
    """Points within -1 to 1, y up, in a widget of some size; enlarged and moved."""

    def __init__(self) -> None:
        self._positions: NDArray[np.float32] = np.zeros((0, 2), np.float32)
        self._size = (1, 1)
        self._zoom, self._middle = 1.0, np.zeros(2)
        self._places: NDArray[np.float64] | None = None

    def set_positions(self, positions: NDArray[np.float32]) -> None:
        """Take other points, `(N, 2)`."""
        self._positions, self._places = positions, None

    def set_size(self, size: QSize) -> None:
        """Fill a widget of this size."""
        self._size, self._places = (size.width(), size.height()), None

    def fit(self) -> None:
        """See all."""
        self._zoom, self._middle, self._places = 1.0, np.zeros(2), None

    def zoom_by(self, factor: float, about: QPointF | None = None) -> None:
        """Enlarge about a place of the widget, or its middle."""
        at = np.array(self._size) / 2 if about is None else np.array([about.x(), about.y()])
        before = self._to_plane(at)
        self._zoom, self._places = float(np.clip(self._zoom * factor, 1.0, MOST_ZOOM)), None
        self._middle = self._middle + before - self._to_plane(at)

    def move_by(self, away: QPointF) -> None:
        """Move what is seen by so many px."""
        self._middle = self._middle - np.array([away.x(), -away.y()]) / self._px_per_unit
        self._places = None

    @property
    def _px_per_unit(self) -> float:
        return self._zoom * max(1.0, min(self._size) / 2 - MARGIN_PX)

    def _to_plane(self, at: NDArray[np.float64]) -> NDArray[np.float64]:
        away = (at - np.array(self._size) / 2) / self._px_per_unit
        return np.asarray(self._middle + away * np.array([1.0, -1.0]))

    @property
    def places(self) -> NDArray[np.float64]:
        """`(N, 2)` where the points are, in px of the widget."""
        if self._places is None:
            away = (self._positions - self._middle) * (self._px_per_unit * np.array([1.0, -1.0]))
            self._places = np.asarray(away + np.array(self._size) / 2, np.float64)
        return self._places

    def in_sight(self, rows: Rows) -> Rows:
        """Those of some points that are seen, or of which an edge may be."""
        places = self.places[rows]
        is_seen = (places > -MARGIN_PX).all(axis=1) & (places < np.array(self._size) + MARGIN_PX).all(axis=1)
        return rows[is_seen]

    def row_at(self, at: QPointF) -> int:
        """The nearest point within reach, or -1."""
        if not len(self._positions):
            return -1
        away = np.hypot(*(self.places - np.array([at.x(), at.y()])).T)
        row = int(away.argmin())
        return row if away[row] <= REACH_PX else -1

    def rows_within(self, lasso: Sequence[QPointF]) -> Rows:
        """The points in sight that lie inside a line, which is closed."""
        width, height = (max(1, each) for each in self._size)
        mask = np.zeros((height, width), np.uint8)
        cv2.fillPoly(mask, [np.array([[round(each.x()), round(each.y())] for each in lasso], np.int32)], 1)
        places = np.floor(self.places).astype(np.int64)
        rows = np.flatnonzero((places >= 0).all(axis=1) & (places < np.array([width, height])).all(axis=1))
        is_inside = mask[places[rows, 1], places[rows, 0]] > 0
        return np.asarray(rows[is_inside], np.int64)

    def row_beyond(self, row: int | None, direction: tuple[float, float]) -> int | None:
        """The next point from one in a direction of the screen, or None; the one in the middle from nowhere."""
        if not len(self._positions):
            return None
        if row is None:
            return int(np.hypot(*(self.places - np.array(self._size) / 2).T).argmin())
        away = self.places - self.places[row]
        along, across = away @ np.array(direction), np.abs(away @ np.array(direction[::-1]))
        cost = np.where(along > 0.5, along + 2 * across, np.inf)
        nearest = int(cost.argmin())
        return nearest if np.isfinite(cost[nearest]) else None
