"""What validation decides: scores during the training, and thresholds and scales of the finished classifier."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from synthstudio.core.evaluation.presence import f1_of, mean_defined, roc_auc, tune_threshold
from synthstudio.core.explanation.maps import Cam, cam_range
from synthstudio.core.explanation.matching import PointArray, tune_peak_threshold
from synthstudio.core.explanation.peaks import find_peaks
from synthstudio.core.geometry import BoxArray
from synthstudio.core.imaging import ImageArray
from synthstudio.core.training.model_card import ModelCard, ModelClass
from synthstudio.core.training.single_label import choose_validation
from synthstudio.domain.progress import Tick
from synthstudio.domain.records import FieldOfView
from synthstudio.engine.data.batches import Normalization
from synthstudio.engine.data.crops import CropStore
from synthstudio.engine.data.fields import MarkedReader
from synthstudio.engine.inference import TrainedClassifier, predict_cams, predict_presence
from synthstudio.engine.loops import Validation
from synthstudio.settings.train_classifier import Task

MATCH_SHARE = 0.5
"""A centre is found when a peak lies within this share of the class's mean size."""


def centers_of(extents: BoxArray) -> PointArray:
    """Middles `(N, 2)` of boxes `(N, 4)`."""
    return (extents[:, :2] + extents[:, 2:]) / 2.0


class PresenceValidator:
    """Scores a network on real crops; F1 at the thresholds that suit these crops best.

    Where an image has one label, only the crops that show one class are looked at, and one half is the threshold.

    Raises:
        UserError: There is no such crop.
    """

    def __init__(
        self,
        store: CropStore,
        names: Sequence[str],
        normalization: Normalization,
        device: torch.device,
        *,
        task: Task = "multi-label",
    ) -> None:
        self._pixels, self.labels = store.open_pixels(), store.presence
        if task == "single-label":
            rows = choose_validation(store.presence)
            self._pixels, self.labels = self._pixels[rows], store.presence[rows]
        self._task = task
        self._names = names
        self._normalization = normalization
        self._device = device

    def predict(self, network: nn.Module) -> NDArray[np.float64]:
        """Probabilities `(N, C)` on the validation crops, whose `labels` are `(N, C)`."""
        return predict_presence(network, self._pixels, self._normalization, self._device, task=self._task)

    def thresholds(self, scores: NDArray[np.float64]) -> list[float]:
        """Threshold per class from scores `(N, C)` on the validation crops; 0.5 where they cannot tell."""
        if self._task == "single-label":
            return [0.5] * len(self._names)
        found = [tune_threshold(scores[:, c], self.labels[:, c]) for c in range(len(self._names))]
        return [0.5 if each is None else each for each in found]

    def __call__(self, network: nn.Module) -> Validation:
        """Give the macro F1 as the score."""
        scores = self.predict(network)
        thresholds = self.thresholds(scores)
        f1 = [_f1(scores[:, c] >= thresholds[c], self.labels[:, c]) for c in range(len(self._names))]
        figures = {f"f1/{name}": value for name, value in zip(self._names, f1, strict=True) if value is not None}
        auc = mean_defined([roc_auc(scores[:, c], self.labels[:, c]) for c in range(len(self._names))])
        macro = mean_defined(f1)
        if auc is not None:
            figures["auc/macro"] = auc
        if macro is not None:
            figures["f1/macro"] = macro
        return Validation(macro if macro is not None else 0.0, figures)


def _f1(answers: NDArray[np.bool_], labels: NDArray[np.bool_]) -> float | None:
    return f1_of(int((answers & labels).sum()), int((answers & ~labels).sum()), int((~answers & labels).sum()))


def tune_maps(
    classifier: TrainedClassifier,
    reader: MarkedReader,
    fovs: Sequence[FieldOfView],
    tick: Tick,
    *,
    maps_of: Callable[[TrainedClassifier, ImageArray], Cam] = predict_cams,
    scale_of: Callable[[list[Cam]], tuple[float, float]] = cam_range,
) -> tuple[ModelClass, ...]:
    """Choose the peak threshold and the fixed colour scale of each class on whole validation FOVs.

    Args:
        classifier: The classifier; its card's stride is that of the maps.
        reader: Reads the FOVs.
        fovs: The FOVs.
        tick: Called once per FOV.
        maps_of: Computes the maps of an image; the network's own otherwise.
        scale_of: Finds the colour scale of a class from its positive values.
    """
    card = classifier.card
    columns = range(len(card.classes))
    peaks: list[list[NDArray[np.float64]]] = [[] for _ in columns]
    centers: list[list[PointArray]] = [[] for _ in columns]
    cams: list[list[NDArray[np.float32]]] = [[] for _ in columns]
    for done, marked in enumerate(reader.iter_read(fovs)):
        tick(done, len(fovs))
        for c, cam in enumerate(maps_of(classifier, marked.image)):
            peaks[c].append(find_peaks(cam, stride=card.stride, size_px=card.classes[c].size_px))
            centers[c].append(centers_of(marked.extents[marked.labels == c]))
            cams[c].append(cam[cam > 0])
    thresholds = [tune_peak_threshold(peaks[c], centers[c], max_distance=_reach(card, c)) for c in columns]
    return tuple(_with_maps(card.classes[c], thresholds[c], scale_of(cams[c])) for c in columns)


def _reach(card: ModelCard, column: int) -> float:
    return MATCH_SHARE * card.classes[column].size_px


def _with_maps(known: ModelClass, threshold: float | None, scale: tuple[float, float]) -> ModelClass:
    changes = {"peak_threshold": 0.0 if threshold is None else threshold, "cam_low": scale[0], "cam_high": scale[1]}
    return known.model_copy(update=changes)
