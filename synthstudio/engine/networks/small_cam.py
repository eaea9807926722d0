"""The default network: six convolutions that learn in minutes on two processor cores."""

from __future__ import annotations

from torch import Tensor, nn
from typing_extensions import override

from synthstudio.engine.networks.base import ClassMapNetwork, round_up

CHANNELS = {
    4: (16, 24, 48, 64, 64, 96),
    8: (16, 32, 48, 64, 96, 128),
    16: (16, 32, 48, 64, 96, 128),
}
# Stride 4 widens its view by dilation instead, so that it still sees a whole large cell.
STEPS = {4: (2, 1, 2, 1, 1, 1), 8: (2, 1, 2, 1, 2, 1), 16: (2, 1, 2, 2, 2, 1)}
DILATIONS = {4: (1, 1, 1, 1, 2, 2), 8: (1,) * 6, 16: (1,) * 6}


class SmallCam(ClassMapNetwork):
    """Convolution, batch norm and ReLU six times, then one class map per class."""

    def __init__(self, n_classes: int, *, stride: int, pool: nn.Module) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        n_in, jump, reach = 3, 1, 0
        for n_out, step, dilation in zip(CHANNELS[stride], STEPS[stride], DILATIONS[stride], strict=True):
            # A 4x4 kernel at stride 2 keeps the map centred on the image; 3x3 would shift it by half a px each time.
            kernel = 4 if step == 2 else 3
            layers += [
                nn.Conv2d(n_in, n_out, kernel, stride=step, padding=dilation, dilation=dilation, bias=False),
                nn.BatchNorm2d(n_out),
                nn.ReLU(inplace=True),
            ]
            reach += (kernel - 1) * dilation * jump
            jump *= step
            n_in = n_out
        self.features = nn.Sequential(*layers)
        self.head = nn.Conv2d(n_in, n_classes, 1, bias=False)
        self.pool = pool
        self.feature_layer = "features"
        self.stride = stride
        self.alignment = stride
        self.halo_px = round_up(reach, stride)

    @override
    def class_maps(self, images: Tensor) -> Tensor:
        maps: Tensor = self.head(self.features(images))  # (N, C, H / stride, W / stride)
        return maps
