"""Scoring a trained classifier on real FOVs: presence on sequential crops, and where its maps lie.

Presence and localisation are scored on the same crops, those on which the class is present; the maps are computed on
whole FOVs. Peaks are matched with centres on whole FOVs.
"""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass, field

import numpy as np

from synthstudio.core.evaluation.presence import PresenceReport, PresenceScore, mean_defined, score_presence
from synthstudio.core.explanation.localization import (
    LocalizationScore,
    MapScore,
    score_map,
    summarize_localization,
)
from synthstudio.core.explanation.maps import Cam, upsample_cam
from synthstudio.core.explanation.matching import CenterCounts, match_centers
from synthstudio.core.explanation.peaks import find_peaks
from synthstudio.core.stats import MIN_RELIABLE_GROUPS, number_groups
from synthstudio.core.training.crops import MarkedImage, crop_presence, plan_crops
from synthstudio.domain.errors import UserError
from synthstudio.domain.records import FieldOfView, Split
from synthstudio.engine.calibration import MATCH_SHARE, centers_of
from synthstudio.engine.context import JobContext
from synthstudio.engine.data.crops import CropStore, build_crop_store
from synthstudio.engine.data.fields import MarkedReader
from synthstudio.engine.device import choose_device
from synthstudio.engine.inference import (
    TrainedClassifier,
    find_classes,
    find_training_run,
    load_classifier,
    predict_cams,
    predict_presence,
)
from synthstudio.protocol.results import (
    CenterScore,
    Classification,
    ClassLocalization,
    ClassScore,
    EvaluateResult,
    Localization,
)
from synthstudio.settings.evaluate import EvaluateSettings

CACHE = "cache"


@dataclass(slots=True)
class _MapTally:
    """What the maps of one class scored."""

    crops: list[MapScore] = field(default_factory=list)
    crop_groups: list[int] = field(default_factory=list)
    fov_hits: list[bool] = field(default_factory=list)
    centers: CenterCounts = field(default_factory=lambda: CenterCounts(0, 0, 0))
    exhaustive_centers: CenterCounts = field(default_factory=lambda: CenterCounts(0, 0, 0))


def run(settings: EvaluateSettings, context: JobContext) -> EvaluateResult:
    """Evaluate.

    Raises:
        UserError: There is no trained classifier, no annotated FOV in the split, or an image cannot be read.
    """
    try:
        return _Evaluation(settings, context).run()
    finally:
        shutil.rmtree(context.run_dir / CACHE, ignore_errors=True)


