"""Empty canvases: one flat colour, or the background of a training FOV with its light and its noise.

A matched image is composed on evened grey, where every patch fits every other, and multiplied by the light of one FOV
at the very end: one multiplication for the image instead of one for each patch.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from synthstudio.core.patches.background import BLACK, WHITE, Background, field_at, grain_kernel
from synthstudio.core.patches.bank import PatchBank
from synthstudio.core.synthesis.memory import ByteCache
from synthstudio.core.synthesis.streams import CANVASES, NOISE, open_stream
from synthstudio.domain.ids import FovId
from synthstudio.settings.compose import CompositionSettings

LIGHT_MEMORY_BYTES = 64_000_000
MAX_LIGHTS = 512
MAX_GRAINS = 12  # noise levels of a data set differ little; twelve steps from the calmest to the noisiest FOV
GRAIN_MARGIN_PX = 64  # a grain tile is this much larger than the canvas and is cut out at a drawn place
LIGHT_GRID = 17
FLAT_COLORS = {"black": (0, 0, 0), "white": (255, 255, 255)}

LightArray = NDArray[np.uint8] | NDArray[np.int16]
"""Factors of a bright field (over `WHITE`), or offsets of a dark one; `(c, c, 3)`."""


@dataclass(frozen=True, slots=True)
class Light:
    """Which part of which FOV lights a canvas.

    Attributes:
        background: Index of the FOV in the bank.
        window: `x0, y0, x1, y1` within the FOV, -1..1.
        grain: Number of the noise tile.
    """

    background: int
    window: tuple[float, float, float, float]
    grain: int


class Canvases:
    """Makes the canvas of an image from the plan's numbers."""

    def __init__(self, bank: PatchBank, settings: CompositionSettings, *, seed: int) -> None:
        self._bank = bank
        self._side = settings.canvas_px
        self._seed = seed
        self.is_matched = settings.canvas == "matched"
        self.level = WHITE if bank.is_transmitted else BLACK
        n_bytes = self._side**2 * 3
        self._lights: ByteCache[int, LightArray] = ByteCache(LIGHT_MEMORY_BYTES)
        self._grains: ByteCache[int, NDArray[np.uint8]] = ByteCache(LIGHT_MEMORY_BYTES)
        self._n_lights = max(8, min(MAX_LIGHTS, LIGHT_MEMORY_BYTES // n_bytes))
        self._windows: dict[int, Light] = {}
        self._order = open_stream(seed, CANVASES, 0).permutation(len(bank.backgrounds)).tolist()
        self._calmest_first = sorted(
            range(len(bank.backgrounds)), key=lambda number: _relative_noise(bank.backgrounds[number])
        )
        self._rank = {number: rank for rank, number in enumerate(self._calmest_first)}
        self._n_grains = min(MAX_GRAINS, len(bank.backgrounds))
        if settings.canvas == "mean":
            mean = np.mean([item.mean for item in bank.backgrounds], axis=0)
            self.color = (round(mean[0]), round(mean[1]), round(mean[2]))
        else:
            self.color = FLAT_COLORS.get(settings.canvas, (self.level,) * 3)
        self._flat = np.full((self._side, self._side, 3), self.color, np.uint8)

    def choose(self, number: float) -> tuple[int, FovId | None]:
        """Number of the light for a uniform number, and the FOV that it is taken from (None on a flat canvas)."""
        if not self.is_matched:
            return 0, None
        index = int(number * self._n_lights)
        return index, self._bank.fov_ids[self._light(index).background]

    def lay(self, index: int, grain: tuple[float, float], out: NDArray[np.uint8]) -> None:
        """Fill `out`, `(c, c, 3)`, with the empty canvas; a matched one is still evened grey with its noise."""
        if not self.is_matched:
            np.copyto(out, self._flat)
            return
        tile = self._grain(self._light(index).grain)
        top, left = int(grain[0] * GRAIN_MARGIN_PX), int(grain[1] * GRAIN_MARGIN_PX)
        np.copyto(out, tile[top : top + self._side, left : left + self._side])

    def shine(self, index: int, evened: NDArray[np.uint8], out: NDArray[np.uint8]) -> None:
        """Put the light of the FOV on an evened image, into `out`. Only for matched canvases."""
        light = self._lights.find(index)
        if light is None:
            light = self._render_light(self._light(index))
            self._lights.add(index, light, light.nbytes)
        if self._bank.is_transmitted:
            cv2.multiply(evened, light, out, 1.0 / WHITE)
        else:
            cv2.add(evened, light, out, dtype=cv2.CV_8U)

    def _light(self, index: int) -> Light:
        found = self._windows.get(index)
        if found is None:
            found = self._windows[index] = self._draw_light(index)
        return found

    def _draw_light(self, index: int) -> Light:
        number = self._order[index % len(self._order)]
        background = self._bank.backgrounds[number]
        x, y = open_stream(self._seed, CANVASES, 1 + index).random(2).tolist()
        width, height = min(1.0, self._side / background.columns), min(1.0, self._side / background.rows)
        left, top = 2.0 * x * (1.0 - width) - 1.0, 2.0 * y * (1.0 - height) - 1.0
        grain = self._rank[number] * self._n_grains // len(self._calmest_first)
        return Light(number, (left, top, left + 2.0 * width, top + 2.0 * height), grain)

    def _render_light(self, light: Light) -> LightArray:
        """Colour of the background over the canvas, `(c, c, 3)`: uint8, or an int16 offset in dark field."""
        background = self._bank.backgrounds[light.background]
        grid = field_at(background.field, rows=LIGHT_GRID, columns=LIGHT_GRID, window=light.window)
        grid = np.clip(grid * np.asarray(background.color, np.float32), 0.0, 255.0)
        full = cv2.resize(grid, (self._side, self._side), interpolation=cv2.INTER_CUBIC)
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
        """Evened background with noise like that of one FOV: its colour covariance and its coarseness."""
        rank = (2 * number + 1) * len(self._calmest_first) // (2 * self._n_grains)
        background = self._bank.backgrounds[self._calmest_first[rank]]
        side = self._side + GRAIN_MARGIN_PX
        stream = open_stream(self._seed, NOISE, number)
        noise = stream.standard_normal((side, side, 3), np.float32)
        noise = np.asarray(cv2.filter2D(noise, cv2.CV_32F, grain_kernel(background.grain)), np.float32)
        values, vectors = np.linalg.eigh(background.noise.astype(np.float64))
        mix = (vectors * np.sqrt(np.maximum(values, 0.0))).T.astype(np.float32)
        gain = WHITE / np.maximum(np.asarray(background.color, np.float32), 1.0) if self._bank.is_transmitted else 1.0
        return np.asarray(np.clip(np.rint(self.level + (noise @ mix) * gain), 0, 255), np.uint8)


def _relative_noise(background: Background) -> float:
    return math.sqrt(float(np.trace(background.noise))) / max(1.0, sum(background.color))
