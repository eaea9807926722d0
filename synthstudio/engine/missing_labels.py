"""What models of the project have found already, held against the marks of images that are annotated in full.

Nothing is searched here: a search of all images takes minutes, and the project keeps what an evaluation of a detector,
or suggestions, have found.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from synthstudio.core.evaluation.stored_detections import StoredDetections, read_detections
from synthstudio.core.geometry import build_square
from synthstudio.core.patches.windows import mean_class_sizes
from synthstudio.core.review.findings import Finding
from synthstudio.core.review.missing_checks import FoundObject, find_unmarked_objects
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import FovId, RunId
from synthstudio.domain.records import Box, FieldOfView, Run, RunStatus
from synthstudio.project import Project
from synthstudio.protocol.results import EvaluateDetectorResult
from synthstudio.settings.quality import MissingLimits

NEEDED = (
    "Objects without a mark were not looked for: no model has searched the images that are annotated in full. Evaluate"
    " a detector on a split, or let a model suggest there, then check again."
)


@dataclass(frozen=True, slots=True)
class _Source:
    """What one model has found.

    Attributes:
        name: Of the model, for a sentence.
        fov_ids: Images that it has searched.
    """

    name: str
    fov_ids: frozenset[FovId]
    objects: tuple[FoundObject, ...]


def find_missing_labels(
    fovs: Sequence[FieldOfView], project: Project, limits: MissingLimits
) -> tuple[list[Finding], tuple[str, ...]]:
    """Find objects that a model has found where no mark is; also return what a reader must know.

    Args:
        fovs: Images of the project.
        project: Whose models are asked: the newest detector that was evaluated on each split, and the model that
            suggested last.
        limits: How sure a model must be.
    """
    left = {fov.id: fov for fov in fovs if fov.state.is_complete}
    n_full = len(left)
    marks, classes = project.annotations.by_fov(), {each.id: each for each in project.classes.list()}
    findings: list[Finding] = []
    notes: list[str] = []
    for source in _sources(project, notes):
        searched = [left.pop(fov_id) for fov_id in sorted(source.fov_ids & left.keys())]
        findings += find_unmarked_objects(searched, marks, classes, source.objects, limits, by=source.name)
    if n_full and len(left) == n_full:
        notes.append(NEEDED)
    elif left:
        notes.append(f"Of {n_full:,} images that are annotated in full, no model has searched {len(left):,} yet.")
    return findings, tuple(notes)


def _sources(project: Project, notes: list[str]) -> Iterator[_Source]:
    splits: set[str] = set()
    for run in reversed(project.runs.list(kind="evaluate-detector")):
        result = _result_of(run)
        if result is None or not result.detections or result.split in splits:
            continue
        splits.add(result.split)
        try:
            stored = read_detections(project.run_folder(run.id) / result.detections)
        except UserError as error:
            notes.append(f"What the detector {result.run} has found cannot be read: {error.message}")
            continue
        fov_ids = frozenset(FovId(each) for each in stored.fov_ids.tolist())
        yield _Source(f"the detector {result.run}", fov_ids, tuple(_detected(project, stored)))
    for run_id in project.suggestions.runs()[:1]:
        fov_ids = frozenset(project.suggestions.searched(run_id))
        yield _Source(f"the model {run_id}", fov_ids, tuple(_suggested(project, run_id)))


def _result_of(run: Run) -> EvaluateDetectorResult | None:
    """None where it has not finished, or another version wrote it."""
    if run.status is not RunStatus.FINISHED or not run.summary_json:
        return None
    try:
        return EvaluateDetectorResult.model_validate_json(run.summary_json)
    except ValidationError:
        return None


def _detected(project: Project, stored: StoredDetections) -> Iterator[FoundObject]:
    ids = {each.name: each.id for each in project.classes.list()}
    known = [ids.get(each) for each in stored.class_names]
    for row, label, box, score in zip(
        stored.found_rows.tolist(),
        stored.found_labels.tolist(),
        stored.found_boxes.tolist(),
        stored.found_scores.tolist(),
        strict=True,
    ):
        class_id = known[label]
        if class_id is not None and score >= stored.thresholds[label]:
            yield FoundObject(FovId(int(stored.fov_ids[row])), class_id, Box(*box), score)


def _suggested(project: Project, run_id: RunId) -> Iterator[FoundObject]:
    """What waits to be judged: of what was rejected somebody has said that it is none."""
    sizes = mean_class_sizes([mark for own in project.annotations.by_fov().values() for mark in own])
    thresholds = project.suggestions.thresholds(run_id)
    for fov_id, own in project.suggestions.of_run(run_id).items():
        for each in own:
            if each.is_open and each.score >= thresholds.get(each.class_id, 0.0):
                side = each.size_px or sizes.get(each.class_id, 0.0)
                yield FoundObject(fov_id, each.class_id, each.box or build_square(each.x, each.y, side), each.score)
