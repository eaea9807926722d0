"""A trained classifier as an ONNX model: pixels in, probabilities and class activation maps out."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from typing_extensions import override

from synthstudio.engine.inference import TrainedClassifier
from synthstudio.engine.networks.answers import probabilities
from synthstudio.engine.networks.base import LsePool
from synthstudio.engine.onnx_files import OnnxSession, write_onnx

PROBABILITIES, MAPS = "probabilities", "maps"
Answers = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Probabilities `(N, C)` and class maps `(N, C, h, w)`."""


class ExportedClassifier(nn.Module):
    """The network with everything around it that a user of the file would otherwise have to copy.

    Images `(N, H, W, 3)` uint8 RGB at the card's scale, their sides multiples of the network's alignment, become
    probabilities `(N, C)` in 0-1 and class maps `(N, C, H / stride, W / stride)`.
    """

    def __init__(self, classifier: TrainedClassifier) -> None:
        super().__init__()
        self.network = copy.deepcopy(classifier.network)
        self.network.pool = AnySizePool(self.network.pool)
        self.task = classifier.card.task
        self.register_buffer("mean", torch.tensor(classifier.card.mean).reshape(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(classifier.card.std).reshape(1, 3, 1, 1))

    @override
    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        pixels = images.permute(0, 3, 1, 2).float()
        logits, maps = self.network((pixels - cast(Tensor, self.mean)) / cast(Tensor, self.std))
        return probabilities(logits, self.task), maps


class AnySizePool(nn.Module):
    """The same as another pooling, in terms that hold for maps of any size.

    A size that Python computes with becomes a constant of the exported file, and its answers wrong for other sizes.
    """

    def __init__(self, pool: nn.Module) -> None:
        super().__init__()
        self.pool = pool

    @override
    def forward(self, maps: Tensor) -> Tensor:
        if not isinstance(self.pool, LsePool):
            pooled: Tensor = self.pool(maps)
            return pooled
        flat, sharpness = maps.flatten(2), self.pool.sharpness
        greatest = flat.amax(dim=2, keepdim=True)
        return greatest[..., 0] + torch.log(torch.exp(sharpness * (flat - greatest)).mean(dim=2)) / sharpness


def build_onnx(classifier: TrainedClassifier, scratch: Path) -> bytes:
    """Return the bytes of a single ONNX file with the model's card among its metadata.

    Args:
        classifier: What is exported.
        scratch: Name for a file that is written and removed again.
    """
    return write_onnx(
        ExportedClassifier(classifier),
        side=classifier.network.alignment * 8,
        outputs={PROBABILITIES: {0: "n"}, MAPS: {0: "n", 2: "map_height", 3: "map_width"}},
        card=classifier.card.model_dump_json(),
        scratch=scratch,
    )


class OnnxClassifier(OnnxSession):
    """Runs an exported classifier."""

    def predict(self, images: NDArray[np.uint8]) -> Answers:
        """Answers for images `(N, H, W, 3)` uint8 RGB."""
        probabilities, maps = self.run([PROBABILITIES, MAPS], images)
        return probabilities, maps


@torch.inference_mode()
def predict_with_torch(classifier: TrainedClassifier, images: NDArray[np.uint8]) -> Answers:
    """The same answers by the network itself: its own pooling and normalisation, not the exported ones."""
    logits, maps = classifier.network(classifier.normalization.apply(torch.from_numpy(images), classifier.device))
    return probabilities(logits, classifier.card.task).float().cpu().numpy(), maps.float().cpu().numpy()
