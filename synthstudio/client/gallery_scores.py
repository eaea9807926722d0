"""Scores of the rows of the gallery: what checks and models have said about objects and their images."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from synthstudio.client.evaluations import StoredEvaluation, load_detections, result_of
from synthstudio.core.evaluation.object_scores import score_objects
from synthstudio.core.imaging import read_bytes
from synthstudio.core.review.findings import Finding
from synthstudio.core.review.gallery import GalleryTable
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import RunId
from synthstudio.domain.records import RunStatus
from synthstudio.project import Project
from synthstudio.protocol.results import EvaluateDetectorResult, QualityResult

SUSPECTS, SUGGESTED, DETECTED = "label-suspect", "suggested", "detected"
MOST_RUNS = 5
"""So many detectors and models are offered, the newest."""

ScoreArray = NDArray[np.float64]


def list_score_sources(project: Project, set_name: str) -> tuple[tuple[str, str], ...]:
    """Name what gives scores to the project's rows, as (words, key); nothing does to those of a set."""
    if set_name:
        return ()
    sources = []
    if (checked := _find_check(project)) is not None:
        sources.append(("doubtful labels", f"{SUSPECTS}:{checked}"))
    sources += [(f"suggestions of {run}", f"{SUGGESTED}:{run}") for run in project.suggestions.runs()[:MOST_RUNS]]
    evaluations = [run for run in project.runs.list(kind="evaluate-detector") if run.status is RunStatus.FINISHED]
    for run in reversed(evaluations[-MOST_RUNS:]):
        given = result_of(run)
        if isinstance(given, EvaluateDetectorResult) and given.detections:
            sources.append((f"detector {given.run} on {given.split}", f"{DETECTED}:{run.id}"))
    return tuple(sources)


def read_scores(project: Project, table: GalleryTable, key: str) -> ScoreArray | None:
    """Read the score of each row, `(N,)`, nan where there is none; None where nothing gives scores.

    Of doubtful labels it is how strong the doubt is, and of an image that of its most doubtful object. Of suggestions
    it is that with which an accepted one was suggested, and of an image that of the surest one that waits. Of a
    detector it is how surely it has found an object, 0 for a missed one, and of an image the mean of its objects.

    Raises:
        UserError: What was stored is damaged.
    """
    kind, _colon, run = key.partition(":")
    readers: dict[str, Callable[[Project, GalleryTable, RunId], ScoreArray | None]] = {
        SUSPECTS: _suspects,
        SUGGESTED: _suggested,
        DETECTED: _detected,
    }
    return readers[kind](project, table, RunId(run)) if kind in readers else None


def _find_check(project: Project) -> RunId | None:
    """The newest check of the project that has found doubtful labels."""
    for run in reversed(project.runs.list(kind="quality")):
        given = result_of(run)
        if isinstance(given, QualityResult) and not given.set:
            return run.id if given.n_by_check.get("label-suspect") else None
    return None


def _suspects(project: Project, table: GalleryTable, run_id: RunId) -> ScoreArray | None:
    given = result_of(project.runs.get(run_id))
    if not isinstance(given, QualityResult):
        return None
    scores: dict[int, float] = {}
    images: dict[int, float] = {}
    for each in _findings(project, run_id, given.file):
        if each.check == SUSPECTS and each.score is not None:
            scores |= dict.fromkeys(each.annotations, each.score)
            for image in each.images:
                images[image.fov] = max(each.score, images.get(image.fov, 0.0))
    return _spread(table, scores if table.has_objects else images)


def _findings(project: Project, run_id: RunId, name: str) -> Iterator[Finding]:
    path = project.run_folder(run_id) / name
    try:
        for line in read_bytes(path).splitlines():
            yield Finding.model_validate_json(line)
    except ValidationError as error:
        raise UserError(f"The findings in {path} are damaged.", "Check the data again.") from error


def _suggested(project: Project, table: GalleryTable, run_id: RunId) -> ScoreArray:
    found = project.suggestions.of_run(run_id)
    if table.has_objects:
        accepted = [each for own in found.values() for each in own if each.annotation_id is not None]
        return _spread(table, {int(each.annotation_id or 0): each.score for each in accepted})
    waiting = {int(fov_id): [each.score for each in own if each.is_open] for fov_id, own in found.items()}
    return _spread(table, {fov_id: max(scores) for fov_id, scores in waiting.items() if scores})


def _detected(project: Project, table: GalleryTable, run_id: RunId) -> ScoreArray | None:
    run = project.runs.get(run_id)
    given = result_of(run)
    if not isinstance(given, EvaluateDetectorResult):
        return None
    stored = load_detections(project, StoredEvaluation(run, given))
    scores, fov_ids = score_objects(stored), stored.fov_ids[stored.true_rows]
    if not table.has_objects:
        places, n_objects = np.unique(fov_ids, return_inverse=True)
        means = np.bincount(n_objects, scores) / np.maximum(np.bincount(n_objects), 1)
        return _spread(table, dict(zip(places.tolist(), means.tolist(), strict=True)))
    # An evaluation keeps boxes, not ids: an object is known by its image and its middle, as long as nobody moves it.
    middles = (stored.true_boxes[:, :2] + stored.true_boxes[:, 2:]) / 2
    known = dict(zip(_keys(fov_ids, middles), scores.tolist(), strict=True))
    own = _keys(table.fov_ids[table.fov], table.centers)
    return np.array([known.get(key, np.nan) for key in own], np.float64)


def _keys(fov_ids: NDArray[np.int64], middles: NDArray[np.float64]) -> list[tuple[int, int, int]]:
    x, y = np.rint(2 * middles).astype(np.int64).T
    return list(zip(fov_ids.tolist(), x.tolist(), y.tolist(), strict=True))


def _spread(table: GalleryTable, scores: Mapping[int, float]) -> ScoreArray:
    """`(N,)` the score of each row by its id."""
    return np.array([scores.get(each, np.nan) for each in table.ids.tolist()], np.float64)
