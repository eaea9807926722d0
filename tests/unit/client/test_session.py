"""The host's side of a run, against an engine that plays every part."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from synthstudio.client import Graces, HostCancel, execute_run, start_run, stored_settings
from synthstudio.domain.errors import ProjectIsReadOnly, UserError
from synthstudio.domain.ids import RunId
from synthstudio.domain.records import RunStatus
from synthstudio.project import Project
from synthstudio.project.runs import new_run_id
from synthstudio.protocol.messages import (
    AnyEvent,
    JobCancelled,
    JobFailed,
    JobFinished,
    JobOutcome,
    MetricLogged,
    StageChanged,
    decode_event,
)
from synthstudio.settings.compose import ComposeSettings
from synthstudio.settings.recipe import read_recipe
from synthstudio.settings.train_classifier import TrainClassifierSettings
from tests.support.scripted_engine import scripted_engine

SHORT = Graces(polite_s=0.4, terminate_s=0.4, exit_s=0.5)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    made = Project.create(tmp_path / "study")
    yield made
    made.close()


class Listener:
    """Keeps the events; may ask for a cancel once the engine has begun."""

    def __init__(self, cancel: HostCancel | None = None) -> None:
        self.events: list[AnyEvent] = []
        self._cancel = cancel

    def __call__(self, event: AnyEvent) -> None:
        self.events.append(event)
        if self._cancel is not None and isinstance(event, MetricLogged):
            self._cancel.request()

    @property
    def stages(self) -> list[str]:
        return [event.text for event in self.events if isinstance(event, StageChanged)]


def play(
    project: Project,
    part: str,
    *,
    listener: Listener | None = None,
    cancel: HostCancel | None = None,
    run_id: RunId | None = None,
    resume: bool = False,
) -> tuple[RunId, JobOutcome]:
    run_id = run_id or start_run(project, TrainClassifierSettings(seed=7), title="A training")
    outcome = execute_run(
        project,
        run_id,
        on_event=listener or Listener(),
        cancel=cancel or HostCancel(),
        resume=resume,
        command=scripted_engine(part),
        graces=SHORT,
    )
    return run_id, outcome


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_that_a_run_has_its_row_folder_and_recipe_before_it_starts(project: Project) -> None:
    settings = ComposeSettings(set_name="first", count=3, seed=9)
    run_id = start_run(project, settings, title="Three images")
    run = project.runs.get(run_id)
    assert (run.status, run.title, run.kind) == (RunStatus.QUEUED, "Three images", "compose")
    assert read_recipe(project.run_folder(run_id) / "recipe.toml") == settings
    assert stored_settings(run) == settings


@pytest.mark.parametrize(
    ("stored", "message"),
    [
        ('{"seed": 1}', "do not say what kind of job it is."),
        ("[]", "do not say what kind of job it is."),
        (
            '{"kind": "train-oracle"}',
            "is a job of the kind train-oracle, which this version of SynthStudio does not know.",
        ),
        ('{"kind": ["compose"]}', "do not say what kind of job it is."),
        ('{"kind": ', "are damaged."),
    ],
)
def test_that_a_run_of_no_known_kind_ends_with_one_sentence(project: Project, stored: str, message: str) -> None:
    run_id = new_run_id("compose")
    project.runs.add(run_id, kind="compose", title="By a script", settings_json=stored)
    with pytest.raises(UserError) as raised:
        play(project, "finished", run_id=run_id)
    assert raised.value.message.endswith(message)
    assert run_id in raised.value.message
    assert "set" in raised.value.hint.lower()
    assert len(str(raised.value)) < 250  # no list of all kinds
    run = project.runs.get(run_id)
    assert (run.status, run.message, run.hint) == (RunStatus.FAILED, raised.value.message, raised.value.hint)


def test_that_a_run_cannot_be_entered_into_a_read_only_project(project: Project) -> None:
    second = Project.open(project.folder)
    with pytest.raises(ProjectIsReadOnly):
        start_run(second, ComposeSettings())
    assert list((project.folder / "runs").iterdir()) == []
    second.close()


def test_that_a_finished_run_leaves_result_metrics_and_log(project: Project) -> None:
    listener = Listener()
    run_id, outcome = play(project, "finished", listener=listener)
    assert isinstance(outcome, JobFinished)
    assert listener.events[-1] is outcome
    run = project.runs.get(run_id)
    assert run.status is RunStatus.FINISHED
    assert json.loads(run.summary_json)["best"] == {"macro_f1": 0.75}
    assert project.runs.metrics(run_id) == {"loss": [(1, 1.0), (2, 0.5), (3, 1.0 / 3)]}
    folder = project.run_folder(run_id)
    assert (folder / "engine.log").read_text() == "a line for the log\n"
    logged = [decode_event(line) for line in (folder / "events.jsonl").read_bytes().splitlines()]
    assert logged == listener.events


def test_that_the_row_is_complete_when_the_last_event_arrives(project: Project) -> None:
    run_id = start_run(project, ComposeSettings(set_name="first", count=3))
    seen: list[tuple[RunStatus, int]] = []

    def on_event(event: AnyEvent) -> None:
        if isinstance(event, JobFinished):
            seen.append((project.runs.get(run_id).status, project.sets.get("first").n_images))

    execute_run(project, run_id, on_event=on_event, cancel=HostCancel(), command=scripted_engine("finished"))
    assert seen == [(RunStatus.FINISHED, 3)]


def test_that_a_composed_set_is_recorded_with_its_origin(project: Project) -> None:
    settings = ComposeSettings(set_name="first", count=3, seed=5)
    run_id = start_run(project, settings)
    execute_run(project, run_id, on_event=Listener(), cancel=HostCancel(), command=scripted_engine("finished"))
    recorded = project.sets.get("first")
    assert (recorded.run_id, recorded.manifest_sha256, recorded.project_state) == (run_id, "ab" * 32, "cd" * 32)
    assert ComposeSettings.model_validate_json(recorded.settings_json) == settings


def test_that_a_failed_run_keeps_the_reason_and_the_next_step(
    project: Project, caplog: pytest.LogCaptureFixture
) -> None:
    run_id, outcome = play(project, "failed")
    assert isinstance(outcome, JobFailed)
    run = project.runs.get(run_id)
    assert (run.status, run.message, run.hint) == (RunStatus.FAILED, "The script says no.", "Ask another one.")
    assert "Traceback" in caplog.text


def test_that_a_polite_engine_is_cancelled_politely(project: Project) -> None:
    cancel = HostCancel()
    run_id, outcome = play(project, "patient", listener=Listener(cancel), cancel=cancel)
    assert outcome == JobCancelled(how="politely")
    assert project.runs.get(run_id).status is RunStatus.CANCELLED


def test_that_a_hung_engine_is_terminated_and_each_rung_is_told(project: Project) -> None:
    cancel = HostCancel()
    listener = Listener(cancel)
    run_id, outcome = play(project, "hung", listener=listener, cancel=cancel)
    assert outcome == JobCancelled(how="terminated")
    assert project.runs.get(run_id).status is RunStatus.CANCELLED
    assert listener.stages == ["Acting", "Stopping", "The engine does not stop; ending it"]


def test_that_a_deaf_engine_is_killed(project: Project) -> None:
    cancel = HostCancel()
    listener = Listener(cancel)
    _, outcome = play(project, "deaf", listener=listener, cancel=cancel)
    assert outcome == JobCancelled(how="killed")
    assert listener.stages[-1] == "The engine does not end; killing it"


def test_that_an_urgent_cancel_does_not_wait_for_politeness(project: Project) -> None:
    cancel = HostCancel()
    run_id = start_run(project, TrainClassifierSettings())

    def on_event(event: AnyEvent) -> None:
        if isinstance(event, MetricLogged):
            cancel.request_now()

    outcome = execute_run(
        project,
        run_id,
        on_event=on_event,
        cancel=cancel,
        command=scripted_engine("hung"),
        graces=Graces(polite_s=60.0, terminate_s=10.0),
    )
    assert outcome == JobCancelled(how="terminated")


def test_that_a_cancel_before_the_start_ends_the_run(project: Project) -> None:
    cancel = HostCancel()
    cancel.request()
    _, outcome = play(project, "patient", cancel=cancel)
    assert isinstance(outcome, JobCancelled)


def test_that_a_killed_engine_is_a_failed_run_that_says_how_to_resume(
    project: Project, caplog: pytest.LogCaptureFixture
) -> None:
    run_id, outcome = play(project, "crashed")
    assert isinstance(outcome, JobFailed)
    assert "SIGKILL" in outcome.message
    assert "memory" in outcome.message
    assert "Resume the run" in outcome.hint
    assert project.runs.get(run_id).status is RunStatus.FAILED
    assert project.runs.metrics(run_id)["loss"][-1] == (3, 1 / 3)
    assert "SIGKILL" in caplog.text


def test_that_a_crashed_training_goes_on_from_its_checkpoint(
    project: Project, caplog: pytest.LogCaptureFixture
) -> None:
    run_id, _ = play(project, "crashed")
    _, outcome = play(project, "finished", run_id=run_id, resume=True)
    assert isinstance(outcome, JobFinished)
    run = project.runs.get(run_id)
    assert (run.status, run.message) == (RunStatus.FINISHED, "")
    log = (project.run_folder(run_id) / "events.jsonl").read_text()
    assert log.count('"event":"failed"') == 1  # the log tells both lives of the run
    assert "SIGKILL" in caplog.text


def test_that_a_run_without_checkpoint_is_not_resumed(project: Project) -> None:
    run_id, _ = play(project, "finished")
    with pytest.raises(UserError, match="no checkpoint"):
        play(project, "finished", run_id=run_id, resume=True)
    assert project.runs.get(run_id).status is RunStatus.FINISHED


def test_that_a_native_crash_names_its_signal(project: Project, caplog: pytest.LogCaptureFixture) -> None:
    _, outcome = play(project, "crashed-natively")
    assert isinstance(outcome, JobFailed)
    assert "crashed in native code (SIGSEGV)" in outcome.message
    assert "Then start it again" in outcome.hint
    assert caplog.records


def test_that_an_engine_that_drops_out_is_quoted(project: Project, caplog: pytest.LogCaptureFixture) -> None:
    run_id, outcome = play(project, "dropped-out")
    assert isinstance(outcome, JobFailed)
    assert "exit status 1" in outcome.message
    assert "RuntimeError: the script was lost" in outcome.message
    assert "Traceback" in outcome.traceback
    assert "RuntimeError" in (project.run_folder(run_id) / "engine.log").read_text()
    assert caplog.records


def test_that_garbage_on_the_stream_goes_to_the_log_and_the_run_finishes(project: Project) -> None:
    run_id, outcome = play(project, "garbage")
    assert isinstance(outcome, JobFinished)
    log = (project.run_folder(run_id) / "engine.log").read_text()
    assert "loading weights... 100%" in log
    assert "unheard of" in log


def test_that_only_the_first_ending_counts(project: Project) -> None:
    listener = Listener()
    _, outcome = play(project, "talks-on", listener=listener)
    assert isinstance(outcome, JobFinished)
    assert not any(isinstance(event, JobFailed) for event in listener.events)


@pytest.mark.skipif(os.name == "nt", reason="process groups are told apart through /proc")
@pytest.mark.parametrize("part", ["survived-by-a-worker", "crashed-with-a-worker"])
def test_that_no_worker_outlives_its_engine(project: Project, part: str) -> None:
    started = time.monotonic()
    run_id, _ = play(project, part)
    assert time.monotonic() - started < 10
    worker = int((project.run_folder(run_id) / "worker.pid").read_text())
    deadline = time.monotonic() + 20
    while is_alive(worker) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not is_alive(worker)


def test_that_an_engine_that_cannot_be_started_fails_the_run(project: Project) -> None:
    run_id = start_run(project, ComposeSettings())
    with pytest.raises(UserError, match="cannot be started"):
        execute_run(project, run_id, on_event=Listener(), cancel=HostCancel(), command=["/no/such/engine"])
    assert project.runs.get(run_id).status is RunStatus.FAILED


@pytest.mark.parametrize("raised", [KeyboardInterrupt, ZeroDivisionError])
def test_that_a_listener_that_raises_ends_engine_and_run(project: Project, raised: type[BaseException]) -> None:
    run_id = start_run(project, TrainClassifierSettings())

    def on_event(event: AnyEvent) -> None:
        if isinstance(event, MetricLogged):
            raise raised

    started = time.monotonic()
    with pytest.raises(raised):
        execute_run(project, run_id, on_event=on_event, cancel=HostCancel(), command=scripted_engine("hung"))
    assert time.monotonic() - started < 10
    assert project.runs.get(run_id).status is RunStatus.FAILED


def test_that_values_without_a_number_are_not_stored(project: Project, tmp_path: Path) -> None:
    script = tmp_path / "nan.py"
    script.write_text(
        "import sys; sys.stdin.readline()\n"
        "for v in ('NaN', 'Infinity', '0.5'):\n"
        '    print(\'{"event": "metric", "name": "loss", "step": 1, "value": \' + v + "}")\n'
        'print(\'{"event": "cancelled"}\')\n'
    )
    run_id = start_run(project, TrainClassifierSettings())
    command = (scripted_engine("finished")[0], str(script))
    execute_run(project, run_id, on_event=Listener(), cancel=HostCancel(), command=command)
    assert project.runs.metrics(run_id) == {"loss": [(1, 0.5)]}


def test_that_a_run_that_cannot_be_entered_leaves_no_folder(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, data: bytes) -> None:
        raise UserError("The disk is full.")

    monkeypatch.setattr("synthstudio.client.session.write_bytes_atomically", full)
    with pytest.raises(UserError, match="disk is full"):
        start_run(project, ComposeSettings())
    assert project.runs.list() == []
    assert list((project.folder / "runs").iterdir()) == []
