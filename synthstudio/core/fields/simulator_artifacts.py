"""What lies in a simulated sediment and is not of any class: fibres, debris, air bubbles, smudges."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from synthstudio.core.fields.simulator_optics import Plane, Sprite, blur, draw_texture
from synthstudio.core.fields.simulator_shapes import (
    build_grid,
    coverage,
    dome,
    phase_of,
    tint,
    visible_body,
    wavy_radius,
)


def draw_artifact(rng: np.random.Generator, stain: float) -> Sprite:
    """Draw one artifact of any sort; specks and clumps are the most frequent."""
    index = int(rng.choice(len(_DRAWERS), p=_WEIGHTS))
    return _DRAWERS[index](rng, stain)


def _draw_speck(rng: np.random.Generator, stain: float) -> Sprite:
    """A grain of the size of a bacterium, but of no definite shape: the class's hard negative."""
    size = float(rng.uniform(2.0, 4.5))
    u, v = build_grid(rng, 4 * size, angle=rng.uniform(0, np.pi))
    v = v * np.float32(rng.uniform(1.0, 1.9))
    outline = wavy_radius(rng, np.arctan2(v, u), roughness=0.45, orders=range(2, 6))
    rho = np.hypot(u, v) / (size * np.clip(outline, 0.4, 1.8))
    height = dome(rho)
    phase = phase_of(height * 2 * size, index_step=float(rng.uniform(0.04, 0.12)))
    absorbance = tint(height, (0.35, 0.38, 0.42)) * np.float32(rng.uniform(0.3, 1.3))
    return Sprite(phase, absorbance + np.float32(0.1 * stain) * absorbance, visible_body((rho - 1) * size))


def _draw_clump(rng: np.random.Generator, stain: float) -> Sprite:
    """Amorphous matter: a heap of grains, yellow-brown, without a border."""
    size = float(rng.uniform(8, 22))
    u, v = build_grid(rng, 3.2 * size, angle=rng.uniform(0, np.pi))
    v = v * np.float32(rng.uniform(1.0, 1.6))
    shape = (len(u), len(u))
    outline = wavy_radius(rng, np.arctan2(v, u), roughness=0.6, orders=range(2, 8))
    inside = coverage((np.hypot(u, v) / (size * np.clip(outline, 0.35, 1.6)) - 1) * size, softness_px=5)
    grains = np.clip(draw_texture(rng, shape, grain_px=3.2) + 0.2, 0, 2.2) * inside
    coarse = np.clip(draw_texture(rng, shape, grain_px=8) + 0.5, 0, 2) * inside
    matter = np.asarray(grains * (0.5 + 0.7 * coarse), dtype=np.float32)
    density = np.float32(rng.uniform(0.08, 0.22))
    absorbance = tint(matter, (0.7, 0.9, 1.2)) * density + tint(inside, (0.02, 0.04 + 0.08 * stain, 0.06))
    body = coverage(0.25 - blur(matter, 1.0), softness_px=0.3)
    return Sprite(np.float32(0.55) * matter, absorbance, body)


def _draw_smudge(rng: np.random.Generator, stain: float) -> Sprite:
    """Something far above the focal plane: a soft grey shape in rings."""
    size = float(rng.uniform(12, 26))
    u, v = build_grid(rng, 2 * size + 50, angle=rng.uniform(0, np.pi))
    v = v * np.float32(rng.uniform(1.0, 1.5))
    outline = wavy_radius(rng, np.arctan2(v, u), roughness=0.25, orders=range(2, 6))
    rho = np.hypot(u, v) / (size * outline)
    phase = phase_of(dome(rho) * 5, index_step=float(rng.uniform(0.03, 0.06)))
    absorbance = tint(dome(rho), (0.14, 0.15 + 0.05 * stain, 0.14)) * np.float32(rng.uniform(1.1, 2.0))
    height_um = float(rng.uniform(14, 26)) * (1 if rng.random() < 0.5 else -1)
    return Sprite(phase, absorbance, coverage((rho - 1) * size), extra_defocus_um=height_um)


