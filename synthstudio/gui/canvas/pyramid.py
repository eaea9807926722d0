"""An image at several resolutions, ready to be painted: held whole (`build_pyramid`) or drawn from tiles (`tiles`)."""

from __future__ import annotations

import math
import weakref
from abc import ABC, abstractmethod
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import shiboken6
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRect, QRectF
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QWidget
from typing_extensions import override

from synthstudio.core.imaging import (
    DeepSamples,
    Histogram,
    Levels,
    apply_levels,
    count_samples,
    read_deep_samples,
)
from synthstudio.gui.canvas.pictures import level_index, paint_picture, show_levels, to_picture, visible_part
from synthstudio.gui.canvas.view_state import Viewport

N_COUNTED = 1_000_000
"""About so many px make a histogram."""
SMALLEST_LEVEL_PX = 128
"""No further level is made below this longer side."""
LATE_FROM_PX = 4_000_000
"""Of a larger image the smaller pictures are there first; it is seen 50 ms earlier."""


class ImagePyramid(ABC):
    """One image in full-resolution px, whatever it is drawn from.

    Attributes:
        width, height: In full-resolution px.
    """

    width: int
    height: int

    def __init__(self) -> None:
        self._viewers: weakref.WeakSet[QWidget] = weakref.WeakSet()
        self._levels = Levels()

    @property
    @abstractmethod
    def n_bytes(self) -> int:
        """Memory that it holds by itself."""

    @abstractmethod
    def color_at(self, x: float, y: float) -> tuple[int, int, int] | None:
        """RGB as stored of the pixel that contains (x, y) image px; None outside the image or while not yet read."""

    @abstractmethod
    def level_for(self, device_scale: float) -> QImage:
        """A picture of the whole image, if possible with a pixel for every device pixel."""

    @abstractmethod
    def paint(self, painter: QPainter, viewport: Viewport) -> None:
        """Paint the visible part as stored, without levels."""

    @property
    def full_scale(self) -> int:
        """The sample value that is shown as white without levels."""
        return 255

    @property
    def lacks_depth(self) -> bool:
        """Whether the file holds more than the 8 bit that are here; `read_depth` and `set_depth` bring it."""
        return False

    def read_depth(self) -> DeepSamples:
        """Read the file's own samples; slow, safe in any thread. Raises UserError; ValueError where it is not deep."""
        raise ValueError("this image has 8 bit")

    def set_depth(self, depth: DeepSamples) -> None:
        """Apply levels to these samples from now on. Raises ValueError where the image is not deep."""
        raise ValueError("this image has 8 bit")

    def count_samples(self) -> Histogram:
        """Return how often each brightness occurs, from a spread of px; safe in any thread."""
        picture = self.level_for(1.0)
        pixels = np.frombuffer(picture.constBits(), np.uint8).reshape(picture.height(), -1, 4)[:, : picture.width()]
        step = spread_step(picture.height(), picture.width())
        return count_samples(pixels[::step, ::step, 2::-1], full_scale=255)

    def paint_with_levels(self, painter: QPainter, viewport: Viewport) -> None:
        """Paint the visible part as the levels show it."""
        _paint_through_levels(painter, self, viewport)

    @property
    def levels(self) -> Levels:
        """How its samples are shown."""
        return self._levels

    def set_levels(self, levels: Levels) -> None:
        """Show the samples otherwise, in every view of this image."""
        if levels != self._levels:
            self._levels = levels
            self.refresh_viewers()

    def add_viewer(self, viewer: QWidget) -> None:
        """Repaint this widget whenever more of the image is there to be seen, or its levels change."""
        self._viewers.add(viewer)

    def remove_viewer(self, viewer: QWidget) -> None:
        """The widget shows something else now."""
        self._viewers.discard(viewer)

    def refresh_viewers(self) -> None:
        for viewer in list(self._viewers):
            if shiboken6.isValid(viewer):
                viewer.update()


@dataclass(frozen=True, slots=True)
class DeepFile:
    """Where the samples of a 16-bit image can be read again; `page` of a stack, from 0."""

    path: Path
    page: int | None


