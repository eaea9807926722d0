"""`synthstudio round` with the real engine: trained, scored, and suggestions in the project."""

from __future__ import annotations

from pathlib import Path

import pytest

from synthstudio.domain.records import AnnotationState, Split
from synthstudio.project import Project
from tests.e2e.test_cli import result_of
from tests.support.engine_project import build_engine_project

TINY_RECIPE = """
kind = "round"
task = "classifier"

[classifier.optimization]
steps = 6
batch_size = 4
evaluate_every = 3
workers = 0

[classifier.patches]
auto_scale = false

[classifier.composition]
canvas_px = 64
n_objects_max = 5
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """One training image is not annotated completely."""
    made = build_engine_project(tmp_path, n_train=3, n_val=2, n_test=2)
    made.fovs.set_state(made.fovs.list(split=Split.TRAIN)[0].id, AnnotationState.PARTIAL)
    made.close()
    return made.folder


def test_that_a_round_trains_scores_and_leaves_suggestions(project: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "tiny.toml"
    recipe.write_text(TINY_RECIPE)
    told = result_of("round", project, recipe)
    assert told["status"] == "finished"
    assert told["round"] == "R1"
    assert isinstance(told["rounds"], list)
    (first,) = told["rounds"]
    assert first["jobs"] == {"done": 3, "planned": 3}
    assert set(first["scores"]["f1"]) == {"all", "disc", "square"}
    opened = Project.open(project)
    try:
        kinds = [run.kind for run in opened.runs.of_experiment("R1")]
        searched = opened.suggestions.searched(first["training"])
        unfinished = [fov.id for fov in opened.fovs.list() if not fov.state.is_complete]
    finally:
        opened.close()
    assert kinds == ["train-classifier", "evaluate", "suggest"]
    assert list(searched) == unfinished
