"""Detectors after YOLOv2 (Redmon and Farhadi 2017): a grid of cells, each with anchor boxes.

Tensors in are `(N, 3, H, W)` float32, normalised; the sides are multiples of the alignment. A cell of `stride` px gives
for each anchor the place of the middle, the size, whether there is an object, and its class: `(N, A, 5 + C, h, w)`.
"""

from __future__ import annotations

from typing import cast

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from numpy.typing import NDArray
from torch import Tensor, nn
from typing_extensions import override

from synthstudio.engine.networks.base import GridNetwork, round_up
from synthstudio.engine.networks.detector import DetectorNetwork

LEAK = 0.1
SMALL_LAYERS = ((16, 2, 1), (32, 1, 1), (48, 2, 1), (64, 1, 1), (96, 2, 1), (96, 1, 1), (96, 1, 2), (96, 1, 2))
"""Channels, stride and dilation of the small network."""

DARKNET_STAGES = (
    ((32, 3),),
    ((64, 3),),
    ((128, 3), (64, 1), (128, 3)),
    ((256, 3), (128, 1), (256, 3)),
    ((512, 3), (256, 1), (512, 3), (256, 1), (512, 3)),
    ((1024, 3), (512, 1), (1024, 3), (512, 1), (1024, 3)),
)
"""Channels and kernels of Darknet-19's stages, with a pooling by two before each but the first."""

MAX_GROWTH = 4.0  # a box is at most e^4 times its anchor: beyond, exponentials overflow before training settles
SURE_IOU = 0.6  # a prediction that overlaps an object this much is not told that there is none
OBJECT_WEIGHT, PLACE_WEIGHT, EMPTY_WEIGHT, CLASS_WEIGHT = 5.0, 1.0, 1.0, 1.0
PRIOR_LOGIT = -4.0


def _convolution(n_in: int, n_out: int, *, kernel: int, stride: int = 1, dilation: int = 1) -> nn.Sequential:
    # A 4x4 kernel at stride 2 keeps the grid centred on the image.
    padding = (kernel - 1) // 2 * dilation
    return nn.Sequential(
        nn.Conv2d(n_in, n_out, kernel, stride=stride, padding=padding, dilation=dilation, bias=False),
        nn.BatchNorm2d(n_out),
        nn.LeakyReLU(LEAK, inplace=True),
    )


class SmallYoloBody(nn.Module):
    """Eight convolutions at a stride of 8 px."""

    stride, n_out = 8, SMALL_LAYERS[-1][0]

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        n_in, jump, reach = 3, 1, 0
        for n_out, step, dilation in SMALL_LAYERS:
            kernel = 4 if step == 2 else 3
            layers.append(_convolution(n_in, n_out, kernel=kernel, stride=step, dilation=dilation))
            reach += (kernel - 1) * dilation * jump
            jump *= step
            n_in = n_out
        self.layers = nn.Sequential(*layers)
        self.halo_px = round_up(reach, self.stride)

    @override
    def forward(self, images: Tensor) -> Tensor:
        return cast(Tensor, self.layers(images))


class Darknet19Body(nn.Module):
    """Darknet-19 with the passthrough from stride 16 to 32 and three further convolutions, as YOLOv2 has it."""

    stride, n_out, halo_px = 32, 1024, 640

    def __init__(self) -> None:
        super().__init__()
        stages, n_in = [], 3
        for number, layers in enumerate(DARKNET_STAGES):
            blocks: list[nn.Module] = [nn.MaxPool2d(2)] if number else []
            for n_out, kernel in layers:
                blocks.append(_convolution(n_in, n_out, kernel=kernel))
                n_in = n_out
            stages.append(nn.Sequential(*blocks))
        self.fine, self.coarse = nn.Sequential(*stages[:-1]), stages[-1]
        self.deeper = nn.Sequential(_convolution(1024, 1024, kernel=3), _convolution(1024, 1024, kernel=3))
        self.passing = _convolution(512, 64, kernel=1)
        self.join = _convolution(1024 + 4 * 64, 1024, kernel=3)

    @override
    def forward(self, images: Tensor) -> Tensor:
        fine = self.fine(images)
        passed = F.pixel_unshuffle(self.passing(fine), 2)
        return cast(Tensor, self.join(torch.cat([passed, self.deeper(self.coarse(fine))], dim=1)))


BODIES: dict[str, type[SmallYoloBody] | type[Darknet19Body]] = {"small-yolo": SmallYoloBody, "yolo-v2": Darknet19Body}


