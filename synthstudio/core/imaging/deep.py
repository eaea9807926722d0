"""Samples of more than 8 bit, for looking: levels can bring out what the 8-bit pixels have lost."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from synthstudio.core.imaging.files import read_bytes
from synthstudio.core.imaging.formats import damaged
from synthstudio.core.imaging.headers import read_image_header
from synthstudio.core.imaging.pixels import find_full_scale, turn_upright
from synthstudio.core.imaging.tiff_source import TiffSource

SMALLEST_LEVEL_PX = 128


@dataclass(frozen=True, slots=True)
class DeepSamples:
    """An image of 16 bit at halving resolutions.

    Attributes:
        levels: `(h, w)` or `(h, w, 3)` uint16 in RGB order, upright, full resolution first.
        full_scale: The sample value that is shown as white without levels.
    """

    levels: tuple[NDArray[np.uint16], ...]
    full_scale: int


def read_deep_samples(path: Path, *, page: int | None = None) -> DeepSamples:
    """Read the samples of an image whose header says that it is deep.

    Raises:
        UserError: The file cannot be read or is damaged.
    """
    header = read_image_header(path, page=page)
    if header.kind == "tiff":
        source = TiffSource(path, page or 0)
        samples: NDArray[np.generic] = source.read_samples(0, (0, 0, source.width, source.height))
        full_scale = source.full_scale
    else:
        stored = cv2.imdecode(np.frombuffer(read_bytes(path), np.uint8), cv2.IMREAD_UNCHANGED)
        if stored is None:
            raise damaged(path, "its pixels cannot be decoded")
        full_scale = find_full_scale(stored, path)
        samples = turn_upright(stored[:, :, 2::-1] if stored.ndim == 3 else stored, header.orientation)
    color = samples[:, :, :3] if samples.ndim == 3 and samples.shape[2] >= 3 else samples.reshape(samples.shape[:2])
    return DeepSamples(_halve(np.ascontiguousarray(color, dtype=np.uint16)), int(full_scale))


def _halve(samples: NDArray[np.uint16]) -> tuple[NDArray[np.uint16], ...]:
    levels = [samples]
    while max(levels[-1].shape[:2]) > SMALLEST_LEVEL_PX:
        half = (max(1, (levels[-1].shape[1] + 1) // 2), max(1, (levels[-1].shape[0] + 1) // 2))
        levels.append(np.asarray(cv2.resize(levels[-1], half, interpolation=cv2.INTER_AREA), dtype=np.uint16))
    return tuple(levels)
