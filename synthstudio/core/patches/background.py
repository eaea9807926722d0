"""The empty background of an FOV: its colour, how the light falls off, and its noise.

Brightfield is transmission: an object multiplies the light that reaches the camera. A patch cut from one FOV fits on
another's background when it is divided by its own background and multiplied by the other's, so both must be known.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from synthstudio.core.imaging import ImageArray
from synthstudio.core.patches.texture import GRID_PX, cut_texture, lay_texture, leave_out_strays
from synthstudio.core.patches.turning import find_sharpening
from synthstudio.domain.records import Box

WHITE = 208  # grey of an evened bright background: leaves room above for highlights, costs 1.2 grey levels a step
BLACK = 32  # grey of an evened dark background: leaves room below for its noise
FIT_SIDE_PX = 192  # a smooth field needs no more; keeps the estimate at a few ms for any image size
BACKGROUND_BAND = 14.0  # grey levels about the mode that still count as background at first
MIN_BACKGROUND_SHARE = 0.01  # with fewer pixels than this the light field is not fitted, only the colour
MIN_NOISE_PX = 64
FIELD_LIMITS = (0.6, 1.5)  # a quadratic running away outside the pixels that it was fitted to is not illumination
GRAIN_REACH_PX = 3  # measured noise is still correlated by 0.3 two px away (BCCD at half scale), by 0.1 at four
NOISE_SIDE_PX = 768  # the noise is measured on a central window of at most this side


@dataclass(frozen=True, slots=True)
class Background:
    """What an FOV looks like where nothing lies.

    Attributes:
        rows, columns: Size of the FOV at the working scale.
        mean: RGB mean of all its pixels.
        color: RGB of the background in the mean, 0-255.
        field: `(6, 3)` coefficients of relative light, in the terms of `field_terms`; its mean over the image is 1.
        noise: `(3, 3)` covariance of the noise between the colours, in grey levels squared.
        grain: `(2 * GRAIN_REACH_PX + 1,) * 2` correlation of the noise with itself at each shift; 1 in the middle.
        texture: Squares of the background itself, see `cut_texture`; none where objects leave no room for any.
        sharpening: How much patches are sharpened before they are turned, see `find_sharpening`.
    """

    rows: int
    columns: int
    mean: tuple[float, float, float]
    color: tuple[float, float, float]
    field: NDArray[np.float32]
    noise: NDArray[np.float32]
    grain: NDArray[np.float32]
    texture: NDArray[np.int8]
    sharpening: float


def field_terms(x: NDArray[np.float32], y: NDArray[np.float32]) -> NDArray[np.float32]:
    """Terms of a quadratic surface, `(..., 6)`, at positions in -1..1 across width and height of the FOV."""
    return np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1)


def field_at(
    field: NDArray[np.float32],
    *,
    rows: int,
    columns: int,
    window: tuple[float, float, float, float] = (-1.0, -1.0, 1.0, 1.0),
) -> NDArray[np.float32]:
    """Relative light `(rows, columns, 3)` over a window `x0, y0, x1, y1` of the FOV, in -1..1 coordinates."""
    x, y = np.meshgrid(
        np.linspace(window[0], window[2], columns, dtype=np.float32),
        np.linspace(window[1], window[3], rows, dtype=np.float32),
    )
    return np.asarray(np.clip(field_terms(x, y) @ field, *FIELD_LIMITS), np.float32)


WHOLE = (-1.0, -1.0, 1.0, 1.0)


def even_out(
    image: ImageArray,
    background: Background,
    *,
    is_transmitted: bool,
    window: tuple[float, float, float, float] = WHOLE,
) -> ImageArray:
    """Bring the empty background to one grey everywhere, and the objects with it.

    Args:
        image: `(H, W, 3)` uint8 RGB.
        background: That of the same image, or of the one that it is a part of.
        window: Which part of the FOV the image is, x0, y0, x1, y1 in -1..1 coordinates.
        is_transmitted: Divide by the background, which becomes `WHITE` (bright field); otherwise subtract it, and it
            becomes `BLACK` (dark field, fluorescence).

    Returns:
        `(H, W, 3)` uint8.
    """
    height, width = image.shape[:2]
    light = np.maximum(
        field_at(background.field, rows=17, columns=17, window=window) * np.asarray(background.color, np.float32), 1.0
    )
    if is_transmitted:
        gain = cv2.resize(WHITE / light, (width, height), interpolation=cv2.INTER_LINEAR)
        return np.asarray(cv2.multiply(image, gain, dtype=cv2.CV_8U), np.uint8)
    shift = cv2.resize(BLACK - light, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.add(image, shift, dtype=cv2.CV_8U), np.uint8)


def estimate_background(image: ImageArray, objects: Sequence[Box] = (), *, is_transmitted: bool = True) -> Background:
    """Estimate the background of an FOV from its pixels.

    Args:
        image: `(H, W, 3)` uint8 RGB, at the working scale.
        objects: Known extents of objects, in px of `image`: left out where enough else remains.
        is_transmitted: How patches will be evened out, see `even_out`; only their sharpening depends on it.
    """
    small, empty = _shrunk(image, objects)
    mask = _background_mask(small, empty)
    color = _mean_color(small, mask)
    field = np.zeros((6, 3), np.float32)
    field[0] = 1.0
    if mask.mean() >= MIN_BACKGROUND_SHARE:
        color, field, mask = _fit_field(small, mask)
    view, inside = _calm_window(image, mask)
    noise, grain, is_fine = _measure_noise(view, inside)
    _, is_clear = _calm_window(image, _clear_mask(small, mask, empty, light=field * color))
    gain = WHITE / np.maximum(color, 1.0) if is_transmitted else np.ones(3)
    return Background(
        rows=image.shape[0],
        columns=image.shape[1],
        mean=_rgb(_mean_color(small)),
        color=_rgb(color),
        field=field,
        noise=noise,
        grain=grain,
        texture=cut_texture(view, is_clear & is_fine),
        sharpening=find_sharpening(image, np.asarray(gain, np.float32)),
    )


def evened_level(*, is_transmitted: bool) -> int:
    """Grey of the empty background after evening."""
    return WHITE if is_transmitted else BLACK


def flattened(background: Background) -> Background:
    """The same with even light: only the mean colour is known of it."""
    flat = np.zeros_like(background.field)
    flat[0] = 1.0
    return dataclasses.replace(background, field=flat)


def _rgb(values: NDArray[np.float32]) -> tuple[float, float, float]:
    return float(values[0]), float(values[1]), float(values[2])


# NumPy reduces over a last axis of three a hundred times slower than OpenCV or three slices do.
def _mean_color(image: NDArray[np.float32], mask: NDArray[np.bool_] | None = None) -> NDArray[np.float32]:
    return np.array(cv2.mean(image, None if mask is None else mask.astype(np.uint8))[:3], np.float32)


def _grey(image: NDArray[np.float32]) -> NDArray[np.float32]:
    return (image[..., 0] + image[..., 1] + image[..., 2]) / np.float32(3.0)


def _largest(image: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.maximum(np.maximum(image[..., 0], image[..., 1]), image[..., 2])


def _shrunk(image: ImageArray, objects: Sequence[Box]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    height, width = image.shape[:2]
    factor = min(1.0, FIT_SIDE_PX / max(height, width))
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    empty = np.ones(small.shape[:2], np.bool_)
    for box in objects:
        rows = slice(max(0, int(box.y0 * factor)), max(0, int(np.ceil(box.y1 * factor))))
        empty[rows, max(0, int(box.x0 * factor)) : max(0, int(np.ceil(box.x1 * factor)))] = False
    return small, empty


def _background_mask(small: NDArray[np.float32], empty: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Flat pixels about the commonest grey, outside the known objects where that leaves enough."""
    grey = _grey(small)
    slope = cv2.morphologyEx(grey, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    flat = slope <= np.quantile(slope, 0.6)
    candidates = flat & empty if (flat & empty).mean() >= MIN_BACKGROUND_SHARE else flat
    counts, _ = np.histogram(grey[candidates], bins=128, range=(0.0, 256.0))
    smooth = np.convolve(counts, (1, 2, 3, 2, 1), mode="same")
    mode = 2.0 * int(np.argmax(smooth)) + 1.0
    mask = candidates & (np.abs(grey - mode) <= BACKGROUND_BAND)
    return mask if mask.any() else np.ones_like(mask)


def _fit_field(
    small: NDArray[np.float32], mask: NDArray[np.bool_]
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_]]:
    """Fit a quadratic to the background, widening and cleaning the mask twice; the mean over the image is 1."""
    rows, columns = small.shape[:2]
    x, y = np.meshgrid(np.linspace(-1, 1, columns, dtype=np.float32), np.linspace(-1, 1, rows, dtype=np.float32))
    terms = field_terms(x, y)
    # The ridge pulls the slopes towards flat light where the background pixels do not hold them.
    ridge = np.diag(np.array([0.0, 0.002, 0.002, 0.01, 0.01, 0.01], np.float32))
    coefficients = np.zeros((6, 3), np.float32)
    for _ in range(3):
        chosen = terms[mask]
        coefficients = np.linalg.solve(
            chosen.T @ chosen / len(chosen) + ridge, chosen.T @ small[mask] / len(chosen)
        ).astype(np.float32)
        residual = _largest(np.abs(small - terms @ coefficients))
        limit = max(4.0, 3.0 * float(np.median(residual[mask])))
        cleaned = mask & (residual <= limit)
        mask = cleaned if cleaned.mean() >= MIN_BACKGROUND_SHARE / 2 else mask
    color = np.clip(_mean_color(terms @ coefficients), 1.0, 255.0)
    return color, (coefficients / color).astype(np.float32), mask


