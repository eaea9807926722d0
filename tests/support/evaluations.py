"""Stored evaluations as the evaluate job leaves them, without training anything."""

from __future__ import annotations

import itertools

import numpy as np

from synthstudio.core.evaluation.class_metrics import score_predictions
from synthstudio.core.evaluation.detection import Detections
from synthstudio.core.evaluation.predictions import PREDICTIONS_NAME, CropPredictions, write_predictions
from synthstudio.core.evaluation.stored_detections import (
    DETECTIONS_NAME,
    StoredDetections,
    collect_detections,
    write_detections,
)
from synthstudio.core.explanation.records import EXPLAIN_FOLDER, ExplainedClass, FovExplanation, write_explanation
from synthstudio.core.imaging import write_png
from synthstudio.domain.ids import RunId
from synthstudio.domain.records import RunStatus, Split
from synthstudio.project import Project
from synthstudio.protocol.results import (
    CenterScore,
    ClassDetection,
    EvaluateDetectorResult,
    EvaluateResult,
    ExplainedFov,
    ExplainResult,
    Localization,
)
from synthstudio.protocol.scores import to_classification

_NUMBERS = itertools.count(1)


def make_predictions(
    n: int = 120, *, seed: int = 0, n_samples: int = 24, skill: float = 0.4, truth_seed: int = 5
) -> CropPredictions:
    """Answers of a classifier with some skill on the same crops for every `seed`; one FOV to a sample."""
    shared, own = np.random.default_rng(truth_seed), np.random.default_rng([seed, 1])
    fov_ids = np.sort(shared.integers(1, n_samples + 1, n))
    truth = shared.random((n, 2)) < (0.5, 0.2)
    scores = np.clip(own.random((n, 2)) * (1 - skill) + skill * truth, 0, 1)
    return CropPredictions(
        class_names=("red cell", "Blutplättchen"),
        fov_ids=fov_ids,
        sample_ids=fov_ids + 100,
        boxes=np.column_stack([np.arange(n) * 64, np.zeros(n, int), np.full(n, 64), np.full(n, 64)]),
        truth=truth,
        scores=scores.astype(np.float32),
        thresholds=np.array([0.5, 0.55]),
    )


def add_evaluation(
    project: Project, training: RunId, predictions: CropPredictions | None, *, split: Split = Split.TEST
) -> RunId:
    """Record a finished evaluation of a training; without predictions, as an earlier version left it."""
    job = RunId(f"evaluate-{next(_NUMBERS):04d}")
    folder = project.run_folder(job)
    folder.mkdir(parents=True)
    project.runs.add(job, kind="evaluate", title="evaluate", settings_json='{"kind": "evaluate"}')
    if predictions is not None:
        write_predictions(folder / PREDICTIONS_NAME, predictions)
    result = _result(training, split, predictions if predictions is not None else make_predictions())
    if predictions is None:
        result = result.model_copy(update={"predictions": ""})
    project.runs.set_ended(job, RunStatus.FINISHED, summary_json=result.model_dump_json())
    return job


def _result(training: RunId, split: Split, predictions: CropPredictions) -> EvaluateResult:
    report = score_predictions(predictions, seed=0)
    nowhere = CenterScore(precision=None, recall=None, f1=None)
    return EvaluateResult(
        run=training,
        split=split.value,
        n_images=len(set(predictions.fov_ids.tolist())),
        n_groups=report.n_groups,
        classification=to_classification(predictions.class_names, report, with_intervals=True),
        localization=Localization(
            pointing_accuracy=None, chance=None, center=nowhere, energy_in_box=None, per_class={}
        ),
        predictions=PREDICTIONS_NAME,
        seconds=0.5,
    )


def add_detector_evaluation(project: Project, training: RunId, *, seed: int = 0, n_fovs: int = 24) -> RunId:
    """Record a finished evaluation of a detector that finds most of the same objects for every `seed`."""
    job = RunId(f"evaluate-detector-{next(_NUMBERS):04d}")
    project.run_folder(job).mkdir(parents=True)
    project.runs.add(job, kind="evaluate-detector", title="", settings_json='{"kind": "evaluate-detector"}')
    stored = _make_detections(seed, n_fovs)
    write_detections(project.run_folder(job) / DETECTIONS_NAME, stored)
    scores = {
        name: ClassDetection(precision=0.8, recall=0.7, f1=0.75, ap50=0.7, ap=0.4, support=n_fovs, count=None)
        for name in stored.class_names
    }
    result = EvaluateDetectorResult(
        run=training,
        split="test",
        n_images=n_fovs,
        n_groups=n_fovs,
        per_class=scores,
        macro_f1=0.75,
        map50=0.7,
        map=0.4,
        detections=DETECTIONS_NAME,
        seconds=0.5,
    )
    project.runs.set_ended(job, RunStatus.FINISHED, summary_json=result.model_dump_json())
    return job


def _make_detections(seed: int, n_fovs: int) -> StoredDetections:
    shared, own = np.random.default_rng(5), np.random.default_rng([seed, 2])
    found, true = [], []
    for _ in range(n_fovs):
        corners = np.column_stack([np.arange(4) * 50.0, shared.uniform(0, 100, 4)])
        boxes, labels = np.hstack([corners, corners + 20]), shared.integers(0, 2, 4)
        kept = own.random(4) < 0.8
        true.append((boxes, labels))
        found.append(Detections(boxes[kept] + 1, labels[kept], own.random(int(kept.sum()))))
    return collect_detections(
        class_names=("red cell", "Blutplättchen"),
        fov_ids=range(1, n_fovs + 1),
        sample_ids=range(101, n_fovs + 101),
        found=found,
        true=true,
        scales=[1.0] * n_fovs,
        thresholds=(0.3, 0.5),
    )


def add_explanation(project: Project, training: RunId, *, fov_id: int = 1) -> RunId:
    """Record a finished explain run with one FOV, its maps and their pictures."""
    job = RunId(f"explain-{next(_NUMBERS):04d}")
    folder = project.run_folder(job) / EXPLAIN_FOLDER / str(fov_id)
    names = ("red cell", "Blutplättchen")
    classes = tuple(
        ExplainedClass(name=name, size_px=8, threshold=0, cam_low=0, cam_high=1, peaks=(), overlay=f"{number}.png")
        for number, name in enumerate(names)
    )
    explanation = FovExplanation(
        run=training, fov_id=fov_id, fov_name="Ann Other.png", width=64, height=48, stride_px=8, classes=classes
    )
    write_explanation(folder, explanation, np.zeros((2, 6, 8), np.float32))
    for each in classes:
        write_png(folder / each.overlay, np.full((48, 64, 3), 200, np.uint8))
    project.runs.add(job, kind="explain", title="explain", settings_json='{"kind": "explain"}')
    fov = ExplainedFov(fov=fov_id, name="Ann Other.png", folder=f"{EXPLAIN_FOLDER}/{fov_id}")
    result = ExplainResult(run=training, fovs=(fov,), seconds=0.1)
    project.runs.set_ended(job, RunStatus.FINISHED, summary_json=result.model_dump_json())
    return job
