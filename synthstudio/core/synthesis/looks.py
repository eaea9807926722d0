"""How one patch is turned, sized and stained when it is pasted: drawn from eleven uniform numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple

from synthstudio.core.patches.bank import Patch
from synthstudio.settings.compose import Blend, CompositionSettings

N_LOOK_NUMBERS = 11
DENSITY_STEPS = 128  # of log-spaced optical density factors: 1.8 % a step, not visible
DENSITY_LIMITS = (0.25, 2.5)
BRIGHTNESS_STEPS = 64  # half of them darker, half lighter
MIXED_FEATHERS = (0.0, 0.5, 1.0, 1.5)  # parts of the feather width that "mixed" draws from
N_BENDS = 64  # fields that bend a patch; together with turn, flip and scale no two look alike
STRAIGHT = -1


class Gradients(IntEnum):
    """Whether a patch is blended by its opacity, or its gradients are carried over."""

    NONE = 0
    OWN = 1
    STRONGER = 2


class Look(NamedTuple):
    """One way to show a patch.

    Attributes:
        width, height: Pasted window in px.
        angle_deg: Counter-clockwise turn.
        flip: Mirrored left-right before turning.
        scale: Magnification of the content.
        density: Index of the optical density factor for R, G and B, see `density_factor`.
        brightness: Index of the brightness factor.
        feather: Width of the fading rim as a share of the side; 0 is a hard edge.
        gradients: How gradients are carried over, one of `Gradients`.
        bend: Number of the field that bends the patch, or `STRAIGHT`.
    """

    width: int
    height: int
    angle_deg: float
    flip: bool
    scale: float
    density: tuple[int, int, int]
    brightness: int
    feather: float
    gradients: Gradients
    bend: int


_LOG_LOW = math.log(DENSITY_LIMITS[0])
_LOG_STEP = (math.log(DENSITY_LIMITS[1]) - _LOG_LOW) / (DENSITY_STEPS - 1)
NO_DENSITY = round(-_LOG_LOW / _LOG_STEP)  # the step that is used for "unchanged"; its factor is exactly 1
NO_DENSITIES = (NO_DENSITY, NO_DENSITY, NO_DENSITY)
NO_BRIGHTNESS = BRIGHTNESS_STEPS // 2


def density_factor(step: int) -> float:
    """Factor of the optical density at a step; exactly 1 at `NO_DENSITY`."""
    return math.exp((step - NO_DENSITY) * _LOG_STEP)


def density_step(factor: float) -> int:
    """Nearest step to a factor of the optical density."""
    return min(DENSITY_STEPS - 1, max(0, NO_DENSITY + round(math.log(max(factor, 1e-3)) / _LOG_STEP)))


def brightness_factor(step: int) -> float:
    """Factor of the brightness at a step: 0.5 to 1.5."""
    return 1.0 + (step - NO_BRIGHTNESS) / BRIGHTNESS_STEPS


def draw_look(patch: Patch, numbers: Sequence[float], settings: CompositionSettings) -> Look:
    """Draw a look from `N_LOOK_NUMBERS` uniform numbers in [0, 1)."""
    jitter = settings.patch
    size, turn, flip, zoom, contrast, red, green, blue, light, blend, bend = numbers
    scale = 1.0 + jitter.scale_jitter * (2.0 * zoom - 1.0)
    angle_deg = jitter.rotation_deg * (2.0 * turn - 1.0)
    width, height = _turned_extent(patch.width, patch.height, angle_deg)
    side = scale * (1.0 + jitter.size_jitter * (2.0 * size - 1.0))
    blendings = _blendings(settings.blend, settings.feather)
    feather, gradients = blendings[int(blend * len(blendings))]
    # By position, in the order of the fields: naming them takes a fifth of the time.
    return Look(
        max(2, round(width * side)),
        max(2, round(height * side)),
        angle_deg,
        jitter.flip and flip < 0.5,
        scale,
        _draw_density((contrast, red, green, blue), jitter.contrast, jitter.hue),
        NO_BRIGHTNESS + round(BRIGHTNESS_STEPS * jitter.brightness * (2.0 * light - 1.0)),
        feather,
        gradients,
        int(bend * N_BENDS) if jitter.elastic else STRAIGHT,
    )


def _turned_extent(width: float, height: float, angle_deg: float) -> tuple[float, float]:
    """Extent of the ellipse that fills the window, after turning; a square stays as it is."""
    if width == height or angle_deg == 0.0:
        return width, height
    cosine, sine = math.cos(math.radians(angle_deg)), math.sin(math.radians(angle_deg))
    return math.hypot(width * cosine, height * sine), math.hypot(width * sine, height * cosine)


@lru_cache(maxsize=64)
def _blendings(blend: Blend, feather: float) -> tuple[tuple[float, Gradients], ...]:
    """Widths of the rim and uses of gradients that are drawn from with equal probability."""
    feathered = tuple((feather * part, Gradients.NONE) for part in MIXED_FEATHERS)
    gradients = ((0.0, Gradients.OWN), (0.0, Gradients.STRONGER))
    return {
        "paste": ((0.0, Gradients.NONE),),
        "feather": ((feather, Gradients.NONE),),
        "poisson": gradients[:1],
        "poisson_mixed": gradients[1:],
        "mixed": feathered,
        "all": feathered + gradients,
    }[blend]


def _draw_density(numbers: tuple[float, float, float, float], contrast: float, hue: float) -> tuple[int, int, int]:
    """Steps of the optical density for R, G and B, from a number for all of them and one for each."""
    if not contrast and not hue:
        return NO_DENSITIES
    factor = 1.0 + contrast * (2.0 * numbers[0] - 1.0)
    if not hue:
        return (density_step(factor),) * 3
    return (
        density_step(factor * (1.0 + hue * (2.0 * numbers[1] - 1.0))),
        density_step(factor * (1.0 + hue * (2.0 * numbers[2] - 1.0))),
        density_step(factor * (1.0 + hue * (2.0 * numbers[3] - 1.0))),
    )
