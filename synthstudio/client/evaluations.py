"""Finding what earlier evaluations of runs have stored, and comparing runs by it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

from synthstudio.core.evaluation.comparison import RunComparison, compare_detections, compare_predictions
from synthstudio.core.evaluation.map_comparison import MapComparison, compare_map_scores
from synthstudio.core.evaluation.map_scores import CropMapScores, read_map_scores
from synthstudio.core.evaluation.predictions import CropPredictions, read_predictions
from synthstudio.core.evaluation.stored_detections import StoredDetections, read_detections
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import RunId
from synthstudio.domain.records import Run, RunStatus, Split
from synthstudio.project import Project
from synthstudio.protocol.results import AnyResult, EvaluateDetectorResult, EvaluateResult

_ANY_RESULT: TypeAdapter[AnyResult] = TypeAdapter(AnyResult)
Result = TypeVar("Result", EvaluateResult, EvaluateDetectorResult)


@dataclass(frozen=True, slots=True)
class StoredEvaluation(Generic[Result]):
    """One evaluation of a trained model.

    Attributes:
        job: The run that evaluated.
        result: What it gave; `result.run` is the training.
    """

    job: Run
    result: Result


def result_of(run: Run) -> AnyResult | None:
    """What a run gave; None where it has not finished, or where this version cannot read it."""
    if run.status is not RunStatus.FINISHED or not run.summary_json:
        return None
    try:
        return _ANY_RESULT.validate_json(run.summary_json)
    except ValidationError:
        return None


def find_evaluation(project: Project, training: RunId, split: Split) -> StoredEvaluation[EvaluateResult] | None:
    """Return the newest evaluation of a classifier on a split, rather one that stored its predictions."""
    found = _list(project, "evaluate", EvaluateResult, training=training, split=split)
    chosen = [each for each in found if each.result.predictions] or found
    return chosen[-1] if chosen else None


def find_detector_evaluation(
    project: Project, training: RunId, split: Split
) -> StoredEvaluation[EvaluateDetectorResult] | None:
    """Return the newest evaluation of a detector on a split, rather one that stored its detections."""
    found = _list(project, "evaluate-detector", EvaluateDetectorResult, training=training, split=split)
    chosen = [each for each in found if each.result.detections] or found
    return chosen[-1] if chosen else None


def load_predictions(project: Project, evaluation: StoredEvaluation[EvaluateResult]) -> CropPredictions:
    """Read the answers of an evaluation, a few ms.

    Raises:
        UserError: It was made by an earlier version that stored none, or the file is missing or damaged.
    """
    if not evaluation.result.predictions:
        raise _nothing_stored(evaluation.result.run, evaluation.result.split, command="evaluate")
    return read_predictions(project.run_folder(evaluation.job.id) / evaluation.result.predictions)


def load_detections(project: Project, evaluation: StoredEvaluation[EvaluateDetectorResult]) -> StoredDetections:
    """Read the boxes of an evaluation. Raises UserError as `load_predictions` does."""
    if not evaluation.result.detections:
        raise _nothing_stored(evaluation.result.run, evaluation.result.split, command="evaluate-detector")
    return read_detections(project.run_folder(evaluation.job.id) / evaluation.result.detections)


def get_predictions(project: Project, run_id: RunId, split: Split) -> CropPredictions:
    """Return the answers of a classifier on a split, from its newest evaluation.

    Args:
        project: Where it is.
        run_id: The training, or one evaluation of it.
        split: Which FOVs.

    Raises:
        NotFound: There is no such run.
        UserError: It was not evaluated on the split, or stored nothing then.
    """
    evaluation = _evaluation_of(project, run_id, split)
    if evaluation is None:
        raise _nothing_stored(run_id, split.value, command="evaluate")
    return load_predictions(project, evaluation)


def get_detections(project: Project, run_id: RunId, split: Split) -> StoredDetections:
    """Return the boxes of a detector on a split, as `get_predictions` does."""
    run = project.runs.get(run_id)
    given = result_of(run)
    if isinstance(given, EvaluateDetectorResult) and given.split == split.value:
        return load_detections(project, StoredEvaluation(run, given))
    evaluation = find_detector_evaluation(project, run_id, split)
    if evaluation is None:
        raise _nothing_stored(run_id, split.value, command="evaluate-detector")
    return load_detections(project, evaluation)


def is_of_detector(run: Run) -> bool:
    """Whether a run trained or evaluated a detector."""
    return run.kind in ("train-detector", "evaluate-detector")


def compare_runs(project: Project, first: RunId, second: RunId, *, split: Split, seed: int = 0) -> RunComparison:
    """Compare two trained models by what their evaluations have stored.

    Args:
        project: Where they are.
        first, second: Two classifiers or two detectors: trainings or evaluations of them.
        split: Which FOVs.
        seed: Of the bootstrap.

    Raises:
        NotFound: There is no such run.
        UserError: One is a classifier and one a detector, one has no stored answers, or they answered on other crops.
    """
    runs = [project.runs.get(first), project.runs.get(second)]
    of_detectors = [is_of_detector(run) for run in runs]
    if of_detectors[0] != of_detectors[1]:
        raise UserError(
            f"The runs {first} and {second} are a classifier and a detector, whose scores mean different things.",
            "Compare two classifiers, or two detectors.",
        )
    if of_detectors[0]:
        boxes = [get_detections(project, run.id, split) for run in runs]
        return compare_detections(boxes[0], boxes[1], seed=seed)
    answers = [get_predictions(project, run.id, split) for run in runs]
    return compare_predictions(answers[0], answers[1], seed=seed)


def compare_maps(project: Project, first: RunId, second: RunId, *, split: Split, seed: int = 0) -> MapComparison | None:
    """Compare where the class activation maps of two classifiers lie; None where one has stored nothing about it.

    Raises:
        UserError: The maps were scored on other crops, or a file is damaged.
    """
    found = [_evaluation_of(project, run_id, split) for run_id in (first, second)]
    scores = [load_map_scores(project, each) for each in found if each is not None]
    if len(scores) < 2 or scores[0] is None or scores[1] is None:
        return None
    return compare_map_scores(scores[0], scores[1], seed=seed)


def load_map_scores(project: Project, evaluation: StoredEvaluation[EvaluateResult]) -> CropMapScores | None:
    """Read where the maps of an evaluation lay; None where it was made by an earlier version. Raises UserError."""
    if not evaluation.result.map_scores:
        return None
    return read_map_scores(project.run_folder(evaluation.job.id) / evaluation.result.map_scores)


def _evaluation_of(project: Project, run_id: RunId, split: Split) -> StoredEvaluation[EvaluateResult] | None:
    """The evaluation that is named, or the newest of the training that is."""
    run = project.runs.get(run_id)
    given = result_of(run)
    if isinstance(given, EvaluateResult) and given.split == split.value:
        return StoredEvaluation(run, given)
    return find_evaluation(project, run_id, split)


def _list(
    project: Project, job_kind: str, kind: type[Result], *, training: RunId, split: Split
) -> list[StoredEvaluation[Result]]:
    found = []
    for job in project.runs.list(kind=job_kind):
        result = result_of(job)
        if isinstance(result, kind) and result.run == training and result.split == split.value:
            found.append(StoredEvaluation(job, result))
    return found


def _nothing_stored(run_id: str, split: str, *, command: str) -> UserError:
    return UserError(
        f"No predictions of the run {run_id} on the {split} split are stored.",
        f"Evaluate it first: synthstudio {command} PROJECT --run {run_id} --split {split}",
    )
