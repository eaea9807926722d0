"""Skin without a condition, as a camera of the ward sees it: its colour by tone, its grain, hair, and the light."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from synthstudio.core.fields.simulator_optics import Plane, add_at, blur, draw_texture
from synthstudio.core.fields.simulator_shapes import tint
from synthstudio.core.fields.skin_simulator_lesions import BLOOD, MELANIN, Lesion

_ITA_DEG = ((57.5, 64.0), (43.5, 52.5), (30.0, 39.0), (13.5, 24.5), (-22.0, 4.0), (-56.0, -37.0))
_YELLOW = ((12.5, 14.5), (15.0, 17.5), (17.0, 19.5), (18.0, 20.5), (15.5, 18.5), (10.5, 13.0))
_RED = ((8.5, 11.0), (9.0, 12.0), (10.0, 12.5), (11.0, 13.5), (11.5, 14.0), (9.5, 11.5))
"""Individual typology angle, b* and a* of the tones I to VI: well inside the classes of `skin_tone.py`, for the light
of a photograph moves them."""
_VEIL = (0.96, 0.93, 0.88)
_RELIEF = 0.55
_HIGHLIGHT_SLOPE = 0.45


@dataclass(frozen=True, slots=True)
class SkinLook:
    """What all photographs of one patient have in common.

    Attributes:
        tone: 1 to 6.
        color: RGB of the skin, 0 to 1.
        hair: Hairs on 10 cm2.
        freckles: Freckles on 10 cm2.
        grain: Contrast of lines and pores, about 1.
        noise: Standard deviation of the camera's noise at full light, in grey levels.
        size_px: Width and height of the camera's pictures.
    """

    tone: int
    color: tuple[float, float, float]
    hair: float
    freckles: float
    grain: float
    noise: float
    size_px: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Light:
    """The lamp: where it comes from, as a unit vector in the image, and its log strength on every px, (H, W)."""

    toward_x: float
    toward_y: float
    log_strength: Plane


def draw_skin_color(rng: np.random.Generator, tone: int) -> tuple[float, float, float]:
    """RGB 0 to 1 of skin whose typology angle lies inside the class of the tone."""
    ita, yellow, red = (rng.uniform(*each[tone - 1]) for each in (_ITA_DEG, _YELLOW, _RED))
    lightness = 50 + yellow * np.tan(np.radians(ita))
    lab = np.array([[[lightness, red, yellow]]], np.float32)
    rgb = np.clip(np.asarray(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB)), 0.02, 0.98)[0, 0]
    return float(rgb[0]), float(rgb[1]), float(rgb[2])


def draw_light(rng: np.random.Generator, *, width: int, height: int) -> Light:
    """A lamp from one side and the fall of light to the corners; its median over the picture is 1."""
    angle, strength = rng.uniform(0, 2 * np.pi), rng.uniform(0.05, 0.38)
    toward = (float(np.cos(angle)), float(np.sin(angle)))
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    x, y = x / width - 0.5, y / height - 0.5
    spot_x, spot_y = rng.uniform(-0.25, 0.25, 2)
    radius2 = (x - np.float32(spot_x)) ** 2 + (y - np.float32(spot_y)) ** 2
    log_light = strength * (toward[0] * x + toward[1] * y) - rng.uniform(0.1, 0.6) * radius2
    log_light = log_light - np.median(log_light[::8, ::8]) + rng.normal(0, 0.025)
    return Light(*toward, np.asarray(log_light, np.float32))


def draw_skin(rng: np.random.Generator, look: SkinLook, *, width: int, height: int, px_per_mm: float) -> Plane:
    """Logarithm of the light that bare skin sends back, (height, width, 3), without the lamp's unevenness."""
    shape = (height, width)
    blotches = draw_texture(rng, shape, grain_px=9 * px_per_mm)
    fine = draw_texture(rng, shape, grain_px=max(3.0, 1.3 * px_per_mm))
    lines = _draw_lines(rng, shape, px_per_mm)
    pores = _draw_dots(rng, shape, per_mm2=0.05, radius_px=(0.16 * px_per_mm, 0.3 * px_per_mm), px_per_mm=px_per_mm)
    shade = np.float32(look.grain) * (0.016 * lines + 0.012 * fine + 0.1 * pores)
    log_light = np.log(np.asarray(look.color, np.float32)) - tint(shade, (0.9, 1.0, 1.05))
    log_light -= tint(blotches, BLOOD) * np.float32(0.045) + tint(fine, MELANIN) * np.float32(0.008)
    if look.freckles:
        radius = (0.5 * px_per_mm, 1.3 * px_per_mm)
        dots = _draw_dots(rng, shape, per_mm2=look.freckles / 1000, radius_px=radius, px_per_mm=px_per_mm)
        log_light -= tint(blur(dots, 0.35 * px_per_mm), MELANIN) * np.float32(0.3)
    return np.asarray(log_light, np.float32)