class WholePyramid(ImagePyramid):
    """All of an image in memory, full resolution first, each level about half the one before.

    Args:
        pictures: RGB32: 4/3 of 4 bytes per px in memory, and three times as fast to scale as 3-byte px. One that some
            thread is still making is waited for when it is first needed.
        deep_file: Of an image of 16 bit: its samples are read when levels ask for them.
        size: Width and height of the first picture; by default it is asked.
    """

    def __init__(
        self,
        pictures: Sequence[QImage | Future[QImage]],
        deep_file: DeepFile | None = None,
        *,
        size: tuple[int, int] | None = None,
    ) -> None:
        super().__init__()
        self._pictures: list[QImage | Future[QImage]] = list(pictures)
        self._deep_file = deep_file
        self._depth: DeepSamples | None = None
        self.width, self.height = size or (self._picture(0).width(), self._picture(0).height())

    def _picture(self, level: int) -> QImage:
        picture = self._pictures[level]
        if isinstance(picture, Future):
            picture = self._pictures[level] = picture.result()
        return picture

    @property
    @override
    def n_bytes(self) -> int:
        depth = sum(level.nbytes for level in self._depth.levels) if self._depth is not None else 0
        whole = 4 * self.width * self.height
        return depth + whole + sum(self._picture(level).sizeInBytes() for level in range(1, len(self._pictures)))

    @property
    @override
    def full_scale(self) -> int:
        return self._depth.full_scale if self._depth is not None else 255

    @property
    @override
    def lacks_depth(self) -> bool:
        return self._deep_file is not None and self._depth is None

    @override
    def read_depth(self) -> DeepSamples:
        if self._deep_file is None:
            return super().read_depth()
        return read_deep_samples(self._deep_file.path, page=self._deep_file.page)

    @override
    def set_depth(self, depth: DeepSamples) -> None:
        if (depth.levels[0].shape[1], depth.levels[0].shape[0]) == (self.width, self.height):
            self._depth = depth
            self.refresh_viewers()

    @override
    def count_samples(self) -> Histogram:
        if self._depth is None:
            return super().count_samples()
        samples = self._depth.levels[0]
        step = spread_step(*samples.shape[:2])
        return count_samples(samples[::step, ::step], full_scale=self._depth.full_scale)

    @override
    def paint_with_levels(self, painter: QPainter, viewport: Viewport) -> None:
        if self._depth is None:
            super().paint_with_levels(painter, viewport)
            return
        level = self._depth.levels[min(level_index(viewport.device_scale), len(self._depth.levels) - 1)]
        part = visible_part((level.shape[1], level.shape[0]), (self.width, self.height), viewport)
        if part is None:
            return
        x0, y0, x1, y1 = part.source
        samples: NDArray[np.uint16] = level[y0:y1, x0:x1]
        wanted = (round(part.target.width() * viewport.dpr), round(part.target.height() * viewport.dpr))
        if viewport.device_scale < 1.0 and wanted[0] < samples.shape[1] and wanted[1] < samples.shape[0]:
            # Fewer samples to look up; the rest of the way to the screen is less than a pixel.
            samples = np.asarray(cv2.resize(samples, wanted, interpolation=cv2.INTER_LINEAR), dtype=np.uint16)
        picture = to_picture(apply_levels(samples, self.levels, full_scale=self._depth.full_scale))
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, viewport.device_scale < 1.0)
        painter.drawImage(part.target, picture, QRectF(picture.rect()))

    @override
    def color_at(self, x: float, y: float) -> tuple[int, int, int] | None:
        if not (0 <= x < self.width and 0 <= y < self.height):
            return None
        color = self._picture(0).pixelColor(int(x), int(y))
        return color.red(), color.green(), color.blue()

    @override
    def level_for(self, device_scale: float) -> QImage:
        return self._picture(min(level_index(device_scale), len(self._pictures) - 1))

    @override
    def paint(self, painter: QPainter, viewport: Viewport) -> None:
        paint_picture(painter, self.level_for(viewport.device_scale), (self.width, self.height), viewport)


def spread_step(height: int, width: int) -> int:
    """Return the stride at which about a million px of an image are looked at."""
    return max(1, math.isqrt(height * width // N_COUNTED))


def build_pyramid(image: NDArray[np.uint8], deep_file: DeepFile | None = None) -> WholePyramid:
    """Build the levels of an image; pure and safe in any thread.

    Args:
        image: (H, W, 3) uint8 RGB; copied.
        deep_file: See `WholePyramid`.
    """
    level = np.ascontiguousarray(image)
    height, width = level.shape[:2]
    # The whole picture is made beside the smaller ones: together they are a quarter of the time until a PNG is seen.
    beside = ThreadPoolExecutor(1)
    whole = beside.submit(to_picture, level)
    smaller = []
    while max(level.shape[:2]) > SMALLEST_LEVEL_PX:
        half = (max(1, (level.shape[1] + 1) // 2), max(1, (level.shape[0] + 1) // 2))
        level = np.asarray(cv2.resize(level, half, interpolation=cv2.INTER_AREA), dtype=np.uint8)
        smaller.append(to_picture(level))
    beside.shutdown(wait=width * height < LATE_FROM_PX)
    return WholePyramid((whole, *smaller), deep_file, size=(width, height))


def paint_pyramid(painter: QPainter, pyramid: ImagePyramid, viewport: Viewport) -> None:
    """Paint the visible part with its levels: whole pixels above 1:1, smoothed below.

    What is read depends on the viewport alone, never on the dirty region, so that a partial repaint samples exactly
    as the full one did.
    """
    if pyramid.levels.is_neutral:
        pyramid.paint(painter, viewport)
    else:
        pyramid.paint_with_levels(painter, viewport)


def _paint_through_levels(painter: QPainter, pyramid: ImagePyramid, viewport: Viewport) -> None:
    """Paint into a picture of the visible part and turn its colours there: the cost follows the screen."""
    area = _visible_device_rect(pyramid, viewport)
    if area.isEmpty():
        return
    picture = QImage(area.size(), QImage.Format.Format_RGB32)
    picture.setDevicePixelRatio(viewport.dpr)
    with QPainter(picture) as inner:
        inner.translate(-area.x() / viewport.dpr, -area.y() / viewport.dpr)
        pyramid.paint(inner, viewport)
    shown = show_levels(picture, pyramid.levels)
    painter.drawImage(QPointF(area.x() / viewport.dpr, area.y() / viewport.dpr), shown)


def _visible_device_rect(pyramid: ImagePyramid, viewport: Viewport) -> QRect:
    """Device px of the widget that the image covers."""
    left, top = viewport.to_widget(0, 0)
    right, bottom = viewport.to_widget(pyramid.width, pyramid.height)
    dpr = viewport.dpr
    covered = QRect(math.floor(left * dpr), math.floor(top * dpr), 1, 1)
    covered.setRight(math.ceil(right * dpr) - 1)
    covered.setBottom(math.ceil(bottom * dpr) - 1)
    return covered.intersected(QRect(0, 0, math.ceil(viewport.width * dpr), math.ceil(viewport.height * dpr)))