def _draw_bubble(rng: np.random.Generator, stain: float) -> Sprite:
    """Air: a lens that throws the light out of the aperture near its rim and gathers it in the middle."""
    del stain
    radius = float(rng.uniform(16, 48))
    u, v = build_grid(rng, 2.1 * radius, angle=0.0)
    rho = np.asarray(np.hypot(u, v) / radius, dtype=np.float32)
    inside = coverage((rho - 1) * radius)
    ring = np.exp(-(((rho - 0.88) / 0.13) ** 2)) + 0.25 * np.exp(-(((rho - 0.62) / 0.10) ** 2))
    halo = np.exp(-((((rho - 1) * radius - 2.5) / 1.8) ** 2))
    lean = 1 + np.float32(rng.normal(0, 0.12)) * u / radius
    shade = 1.5 * ring * lean * inside - 0.10 * inside - 0.14 * halo - 0.12 * np.exp(-((rho / 0.28) ** 2))
    return Sprite(np.zeros_like(u), tint(np.asarray(shade, dtype=np.float32), (1.0, 0.98, 0.96)), inside)


def _draw_fibre(rng: np.random.Generator, stain: float) -> Sprite:
    """A thread of cotton or hair across the field, curved, with twists that thin it and darken it."""
    length, radius = float(rng.uniform(80, 230)), float(rng.uniform(2.5, 6.0))
    u, _ = build_grid(rng, length + 2 * radius + 24, angle=0.0)
    distance, along = _distance_to_curve(_draw_curve(rng, length, len(u)), len(u))
    twist = 0.78 + 0.22 * np.cos(along / np.float32(rng.uniform(9, 24)) + np.float32(rng.uniform(0, 6)))
    local = np.asarray(radius * twist, dtype=np.float32)
    rho = np.asarray(distance / local, dtype=np.float32)
    wall = np.exp(-((((1 - rho) * local - 1.0) / 1.0) ** 2))
    streaks = draw_texture(rng, (len(u), len(u)), grain_px=3) * dome(rho)
    phase = phase_of(2 * local * dome(rho), index_step=float(rng.uniform(0.03, 0.06))) + np.float32(0.07) * streaks
    hue = np.asarray(rng.choice(((0.20, 0.20, 0.18), (0.30, 0.24, 0.12), (0.14, 0.20, 0.28))), dtype=np.float32)
    absorbance = tint(dome(rho) * (0.6 + 0.4 * (1 - twist) / 0.44), hue) + tint(wall, (0.16, 0.16, 0.16))
    absorbance += tint(dome(rho), (0.02, 0.05, 0.02)) * np.float32(stain)
    return Sprite(np.asarray(phase, dtype=np.float32), absorbance, visible_body(distance - local))


def _draw_curve(rng: np.random.Generator, length: float, side: int) -> Plane:
    """A smooth centre line of this length through the middle of the sprite: (n, 2) float32 px, x before y."""
    n_steps = max(16, int(length / 3))
    bend = rng.normal(0, 0.9) / n_steps + rng.normal(0, 0.035) * np.sin(np.linspace(0, rng.uniform(2, 7), n_steps))
    heading = rng.uniform(0, 2 * np.pi) + np.cumsum(bend)
    points = np.cumsum(np.stack([np.cos(heading), np.sin(heading)], axis=1) * (length / n_steps), axis=0)
    middle = (points.max(axis=0) + points.min(axis=0)) / 2
    return np.asarray(points - middle + side / 2, dtype=np.float32)


def _distance_to_curve(points: Plane, side: int) -> tuple[Plane, Plane]:
    """Distance of every px to a curve, and the length along the curve of the nearest place, both (side, side) px."""
    canvas = np.full((side, side), 255, dtype=np.uint8)
    cv2.polylines(canvas, [np.rint(points * 16).astype(np.int32)], isClosed=False, color=0, thickness=1, shift=4)
    distance = blur(np.asarray(cv2.distanceTransform(canvas, cv2.DIST_L2, 5), dtype=np.float32), 0.9)
    coarse = np.arange(0, side, 4, dtype=np.float32)
    gaps = (coarse[:, None, None] - points[:, 1]) ** 2 + (coarse[None, :, None] - points[:, 0]) ** 2
    step = float(np.hypot(*(points[1] - points[0])))
    along = np.asarray(np.argmin(gaps, axis=2), dtype=np.float32) * step
    full = cv2.resize(along, (len(coarse) * 4, len(coarse) * 4), interpolation=cv2.INTER_LINEAR)
    return distance, np.asarray(full[:side, :side], dtype=np.float32)


_DRAWERS: tuple[Callable[[np.random.Generator, float], Sprite], ...] = (
    _draw_speck,
    _draw_clump,
    _draw_smudge,
    _draw_bubble,
    _draw_fibre,
)
_WEIGHTS = (0.40, 0.26, 0.14, 0.07, 0.13)
