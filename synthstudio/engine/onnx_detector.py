"""A trained detector as an ONNX model: pixels in, boxes and scores of all candidates out."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from typing_extensions import override

from synthstudio.engine.detection import TrainedDetector
from synthstudio.engine.networks.detector import MIN_SCORE
from synthstudio.engine.onnx_files import OnnxSession, write_onnx

BOXES, SCORES = "boxes", "scores"
Candidates = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Boxes `(N, K, 4)` in px of the input and scores `(N, K, C)`."""


class ExportedDetector(nn.Module):
    """The network with its normalisation, and the way from its raw answers to boxes and scores.

    What it leaves to the user of the file are a threshold for each class and the suppression of doublets: both are
    choices, and both are a line in any library.
    """

    def __init__(self, detector: TrainedDetector) -> None:
        super().__init__()
        self.network = copy.deepcopy(detector.network)
        self.register_buffer("mean", torch.tensor(detector.card.mean).reshape(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(detector.card.std).reshape(1, 3, 1, 1))

    @override
    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        pixels = images.permute(0, 3, 1, 2).float()
        pixels = (pixels - cast(Tensor, self.mean)) / cast(Tensor, self.std)
        answers = self.network(pixels)
        return self.network.candidates(answers, height=images.shape[1], width=images.shape[2])


def build_detector_onnx(detector: TrainedDetector, scratch: Path) -> bytes:
    """Return the bytes of a single ONNX file with the detector's card among its metadata.

    Args:
        detector: What is exported.
        scratch: Name for a file that is written and removed again.
    """
    many = {0: "n", 1: "candidates"}
    return write_onnx(
        ExportedDetector(detector),
        side=max(128, 2 * detector.network.alignment),
        outputs={BOXES: many, SCORES: many},
        card=detector.card.model_dump_json(),
        scratch=scratch,
    )


class OnnxDetector(OnnxSession):
    """Runs an exported detector."""

    def predict(self, images: NDArray[np.uint8]) -> Candidates:
        """Candidates on images `(N, H, W, 3)` uint8 RGB."""
        boxes, scores = self.run([BOXES, SCORES], images)
        return boxes, scores


@torch.inference_mode()
def candidates_with_torch(detector: TrainedDetector, images: NDArray[np.uint8]) -> Candidates:
    """The same candidates by the network itself, with its own normalisation."""
    height, width = images.shape[1:3]
    pixels = detector.normalization.apply(torch.from_numpy(images), detector.device)
    boxes, scores = detector.network.candidates(detector.network(pixels), height=height, width=width)
    return boxes.float().cpu().numpy(), scores.float().cpu().numpy()


def compare_candidates(found: Candidates, expected: Candidates) -> tuple[float, float]:
    """Greatest difference of the scores, and in px of the boxes that may count."""
    difference = float(np.abs(found[1] - expected[1]).max())
    may_count = expected[1].max(axis=2) >= MIN_SCORE
    if not may_count.any():
        return difference, 0.0
    return difference, float(np.abs(found[0] - expected[0])[may_count].max())
