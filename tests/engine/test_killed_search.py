"""A recipe search whose engine is killed without warning: what it tried is kept, and the resumed one ends the same."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from synthstudio.client import start_run
from synthstudio.domain.records import RunStatus
from synthstudio.project import Project
from synthstudio.protocol.messages import AnyEvent, JobFailed, JobFinished, MetricLogged
from synthstudio.protocol.results import SearchRecipesResult
from synthstudio.settings.search_recipes import SearchRecipesSettings
from tests.support.engine_project import build_engine_project
from tests.support.killed_engines import execute, kill_own_engine

SETTINGS = SearchRecipesSettings.model_validate(
    {
        "seed": 3,
        "grid": ["composition.canvas=matched,black", "composition.blend=paste,feather"],
        "rounds": 2,
        "optimization": {"steps": 8, "batch_size": 4},
        "composition": {"canvas_px": 64, "n_objects_max": 5},
        "patches": {"auto_scale": False},
        "network": {"stride": "4"},
    }
)
N_TRIALS, N_BEFORE_KILL = 12, 5

pytestmark = pytest.mark.skipif(os.name == "nt", reason="POSIX signals")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    made = build_engine_project(tmp_path)
    yield made
    made.close()


def _figures(result: object) -> list[object]:
    assert isinstance(result, SearchRecipesResult)
    return [each.model_dump(exclude={"seconds"}) for each in result.table.recipes]


def test_that_a_killed_search_is_told_and_resumed_to_the_same_table_without_trying_twice(project: Project) -> None:
    run_id = start_run(project, SETTINGS)

    def on_event(event: AnyEvent) -> None:
        if isinstance(event, MetricLogged) and event.name == "score" and event.step == N_BEFORE_KILL:
            kill_own_engine()

    assert isinstance(execute(project, run_id, on_event=on_event), JobFailed)
    recorded = project.runs.get(run_id)
    assert recorded.status is RunStatus.FAILED
    assert "SIGKILL" in recorded.message
    assert "Resume the run" in recorded.hint
    trials = project.run_folder(run_id) / "trials"
    kept = {path: path.stat().st_mtime_ns for path in trials.glob("*.json")}
    assert N_BEFORE_KILL <= len(kept) < N_TRIALS

    resumed = execute(project, run_id, resume=True)
    assert isinstance(resumed, JobFinished)
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert len(list(trials.iterdir())) == N_TRIALS
    assert len(project.runs.metrics(run_id)["score"]) == N_TRIALS
    assert not (project.run_folder(run_id) / "cache").exists()

    straight = execute(project, start_run(project, SETTINGS))
    assert isinstance(straight, JobFinished)
    assert _figures(resumed.result) == _figures(straight.result)
