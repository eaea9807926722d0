"""The queue of jobs: paused by hand and by the clock, kept over restarts; what was interrupted is offered again."""

from __future__ import annotations

import dataclasses
from datetime import datetime, time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import Qt, QTime
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from synthstudio.client import start_run
from synthstudio.domain.errors import UserError
from synthstudio.domain.records import RunStatus
from synthstudio.gui import errors
from synthstudio.gui.main_window.job_hours import JobHours, read_hours
from synthstudio.gui.main_window.job_hours_dialog import JobHoursDialog
from synthstudio.gui.main_window.job_queue import JobQueue
from synthstudio.gui.widgets.job_strip import JobStrip
from synthstudio.gui.workspace import Workspace
from synthstudio.project import Project
from synthstudio.project.runs import new_run_id
from synthstudio.settings.compose import ComposeSettings
from synthstudio.settings.train_classifier import TrainClassifierSettings
from tests.support.cell_projects import make_cell_project
from tests.support.scripted_engine import scripted_engine
from tests.support.windows import TIMEOUT_MS, ScriptedQuestions, open_window


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = make_cell_project(tmp_path / "study")
    made.close()
    return made.folder


def compose(name: str) -> ComposeSettings:
    return ComposeSettings(set_name=name, count=3)


def statuses(folder: Path) -> dict[str, RunStatus]:
    project = Project.open(folder, read_only=True)
    found = {run.title: run.status for run in project.runs.list()}
    project.close()
    return found


def test_that_a_paused_queue_begins_nothing_until_it_goes_on(qtbot: QtBot, folder: Path, tmp_path: Path) -> None:
    with open_window(qtbot, tmp_path / "private", folder, engine_command=scripted_engine("finished")) as window:
        worker, strip = window.workspace.gpu_worker, window.job_strip
        assert not strip.pause_button.isVisible()
        window.registry.action("jobs.pause").trigger()
        run_id = window.workspace.submit(compose("a"))
        assert worker.waiting == (run_id,)
        assert worker.running is None
        assert strip.pause_button.isVisible()
        assert (strip.title.text(), strip.queue.text()) == ("Paused", "1 waiting")
        with qtbot.waitSignal(worker.job_ended, timeout=TIMEOUT_MS):
            qtbot.mouseClick(strip.pause_button, Qt.MouseButton.LeftButton)
        assert worker.is_idle


def test_that_what_is_put_back_waits_at_the_head_and_runs_again(qtbot: QtBot, folder: Path, tmp_path: Path) -> None:
    with open_window(qtbot, tmp_path / "private", folder, engine_command=scripted_engine("patient")) as window:
        worker = window.workspace.gpu_worker
        with qtbot.waitSignal(worker.event_received, timeout=TIMEOUT_MS):
            first = window.workspace.submit(compose("a"))
        second = window.workspace.submit(compose("b"))
        worker.pause()
        with qtbot.waitSignal(worker.job_returned, timeout=TIMEOUT_MS):
            worker.put_back_running()
        assert worker.waiting == (first, second)
        assert window.workspace.require_project().runs.get(first).status is RunStatus.QUEUED
        with qtbot.waitSignal(worker.event_received, timeout=TIMEOUT_MS):
            worker.go_on()
        assert worker.running == first
        with pytest.raises(UserError, match="still running"):
            worker.submit(compose("a"), resume_run=first)
        worker.pause()
        worker.put_back_running()
        with qtbot.waitSignal(worker.idle, timeout=TIMEOUT_MS):
            worker.cancel_all()  # whoever cancels what is on its way back means it
        assert worker.is_idle
        assert window.workspace.require_project().runs.get(first).status is RunStatus.CANCELLED
        window.workspace.submit(compose("c"))
        with qtbot.waitSignal(worker.idle, timeout=TIMEOUT_MS):
            worker.cancel_all()  # nothing runs, since the queue is paused


def test_that_the_job_bar_says_that_a_job_waits_again(qtbot: QtBot, folder: Path, tmp_path: Path) -> None:
    with open_window(qtbot, tmp_path / "private", folder, engine_command=scripted_engine("patient")) as window:
        worker = window.workspace.gpu_worker
        with qtbot.waitSignal(worker.event_received, timeout=TIMEOUT_MS):
            window.workspace.submit(compose("a"), title="Writing a")
        assert window.job_strip.title.text() == "Writing a"
        worker.pause()
        with qtbot.waitSignal(worker.job_returned, timeout=TIMEOUT_MS):
            worker.put_back_running()
        assert (window.job_strip.title.text(), window.job_strip.queue.text()) == ("Paused", "1 waiting")
        worker.cancel_all()


@pytest.mark.parametrize("n_closes", [1, 2])
def test_that_jobs_kept_at_the_close_go_on_in_their_order_when_the_project_is_opened(
    qtbot: QtBot, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, n_closes: int
) -> None:
    monkeypatch.setattr(errors, "ask", ScriptedQuestions(choice=1))
    with open_window(qtbot, tmp_path / "private", folder, engine_command=scripted_engine("patient")) as window:
        with qtbot.waitSignal(window.workspace.gpu_worker.event_received, timeout=TIMEOUT_MS):
            window.workspace.submit(compose("a"), title="first")
        window.workspace.submit(compose("b"), title="second")
        for _ in range(n_closes):  # who is in a hurry closes again, while the first job is being stopped
            window.close()
        qtbot.waitUntil(lambda: not window.isVisible(), timeout=TIMEOUT_MS)
    assert statuses(folder) == {"first": RunStatus.QUEUED, "second": RunStatus.QUEUED}

    with open_window(qtbot, tmp_path / "private", folder, engine_command=scripted_engine("finished")) as again:
        qtbot.waitUntil(
            lambda: set(statuses(folder).values()) == {RunStatus.FINISHED} and again.workspace.gpu_worker.is_idle,
            timeout=TIMEOUT_MS,
        )
        ended = sorted(again.workspace.require_project().runs.list(), key=lambda run: run.finished_at)
        assert [run.title for run in ended] == ["first", "second"]


