"""What a run leaves behind: its event log, its metrics, its end. The host is the only writer of the project."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from synthstudio.core.imaging import translate_os_error
from synthstudio.core.suggestions.searched import read_search, search_file
from synthstudio.domain.ids import RunId, SetName
from synthstudio.domain.records import Generator, Metric, Run, RunStatus, SyntheticSet
from synthstudio.project import Project
from synthstudio.project.recorded_searches import record_search
from synthstudio.project.suggestions import KIND as SUGGESTIONS
from synthstudio.protocol.messages import (
    AnyEvent,
    JobCancelled,
    JobFailed,
    JobFinished,
    JobOutcome,
    MetricLogged,
    PreviewReady,
    RecordsChanged,
    encode,
)
from synthstudio.protocol.results import ComposeResult, GenerateResult, UpscaleResult

_MAX_PENDING = 200
_MAX_DELAY_S = 1.0


class Recorder:
    """Writes the events of one run into its folder and the project. Use as a context manager.

    Metrics are stored in batches: a commit is a disk sync, and a training may log hundreds of values a second.

    Raises:
        UserError: The disk is full or the folder cannot be written.
    """

    def __init__(self, project: Project, run: Run) -> None:
        self._project = project
        self._run = run
        self._pending: list[Metric] = []
        self._flushed_at = time.monotonic()
        self._path = project.run_folder(run.id) / "events.jsonl"
        self._stream = _opened(self._path)

    def __enter__(self) -> Recorder:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):  # unbuffered: nothing is left to be written
            self._stream.close()

    def record(self, event: AnyEvent) -> None:
        """Store an event that is not the last one; previews are not kept."""
        if isinstance(event, PreviewReady):
            return
        self._append(event)
        if isinstance(event, RecordsChanged) and SUGGESTIONS in event.kinds:
            self._enter_suggestions(event.fov_ids)
        # SQLite has no NaN, and a curve with an infinity in it cannot be drawn.
        if isinstance(event, MetricLogged) and math.isfinite(event.value):
            self._pending.append(Metric(self._run.id, event.step, event.name, event.value))
        is_due = time.monotonic() - self._flushed_at >= _MAX_DELAY_S
        if len(self._pending) >= _MAX_PENDING or (self._pending and is_due):
            self._flush()

    def finish(self, outcome: JobOutcome) -> None:
        """Store how the run ended: rows of what it made and its status, in one transaction."""
        self._append(outcome)
        with self._project.transaction():
            self._flush()
            match outcome:
                case JobFinished(result=result):
                    if isinstance(result, ComposeResult | GenerateResult | UpscaleResult):
                        self._project.sets.put(_set_record(self._run, result))
                    summary = result.model_dump_json()
                    self._project.runs.set_ended(self._run.id, RunStatus.FINISHED, summary_json=summary)
                case JobCancelled():
                    self._project.runs.set_ended(self._run.id, RunStatus.CANCELLED)
                case JobFailed(message=message, hint=hint):
                    self._project.runs.set_ended(self._run.id, RunStatus.FAILED, message=message, hint=hint)

    def _enter_suggestions(self, fov_ids: Sequence[int]) -> None:
        """Enter what was found on FOVs as soon as they were searched: the expert need not wait for the others."""
        for fov_id in fov_ids:
            path = search_file(self._project.run_folder(self._run.id), fov_id)
            record_search(self._project, read_search(path), job_id=self._run.id)

    def _append(self, event: AnyEvent) -> None:
        try:
            self._stream.write(encode(event))
        except OSError as error:
            raise translate_os_error(error, self._path) from error

    def _flush(self) -> None:
        if self._pending:
            self._project.runs.add_metrics(self._pending)
            self._pending = []
        self._flushed_at = time.monotonic()


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("ab", buffering=0)
    except OSError as error:
        raise translate_os_error(error, path) from error


def _set_record(run: Run, result: ComposeResult | GenerateResult | UpscaleResult) -> SyntheticSet:
    return SyntheticSet(
        name=SetName(result.set),
        generator=Generator.COMPOSITED if isinstance(result, ComposeResult) else result.generator,
        run_id=RunId(run.id),
        n_images=result.n_images,
        manifest_sha256=result.sha256,
        settings_json=run.settings_json,
        project_state=result.project_state,
        created_at="",
    )
