"""Exported networks in place of torch's own: the same tiles and windows go through onnxruntime.

What is cut, joined and chosen stays one code for both, so that answers differ by rounding alone. Images come as
`(N, 3, H, W)` float32 in grey levels 0-255: the exported graph normalises them itself.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from typing_extensions import override

from synthstudio.engine.networks.base import GridNetwork
from synthstudio.engine.networks.tiling import pad_to_alignment
from synthstudio.engine.onnx_classifier import OnnxClassifier
from synthstudio.engine.onnx_detector import OnnxDetector

N_CORNERS = 4


class OnnxClassMaps(GridNetwork):
    """Class maps of an exported classifier.

    Args:
        session: Runs it.
        network: What was exported: its grid is the same.
    """

    def __init__(self, session: OnnxClassifier, network: GridNetwork) -> None:
        super().__init__()
        self.stride, self.alignment = network.stride, network.alignment
        self.halo_px, self.window_px = network.halo_px, network.window_px
        self._session = session

    @override
    def grid(self, images: Tensor) -> Tensor:
        """Class maps `(N, C, H / stride, W / stride)`."""
        return torch.from_numpy(self._session.predict(to_bytes(images))[1])


class OnnxCells(GridNetwork):
    """Candidates of an exported detector that has some for each cell of a grid.

    Each has 4 + C values: the corners of its box counted from the corner of its cell, so that they stay true where
    tiles are joined, and its scores.
    """

    def __init__(self, session: OnnxDetector, network: GridNetwork) -> None:
        super().__init__()
        self.stride, self.alignment = network.stride, network.alignment
        self.halo_px = network.halo_px
        self._session = session

    @override
    def grid(self, images: Tensor) -> Tensor:
        """Candidates `(N, A * (4 + C), h, w)`."""
        boxes, scores = (torch.from_numpy(each) for each in self._session.predict(to_bytes(images)))
        n, height, width = len(boxes), images.shape[2] // self.stride, images.shape[3] // self.stride
        cells = torch.cat([boxes, scores], dim=2).reshape(n, -1, height, width, N_CORNERS + scores.shape[2])
        cells[..., :N_CORNERS] -= _corners(height, width, self.stride)
        return cells.permute(0, 1, 4, 2, 3).reshape(n, -1, height, width)

    def candidates(self, grid: Tensor, *, n_classes: int) -> tuple[Tensor, Tensor]:
        """Boxes `(K, 4)` in px of the image and scores `(K, C)` from joined cells `(A * (4 + C), h, w)`."""
        height, width = grid.shape[1:]
        cells = grid.reshape(-1, N_CORNERS + n_classes, height, width).permute(0, 2, 3, 1)
        boxes = cells[..., :N_CORNERS] + _corners(height, width, self.stride)
        return boxes.reshape(-1, N_CORNERS), cells[..., N_CORNERS:].reshape(-1, n_classes)


def window_candidates(session: OnnxDetector, alignment: int, images: Tensor) -> tuple[Tensor, Tensor]:
    """Candidates of an exported detector on images `(N, H, W, 3)` uint8 of any size; see `detection.Candidates`."""
    padded = pad_to_alignment(images.permute(0, 3, 1, 2).float(), alignment)
    boxes, scores = session.predict(to_bytes(padded))
    return torch.from_numpy(boxes), torch.from_numpy(scores)


def to_bytes(images: Tensor) -> NDArray[np.uint8]:
    """Bring images `(N, 3, H, W)` float32 in grey levels to `(N, H, W, 3)` uint8."""
    return np.ascontiguousarray(images.permute(0, 2, 3, 1).to(torch.uint8).cpu().numpy())


def to_levels(pixels: NDArray[np.uint8]) -> Tensor:
    """Bring an image `(H, W, 3)` uint8 to `(3, H, W)` float32 in grey levels."""
    return torch.from_numpy(np.ascontiguousarray(pixels)).permute(2, 0, 1).float()


def _corners(height: int, width: int, stride: int) -> Tensor:
    """Where the corner of each cell lies, for both corners of a box: `(h, w, 4)` x, y, x, y in px."""
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    return torch.stack([columns, rows, columns, rows], dim=-1).float() * stride
