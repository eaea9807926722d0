"""Pictures of a whole image and of its visible part, in the format that paints fastest."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter

from synthstudio.core.imaging import Channel, Levels
from synthstudio.core.imaging.levels import build_table, look_up, pick_channel
from synthstudio.gui.canvas.view_state import Viewport


def level_index(device_scale: float) -> int:
    """How often an image can be halved and still have a pixel for every device pixel."""
    return math.floor(-math.log2(min(device_scale, 1.0)) + 1e-6)


def show_levels(picture: QImage, levels: Levels) -> QImage:
    """Return an RGB32 picture as the levels show it; the picture itself is used up."""
    table = build_table(levels, full_scale=255, n_values=256)
    pixels = np.frombuffer(picture.bits(), np.uint8).reshape(picture.height(), picture.bytesPerLine() // 4, 4)
    if levels.channel is Channel.ALL:
        opaque = np.full_like(table, 255)  # the fourth byte is no colour and stays
        cv2.LUT(pixels, np.stack([table, table, table, opaque], axis=-1)[None], dst=pixels)
        return picture
    one = pick_channel(np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGRA2RGB)), levels.channel)
    cv2.cvtColor(look_up(one, table), cv2.COLOR_GRAY2BGRA, dst=pixels)
    return picture


def paint_picture(painter: QPainter, picture: QImage, size: tuple[int, int], viewport: Viewport) -> None:
    """Paint the visible part of a picture of a whole image.

    Args:
        painter: In widget px.
        picture: At any resolution.
        size: Width and height of the image in full-resolution px.
        viewport: Not turned.
    """
    part = visible_part((picture.width(), picture.height()), size, viewport)
    if part is None:
        return
    x0, y0, x1, y1 = part.source
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, viewport.device_scale < 1.0)
    painter.drawImage(part.target, picture, QRectF(x0, y0, x1 - x0, y1 - y0))


@dataclass(frozen=True, slots=True)
class VisiblePart:
    """x0, y0, x1, y1 in px of a picture, and where they are painted in widget px."""

    source: tuple[int, int, int, int]
    target: QRectF


def visible_part(picture: tuple[int, int], size: tuple[int, int], viewport: Viewport) -> VisiblePart | None:
    """Return the part of a picture of a whole image that is in view, or None.

    Args:
        picture: Its width and height.
        size: Width and height of the image in full-resolution px.
        viewport: Not turned.
    """
    visible = viewport.visible_box()
    per_x, per_y = picture[0] / size[0], picture[1] / size[1]
    left, top = max(math.floor(visible.x0 * per_x) - 1, 0), max(math.floor(visible.y0 * per_y) - 1, 0)
    right = min(math.ceil(visible.x1 * per_x) + 1, picture[0])
    bottom = min(math.ceil(visible.y1 * per_y) + 1, picture[1])
    if right <= left or bottom <= top:
        return None
    target_x0, target_y0 = viewport.to_widget(left / per_x, top / per_y)
    target_x1, target_y1 = viewport.to_widget(right / per_x, bottom / per_y)
    target = QRectF(target_x0, target_y0, target_x1 - target_x0, target_y1 - target_y0)
    return VisiblePart((left, top, right, bottom), target)


def to_picture(pixels: NDArray[np.uint8]) -> QImage:
    """Return (H, W, 3) uint8 RGB as a picture of its own in RGB32."""
    height, width = pixels.shape[:2]
    picture = QImage(width, height, QImage.Format.Format_RGB32)
    # A row of 32-bit px needs no padding, so the picture's memory is one array; OpenCV fills it faster than Qt.
    memory = np.frombuffer(picture.bits(), np.uint8).reshape(height, width, 4)
    cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_RGB2BGRA, dst=memory)
    return picture
