"""How the simulated microscope sees: a specimen's phase and absorbance become light, the camera makes pixels of it.

A transparent cell shows in brightfield only because it is a little out of focus, so contrast is not painted on:
the light field behind the specimen, `exp(i phase)`, is propagated by the defocus (angular spectrum in the paraxial
form, Goodman, "Introduction to Fourier Optics", section 4.2), cut by the pupil, and blurred by the size of the
condenser's source. Rims therefore turn from bright to dark with the side of the focus, as they do on the stage.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import scipy.fft
from numpy.typing import NDArray

Plane = NDArray[np.float32]
"""(H, W) float32, or (H, W, 3) where the docstring says RGB."""

UM_PER_PX = 0.25
WAVELENGTH_UM = 0.55
OBJECTIVE_NA = 0.55
CONDENSER_NA = 0.11
"""A condenser stopped down, as it is for unstained sediment: more contrast, visible fringes."""


@dataclass(frozen=True, slots=True)
class Look:
    """What all FOVs of one sample have in common, besides what is in it.

    Attributes:
        color: RGB of the empty field, 0 to 1: lamp, white balance and the fluid itself.
        stain: Strength of the supravital stain, 0 for none to 1.
        focus_um: Focal plane the operator prefers, above (+) or below (-) the objects.
        focus_spread_um: Spread of the objects' own heights.
        vignette: Loss of light at the corners, 0 to 1.
        light_x: Middle of the light as a fraction of the width.
        light_y: Middle of the light as a fraction of the height.
        noise: Standard deviation of the camera noise at full light, in grey levels.
        dust: Fixed marks of dust on the optics: x, y as fractions, radius in px, optical density.
    """

    color: tuple[float, float, float]
    stain: float
    focus_um: float
    focus_spread_um: float
    vignette: float
    light_x: float
    light_y: float
    noise: float
    dust: tuple[tuple[float, float, float, float], ...]


@dataclass(frozen=True, slots=True)
class Sprite:
    """One object lying in the fluid, seen from above.

    Attributes:
        phase: (h, w) delay of the light against the fluid, rad.
        absorbance: (h, w, 3) natural-log absorbance in R, G, B; negative where refraction gathers light.
        body: (h, w) coverage by the object itself, 0 to 1; what its box is measured on.
        extra_defocus_um: Height above the others, for what floats.
    """

    phase: Plane
    absorbance: Plane
    body: Plane
    extra_defocus_um: float = 0.0


def blur(plane: Plane, sigma_px: float) -> Plane:
    """Gaussian blur of an (H, W) or (H, W, 3) plane; below 0.2 px nothing changes."""
    if sigma_px < 0.2:
        return plane
    blurred = cv2.GaussianBlur(plane, (0, 0), sigma_px, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(blurred, dtype=np.float32)


def draw_texture(rng: np.random.Generator, shape: tuple[int, int], *, grain_px: float) -> Plane:
    """Draw an (H, W) noise field with grains of about `grain_px`, mean 0 and standard deviation 1."""
    scale = max(1, int(grain_px / 2))
    coarse = rng.standard_normal((shape[0] // scale + 2, shape[1] // scale + 2), dtype=np.float32)
    sigma = grain_px / 2 / scale
    field = blur(coarse, sigma) - blur(coarse, 2 * sigma)
    if scale > 1:
        size = (field.shape[1] * scale, field.shape[0] * scale)
        field = np.asarray(cv2.resize(field, size, interpolation=cv2.INTER_CUBIC), dtype=np.float32)
    field = field[: shape[0], : shape[1]]
    return np.asarray((field - field.mean()) / (field.std() + 1e-6), dtype=np.float32)


def add_at(target: Plane, patch: Plane, left: int, top: int) -> None:
    """Add `patch` to `target` in place at (left, top), cut at the border."""
    height, width = target.shape[:2]
    x0, y0 = max(0, left), max(0, top)
    x1, y1 = min(width, left + patch.shape[1]), min(height, top + patch.shape[0])
    if x0 < x1 and y0 < y1:
        target[y0:y1, x0:x1] += patch[y0 - top : y1 - top, x0 - left : x1 - left]


@lru_cache(maxsize=32)
def _squared_frequency(height: int, width: int) -> Plane:
    fy = scipy.fft.fftfreq(height, UM_PER_PX)[:, None]
    fx = scipy.fft.fftfreq(width, UM_PER_PX)[None, :]
    return np.asarray(fx**2 + fy**2, dtype=np.float32)


def transmit(sprite: Sprite, defocus_um: float) -> Plane:
    """Return the logarithm of the light behind a sprite, relative to the empty field: (h, w, 3) float32.

    It falls to exactly 0 at the sprite's border, so that adding it to a field leaves no square behind.
    """
    z_um = defocus_um + sprite.extra_defocus_um
    height, width = sprite.phase.shape
    f2 = _squared_frequency(height, width)
    cutoff2 = np.float32((OBJECTIVE_NA / WAVELENGTH_UM) ** 2)
    transfer = np.exp(-((f2 / cutoff2) ** 3) - 1j * np.float32(np.pi * WAVELENGTH_UM * z_um) * f2)
    scattered = scipy.fft.fft2(np.exp(1j * sprite.phase).astype(np.complex64) - 1)
    field = 1 + scipy.fft.ifft2(scattered * transfer.astype(np.complex64))
    light = blur(np.asarray(np.abs(field) ** 2, dtype=np.float32), abs(z_um) * CONDENSER_NA / UM_PER_PX)
    absorbed = blur(sprite.absorbance, 0.6 + 0.22 * abs(z_um))
    log_light = np.log(np.clip(light, 0.12, 3.0))[:, :, None] - absorbed
    return np.asarray(log_light * _border_window(height, width)[:, :, None], dtype=np.float32)


@lru_cache(maxsize=64)
def _border_window(height: int, width: int) -> Plane:
    def ramp(n: int) -> Plane:
        distance = np.minimum(np.arange(n), np.arange(n)[::-1]).astype(np.float32)
        return np.asarray(np.clip(distance / 6, 0, 1), dtype=np.float32)

    return np.asarray(ramp(height)[:, None] * ramp(width)[None, :], dtype=np.float32)


def draw_empty_field(rng: np.random.Generator, look: Look, *, width: int, height: int) -> Plane:
    """Draw the logarithm of the light of a field with nothing in it: (height, width, 3) float32.

    Vignetting, a slow gradient, faint unevenness of the fluid, finest grains below the size of any object, and dust.
    """
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    span = float(np.hypot(width, height)) / 2
    r2 = ((x - look.light_x * width) ** 2 + (y - look.light_y * height) ** 2) / span**2
    log_light = np.log1p(-np.clip(look.vignette * r2, 0, 0.85))
    slope_x, slope_y = rng.normal(0, 0.03, 2)
    log_light += slope_x * (x / width - 0.5) + slope_y * (y / height - 0.5)
    log_light += 0.006 * draw_texture(rng, (height, width), grain_px=70)
    log_light += 0.005 * draw_texture(rng, (height, width), grain_px=7)
    log_light += _draw_grains(rng, width=width, height=height)
    for fx, fy, radius, density in look.dust:
        ring = np.abs(np.hypot(x - fx * width, y - fy * height) / radius - 0.75)
        log_light -= density * np.exp(-((ring / 0.28) ** 2))
    color = np.log(np.asarray(look.color, dtype=np.float32))
    return np.asarray(log_light[:, :, None] + color, dtype=np.float32)


def _draw_grains(rng: np.random.Generator, *, width: int, height: int) -> Plane:
    """Brownian dirt of the fluid: dots of a pixel or two at a contrast that only just shows."""
    n_grains = int(rng.poisson(width * height / 3500))
    dots = np.zeros((height, width), dtype=np.float32)
    rows, columns = rng.integers(0, height, n_grains), rng.integers(0, width, n_grains)
    dots[rows, columns] = rng.normal(0, 0.45, n_grains)
    return blur(dots, 1.1)


def expose(rng: np.random.Generator, log_light: Plane, *, noise: float) -> NDArray[np.uint8]:
    """Turn (H, W, 3) log light into the (H, W, 3) uint8 RGB picture of a colour camera.

    The noise grows with the root of the light (photon noise), has a floor, and is a little correlated between
    neighbours, as the interpolation of a colour mosaic leaves it.
    """
    light = np.exp(log_light) * 255
    grain = blur(rng.standard_normal(light.shape, dtype=np.float32), 0.55) * 1.7
    light = light + noise * grain * np.sqrt(np.clip(light, 8, 255) / 255)
    # The shoulder keeps refracted highlights from burning out flat, as a camera's tone curve does.
    shoulder = np.where(light > 215, 215 + 40 * np.tanh((light - 215) / 40), light)
    return np.asarray(np.clip(np.rint(shoulder), 0, 255), dtype=np.uint8)
