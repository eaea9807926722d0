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
from synthstudio.core.explanation.localization import LocalizationScore, MapScore, summarize_localization
from synthstudio.core.explanation.matching import CenterCounts
from synthstudio.core.stats import number_groups
from synthstudio.domain.records import FieldOfView
from synthstudio.engine.context import JobContext
from synthstudio.engine.data.crops import CropStore, build_crop_store
from synthstudio.engine.data.fields import MarkedReader
from synthstudio.engine.device import choose_device
from synthstudio.engine.fov_choice import choose_marked_fovs, reading_notes
from synthstudio.engine.inference import (
    TrainedClassifier,
    find_classes,
    find_training_run,
    load_classifier,
    predict_presence,
)
from synthstudio.engine.scoring import score_fov
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
        classes = find_classes(context.project, self._card.class_names)
        self._reader = MarkedReader(
            context.project,
            classes,
            sizes_px=[each.size_px for each in self._card.classes],
            scale=self._card.scale,
            side=self._card.side,
        )
        self._fovs = choose_marked_fovs(context.project, self._reader, settings.split, self._card.validation_fov_ids)
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
            for known, tally, found in zip(
                self._card.classes, tallies, score_fov(self._classifier, marked), strict=True
            ):
                counts = found.match(known.peak_threshold)
                tally.centers += counts
                if marked.is_exhaustive:
                    tally.exhaustive_centers += counts
                if found.hits_fov is not None:
                    tally.fov_hits.append(found.hits_fov)
                tally.crops.extend(found.crops)
                tally.crop_groups.extend([int(self._numbers[done])] * len(found.crops))
        return tallies

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

    def _notes(self, tallies: list[_MapTally]) -> list[str]:
        notes = reading_notes(
            self._context.project,
            self._fovs,
            split=self._settings.split,
            n_groups=self._n_groups,
            used_fov_ids=(*self._card.train_fov_ids, *self._card.validation_fov_ids),
        )
        if not any(fov.state.is_complete for fov in self._fovs):
            notes.append(
                "No image of the split is annotated exhaustively: presence scores count unmarked objects as absent, and"
                " precision of centres is not given."
            )
        notes.extend(
            f"{each.name}: on whole images the hottest point lies on an object in {np.mean(tally.fov_hits):.0%} of"
            f" {len(tally.fov_hits)}."
            for each, tally in zip(self._card.classes, tallies, strict=True)
            if tally.fov_hits
        )
        return notes
