"""Trainings with scores and answers on every crop, stored as the jobs would have, without training anything."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synthstudio.core.evaluation.class_metrics import score_predictions
from synthstudio.core.evaluation.map_scores import (
    MAP_SCORES_NAME,
    CropMapScores,
    MapRow,
    collect_map_scores,
    write_map_scores,
)
from synthstudio.core.evaluation.predictions import PREDICTIONS_NAME, CropPredictions, write_predictions
from synthstudio.domain.ids import RunId
from synthstudio.domain.records import CropSquare, Metric, RunStatus, Split
from synthstudio.project import Project
from synthstudio.protocol.results import (
    CenterScore,
    Classification,
    ClassLocalization,
    ClassScore,
    EvaluateResult,
    Localization,
    TrainResult,
)
from synthstudio.settings.evaluate import EvaluateSettings
from synthstudio.settings.train_classifier import TrainClassifierSettings

CROP_PX = 48
CLASSES = ("disc", "square")


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A training that is to be stored.

    Attributes:
        noise: How often its answers are wrong, 0 to 1.
        keeps_answers: Whether its evaluation left the answers on every crop.
        keeps_maps: Whether it left where the maps lay.
    """

    run_id: RunId
    title: str
    seed: int = 0
    noise: float = 0.0
    keeps_answers: bool = True
    keeps_maps: bool = False


def make_predictions(project: Project, *, noise: float, seed: int) -> CropPredictions:
    """Answers on four crops of each test FOV; the truth is the annotations' own."""
    rng = np.random.default_rng(seed)
    fovs = [fov for fov in project.fovs.list() if fov.split is Split.TEST]
    names = {each.id: each.name for each in project.classes.list()}
    rows, truth = [], []
    for fov in fovs:
        marks = project.annotations.list(fov.id)
        for x, y in ((0, 0), (CROP_PX, 0), (0, CROP_PX), (CROP_PX, CROP_PX)):
            rows.append((fov.id, fov.sample_id, x, y, CROP_PX, CROP_PX))
            inside = {names[mark.class_id] for mark in marks if x <= mark.x < x + CROP_PX and y <= mark.y < y + CROP_PX}
            truth.append([name in inside for name in CLASSES])
    table, labels = np.array(rows, np.int64), np.array(truth, np.bool_)
    is_wrong = rng.random(labels.shape) < noise
    scores = np.where(labels ^ is_wrong, rng.uniform(0.6, 1.0, labels.shape), rng.uniform(0.0, 0.4, labels.shape))
    return CropPredictions(
        class_names=CLASSES,
        fov_ids=table[:, 0],
        sample_ids=table[:, 1],
        boxes=table[:, 2:],
        truth=labels,
        scores=scores.astype(np.float32),
        thresholds=np.full(len(CLASSES), 0.5),
    )


def make_map_scores(predictions: CropPredictions, *, seed: int) -> CropMapScores:
    """Maps of which every other one points at the middle of its crop and hits; the others miss in its corner."""
    rng, rows = np.random.default_rng(seed), []
    for column in range(len(CLASSES)):
        for number, row in enumerate(np.flatnonzero(predictions.truth[:, column])):
            x, y, side, _ = (int(value) for value in predictions.boxes[row])
            is_hit = number % 2 == 0
            reach = side // 2 if is_hit else 2
            rows.append(
                MapRow(
                    column,
                    int(predictions.fov_ids[row]),
                    int(predictions.sample_ids[row]),
                    hit=is_hit,
                    energy=float(rng.random()),
                    square=CropSquare(x, y, side),
                    top=(x + reach, y + reach),
                )
            )
    return collect_map_scores(CLASSES, rows)


def store_run(project: Project, stored: StoredRun) -> CropPredictions:
    """Store a finished training and its evaluation on the test split; return its answers."""
    settings = TrainClassifierSettings(seed=stored.seed)
    folder = project.run_folder(stored.run_id)
    folder.mkdir(parents=True)
    project.runs.add(stored.run_id, kind=settings.kind, title=stored.title, settings_json=settings.model_dump_json())
    result = TrainResult(run=stored.run_id, status="finished", seconds=75.0, best={"f1/macro": 0.8})
    project.runs.set_ended(stored.run_id, RunStatus.FINISHED, summary_json=result.model_dump_json())
    project.runs.add_metrics([Metric(stored.run_id, step, "f1/disc", step / 100) for step in (10, 20, 30)])
    predictions = make_predictions(project, noise=stored.noise, seed=stored.seed)
    _store_evaluation(project, stored, predictions)
    return predictions


def _store_evaluation(project: Project, stored: StoredRun, predictions: CropPredictions) -> None:
    run_id = RunId(stored.run_id.replace("train-classifier", "evaluate"))
    folder = project.run_folder(run_id)
    folder.mkdir(parents=True)
    if stored.keeps_answers:
        write_predictions(folder / PREDICTIONS_NAME, predictions)
    if stored.keeps_maps:
        write_map_scores(folder / MAP_SCORES_NAME, make_map_scores(predictions, seed=stored.seed))
    settings = EvaluateSettings(run=stored.run_id)
    project.runs.add(run_id, kind="evaluate", title="", settings_json=settings.model_dump_json())
    result = _evaluation(stored, predictions, n_images=len(set(predictions.fov_ids.tolist())))
    project.runs.set_ended(run_id, RunStatus.FINISHED, summary_json=result.model_dump_json())


def _evaluation(stored: StoredRun, predictions: CropPredictions, *, n_images: int) -> EvaluateResult:
    report = score_predictions(predictions, seed=0)
    per_class = {
        name: ClassScore(
            precision=each.counts.precision,
            recall=each.counts.recall,
            f1=each.counts.f1,
            support=each.counts.support,
            prevalence_f1=each.prevalence_f1,
            auc=each.auc,
            ci95=each.intervals.f1,
        )
        for name, each in zip(CLASSES, report.per_class, strict=True)
    }
    center = CenterScore(precision=0.5, recall=0.25, f1=None)
    place = ClassLocalization(
        pointing_accuracy=0.9, chance=0.125, center=center, energy_in_box=0.6, n_images=4, ci95=(0.8, 1.0)
    )
    return EvaluateResult(
        run=stored.run_id,
        split="test",
        n_images=n_images,
        n_groups=n_images,
        classification=Classification(
            per_class=per_class, macro_f1=report.macro.f1, accuracy=report.accuracy, auc=report.auc
        ),
        localization=Localization(
            pointing_accuracy=0.9,
            chance=0.125,
            center=center,
            energy_in_box=0.6,
            per_class=dict.fromkeys(CLASSES, place),
        ),
        predictions=PREDICTIONS_NAME if stored.keeps_answers else "",
        map_scores=MAP_SCORES_NAME if stored.keeps_maps else "",
        seconds=1.0,
    )