def _clear_mask(
    small: NDArray[np.float32], mask: NDArray[np.bool_], empty: NDArray[np.bool_], *, light: NDArray[np.float32]
) -> NDArray[np.bool_]:
    """Where nothing lies, without the holes that noise makes in `mask`.

    Args:
        small: `(h, w, 3)`, the shrunk image.
        mask: `(h, w)`, pixels that the light was fitted to.
        empty: `(h, w)`, outside the known objects.
        light: `(6, 3)` coefficients of the fitted light.
    """
    rows, columns = mask.shape
    x, y = np.meshgrid(np.linspace(-1, 1, columns, dtype=np.float32), np.linspace(-1, 1, rows, dtype=np.float32))
    residual = _largest(np.abs(small - field_terms(x, y) @ light))
    stands_out = (residual > max(4.0, 3.0 * float(np.median(residual[mask])))).astype(np.uint8)
    stands_out = np.asarray(cv2.morphologyEx(stands_out, cv2.MORPH_OPEN, np.ones((2, 2), np.uint8)), np.uint8)
    return np.asarray((stands_out == 0) & empty, np.bool_)


def _measure_noise(
    view: NDArray[np.float32], inside: NDArray[np.bool_]
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_]]:
    """Covariance of the background's noise between the colours, its correlation between neighbours, and what is noise.

    The last is `(H, W)`: pixels that differ from those around no more than noise does.
    """
    reach = GRAIN_REACH_PX
    grain = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
    grain[reach, reach] = 1.0
    if inside.sum() < MIN_NOISE_PX:
        return np.eye(3, dtype=np.float32), grain, np.zeros_like(inside)
    # A 15 px mean takes illumination and mottling away; what is left is camera noise and fine grain.
    fine = view - cv2.blur(view, (15, 15))
    spread = _largest(np.abs(fine))
    is_fine = spread <= max(3.0, 4.0 * float(np.median(spread[inside])))
    inside = inside & is_fine
    values = fine[inside]
    noise = (values.T @ values / max(1, len(values))).astype(np.float32)
    grey = np.where(inside, _grey(fine), np.float32(0.0))
    power = float((grey * grey).sum()) / max(1, int(inside.sum())) + 1e-6
    for down in range(reach + 1):
        for right in range(-reach, reach + 1):
            value = _correlation(grey, inside, down=down, right=right) / power
            grain[reach + down, reach + right] = grain[reach - down, reach - right] = value
    grain[reach, reach] = 1.0
    return noise, grain, is_fine


