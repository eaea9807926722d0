"""What happens to the whole image after pasting: light, blur, noise, JPEG, mirroring. Driven by the plan's numbers."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from synthstudio.core.imaging import ImageArray
from synthstudio.core.synthesis.streams import NOISE, open_stream
from synthstudio.settings.compose import ImageAugmentation

N_AUGMENTATION_NUMBERS = 8
SMALLEST_BLUR_PX = 0.2  # below, a Gaussian changes nothing in 8 bits
NOISE_MARGIN_PX = 96
NOISE_UNIT = 32.0  # grey levels of one standard deviation in the stored tile: keeps three digits in int16


class ImageAugmenter:
    """Augments in place with buffers that it reuses."""

    def __init__(self, settings: ImageAugmentation, *, side: int, seed: int) -> None:
        self._settings = settings
        self._side = side
        self._seed = seed
        self._tile: NDArray[np.int16] | None = None

    def adopt_noise(self, other: ImageAugmenter) -> None:
        """Go on with the noise of an augmenter of the same side and seed."""
        self._tile = other._tile

    def augment(self, image: ImageArray, numbers: tuple[float, ...]) -> None:
        """Change `image`, `(c, c, 3)`, in place as `N_AUGMENTATION_NUMBERS` uniform numbers say; no mirroring."""
        light, contrast, blur, noise, noise_x, noise_y, quality, _ = numbers
        settings = self._settings
        if settings.brightness or settings.contrast:
            gain = 1.0 + settings.brightness * (2.0 * light - 1.0)
            stretch = 1.0 + settings.contrast * (2.0 * contrast - 1.0)
            middle = float(cv2.mean(image)[0]) if settings.contrast else 0.0
            # Not convertScaleAbs: with a negative offset it would turn black into grey.
            cv2.addWeighted(image, gain * stretch, image, 0.0, gain * middle * (1.0 - stretch), image)
        if settings.blur_px * blur >= SMALLEST_BLUR_PX:
            cv2.GaussianBlur(image, (0, 0), settings.blur_px * blur, image, borderType=cv2.BORDER_REFLECT_101)
        if settings.noise:
            self._add_noise(image, settings.noise * noise, (noise_x, noise_y))
        if settings.jpeg:
            grade = 100 - round(settings.jpeg * quality)
            # The codec's channel order matters for its chroma: RGB is turned to BGR and back.
            encoded = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, grade])[1]
            np.copyto(image, np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR))[..., ::-1])

    def _add_noise(self, image: ImageArray, sd: float, place: tuple[float, float]) -> None:
        if self._tile is None:
            side = self._side + NOISE_MARGIN_PX
            unit = open_stream(self._seed, NOISE, 1 << 32).standard_normal((side, side, 3), np.float32)
            self._tile = np.rint(unit * NOISE_UNIT).astype(np.int16)
        top, left = int(place[0] * NOISE_MARGIN_PX), int(place[1] * NOISE_MARGIN_PX)
        tile = self._tile[top : top + self._side, left : left + self._side]
        np.copyto(image, cv2.addWeighted(image, 1.0, tile, sd / NOISE_UNIT, 0.0, dtype=cv2.CV_8U))


def mirror_code(*, left_right: bool, top_bottom: bool) -> int | None:
    """OpenCV's flip code, or None where nothing is mirrored."""
    if left_right and top_bottom:
        return -1
    if left_right:
        return 1
    return 0 if top_bottom else None
