"""What happens to the whole image after pasting: light, colour, focus, noise, JPEG, mirroring. Driven by the plan."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from synthstudio.core.imaging import ImageArray
from synthstudio.core.synthesis.streams import NOISE, open_stream
from synthstudio.settings.compose import ImageAugmentation

N_FIRST_NUMBERS, N_FURTHER_NUMBERS = 8, 6
N_AUGMENTATION_NUMBERS = N_FIRST_NUMBERS + N_FURTHER_NUMBERS
MIRROR_NUMBER = 7
N_VIGNETTES = 16  # strengths that are kept ready
GREY_WEIGHTS = (0.299, 0.587, 0.114)  # of red, green and blue, as of JPEG's luma
SMALLEST_BLUR_PX = 0.2  # below, a Gaussian changes nothing in 8 bits
NOISE_MARGIN_PX = 96
NOISE_UNIT = 32.0  # grey levels of one standard deviation in the stored tile: keeps three digits in int16


class ImageAugmenter:
    """Augments in place with buffers that it reuses."""

    def __init__(self, settings: ImageAugmentation, *, size: tuple[int, int], seed: int) -> None:
        self._settings = settings
        self._width, self._height = size
        self._seed = seed
        self._tile: NDArray[np.int16] | None = None
        self._vignettes: dict[int, NDArray[np.uint8]] = {}

    def adopt_noise(self, other: ImageAugmenter) -> None:
        """Go on with the noise of an augmenter of the same size and seed."""
        self._tile = other._tile

    def augment(self, image: ImageArray, numbers: tuple[float, ...]) -> None:
        """Change `image`, `(h, w, 3)`, in place as `N_AUGMENTATION_NUMBERS` uniform numbers say; no mirroring."""
        light, contrast, blur, noise, noise_x, noise_y, quality, _, red, green, blue, shade, focus, vividness = numbers
        settings = self._settings
        if settings.color_cast:
            self._cast(image, (red, green, blue))
        if settings.saturation:
            _saturate(image, 1.0 + settings.saturation * (2.0 * vividness - 1.0))
        if settings.vignette:
            self._shade(image, shade)
        if settings.brightness or settings.contrast:
            gain = 1.0 + settings.brightness * (2.0 * light - 1.0)
            stretch = 1.0 + settings.contrast * (2.0 * contrast - 1.0)
            middle = float(cv2.mean(image)[0]) if settings.contrast else 0.0
            # Not convertScaleAbs: with a negative offset it would turn black into grey.
            cv2.addWeighted(image, gain * stretch, image, 0.0, gain * middle * (1.0 - stretch), image)
        if settings.blur_px * blur >= SMALLEST_BLUR_PX:
            cv2.GaussianBlur(image, (0, 0), settings.blur_px * blur, image, borderType=cv2.BORDER_REFLECT_101)
        if settings.defocus_px * focus >= SMALLEST_BLUR_PX:
            cv2.filter2D(image, -1, disc_kernel(settings.defocus_px * focus), image, borderType=cv2.BORDER_REFLECT_101)
        if settings.noise:
            self._add_noise(image, settings.noise * noise, (noise_x, noise_y))
        if settings.jpeg:
            grade = 100 - round(settings.jpeg * quality)
            # The codec's channel order matters for its chroma: RGB is turned to BGR and back.
            encoded = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, grade])[1]
            np.copyto(image, np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR))[..., ::-1])

    def _cast(self, image: ImageArray, numbers: tuple[float, float, float]) -> None:
        """Multiply each colour by a factor of its own, as another lamp, white balance or stain would."""
        factors = [1.0 + self._settings.color_cast * (2.0 * number - 1.0) for number in numbers]
        values = np.arange(256, dtype=np.float64)[:, None] * np.array(factors)
        cv2.LUT(image, np.clip(np.rint(values), 0, 255).astype(np.uint8)[None], image)

    def _shade(self, image: ImageArray, number: float) -> None:
        """Darken towards the corners with the square of the distance from the middle."""
        step = int(number * N_VIGNETTES)
        shade = self._vignettes.get(step)
        if shade is None:
            x = np.linspace(-1.0, 1.0, self._width)[None, :] ** 2
            y = np.linspace(-1.0, 1.0, self._height)[:, None] ** 2
            loss = self._settings.vignette * (step + 0.5) / N_VIGNETTES
            grey = np.rint(255.0 * (1.0 - loss * (x + y) / 2.0)).astype(np.uint8)
            shade = self._vignettes[step] = np.asarray(cv2.merge([grey, grey, grey]), np.uint8)
        cv2.multiply(image, shade, image, 1.0 / 255.0)

    def _add_noise(self, image: ImageArray, sd: float, place: tuple[float, float]) -> None:
        if self._tile is None:
            shape = (self._height + NOISE_MARGIN_PX, self._width + NOISE_MARGIN_PX, 3)
            unit = open_stream(self._seed, NOISE, 1 << 32).standard_normal(shape, np.float32)
            self._tile = np.rint(unit * NOISE_UNIT).astype(np.int16)
        top, left = int(place[0] * NOISE_MARGIN_PX), int(place[1] * NOISE_MARGIN_PX)
        tile = self._tile[top : top + self._height, left : left + self._width]
        np.copyto(image, cv2.addWeighted(image, 1.0, tile, sd / NOISE_UNIT, 0.0, dtype=cv2.CV_8U))


def _saturate(image: ImageArray, factor: float) -> None:
    """Draw the colours away from their grey, or towards it, in place; 0 leaves grey alone."""
    matrix = factor * np.eye(3) + (1.0 - factor) * np.array(GREY_WEIGHTS)[None, :]
    cv2.transform(image, matrix, image)


def disc_kernel(radius_px: float) -> NDArray[np.float32]:
    """Image of a point out of focus: an even disc with a soft edge, of any radius; sums to 1."""
    reach = max(1, int(np.ceil(radius_px)))
    steps = np.arange(-reach, reach + 1, dtype=np.float32)
    distance = np.hypot(steps[:, None], steps[None, :])
    disc = np.clip(radius_px + 0.5 - distance, 0.0, 1.0)
    return np.asarray(disc / disc.sum(), np.float32)


def mirror_code(*, left_right: bool, top_bottom: bool) -> int | None:
    """OpenCV's flip code, or None where nothing is mirrored."""
    if left_right and top_bottom:
        return -1
    if left_right:
        return 1
    return 0 if top_bottom else None
