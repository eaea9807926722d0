"""Using a trained detector: boxes on FOVs of any size; and how validation judges one."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from synthstudio.core.evaluation.detection import ClassMatches, Detections, match_class, tune_score_threshold
from synthstudio.core.evaluation.presence import f1_of, mean_defined
from synthstudio.core.geometry import BoxArray
from synthstudio.core.imaging import ImageArray
from synthstudio.core.training.crops import MarkedImage
from synthstudio.core.training.detector_card import DetectorCard, read_detector_card
from synthstudio.domain.errors import UserError
from synthstudio.domain.progress import Tick, no_tick
from synthstudio.engine.checkpoints import Tensors
from synthstudio.engine.data.batches import Normalization
from synthstudio.engine.inference import restore_best
from synthstudio.engine.loops import Validation
from synthstudio.engine.networks.base import round_up
from synthstudio.engine.networks.box_windows import BORDER_PX, overlapping_windows, whole_in_window
from synthstudio.engine.networks.detector import DetectorNetwork, choose_candidates, decode, suppress_doublets
from synthstudio.engine.networks.fcos import SHAPES, Fcos
from synthstudio.engine.networks.tiling import pad_to_alignment, tiled_grid
from synthstudio.engine.networks.yolo import Yolo

WINDOW_PX, WINDOWS_AT_ONCE = 768, 4
OVERLAP_SIZES = 2.0
"""Windows share so many times the mean size of the largest class: single objects are larger than the mean."""

PREFIXES = ("", "fcos.", "fcos.backbone.body.")

Candidates = Callable[[Tensor], tuple[Tensor, Tensor]]
"""Boxes `(N, K, 4)` in px and scores `(N, K, C)` of images `(N, H, W, 3)` uint8 of any size."""
Truth = tuple[BoxArray, NDArray[np.int64]]
"""Boxes `(M, 4)` in px and classes `(M,)` of one image."""


@dataclass(frozen=True, slots=True)
class TrainedDetector:
    """A network in eval mode on its device, and what it is."""

    network: DetectorNetwork
    card: DetectorCard
    device: torch.device

    @property
    def normalization(self) -> Normalization:
        return Normalization(self.card.mean, self.card.std)


def build_detector(card: DetectorCard, *, seed: int = 0) -> DetectorNetwork:
    """Build the network that a card describes, with random weights."""
    if card.network in SHAPES:
        return Fcos(card.network, len(card.classes), seed=seed)
    return Yolo(card.network, len(card.classes), np.array(card.anchors, np.float64), seed=seed)


def load_detector_weights(network: DetectorNetwork, tensors: Tensors, *, source: str) -> int:
    """Put pretrained weights into a network, as far as they fit; return how many tensors did.

    Names are those of a run's own checkpoints, of torchvision's FCOS or of its ResNet.

    Raises:
        UserError: None of them fits.
    """
    own = network.state_dict()
    fitting = {}
    for name, tensor in tensors.items():
        for prefix in PREFIXES:
            known = own.get(prefix + name.removeprefix("network/"))
            if known is not None and known.shape == tensor.shape:
                fitting[prefix + name.removeprefix("network/")] = tensor
                break
    if not any(name.endswith("weight") for name in fitting):
        raise UserError(
            f"The weights in {source} do not fit this network.",
            "Use a checkpoint of the same detector, or torchvision's FCOS or ResNet-50 weights for fcos-resnet50.",
        )
    network.load_state_dict({**own, **fitting})
    return len(fitting)


def load_detector(folder: Path, device: torch.device) -> TrainedDetector:
    """Load the best network of a run's folder. Raises UserError where there is none, or it is damaged."""
    card = read_detector_card(folder)
    network = build_detector(card)
    restore_best(network, folder)
    return TrainedDetector(network.to(device).eval(), card, device)


