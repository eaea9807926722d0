"""Draws one patch as its look says: one warp, one colour table. Same patch and look, same bytes."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from synthstudio.core.imaging import ImageArray
from synthstudio.core.patches.background import BLACK, WHITE
from synthstudio.core.patches.bank import PatchBank
from synthstudio.core.synthesis.looks import (
    DENSITY_STEPS,
    N_BENDS,
    NO_BRIGHTNESS,
    NO_DENSITIES,
    STRAIGHT,
    Look,
    brightness_factor,
    density_factor,
)
from synthstudio.core.synthesis.memory import ByteCache
from synthstudio.core.synthesis.streams import BENDS, open_stream

TABLE_MEMORY_BYTES = 4_000_000
N_BUFFER_BYTES = 10  # a pixel as it is warped (4 channels), without its opacity (3), and stained (3)

Buffers = tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]
"""For a patch of one size: warped `(h, w, 4)`, without its opacity `(h, w, 3)`, and stained `(h, w, 3)`."""


class PatchRenderer:
    """Renders patches into buffers that it reuses.

    Args:
        bank: The patches, evened.
        own_colors: Give every patch back the colours of its FOV (flat canvases); otherwise it stays evened.
        elastic: Greatest displacement of a bent patch as a share of its shorter side.
    """

    def __init__(self, bank: PatchBank, *, own_colors: bool, elastic: float = 0.0) -> None:
        self._bank = bank
        self._elastic = elastic
        # The same for every seed and data set: a look names its field by number.
        self._bends = open_stream(0, BENDS, 0).uniform(-1.0, 1.0, (N_BENDS, 5, 5, 2)).astype(np.float32)
        self._own_colors = own_colors
        self._crops = [bank.padded_crop(number) for number in range(len(bank.patches))]
        self._colored: dict[int, NDArray[np.uint8]] = {}  # crops in the colours of their FOV
        self._matrix = np.empty((2, 3), np.float64)
        self._memory = np.empty(0, np.uint8)
        self._buffers: dict[tuple[int, int], Buffers] = {}
        self._densities = _density_table(is_transmitted=bank.is_transmitted)
        self._tables: ByteCache[tuple[tuple[int, int, int], int, int], NDArray[np.uint8]] = ByteCache(
            TABLE_MEMORY_BYTES
        )

    def render(self, number: int, look: Look) -> tuple[ImageArray, NDArray[np.uint8]]:
        """Draw patch `number`.

        Returns:
            `(look.height, look.width, 3)` RGB and `(look.height, look.width, 4)` with the opacity of the object as
            its fourth channel, both in buffers that the next call overwrites.
        """
        width, height, angle_deg, flip, scale, density, brightness = look[:7]
        warped, plain, stained = self._buffers.get((width, height)) or self._add_buffers(width, height)
        self._aim(number, width, height, angle_deg=angle_deg, flip=flip, scale=scale)
        is_unstained = density == NO_DENSITIES and brightness == NO_BRIGHTNESS
        crop = self._colored_crop(number) if is_unstained and self._own_colors else self._crops[number]
        if look.bend == STRAIGHT:
            cv2.warpAffine(
                crop,
                self._matrix,
                (width, height),
                warped,
                cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                cv2.BORDER_REFLECT_101,
            )
        else:
            self._bend(crop, look, warped)
        cv2.cvtColor(warped, cv2.COLOR_RGBA2RGB, plain)
        if is_unstained:
            return plain, warped
        cv2.LUT(plain, self._table(number, density, brightness), stained)
        return stained, warped

    def _colored_crop(self, number: int) -> NDArray[np.uint8]:
        """The crop in the colours of its FOV, made once: a table for each drawing costs a fifth of it."""
        found = self._colored.get(number)
        if found is None:
            crop = self._crops[number]
            table = self._table(number, NO_DENSITIES, NO_BRIGHTNESS)
            colors = cv2.LUT(np.ascontiguousarray(crop[..., :3]), table)
            found = self._colored[number] = np.dstack([colors, crop[..., 3]])
        return found

    def _add_buffers(self, width: int, height: int) -> Buffers:
        """Buffers of a size, all in the same memory: few sizes serve very many patches."""
        n_px = width * height
        if N_BUFFER_BYTES * n_px > self._memory.size:
            self._memory = np.empty(N_BUFFER_BYTES * n_px, np.uint8)
            self._buffers.clear()
        ends = 4 * n_px, 7 * n_px, N_BUFFER_BYTES * n_px
        warped, plain, stained, _ = np.split(self._memory, ends)
        found = self._buffers[width, height] = (
            warped.reshape(height, width, 4),
            plain.reshape(height, width, 3),
            stained.reshape(height, width, 3),
        )
        return found

    def _bend(self, crop: NDArray[np.uint8], look: Look, warped: NDArray[np.uint8]) -> None:
        """Warp with a smooth random displacement on top (elastic deformation, Simard et al. 2003)."""
        size = look.width, look.height
        reach = self._elastic * min(size)
        shift = cv2.resize(self._bends[look.bend], size, interpolation=cv2.INTER_CUBIC) * np.float32(reach)
        x, y = np.arange(size[0], dtype=np.float32)[None, :], np.arange(size[1], dtype=np.float32)[:, None]
        x, y = x + shift[..., 0], y + shift[..., 1]
        matrix = self._matrix.astype(np.float32)
        columns = matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2]
        rows = matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2]
        cv2.remap(crop, columns, rows, cv2.INTER_LINEAR, warped, cv2.BORDER_REFLECT_101)

    def _aim(self, number: int, width: int, height: int, *, angle_deg: float, flip: bool, scale: float) -> None:
        """Set the matrix that leads from window px to crop px, both counted at pixel centres."""
        turn = math.radians(angle_deg)
        cosine, sine = math.cos(turn) / scale, math.sin(turn) / scale
        side = -1.0 if flip else 1.0
        x, y = self._bank.patches[number].center
        half_x, half_y = (width - 1) / 2, (height - 1) / 2
        matrix = self._matrix
        matrix[0, 0], matrix[0, 1] = side * cosine, -sine * side
        matrix[1, 0], matrix[1, 1] = sine, cosine
        matrix[0, 2] = x - 0.5 - side * (cosine * half_x - sine * half_y)
        matrix[1, 2] = y - 0.5 - (sine * half_x + cosine * half_y)

    def _table(self, number: int, density: tuple[int, int, int], brightness: int) -> NDArray[np.uint8]:
        """Colour table `(1, 256, 3)` of a stain, and of the FOV's own background where that is wanted."""
        background = self._bank.patches[number].background if self._own_colors else -1
        key = (density, brightness, background)
        table = self._tables.find(key)
        if table is None:
            red, green, blue = density
            values = np.stack([self._densities[red], self._densities[green], self._densities[blue]], axis=-1)
            if self._own_colors:
                color = np.asarray(self._bank.backgrounds[background].color, np.float32)
                values = values * (color / WHITE) if self._bank.is_transmitted else values + (color - BLACK)
            values = values * brightness_factor(brightness)
            table = np.clip(np.rint(values), 0, 255).astype(np.uint8)[None]
            self._tables.add(key, table, table.nbytes)
        return table


def _density_table(*, is_transmitted: bool) -> NDArray[np.float32]:
    """Grey values `(steps, 256)` after scaling the optical density; the empty background keeps its grey."""
    grey = np.arange(256, dtype=np.float64)
    factors = np.array([density_factor(step) for step in range(DENSITY_STEPS)])[:, None]
    if is_transmitted:
        return np.asarray(WHITE * (grey / WHITE) ** factors, np.float32)
    return np.asarray(BLACK + (grey - BLACK) * factors, np.float32)
