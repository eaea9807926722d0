"""Answers for images of any size, tile by tile, equal to those of one pass over the whole image."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from torch import Tensor

from synthstudio.domain.progress import Tick, no_tick
from synthstudio.engine.networks.base import GridNetwork, round_up
from synthstudio.engine.networks.windows import windowed_grid


class Span(NamedTuple):
    """Along one axis, in px: what is read, and the part of it whose cells are kept."""

    read_start: int
    read_end: int
    keep_start: int
    keep_end: int


def _spans(length: int, *, tile: int, halo: int) -> list[Span]:
    return [
        Span(max(0, start - halo), min(length, start + tile + halo), start, min(length, start + tile))
        for start in range(0, length, tile)
    ]


def iter_tiles(height: int, width: int, *, tile: int, halo: int) -> Iterator[tuple[Span, Span]]:
    """Rows and columns of each tile of a padded image, all in px."""
    for rows in _spans(height, tile=tile, halo=halo):
        for columns in _spans(width, tile=tile, halo=halo):
            yield rows, columns


def pad_to_alignment(images: Tensor, alignment: int) -> Tensor:
    """Continue images `(N, C, H, W)` to the right and below, so that their sides are multiples of the alignment."""
    height, width = images.shape[2:]
    right, below = round_up(width, alignment) - width, round_up(height, alignment) - height
    return F.pad(images, (0, right, 0, below), mode="replicate") if right or below else images


@torch.inference_mode()
def tiled_grid(network: GridNetwork, image: Tensor, *, tile_px: int = 1024, tick: Tick = no_tick) -> Tensor:
    """Answers for one image.

    Each tile is read with a halo beyond which nothing can touch its cells, so there are no seams; where the image ends,
    a tile ends too, and the network pads it as it would pad the whole image. A network whose cells see everything has
    no such halo: see `windowed_grid`.

    Args:
        network: In eval mode.
        image: `(3, H, W)` normalised, on the network's device.
        tile_px: Side of a tile without its halo; bounds the memory.
        tick: Called once per tile.

    Returns:
        `(K, ceil(H / stride), ceil(W / stride))` on the CPU.
    """
    height, width = image.shape[1:]
    padded = pad_to_alignment(image[None], network.alignment)
    if not network.is_local:
        cells = windowed_grid(network, padded[0], tick=tick)
        return cells[:, : -(-height // network.stride), : -(-width // network.stride)].contiguous()
    padded_height, padded_width = padded.shape[2:]
    stride, tile = network.stride, round_up(tile_px, network.alignment)
    tiles = list(iter_tiles(padded_height, padded_width, tile=tile, halo=network.halo_px))
    whole: Tensor | None = None
    for done, (rows, columns) in enumerate(tiles):
        tick(done, len(tiles))
        maps = network.grid(padded[:, :, rows.read_start : rows.read_end, columns.read_start : columns.read_end])
        if whole is None:
            whole = torch.empty((maps.shape[1], padded_height // stride, padded_width // stride))
        top, left = (rows.keep_start - rows.read_start) // stride, (columns.keep_start - columns.read_start) // stride
        n_rows, n_columns = (
            (rows.keep_end - rows.keep_start) // stride,
            (columns.keep_end - columns.keep_start) // stride,
        )
        whole[
            :,
            rows.keep_start // stride : rows.keep_end // stride,
            columns.keep_start // stride : columns.keep_end // stride,
        ] = maps[0, :, top : top + n_rows, left : left + n_columns].float().cpu()
    assert whole is not None  # an image has at least one pixel, so there is a tile
    return whole[:, : -(-height // stride), : -(-width // stride)].contiguous()
