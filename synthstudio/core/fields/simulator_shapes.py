"""The five kinds of object in a simulated sediment, each as phase, absorbance and outline.

Sizes are px at 0.25 um/px; a refractive index difference times a thickness gives the phase.
"""

from __future__ import annotations

import numpy as np
import scipy.fft

from synthstudio.core.fields.simulator_optics import UM_PER_PX, WAVELENGTH_UM, Plane, Sprite, blur, draw_texture

MARGIN_PX = 20
"""Room around an object for its diffraction fringes."""

FRINGE_PX = 1.25

STAIN_NUCLEUS = np.asarray((0.30, 0.42, 0.06), dtype=np.float32)
STAIN_CYTOPLASM = np.asarray((0.02, 0.16, 0.08), dtype=np.float32)


def build_grid(rng: np.random.Generator, extent_px: float, *, angle: float) -> tuple[Plane, Plane]:
    """Return the object's own axes `u, v` in px over a square that holds `extent_px` and the margin.

    The middle lies at a random fraction of a px, so that no object sits on the pixel grid.
    """
    side = int(scipy.fft.next_fast_len(int(np.ceil(extent_px)) + 2 * MARGIN_PX))
    shift_x, shift_y = rng.uniform(-0.5, 0.5, 2)
    y, x = np.mgrid[0:side, 0:side].astype(np.float32) - np.float32((side - 1) / 2)
    x, y = x - np.float32(shift_x), y - np.float32(shift_y)
    cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    return np.asarray(cos * x + sin * y, dtype=np.float32), np.asarray(cos * y - sin * x, dtype=np.float32)


def phase_of(thickness_px: Plane, *, index_step: float) -> Plane:
    """Phase in rad of `thickness_px` of a matter whose refractive index exceeds the fluid's by `index_step`."""
    return np.asarray(2 * np.pi * index_step * thickness_px * UM_PER_PX / WAVELENGTH_UM, dtype=np.float32)


def tint(plane: Plane, color: tuple[float, float, float] | Plane) -> Plane:
    """Spread an (h, w) plane over R, G, B with these weights."""
    return np.asarray(plane[:, :, None] * np.asarray(color, dtype=np.float32), dtype=np.float32)


def coverage(distance: Plane, *, softness_px: float = 1.0) -> Plane:
    """Antialiased coverage from a signed distance in px, negative inside."""
    return np.asarray(np.clip(0.5 - distance / softness_px, 0, 1), dtype=np.float32)


def visible_body(distance: Plane) -> Plane:
    """Coverage of a cell with the fringe along its outline, which belongs to the cell for whoever draws a box."""
    return coverage(np.asarray(distance - FRINGE_PX, dtype=np.float32))


def dome(rho: Plane) -> Plane:
    """Height of a unit half-ellipsoid over the normalised radius `rho`."""
    return np.sqrt(np.clip(1 - rho**2, 0, 1))


def wavy_radius(rng: np.random.Generator, theta: Plane, *, roughness: float, orders: range) -> Plane:
    """A closed outline about 1: harmonics of the given orders, amplitude falling with the order."""
    radius = np.ones_like(theta)
    for k in orders:
        radius += np.float32(roughness * rng.normal() / k) * np.cos(k * theta + np.float32(rng.uniform(0, 2 * np.pi)))
    return radius


def draw_bacterium(rng: np.random.Generator, stain: float) -> Sprite:
    """A rod of 2 to 4 um, straight or a little bent, alone or just divided."""
    divided = rng.random() < 0.3
    length = float(np.clip(rng.normal(12.5, 1.5), 9, 16)) * (1.25 if divided else 1.0)
    radius = float(rng.uniform(1.7, 2.3))
    u, v = build_grid(rng, length, angle=rng.uniform(0, np.pi))
    v = v - np.float32(rng.normal(0, 0.012)) * (u**2 - np.float32(length**2 / 12))
    distance = np.asarray(np.hypot(np.maximum(np.abs(u) - (length / 2 - radius), 0), v), dtype=np.float32)
    rho = distance / radius
    waist = 1 - np.float32(0.75 if divided else 0.0) * np.exp(-((u / 1.5) ** 2))
    height = dome(rho) * waist
    phase = phase_of(height * 2 * radius, index_step=float(rng.uniform(0.055, 0.11)))
    absorbance = tint(height, (0.12, 0.12, 0.10)) + tint(height, STAIN_NUCLEUS) * np.float32(0.8 * stain)
    return Sprite(phase, absorbance, visible_body(distance - radius))


