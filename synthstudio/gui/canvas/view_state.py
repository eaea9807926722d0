"""Which part of an image a viewer shows: pure arithmetic between image px and widget px.

Image px are full-resolution px with the origin at the top left corner of the top left pixel. Widget px are Qt's
logical px; a device pixel is 1/dpr of one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from synthstudio.domain.records import Box

MAX_DEVICE_SCALE = 64.0
"""Device pixels per image pixel at the deepest zoom."""
FIT_MARGIN_PX = 16.0
"""Widget px left free around a fitted image."""
KEEP_VISIBLE_PX = 64.0
"""Widget px of the image that no pan can push out of sight."""

# Whole numbers, so that turning never rounds: cosine and sine of 0, 90, 180, 270 degrees.
_TURNS = ((1, 0), (0, 1), (-1, 0), (0, -1))


@dataclass(frozen=True, slots=True)
class ViewState:
    """Centre of the view in image px, its scale in widget px per image px, and its clockwise quarter turns, 0 to 3."""

    center_x: float
    center_y: float
    scale: float
    turns: int = 0

    def turned(self, quarters: int) -> ViewState:
        """The same centre and scale, turned clockwise by so many quarters more."""
        return replace(self, turns=(self.turns + quarters) % 4)


@dataclass(frozen=True, slots=True)
class Viewport:
    """A view state in a widget of a certain size: maps both ways.

    The origin is rounded to whole device pixels, so that 1:1 is not resampled and a partial repaint meets its
    surroundings; clicks are mapped with the same rounded origin, so what is hit is what is seen.
    """

    state: ViewState
    width: float
    height: float
    dpr: float

    @property
    def scale(self) -> float:
        return self.state.scale

    @property
    def turns(self) -> int:
        return self.state.turns

    @property
    def device_scale(self) -> float:
        """Device pixels per image pixel."""
        return self.state.scale * self.dpr

    @property
    def turn(self) -> tuple[int, int]:
        """Cosine and sine of the view's turn, whole numbers."""
        return _TURNS[self.state.turns]

    @property
    def origin(self) -> tuple[float, float]:
        """Widget position of the image's top left corner."""
        state = self.state
        from_x, from_y = self.turned(state.center_x * state.scale, state.center_y * state.scale)
        return self._rounded(self.width / 2 - from_x), self._rounded(self.height / 2 - from_y)

    def _rounded(self, position: float) -> float:
        return math.floor(position * self.dpr + 0.5) / self.dpr

    def turned(self, dx: float, dy: float) -> tuple[float, float]:
        """Turn a way along the image's axes into one along the widget's, of the same length."""
        cos, sin = self.turn
        return cos * dx - sin * dy, sin * dx + cos * dy

    def unturned(self, dx: float, dy: float) -> tuple[float, float]:
        """Turn a way along the widget's axes into one along the image's, of the same length."""
        cos, sin = self.turn
        return cos * dx + sin * dy, cos * dy - sin * dx

    def to_widget(self, x: float, y: float) -> tuple[float, float]:
        """Map image px to widget px."""
        origin_x, origin_y = self.origin
        dx, dy = self.turned(x * self.scale, y * self.scale)
        return origin_x + dx, origin_y + dy

    def to_image(self, widget_x: float, widget_y: float) -> tuple[float, float]:
        """Map widget px to image px."""
        origin_x, origin_y = self.origin
        dx, dy = self.unturned(widget_x - origin_x, widget_y - origin_y)
        return dx / self.scale, dy / self.scale

    def points_to_widget(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Map (N, 2) float64 image px to widget px."""
        x, y = points.T
        cos, sin = self.turn
        turned = np.empty(points.shape, dtype=np.float64, order="F")  # whoever reads it reads x and y apart
        # One of the two factors is 0: leave it out, this runs over every mark in each frame.
        turned[:, 0] = x * (cos * self.scale) if cos else y * (-sin * self.scale)
        turned[:, 1] = y * (cos * self.scale) if cos else x * (sin * self.scale)
        turned += self.origin
        return turned

    def boxes_to_widget(self, extents: NDArray[np.float64]) -> NDArray[np.float64]:
        """Map (4, N) float64 x0, y0, x1, y1 in image px to (N, 4) left, top, right, bottom in widget px."""
        first, last = self.points_to_widget(extents[:2].T), self.points_to_widget(extents[2:].T)
        return np.hstack([np.minimum(first, last), np.maximum(first, last)])

    def box_to_widget(self, box: Box) -> Box:
        """Map a box in image px to left, top, right, bottom in widget px."""
        return _box_between(self.to_widget(box.x0, box.y0), self.to_widget(box.x1, box.y1))

    def box_to_image(self, area: Box) -> Box:
        """Map left, top, right, bottom in widget px to a box in image px."""
        return _box_between(self.to_image(area.x0, area.y0), self.to_image(area.x1, area.y1))

    def visible_box(self) -> Box:
        """The part of image space that the widget shows; may reach beyond the image."""
        return self.box_to_image(Box(0.0, 0.0, self.width, self.height))

    def resized(self, *, width: float, height: float, dpr: float) -> Viewport:
        """The same centre and scale in a widget of another size."""
        return Viewport(self.state, width, height, dpr)

    def upright(self) -> Viewport:
        """The unturned viewport whose picture, turned, is what this one shows, device pixel by device pixel."""
        width, height = (math.ceil(side * self.dpr) / self.dpr for side in (self.width, self.height))
        x, y = self.origin
        match self.turns:
            case 1:
                (x, y), (width, height) = (y, width - x), (height, width)
            case 2:
                x, y = width - x, height - y
            case 3:
                (x, y), (width, height) = (height - y, x), (height, width)
        state = ViewState((width / 2 - x) / self.scale, (height / 2 - y) / self.scale, self.scale)
        return Viewport(state, width, height, self.dpr)

    def panned(self, dx: float, dy: float) -> ViewState:
        """The state after dragging the image by (dx, dy) widget px."""
        state = self.state
        way_x, way_y = self.unturned(dx, dy)
        return replace(
            state, center_x=state.center_x - way_x / state.scale, center_y=state.center_y - way_y / state.scale
        )

    def zoomed(self, scale: float, *, at_x: float, at_y: float) -> ViewState:
        """The state at another scale, with the image point under (at_x, at_y) widget px staying where it is.

        Uses the unrounded origin: the rounding of each step would add up to many px on the way to 64x.
        """
        state = self.state
        from_center_x, from_center_y = self.unturned(at_x - self.width / 2, at_y - self.height / 2)
        return replace(
            state,
            center_x=state.center_x + from_center_x / state.scale - from_center_x / scale,
            center_y=state.center_y + from_center_y / state.scale - from_center_y / scale,
            scale=scale,
        )


def _box_between(first: tuple[float, float], last: tuple[float, float]) -> Box:
    return Box(min(first[0], last[0]), min(first[1], last[1]), max(first[0], last[0]), max(first[1], last[1]))


def fit_scale(image_width: int, image_height: int, *, width: float, height: float, turns: int = 0) -> float:
    """Scale at which the whole image, turned by so many quarters, fits into the widget with a margin."""
    if turns % 2:
        image_width, image_height = image_height, image_width
    usable_width, usable_height = max(width - 2 * FIT_MARGIN_PX, 8.0), max(height - 2 * FIT_MARGIN_PX, 8.0)
    return min(usable_width / image_width, usable_height / image_height)


def clamped_state(state: ViewState, viewport: Viewport, *, image_width: int, image_height: int) -> ViewState:
    """The nearest state within the zoom limits that still shows some of the image."""
    width, height = viewport.width, viewport.height
    fitted = fit_scale(image_width, image_height, width=width, height=height, turns=state.turns)
    largest = MAX_DEVICE_SCALE / viewport.dpr
    smallest = min(fitted / 2, 1 / viewport.dpr, largest)
    scale = min(max(state.scale, smallest), largest)
    along_x, along_y = (height, width) if state.turns % 2 else (width, height)
    reach_x = max(along_x / 2 - KEEP_VISIBLE_PX, 0.0) / scale
    reach_y = max(along_y / 2 - KEEP_VISIBLE_PX, 0.0) / scale
    return ViewState(
        min(max(state.center_x, -reach_x), image_width + reach_x),
        min(max(state.center_y, -reach_y), image_height + reach_y),
        scale,
        state.turns,
    )
