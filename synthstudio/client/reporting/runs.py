"""What a report tells of one trained model, gathered from the project."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from string import ascii_uppercase
from typing import TypeVar

from synthstudio.client.evaluations import (
    StoredEvaluation,
    find_detector_evaluation,
    find_evaluation,
    load_detections,
    load_map_scores,
    load_predictions,
    result_of,
)
from synthstudio.core.evaluation.map_scores import CropMapScores
from synthstudio.core.evaluation.predictions import CropPredictions
from synthstudio.core.evaluation.stored_detections import StoredDetections
from synthstudio.core.training.detector_card import DetectorCard, read_detector_card
from synthstudio.core.training.model_card import ModelCard, read_model_card
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import RunId
from synthstudio.domain.records import Run, Split
from synthstudio.project import Project
from synthstudio.project.runs import Curve
from synthstudio.protocol.results import EvaluateDetectorResult, EvaluateResult, TrainDetectorResult, TrainResult
from synthstudio.settings.differences import flat_settings

Loaded = TypeVar("Loaded")
CLASSIFIER, DETECTOR = "train-classifier", "train-detector"


@dataclass(frozen=True, slots=True)
class ReportedRun:
    """One trained model.

    Attributes:
        place: In the report, from 0.
        settings: All of them by their dotted names.
        result: What the training told; None where it did not finish.
        card: None where it left no model.
        evaluation: The newest of a classifier on the split; `detector_evaluation` that of a detector.
        predictions, map_scores, detections: The stored answers, where there are any.
        curves: What the training logged.
        remarks: What is missing and why.
    """

    run: Run
    place: int
    settings: Mapping[str, object]
    result: TrainResult | TrainDetectorResult | None
    card: ModelCard | DetectorCard | None
    evaluation: StoredEvaluation[EvaluateResult] | None
    detector_evaluation: StoredEvaluation[EvaluateDetectorResult] | None
    predictions: CropPredictions | None
    map_scores: CropMapScores | None
    detections: StoredDetections | None
    curves: Mapping[str, Curve]
    remarks: tuple[str, ...]

    @property
    def letter(self) -> str:
        """What it is called in tables and charts."""
        return ascii_uppercase[self.place] if self.place < len(ascii_uppercase) else str(self.place + 1)

    @property
    def is_detector(self) -> bool:
        return self.run.kind == DETECTOR

    @property
    def name(self) -> str:
        """Its title, or what it learned from and its network."""
        if self.run.title not in ("", self.run.kind):
            return self.run.title
        return f"{self.settings.get('source', '')}, {self.settings.get('network.name', '')}"

    @property
    def label(self) -> str:
        """For legends."""
        return f"{self.letter}  {self.name}"


def read_reported_runs(project: Project, run_ids: Sequence[RunId], split: Split) -> list[ReportedRun]:
    """Gather what is known of trainings; an evaluation stands for the training that it scored.

    Raises:
        NotFound: There is no such run.
        UserError: A run is no training of a classifier or detector.
    """
    trainings = dict.fromkeys(_training_of(project, run_id) for run_id in run_ids)
    if not trainings:
        raise UserError("No run was named, so there is nothing to report.", "Name one or more trainings.")
    return [_read(project, project.runs.get(run_id), place, split) for place, run_id in enumerate(trainings)]


def _training_of(project: Project, run_id: RunId) -> RunId:
    run = project.runs.get(run_id)
    result = result_of(run)
    if isinstance(result, EvaluateResult | EvaluateDetectorResult):
        return RunId(result.run)
    if run.kind not in (CLASSIFIER, DETECTOR):
        raise UserError(
            f"The run {run_id} is a {run.kind} run: reports are of classifiers and detectors.",
            "Name trainings of classifiers or detectors.",
        )
    return run.id


def _read(project: Project, run: Run, place: int, split: Split) -> ReportedRun:
    remarks: list[str] = []
    folder, result = project.run_folder(run.id), result_of(run)
    is_detector = run.kind == DETECTOR
    evaluation = None if is_detector else find_evaluation(project, run.id, split)
    detector_evaluation = find_detector_evaluation(project, run.id, split) if is_detector else None
    card: ModelCard | DetectorCard | None
    if is_detector:
        card = _attempt(lambda: read_detector_card(folder), remarks)
    else:
        card = _attempt(lambda: read_model_card(folder), remarks)
    predictions: CropPredictions | None = None
    map_scores: CropMapScores | None = None
    detections: StoredDetections | None = None
    if evaluation is not None:
        predictions = _attempt(functools.partial(load_predictions, project, evaluation), remarks)
        map_scores = _attempt(functools.partial(load_map_scores, project, evaluation), remarks)
    elif detector_evaluation is not None:
        detections = _attempt(functools.partial(load_detections, project, detector_evaluation), remarks)
    else:
        remarks.append(f"It has not been evaluated on the {split.value} split.")
    return ReportedRun(
        run=run,
        place=place,
        settings={name: without_folders(value) for name, value in flat_settings(run.settings_json).items()},
        result=result if isinstance(result, TrainResult | TrainDetectorResult) else None,
        card=card,
        evaluation=evaluation,
        detector_evaluation=detector_evaluation,
        predictions=predictions,
        map_scores=map_scores,
        detections=detections,
        curves=project.runs.metrics(run.id),
        remarks=tuple(remarks),
    )


def _attempt(load: Callable[[], Loaded], remarks: list[str]) -> Loaded | None:
    """Load what may be missing; where it is, remark on it: a report tells what there is."""
    try:
        return load()
    except UserError as error:
        remarks.append(str(error))
        return None


def without_folders(value: object) -> object:
    """A path by its last part alone: where files lie on this machine is nobody else's business."""
    if isinstance(value, str) and ("/" in value or "\\" in value):
        return PurePath(value.replace("\\", "/")).name
    return value