def test_that_a_training_cut_off_by_a_killed_window_is_offered_and_resumed(
    qtbot: QtBot, folder: Path, tmp_path: Path
) -> None:
    project = Project.open(folder)
    run_id = start_run(project, TrainClassifierSettings(), title="cells")
    project.runs.set_running(run_id)
    checkpoints = project.run_folder(run_id) / "checkpoints"
    checkpoints.mkdir()
    (checkpoints / "last.safetensors").write_bytes(b"")
    project.close()
    with open_window(qtbot, tmp_path / "private", folder, engine_command=scripted_engine("finished")) as window:
        bar = window.message_bar
        qtbot.waitUntil(lambda: "ended while this ran: cells" in bar.label.text(), timeout=TIMEOUT_MS)
        with qtbot.waitSignal(window.workspace.gpu_worker.job_ended, timeout=TIMEOUT_MS) as ended:
            qtbot.mouseClick(bar.action_button, Qt.MouseButton.LeftButton)
        assert ended.args[0] == run_id


def test_that_a_run_without_a_kind_is_told_in_a_sentence_and_begun_only_once(
    qtbot: QtBot, folder: Path, tmp_path: Path
) -> None:
    project = Project.open(folder)
    run_id = new_run_id("compose")
    project.runs.add(run_id, kind="compose", title="By a script", settings_json="{}")
    project.close()
    with open_window(qtbot, tmp_path / "private", folder, engine_command=scripted_engine("finished")) as window:
        qtbot.waitUntil(lambda: bool(window.message_bar.text), timeout=TIMEOUT_MS)
        told = window.message_bar.text
    assert f"The stored settings of the run {run_id} do not say what kind of job it is." in told
    assert "Set the job up again in the window, or start it with its recipe." in told
    assert statuses(folder) == {"By a script": RunStatus.FAILED}


def test_that_parts_of_a_plan_that_waited_are_left_to_the_plan(folder: Path) -> None:
    project = Project.open(folder)
    project.experiments.put("night", settings_json="{}", project_state="s")
    own, part = start_run(project, compose("a")), start_run(project, compose("b"), experiment="night")
    project.close()
    project = Project.open(folder)
    assert project.runs.get(own).status is RunStatus.QUEUED
    assert project.runs.get(part).status is RunStatus.FAILED
    assert project.interrupted_runs == (part,)
    project.close()


# Hours


class Clock:
    def __init__(self, text: str) -> None:
        self.now = datetime.fromisoformat(f"2026-11-22T{text}")

    def __call__(self) -> datetime:
        return self.now


def test_that_jobs_wait_for_their_hours_and_stop_at_the_end_of_them(qtbot: QtBot, folder: Path, tmp_path: Path) -> None:
    workspace = Workspace(preferences_file=tmp_path / "preferences.toml", engine_command=scripted_engine("patient"))
    window, strip, clock = QWidget(), JobStrip(), Clock("18:00")
    qtbot.addWidget(window)
    qtbot.addWidget(strip)
    queue = JobQueue(workspace, strip, window, clock=clock)
    workspace.open_project(folder)
    workspace.set_preferences(dataclasses.replace(workspace.preferences, job_hours="19:00-07:00 stop"))
    worker = workspace.gpu_worker
    run_id = workspace.submit(compose("a"))
    assert worker.waiting == (run_id,)
    assert strip.title.text() == "Jobs go on at 19:00"
    clock.now = datetime.fromisoformat("2026-11-22T19:00")
    with qtbot.waitSignal(worker.event_received, timeout=TIMEOUT_MS):
        queue.look_at_clock()
    assert worker.running == run_id
    clock.now = datetime.fromisoformat("2026-11-23T07:00")
    with qtbot.waitSignal(worker.job_returned, timeout=TIMEOUT_MS):
        queue.look_at_clock()
    assert worker.is_paused
    assert worker.waiting == (run_id,)
    workspace.set_preferences(dataclasses.replace(workspace.preferences, job_hours=""))  # it runs again by day
    qtbot.waitUntil(lambda: worker.running == run_id, timeout=TIMEOUT_MS)
    workspace.shut_down()


def test_that_the_dialog_keeps_the_hours(qtbot: QtBot, tmp_path: Path) -> None:
    workspace = Workspace(preferences_file=tmp_path / "preferences.toml")
    parent = QWidget()
    qtbot.addWidget(parent)
    dialog = JobHoursDialog(workspace, parent)
    assert not dialog.start.isEnabled()
    dialog.is_on.setChecked(True)
    dialog.start.setTime(QTime(20, 30))
    dialog.end.setTime(QTime(6, 0))
    dialog.stops.setChecked(True)
    dialog.save()
    assert workspace.preferences.job_hours == "20:30-06:00 stop"
    workspace.shut_down()


@given(st.times(), st.times(), st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 30)))
def test_that_hours_change_exactly_when_they_say(start: time, end: time, moment: datetime) -> None:
    hours = JobHours(start, end)
    if start != end:
        change = hours.next_change(moment)
        assert change > moment
        assert hours.holds(change) is not hours.holds(moment)


def test_that_what_is_no_span_of_hours_means_none() -> None:
    assert [read_hours(text) for text in ("", "night", "25:00-07:00", "19:00")] == [None] * 4
