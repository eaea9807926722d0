"""What validation decides: scores during the training, and thresholds and scales of the finished classifier."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from synthstudio.core.evaluation.presence import f1_of, mean_defined, roc_auc, tune_threshold
from synthstudio.core.explanation.maps import cam_range
from synthstudio.core.explanation.matching import PointArray, tune_peak_threshold
from synthstudio.core.explanation.peaks import find_peaks
from synthstudio.core.geometry import BoxArray
from synthstudio.core.training.model_card import ModelCard, ModelClass
from synthstudio.domain.progress import Tick
from synthstudio.domain.records import FieldOfView
from synthstudio.engine.data.batches import Normalization
from synthstudio.engine.data.crops import CropStore
from synthstudio.engine.data.fields import MarkedReader
from synthstudio.engine.inference import TrainedClassifier, predict_cams, predict_presence
from synthstudio.engine.loops import Validation

MATCH_SHARE = 0.5
"""A centre is found when a peak lies within this share of the class's mean size."""


def centers_of(extents: BoxArray) -> PointArray:
    """Middles `(N, 2)` of boxes `(N, 4)`."""
    return (extents[:, :2] + extents[:, 2:]) / 2.0


class PresenceValidator:
    """Scores a network on real crops; F1 at the thresholds that suit these crops best."""

    def __init__(
        self, store: CropStore, names: Sequence[str], normalization: Normalization, device: torch.device
    ) -> None:
        self._pixels = store.open_pixels()
        self._labels = store.presence
        self._names = names
        self._normalization = normalization
        self._device = device

    def predict(self, network: nn.Module) -> NDArray[np.float64]:
        """Probabilities `(N, C)` on the validation crops."""
        return predict_presence(network, self._pixels, self._normalization, self._device)

    def __call__(self, network: nn.Module) -> Validation:
        """Give the macro F1 as the score."""
        scores = self.predict(network)
        f1 = [_best_f1(scores[:, c], self._labels[:, c]) for c in range(len(self._names))]
        figures = {f"f1/{name}": value for name, value in zip(self._names, f1, strict=True) if value is not None}
        auc = mean_defined([roc_auc(scores[:, c], self._labels[:, c]) for c in range(len(self._names))])
        macro = mean_defined(f1)
        if auc is not None:
            figures["auc/macro"] = auc
        if macro is not None:
            figures["f1/macro"] = macro
        return Validation(macro if macro is not None else 0.0, figures)


def _best_f1(scores: NDArray[np.float64], labels: NDArray[np.bool_]) -> float | None:
    threshold = tune_threshold(scores, labels)
    answers = scores >= (0.5 if threshold is None else threshold)
    return f1_of(int((answers & labels).sum()), int((answers & ~labels).sum()), int((~answers & labels).sum()))


def tune_presence(scores: NDArray[np.float64], labels: NDArray[np.bool_]) -> list[float]:
    """Threshold per class from scores and labels `(N, C)` of validation; 0.5 where they cannot tell."""
    found = [tune_threshold(scores[:, c], labels[:, c]) for c in range(labels.shape[1])]
    return [0.5 if each is None else each for each in found]


def tune_maps(
    classifier: TrainedClassifier, reader: MarkedReader, fovs: Sequence[FieldOfView], tick: Tick
) -> tuple[ModelClass, ...]:
    """Choose the peak threshold and the fixed colour scale of each class on whole validation FOVs."""
    card = classifier.card
    columns = range(len(card.classes))
    peaks: list[list[NDArray[np.float64]]] = [[] for _ in columns]
    centers: list[list[PointArray]] = [[] for _ in columns]
    cams: list[list[NDArray[np.float32]]] = [[] for _ in columns]
    for done, marked in enumerate(reader.iter_read(fovs)):
        tick(done, len(fovs))
        for c, cam in enumerate(predict_cams(classifier, marked.image)):
            peaks[c].append(find_peaks(cam, stride=card.stride, size_px=card.classes[c].size_px))
            centers[c].append(centers_of(marked.extents[marked.labels == c]))
            cams[c].append(cam[cam > 0])
    return tuple(
        _with_maps(card, c, tune_peak_threshold(peaks[c], centers[c], max_distance=_reach(card, c)), cams[c])
        for c in columns
    )


def _reach(card: ModelCard, column: int) -> float:
    return MATCH_SHARE * card.classes[column].size_px


def _with_maps(card: ModelCard, column: int, threshold: float | None, cams: list[NDArray[np.float32]]) -> ModelClass:
    low, high = cam_range(cams)
    changes = {"peak_threshold": 0.0 if threshold is None else threshold, "cam_low": low, "cam_high": high}
    return card.classes[column].model_copy(update=changes)
