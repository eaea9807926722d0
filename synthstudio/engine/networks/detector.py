"""What every detector has in common: raw answers, a loss, and candidates from which detections are chosen.

Tensors in are `(N, 3, H, W)` float32, normalised; H and W are multiples of the network's alignment.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn
from torchvision.ops import batched_nms
from typing_extensions import override

from synthstudio.core.evaluation.detection import Detections

MIN_SCORE = 0.02
MAX_CANDIDATES = 30_000
"""The best ones of an image; more only cost time: a network that has hardly begun believes everything a little."""


class DetectorNetwork(nn.Module, ABC):
    """A network that draws boxes.

    Attributes:
        n_classes: Classes of objects.
        alignment: Sides of the input must be multiples of this.
    """

    n_classes: int
    alignment: int

    @abstractmethod
    @override
    def forward(self, images: Tensor) -> Tensor:
        """Raw answers of images `(N, 3, H, W)`, laid out as the network likes, N first."""

    @abstractmethod
    def loss(self, answers: Tensor, marks: Tensor, *, height: int, width: int) -> Tensor:
        """Loss of raw answers, a scalar.

        Args:
            answers: What `forward` gave.
            marks: `(N, M, 5)` class, x0, y0, x1, y1 in px; a class below 0 fills up.
            height, width: Size of the images in px.
        """

    @abstractmethod
    def candidates(self, answers: Tensor, *, height: int, width: int) -> tuple[Tensor, Tensor]:
        """Boxes `(N, K, 4)` x0, y0, x1, y1 in px, not cut at the edges, and scores `(N, K, C)` in 0-1."""


@torch.no_grad()
def choose_candidates(boxes: Tensor, scores: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Keep the candidates of one image that may count, each with its likeliest class.

    Args:
        boxes: `(K, 4)`.
        scores: `(K, C)`.

    Returns:
        Boxes `(M, 4)`, scores `(M,)` and classes `(M,)`.
    """
    best, labels = scores.max(dim=1)
    chosen = (best >= MIN_SCORE).nonzero()[:, 0]
    if len(chosen) > MAX_CANDIDATES:
        chosen = chosen[best[chosen].topk(MAX_CANDIDATES).indices]
    return boxes[chosen], best[chosen], labels[chosen]


@torch.no_grad()
def suppress_doublets(
    boxes: Tensor, scores: Tensor, labels: Tensor, *, overlap: float, height: int, width: int
) -> Detections:
    """Of detections of one class that overlap by more than `overlap`, keep the best; cut them at the image's edges.

    Args:
        boxes: `(M, 4)`.
        scores, labels: `(M,)`.
        overlap: Greatest overlap (IoU) of two detections of one class.
        height, width: Size of the image in px.
    """
    cut = torch.stack([boxes[:, k].clamp(0, width if k % 2 == 0 else height) for k in range(4)], dim=-1)
    # Middles in what an image was continued by give boxes of which nothing is left.
    remains = ((cut[:, 2] > cut[:, 0]) & (cut[:, 3] > cut[:, 1])).nonzero()[:, 0]
    kept = remains[batched_nms(cut[remains], scores[remains], labels[remains], overlap)]
    return Detections(
        cut[kept].double().cpu().numpy(), labels[kept].long().cpu().numpy(), scores[kept].double().cpu().numpy()
    )


def decode(network: DetectorNetwork, answers: Tensor, *, overlap: float, height: int, width: int) -> list[Detections]:
    """Turn raw answers into detections of each image, best first, without doublets."""
    boxes, scores = network.candidates(answers, height=height, width=width)
    return [
        suppress_doublets(*choose_candidates(*each), overlap=overlap, height=height, width=width)
        for each in zip(boxes, scores, strict=True)
    ]
