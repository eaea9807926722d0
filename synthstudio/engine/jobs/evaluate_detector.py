"""Scoring a trained detector on whole real FOVs."""

from __future__ import annotations

import time

import numpy as np

from synthstudio.core.evaluation.detected import (
    detection_file,
    record_detections,
    write_fov_detections,
)
from synthstudio.core.evaluation.detection import (
    ClassMatches,
    Detections,
    DetectionScore,
    agree_on_counts,
    match_class,
    score_class,
)
from synthstudio.core.evaluation.presence import mean_defined
from synthstudio.core.evaluation.resampling import drawn_mean
from synthstudio.core.evaluation.stored_detections import DETECTIONS_NAME, collect_detections, write_detections
from synthstudio.core.stats import number_groups, percentile_interval
from synthstudio.domain.errors import UserError
from synthstudio.domain.records import FieldOfView
from synthstudio.engine.context import JobContext
from synthstudio.engine.data.fields import MarkedReader
from synthstudio.engine.detection import Truth, detect, load_detector
from synthstudio.engine.device import choose_device
from synthstudio.engine.fov_choice import choose_marked_fovs, reading_notes
from synthstudio.engine.inference import find_classes, find_training_run
from synthstudio.protocol.results import ClassDetection, CountScore, EvaluateDetectorResult
from synthstudio.settings.detect import DetectSettings
from synthstudio.settings.evaluate_detector import EvaluateDetectorSettings


def run(settings: EvaluateDetectorSettings, context: JobContext) -> EvaluateDetectorResult:
    """Evaluate.

    Raises:
        UserError: There is no trained detector, no exhaustively annotated FOV in the split, or an image cannot be read.
    """
    return _Evaluation(settings, context).run()


class _Evaluation:
    """One execution of the job."""

    def __init__(self, settings: EvaluateDetectorSettings, context: JobContext) -> None:
        self._settings, self._context = settings, context
        self._run = find_training_run(context.project, settings.run, model="detector")
        self._detector = load_detector(context.project.run_folder(self._run), choose_device(context.device))
        card = self._detector.card
        self._reader = MarkedReader(
            context.project,
            find_classes(context.project, card.class_names),
            sizes_px=[each.size_px for each in card.classes],
            scale=card.working_scale,
            side=card.side,
        )
        self._fovs = self._choose()
        self._groups, self._n_groups = number_groups([fov.sample_id for fov in self._fovs])

    def run(self) -> EvaluateDetectorResult:
        """Do the work."""
        began = time.monotonic()
        card = self._detector.card
        self._context.stage("Detecting")
        found, true = self._detect()
        self._store(found, true)
        matches = [match_class(found, true, label) for label in range(len(card.classes))]
        scored = [
            score_class(
                each,
                threshold=known.threshold,
                groups=self._groups,
                n_groups=self._n_groups,
                seed=self._context.seed,
            )
            for each, known in zip(matches, card.classes, strict=True)
        ]
        scores = [score for score, _ in scored]
        drawn_macro = drawn_mean(np.stack([drawn.f1 for _, drawn in scored], axis=1))
        drawn_map50 = drawn_mean(np.stack([drawn.ap50 for _, drawn in scored], axis=1))
        return EvaluateDetectorResult(
            run=self._run,
            split=self._settings.split.value,
            n_images=len(self._fovs),
            n_groups=self._n_groups,
            per_class={
                known.name: self._to_class(score, each, known.threshold)
                for known, score, each in zip(card.classes, scores, matches, strict=True)
            },
            macro_f1=mean_defined([score.f1 for score in scores]),
            map50=mean_defined([score.ap50 for score in scores]),
            map=mean_defined([score.ap for score in scores]),
            ci95=percentile_interval(drawn_macro) if self._settings.intervals else None,
            map50_ci95=percentile_interval(drawn_map50) if self._settings.intervals else None,
            notes=tuple(
                reading_notes(
                    self._context.project,
                    self._fovs,
                    split=self._settings.split,
                    n_groups=self._n_groups,
                    used_fov_ids=(*card.train_fov_ids, *card.validation_fov_ids),
                )
            ),
            detections=DETECTIONS_NAME,
            seconds=round(time.monotonic() - began, 3),
        )

    def _choose(self) -> list[FieldOfView]:
        """Only fields on which every object is marked: elsewhere a right detection would count as false."""
        marked = choose_marked_fovs(
            self._context.project, self._reader, self._settings.split, self._detector.card.validation_fov_ids
        )
        whole = [fov for fov in marked if fov.state.is_complete]
        if not whole:
            raise UserError(
                f"No image of the {self._settings.split.value} split is annotated exhaustively, so a detection that"
                " matches no annotation may be right.",
                "Annotate some images of the split completely and mark them as such.",
            )
        return whole

    def _detect(self) -> tuple[list[Detections], list[Truth]]:
        found, true = [], []
        for done, marked in enumerate(self._reader.iter_read(self._fovs)):
            self._context.tick(done, len(self._fovs))
            found.append(detect(self._detector, marked.image))
            self._show_later(self._fovs[done], found[-1])
            true.append((marked.extents, marked.labels))
        return found, true

    def _show_later(self, fov: FieldOfView, found: Detections) -> None:
        """Store the boxes of one FOV as the detect job does, to be looked at in the window."""
        record = record_detections(found, self._detector.card, fov, run=self._run, min_score=DetectSettings().min_score)
        write_fov_detections(detection_file(self._context.run_dir, fov.id), record)

    def _store(self, found: list[Detections], true: list[Truth]) -> None:
        card = self._detector.card
        detections = collect_detections(
            class_names=card.class_names,
            fov_ids=[fov.id for fov in self._fovs],
            sample_ids=[fov.sample_id for fov in self._fovs],
            found=found,
            true=true,
            scales=[self._reader.scale.of(fov) for fov in self._fovs],
            thresholds=[each.threshold for each in card.classes],
        )
        write_detections(self._context.run_dir / DETECTIONS_NAME, detections)

    def _to_class(self, score: DetectionScore, matches: ClassMatches, threshold: float) -> ClassDetection:
        agreement = agree_on_counts(matches, threshold=threshold)
        return ClassDetection(
            precision=score.precision,
            recall=score.recall,
            f1=score.f1,
            ap50=score.ap50,
            ap=score.ap,
            support=score.support,
            count=CountScore(bias=agreement.bias, limits=agreement.limits) if agreement is not None else None,
            ci95=score.ci95 if self._settings.intervals else None,
            precision_ci95=score.precision_ci95 if self._settings.intervals else None,
            recall_ci95=score.recall_ci95 if self._settings.intervals else None,
            ap50_ci95=score.ap50_ci95 if self._settings.intervals else None,
        )
