"""What the class maps of a classifier show on annotated FOVs, before any threshold is applied."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synthstudio.core.explanation.localization import MapScore, score_map
from synthstudio.core.explanation.maps import Cam, upsample_cam
from synthstudio.core.explanation.matching import CenterCounts, PointArray, match_centers
from synthstudio.core.explanation.peaks import PeakArray, find_peaks
from synthstudio.core.geometry import BoxArray
from synthstudio.core.training.crops import CropPlace, MarkedImage, crop_presence, plan_crops
from synthstudio.engine.calibration import MATCH_SHARE, centers_of
from synthstudio.engine.inference import TrainedClassifier, predict_cams


@dataclass(frozen=True, slots=True)
class ClassOnFov:
    """The map of one class on one FOV.

    Attributes:
        size_px: Mean size of the class.
        peaks: `(K, 3)` all peaks: x, y, value.
        centers: `(M, 2)` of the annotated objects.
        places: The sequential crops on which the class is present.
        crops: Scores on these.
        hits_fov: Whether the maximum over the whole FOV lies on an object; None where the class is not on the FOV.
    """

    size_px: float
    peaks: PeakArray
    centers: PointArray
    places: tuple[CropPlace, ...]
    crops: tuple[MapScore, ...]
    hits_fov: bool | None

    @property
    def reach_px(self) -> float:
        """A peak this near to a centre has found it."""
        return MATCH_SHARE * self.size_px

    def match(self, threshold: float) -> CenterCounts:
        """Match the peaks from a threshold on with the centres."""
        kept = self.peaks[self.peaks[:, 2] >= threshold, :2]
        return match_centers(kept, self.centers, max_distance=self.reach_px)


def score_fov(classifier: TrainedClassifier, marked: MarkedImage) -> list[ClassOnFov]:
    """Compute the maps of a whole FOV and lay them on its annotations; one entry per class of the classifier."""
    card = classifier.card
    cams = predict_cams(classifier, marked.image)
    height, width = marked.image.shape[:2]
    places = plan_crops(width, height, card.side)
    presence = crop_presence(marked, places, side=card.side, n_classes=len(card.classes), min_visible=card.min_visible)
    found = []
    for column, (cam, known) in enumerate(zip(cams, card.classes, strict=True)):
        extents = marked.extents[marked.labels == column]
        here: list[CropPlace] = []
        crops: list[MapScore] = []
        hits_fov = None
        if len(extents):
            pixels = upsample_cam(cam, stride=card.stride, width=width, height=height)
            hits_fov = score_map(pixels, extents, size_px=known.size_px).hit
            here = [place for place, present in zip(places, presence[:, column], strict=True) if present]
            crops = _score_crops(pixels, extents, here, side=card.side, size_px=known.size_px)
        found.append(
            ClassOnFov(
                size_px=known.size_px,
                peaks=find_peaks(cam, stride=card.stride, size_px=known.size_px),
                centers=centers_of(extents),
                places=tuple(here),
                crops=tuple(crops),
                hits_fov=hits_fov,
            )
        )
    return found


def _score_crops(
    pixels: Cam, extents: BoxArray, places: list[CropPlace], *, side: int, size_px: float
) -> list[MapScore]:
    scores = []
    for x, y in places:
        shifted = extents - np.array([x, y, x, y], np.float64)
        near = (shifted[:, 2] > 0) & (shifted[:, 3] > 0) & (shifted[:, 0] < side) & (shifted[:, 1] < side)
        scores.append(score_map(pixels[y : y + side, x : x + side], shifted[near], size_px=size_px))
    return scores
