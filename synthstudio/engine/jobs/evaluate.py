"""Scoring a trained classifier on real FOVs: presence on sequential crops, and where its maps lie.

Presence and localisation are scored on the same crops, those on which the class is present; the maps are computed on
whole FOVs. Peaks are matched with centres on whole FOVs.
"""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from synthstudio.core.evaluation.class_metrics import score_predictions
from synthstudio.core.evaluation.map_scores import MAP_SCORES_NAME, MapRow, collect_map_scores, write_map_scores
from synthstudio.core.evaluation.predictions import PREDICTIONS_NAME, CropPredictions, write_predictions
from synthstudio.core.evaluation.presence import mean_defined
from synthstudio.core.explanation.localization import (
    LocalizationScore,
    MapScore,
    center_interval,
    summarize_localization,
)
from synthstudio.core.explanation.matching import CenterCounts
from synthstudio.core.stats import number_groups
from synthstudio.core.training.crops import crop_square, plan_squares
from synthstudio.core.training.single_label import show_one_class
from synthstudio.domain.errors import UserError
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
from synthstudio.protocol.results import CenterScore, ClassLocalization, EvaluateResult, Localization
from synthstudio.protocol.scores import to_classification
from synthstudio.settings.evaluate import EvaluateSettings

CACHE = "cache"


