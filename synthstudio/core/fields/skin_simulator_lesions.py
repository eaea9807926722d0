"""The six conditions of a simulated skin photograph, each as pigment, pale matter on top, relief and outline.

They are no diseases: each is one of the appearances that a dermatologist puts in words (colour, border, surface, size),
drawn so that no single one of these tells them apart. Pigment multiplies the light that comes back from the skin, so
that the same redness is plain on light skin and a dark violet on dark skin.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from synthstudio.core.fields.simulator_optics import Plane, blur, draw_texture
from synthstudio.core.fields.simulator_shapes import build_grid, coverage, dome, tint, wavy_radius

MELANIN = (0.74, 0.98, 1.14)
BLOOD = (0.08, 0.62, 0.56)
"""Natural-log absorbance of the two pigments in R, G, B of sRGB, at strength 1."""


@dataclass(frozen=True, slots=True)
class Lesion:
    """One region of a condition, seen from above; planes are (h, w) float32.

    Attributes:
        absorbance: (h, w, 3) natural-log absorbance in R, G, B, added to that of the skin.
        veil: Cover by pale matter, such as scales, 0 to 1.
        height: Above the skin, in px; it shows by light and shade.
        gloss: How strongly slopes that face the light shine, 0 to 1.
        body: Cover by the region itself, 0 to 1; what its box is measured on.
    """

    absorbance: Plane
    veil: Plane
    height: Plane
    gloss: float
    body: Plane


def draw_dark_irregular(rng: np.random.Generator, size_px: float) -> Lesion:
    """Brown to black in patches, of ragged outline; one side often fades."""
    u, v = _axes(rng, size_px)
    outline = wavy_radius(rng, np.arctan2(v, u), roughness=0.25, orders=range(2, 10))
    distance = _distance(u, v, size_px, outline)
    inside = coverage(distance, softness_px=max(1.5, 0.05 * size_px))
    patches = blur(draw_texture(rng, _shape(u), grain_px=0.34 * size_px), 1.0)
    fade = np.clip(1.0 + np.float32(rng.uniform(0.0, 0.9)) * u / size_px, 0.45, 1.5)
    strength = np.float32(rng.uniform(0.7, 1.25)) * np.clip(1 + 0.5 * patches, 0.35, 2.0) * fade * inside
    bluish = tint(inside * np.clip(-patches, 0, 1.2), (0.35, 0.15, -0.1))
    spots = coverage(draw_texture(rng, _shape(u), grain_px=0.1 * size_px) * -1 + 1.3, softness_px=0.5) * inside
    absorbance = tint(strength, MELANIN) + bluish + tint(spots, (0.35, 0.4, 0.42))
    return Lesion(absorbance, np.zeros_like(u), _plateau(distance, 0.03 * size_px), 0.05, inside)


def draw_red_scaly(rng: np.random.Generator, size_px: float) -> Lesion:
    """A red plate with a plain border under silvery scales."""
    u, v = _axes(rng, size_px, stretch=1.5)
    outline = wavy_radius(rng, np.arctan2(v, u), roughness=0.2, orders=range(2, 8))
    distance = _distance(u, v, size_px, outline)
    inside = coverage(distance, softness_px=max(1.5, 0.03 * size_px))
    mottled = np.clip(1 + 0.2 * draw_texture(rng, _shape(u), grain_px=0.18 * size_px), 0.5, 1.5)
    flakes = draw_texture(rng, _shape(u), grain_px=max(3.0, 0.055 * size_px))
    clusters = draw_texture(rng, _shape(u), grain_px=0.4 * size_px)
    scales = np.clip(1.6 * (flakes + 0.5 * clusters) - 0.2, 0, 1) * coverage(distance + 0.06 * size_px, softness_px=3.0)
    absorbance = tint(inside * mottled, BLOOD) * np.float32(rng.uniform(0.45, 1.05))
    height = _plateau(distance, 0.05 * size_px) + 0.02 * np.float32(size_px) * scales
    veil = np.asarray(scales * np.float32(rng.uniform(0.4, 0.62)), np.float32)
    return Lesion(absorbance, veil, np.asarray(height, np.float32), 0.08, inside)


def draw_pearly_nodule(rng: np.random.Generator, size_px: float) -> Lesion:
    """A shining dome with a rolled rim and fine vessels, hardly darker than the skin."""
    u, v = _axes(rng, size_px, stretch=1.15)
    outline = wavy_radius(rng, np.arctan2(v, u), roughness=0.05, orders=range(2, 6))
    rho = np.asarray(np.hypot(u, v) / (size_px / 2 * outline), np.float32)
    inside = coverage((rho - 1) * np.float32(size_px / 2), softness_px=max(1.5, 0.04 * size_px))
    rim = np.exp(-(((rho - 0.78) / 0.2) ** 2))
    vessels = _draw_vessels(rng, side=len(u), radius=size_px / 2) * inside
    sunken = np.float32(rng.uniform(0.2, 0.8)) * np.exp(-((rho / 0.32) ** 2))
    absorbance = tint(inside, BLOOD) * np.float32(rng.uniform(0.05, 0.45)) + tint(vessels, (0.25, 0.95, 0.8))
    absorbance += tint(sunken * inside, (0.25, 0.6, 0.55)) + tint(np.exp(-(((rho - 1.02) / 0.06) ** 2)), MELANIN) * 0.2
    veil = np.asarray(inside * (0.2 + 0.22 * rim), np.float32)
    height = np.float32(0.26 * size_px) * (dome(rho) - 0.35 * sunken)
    return Lesion(absorbance, veil, np.asarray(height, np.float32), 0.8, inside)


def draw_brown_waxy(rng: np.random.Generator, size_px: float) -> Lesion:
    """A raised brown plate as if stuck on, with a sharp edge, dark pits and furrows."""
    u, v = _axes(rng, size_px, stretch=1.4)
    outline = wavy_radius(rng, np.arctan2(v, u), roughness=0.08, orders=range(2, 7))
    distance = _distance(u, v, size_px, outline)
    inside = coverage(distance, softness_px=1.2)
    rough = draw_texture(rng, _shape(u), grain_px=max(3.0, 0.11 * size_px))
    pits = _draw_pits(rng, distance, size_px)
    furrows = np.clip(-rough - 0.6, 0, 1) * inside
    strength = np.float32(rng.uniform(0.35, 0.95)) * inside * np.clip(1 + 0.14 * rough, 0.6, 1.4)
    absorbance = tint(strength, MELANIN) + tint(pits, (0.75, 0.8, 0.8)) + tint(furrows, (0.22, 0.25, 0.26))
    pale = coverage(-rough + 1.25, softness_px=0.5) * inside * 0.3
    height = _plateau(distance, 0.1 * size_px) + np.float32(0.012 * size_px) * rough * inside
    return Lesion(absorbance, np.asarray(pale, np.float32), np.asarray(height, np.float32), 0.22, inside)


def draw_vesicle_cluster(rng: np.random.Generator, size_px: float) -> Lesion:
    """A group of small clear blisters on a red ground without a border."""
    u, v = _axes(rng, size_px)
    outline = wavy_radius(rng, np.arctan2(v, u), roughness=0.15, orders=range(2, 6))
    distance = _distance(u, v, size_px, outline)
    ground = coverage(distance + 0.05 * size_px, softness_px=0.14 * size_px)
    fluid, height, rims = np.zeros_like(u), np.zeros_like(u), np.zeros_like(u)
    for x, y, radius in _scatter(rng, count=int(rng.integers(6, 12)), reach=0.36 * size_px, radius=0.1 * size_px):
        rho = np.asarray(np.hypot(u - np.float32(x), v - np.float32(y)) / np.float32(radius), np.float32)
        fluid = np.maximum(fluid, coverage((rho - 1) * np.float32(radius)))
        height = np.maximum(height, np.float32(0.8 * radius) * dome(rho))
        rims = np.maximum(rims, np.exp(-(((rho - 1.05) / 0.2) ** 2)))
    redness = np.float32(rng.uniform(0.4, 1.0)) * ground
    absorbance = tint(redness, BLOOD) + tint(rims, (0.12, 0.4, 0.36)) + tint(fluid, (-0.02, -0.1, 0.06))
    return Lesion(absorbance, np.asarray(0.34 * fluid, np.float32), height, 0.75, coverage(distance))


def draw_red_ring(rng: np.random.Generator, size_px: float) -> Lesion:
    """A red wall round a middle that has nearly healed, with fine scale on its inner side."""
    u, v = _axes(rng, size_px, stretch=1.25)
    outline = wavy_radius(rng, np.arctan2(v, u), roughness=0.12, orders=range(2, 7))
    rho = np.asarray(np.hypot(u, v) / (size_px / 2 * outline), np.float32)
    inside = coverage((rho - 1) * np.float32(size_px / 2), softness_px=max(1.5, 0.05 * size_px))
    width = np.float32(rng.uniform(0.1, 0.16))
    wall = np.exp(-(((rho - 0.84) / width) ** 2)) * inside
    bumps = np.clip(1 + 0.35 * draw_texture(rng, _shape(u), grain_px=max(3.0, 0.12 * size_px)), 0.3, 1.7)
    middle = np.clip(1 - rho / 0.8, 0, 1) ** 0.5
    scale = np.clip(draw_texture(rng, _shape(u), grain_px=3.0), 0, 1) * np.exp(-(((rho - 0.7) / 0.1) ** 2))
    absorbance = tint(wall * bumps, BLOOD) * np.float32(rng.uniform(0.7, 1.5)) + tint(middle, (0.06, 0.14, 0.16))
    height = np.float32(0.03 * size_px) * wall * bumps
    return Lesion(absorbance, np.asarray(0.3 * scale, np.float32), np.asarray(height, np.float32), 0.1, inside)


def _axes(rng: np.random.Generator, size_px: float, *, stretch: float = 1.3) -> tuple[Plane, Plane]:
    """The lesion's own axes in px, one drawn out by up to `stretch`, so that the mean of its sides is `size_px`."""
    u, v = build_grid(rng, 1.9 * size_px, angle=rng.uniform(0, np.pi))
    ratio = np.float32(np.sqrt(rng.uniform(1.0, stretch)))
    return np.asarray(u / ratio, np.float32), np.asarray(v * ratio, np.float32)


