"""Gradient methods on images of any size, tile by tile and within bounded memory.

The gradients of a tile are those of the whole image, because the first pass has seen the whole: it gives the class
maps, which say where the answer comes from. A second pass follows that back to the layer, a third one lays the weights
over its features, unless those of the first were few enough to be kept. Each tile is read with so much around it that
nothing outside can change what is kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from torch import Tensor

from synthstudio.domain.errors import UserError
from synthstudio.domain.progress import Tick, no_tick
from synthstudio.engine.cam_methods import GradientMethod, gradients, layer_cam, layer_name, tapped, weight_terms
from synthstudio.engine.cam_seeds import relative_gradient
from synthstudio.engine.networks.base import ClassMapNetwork, round_up
from synthstudio.engine.networks.tiling import Span, iter_tiles
from synthstudio.settings.train_classifier import Task

TILE_PX = 1024
LEAST_PRESENCE = 1e-6
KEPT_BYTES = 256 << 20
"""Features of a whole image up to this size are kept from the first pass, which spares the third."""
_Cells = tuple[slice, slice, slice]
"""All channels of some cells."""


@dataclass(frozen=True, slots=True)
class _Tile:
    """A part of the padded image: what is read, and which of it is kept, in px."""

    rows: Span
    columns: Span

    def kept(self, stride: int) -> _Cells:
        """Cells to keep, counted from the start of what is read."""
        rows, columns = self.rows, self.columns
        return (
            slice(None),
            _cells(rows.keep_start - rows.read_start, rows.keep_end - rows.read_start, stride),
            _cells(columns.keep_start - columns.read_start, columns.keep_end - columns.read_start, stride),
        )

    def placed(self, stride: int) -> _Cells:
        """The same cells, counted from the start of the image."""
        rows, columns = self.rows, self.columns
        return (
            slice(None),
            _cells(rows.keep_start, rows.keep_end, stride),
            _cells(columns.keep_start, columns.keep_end, stride),
        )

    def read(self, stride: int) -> _Cells:
        """All cells that are read, counted from the start of the image."""
        rows, columns = self.rows, self.columns
        return (
            slice(None),
            _cells(rows.read_start, rows.read_end, stride),
            _cells(columns.read_start, columns.read_end, stride),
        )


def _cells(start: int, end: int, stride: int) -> slice:
    return slice(start // stride, end // stride)


class TiledGradients:
    """One method on one image.

    Args:
        network: In eval mode.
        image: `(3, H, W)` normalised, on the network's device.
        method: Which one.
        layer: Name of the layer; empty for the last one of features.
        window_px: Side of the training crops.
        task: What the network was trained for.
        tile_px: Side of a tile; bounds the memory.
        tick: Called once per tile and pass.

    Raises:
        UserError: There is no such layer, or it gives no features on a grid.
    """

    def __init__(
        self,
        network: ClassMapNetwork,
        image: Tensor,
        *,
        method: GradientMethod,
        layer: str = "",
        window_px: int,
        task: Task = "multi-label",
        tile_px: int = TILE_PX,
        tick: Tick = no_tick,
    ) -> None:
        self._network, self._method, self._tick = network, method, tick
        self._window_px, self._task = window_px, task
        self._layer = layer_name(network, layer)
        height, width = image.shape[1:]
        self._height, self._width = round_up(height, network.alignment), round_up(width, network.alignment)
        self._shape = (height, width)
        self._image = F.pad(image[None], (0, self._width - width, 0, self._height - height), mode="replicate")
        # What follows the last layer of features sees one cell. Behind an earlier layer a gradient comes from cells
        # that again depend on their surroundings: twice as far at most.
        halo = network.halo_px * (1 if self._layer == network.feature_layer else 2)
        tile = round_up(tile_px, network.alignment)
        self._tiles = [_Tile(*each) for each in iter_tiles(self._height, self._width, tile=tile, halo=halo)]
        self._n_passes = 2 if method == "layer-cam" else 3  # at most
        self._ticked = 0
        self.stride = 0
        """Px per cell of the layer; known after the first pass."""
        self._mean_features = torch.empty(0)
        self._kept: list[Tensor] = []

    def run(self) -> Tensor:
        """Maps `(C, ceil(H / stride), ceil(W / stride))` on the CPU, with their sign."""
        with tapped(self._network, self._layer) as tap, torch.no_grad():
            self._tap = tap
            seeds = self._seeds(self._look())
            is_local = self._method == "layer-cam"
            whole = self._local_maps(seeds) if is_local else self._weighed_maps(self._weights(seeds))
        height, width = self._shape
        return whole[:, : -(-height // self.stride), : -(-width // self.stride)].contiguous()

    def _passed(self, *, with_gradient: bool) -> Iterator[tuple[_Tile, list[Tensor]]]:
        for tile in self._tiles:
            self._tick(self._ticked, self._n_passes * len(self._tiles))
            self._ticked += 1
            with torch.set_grad_enabled(with_gradient):
                grids = self._network.pooled_maps(self._image[0][tile.read(1)][None])
            yield tile, grids

    def _look(self) -> list[Tensor]:
        """First pass: all that the network pools, `(C, h, w)` each, and the average of each feature."""
        wholes: list[Tensor] = []
        for tile, grids in self._passed(with_gradient=False):
            features = self._tap.features[0]
            if not wholes:
                self._begin(tile, features)
                strides = [self._stride_of(tile, grid[0]) for grid in grids]
                sizes = [(self._height // stride, self._width // stride) for stride in strides]
                wholes = [torch.empty((grid.shape[1], *size)) for grid, size in zip(grids, sizes, strict=True)]
            for whole, grid, stride in zip(wholes, grids, strides, strict=True):
                whole[tile.placed(stride)] = grid[0][tile.kept(stride)].float().cpu()
            if self._keeps_features:
                self._kept.append(features[tile.kept(self.stride)].cpu())
            self._mean_features += features[tile.kept(self.stride)].double().sum(dim=(1, 2))
        self._mean_features = (self._mean_features / self._n_cells).float()
        return wholes

    def _begin(self, tile: _Tile, features: Tensor) -> None:
        self.stride = self._stride_of(tile, features)
        self._mean_features = torch.zeros(len(features), dtype=torch.float64, device=features.device)

    @property
    def _keeps_features(self) -> bool:
        return self._method != "layer-cam" and 4 * len(self._mean_features) * self._n_cells <= KEPT_BYTES

    @property
    def _n_cells(self) -> int:
        return (self._height // self.stride) * (self._width // self.stride)

    def _stride_of(self, tile: _Tile, grid: Tensor) -> int:
        """Px per cell of a grid `(K, h, w)`."""
        read = tile.rows.read_end - tile.rows.read_start
        stride = max(1, read // grid.shape[1])
        if stride * grid.shape[1] != read or self._network.alignment % stride:
            raise UserError(
                f'The cells of the layer "{self._layer}" do not lie evenly on the image.', "Choose another layer."
            )
        return stride

    def _seeds(self, wholes: list[Tensor]) -> list[Tensor]:
        """Where the answer comes from, on each grid; the answer is the mean of what the grids give."""
        seeds = []
        for whole in wholes:
            stride = self._height // whole.shape[1]
            window = max(1, self._window_px // stride)
            # Relative to the number of the layer's cells, not of this grid's.
            share = (stride / self.stride) ** 2 / len(wholes)
            found, presence = relative_gradient(whole, self._network.pool, window=window, task=self._task)
            if self._method != "layer-cam":  # weights of channels are an average over the windows that show the class
                found /= presence.clamp(min=LEAST_PRESENCE)[:, None, None]
            seeds.append(found * share)
        return seeds

    def _gradients(self, seeds: list[Tensor]) -> Iterator[tuple[_Tile, int, Tensor, Tensor]]:
        """Second pass: tile, class, and the kept part of gradients and features, both `(K, h, w)`."""
        for tile, grids in self._passed(with_gradient=True):
            features = self._tap.features
            here = [seed[tile.read(self._height // seed.shape[1])].to(features.device) for seed in seeds]
            kept = tile.kept(self.stride)
            for class_index in range(len(seeds[0])):
                found = gradients(grids, here, features, class_index=class_index)
                yield tile, class_index, found[kept], features[0].detach()[kept]

    def _local_maps(self, seeds: list[Tensor]) -> Tensor:
        whole = torch.empty((len(seeds[0]), self._height // self.stride, self._width // self.stride))
        for tile, class_index, found, features in self._gradients(seeds):
            whole[class_index][tile.placed(self.stride)[1:]] = layer_cam(found, features).cpu()
        return whole

    def _weights(self, seeds: list[Tensor]) -> Tensor:
        """Weights `(C, K)` of the channels."""
        total = torch.zeros((len(seeds[0]), len(self._mean_features)), dtype=torch.float64)
        for _, class_index, found, _ in self._gradients(seeds):
            total[class_index] += weight_terms(self._method, found, self._mean_features).double().sum(dim=(1, 2)).cpu()
        return (total / self._n_cells).float()

    def _weighed_maps(self, weights: Tensor) -> Tensor:
        """Third pass."""
        whole = torch.empty((len(weights), self._height // self.stride, self._width // self.stride))
        for tile, features in self._kept_features():
            whole[tile.placed(self.stride)] = torch.einsum("ck,khw->chw", weights.to(features.device), features).cpu()
        return whole

    def _kept_features(self) -> Iterator[tuple[_Tile, Tensor]]:
        """The features of each tile `(K, h, w)`: those of the first pass, or computed once more."""
        if self._kept:
            yield from zip(self._tiles, self._kept, strict=True)
            return
        for tile, _ in self._passed(with_gradient=False):
            yield tile, self._tap.features[0][tile.kept(self.stride)]
