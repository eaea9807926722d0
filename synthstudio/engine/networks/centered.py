"""Backbones whose cells do not lie on the image without a shift, put right; and how far a cell of them sees.

Most published backbones stride with odd kernels: their cell i lies on px `i * stride`, not on the middle of
`i * stride .. (i + 1) * stride`. That is a shift of half a cell in every class activation map. Here the image is moved
under the backbone instead: padding in front, and the surplus cell dropped, which leaves the pretrained layers as they
are. What is left is at most half a px.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from torch import Tensor, nn
from typing_extensions import override

STRIP_WIDTHS_PX = (512, 1536)
STRIP_CELLS = 8
PROBE_SEED = 20


@dataclass(frozen=True, slots=True)
class Geometry:
    """How the cells of a backbone lie on its input.

    Attributes:
        stride: Px per cell.
        offset_px: Px coordinate that cell 0 is centred on; cell i on `offset_px + i * stride`.
        reach_px: No px farther than this from the middle of a cell touches it; None where every px touches every cell.
        idle: Weights that the features do not depend on.
    """

    stride: int
    offset_px: float
    reach_px: int | None
    idle: tuple[str, ...] = ()


class CenteredFeatures(nn.Module):
    """A backbone with its cells centred on their pixels.

    Args:
        backbone: Gives features `(N, K, H / stride, W / stride)` for images `(N, 3, H, W)`.
        geometry: Its own.
    """

    def __init__(self, backbone: nn.Module, geometry: Geometry) -> None:
        super().__init__()
        self.backbone = backbone
        stride = geometry.stride
        missing = round((stride - 1) / 2 - geometry.offset_px)
        # Forward by `missing` px is padding in front by the rest of a cell, and the first cell dropped.
        self.first_cell = 1 if missing > 0 else 0
        self.front_px = self.first_cell * stride - missing
        self.back_px = (stride if missing else 0) - self.front_px
        for name in geometry.idle:  # several processes wait for the gradient of each weight that is to be trained
            backbone.get_parameter(name).requires_grad_(False)

    @override
    def forward(self, images: Tensor) -> Tensor:
        if not (self.front_px or self.back_px):
            return self._features(images)
        front, back = self.front_px, self.back_px
        features = self._features(F.pad(images, (front, back, front, back)))
        first = self.first_cell
        last = None if first else -1
        return features[:, :, first:last, first:last]

    def _features(self, images: Tensor) -> Tensor:
        features: Tensor = self.backbone(images)
        return features


def measure_geometry(backbone: nn.Module, *, stride: int) -> Geometry:
    """Measure how the cells of a backbone lie on a strip of noise.

    Args:
        backbone: Gives features `(N, K, H / stride, W / stride)`.
        stride: Px per cell.
    """
    probe = _with_live_weights(backbone)
    offset, reach = 0.0, None
    idle: tuple[str, ...] = ()
    for width in STRIP_WIDTHS_PX:
        strip = torch.randn((1, 3, STRIP_CELLS * stride, width), generator=_generator()).requires_grad_()
        with _offsets(probe, width) as offsets:
            features = probe(strip)
        # A network may have strided layers behind the features that are taken from it.
        offset = sum(sum(each) / len(each) for jump, each in offsets.items() if jump < stride)
        column = features.shape[3] // 2
        features[0, :, features.shape[2] // 2, column].sum().backward()
        assert strip.grad is not None
        touched = torch.nonzero(strip.grad[0].abs().sum(dim=(0, 1)))[:, 0]
        first, last = int(touched.min()), int(touched.max())
        idle = tuple(name for name, weight in probe.named_parameters() if weight.grad is None)
        if first > 0 and last < width - 1:
            middle = offset + column * stride
            reach = int(max(middle - first, last - middle)) + 1
            break
    return Geometry(stride, offset, reach, idle)


def _generator() -> torch.Generator:
    return torch.Generator().manual_seed(PROBE_SEED)


def _with_live_weights(backbone: nn.Module) -> nn.Module:
    """A copy in eval mode without zeros in it: some networks begin with branches that are switched off."""
    probe = copy.deepcopy(backbone).cpu().float().eval()
    generator = _generator()
    with torch.no_grad():
        for weight in probe.parameters():
            if weight.ndim <= 1:
                weight.copy_(torch.rand(weight.shape, generator=generator) + 0.5)
    return probe


@contextmanager
def _offsets(backbone: nn.Module, width: int) -> Iterator[dict[int, list[float]]]:
    """Collect by how much each strided layer moves the middle of its cells, in px, by the px per cell before it."""
    found: dict[int, list[float]] = {}

    def look(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        before, after = inputs[0].shape[3], output.shape[3]
        if after < before:
            jump = width // before
            found.setdefault(jump, []).append(jump * _own_offset(module, before=before, after=after))

    hooks = [
        module.register_forward_hook(look)
        for module in backbone.modules()
        if isinstance(module, nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d)
    ]
    try:
        yield found
    finally:
        for hook in hooks:
            hook.remove()


def _own_offset(layer: nn.Module, *, before: int, after: int) -> float:
    """Middle of the first window of a layer, in cells of its input."""
    kernel, stride, dilation = (_last(getattr(layer, name, 1)) for name in ("kernel_size", "stride", "dilation"))
    wide = (kernel - 1) * dilation
    padding = getattr(layer, "padding", 0)
    # TensorFlow's padding: what the size asks for, the odd px behind.
    pads_itself = padding == "same" or type(layer).__name__.endswith("Same")
    front = max(0, (after - 1) * stride + wide + 1 - before) // 2 if pads_itself else _last(padding)
    return wide / 2 - front


def _last(value: object) -> int:
    return int(value[-1]) if isinstance(value, tuple | list) else int(str(value))