@dataclass(slots=True)
class _MapTally:
    """What the maps of one class scored."""

    crops: list[MapScore] = field(default_factory=list)
    crop_groups: list[int] = field(default_factory=list)
    rows: list[MapRow] = field(default_factory=list)
    fov_hits: list[bool] = field(default_factory=list)
    centers: CenterCounts = field(default_factory=lambda: CenterCounts(0, 0, 0))
    exhaustive_centers: list[CenterCounts] = field(default_factory=list)
    exhaustive_groups: list[int] = field(default_factory=list)


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
        self._left_out: list[str] = []
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
            scale=self._card.working_scale,
            side=self._card.side,
        )
        self._fovs = choose_marked_fovs(context.project, self._reader, settings.split, self._card.validation_fov_ids)
        self._numbers, self._n_groups = number_groups([fov.sample_id for fov in self._fovs])

    def run(self) -> EvaluateResult:
        """Do the work."""
        began = time.monotonic()
        self._context.stage("Scoring presence on crops")
        predictions = self._predict()
        report = score_predictions(predictions, seed=self._context.seed)
        write_predictions(self._context.run_dir / PREDICTIONS_NAME, predictions)
        self._context.stage("Scoring class activation maps")
        tallies = self._score_maps()
        map_scores = collect_map_scores(self._card.class_names, [row for tally in tallies for row in tally.rows])
        write_map_scores(self._context.run_dir / MAP_SCORES_NAME, map_scores)
        return EvaluateResult(
            run=self._run,
            split=self._settings.split.value,
            n_images=len(self._fovs),
            n_groups=report.n_groups,
            classification=to_classification(self._card.class_names, report, with_intervals=self._settings.intervals),
            localization=self._to_localization(tallies),
            notes=tuple(self._notes(tallies)),
            predictions=PREDICTIONS_NAME,
            map_scores=MAP_SCORES_NAME,
            seconds=round(time.monotonic() - began, 3),
        )

    def _predict(self) -> CropPredictions:
        """Answer on exhaustively annotated FOVs; without any, on all annotated ones (see the notes)."""
        fovs = [fov for fov in self._fovs if self._reader.is_complete(fov)] or self._fovs
        store = self._cut(fovs)
        scores = predict_presence(
            self._classifier.network,
            store.open_pixels(),
            self._classifier.normalization,
            self._classifier.device,
            self._context.tick,
            task=self._card.task,
        )
        card = self._card
        squares = [
            square
            for fov in fovs
            for square in plan_squares(fov.width, fov.height, side=card.side, scale=card.working_scale.of(fov))
        ]
        rows = np.arange(len(store))
        if card.task == "single-label":
            rows = self._choose_single(store)
        return CropPredictions(
            class_names=card.class_names,
            fov_ids=store.fov_ids[rows],
            sample_ids=store.groups[rows],
            boxes=np.array([(each.x, each.y, each.side, each.side) for each in squares], np.int64)[rows],
            truth=store.presence[rows],
            scores=scores[rows].astype(np.float32),
            thresholds=np.array([each.threshold for each in card.classes], np.float64),
        )

    def _choose_single(self, store: CropStore) -> NDArray[np.intp]:
        """Rows of the crops that show exactly one class: a classifier that gives one label can answer these alone."""
        rows = np.flatnonzero(show_one_class(store.presence))
        if not len(rows):
            raise UserError(
                f"None of the {len(store)} crops shows exactly one class, so this classifier cannot be scored.",
                "Choose another split, or a classifier that gives several labels.",
            )
        if n_left := len(store) - len(rows):
            self._left_out.append(
                f"{n_left} of {len(store)} crops show no class or several and are left out: the classifier gives one"
                " label to each."
            )
        return rows

    def _cut(self, fovs: list[FieldOfView]) -> CropStore:
        return build_crop_store(
            self._reader,
            fovs,
            self._context.run_dir / CACHE / "crops.npy",
            side=self._card.side,
            n_classes=len(self._card.classes),
            min_visible=self._card.min_visible,
            tick=self._context.tick,
        )

    def _score_maps(self) -> list[_MapTally]:
        tallies = [_MapTally() for _ in self._card.classes]
        side = self._card.side
        for done, (fov, marked) in enumerate(zip(self._fovs, self._reader.iter_read(self._fovs), strict=True)):
            self._context.tick(done, len(self._fovs))
            scale = self._card.working_scale.of(fov)
            scored = zip(self._card.classes, tallies, score_fov(self._classifier, marked), strict=True)
            for column, (known, tally, found) in enumerate(scored):
                counts = found.match(known.peak_threshold)
                tally.centers += counts
                if marked.is_exhaustive:
                    tally.exhaustive_centers.append(counts)
                    tally.exhaustive_groups.append(int(self._numbers[done]))
                if found.hits_fov is not None:
                    tally.fov_hits.append(found.hits_fov)
                tally.crops.extend(found.crops)
                tally.crop_groups.extend([int(self._numbers[done])] * len(found.crops))
                tally.rows.extend(
                    MapRow(
                        column,
                        marked.fov_id,
                        marked.group,
                        hit=each.hit,
                        energy=each.energy,
                        square=crop_square(place, side=side, scale=scale),
                        top=(
                            round((place[0] + each.top[0] + 0.5) / scale),
                            round((place[1] + each.top[1] + 0.5) / scale),
                        ),
                    )
                    for place, each in zip(found.places, found.crops, strict=True)
                )
        return tallies

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
        whole = sum(tally.exhaustive_centers, CenterCounts(0, 0, 0))
        interval = center_interval(
            tally.exhaustive_centers,
            np.array(tally.exhaustive_groups, np.int64),
            n_groups=self._n_groups,
            seed=self._context.seed,
        )
        has_intervals = self._settings.intervals
        # Where objects may be unmarked a peak that matches none is no proof of a false alarm: recall only.
        return ClassLocalization(
            pointing_accuracy=score.pointing_accuracy,
            chance=score.chance,
            center=CenterScore(
                precision=whole.precision,
                recall=tally.centers.recall,
                f1=whole.f1 if whole.n_true else None,
                ci95=interval if has_intervals and whole.n_true else None,
            ),
            energy_in_box=score.energy,
            energy_chance=score.energy_chance,
            energy_ci95=score.energy_ci95 if has_intervals else None,
            n_images=score.n_images,
            ci95=score.ci95 if has_intervals else None,
        )

    def _notes(self, tallies: list[_MapTally]) -> list[str]:
        notes = reading_notes(
            self._context.project,
            self._fovs,
            split=self._settings.split,
            n_groups=self._n_groups,
            used_fov_ids=(*self._card.train_fov_ids, *self._card.validation_fov_ids),
        )
        if not any(self._reader.is_complete(fov) for fov in self._fovs):
            notes.append(
                "No image of the split is annotated exhaustively: presence scores count unmarked objects as absent, and"
                " precision of centres is not given."
            )
        notes.extend(self._left_out)
        notes.extend(
            f"{each.name}: on whole images the hottest point lies on an object in {np.mean(tally.fov_hits):.0%} of"
            f" {len(tally.fov_hits)}."
            for each, tally in zip(self._card.classes, tallies, strict=True)
            if tally.fov_hits
        )
        return notes
