"""Small pictures of FOVs: made once, kept beside the project."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from PySide6.QtGui import QImage

from synthstudio.core.imaging import (
    ImageArray,
    find_unpacked,
    has_small_copy,
    read_image,
    read_image_header,
    read_preview,
    write_bytes_atomically,
)
from synthstudio.domain.errors import UserError
from synthstudio.gui.canvas.large_images import open_large_source, zoom_level_folder

THUMBNAIL_PX = 256
"""Longer side: twice the size in which it is shown, for dense screens."""
_JPEG_QUALITY = 88


def read_thumbnail(image: Path, cached: Path | None, *, page: int | None = None) -> QImage:
    """Return the thumbnail of an image from `cached`, or make it and leave it there. Safe in any thread.

    Args:
        image: The file.
        cached: Where the thumbnail is kept, or None.
        page: Which image of a stack, from 0.

    Raises:
        UserError: The image cannot be read.
    """
    if cached is not None and cached.is_file():
        found = QImage(str(cached))
        if not found.isNull():
            return found
    pixels, is_lasting = _read_small(image, page)
    scale = THUMBNAIL_PX / max(pixels.shape[:2])
    if scale < 1:
        size = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
        pixels = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    if cached is not None and is_lasting:
        _leave(cached, pixels)
    height, width = pixels.shape[:2]
    return QImage(np.ascontiguousarray(pixels).tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888).copy()


def _read_small(image: Path, page: int | None) -> tuple[ImageArray, bool]:
    """Return the image or a small copy of it, and whether a better one will not come."""
    header = read_image_header(image, page=page)
    if not header.is_large:
        kept = find_unpacked(zoom_level_folder(), image, page or 0) if header.is_solid else None
        return (read_preview(kept) if kept is not None else read_image(image, page=page)), True
    source = open_large_source(image, zoom_level_folder(), page=page or 0)
    return read_preview(source), has_small_copy(source)


def _leave(cached: Path, pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> None:
    encoded, data = cv2.imencode(".jpg", pixels[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    if not encoded:
        return
    try:
        cached.parent.mkdir(parents=True, exist_ok=True)
        write_bytes_atomically(cached, data.tobytes())
    except (OSError, UserError):
        return  # a full disk or a read-only folder: the thumbnail is made again next time, nothing is lost