def _draw_lines(rng: np.random.Generator, shape: tuple[int, int], px_per_mm: float) -> Plane:
    """The net of fine furrows: noise that is drawn out in two directions, standard deviation about 1."""
    angle = rng.uniform(0, np.pi)
    length = max(7, int(2.2 * px_per_mm) | 1)
    total = np.zeros(shape, np.float32)
    noise = draw_texture(rng, shape, grain_px=max(2.0, 0.4 * px_per_mm))
    for turn in (0.0, 1.2):
        kernel = np.zeros((length, length), np.float32)
        reach = length / 2
        dx, dy = reach * np.cos(angle + turn), reach * np.sin(angle + turn)
        ends = [(round(reach - dx), round(reach - dy)), (round(reach + dx), round(reach + dy))]
        cv2.line(kernel, ends[0], ends[1], (1.0,), 1)
        drawn = cv2.filter2D(noise, -1, kernel / max(float(kernel.sum()), 1.0), borderType=cv2.BORDER_REFLECT)
        total += drawn / (drawn.std() + np.float32(1e-6))
    return total * np.float32(0.7)


def _draw_dots(
    rng: np.random.Generator,
    shape: tuple[int, int],
    *,
    per_mm2: float,
    radius_px: tuple[float, float],
    px_per_mm: float,
) -> Plane:
    """Dots at random places, (H, W) 0 to 1; those below a px are fainter instead of smaller."""
    canvas = np.zeros(shape, np.uint8)
    for _ in range(min(4000, int(rng.poisson(per_mm2 * shape[0] * shape[1] / px_per_mm**2)))):
        at = (int(rng.integers(0, shape[1]) * 16), int(rng.integers(0, shape[0]) * 16))
        radius = rng.uniform(*radius_px)
        strength = rng.uniform(0.4, 1.0) * min(1.0, radius) * 255
        cv2.circle(canvas, at, max(8, round(radius * 16)), (strength,), cv2.FILLED, cv2.LINE_AA, 4)
    return blur(canvas.astype(np.float32) / np.float32(255), 0.6)


def put_lesion(log_light: Plane, lesion: Lesion, light: Light, *, left: int, top: int) -> None:
    """Draw a lesion into the (H, W, 3) log light of the skin, in place; parts beyond the border are cut off."""
    slope_x = cv2.Sobel(lesion.height, cv2.CV_32F, 1, 0, ksize=3, scale=0.125)
    slope_y = cv2.Sobel(lesion.height, cv2.CV_32F, 0, 1, ksize=3, scale=0.125)
    facing = -(slope_x * light.toward_x + slope_y * light.toward_y)
    change = tint(np.asarray(_RELIEF * np.tanh(facing), np.float32), (1.0, 1.0, 1.0)) - lesion.absorbance
    add_at(log_light, np.asarray(change, np.float32), left, top)
    off = (slope_x + _HIGHLIGHT_SLOPE * light.toward_x) ** 2 + (slope_y + _HIGHLIGHT_SLOPE * light.toward_y) ** 2
    veil = np.maximum(lesion.veil, lesion.gloss * np.exp(-off / 0.03) * lesion.body)
    _cover(log_light, np.asarray(veil, np.float32), left, top)


def _cover(log_light: Plane, veil: Plane, left: int, top: int) -> None:
    """Lay pale matter of this cover over a part of the log light, in place."""
    height, width = log_light.shape[:2]
    x0, y0, x1, y1 = max(0, left), max(0, top), min(width, left + veil.shape[1]), min(height, top + veil.shape[0])
    part = veil[y0 - top : y1 - top, x0 - left : x1 - left, None]
    below = np.exp(log_light[y0:y1, x0:x1])
    # Dead skin and blisters let the skin below through: on dark skin they are grey, not white.
    pale = 0.62 * np.asarray(_VEIL, np.float32) + 0.38 * below
    log_light[y0:y1, x0:x1] = np.log(np.clip(below * (1 - part) + pale * part, 1e-3, 1.2))


def put_hair(rng: np.random.Generator, log_light: Plane, look: SkinLook, *, px_per_mm: float) -> None:
    """Draw hairs over everything, in place: curved, all roughly in one direction."""
    height, width = log_light.shape[:2]
    n_hairs = int(rng.poisson(look.hair * width * height / px_per_mm**2 / 1000))
    if not n_hairs:
        return
    canvas = np.zeros((height, width), np.uint8)
    direction = rng.uniform(0, 2 * np.pi)
    thickness = max(1, round(0.11 * px_per_mm))
    for _ in range(min(400, n_hairs)):
        heading = direction + rng.normal(0, 0.35) + np.linspace(0, rng.normal(0, 0.8), 14)
        step = rng.uniform(8, 22) * px_per_mm / 14
        start = np.array([rng.uniform(-0.1, 1.05) * width, rng.uniform(-0.1, 1.05) * height])
        points = start + np.cumsum(np.stack([np.cos(heading), np.sin(heading)], axis=1) * step, axis=0)
        cv2.polylines(
            canvas, [np.rint(points * 16).astype(np.int32)], False, (rng.uniform(120, 255),), thickness, cv2.LINE_AA, 4
        )
    cover = blur(canvas.astype(np.float32) / np.float32(255), 0.5)
    log_light -= tint(cover, (1.1, 1.2, 1.25))
