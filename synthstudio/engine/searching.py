"""Searching FOVs for what may be annotated: a trained classifier or detector, through onnxruntime.

A network is exported once; the file is kept beside its weights, by their hash. Where there is a GPU that onnxruntime
cannot use, torch itself searches: a processor would take many times as long.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np
import torch

from synthstudio.core.evaluation.detected import record_detections
from synthstudio.core.evaluation.detection import Detections
from synthstudio.core.explanation.maps import Cam
from synthstudio.core.explanation.peaks import MapPlace, find_fov_peaks
from synthstudio.core.imaging import ImageArray, read_bytes, sha256_of_file, write_bytes_atomically
from synthstudio.core.patches.bank import scaled
from synthstudio.core.suggestions.searched import FoundClass, class_of_peaks, classes_of_boxes, half_value, peak_value
from synthstudio.domain.progress import Tick
from synthstudio.domain.records import FieldOfView
from synthstudio.engine.detection import TrainedDetector, detect, detect_in_windows, load_detector
from synthstudio.engine.inference import BEST_WEIGHTS, TrainedClassifier, load_classifier, predict_cams
from synthstudio.engine.networks.detector import choose_candidates, suppress_doublets
from synthstudio.engine.networks.tiling import tiled_grid
from synthstudio.engine.networks.yolo import Yolo
from synthstudio.engine.onnx_classifier import OnnxClassifier, build_onnx
from synthstudio.engine.onnx_detector import OnnxDetector, build_detector_onnx
from synthstudio.engine.onnx_files import OnnxSession
from synthstudio.engine.onnx_grids import OnnxCells, OnnxClassMaps, to_levels, window_candidates

CUDA_PROVIDER = "CUDAExecutionProvider"
_EXPORTED = "searching-*.onnx"


class Searcher(Protocol):
    """A model that searches FOVs."""

    @property
    def class_names(self) -> tuple[str, ...]: ...
    @property
    def provider(self) -> str:
        """What computes, in words."""

    def search(self, fov: FieldOfView, image: ImageArray, *, min_score: float, tick: Tick) -> tuple[FoundClass, ...]:
        """Find objects.

        Args:
            fov: The FOV.
            image: Its pixels, `(H, W, 3)` uint8 at full resolution.
            min_score: What lies below is left out.
            tick: Called once per tile.

        Raises:
            UserError: The FOV cannot be brought to the model's working scale.
        """


def load_searcher(folder: Path, kind: str, device: torch.device) -> Searcher:
    """Load the model of a training run, exported where it was not yet.

    Args:
        folder: Of the run.
        kind: Its job: "train-classifier" or "train-detector".
        device: What to compute on.

    Raises:
        UserError: There is no trained model, or the file cannot be written.
    """
    if kind == "train-detector":
        return DetectorSearcher(load_detector(folder, device), folder)
    return ClassifierSearcher(load_classifier(folder, device), folder)


class ClassifierSearcher:
    """Peaks of the class activation maps of a classifier."""

    def __init__(self, classifier: TrainedClassifier, folder: Path) -> None:
        self._classifier = classifier
        session = OnnxClassifier(_exported(folder, partial(build_onnx, classifier)), device=str(classifier.device))
        self.provider = _provider(session, classifier.device)
        is_onnx = self.provider == session.provider
        self._maps = OnnxClassMaps(session, classifier.network) if is_onnx else None
        self.class_names = classifier.card.class_names

    def search(self, fov: FieldOfView, image: ImageArray, *, min_score: float, tick: Tick) -> tuple[FoundClass, ...]:
        """See `Searcher`."""
        card = self._classifier.card
        factor = card.working_scale.of(fov)
        cams = self.maps(scaled(image, factor), tick)
        place = MapPlace.of(fov, stride=card.stride, factor=factor)
        found = []
        for known, cam in zip(card.classes, cams, strict=True):
            least = peak_value(min_score, half_value(known))
            peaks = find_fov_peaks(cam, place, size_px=known.size_px, threshold=0.99 * least)
            found.append(class_of_peaks(known, peaks, min_score=min_score))
        return tuple(found)

    def maps(self, image: ImageArray, tick: Tick) -> Cam:
        """Class activation maps `(C, h, w)` of an image `(H, W, 3)` uint8 at the working scale."""
        if self._maps is None:
            return predict_cams(self._classifier, image, tick)
        return np.asarray(tiled_grid(self._maps, to_levels(image), tick=tick).numpy(), np.float32)


class DetectorSearcher:
    """Boxes of a detector."""

    def __init__(self, detector: TrainedDetector, folder: Path) -> None:
        self._detector = detector
        session = OnnxDetector(_exported(folder, partial(build_detector_onnx, detector)), device=str(detector.device))
        self.provider = _provider(session, detector.device)
        self._session = session if self.provider == session.provider else None
        self.class_names = detector.card.class_names

    def search(self, fov: FieldOfView, image: ImageArray, *, min_score: float, tick: Tick) -> tuple[FoundClass, ...]:
        """See `Searcher`."""
        card = self._detector.card
        raw = self.detect(scaled(image, card.working_scale.of(fov)), tick)
        return classes_of_boxes(record_detections(raw, card, fov, run="", min_score=min_score))

    def detect(self, image: ImageArray, tick: Tick) -> Detections:
        """Find objects on an image `(H, W, 3)` uint8 at the working scale, as `detection.detect` does."""
        network, card = self._detector.network, self._detector.card
        if self._session is None:
            return detect(self._detector, image, tick=tick)
        if not isinstance(network, Yolo):
            candidates = partial(window_candidates, self._session, network.alignment)
            pixels = torch.from_numpy(np.ascontiguousarray(image))
            return detect_in_windows(card, pixels, candidates, alignment=network.alignment, tick=tick)
        cells = OnnxCells(self._session, network)
        boxes, scores = cells.candidates(tiled_grid(cells, to_levels(image), tick=tick), n_classes=len(card.classes))
        height, width = image.shape[:2]
        chosen = choose_candidates(boxes, scores)
        return suppress_doublets(*chosen, overlap=card.overlap, height=height, width=width)


def _exported(folder: Path, build: Callable[[Path], bytes]) -> bytes:
    """The exported network of a run: what an earlier search has kept, where the weights are still the same."""
    weights = folder / BEST_WEIGHTS
    path = weights.with_name(f"searching-{sha256_of_file(weights)[:16]}.onnx")
    if path.is_file():
        return read_bytes(path)
    data = build(path.with_suffix(".scratch"))
    for outdated in weights.parent.glob(_EXPORTED):
        outdated.unlink(missing_ok=True)
    write_bytes_atomically(path, data)
    return data


def _provider(session: OnnxSession, device: torch.device) -> str:
    return f"torch on {device}" if device.type == "cuda" and session.provider != CUDA_PROVIDER else session.provider