@torch.inference_mode()
def detect(detector: TrainedDetector, image: ImageArray, *, tick: Tick = no_tick) -> Detections:
    """Find objects on a whole image of any size.

    Where the network's answers lie on one grid, those of the tiles are joined before boxes are made of them, which
    equals one pass. Else windows overlap by more than an object, and a box that a window cuts is left to its neighbour.

    Args:
        detector: With its network in eval mode.
        image: `(H, W, 3)` uint8 RGB at the working scale.
        tick: Called once per tile.
    """
    network, card, device = detector.network, detector.card, detector.device
    height, width = image.shape[:2]
    pixels = torch.from_numpy(np.ascontiguousarray(image))
    if isinstance(network, Yolo):
        grid = tiled_grid(network, detector.normalization.apply(pixels[None], device)[0], tick=tick).to(device)
        return decode(network, network.split(grid[None]), overlap=card.overlap, height=height, width=width)[0]
    return detect_in_windows(card, pixels, partial(_candidates, detector), alignment=network.alignment, tick=tick)


def detect_in_windows(
    card: DetectorCard, pixels: Tensor, candidates: Candidates, *, alignment: int, tick: Tick
) -> Detections:
    """Find objects on a whole image in windows that overlap.

    Args:
        card: Of the detector.
        pixels: `(H, W, 3)` uint8 at the working scale.
        candidates: What the detector believes to see in windows.
        alignment: Of its network.
        tick: Called once per few windows.
    """
    height, width = pixels.shape[:2]
    largest_px = max(each.size_px for each in card.classes)
    overlap = round_up(math.ceil(OVERLAP_SIZES * largest_px) + 2 * BORDER_PX, alignment)
    side = round_up(max(WINDOW_PX, 2 * overlap), alignment)
    windows = overlapping_windows(height, width, side=side, overlap=overlap, alignment=alignment)
    parts = []
    for start in range(0, len(windows), WINDOWS_AT_ONCE):
        tick(start, len(windows))
        here = windows[start : start + WINDOWS_AT_ONCE]
        batch = torch.stack([pixels[each.top : each.bottom, each.left : each.right] for each in here])
        for window, boxes, scores in zip(here, *candidates(batch), strict=True):
            shifted, best, labels = choose_candidates(boxes + boxes.new_tensor([window.left, window.top] * 2), scores)
            is_whole = whole_in_window(shifted, window, height=height, width=width, overlap=overlap)
            parts.append((shifted[is_whole], best[is_whole], labels[is_whole]))
    boxes, scores, labels = (torch.cat(each) for each in zip(*parts, strict=True))
    return suppress_doublets(boxes, scores, labels, overlap=card.overlap, height=height, width=width)


def _candidates(detector: TrainedDetector, images: Tensor) -> tuple[Tensor, Tensor]:
    """Candidates on images `(N, H, W, 3)` uint8 of any size."""
    padded = pad_to_alignment(detector.normalization.apply(images, detector.device), detector.network.alignment)
    height, width = padded.shape[2:]
    return detector.network.candidates(detector.network(padded), height=height, width=width)


class DetectionValidator:
    """Scores a network on whole validation FOVs; F1 at the thresholds that suit them best."""

    def __init__(self, marked: Sequence[MarkedImage], card: DetectorCard, device: torch.device) -> None:
        self._marked = marked
        self._card = card
        self._device = device

    def match(self, network: nn.Module) -> list[ClassMatches]:
        """Detect on all images and match by class."""
        assert isinstance(network, DetectorNetwork)  # the loop trains what it was given
        detector = TrainedDetector(network, self._card, self._device)
        found = [detect(detector, each.image) for each in self._marked]
        true: list[Truth] = [(each.extents, each.labels) for each in self._marked]
        return [match_class(found, true, label) for label in range(len(self._card.classes))]

    def __call__(self, network: nn.Module) -> Validation:
        """Give the macro F1 at IoU .5 as the score."""
        f1 = [best_f1(each) for each in self.match(network)]
        figures = {
            f"f1/{name}": value for name, value in zip(self._card.class_names, f1, strict=True) if value is not None
        }
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
