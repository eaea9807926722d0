"""Plates: the evened backgrounds of FOVs with all objects taken out, as canvases with real texture."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from synthstudio.core.imaging import ImageArray
from synthstudio.core.patches.background import Background, synthesize_noise
from synthstudio.core.patches.bank import (
    PatchBank,
    Plate,
    measure_background,
    noise_spread,
    open_pixels,
    windows_by_fov,
)
from synthstudio.core.patches.foreground import MIN_CONTRAST, contrast_from
from synthstudio.core.patches.fov_pixels import ReadFov
from synthstudio.core.patches.windows import N_CHANNELS, plan_windows
from synthstudio.domain.progress import Tick, no_tick
from synthstudio.domain.records import Annotation, Box, FieldOfView
from synthstudio.domain.scale import WorkingScale
from synthstudio.settings.compose import PatchSettings

RIM_PX = 4  # what stands out is taken out with this rim: the halo of an object betrays it
MAX_SIDE_PX = 2048  # of a large FOV the middle serves; a canvas is seldom larger
BUDGET_BYTES = 128_000_000
MAX_PLATES = 64  # enough that no two canvases look alike, few enough to be made in seconds
NOISE_PX = 256  # of noise are drawn and repeated
MIN_KEPT = 1e-3  # where the smoothed share of real pixels is less, the evened grey is taken


@dataclass(frozen=True, slots=True)
class PlateFrame:
    """Which part of an FOV becomes a plate, in px of the working scale."""

    fov: FieldOfView
    left: int
    top: int
    width: int
    height: int

    @property
    def n_bytes(self) -> int:
        return self.width * self.height * N_CHANNELS


def add_plates(
    bank: PatchBank,
    fovs: Sequence[FieldOfView],
    annotations: Sequence[Annotation],
    *,
    settings: PatchSettings,
    read: ReadFov,
    tick: Tick = no_tick,
) -> PatchBank:
    """Return a bank with the emptied backgrounds of the FOVs, also of those without a patch.

    Args:
        bank: Patches of the same FOVs.
        fovs: The training images, and no others: whatever is given here ends up in composites.
        annotations: All annotations on them, rejected ones too.
        settings: Those that the bank was cut with.
        read: Returns the full-resolution pixels of an FOV, or a source to read parts of it.
        tick: Called once per FOV.

    Raises:
        UserError: An image cannot be read, or is not of the size it was imported with.
    """
    frames = plan_plates(sorted(fovs, key=lambda fov: fov.id), scale=settings.working_scale)
    objects = windows_by_fov(plan_windows(fovs, annotations, bank.classes, settings=settings)[0])
    offset = bank.pixels.size
    pixels = np.empty(offset + sum(frame.n_bytes for frame in frames), np.uint8)
    pixels[:offset] = bank.pixels
    plates = []
    for done, frame in enumerate(frames):
        tick(done, len(frames))
        boxes = objects.get(frame.fov.id, [])
        emptied, background = _make_plate(frame, boxes, bank=bank, settings=settings, read=read)
        pixels[offset : offset + emptied.size] = emptied.reshape(-1)
        rows, columns = emptied.shape[:2]
        plates.append(Plate(frame.fov.id, background, _window(frame, background), offset, rows, columns))
        offset += emptied.size
    tick(len(frames), len(frames))
    return dataclasses.replace(bank, pixels=pixels, plates=tuple(plates))


def _make_plate(
    frame: PlateFrame, objects: Sequence[Box], *, bank: PatchBank, settings: PatchSettings, read: ReadFov
) -> tuple[NDArray[np.uint8], Background]:
    opened = open_pixels(frame.fov, settings=settings, read=read)
    if frame.fov.id in bank.fov_ids:
        background = bank.backgrounds[bank.fov_ids.index(frame.fov.id)]
    else:
        background = measure_background(opened, objects, settings, is_transmitted=bank.is_transmitted)
    cut_out = opened.even_out(background, is_transmitted=bank.is_transmitted)
    evened = cut_out(frame.left, frame.top, frame.left + frame.width, frame.top + frame.height)
    boxes = [box.moved(-frame.left, -frame.top) for box in objects]
    # Keyed by the FOV: the plate does not depend on which other FOVs there are.
    stream = np.random.Generator(np.random.Philox(key=frame.fov.id))
    return empty_plate(evened, boxes, background, level=bank.level, stream=stream), background


def _window(frame: PlateFrame, background: Background) -> tuple[float, float, float, float]:
    across, down = 2.0 / background.columns, 2.0 / background.rows
    left, top = frame.left * across - 1.0, frame.top * down - 1.0
    return left, top, left + frame.width * across, top + frame.height * down


def plan_plates(fovs: Sequence[FieldOfView], *, scale: WorkingScale) -> list[PlateFrame]:
    """Choose the middles of FOVs, and FOVs evenly where they are more than `MAX_PLATES` or `BUDGET_BYTES` holds."""
    frames = []
    for fov in fovs:
        factor = scale.of(fov)
        full_width, full_height = max(1, round(fov.width * factor)), max(1, round(fov.height * factor))
        width, height = min(full_width, MAX_SIDE_PX), min(full_height, MAX_SIDE_PX)
        frames.append(PlateFrame(fov, (full_width - width) // 2, (full_height - height) // 2, width, height))
    total = sum(frame.n_bytes for frame in frames)
    n_kept = max(1, min(len(frames), MAX_PLATES, math.floor(len(frames) * BUDGET_BYTES / max(1, total))))
    return [frames[math.floor(step * len(frames) / n_kept)] for step in range(n_kept)] if frames else []


def empty_plate(
    evened: ImageArray, objects: Sequence[Box], background: Background, *, level: int, stream: np.random.Generator
) -> NDArray[np.uint8]:
    """Take everything that is not background out of an evened image.

    What stands out is taken out whether it is annotated or not: an object that nobody clicked would lie on the canvas
    without a label. It is replaced by the smoothed background around it and noise like the image's own.

    Args:
        evened: `(H, W, 3)` uint8 RGB.
        objects: Extents of the annotated objects in px of `evened`.
        background: That of the FOV; gives the noise.
        level: Grey of the evened background.
        stream: Where the noise comes from.

    Returns:
        `(H, W, 4)` uint8: RGB, and 255 where the pixel is the image's own.
    """
    occupied = _find_occupied(evened, objects, background, level=level)
    # The fill is blended in over two pixels, so that no outline of the object stays behind.
    share = cv2.GaussianBlur(occupied.astype(np.float32), (0, 0), 1.0)[..., None]
    share = np.maximum(share, occupied[..., None].astype(np.float32))
    filled = _smooth_background(evened, occupied, level=level)
    filled += _tiled_noise(background, evened.shape[0], evened.shape[1], stream=stream, level=level)
    emptied = np.clip(np.rint(evened * (1.0 - share) + filled * share), 0, 255).astype(np.uint8)
    return np.dstack([emptied, np.where(occupied > 0, 0, 255).astype(np.uint8)])


def _tiled_noise(
    background: Background, rows: int, columns: int, *, stream: np.random.Generator, level: int
) -> NDArray[np.float32]:
    """Noise of any size, `(rows, columns, 3)`: a tile over and over, whose seams fine grain does not show."""
    tile = synthesize_noise([background], min(rows, NOISE_PX), min(columns, NOISE_PX), stream=stream, level=level)
    times = (math.ceil(rows / tile.shape[0]), math.ceil(columns / tile.shape[1]), 1)
    return np.tile(tile, times)[:rows, :columns]


def _find_occupied(
    evened: ImageArray, objects: Sequence[Box], background: Background, *, level: int
) -> NDArray[np.uint8]:
    """Return 1 where an object lies or anything stands out from the background, `(H, W)`."""
    found = (contrast_from(evened, level) > max(MIN_CONTRAST, 3.0 * noise_spread(background))).astype(np.uint8)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * RIM_PX + 1,) * 2)
    found = np.asarray(cv2.dilate(cv2.morphologyEx(found, cv2.MORPH_OPEN, np.ones((2, 2), np.uint8)), kernel), np.uint8)
    for box in objects:
        rows, columns = slice(max(0, int(box.y0)), max(0, math.ceil(box.y1))), slice(max(0, int(box.x0)), None)
        found[rows, columns][:, : max(0, math.ceil(box.x1) - max(0, int(box.x0)))] = 1
    return found


def _smooth_background(evened: ImageArray, occupied: NDArray[np.uint8], *, level: int) -> NDArray[np.float32]:
    """Mean of the background pixels about each pixel, over a twelfth of the image: it carries on uneven mottling."""
    height, width = occupied.shape
    small_size = (max(1, width // 8), max(1, height // 8))
    kept = 1.0 - occupied.astype(np.float32)
    share = cv2.resize(kept, small_size, interpolation=cv2.INTER_AREA)
    sums = cv2.resize(evened.astype(np.float32) * kept[..., None], small_size, interpolation=cv2.INTER_AREA)
    sigma = max(1.0, max(small_size) / 12)
    share, sums = cv2.GaussianBlur(share, (0, 0), sigma), cv2.GaussianBlur(sums, (0, 0), sigma)
    mean = (sums + MIN_KEPT * level) / (share[..., None] + MIN_KEPT)
    return np.asarray(cv2.resize(mean, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
