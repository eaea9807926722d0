"""VGG16 with class maps at several depths (methods.md A; Simonyan and Zisserman 2015 for the backbone).

The paper does not say which branches it adds. Here the outputs of blocks 3, 4 and 5 each give one class map per class;
each is pooled, and the logits are averaged. The map that is shown is the average of the three on one grid.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from torch import Tensor, nn
from torchvision.models import vgg16, vgg16_bn
from typing_extensions import override

from synthstudio.engine.networks.base import ClassMapNetwork

# Index of the layer before each of the max-poolings 3, 4 and 5: strides 4, 8 and 16, 256, 512 and 512 channels.
BLOCK_ENDS = {False: (16, 23, 30), True: (23, 33, 43)}
BLOCK_CHANNELS = (256, 512, 512)
BLOCK_STRIDES = (4, 8, 16)
# Block 5 sees 196 px; bilinear upsampling adds a cell of 16 px on either side.
HALO_PX = 128


class Vgg16Branches(ClassMapNetwork):
    """VGG16 features (with or without batch norm) and three branches of class maps."""

    def __init__(self, n_classes: int, *, stride: int, pool: nn.Module, batch_norm: bool = True) -> None:
        super().__init__()
        backbone = vgg16_bn if batch_norm else vgg16
        ends = BLOCK_ENDS[batch_norm]
        self.features: nn.Sequential = backbone(weights=None).features[: ends[-1]]
        self._starts = (0, *ends[:-1])
        self._ends = ends
        self.heads = nn.ModuleList(nn.Conv2d(channels, n_classes, 1, bias=False) for channels in BLOCK_CHANNELS)
        self.pool = pool
        self.feature_layer = f"features.{ends[-1] - 1}"
        self.stride = stride
        self.alignment = BLOCK_STRIDES[-1]
        self.halo_px = HALO_PX

    def branch_maps(self, images: Tensor) -> list[Tensor]:
        """Class maps of the branches, each on its own grid: strides 4, 8 and 16."""
        maps, features = [], images
        for start, end, head in zip(self._starts, self._ends, self.heads, strict=True):
            features = self.features[start:end](features)
            maps.append(head(features))  # (N, C, H / s, W / s)
        return maps

    def combine(self, maps: list[Tensor]) -> Tensor:
        """Average of the branches on the grid of `stride`."""
        return torch.stack([self._on_grid(each, s) for each, s in zip(maps, BLOCK_STRIDES, strict=True)]).mean(dim=0)

    @override
    def class_maps(self, images: Tensor) -> Tensor:
        return self.combine(self.branch_maps(images))

    @override
    def pooled_maps(self, images: Tensor) -> list[Tensor]:
        return self.branch_maps(images)

    @override
    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        maps = self.branch_maps(images)
        logits = torch.stack([self.pool(each) for each in maps]).mean(dim=0)  # (N, C)
        return logits, self.combine(maps)

    def _on_grid(self, maps: Tensor, stride: int) -> Tensor:
        if stride < self.stride:
            return F.avg_pool2d(maps, self.stride // stride)
        if stride > self.stride:
            return F.interpolate(maps, scale_factor=stride / self.stride, mode="bilinear", align_corners=False)
        return maps
