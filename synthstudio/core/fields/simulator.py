"""A simulator of urine sediment under the microscope, with exact ground truth.

For the demo and the tests: images that need a real detector, yet cost nothing, harm nobody's privacy and come with
every outline known. Five classes of different size and texture (bacteria, red and white cells, yeast, crystals) lie
among artifacts in a fluid that differs from sample to sample in colour, stain, light, focus and what is in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthstudio.core.fields.simulator_artifacts import draw_artifact
from synthstudio.core.fields.simulator_optics import (
    UM_PER_PX,
    Look,
    Plane,
    Sprite,
    add_at,
    draw_empty_field,
    expose,
    transmit,
)
from synthstudio.core.fields.simulator_shapes import (
    draw_bacterium,
    draw_crystal,
    draw_rbc,
    draw_wbc,
    draw_yeast,
)
from synthstudio.domain.progress import Tick, no_tick
from synthstudio.domain.records import Box, Role

DEFAULT_WIDTH_PX = 640
DEFAULT_HEIGHT_PX = 480
_SAMPLE_STREAM = 2**32 - 1
"""Stands where the FOV's index stands in the key, for what all FOVs of a sample share."""
_MIN_VISIBLE = 0.35
"""An object that the border cuts below this part of its area is not placed: nobody could name it."""
_N_ATTEMPTS = 14


@dataclass(frozen=True, slots=True)
class SimulatedClass:
    """A class that the simulator draws.

    Attributes:
        size_px: Mean side of the boxes, (width + height) / 2, of uncut objects.
        key: Digit that selects the class.
        mean_count: Objects per FOV of 640 x 480 px at density 1, over all samples.
        clustering: Chance that an object lies against another of its class.
    """

    name: str
    role: Role
    size_px: float
    key: str
    mean_count: float
    clustering: float
    draw: Callable[[np.random.Generator, float], Sprite]

    @property
    def size_um(self) -> float:
        """Mean side in micrometres."""
        return self.size_px * UM_PER_PX


SIMULATED_CLASSES: tuple[SimulatedClass, ...] = (
    SimulatedClass("bacteria", Role.OBJECT, 12.5, "1", 13.0, 0.35, draw_bacterium),
    SimulatedClass("rbc", Role.OBJECT, 28.0, "2", 12.0, 0.35, draw_rbc),
    SimulatedClass("wbc", Role.OBJECT, 46.0, "3", 4.5, 0.35, draw_wbc),
    SimulatedClass("yeast", Role.OBJECT, 34.0, "4", 4.0, 0.30, draw_yeast),
    SimulatedClass("crystal", Role.OBJECT, 60.0, "5", 2.2, 0.10, draw_crystal),
    SimulatedClass("artifact", Role.ARTIFACT, 30.0, "6", 5.0, 0.0, draw_artifact),
)


@dataclass(frozen=True, slots=True)
class SimulatedObject:
    """One drawn object: the box is tight around its visible outline, `x, y` is the middle of the box (px)."""

    class_name: str
    x: float
    y: float
    box: Box


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedFov:
    """One simulated image: (H, W, 3) uint8 RGB, with every object in it, artifacts included."""

    image: NDArray[np.uint8]
    objects: tuple[SimulatedObject, ...]
    sample: str
    name: str
    um_per_px: float


@dataclass(frozen=True, slots=True)
class _Placed:
    sprite: Sprite
    class_name: str
    left: int
    top: int
    radius: float

    @property
    def center(self) -> tuple[float, float]:
        height, width = self.sprite.body.shape
        return self.left + width / 2, self.top + height / 2


def simulate_study(
    n_samples: int,
    fovs_per_sample: int,
    *,
    seed: int,
    width: int = DEFAULT_WIDTH_PX,
    height: int = DEFAULT_HEIGHT_PX,
    density: float = 1.0,
    tick: Tick = no_tick,
) -> Iterator[SimulatedFov]:
    """Yield the FOVs of a study sample by sample; each equals `simulate_fov` with the same indices."""
    total = n_samples * fovs_per_sample
    for done in range(total):
        tick(done, total)
        sample_index, fov_index = divmod(done, fovs_per_sample)
        yield simulate_fov(
            seed=seed, sample_index=sample_index, fov_index=fov_index, width=width, height=height, density=density
        )
    tick(total, total)


def simulate_fov(
    *,
    seed: int,
    sample_index: int,
    fov_index: int,
    width: int = DEFAULT_WIDTH_PX,
    height: int = DEFAULT_HEIGHT_PX,
    density: float = 1.0,
) -> SimulatedFov:
    """Draw one FOV; the answer depends on the arguments alone, never on what was drawn before.

    Args:
        seed: Study; 0 to 2**64 - 1.
        sample_index: Specimen in the study, from 0; sets colour, stain, light, focus and the mix of classes.
        fov_index: FOV in the specimen, from 0.
        width: Width in px, at least 64.
        height: Height in px, at least 64.
        density: Crowding; 1 puts about 40 objects on 640 x 480 px.

    Raises:
        ValueError: If the seed, an index or the density is out of range, or a side is below 64 px.
    """
    if not 0 <= seed < 2**64 or not 0 <= sample_index < 2**32 or not 0 <= fov_index < _SAMPLE_STREAM:
        raise ValueError(f"Cannot simulate FOV {fov_index} of sample {sample_index} with seed {seed}: out of range.")
    if density < 0 or min(width, height) < 64:
        raise ValueError(f"Cannot simulate {width} x {height} px at density {density}: at least 64 px and 0.")
    sample_rng = _build_rng(seed, sample_index, _SAMPLE_STREAM)
    look, mix = _draw_look(sample_rng), _draw_mix(sample_rng)
    rng = _build_rng(seed, sample_index, fov_index)
    placed = _place_objects(rng, look, mix, width=width, height=height, density=density)
    log_light = draw_empty_field(rng, look, width=width, height=height)
    fov_focus_um = look.focus_um + rng.normal(0, 0.4)
    for item in placed:
        defocus_um = fov_focus_um + rng.normal(0, look.focus_spread_um)
        add_at(log_light, transmit(item.sprite, defocus_um), item.left, item.top)
    objects = tuple(_ground_truth(item, width=width, height=height) for item in placed)
    sample = f"sample-{sample_index + 1:02d}"
    image = expose(rng, log_light, noise=look.noise)
    return SimulatedFov(image, objects, sample, f"{sample}-fov-{fov_index + 1:02d}", UM_PER_PX)


