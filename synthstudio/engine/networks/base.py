"""What every classifier with class maps has in common.

Tensors in are `(N, 3, H, W)` float32, normalised with the mean and spread of the training images. The class maps are
the class activation maps of Zhou et al. 2016, M_c = sum_k w_ck A_k: the 1x1 convolution that makes them has no bias,
so that 0 is "no evidence" both in a map and in the pooled logit.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn
from typing_extensions import override


class LsePool(nn.Module):
    """Log-sum-exp pooling (Pinheiro and Collobert 2015): between the average (r -> 0) and the maximum (r -> inf)."""

    def __init__(self, sharpness: float) -> None:
        super().__init__()
        self.sharpness = sharpness

    @override
    def forward(self, maps: Tensor) -> Tensor:
        flat = maps.float().flatten(2)  # (N, C, h * w); a sum of exponentials is never safe in bf16
        return (torch.logsumexp(self.sharpness * flat, dim=2) - math.log(flat.shape[2])) / self.sharpness  # (N, C)


class AveragePool(nn.Module):
    """Global average pooling, as in Zhou et al. 2016."""

    @override
    def forward(self, maps: Tensor) -> Tensor:
        return maps.float().mean(dim=(2, 3))  # (N, C)


class MaxPool(nn.Module):
    """Global maximum."""

    @override
    def forward(self, maps: Tensor) -> Tensor:
        return maps.float().amax(dim=(2, 3))  # (N, C)


class GridNetwork(nn.Module, ABC):
    """Fully convolutional network that answers for each cell of a grid.

    Cell (i, j) belongs to the input pixels `i * stride .. (i + 1) * stride`, centred: all strided layers have even
    kernels, so that the grid lies on the image without a shift; where they are not, `CenteredFeatures` puts it right.

    Attributes:
        stride: Input px per cell.
        alignment: Sides of the input must be multiples of this.
        halo_px: Beyond this distance, a multiple of `alignment`, no input pixel touches a cell.
        window_px: 0, or, where each cell sees the whole input and there is no such distance, the side of the images
            that the network was trained on.
    """

    stride: int
    alignment: int
    halo_px: int
    window_px: int = 0

    @property
    def is_local(self) -> bool:
        """Whether `halo_px` holds; not where each cell sees the whole image, as with attention."""
        return self.window_px == 0

    @abstractmethod
    def grid(self, images: Tensor) -> Tensor:
        """Answers `(N, K, H / stride, W / stride)` for images `(N, 3, H, W)`."""


class ClassMapNetwork(GridNetwork):
    """A network that answers per class, and shows where: its grid holds class maps.

    Attributes:
        feature_layer: Name of the last layer of features `(N, K, h, w)`; the head behind it looks at one cell at a
            time.
        origin: Where its first weights came from, in words; empty where they were random.
    """

    pool: nn.Module
    feature_layer: str
    origin: str = ""

    @override
    def grid(self, images: Tensor) -> Tensor:
        return self.class_maps(images)

    @abstractmethod
    def class_maps(self, images: Tensor) -> Tensor:
        """Class maps `(N, C, H / stride, W / stride)` of images `(N, 3, H, W)`."""

    def own_name(self, name: str) -> str:
        """Map the name of a tensor in a file of pretrained weights to that in this network's state."""
        return name

    def pooled_maps(self, images: Tensor) -> list[Tensor]:
        """The maps, each `(N, C, h, w)` on a grid of its own, whose pooled values the logits are the mean of."""
        return [self.class_maps(images)]

    @override
    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Logits `(N, C)` and class maps `(N, C, h, w)` of images `(N, 3, H, W)`."""
        maps = self.class_maps(images)
        return self.pool(maps), maps


def round_up(value: int, multiple: int) -> int:
    """Smallest multiple that is not below the value."""
    return -(-value // multiple) * multiple
