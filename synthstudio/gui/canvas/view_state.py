"""Which part of an image a viewer shows: pure arithmetic between image px and widget px.

Image px are full-resolution px with the origin at the top left corner of the top left pixel. Widget px are Qt's
logical px; a device pixel is 1/dpr of one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from synthstudio.domain.records import Box

MAX_DEVICE_SCALE = 64.0
"""Device pixels per image pixel at the deepest zoom."""
FIT_MARGIN_PX = 16.0
"""Widget px left free around a fitted image."""
KEEP_VISIBLE_PX = 64.0
"""Widget px of the image that no pan can push out of sight."""


@dataclass(frozen=True, slots=True)
class ViewState:
    """Centre of the view in image px and its scale in widget px per image px."""

    center_x: float
    center_y: float
    scale: float


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
    def device_scale(self) -> float:
        """Device pixels per image pixel."""
        return self.state.scale * self.dpr

    @property
    def origin(self) -> tuple[float, float]:
        """Widget position of the image's top left corner."""
        state = self.state
        x = math.floor((self.width / 2 - state.center_x * state.scale) * self.dpr + 0.5) / self.dpr
        y = math.floor((self.height / 2 - state.center_y * state.scale) * self.dpr + 0.5) / self.dpr
        return x, y

    def to_widget(self, x: float, y: float) -> tuple[float, float]:
        """Map image px to widget px."""
        origin_x, origin_y = self.origin
        return origin_x + x * self.scale, origin_y + y * self.scale

    def to_image(self, widget_x: float, widget_y: float) -> tuple[float, float]:
        """Map widget px to image px."""
        origin_x, origin_y = self.origin
        return (widget_x - origin_x) / self.scale, (widget_y - origin_y) / self.scale

    def visible_box(self) -> Box:
        """The part of image space that the widget shows; may reach beyond the image."""
        return Box(*self.to_image(0.0, 0.0), *self.to_image(self.width, self.height))

    def resized(self, *, width: float, height: float, dpr: float) -> Viewport:
        """The same centre and scale in a widget of another size."""
        return Viewport(self.state, width, height, dpr)

    def panned(self, dx: float, dy: float) -> ViewState:
        """The state after dragging the image by (dx, dy) widget px."""
        state = self.state
        return ViewState(state.center_x - dx / state.scale, state.center_y - dy / state.scale, state.scale)

    def zoomed(self, scale: float, *, at_x: float, at_y: float) -> ViewState:
        """The state at another scale, with the image point under (at_x, at_y) widget px staying where it is.

        Uses the unrounded origin: the rounding of each step would add up to many px on the way to 64x.
        """
        state = self.state
        from_center_x, from_center_y = at_x - self.width / 2, at_y - self.height / 2
        return ViewState(
            state.center_x + from_center_x / state.scale - from_center_x / scale,
            state.center_y + from_center_y / state.scale - from_center_y / scale,
            scale,
        )


def fit_scale(image_width: int, image_height: int, *, width: float, height: float) -> float:
    """Scale at which the whole image fits into the widget with a margin."""
    usable_width, usable_height = max(width - 2 * FIT_MARGIN_PX, 8.0), max(height - 2 * FIT_MARGIN_PX, 8.0)
    return min(usable_width / image_width, usable_height / image_height)


def clamped_state(state: ViewState, viewport: Viewport, *, image_width: int, image_height: int) -> ViewState:
    """The nearest state within the zoom limits that still shows some of the image."""
    fitted = fit_scale(image_width, image_height, width=viewport.width, height=viewport.height)
    largest = MAX_DEVICE_SCALE / viewport.dpr
    smallest = min(fitted / 2, 1 / viewport.dpr, largest)
    scale = min(max(state.scale, smallest), largest)
    reach_x = max(viewport.width / 2 - KEEP_VISIBLE_PX, 0.0) / scale
    reach_y = max(viewport.height / 2 - KEEP_VISIBLE_PX, 0.0) / scale
    return ViewState(
        min(max(state.center_x, -reach_x), image_width + reach_x),
        min(max(state.center_y, -reach_y), image_height + reach_y),
        scale,
    )
