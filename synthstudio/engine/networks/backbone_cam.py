"""Any backbone with class maps on top: what the networks have in common that other people designed."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn
from typing_extensions import override

from synthstudio.engine.networks.base import ClassMapNetwork, round_up
from synthstudio.engine.networks.centered import CenteredFeatures, Geometry


class BackboneCam(ClassMapNetwork):
    """Features of a backbone, and one bias-free class map per class.

    Args:
        features: Gives features `(N, n_channels, H / stride, W / stride)`, each cell centred on its pixels.
        n_channels: Of the features.
        n_classes: Of the answer.
        stride: Px per cell.
        pool: From maps to logits.
        own_name: Maps the name of a tensor in a file of pretrained weights to that of this network.
    """

    def __init__(
        self,
        features: nn.Module,
        *,
        n_channels: int,
        n_classes: int,
        stride: int,
        pool: nn.Module,
        own_name: Callable[[str], str],
    ) -> None:
        super().__init__()
        self.features = features
        self.head = nn.Conv2d(n_channels, n_classes, 1, bias=False)
        self.pool = pool
        self.feature_layer = "features"
        self.stride = stride
        self.alignment = stride
        self.halo_px = 0
        self._own_name = own_name

    @override
    def class_maps(self, images: Tensor) -> Tensor:
        maps: Tensor = self.head(self.features(images))  # (N, C, H / stride, W / stride)
        return maps

    @override
    def own_name(self, name: str) -> str:
        return self._own_name(name)

    def set_reach(self, geometry: Geometry, *, window_px: int) -> None:
        """Say how whole images are read: in tiles with a halo, or in windows of `window_px` where nothing is far."""
        if geometry.reach_px is None:
            self.window_px = round_up(window_px, self.alignment)
        else:
            # The image may lie half a cell beside the middle of the cell that was measured.
            self.halo_px = round_up(geometry.reach_px + geometry.stride, self.alignment)


def centered_cam(
    backbone: nn.Module,
    geometry: Geometry,
    *,
    n_channels: int,
    n_classes: int,
    pool: nn.Module,
    window_px: int,
    own_name: Callable[[str], str],
) -> BackboneCam:
    """Build a network on a convolutional backbone whose geometry is known; see `BackboneCam`."""
    network = BackboneCam(
        CenteredFeatures(backbone, geometry),
        n_channels=n_channels,
        n_classes=n_classes,
        stride=geometry.stride,
        pool=pool,
        own_name=own_name,
    )
    network.set_reach(geometry, window_px=window_px)
    return network
