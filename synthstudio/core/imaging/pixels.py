"""Decoded samples to upright 8-bit RGB: the fixed rule by which every odd mode of the files becomes one."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from synthstudio.core.imaging.formats import ImageArray
from synthstudio.domain.errors import UserError

CAMERA_DEPTHS_BIT = (8, 10, 12, 14, 16)


def to_rgb(
    pixels: NDArray[np.generic], path: Path, *, full_scale: float | None = None, is_bgr: bool = True
) -> ImageArray:
    """Return decoded pixels, `(H, W)` or `(H, W, 1|3|4)`, as uint8 RGB.

    Args:
        pixels: As stored: bool, uint8, uint16, int8, int16 or floating point.
        path: Only names the file in the `UserError` that unusual pixels raise.
        full_scale: The value that becomes 255; by default it follows from these pixels (`find_full_scale`). Whoever
            passes a part of an image gives that of the whole.
        is_bgr: The colours are in OpenCV's order, else in RGB(A).
    """
    scale = find_full_scale(pixels, path) if full_scale is None else full_scale
    n_channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    if n_channels == 4:
        color = _to_eight_bit(pixels[:, :, 2::-1] if is_bgr else pixels[:, :, :3], scale)
        return _over_white(color, _alpha_to_eight_bit(pixels[:, :, 3]))
    eight_bit = _to_eight_bit(pixels, scale)
    if n_channels == 1:
        return np.asarray(cv2.cvtColor(np.ascontiguousarray(eight_bit), cv2.COLOR_GRAY2RGB), np.uint8)
    if n_channels == 3:
        # OpenCV swaps six times as fast as a copy of a reversed view.
        return np.asarray(cv2.cvtColor(eight_bit, cv2.COLOR_BGR2RGB), np.uint8) if is_bgr else eight_bit
    raise UserError(
        f"{path} has {n_channels} channels per pixel; only grey, RGB and RGBA are read.", "Save it as an RGB image."
    )


def find_full_scale(pixels: NDArray[np.generic], path: Path) -> float:
    """Return the sample value that is shown as white.

    16 bit: that of the smallest usual camera depth that holds the brightest sample; signed samples likewise, those
    below zero are black. 8 bit: the largest value of the type. Floating point: 1, or 255 where a sample goes beyond 1.
    An alpha channel does not count.

    Raises:
        UserError: The samples are no brightness: 32-bit integers, or floating point outside 0-255.
    """
    color = pixels[:, :, :3] if pixels.ndim == 3 and pixels.shape[2] == 4 else pixels
    if color.dtype == np.bool_:
        return 1.0
    if color.dtype == np.uint8:
        return 255.0
    if color.dtype == np.int8:
        return 127.0
    if color.dtype in (np.uint16, np.int16):
        return camera_full_scale(int(color.max()))
    if color.dtype.kind == "f" and bool(np.isfinite(color).all()):
        darkest, brightest = float(color.astype(np.float64).min()), float(color.astype(np.float64).max())
        if darkest >= 0 and brightest <= 255:
            return 1.0 if brightest <= 1 else 255.0
    raise UserError(
        f"{path} has pixels of type {pixels.dtype} that are no brightness in 8 or 16 bit.",
        "Save it as an 8-bit or 16-bit image.",
    )


def camera_full_scale(brightest: int) -> float:
    """Return the largest value of the smallest usual camera depth that holds a sample of up to 16 bit."""
    return float(next((1 << bits) - 1 for bits in CAMERA_DEPTHS_BIT if brightest < 1 << bits))


def _to_eight_bit(pixels: NDArray[np.generic], full_scale: float) -> NDArray[np.uint8]:
    if pixels.dtype == np.uint8:
        return pixels.astype(np.uint8, copy=False)
    if pixels.dtype == np.bool_:
        return pixels.astype(np.uint8) * np.uint8(255)
    if pixels.dtype == np.uint16:
        return _scale_whole(pixels.astype(np.uint16, copy=False), int(full_scale))
    if pixels.dtype.kind == "i":
        return _scale_whole(np.maximum(pixels.astype(np.int32), 0).astype(np.uint16), int(full_scale))
    return np.rint(np.clip(pixels.astype(np.float64) * (255.0 / full_scale), 0, 255)).astype(np.uint8)


def _scale_whole(pixels: NDArray[np.uint16], full_scale: int) -> NDArray[np.uint8]:
    # A part of a large image may hold samples beyond what the probe of the whole found: they are white.
    limited = np.minimum(pixels, np.uint16(full_scale)).astype(np.uint32)
    return ((limited * 255 + full_scale // 2) // full_scale).astype(np.uint8)


def _alpha_to_eight_bit(alpha: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Alpha always spans the full range of its type."""
    if alpha.dtype == np.uint16:
        return (alpha.astype(np.uint16, copy=False) >> 8).astype(np.uint8)
    return _to_eight_bit(alpha, 1.0 if alpha.dtype.kind == "f" else 255.0)


def _over_white(rgb: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> ImageArray:
    """Lay `(H, W, 3)` RGB with straight alpha `(H, W)` over white."""
    cover = alpha[:, :, None].astype(np.uint16)
    color = rgb.astype(np.uint16)
    return ((color * cover + (255 - cover) * 255 + 127) // 255).astype(np.uint8)


def turn_upright(image: NDArray[np.generic], orientation: int) -> NDArray[np.generic]:
    """Undo an EXIF orientation (1-8; EXIF 2.3, tag 0x0112) of an image whose first two axes are rows and columns."""
    if orientation >= 5:
        image = image.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        image = image[:, ::-1]
    if orientation in (3, 4, 7, 8):
        image = image[::-1]
    return image


def stored_box(box: tuple[int, int, int, int], size: tuple[int, int], orientation: int) -> tuple[int, int, int, int]:
    """Return where a box of the upright image lies in the stored one.

    Args:
        box: x0, y0, x1, y1 in px of the upright image.
        size: Width and height of the stored image.
        orientation: EXIF orientation of the stored image.
    """
    x0, y0, x1, y1 = box
    width, height = (size[1], size[0]) if orientation >= 5 else size
    if orientation in (3, 4, 7, 8):
        y0, y1 = height - y1, height - y0
    if orientation in (2, 3, 6, 7):
        x0, x1 = width - x1, width - x0
    return (y0, x0, y1, x1) if orientation >= 5 else (x0, y0, x1, y1)