class _Evaluation:
    """One execution of the job."""

    def __init__(self, settings: EvaluateSettings, context: JobContext) -> None:
        self._settings = settings
        self._context = context
        self._run = find_training_run(context.project, settings.run)
        self._classifier: TrainedClassifier = load_classifier(
            context.project.run_folder(self._run), choose_device(context.device)
        )
        self._card = self._classifier.card
        classes = find_classes(context.project, self._card)
        self._reader = MarkedReader(
            context.project,
            classes,
            sizes_px=[each.size_px for each in self._card.classes],
            scale=self._card.scale,
            side=self._card.side,
        )
        self._fovs = self._choose_fovs()
        self._numbers, self._n_groups = number_groups([fov.sample_id for fov in self._fovs])

    def run(self) -> EvaluateResult:
        """Do the work."""
        began = time.monotonic()
        self._context.stage("Scoring presence on crops")
        report, n_groups = self._score_presence()
        self._context.stage("Scoring class activation maps")
        tallies = self._score_maps()
        return EvaluateResult(
            run=self._run,
            split=self._settings.split.value,
            n_images=len(self._fovs),
            n_groups=n_groups,
            classification=self._to_classification(report),
            localization=self._to_localization(tallies),
            notes=tuple(self._notes(tallies)),
            seconds=round(time.monotonic() - began, 3),
        )

    def _choose_fovs(self) -> list[FieldOfView]:
        split = self._settings.split
        fovs = [fov for fov in self._context.project.fovs.list(split=split) if self._reader.is_marked(fov)]
        if split is Split.VAL and not fovs:
            # The training set a validation part aside by itself.
            chosen = set(self._card.validation_fov_ids)  # some may have been removed since
            fovs = [fov for fov in self._context.project.fovs.list() if fov.id in chosen]
        if not fovs:
            raise UserError(
                f"No image of the {split.value} split is annotated, so there is nothing to score against.",
                "Put annotated samples into that split, or choose another one.",
            )
        return fovs

    def _score_presence(self) -> tuple[PresenceReport, int]:
        """Score presence on exhaustively annotated FOVs; without any, on all annotated ones (see the notes)."""
        whole = [fov for fov in self._fovs if fov.state.is_complete]
        store = self._cut(whole or self._fovs)
        scores = predict_presence(
            self._classifier.network,
            store.open_pixels(),
            self._classifier.normalization,
            self._classifier.device,
            self._context.tick,
        )
        groups, n_groups = number_groups(store.groups.tolist())
        report = score_presence(
            scores,
            store.presence,
            thresholds=np.array([each.threshold for each in self._card.classes]),
            groups=groups,
            n_groups=n_groups,
            seed=self._context.seed,
        )
        return report, n_groups

    def _cut(self, fovs: list[FieldOfView]) -> CropStore:
        return build_crop_store(
            self._reader,
            fovs,
            self._context.run_dir / CACHE / "crops.npy",
            scale=self._card.scale,
            side=self._card.side,
            n_classes=len(self._card.classes),
            min_visible=self._card.min_visible,
            tick=self._context.tick,
        )

    def _score_maps(self) -> list[_MapTally]:
        tallies = [_MapTally() for _ in self._card.classes]
        for done, marked in enumerate(self._reader.iter_read(self._fovs)):
            self._context.tick(done, len(self._fovs))
            cams = predict_cams(self._classifier, marked.image)
            height, width = marked.image.shape[:2]
            places = plan_crops(width, height, self._card.side)
            presence = crop_presence(
                marked,
                places,
                side=self._card.side,
                n_classes=len(tallies),
                min_visible=self._card.min_visible,
            )
            for column, (cam, tally) in enumerate(zip(cams, tallies, strict=True)):
                self._count_centers(marked, column, cam, tally)
                if not (marked.labels == column).any():
                    continue
                pixels = upsample_cam(cam, stride=self._card.stride, width=width, height=height)
                here = [place for place, present in zip(places, presence[:, column], strict=True) if present]
                self._score_windows(marked, column, pixels, here, tally)
                tally.crop_groups.extend([int(self._numbers[done])] * len(here))
        return tallies

    def _score_windows(
        self,
        marked: MarkedImage,
        column: int,
        pixels: Cam,
        places: list[tuple[int, int]],
        tally: _MapTally,
    ) -> None:
        extents, size_px = marked.extents[marked.labels == column], self._card.classes[column].size_px
        tally.fov_hits.append(score_map(pixels, extents, size_px=size_px).hit)
        side = self._card.side
        for x, y in places:
            shifted = extents - np.array([x, y, x, y], np.float64)
            near = (shifted[:, 2] > 0) & (shifted[:, 3] > 0) & (shifted[:, 0] < side) & (shifted[:, 1] < side)
            tally.crops.append(score_map(pixels[y : y + side, x : x + side], shifted[near], size_px=size_px))

    def _count_centers(
        self,
        marked: MarkedImage,
        column: int,
        cam: Cam,
        tally: _MapTally,
    ) -> None:
        known = self._card.classes[column]
        peaks = find_peaks(cam, stride=self._card.stride, size_px=known.size_px)
        kept = peaks[peaks[:, 2] >= known.peak_threshold, :2]
        centers = centers_of(marked.extents[marked.labels == column])
        counts = match_centers(kept, centers, max_distance=MATCH_SHARE * known.size_px)
        tally.centers += counts
        if marked.is_exhaustive:
            tally.exhaustive_centers += counts

    def _to_classification(self, report: PresenceReport) -> Classification:
        return Classification(
            per_class={
                each.name: self._to_class_score(score)
                for each, score in zip(self._card.classes, report.per_class, strict=True)
            },
            macro_f1=report.macro_f1,
            accuracy=report.accuracy,
            auc=report.auc,
            ci95=report.macro_ci95 if self._settings.intervals else None,
        )

    def _to_class_score(self, score: PresenceScore) -> ClassScore:
        return ClassScore(
            precision=score.precision,
            recall=score.recall,
            f1=score.f1,
            support=score.support,
            prevalence_f1=score.prevalence_f1,
            f1_at_half=score.f1_at_half,
            ci95=score.ci95 if self._settings.intervals else None,
        )

    def _to_localization(self, tallies: list[_MapTally]) -> Localization:
        per_class = {
            each.name: self._to_class_localization(tally)
            for each, tally in zip(self._card.classes, tallies, strict=True)
        }
        found = list(per_class.values())
        return Localization(
            pointing_accuracy=mean_defined([each.pointing_accuracy for each in found]),
            chance=mean_defined([each.chance for each in found]),
            center=CenterScore(
                precision=mean_defined([each.center.precision for each in found]),
                recall=mean_defined([each.center.recall for each in found]),
                f1=mean_defined([each.center.f1 for each in found]),
            ),
            energy_in_box=mean_defined([each.energy_in_box for each in found]),
            per_class=per_class,
        )

    def _to_class_localization(self, tally: _MapTally) -> ClassLocalization:
        score: LocalizationScore = summarize_localization(
            tally.crops,
            np.array(tally.crop_groups, np.int64),
            n_groups=self._n_groups,
            centers=tally.centers,
            seed=self._context.seed,
        )
        # Where objects may be unmarked a peak that matches none is no proof of a false alarm: recall only.
        return ClassLocalization(
            pointing_accuracy=score.pointing_accuracy,
            chance=score.chance,
            center=CenterScore(
                precision=tally.exhaustive_centers.precision,
                recall=tally.centers.recall,
                f1=tally.exhaustive_centers.f1 if tally.exhaustive_centers.n_true else None,
            ),
            energy_in_box=score.energy,
            energy_chance=score.energy_chance,
            n_images=score.n_images,
            ci95=score.ci95 if self._settings.intervals else None,
        )

    def _count_seen(self) -> int:
        """Number of scored images of samples that the training used, whatever their split is now."""
        used = {*self._card.train_fov_ids, *self._card.validation_fov_ids}
        seen = {fov.sample_id for fov in self._context.project.fovs.list() if fov.id in used}
        return sum(fov.sample_id in seen for fov in self._fovs)

    def _notes(self, tallies: list[_MapTally]) -> list[str]:
        notes = []
        if self._n_groups < MIN_RELIABLE_GROUPS:
            notes.append(
                f"Intervals are unreliable: they resample only {self._n_groups} samples,"
                f" {MIN_RELIABLE_GROUPS} are needed."
            )
        if not any(fov.state.is_complete for fov in self._fovs):
            notes.append(
                "No image of the split is annotated exhaustively: presence scores count unmarked objects as absent, and"
                " precision of centres is not given."
            )
        n_seen = self._count_seen()
        if self._settings.split is Split.TEST and n_seen:
            notes.append(
                f"{n_seen} of the {len(self._fovs)} images are of samples that the training saw before they were moved"
                " to the test split: the scores are too good. Train again to have honest ones."
            )
        if self._settings.split is not Split.TEST:
            notes.append(f"The {self._settings.split.value} split was seen by the training or chose its thresholds.")
        notes.extend(
            f"{each.name}: on whole images the hottest point lies on an object in {np.mean(tally.fov_hits):.0%} of"
            f" {len(tally.fov_hits)}."
            for each, tally in zip(self._card.classes, tallies, strict=True)
            if tally.fov_hits
        )
        return notes
