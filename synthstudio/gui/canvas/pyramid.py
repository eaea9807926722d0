"""An image at halving resolutions, ready to be painted. Built off the GUI thread by `build_pyramid`."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter

from synthstudio.gui.canvas.view_state import Viewport

SMALLEST_LEVEL_PX = 128
"""No further level is made below this longer side."""


@dataclass(frozen=True, slots=True)
class ImagePyramid:
    """Levels of one image, full resolution first, each about half the one before.

    All are RGB32: 4/3 of 4 bytes per px in memory, and three times as fast to scale as 3-byte px.
    """

    levels: tuple[QImage, ...]

    @property
    def width(self) -> int:
        return self.levels[0].width()

    @property
    def height(self) -> int:
        return self.levels[0].height()

    def color_at(self, x: float, y: float) -> tuple[int, int, int] | None:
        """RGB of the pixel that contains (x, y) image px, or None outside the image."""
        if not (0 <= x < self.width and 0 <= y < self.height):
            return None
        color = self.levels[0].pixelColor(int(x), int(y))
        return color.red(), color.green(), color.blue()

    def level_for(self, device_scale: float) -> QImage:
        """The smallest level that still has a pixel for every device pixel."""
        index = math.floor(-math.log2(min(device_scale, 1.0)) + 1e-6)
        return self.levels[min(index, len(self.levels) - 1)]


def build_pyramid(image: NDArray[np.uint8]) -> ImagePyramid:
    """Build the levels of an image; pure and safe in any thread.

    Args:
        image: (H, W, 3) uint8 RGB; copied.
    """
    level = np.ascontiguousarray(image)
    levels = [_as_image(level)]
    while max(level.shape[:2]) > SMALLEST_LEVEL_PX:
        half = (max(1, (level.shape[1] + 1) // 2), max(1, (level.shape[0] + 1) // 2))
        level = np.asarray(cv2.resize(level, half, interpolation=cv2.INTER_AREA), dtype=np.uint8)
        levels.append(_as_image(level))
    return ImagePyramid(tuple(levels))


def paint_pyramid(painter: QPainter, pyramid: ImagePyramid, viewport: Viewport) -> None:
    """Paint the visible part: whole pixels above 1:1, smoothed mip levels below.

    The source rectangle depends on the viewport alone, never on the dirty region, so that a partial repaint
    samples exactly as the full one did.
    """
    visible = viewport.visible_box()
    level = pyramid.level_for(viewport.device_scale)
    per_x, per_y = level.width() / pyramid.width, level.height() / pyramid.height
    left, top = max(math.floor(visible.x0 * per_x) - 1, 0), max(math.floor(visible.y0 * per_y) - 1, 0)
    right = min(math.ceil(visible.x1 * per_x) + 1, level.width())
    bottom = min(math.ceil(visible.y1 * per_y) + 1, level.height())
    if right <= left or bottom <= top:
        return
    target_x0, target_y0 = viewport.to_widget(left / per_x, top / per_y)
    target_x1, target_y1 = viewport.to_widget(right / per_x, bottom / per_y)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, viewport.device_scale < 1.0)
    painter.drawImage(
        QRectF(target_x0, target_y0, target_x1 - target_x0, target_y1 - target_y0),
        level,
        QRectF(left, top, right - left, bottom - top),
    )


def _as_image(pixels: NDArray[np.uint8]) -> QImage:
    height, width = pixels.shape[:2]
    view = QImage(pixels.data, width, height, 3 * width, QImage.Format.Format_RGB888)
    return view.convertToFormat(QImage.Format.Format_RGB32)
