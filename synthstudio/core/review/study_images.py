"""Images of a study made alike, so that nothing but their content tells real from synthetic.

All go one way: to the side of the synthetic images, to the side of the study, through one JPEG quality, and then into
PNG without compression. So every file has the same number of bytes, and none has a trace of where it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

import cv2
import numpy as np

from synthstudio.core.imaging import ImageArray, encode_jpeg

LOSSY_SUFFIXES = frozenset({".jpg", ".jpeg", ".webp"})
MAX_SHARE_DIFFERENCE = 0.1
"""How much real and synthetic images may differ in the share that was compressed, or enlarged, before it is said."""


@dataclass(frozen=True, slots=True)
class ImageHistory:
    """What an image has been through before the study.

    Attributes:
        is_real: Whether it is real.
        side_px: Of the square that was cut.
        suffix: Of the file that it comes from.
    """

    is_real: bool
    side_px: int
    suffix: str

    @property
    def is_lossy(self) -> bool:
        return self.suffix.lower() in LOSSY_SUFFIXES


def middle_square(image: ImageArray) -> ImageArray:
    """Return the largest square in the middle of `(H, W, 3)` uint8 RGB."""
    height, width = image.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return image[top : top + side, left : left + side]


def encode_alike(square: ImageArray, *, native_px: int, side_px: int, quality: int) -> bytes:
    """Return a square image `(S, S, 3)` uint8 RGB as the bytes of a PNG file of the study.

    Args:
        square: The image.
        native_px: Side of the synthetic images as they were made; a real one is brought to it first.
        side_px: Side of the study's images.
        quality: JPEG quality, 1 to 100.
    """
    pixels = _resized(_resized(square, native_px), side_px)
    bgr = cv2.imdecode(np.frombuffer(encode_jpeg(pixels, quality), np.uint8), cv2.IMREAD_COLOR)
    assert bgr is not None  # it was encoded in the line above
    done, data = cv2.imencode(".png", bgr, (cv2.IMWRITE_PNG_COMPRESSION, 0))
    if not done:
        raise ValueError(f"OpenCV cannot encode an image of shape {pixels.shape} as PNG")
    return data.tobytes()


def _resized(pixels: ImageArray, side: int) -> ImageArray:
    """Averaged over px areas where it becomes smaller, bicubic where larger."""
    if pixels.shape[0] == side:
        return pixels
    how = cv2.INTER_AREA if pixels.shape[0] > side else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(pixels, (side, side), interpolation=how), dtype=np.uint8)


def tell_differences(histories: Sequence[ImageHistory], *, native_px: int) -> tuple[str, ...]:
    """Say, in sentences, by what real and synthetic images might still be told apart."""
    notes = []
    lossy_real, lossy_synthetic = (_share([h.is_lossy for h in histories if h.is_real == kind]) for kind in (1, 0))
    if abs(lossy_real - lossy_synthetic) > MAX_SHARE_DIFFERENCE:
        notes.append(
            f"{lossy_real:.0%} of the real images and {lossy_synthetic:.0%} of the synthetic ones come from files with "
            "lossy compression. All go through JPEG once more, but traces of the first time may tell them apart."
        )
    enlarged = _share([h.side_px < native_px for h in histories if h.is_real])
    if enlarged > MAX_SHARE_DIFFERENCE:
        notes.append(
            f"{enlarged:.0%} of the real images are smaller than the synthetic ones ({native_px} px) and were "
            "enlarged: they may look softer."
        )
    return tuple(notes)


def _share(values: Sequence[bool]) -> float:
    return sum(values) / len(values) if values else 0.0


def suffix_of(path: str) -> str:
    """Suffix of a file, in small letters."""
    return PurePath(path).suffix.lower()
