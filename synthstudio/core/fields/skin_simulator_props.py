"""What lies in a clinical photograph beside skin: the cloth behind a limb, a paper ruler, ink dots, a round sticker.

All of it is unmarked, and falls on every condition alike: a classifier that learns it has learned nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from synthstudio.core.fields.simulator_optics import Plane, blur, draw_texture
from synthstudio.core.fields.simulator_shapes import tint

_CLOTHS = ((0.20, 0.34, 0.52), (0.22, 0.44, 0.42), (0.45, 0.47, 0.48), (0.14, 0.15, 0.18), (0.72, 0.76, 0.80))
_STICKERS = ((0.20, 0.62, 0.35), (0.16, 0.38, 0.75), (0.60, 0.25, 0.62))
_PAPER = (0.86, 0.87, 0.86)
_INK = (1.0, 1.25, 0.35)


@dataclass(frozen=True, slots=True)
class Props:
    """Where the patient's skin can be seen, and what is painted elsewhere.

    Attributes:
        skin: (H, W) cover by skin, 0 to 1.
        shade: (H, W) log light that the roundness of a limb takes away, at most 0.
        cloth: (H, W, 3) log light of what lies behind.
        taken: (H, W) where something lies that must hide no lesion.
    """

    skin: Plane
    shade: Plane
    cloth: Plane | None
    taken: NDArray[np.bool_]


def draw_props(rng: np.random.Generator, *, width: int, height: int) -> Props:
    """Choose between skin that fills the picture and a limb before a cloth."""
    shape = (height, width)
    if rng.random() > 0.4:
        return Props(np.ones(shape, np.float32), np.zeros(shape, np.float32), None, np.zeros(shape, np.bool_))
    angle, half = rng.normal(0, 0.5), rng.uniform(0.36, 0.5) * min(shape)
    if width < height:
        angle += np.pi / 2
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    middle_x, middle_y = width * rng.uniform(0.42, 0.58), height * rng.uniform(0.42, 0.58)
    along = np.cos(angle) * (x - middle_x) + np.sin(angle) * (y - middle_y)
    across = np.cos(angle) * (y - middle_y) - np.sin(angle) * (x - middle_x)
    bent = across + rng.normal(0, 0.06) * half * np.cos(along / (1.4 * half) + rng.uniform(0, 6))
    waist = half * (1 + rng.normal(0, 0.12) * along / width)
    inside = np.asarray(np.clip((waist - np.abs(bent)) / 2 + 0.5, 0, 1), np.float32)
    round_ = np.sqrt(np.clip(1 - (bent / waist) ** 2, 0, 1))
    shade = np.log(0.45 + 0.55 * np.clip(round_ * 1.3, 0, 1))
    color = np.log(np.asarray(_CLOTHS[int(rng.integers(len(_CLOTHS)))], np.float32))
    folds = 0.12 * draw_texture(rng, shape, grain_px=width / 5) + 0.05 * draw_texture(rng, shape, grain_px=3)
    return Props(
        inside, np.asarray(shade, np.float32), np.asarray(color + folds[:, :, None], np.float32), inside < 0.99
    )


def put_behind(log_light: Plane, props: Props) -> None:
    """Round the limb and let the cloth show beside it, in place on (H, W, 3) log light."""
    if props.cloth is None:
        return
    cover = props.skin[:, :, None]
    log_light += props.shade[:, :, None]
    log_light *= cover
    log_light += (1 - cover) * props.cloth


def put_ruler(rng: np.random.Generator, log_light: Plane, *, px_per_mm: float) -> NDArray[np.bool_]:
    """Lay a paper ruler along an edge, in place, a line to the millimetre; return what it takes, (H, W) bool."""
    height, width = log_light.shape[:2]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    u, v = (x, height - y) if rng.random() < 0.6 else (y, x)
    lean = np.float32(rng.normal(0, 0.04))
    across = v - np.float32(rng.uniform(-0.01, 0.02) * min(width, height)) + lean * u
    along = u - lean * v
    thick = np.float32(min(11 * px_per_mm, 0.14 * min(width, height)))
    paper = np.clip(across + 0.5, 0, 1) * np.clip(thick - across + 0.5, 0, 1)
    in_mm = along / np.float32(px_per_mm)
    number = np.rint(in_mm)
    gap = np.abs(in_mm - number) * np.float32(px_per_mm)
    long = np.where(number % 10 == 0, 0.55, np.where(number % 5 == 0, 0.42, 0.28))
    line = np.clip(max(0.8, 0.1 * px_per_mm) - gap, 0, 1) * (across > thick * (1 - long))
    color = np.log(np.asarray(_PAPER, np.float32)) - tint(np.asarray(1.7 * line, np.float32), (1.0, 1.0, 1.0))
    log_light += paper[:, :, None] * (color - log_light)
    return np.asarray(paper > 0)


def put_sticker(
    rng: np.random.Generator, log_light: Plane, *, at: tuple[float, float], radius_px: float
) -> NDArray[np.bool_]:
    """Put a round coloured sticker, in place, its middle at x, y px; return what it takes, (H, W) bool."""
    cover = _disc(log_light, at=at, radius_px=radius_px)
    color = np.log(np.asarray(_STICKERS[int(rng.integers(len(_STICKERS)))], np.float32))
    log_light += cover[:, :, None] * (color - log_light)
    return np.asarray(cover > 0)


def put_ink(log_light: Plane, *, at: tuple[float, float], radius_px: float) -> NDArray[np.bool_]:
    """Put a dot of violet skin marker, in place, its middle at x, y px; return what it takes, (H, W) bool."""
    cover = blur(_disc(log_light, at=at, radius_px=radius_px), 0.15 * radius_px)
    log_light -= tint(cover, _INK)
    return np.asarray(cover > 0.01)


def _disc(log_light: Plane, *, at: tuple[float, float], radius_px: float) -> Plane:
    canvas = np.zeros(log_light.shape[:2], np.uint8)
    center = (round(at[0] * 16), round(at[1] * 16))
    cv2.circle(canvas, center, round(radius_px * 16), (255,), cv2.FILLED, cv2.LINE_AA, 4)
    return canvas.astype(np.float32) / np.float32(255)