def draw_rbc(rng: np.random.Generator, stain: float) -> Sprite:
    """A red cell: biconcave disc by the profile of Evans and Fung (1972); some crenated, some pale ghosts, some tilted.

    Red cells take up little of the supravital stain.
    """
    radius = float(np.clip(rng.normal(13.0, 1.0), 10.5, 15.5))
    crenated, ghost = rng.random() < 0.15, rng.random() < 0.15
    squash = 1 - abs(float(rng.normal(0, 0.07)))
    u, v = build_grid(rng, 2.4 * radius, angle=rng.uniform(0, np.pi))
    theta = np.arctan2(v, u)
    outline = wavy_radius(rng, theta, roughness=0.05, orders=range(2, 5))
    if crenated:
        outline *= 1 + np.float32(0.06) * np.cos(int(rng.integers(9, 14)) * theta + np.float32(rng.uniform(0, 6)))
    rho = np.asarray(np.hypot(u, v / np.float32(squash)) / (radius * outline), dtype=np.float32)
    tilt = np.clip(1 + np.float32(rng.normal(0, 0.12)) * u / radius, 0.5, 1.5)
    profile = dome(rho) * (0.6 + 7.9 * rho**2 - 4.3 * rho**4) * tilt  # um, at most about 2.6
    if crenated:
        profile = profile * (1 + np.float32(0.12) * draw_texture(rng, (len(u), len(u)), grain_px=4))
    phase = phase_of(np.asarray(profile / UM_PER_PX, dtype=np.float32), index_step=0.018 if ghost else 0.04)
    hue = (0.008, 0.028, 0.036) if ghost else (0.022, 0.068, 0.088)
    absorbance = tint(profile, hue) * np.float32(rng.uniform(0.7, 1.15))
    absorbance += tint(dome(rho), STAIN_CYTOPLASM) * np.float32(0.2 * stain)
    return Sprite(phase, absorbance, visible_body((rho - 1) * radius))


def draw_wbc(rng: np.random.Generator, stain: float) -> Sprite:
    """A granulocyte: round, granular, with a nucleus of two to four lobes in a row along an arc."""
    radius = float(np.clip(rng.normal(21.5, 1.8), 17, 26))
    u, v = build_grid(rng, 2.3 * radius, angle=rng.uniform(0, 2 * np.pi))
    shape = (len(u), len(u))
    outline = wavy_radius(rng, np.arctan2(v, u), roughness=0.05, orders=range(2, 7))
    rho = np.hypot(u, v) / (radius * outline)
    cell = dome(rho)
    nucleus = _draw_lobes(rng, u, v, radius)
    grains = draw_texture(rng, shape, grain_px=2.6) * np.clip(1.5 * cell, 0, 1) * (1 - 0.8 * nucleus)
    coarse = draw_texture(rng, shape, grain_px=6) * cell
    index_step = float(rng.uniform(0.014, 0.020))
    phase = phase_of(1.5 * radius * cell, index_step=index_step) + phase_of(6 * nucleus, index_step=0.06)
    phase += np.float32(rng.uniform(0.15, 0.28)) * grains + np.float32(0.10) * coarse
    absorbance = tint(cell, (0.06, 0.065, 0.06)) + tint(nucleus, (0.24, 0.22, 0.15))
    absorbance += tint(np.clip(grains, 0, 3), (0.05, 0.05, 0.05))
    absorbance += np.float32(stain) * (tint(cell, STAIN_CYTOPLASM) + tint(nucleus, STAIN_NUCLEUS))
    return Sprite(np.asarray(phase, dtype=np.float32), absorbance, visible_body((rho - 1) * radius))


def _draw_lobes(rng: np.random.Generator, u: Plane, v: Plane, radius: float) -> Plane:
    n_lobes = int(rng.choice((2, 3, 3, 4)))
    arc = rng.uniform(0.9, 1.25) * (n_lobes - 1)
    angles = np.linspace(-arc / 2, arc / 2, n_lobes) + rng.uniform(0, 2 * np.pi) + rng.normal(0, 0.12, n_lobes)
    ring = radius * rng.uniform(0.30, 0.46)
    nucleus = np.zeros_like(u)
    for angle in angles:
        size = radius * rng.uniform(0.24, 0.34)
        x, y = ring * np.cos(angle), ring * np.sin(angle)
        stretch = rng.uniform(0.75, 1.25)
        nucleus = np.maximum(nucleus, coverage(np.hypot((u - x) * stretch, (v - y) / stretch) - size, softness_px=4))
    return blur(nucleus, 0.8)


