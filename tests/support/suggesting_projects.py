"""A small project with two models that have suggested something, for what reads suggestions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from synthstudio.domain.ids import AnnotationId, FovId, RunId
from synthstudio.domain.records import Annotation, AnnotationState, FieldOfView, Split
from synthstudio.project import Project
from tests.support import suggestions
from tests.support.engine_project import build_engine_project
from tests.support.suggestions import MODEL as FIRST
from tests.support.suggestions import add_model

SECOND = RunId("20261122-060001-train-classifier-cccc")
Y, FIRST_X, STEP_PX = 15.0, 15.0, 25.0


def build_suggesting_project(folder: Path, *, n_train: int = 6) -> Project:
    """Make a project of annotated images with a detector and a classifier, neither of which has searched yet."""
    project = build_engine_project(folder, n_train=n_train, n_val=1, n_test=1)
    add_model(project, FIRST)
    add_model(project, SECOND, kind="train-classifier")
    return project


def train_fovs(project: Project) -> list[FieldOfView]:
    """The images that are learned from."""
    return project.fovs.list(split=Split.TRAIN)


def forget_marks(project: Project, fovs: Sequence[FieldOfView]) -> None:
    """Take all annotations away, as if nobody had looked yet."""
    for fov in fovs:
        project.annotations.remove(project.annotations.list(fov.id))
        project.fovs.set_state(fov.id, AnnotationState.NONE)


def suggest(project: Project, fov_id: FovId, *scores: float, run_id: RunId = FIRST) -> None:
    """Let a model find discs with these scores, in a row at x = 15, 40, 65, ..."""
    found = [(FIRST_X + STEP_PX * number, Y, score) for number, score in enumerate(scores)]
    suggestions.suggest(project, fov_id, found, run_id=run_id)


def mark_where(project: Project, fov_id: FovId, *xs: float) -> None:
    """Mark discs in that row, and call the image done."""
    disc = project.classes.list()[0].id
    project.annotations.add([Annotation(AnnotationId(0), fov_id, disc, x, Y) for x in xs])
    project.fovs.set_state(fov_id, AnnotationState.EXHAUSTIVE)
