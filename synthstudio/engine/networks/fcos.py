"""FCOS (Tian et al. 2019) as torchvision builds it: no anchors, each cell near an object's middle tells its box.

A pyramid of feature maps shares one head that gives for each cell the logits of the classes, the distances to the four
sides in cells, and how near to the middle it lies: `(N, K, C + 5)`, the K cells of all levels one after the other.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from functools import partial
from typing import cast

import torch
from torch import Tensor, nn
from torchvision.models.detection import FCOS
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.backbone_utils import resnet_fpn_backbone
from torchvision.models.detection.fcos import FCOSClassificationHead, FCOSHead, FCOSRegressionHead
from torchvision.ops import FeaturePyramidNetwork
from torchvision.ops.feature_pyramid_network import LastLevelP6P7
from typing_extensions import override

from synthstudio.engine.networks.detector import DetectorNetwork

SMALL_STAGES = (((24, 2), (32, 2), (64, 1)), ((64, 2), (96, 1)), ((128, 2), (128, 1)))
"""Channels and strides of the small backbone: what comes before level 4, then the stages of level 8 and 16."""
SMALL_CHANNELS, SMALL_HEAD = 64, 2
GROUP_CHANNELS = 8
"""Channels that are normalised together in the head, as many as in the published one of 256."""


class SmallPyramid(nn.Module):
    """Seven convolutions and a feature pyramid (Lin et al. 2017) at strides of 8 and 16 px."""

    out_channels = SMALL_CHANNELS

    def __init__(self) -> None:
        super().__init__()
        stages, n_in = [], 3
        for layers in SMALL_STAGES:
            blocks: list[nn.Module] = []
            for n_out, stride in layers:
                blocks += [
                    nn.Conv2d(n_in, n_out, 3, stride=stride, padding=1, bias=False),
                    nn.BatchNorm2d(n_out),
                    nn.ReLU(inplace=True),
                ]
                n_in = n_out
            stages.append(nn.Sequential(*blocks))
        self.stem, self.fine, self.coarse = stages
        widths = [layers[-1][0] for layers in SMALL_STAGES[1:]]
        self.pyramid = FeaturePyramidNetwork(widths, self.out_channels)

    @override
    def forward(self, images: Tensor) -> dict[str, Tensor]:
        fine = self.fine(self.stem(images))
        maps = OrderedDict([("0", fine), ("1", self.coarse(fine))])
        return cast("dict[str, Tensor]", self.pyramid(maps))


@dataclass(frozen=True, slots=True)
class FcosShape:
    """How a network is built: the strides of its levels, and the convolutions of its head."""

    strides: tuple[int, ...]
    n_convolutions: int


SHAPES = {
    "fcos-small": FcosShape(strides=(8, 16), n_convolutions=SMALL_HEAD),
    "fcos-resnet50": FcosShape(strides=(8, 16, 32, 64, 128), n_convolutions=4),
}


def _build_backbone(name: str) -> nn.Module:
    if name == "fcos-small":
        return SmallPyramid()
    # All layers learn, with norms that learn too: frozen statistics are only right beside published weights.
    return cast(
        nn.Module,
        resnet_fpn_backbone(
            backbone_name="resnet50",
            weights=None,
            norm_layer=nn.BatchNorm2d,
            trainable_layers=5,
            returned_layers=[2, 3, 4],
            extra_blocks=LastLevelP6P7(256, 256),
        ),
    )


def _build_head(n_channels: int, n_classes: int, *, n_convolutions: int) -> FCOSHead:
    norm = partial(nn.GroupNorm, n_channels // GROUP_CHANNELS)
    head = FCOSHead(n_channels, 1, n_classes, n_convolutions)
    head.classification_head = FCOSClassificationHead(n_channels, 1, n_classes, n_convolutions, norm_layer=norm)
    head.regression_head = FCOSRegressionHead(n_channels, 1, n_convolutions, norm_layer=norm)
    return head


class Fcos(DetectorNetwork):
    """Torchvision's FCOS without its own resizing and normalisation: both are done before.

    Args:
        name: One of `SHAPES`.
        n_classes: Classes of objects.
        seed: The weights depend on it alone.
    """

    def __init__(self, name: str, n_classes: int, *, seed: int = 0) -> None:
        super().__init__()
        shape = SHAPES[name]
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            backbone = _build_backbone(name)
            n_channels = int(cast(int, backbone.out_channels))
            self.fcos = FCOS(
                backbone,
                n_classes,
                anchor_generator=AnchorGenerator(
                    tuple((each,) for each in shape.strides), ((1.0,),) * len(shape.strides)
                ),
                head=_build_head(n_channels, n_classes, n_convolutions=shape.n_convolutions),
            )
        self.n_classes = n_classes
        self.strides = shape.strides
        self.alignment = max(shape.strides)

    @override
    def forward(self, images: Tensor) -> Tensor:
        """Raw answers `(N, K, C + 5)`: logits of the classes, nearness to the middle, four distances in cells."""
        found = self.fcos.head(list(self.fcos.backbone(images).values()))
        parts = (found["cls_logits"], found["bbox_ctrness"], found["bbox_regression"])
        return torch.cat([each.float() for each in parts], dim=2)

    def cells(self, *, height: int, width: int, device: torch.device) -> Tensor:
        """Middle and stride `(K, 3)` of all cells, px. Kernels are odd: cell i sees about the pixel i * stride."""
        levels = []
        for stride in self.strides:
            rows = torch.arange(height // stride, device=device) * float(stride)
            columns = torch.arange(width // stride, device=device) * float(stride)
            y, x = torch.meshgrid(rows, columns, indexing="ij")
            levels.append(torch.stack([x, y, torch.full_like(x, float(stride))], dim=-1).flatten(0, 1))
        return torch.cat(levels)

    @override
    def loss(self, answers: Tensor, marks: Tensor, *, height: int, width: int) -> Tensor:
        """Focal loss of the classes, GIoU loss of the boxes and cross-entropy of the nearness, as published."""
        cells = self.cells(height=height, width=width, device=answers.device)
        half = cells[:, 2:] / 2
        anchors = torch.cat([cells[:, :2] - half, cells[:, :2] + half], dim=1)
        targets = []
        for each in marks:
            known = each[each[:, 0] >= 0]
            targets.append({"boxes": known[:, 1:], "labels": known[:, 0].long()})
        outputs = {
            "cls_logits": answers[..., : self.n_classes],
            "bbox_ctrness": answers[..., self.n_classes : self.n_classes + 1],
            "bbox_regression": answers[..., self.n_classes + 1 :],
        }
        counts = [(height // stride) * (width // stride) for stride in self.strides]
        parts = self.fcos.compute_loss(targets, outputs, [anchors] * len(answers), counts)
        return cast(Tensor, sum(parts.values()))

    @override
    def candidates(self, answers: Tensor, *, height: int, width: int) -> tuple[Tensor, Tensor]:
        """One candidate for each cell; its score is the mean of class and nearness to the middle, a geometric one."""
        cells = self.cells(height=height, width=width, device=answers.device)
        reach = answers[..., self.n_classes + 1 :] * cells[:, 2:]
        boxes = torch.cat([cells[:, :2] - reach[..., :2], cells[:, :2] + reach[..., 2:]], dim=-1)
        near = torch.sigmoid(answers[..., self.n_classes : self.n_classes + 1])
        return boxes, torch.sqrt(torch.sigmoid(answers[..., : self.n_classes]) * near)