def draw_yeast(rng: np.random.Generator, stain: float) -> Sprite:
    """An oval cell with a firm bright wall and a vacuole, two thirds of them with a bud, some buds with one more."""
    half_length, half_width = float(rng.normal(14.6, 1.1)), float(rng.normal(11.3, 0.8))
    ovals = [(0.0, 0.0, half_length, half_width)]
    if rng.random() < 0.66:
        ratio = float(rng.uniform(0.45, 0.85))
        tip = half_length + 0.88 * ratio * half_length
        ovals.append((tip, float(rng.normal(0, 2.0)), ratio * half_length, ratio * half_width))
    middle = (min(x - a for x, _, a, _ in ovals) + max(x + a for x, _, a, _ in ovals)) / 2
    u, v = build_grid(rng, 2 * (max(x + a for x, _, a, _ in ovals) - middle) + 4, angle=rng.uniform(0, 2 * np.pi))
    height, wall, inside = np.zeros_like(u), np.zeros_like(u), np.full_like(u, np.inf)
    for x, y, a, b in ovals:
        rho = np.hypot((u + middle - x) / a, (v - y) / b)
        height = np.maximum(height, dome(rho) * b)
        depth = (1 - rho) * b
        wall = np.maximum(wall, np.exp(-(((depth - 1.3) / 1.1) ** 2)))
        inside = np.minimum(inside, -depth)
    vacuole = _draw_vacuole(rng, u + middle, v, half_width)
    granules = draw_texture(rng, (len(u), len(u)), grain_px=3.5) * (height > half_width * 0.4)
    phase = phase_of(1.35 * height, index_step=float(rng.uniform(0.045, 0.06))) + np.float32(0.7) * wall
    phase += np.float32(0.12) * granules - np.float32(0.9) * vacuole
    body = coverage(inside)
    absorbance = tint(body * (0.4 + 0.6 * wall), (0.06, 0.045, 0.06)) - tint(height / half_width, (0.05, 0.06, 0.03))
    absorbance += tint(body, STAIN_NUCLEUS) * np.float32(0.35 * stain)
    return Sprite(np.asarray(phase, dtype=np.float32), absorbance, visible_body(inside))


def _draw_vacuole(rng: np.random.Generator, u: Plane, v: Plane, half_width: float) -> Plane:
    size = half_width * rng.uniform(0.3, 0.48)
    x, y = rng.normal(0, half_width * 0.25, 2)
    return coverage(np.hypot(u - x, v - y) - size, softness_px=3)


def draw_crystal(rng: np.random.Generator, stain: float) -> Sprite:
    """Calcium oxalate dihydrate, an octahedron seen along its axis: the envelope; or a longer prism with a ridge.

    Crystals are far too thick for one phase (their index exceeds the fluid's by 0.18), so each facet bends the light
    by its own amount: a shade per facet, dark outline and ridges, over a small phase for the fringes. No stain.
    """
    del stain
    long_form = rng.random() < 0.3
    half = float(np.clip(rng.normal(27.0, 5.5), 13, 38))
    half_v = half * (float(rng.uniform(0.45, 0.6)) if long_form else float(rng.uniform(0.88, 1.0)))
    u, v = build_grid(rng, 2 * float(np.hypot(half, half_v)), angle=rng.uniform(0, np.pi))
    corner = half + half_v - float(rng.uniform(0.0, 0.12)) * half  # blunted corners
    depth_u, depth_v = half - np.abs(u), half_v - np.abs(v)
    edge = np.minimum(np.minimum(depth_u, depth_v), (corner - np.abs(u) - np.abs(v)) / np.float32(np.sqrt(2)))
    height = np.clip(edge, 0, None) / half_v
    facet = np.where(depth_u < depth_v, 2 + (u > 0), (v > 0).astype(np.int64))
    lean_u, lean_v = rng.normal(0, 1, 2).astype(np.float32)
    shades = np.asarray(rng.normal(0.0, 0.10, 4), dtype=np.float32)
    ridge = np.exp(-((np.abs(depth_u - depth_v) / 1.3) ** 2)) * (height > 0)
    keel = np.exp(-((v / 1.3) ** 2)) * (depth_u > depth_v)
    rim = np.exp(-(((edge - 0.8) / 1.2) ** 2)) * (1 + np.float32(0.25) * (u / half * lean_u + v / half_v * lean_v))
    body = coverage(-edge)
    glow = np.float32(0.10) * height + np.float32(0.22) * np.exp(-(((edge - 4.5) / 2.0) ** 2))
    shade = (
        body * (shades[facet] - glow)
        + np.float32(rng.uniform(0.5, 0.9)) * rim
        + np.float32(0.38) * np.maximum(ridge, keel * body)
    )
    phase = np.asarray(2.4 * height + 0.5 * body, dtype=np.float32)
    return Sprite(phase, tint(np.asarray(shade, dtype=np.float32), (1.0, 0.98, 0.95)), body)