def _shape(plane: Plane) -> tuple[int, int]:
    return plane.shape[0], plane.shape[1]


def _distance(u: Plane, v: Plane, size_px: float, outline: Plane) -> Plane:
    """Signed distance in px from an outline of about radius 1 at this size, negative inside."""
    radius = np.float32(size_px / 2) * np.clip(outline, 0.35, 1.7)
    return np.asarray(np.hypot(u, v) - radius, np.float32)


def _plateau(distance: Plane, height_px: float) -> Plane:
    return np.asarray(height_px * np.clip(-distance / max(3.0 * height_px, 1.0), 0, 1), np.float32)


def _draw_pits(rng: np.random.Generator, distance: Plane, size_px: float) -> Plane:
    """Dark dots of dried horn, (h, w) 0 to 1."""
    pits = np.zeros_like(distance)
    rows, columns = np.nonzero(distance < -0.08 * size_px)
    if not len(rows):
        return pits
    for at in rng.integers(0, len(rows), int(rng.integers(5, 15))):
        radius = max(1.0, rng.uniform(0.018, 0.038) * size_px)
        cv2.circle(pits, (int(columns[at]), int(rows[at])), round(float(radius)), (1.0,), cv2.FILLED)
    return blur(pits, 0.6)


def _draw_vessels(rng: np.random.Generator, *, side: int, radius: float) -> Plane:
    """Fine winding lines from the rim inwards, (side, side) 0 to 1."""
    canvas = np.zeros((side, side), np.uint8)
    for _ in range(int(rng.integers(4, 8))):
        start = rng.uniform(0, 2 * np.pi)
        heading = start + np.pi + np.cumsum(rng.normal(0, 0.35, 12))
        steps = np.stack([np.cos(heading), np.sin(heading)], axis=1) * (0.09 * radius)
        points = np.cumsum(steps, axis=0) + 0.95 * radius * np.array([np.cos(start), np.sin(start)]) + side / 2
        cv2.polylines(canvas, [np.rint(points * 16).astype(np.int32)], False, (255,), 1, cv2.LINE_AA, 4)
    return blur(canvas.astype(np.float32) / np.float32(255), max(0.5, 0.02 * radius))


def _scatter(rng: np.random.Generator, *, count: int, reach: float, radius: float) -> list[tuple[float, float, float]]:
    """Discs x, y, radius round 0 that hardly overlap; fewer than `count` where there is no room."""
    placed: list[tuple[float, float, float]] = []
    for _ in range(12 * count):
        angle, away, size = rng.uniform(0, 2 * np.pi), reach * np.sqrt(rng.random()), radius * rng.uniform(0.7, 1.3)
        x, y = float(away * np.cos(angle)), float(away * np.sin(angle))
        if all(np.hypot(x - a, y - b) > 0.9 * (size + r) for a, b, r in placed):
            placed.append((x, y, float(size)))
        if len(placed) == count:
            break
    return placed
