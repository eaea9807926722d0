"""The real engine as a child process, driven by the real client."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from synthstudio.client import HostCancel, execute_run, start_run
from synthstudio.client.launch import engine_command, engine_environment
from synthstudio.domain.records import RunStatus
from synthstudio.project import Project
from synthstudio.protocol.messages import (
    AnyEvent,
    Cancel,
    JobCancelled,
    JobFailed,
    JobFinished,
    JobRequest,
    JobStarted,
    Progress,
    decode_event,
    encode,
)
from synthstudio.settings.compose import ComposeSettings, CompositionSettings
from tests.support.cell_projects import make_cell_project

SMALL = CompositionSettings(canvas_px=96, n_objects_max=4)
LONG = ComposeSettings(set_name="long", count=100_000, composition=SMALL)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    made = make_cell_project(tmp_path / "study")
    yield made
    made.close()


def start_engine(request: JobRequest | None) -> subprocess.Popen[bytes]:
    engine = subprocess.Popen(
        engine_command(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=engine_environment(),
        process_group=0,
    )
    assert engine.stdin is not None
    engine.stdin.write(encode(request) if request else b"no request\n")
    engine.stdin.flush()
    return engine


def request_of(project: Project, settings: ComposeSettings) -> JobRequest:
    return JobRequest(run_id="r", project=str(project.folder), run_dir=str(project.folder), settings=settings)


def wait_for_progress(engine: subprocess.Popen[bytes]) -> None:
    assert engine.stdout is not None
    for line in engine.stdout:
        event = decode_event(line)
        if isinstance(event, Progress) and event.total == LONG.count and event.done:
            return
    pytest.fail("the engine ended without any progress")


def engine_pid() -> int:
    """The one engine that this process has started."""
    own_children = ["pgrep", "-P", str(os.getpid()), "-f", "synthstudio.engine"]
    [pid] = subprocess.run(own_children, capture_output=True, check=True).stdout.split()
    return int(pid)


def finish(engine: subprocess.Popen[bytes]) -> list[AnyEvent]:
    out, _ = engine.communicate(timeout=60)
    return [decode_event(line) for line in out.splitlines()]


def test_that_a_set_is_composed_by_the_engine_and_recorded(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")  # the engine is found from anywhere
    events: list[AnyEvent] = []
    run_id = start_run(project, ComposeSettings(set_name="first", count=5, composition=SMALL))
    outcome = execute_run(project, run_id, on_event=events.append, cancel=HostCancel())
    assert isinstance(outcome, JobFinished)
    assert isinstance(events[0], JobStarted)
    assert project.runs.get(run_id).status is RunStatus.FINISHED
    assert project.sets.get("first").n_images == 5
    assert (project.set_folder("first") / "manifest.jsonl").is_file()


def test_that_a_second_set_of_the_name_is_refused(project: Project) -> None:
    for expected in (JobFinished, JobFailed):
        run_id = start_run(project, ComposeSettings(set_name="first", count=2, composition=SMALL))
        outcome = execute_run(project, run_id, on_event=lambda event: None, cancel=HostCancel())
        assert isinstance(outcome, expected)
    assert "already a set" in project.runs.get(run_id).message
    assert project.sets.get("first").n_images == 2


def test_that_a_cancel_is_polite_and_leaves_no_set(project: Project) -> None:
    cancel = HostCancel()

    def on_event(event: AnyEvent) -> None:
        if isinstance(event, Progress) and event.total == LONG.count:
            cancel.request()

    run_id = start_run(project, LONG)
    outcome = execute_run(project, run_id, on_event=on_event, cancel=cancel)
    assert outcome == JobCancelled(how="politely")
    assert list((project.folder / "sets").iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="POSIX sessions")
def test_that_the_engine_gives_way_to_its_host(project: Project) -> None:
    """Nicer, within the session of its host: between two sessions Linux does not look at niceness."""
    seen: list[tuple[int, int, int]] = []

    def on_event(event: AnyEvent) -> None:
        if isinstance(event, Progress) and event.total == LONG.count and not seen:
            pid = engine_pid()
            seen.append((os.getpriority(os.PRIO_PROCESS, pid), os.getsid(pid), os.getpgid(pid)))
            cancel.request()

    cancel = HostCancel()
    execute_run(project, start_run(project, LONG), on_event=on_event, cancel=cancel)
    [(niceness, session, group)] = seen
    assert niceness > os.getpriority(os.PRIO_PROCESS, 0)
    assert session == os.getsid(0)
    assert group != os.getpgid(0)  # it can be killed with its workers


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_that_a_killed_engine_fails_its_run_and_the_next_one_works(project: Project) -> None:
    killed: list[int] = []

    def on_event(event: AnyEvent) -> None:
        if isinstance(event, Progress) and event.total == LONG.count and not killed:
            killed.append(engine_pid())
            os.kill(killed[0], signal.SIGKILL)

    run_id = start_run(project, LONG)
    outcome = execute_run(project, run_id, on_event=on_event, cancel=HostCancel())
    assert isinstance(outcome, JobFailed)
    assert "SIGKILL" in outcome.message
    assert project.runs.get(run_id).status is RunStatus.FAILED
    assert project.sets.find("long") is None
    next_id = start_run(project, ComposeSettings(set_name="long", count=3, composition=SMALL))
    assert isinstance(execute_run(project, next_id, on_event=lambda e: None, cancel=HostCancel()), JobFinished)


def test_that_the_engine_exits_when_its_parent_is_gone(project: Project) -> None:
    engine = start_engine(request_of(project, LONG))
    wait_for_progress(engine)
    assert engine.stdin is not None
    engine.stdin.close()
    assert engine.wait(10) != 0
    for stream in (engine.stdout, engine.stderr):
        assert stream is not None
        stream.close()


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="workers are found through /proc")
def test_that_no_worker_outlives_an_engine_whose_parent_is_gone(project: Project) -> None:
    engine = start_engine(request_of(project, LONG.model_copy(update={"workers": 2})))
    wait_for_progress(engine)
    assert group_members(engine.pid) > 2
    assert engine.stdin is not None
    engine.stdin.close()
    engine.wait(60)
    deadline = time.monotonic() + 60
    while group_members(engine.pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert group_members(engine.pid) == 0
    for stream in (engine.stdout, engine.stderr):
        assert stream is not None
        stream.close()


def group_members(pgid: int) -> int:
    count = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, group = stat.read_text().rpartition(")")[2].split()[:3]
        except OSError:
            continue
        count += int(group) == pgid and state != "Z"
    return count


def test_that_a_request_that_is_none_is_answered_in_words() -> None:
    engine = start_engine(None)
    events = finish(engine)
    assert len(events) == 1
    assert isinstance(events[0], JobFailed)
    assert "did not understand the request" in events[0].message


def test_that_a_command_that_is_none_is_ignored(project: Project) -> None:
    engine = start_engine(request_of(project, LONG))
    wait_for_progress(engine)
    assert engine.stdin is not None
    engine.stdin.write(b"what?\n" + encode(Cancel()))
    engine.stdin.flush()
    assert engine.stdout is not None
    events = [decode_event(line) for line in engine.stdout]
    assert events[-1] == JobCancelled()
    engine.wait(10)
    for stream in (engine.stdin, engine.stdout, engine.stderr):
        assert stream is not None
        stream.close()
