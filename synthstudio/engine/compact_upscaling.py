"""The compact network at work: its loss, its weights as a file, and images enlarged by it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from numpy.typing import NDArray
from safetensors.torch import save
from torch import Tensor, nn

from synthstudio.core.imaging import ImageArray, write_bytes_atomically
from synthstudio.core.training.upscaler_card import WEIGHTS_NAME
from synthstudio.engine.checkpoints import load_weights
from synthstudio.engine.networks.compact_upscaler import CompactShape, CompactUpscaler, build_compact, read_compact
from synthstudio.settings.train_upscaler import CompactNetworkSettings

_N_AT_ONCE = 16
RIM = 3
"""Px of small patches, on each side, that are not compared."""


class CompactTraining:
    """What a training needs to know of the compact network.

    Args:
        network: On its device; trained in place.
    """

    def __init__(self, network: CompactUpscaler) -> None:
        self.network = network
        self._device = next(network.parameters()).device

    def loss(self, small: Tensor, large: Tensor) -> Tensor:
        """Mean absolute difference of enlarged `(N, s, s, 3)` to `(N, S, S, 3)` uint8, in 0..1."""
        made = self.network(_to_network(small, self._device))
        return F.l1_loss(self._inner(made).float(), self._inner(_to_network(large, self._device)))

    def _inner(self, images: Tensor) -> Tensor:
        """Without the rim, where the network sees zeros for what lies outside: of use it is given something to see."""
        rim = RIM * self.network.shape.factor
        return images[..., rim:-rim, rim:-rim]

    @torch.no_grad()
    def enlarge(self, network: nn.Module, small: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Enlarge `(N, s, s, 3)` to `(N, S, S, 3)` by a network of this shape in eval mode."""
        reach, rim = self.network.reach, self.network.reach * self.network.shape.factor
        padded = np.pad(small, ((0, 0), (reach, reach), (reach, reach), (0, 0)), mode="edge")
        parts = np.array_split(padded, -(-len(small) // _N_AT_ONCE))
        made = [_from_network(network(_to_network(torch.from_numpy(each), self._device))) for each in parts]
        return np.ascontiguousarray(np.concatenate(made)[:, rim:-rim, rim:-rim])

    def save(self, folder: Path, weights: Mapping[str, Tensor]) -> None:
        """Write weights into a run's folder, with the names of the field. Raises UserError where that fails."""
        data = {key: value.detach().cpu().contiguous() for key, value in weights.items()}
        write_bytes_atomically(folder / WEIGHTS_NAME, save(data, {"format": "pt"}))


def begin_compact(settings: CompactNetworkSettings, *, factor: int, file: Path | None, seed: int) -> CompactUpscaler:
    """Build the network of a training: from a file where there is one, else from random numbers.

    Raises:
        UserError: The file holds no compact network.
    """
    if file is not None:
        return load_compact(file)
    return build_compact(CompactShape(settings.channels, settings.layers, factor), seed=seed)


def load_compact(file: Path) -> CompactUpscaler:
    """Read a compact network from a safetensors file. Raises UserError where it is missing, damaged or another one."""
    return read_compact(load_weights(file), source=str(file))


class CompactEnlarger:
    """Enlarges images by a compact network.

    Every pixel comes out as if the image had been enlarged as a whole: windows overlap by what the network sees around
    a pixel.

    Args:
        network: In eval mode.
        device: Where it computes.
        tile: Side of the windows in px, without what they overlap by.
    """

    def __init__(self, network: CompactUpscaler, device: torch.device, *, tile: int) -> None:
        self._network, self._device, self._tile = network.eval().to(device), device, tile
        self.factor = network.shape.factor

    @torch.no_grad()
    def enlarge(self, image: ImageArray) -> ImageArray:
        """Enlarge `(H, W, 3)` to `(F H, F W, 3)`, uint8 RGB both."""
        factor, reach = self.factor, self._network.reach
        height, width = image.shape[:2]
        padded = np.pad(image, ((reach, reach), (reach, reach), (0, 0)), mode="edge")
        whole = np.empty((height * factor, width * factor, 3), np.uint8)
        for y0, y1 in _spans(height, self._tile):
            for x0, x1 in _spans(width, self._tile):
                part = np.ascontiguousarray(padded[y0 : y1 + 2 * reach, x0 : x1 + 2 * reach])
                made = _from_network(self._network(_to_network(torch.from_numpy(part)[None], self._device)))[0]
                inner = made[reach * factor : -reach * factor, reach * factor : -reach * factor]
                whole[y0 * factor : y1 * factor, x0 * factor : x1 * factor] = inner
        return whole


def _spans(length: int, tile: int) -> Iterator[tuple[int, int]]:
    """Cut a length into pieces."""
    for start in range(0, length, tile):
        yield start, min(length, start + tile)


def _to_network(pixels: Tensor, device: torch.device) -> Tensor:
    """Turn `(N, H, W, 3)` uint8 into `(N, 3, H, W)` float32 in 0..1, channels last in memory."""
    return (pixels.to(device, non_blocking=True).float() / 255.0).permute(0, 3, 1, 2)


def _from_network(images: Tensor) -> NDArray[np.uint8]:
    """Turn `(N, 3, H, W)` in 0..1 into `(N, H, W, 3)` uint8."""
    levels = (images.detach().float() * 255.0).round().clamp(0, 255)
    return levels.permute(0, 2, 3, 1).to(torch.uint8).cpu().numpy()
