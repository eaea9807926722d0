"""The job queue against a real child process that plays each ending."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from synthstudio.domain.errors import UserError
from synthstudio.domain.records import Changes, RunStatus, changes
from synthstudio.gui.gpu_worker import GpuWorker
from synthstudio.project import Project
from synthstudio.protocol.messages import JobCancelled, JobFailed, JobFinished
from synthstudio.settings.compose import ComposeSettings
from synthstudio.settings.suggest import SuggestSettings
from tests.support.cell_projects import make_cell_project
from tests.support.scripted_engine import scripted_engine
from tests.support.suggestions import MODEL, add_model

TIMEOUT_MS = 20_000


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    made = make_cell_project(tmp_path / "study")
    yield made
    made.close()


@pytest.fixture
def worker(project: Project) -> Iterator[GpuWorker]:
    made = GpuWorker()
    made.set_project(project)
    yield made
    made.stop()


def settings(name: str = "a") -> ComposeSettings:
    return ComposeSettings(set_name=name, count=3)


def play(qtbot: QtBot, worker: GpuWorker, part: str) -> tuple[str, object]:
    worker._command = scripted_engine(part)
    with qtbot.waitSignal(worker.job_ended, timeout=TIMEOUT_MS) as blocker:
        worker.submit(settings(), title="Writing a")
    run_id, outcome = blocker.args
    return run_id, outcome


@pytest.mark.parametrize(
    ("part", "kind", "status"),
    [
        ("finished", JobFinished, RunStatus.FINISHED),
        ("failed", JobFailed, RunStatus.FAILED),
        ("crashed", JobFailed, RunStatus.FAILED),
        ("garbage", JobFinished, RunStatus.FINISHED),
    ],
)
def test_that_every_ending_arrives_as_its_outcome_and_is_recorded(
    qtbot: QtBot, worker: GpuWorker, project: Project, *, part: str, kind: type[object], status: RunStatus
) -> None:
    run_id, outcome = play(qtbot, worker, part)
    assert isinstance(outcome, kind)
    run = next(each for each in project.runs.list() if each.id == run_id)
    assert run.status is status
    assert run.title == "Writing a"


def test_that_the_next_job_runs_after_a_crash(qtbot: QtBot, worker: GpuWorker) -> None:
    assert isinstance(play(qtbot, worker, "crashed")[1], JobFailed)
    assert isinstance(play(qtbot, worker, "finished")[1], JobFinished)


def test_that_a_running_job_is_cancelled_and_a_waiting_one_taken_out(
    qtbot: QtBot, worker: GpuWorker, project: Project
) -> None:
    worker._command = scripted_engine("patient")
    ended: dict[str, object] = {}
    worker.job_ended.connect(lambda run_id, outcome: ended.update({run_id: outcome}))
    with qtbot.waitSignal(worker.event_received, timeout=TIMEOUT_MS):
        first = worker.submit(settings())
    second = worker.submit(settings("b"))
    assert worker.running == first
    assert worker.waiting == (second,)
    worker.cancel(second)
    with qtbot.waitSignal(worker.idle, timeout=TIMEOUT_MS):
        worker.cancel(first)
    assert all(isinstance(outcome, JobCancelled) for outcome in ended.values())
    assert {run.id: run.status for run in project.runs.list()} == {
        first: RunStatus.CANCELLED,
        second: RunStatus.CANCELLED,
    }
    assert worker.is_idle


def test_that_suggestions_are_in_the_project_while_the_search_goes_on(
    qtbot: QtBot, worker: GpuWorker, project: Project
) -> None:
    worker._command = scripted_engine("searches")
    add_model(project)
    fov_id = project.fovs.list()[0].id
    told: list[tuple[Changes, int]] = []
    worker.records_changed.connect(lambda changed: told.append((changed, len(project.suggestions.list(fov_id)))))
    run_id = worker.submit(SuggestSettings(run=MODEL))
    qtbot.waitUntil(lambda: any("suggestions" in changed.kinds for changed, _ in told), timeout=TIMEOUT_MS)
    assert worker.running == run_id
    assert [each for each in told if "suggestions" in each[0].kinds] == [
        (changes("suggestions", fov_ids=frozenset({fov_id})), 1)
    ]
    with qtbot.waitSignal(worker.idle, timeout=TIMEOUT_MS):
        worker.cancel(run_id)
    assert [each.score for each in project.suggestions.list(fov_id, MODEL)] == [0.75]  # a cancelled search keeps it


def test_that_stopping_ends_a_deaf_engine_and_joins_the_thread(qtbot: QtBot, worker: GpuWorker) -> None:
    worker._command = scripted_engine("deaf")
    with qtbot.waitSignal(worker.event_received, timeout=TIMEOUT_MS):
        worker.submit(settings())
    worker.stop()
    assert not worker.isRunning()
    assert worker.is_idle


def test_that_without_a_project_a_job_is_refused() -> None:
    with pytest.raises(UserError, match="No project"):
        GpuWorker().submit(settings())
