"""Empty canvases: one flat colour, the background of a training FOV with its light and its noise, or its real pixels.

A matched image is composed on evened grey, where every patch fits every other, and multiplied by the light of one FOV
at the very end: one multiplication for the image instead of one for each patch.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from synthstudio.core.patches.background import BLACK, WHITE, Background, field_at, synthesize_noise
from synthstudio.core.patches.bank import PatchBank
from synthstudio.core.synthesis.memory import ByteCache
from synthstudio.core.synthesis.streams import CANVASES, NOISE, open_stream
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import FovId
from synthstudio.settings.compose import CompositionSettings

LIGHT_MEMORY_BYTES = 64_000_000
MAX_LIGHTS = 512
MAX_GRAINS = 12  # noise levels of a data set differ little; twelve steps from the calmest to the noisiest FOV
GRAIN_MARGIN_PX = 64  # a grain tile is this much larger than the canvas and is cut out at a drawn place
LIGHT_GRID = 17
FLAT_COLORS = {"black": (0, 0, 0), "white": (255, 255, 255)}
LEAST_SIDE_PX, SIDE_STEP_PX = 32, 16  # of canvases that are proposed where none is empty
EMPTY_SHARE = 0.002  # of a region may be taken out and it still counts as empty: a speck of dust

Window = tuple[float, float, float, float]
"""Part of an FOV, x0, y0, x1, y1 in -1..1 coordinates."""

LightArray = NDArray[np.uint8] | NDArray[np.int16]
"""Factors of a bright field (over `WHITE`), or offsets of a dark one; `(h, w, 3)`."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What a canvas is made of.

    Attributes:
        fov_id: The FOV that it is taken from.
        background: That FOV's.
        window: The part of it that lights the canvas.
        source: Number of the noise tile, or of the plate where the canvas is made of real pixels.
        left, top: Corner within the plate in px.
    """

    fov_id: FovId
    background: Background
    window: Window
    source: int
    left: int = 0
    top: int = 0


class Canvases:
    """Makes the canvas of an image from the plan's numbers.

    Raises:
        UserError: Empty regions are wanted, and no training image has one of this size.
    """

    def __init__(self, bank: PatchBank, settings: CompositionSettings, *, seed: int) -> None:
        self._bank = bank
        self._width, self._height = settings.size
        self._seed = seed
        self.is_matched = settings.canvas == "matched" or settings.needs_plates
        self.level = bank.level
        n_bytes = self._width * self._height * 3
        self._lights: ByteCache[int, LightArray] = ByteCache(LIGHT_MEMORY_BYTES)
        self._grains: ByteCache[int, NDArray[np.uint8]] = ByteCache(LIGHT_MEMORY_BYTES)
        self._n_grounds = max(8, min(MAX_LIGHTS, LIGHT_MEMORY_BYTES // n_bytes))
        self._grounds: dict[int, Ground] = {}
        self._regions = _find_regions(bank, settings) if settings.needs_plates else []
        self._sources = bank.ground_numbers
        n_sources = len(self._regions) or len(self._sources)
        self._order: list[int] = open_stream(seed, CANVASES, 0).permutation(n_sources).tolist()
        self._calmest_first = sorted(self._sources, key=lambda number: _relative_noise(bank.backgrounds[number]))
        self._rank = {number: rank for rank, number in enumerate(self._calmest_first)}
        self._n_grains = min(MAX_GRAINS, len(self._sources))
        if settings.canvas == "mean":
            mean = np.mean([bank.backgrounds[number].mean for number in self._sources], axis=0)
            self.color = (round(mean[0]), round(mean[1]), round(mean[2]))
        else:
            self.color = FLAT_COLORS.get(settings.canvas, (self.level,) * 3)
        self._flat = np.full((self._height, self._width, 3), self.color, np.uint8)

    def choose(self, number: float) -> tuple[int, FovId | None]:
        """Number of the ground for a uniform number, and the FOV that it is taken from (None on a flat canvas)."""
        if not self.is_matched:
            return 0, None
        index = int(number * self._n_grounds)
        return index, self._ground(index).fov_id

    def lay(self, index: int, grain: tuple[float, float], out: NDArray[np.uint8]) -> None:
        """Fill `out`, `(h, w, 3)`, with the empty canvas; a matched one is still evened grey with its noise."""
        if not self.is_matched:
            np.copyto(out, self._flat)
            return
        ground = self._ground(index)
        if self._regions:
            self._lay_plate(ground, out)
            return
        tile = self._grain(ground.source)
        left, top = int(grain[1] * GRAIN_MARGIN_PX), int(grain[0] * GRAIN_MARGIN_PX)
        np.copyto(out, tile[top : top + self._height, left : left + self._width])

    def shine(self, index: int, image: NDArray[np.uint8]) -> None:
        """Put the light of the FOV on an evened image, in place. Only for matched canvases."""
        light = self._lights.find(index)
        if light is None:
            light = self._render_light(self._ground(index))
            self._lights.add(index, light, light.nbytes)
        if self._bank.is_transmitted:
            cv2.multiply(image, light, image, 1.0 / WHITE)
        else:
            cv2.add(image, light, image, dtype=cv2.CV_8U)

    def _ground(self, index: int) -> Ground:
        found = self._grounds.get(index)
        if found is None:
            x, y = open_stream(self._seed, CANVASES, 1 + index).random(2).tolist()
            number = self._order[index % len(self._order)]
            found = self._cut_plate(number, x, y) if self._regions else self._draw_light(self._sources[number], x, y)
            self._grounds[index] = found
        return found

    def _draw_light(self, number: int, x: float, y: float) -> Ground:
        background = self._bank.backgrounds[number]
        width, height = min(1.0, self._width / background.columns), min(1.0, self._height / background.rows)
        left, top = 2.0 * x * (1.0 - width) - 1.0, 2.0 * y * (1.0 - height) - 1.0
        window = (left, top, left + 2.0 * width, top + 2.0 * height)
        grain = self._rank[number] * self._n_grains // len(self._calmest_first)
        return Ground(self._bank.fov_ids[number], background, window, grain)

    def _cut_plate(self, number: int, x: float, y: float) -> Ground:
        """Cut a canvas out of a region's plate: within the slack that the region gives."""
        region = self._regions[number]
        plate = self._bank.plates[region.plate]
        left, top = region.left + int(x * (region.slack_x + 1)), region.top + int(y * (region.slack_y + 1))
        x0, y0, x1, y1 = plate.window
        across, down = (x1 - x0) / plate.columns, (y1 - y0) / plate.rows
        width, height = min(self._width, plate.columns), min(self._height, plate.rows)
        window = (
            x0 + left * across,
            y0 + top * down,
            x0 + (left + width) * across,
            y0 + (top + height) * down,
        )
        return Ground(plate.fov_id, plate.background, window, region.plate, left, top)

    def _lay_plate(self, ground: Ground, out: NDArray[np.uint8]) -> None:
        pixels = self._bank.plate_pixels(ground.source)[..., :3]
        part = pixels[ground.top : ground.top + self._height, ground.left : ground.left + self._width]
        below, right = self._height - part.shape[0], self._width - part.shape[1]
        if below or right:  # the canvas is larger than the FOV, which is mirrored then
            np.copyto(out, cv2.copyMakeBorder(part, 0, below, 0, right, cv2.BORDER_REFLECT_101))
        else:
            np.copyto(out, part)

    def _render_light(self, ground: Ground) -> LightArray:
        """Colour of the background over the canvas, `(h, w, 3)`: uint8, or an int16 offset in dark field."""
        background = ground.background
        grid = field_at(background.field, rows=LIGHT_GRID, columns=LIGHT_GRID, window=ground.window)
        grid = np.clip(grid * np.asarray(background.color, np.float32), 0.0, 255.0)
        full = cv2.resize(grid, (self._width, self._height), interpolation=cv2.INTER_CUBIC)
        if self._bank.is_transmitted:
            return np.clip(np.rint(full), 0, 255).astype(np.uint8)
        return np.rint(full - BLACK).astype(np.int16)

    def _grain(self, number: int) -> NDArray[np.uint8]:
        tile = self._grains.find(number)
        if tile is None:
            tile = self._render_grain(number)
            self._grains.add(number, tile, tile.nbytes)
        return tile

    def _render_grain(self, number: int) -> NDArray[np.uint8]:
        """Evened background with noise like that of a few FOVs that are equally noisy."""
        n_sources = len(self._calmest_first)
        first, end = -(-number * n_sources // self._n_grains), -(-(number + 1) * n_sources // self._n_grains)
        noise = synthesize_noise(
            [self._bank.backgrounds[source] for source in self._calmest_first[first:end]],
            self._height + GRAIN_MARGIN_PX,
            self._width + GRAIN_MARGIN_PX,
            stream=open_stream(self._seed, NOISE, number),
            level=self.level,
        )
        return np.asarray(np.clip(np.rint(self.level + noise), 0, 255), np.uint8)


@dataclass(frozen=True, slots=True)
class Region:
    """Where on a plate a canvas may be cut: its corner, and how far it may be moved right and down, in px."""

    plate: int
    left: int
    top: int
    slack_x: int = 0
    slack_y: int = 0


def _find_regions(bank: PatchBank, settings: CompositionSettings) -> list[Region]:
    width, height = settings.size
    if settings.canvas == "emptied":
        return [
            Region(number, 0, 0, max(0, plate.columns - width), max(0, plate.rows - height))
            for number, plate in enumerate(bank.plates)
        ]
    regions = [
        Region(number, left, top)
        for number in range(len(bank.plates))
        for left, top in _empty_corners(bank.plate_pixels(number)[..., 3], width, height)
    ]
    if not regions:
        largest = _largest_empty_side(bank, below=max(width, height))
        smaller = f"Choose a canvas of at most {largest} px" if largest else "Choose another background"
        raise UserError(
            f"No training image has an empty region of {width} x {height} px.",
            f"{smaller}, import images of empty fields, or take the emptied background.",
        )
    return regions


def _largest_empty_side(bank: PatchBank, *, below: int) -> int:
    """Side of the largest square canvas for which there is a region, in steps of `SIDE_STEP_PX`; 0 where none is."""
    kept = [bank.plate_pixels(number)[..., 3] for number in range(len(bank.plates))]
    sides = range(below - below % SIDE_STEP_PX, LEAST_SIDE_PX - 1, -SIDE_STEP_PX)
    return next((side for side in sides if any(_empty_corners(each, side, side) for each in kept)), 0)


def _empty_corners(kept: NDArray[np.uint8], width: int, height: int) -> list[tuple[int, int]]:
    """Corners of the regions in which nothing was taken out, at steps of a quarter of the canvas."""
    rows, columns = kept.shape
    if rows < height or columns < width:
        return []
    sums = cv2.integral((kept == 0).astype(np.uint8))
    tops = np.arange(0, rows - height + 1, max(1, height // 4))
    lefts = np.arange(0, columns - width + 1, max(1, width // 4))
    taken = (
        sums[np.ix_(tops + height, lefts + width)]
        - sums[np.ix_(tops, lefts + width)]
        - sums[np.ix_(tops + height, lefts)]
        + sums[np.ix_(tops, lefts)]
    )
    down, across = np.nonzero(taken <= EMPTY_SHARE * width * height)
    return [(int(lefts[column]), int(tops[row])) for row, column in zip(down.tolist(), across.tolist(), strict=True)]


def _relative_noise(background: Background) -> float:
    return math.sqrt(float(np.trace(background.noise))) / max(1.0, sum(background.color))
