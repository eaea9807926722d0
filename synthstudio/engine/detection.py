"""Using a trained detector: boxes on FOVs of any size; and how validation judges one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from synthstudio.core.evaluation.detection import ClassMatches, Detections, match_class, tune_score_threshold
from synthstudio.core.evaluation.presence import f1_of, mean_defined
from synthstudio.core.geometry import BoxArray
from synthstudio.core.imaging import ImageArray
from synthstudio.core.training.crops import MarkedImage
from synthstudio.core.training.detector_card import DetectorCard, read_detector_card
from synthstudio.domain.progress import Tick, no_tick
from synthstudio.engine.data.batches import Normalization
from synthstudio.engine.inference import restore_best
from synthstudio.engine.loops import Validation
from synthstudio.engine.networks.tiling import tiled_grid
from synthstudio.engine.networks.yolo import Yolo, decode

Truth = tuple[BoxArray, NDArray[np.int64]]
"""Boxes `(M, 4)` in px and classes `(M,)` of one image."""


@dataclass(frozen=True, slots=True)
class TrainedDetector:
    """A network in eval mode on its device, and what it is."""

    network: Yolo
    card: DetectorCard
    device: torch.device

    @property
    def normalization(self) -> Normalization:
        return Normalization(self.card.mean, self.card.std)


def build_detector(card: DetectorCard, *, seed: int = 0) -> Yolo:
    """Build the network that a card describes, with random weights."""
    return Yolo(card.network, len(card.classes), np.array(card.anchors, np.float64), seed=seed)


def load_detector(folder: Path, device: torch.device) -> TrainedDetector:
    """Load the best network of a run's folder. Raises UserError where there is none, or it is damaged."""
    card = read_detector_card(folder)
    network = build_detector(card)
    restore_best(network, folder)
    return TrainedDetector(network.to(device).eval(), card, device)


@torch.inference_mode()
def detect(
    network: Yolo,
    image: ImageArray,
    *,
    normalization: Normalization,
    overlap: float,
    device: torch.device,
    tick: Tick = no_tick,
) -> Detections:
    """Find objects on a whole image.

    The answers of the tiles are joined before boxes are made of them, so that no object is found twice, or halved,
    where tiles meet.

    Args:
        network: In eval mode.
        image: `(H, W, 3)` uint8 RGB at the working scale.
        normalization: That of the training.
        overlap: Greatest overlap of two detections of one class.
        device: Of the network.
        tick: Called once per tile.
    """
    pixels = normalization.apply(torch.from_numpy(np.ascontiguousarray(image))[None], device)[0]
    grid = tiled_grid(network, pixels, tick=tick).to(device)
    height, width = image.shape[:2]
    return decode(network, network.split(grid[None]), overlap=overlap, width=width, height=height)[0]


class DetectionValidator:
    """Scores a network on whole validation FOVs; F1 at the thresholds that suit them best."""

    def __init__(
        self,
        marked: Sequence[MarkedImage],
        names: Sequence[str],
        normalization: Normalization,
        *,
        overlap: float,
        device: torch.device,
    ) -> None:
        self._marked = marked
        self._names = names
        self._normalization = normalization
        self._overlap = overlap
        self._device = device

    def match(self, network: nn.Module) -> list[ClassMatches]:
        """Detect on all images and match by class."""
        assert isinstance(network, Yolo)  # the loop trains what it was given
        found = [
            detect(network, each.image, normalization=self._normalization, overlap=self._overlap, device=self._device)
            for each in self._marked
        ]
        true: list[Truth] = [(each.extents, each.labels) for each in self._marked]
        return [match_class(found, true, label) for label in range(len(self._names))]

    def __call__(self, network: nn.Module) -> Validation:
        """Give the macro F1 at IoU .5 as the score."""
        f1 = [best_f1(each) for each in self.match(network)]
        figures = {f"f1/{name}": value for name, value in zip(self._names, f1, strict=True) if value is not None}
        macro = mean_defined(f1)
        if macro is not None:
            figures["f1/macro"] = macro
        return Validation(macro if macro is not None else 0.0, figures)


def best_f1(matches: ClassMatches) -> float | None:
    """F1 at the threshold that suits these very images best."""
    threshold = tune_score_threshold(matches)
    kept = matches.scores >= (1.0 if threshold is None else threshold)
    hits, n_true = int((kept & matches.hits[0]).sum()), int(matches.n_true.sum())
    return f1_of(hits, int(kept.sum()) - hits, n_true - hits)