class Yolo(GridNetwork, DetectorNetwork):
    """A body with the head of YOLOv2.

    Args:
        name: Of the body.
        n_classes: Classes of objects.
        anchors: `(A, 2)` widths and heights in px of the input.
        seed: The weights depend on it alone.
    """

    anchors: Tensor

    def __init__(self, name: str, n_classes: int, anchors: NDArray[np.float64], *, seed: int = 0) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.body = BODIES[name]()
            self.head = nn.Conv2d(self.body.n_out, len(anchors) * (5 + n_classes), 1)
        bias = cast(Tensor, self.head.bias)
        nn.init.zeros_(bias)
        # Nearly all cells are empty: said from the start, so that the first steps are not spent on learning it.
        with torch.no_grad():
            bias.reshape(len(anchors), -1)[:, 4] = PRIOR_LOGIT
        self.n_classes = n_classes
        self.stride, self.alignment = self.body.stride, self.body.stride
        self.halo_px = self.body.halo_px
        self.register_buffer("anchors", torch.tensor(anchors, dtype=torch.float32))

    @override
    def grid(self, images: Tensor) -> Tensor:
        """Raw answers `(N, A * (5 + C), h, w)`."""
        return cast(Tensor, self.head(self.body(images)))

    @override
    def forward(self, images: Tensor) -> Tensor:
        """Raw answers `(N, A, 5 + C, h, w)` of images `(N, 3, H, W)`."""
        return self.split(self.grid(images))

    def split(self, grid: Tensor) -> Tensor:
        """Tell the anchors of raw answers `(N, A * (5 + C), h, w)` apart."""
        n, _, height, width = grid.shape
        return grid.reshape(n, len(self.anchors), 5 + self.n_classes, height, width).float()

    def boxes(self, answers: Tensor) -> Tensor:
        """Boxes `(N, A, h, w, 4)` x0, y0, x1, y1 in px of the input."""
        height, width = answers.shape[-2:]
        columns = torch.arange(width, device=answers.device, dtype=answers.dtype)
        rows = torch.arange(height, device=answers.device, dtype=answers.dtype)[:, None]
        x = (torch.sigmoid(answers[:, :, 0]) + columns) * self.stride
        y = (torch.sigmoid(answers[:, :, 1]) + rows) * self.stride
        half = torch.exp(answers[:, :, 2:4].clamp(max=MAX_GROWTH)) * self.anchors[None, :, :, None, None] / 2
        return torch.stack([x - half[:, :, 0], y - half[:, :, 1], x + half[:, :, 0], y + half[:, :, 1]], dim=-1)

    @override
    def loss(self, answers: Tensor, marks: Tensor, *, height: int, width: int) -> Tensor:
        """See `yolo_loss`; the size of the images follows from the answers."""
        return yolo_loss(self, answers, marks)

    @override
    def candidates(self, answers: Tensor, *, height: int, width: int) -> tuple[Tensor, Tensor]:
        """One candidate for each anchor of each cell: its confidence shared out among the classes."""
        classes = torch.softmax(answers[:, :, 5:], dim=2) * torch.sigmoid(answers[:, :, 4:5])
        return self.boxes(answers).flatten(1, 3), classes.permute(0, 1, 3, 4, 2).flatten(1, 3)


def overlaps(first: Tensor, second: Tensor) -> Tensor:
    """Intersection over union of boxes `(..., 4)`, broadcast."""
    starts, ends = torch.maximum(first[..., :2], second[..., :2]), torch.minimum(first[..., 2:], second[..., 2:])
    shared = (ends - starts).clamp(min=0).prod(dim=-1)
    areas = [(each[..., 2:] - each[..., :2]).clamp(min=0).prod(dim=-1) for each in (first, second)]
    return shared / (areas[0] + areas[1] - shared).clamp(min=1e-9)


def yolo_loss(network: Yolo, answers: Tensor, marks: Tensor) -> Tensor:
    """Loss of YOLOv2, a mean over the images.

    Squared errors of place and size; cross-entropies of the confidence and of the classes, as in YOLOv3 (Redmon and
    Farhadi 2018): the original's squared error of a sigmoid has next to no gradient where a rare small object is not
    believed in yet, and on BCCD its platelets were never found (F1 .04).

    Args:
        network: What made the answers.
        answers: `(N, A, 5 + C, h, w)`.
        marks: `(N, M, 5)` class, x0, y0, x1, y1 in px; a class below 0 fills up.
    """
    n, n_anchors, _, height, width = answers.shape
    predicted = network.boxes(answers).detach()
    doubt = F.softplus(answers[:, :, 4])  # cross-entropy of the confidence where there is nothing
    with torch.no_grad():
        image, target = (marks[..., 0] >= 0).nonzero(as_tuple=True)
        true = marks[image, target]  # (T, 5)
        best = torch.zeros((n, n_anchors, height, width), device=answers.device)
        for number in range(n):
            here = true[image == number, 1:]
            if len(here):
                best[number] = overlaps(predicted[number, ..., None, :], here).amax(dim=-1)
    empty = best < SURE_IOU
    total = answers.sum() * 0.0
    if len(true):
        size = true[:, 3:] - true[:, 1:3]
        middle = (true[:, 1:3] + true[:, 3:]) / 2 / network.stride
        column, row = middle[:, 0].long().clamp(0, width - 1), middle[:, 1].long().clamp(0, height - 1)
        shared = torch.minimum(size[:, None], network.anchors[None]).prod(dim=-1)
        areas = size.prod(dim=-1)[:, None] + network.anchors.prod(dim=-1)[None]
        anchor = (shared / (areas - shared).clamp(min=1e-9)).argmax(dim=1)
        found = answers[image, anchor, :, row, column]  # (T, 5 + C)
        empty[image, anchor, row, column] = False
        # Small boxes count up to twice: the same error in px is worse for them.
        weight = 2.0 - (size / (size.new_tensor([width, height]) * network.stride)).prod(dim=-1).clamp(max=1.0)
        inside = middle - torch.stack([column, row], dim=-1)
        growth = torch.log((size / network.anchors[anchor]).clamp(min=1e-3))
        place = (torch.sigmoid(found[:, :2]) - inside).square().sum(dim=-1)
        place = place + (found[:, 2:4] - growth).square().sum(dim=-1)
        missing = F.softplus(-found[:, 4])  # cross-entropy of the confidence where there is an object
        total = total + PLACE_WEIGHT * (weight * place).sum() + OBJECT_WEIGHT * missing.sum()
        total = total + CLASS_WEIGHT * F.cross_entropy(found[:, 5:], true[:, 0].long(), reduction="sum")
    return (total + EMPTY_WEIGHT * doubt[empty].sum()) / n
