"""The runner: every ending of a job becomes exactly one final event."""

from __future__ import annotations

import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from synthstudio.domain.errors import Cancelled, UserError
from synthstudio.engine import runner
from synthstudio.engine.context import CancelToken, JobContext
from synthstudio.engine.runner import build_context, find_job, run_request
from synthstudio.project import Project
from synthstudio.protocol.messages import AnyEvent, JobCancelled, JobFailed, JobFinished, JobRequest, JobStarted
from synthstudio.protocol.results import ComposeResult, JobResult
from synthstudio.settings.compose import ComposeSettings
from synthstudio.settings.registry import SETTINGS_BY_KIND

FINAL = (JobFinished, JobCancelled, JobFailed)
RESULT = ComposeResult(set="first", n_images=1, seconds=0.1, sha256="", project_state="")


@pytest.fixture
def request_of_compose(tmp_path: Path) -> JobRequest:
    Project.create(tmp_path / "study").close()
    return JobRequest(
        run_id="r", project=str(tmp_path / "study"), run_dir=str(tmp_path), settings=ComposeSettings(seed=5)
    )


def played(
    request: JobRequest, monkeypatch: pytest.MonkeyPatch, *, raises: BaseException | None = None
) -> list[AnyEvent]:
    def run(settings: ComposeSettings, context: JobContext) -> JobResult:
        assert context.seed == settings.seed == 5
        assert context.project.is_read_only
        if raises is not None:
            raise raises
        return RESULT

    monkeypatch.setattr(runner, "find_job", lambda kind: SimpleNamespace(run=run))
    events: list[AnyEvent] = []
    run_request(
        request,
        emit=events.append,
        context=lambda project: build_context(
            request, project, emit=events.append, cancel=CancelToken(), save_checkpoint=threading.Event()
        ),
    )
    assert sum(isinstance(event, FINAL) for event in events) == 1
    return events


def test_that_a_result_is_the_last_event(request_of_compose: JobRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    events = played(request_of_compose, monkeypatch)
    assert isinstance(events[0], JobStarted)
    assert events[-1] == JobFinished(result=RESULT)


def test_that_a_cancel_is_no_failure(request_of_compose: JobRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    assert played(request_of_compose, monkeypatch, raises=Cancelled())[-1] == JobCancelled()


def test_that_a_user_error_keeps_its_words(request_of_compose: JobRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    last = played(request_of_compose, monkeypatch, raises=UserError("The disk is full.", "Free some space."))[-1]
    assert isinstance(last, JobFailed)
    assert (last.message, last.hint) == ("The disk is full.", "Free some space.")


class OutOfMemoryError(RuntimeError):
    """Named as torch names its own."""


@pytest.mark.parametrize(("error", "which"), [(MemoryError(), "main"), (OutOfMemoryError("CUDA"), "GPU")])
def test_that_missing_memory_is_told_with_a_way_out(
    request_of_compose: JobRequest, monkeypatch: pytest.MonkeyPatch, error: Exception, which: str
) -> None:
    last = played(request_of_compose, monkeypatch, raises=error)[-1]
    assert isinstance(last, JobFailed)
    assert which in last.message
    assert "smaller batch" in last.hint


def test_that_a_bug_is_told_as_one_and_logged(
    request_of_compose: JobRequest, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    last = played(request_of_compose, monkeypatch, raises=ZeroDivisionError("oops"))[-1]
    assert isinstance(last, JobFailed)
    assert "error in the program (ZeroDivisionError: oops)" in last.message
    assert "ZeroDivisionError" in last.traceback
    assert caplog.records


def test_that_a_missing_project_is_a_user_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    request = JobRequest(
        run_id="r", project=str(tmp_path / "none"), run_dir=str(tmp_path), settings=ComposeSettings(seed=5)
    )
    last = played(request, monkeypatch)[-1]
    assert isinstance(last, JobFailed)
    assert "is not a SynthStudio project" in last.message


@pytest.mark.parametrize("kind", SETTINGS_BY_KIND)
def test_that_every_kind_has_a_job(kind: str) -> None:
    assert callable(find_job(kind).run)


def test_that_a_file_that_vanished_is_no_bug(request_of_compose: JobRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = FileNotFoundError(2, "No such file or directory", "/study/sets/a/manifest.jsonl")
    last = played(request_of_compose, monkeypatch, raises=gone)[-1]
    assert isinstance(last, JobFailed)
    assert last.message == "/study/sets/a/manifest.jsonl does not exist."
    assert last.hint