def _build_rng(seed: int, sample_index: int, stream: int) -> np.random.Generator:
    key = np.asarray((seed, (sample_index << 32) | stream), dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=key))


def _draw_look(rng: np.random.Generator) -> Look:
    brightness = rng.uniform(0.68, 0.86)
    red, green, blue = brightness * np.exp(rng.normal((0.015, 0.0, -0.03), (0.035, 0.015, 0.05)))
    side = 1 if rng.random() < 0.85 else -1
    n_dust = int(rng.integers(0, 4))
    dust = tuple(
        (rng.uniform(0, 1), rng.uniform(0, 1), rng.uniform(7, 22), rng.uniform(0.01, 0.03)) for _ in range(n_dust)
    )
    return Look(
        color=(float(red), float(green), float(blue)),
        stain=float(rng.uniform(0.35, 0.9)) if rng.random() < 0.3 else 0.0,
        focus_um=side * float(rng.uniform(1.1, 2.6)),
        focus_spread_um=float(rng.uniform(0.4, 0.9)),
        vignette=float(rng.uniform(0.10, 0.38)),
        light_x=float(rng.uniform(0.35, 0.65)),
        light_y=float(rng.uniform(0.35, 0.65)),
        noise=float(rng.uniform(1.6, 3.6)),
        dust=dust,
    )


def _draw_mix(rng: np.random.Generator) -> NDArray[np.float64]:
    """Mean counts per class of one sample: some specimens teem with one class and hardly have another."""
    factors = rng.gamma(1.6, 1 / 1.6, len(SIMULATED_CLASSES))
    means = np.asarray([item.mean_count for item in SIMULATED_CLASSES])
    return np.asarray(factors * means, dtype=np.float64)


def _place_objects(
    rng: np.random.Generator, look: Look, mix: NDArray[np.float64], *, width: int, height: int, density: float
) -> list[_Placed]:
    scale = density * width * height / (DEFAULT_WIDTH_PX * DEFAULT_HEIGHT_PX)
    order = np.repeat(np.arange(len(SIMULATED_CLASSES)), rng.poisson(mix * scale))
    placed: list[_Placed] = []
    for index in rng.permutation(order):
        simulated = SIMULATED_CLASSES[int(index)]
        sprite = simulated.draw(rng, look.stain)
        item = _find_place(rng, simulated, sprite, placed, width=width, height=height)
        if item is not None:
            placed.append(item)
    return placed


def _find_place(
    rng: np.random.Generator,
    simulated: SimulatedClass,
    sprite: Sprite,
    placed: list[_Placed],
    *,
    width: int,
    height: int,
) -> _Placed | None:
    """Return the object where it touches others at most, or None where there is no room.

    Discs of the objects' areas stand for them, so a long fibre may still cross a cell.
    """
    radius = float(np.sqrt(sprite.body.sum() / np.pi))
    peers = [item for item in placed if item.class_name == simulated.name]
    side_y, side_x = sprite.body.shape
    for _ in range(_N_ATTEMPTS):
        if peers and rng.random() < simulated.clustering:
            peer = peers[int(rng.integers(len(peers)))]
            angle, gap = rng.uniform(0, 2 * np.pi), (peer.radius + radius) * rng.uniform(0.95, 1.3)
            x, y = peer.center[0] + gap * np.cos(angle), peer.center[1] + gap * np.sin(angle)
        else:
            x, y = rng.uniform(-radius, width + radius), rng.uniform(-radius, height + radius)
        item = _Placed(sprite, simulated.name, int(x - side_x / 2), int(y - side_y / 2), radius)
        if _is_visible(item, width=width, height=height) and not _is_covered(item, placed):
            return item
    return None


def _visible_body(item: _Placed, *, width: int, height: int) -> Plane:
    """The part of the body plane that lies in the image."""
    rows = slice(max(0, -item.top), max(0, height - item.top))
    columns = slice(max(0, -item.left), max(0, width - item.left))
    return item.sprite.body[rows, columns]


def _is_visible(item: _Placed, *, width: int, height: int) -> bool:
    visible = _visible_body(item, width=width, height=height)
    return bool(visible.sum() >= _MIN_VISIBLE * item.sprite.body.sum() and (visible >= 0.5).any())


def _is_covered(item: _Placed, placed: list[_Placed]) -> bool:
    if not placed:
        return False
    gaps = np.asarray([np.hypot(p.center[0] - item.center[0], p.center[1] - item.center[1]) for p in placed])
    reach = np.asarray([p.radius + item.radius for p in placed])
    return bool((gaps < 0.9 * reach).any())


def _ground_truth(item: _Placed, *, width: int, height: int) -> SimulatedObject:
    inside = _visible_body(item, width=width, height=height) >= 0.5
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    left, top = max(0, item.left), max(0, item.top)
    box = Box(float(left + columns[0]), float(top + rows[0]), float(left + columns[-1] + 1), float(top + rows[-1] + 1))
    return SimulatedObject(item.class_name, *box.center, box)