def _calm_window(image: ImageArray, mask: NDArray[np.bool_]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """A central window of the image, and which of its pixels are background and not at its rim."""
    height, width = image.shape[:2]
    top, left = (max(0, (size - NOISE_SIDE_PX) // 2) // GRID_PX * GRID_PX for size in (height, width))
    view = image[top : top + NOISE_SIDE_PX, left : left + NOISE_SIDE_PX].astype(np.float32)
    calm = mask.astype(np.uint8)
    if mask.mean() > 3 * MIN_BACKGROUND_SHARE:
        calm = np.asarray(cv2.erode(calm, np.ones((3, 3), np.uint8)), np.uint8)
    full = cv2.resize(calm, (width, height), interpolation=cv2.INTER_NEAREST)
    return view, full[top : top + NOISE_SIDE_PX, left : left + NOISE_SIDE_PX] > 0


def _correlation(grey: NDArray[np.float32], inside: NDArray[np.bool_], *, down: int, right: int) -> float:
    """Mean product of pixels this far apart, over pairs that are both `inside`; `grey` is 0 elsewhere."""
    rows, columns = grey.shape
    here = np.s_[: rows - down, max(0, -right) : columns - max(0, right)]
    there = np.s_[down:, max(0, right) : columns - max(0, -right)]
    n_pairs = int(np.count_nonzero(inside[here] & inside[there]))
    return float(np.vdot(grey[here], grey[there])) / n_pairs if n_pairs else 0.0


def grain_kernel(grain: NDArray[np.float32]) -> NDArray[np.float32]:
    """Filter that gives white noise the correlation `grain`: the square root of its spectrum, `(15, 15)`."""
    reach = grain.shape[0] // 2
    # The taper keeps the spectrum of a correlation that is cut off at its reach from turning negative.
    taper = np.hanning(2 * reach + 9)[4:-4]
    field = np.zeros((32, 32), np.float64)
    field[: 2 * reach + 1, : 2 * reach + 1] = grain * np.outer(taper, taper) ** 0.5
    field = np.roll(field, (-reach, -reach), axis=(0, 1))
    amplitude = np.sqrt(np.maximum(np.fft.fft2(field).real, 0.0))
    kernel = np.fft.fftshift(np.fft.ifft2(amplitude).real)[9:24, 9:24]
    return np.asarray(kernel / np.sqrt((kernel**2).sum()), np.float32)


def synthesize_noise(
    backgrounds: Sequence[Background], rows: int, columns: int, *, stream: np.random.Generator, level: int
) -> NDArray[np.float32]:
    """Draw noise like that of FOVs, as it is after evening: pieces of their own backgrounds.

    Where objects leave no room for any, it is normal noise of the colour covariance and the coarseness of the one in
    the middle.

    Args:
        backgrounds: Those of FOVs that are alike.
        rows, columns: Size wanted.
        stream: Where the randomness comes from.
        level: Grey of the evened background: `WHITE` scales the noise with it, `BLACK` leaves it.

    Returns:
        `(rows, columns, 3)` float32 in grey levels, about 0.
    """
    squares = [each.texture for each in backgrounds if len(each.texture)]
    background = backgrounds[len(backgrounds) // 2]
    gain = WHITE / np.maximum(np.asarray(background.color, np.float32), 1.0) if level == WHITE else np.float32(1.0)
    if squares:
        laid = lay_texture(leave_out_strays(np.concatenate(squares)), rows, columns, stream=stream)
        return np.asarray(laid * gain, np.float32)
    noise = stream.standard_normal((rows, columns, 3), np.float32)
    noise = np.asarray(cv2.filter2D(noise, cv2.CV_32F, grain_kernel(background.grain)), np.float32)
    values, vectors = np.linalg.eigh(background.noise.astype(np.float64))
    mix = (vectors * np.sqrt(np.maximum(values, 0.0))).T.astype(np.float32)
    return np.asarray((noise @ mix) * gain, np.float32)
