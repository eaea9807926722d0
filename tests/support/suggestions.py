"""Suggestions on the FOVs of a test project, without a model."""

from __future__ import annotations

from collections.abc import Sequence

from synthstudio.core.suggestions.searched import FoundClass, FoundMark, FovSearch
from synthstudio.domain.ids import FovId, RunId
from synthstudio.domain.records import RunStatus
from synthstudio.project import Project
from synthstudio.project.recorded_searches import record_search

MODEL, JOB = RunId("20261122-060000-train-detector-aaaa"), RunId("20261122-070000-suggest-bbbb")
Found = tuple[float, float, float]
"""x, y in px and the score."""


def add_model(project: Project, run_id: RunId = MODEL, *, kind: str = "train-detector") -> RunId:
    """Enter a finished training that suggestions can be of."""
    project.runs.add(run_id, kind=kind, title="model", settings_json="{}")
    project.runs.set_ended(run_id, RunStatus.FINISHED)
    return run_id


def build_search(
    project: Project,
    fov_id: FovId,
    found: Sequence[Found],
    *,
    run_id: RunId = MODEL,
    class_name: str = "",
    threshold: float = 0.5,
    side_px: float = 20.0,
) -> FovSearch:
    """What a detector would have found: boxes of one class, the project's first one where none is named."""
    name = class_name or project.classes.list()[0].name
    half = side_px / 2
    marks = [FoundMark(x=x, y=y, score=s, corners=(x - half, y - half, x + half, y + half)) for x, y, s in found]
    return FovSearch(
        run=run_id,
        fov_id=fov_id,
        content_key=project.fovs.get(fov_id).content_key,
        min_score=0.1,
        classes=(FoundClass(name=name, threshold=threshold, marks=tuple(marks)),),
    )


def suggest(project: Project, fov_id: FovId, found: Sequence[Found], *, run_id: RunId = MODEL) -> None:
    """Enter such a search into the project, with its model where that is not there yet."""
    if run_id not in {each.id for each in project.runs.list()}:
        add_model(project, run_id)
    record_search(project, build_search(project, fov_id, found, run_id=run_id), job_id=JOB)
