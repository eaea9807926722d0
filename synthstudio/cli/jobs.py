"""The commands that run jobs: the same ones as the window, in an engine process, with a bar."""

from __future__ import annotations

import argparse
import shlex
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from synthstudio.cli.arguments import (
    RunEnded,
    WrongUse,
    add_project,
    add_settings,
    has_settings,
    settings_from_arguments,
)
from synthstudio.cli.render import Display, print_json
from synthstudio.cli.results import print_result
from synthstudio.client.cancelling import HostCancel
from synthstudio.client.endings import has_checkpoint
from synthstudio.client.named_records import find_faults
from synthstudio.client.replacing import put_back, set_aside
from synthstudio.client.session import execute_run, start_run
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import RunId
from synthstudio.project import Project
from synthstudio.protocol.messages import JobCancelled, JobFailed, JobFinished, JobOutcome
from synthstudio.protocol.results import QualityResult
from synthstudio.settings.base import JobSettings
from synthstudio.settings.references import WRITING_KINDS, set_written

EXIT_NOT_SOUND = 1
"""Of a quality check that has found something of the severity that it fails on."""


def add_arguments(command: str, parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of a job command."""
    add_project(parser)
    if command in WRITING_KINDS:
        parser.add_argument(
            "--replace", action="store_true", help="replace a set of the same name, once it is complete"
        )
    if command.startswith("train-"):
        parser.add_argument("--resume", metavar="RUN", help="go on with this run from its last checkpoint")
    if command == "search-recipes":
        parser.add_argument("--resume", metavar="RUN", help="go on with this run; what it has tried is kept")
    parser.add_argument("--device", default="auto", metavar="D", help="auto, cpu, cuda or cuda:N [default auto]")
    add_settings(command, parser)


def execute(command: str, arguments: argparse.Namespace) -> int:
    """Run the job; return the exit status."""
    resumed: str | None = getattr(arguments, "resume", None)
    if resumed is not None and has_settings(arguments):
        raise WrongUse("A resumed run keeps its own settings.", "Leave the other settings out.")
    if resumed is None:
        return do_job(settings_from_arguments(command, arguments), arguments)
    project = open_to_write(arguments.project)
    try:
        run = project.runs.get(RunId(resumed))
        if run.kind != command:
            raise WrongUse(f"The run {run.id} is a {run.kind} run.", f"Only {command} runs can be resumed here.")
        return _report(project, run.id, run_job(project, run.id, device=arguments.device, resume=True), arguments)
    finally:
        project.close()


def do_job(settings: JobSettings, arguments: argparse.Namespace) -> int:
    """Run a job with these settings; return the exit status."""
    project = open_to_write(arguments.project)
    try:
        replaced = set_written(settings) if getattr(arguments, "replace", False) else ""
        return _report(project, *_run_new(project, settings, device=arguments.device, replaced=replaced), arguments)
    finally:
        project.close()


def open_to_write(folder: Path) -> Project:
    """Open a project that the command will change. Raises UserError where another program holds it."""
    project = Project.open(folder)
    if project.is_read_only:
        reason = project.read_only_reason
        project.close()
        raise UserError(
            f"The project {folder} cannot be changed: {reason}",
            "Close what has it open, or copy it to a folder where you may write, then try again.",
        )
    return project


def _run_new(project: Project, settings: JobSettings, *, device: str, replaced: str) -> tuple[RunId, JobOutcome]:
    if not replaced:
        _refuse_wrong_names(project, settings)
        run_id = start_run(project, settings)
        return run_id, run_job(project, run_id, device=device)
    set_aside(project, replaced)
    try:
        run_id = start_run(project, settings)
        return run_id, run_job(project, run_id, device=device)
    finally:
        put_back(project, replaced)


def _refuse_wrong_names(project: Project, settings: JobSettings) -> None:
    """Said before anything is done; what only reads a set, or goes on with one, has its name."""
    name = set_written(settings)
    if name and project.sets.find(name) is not None:
        raise UserError(f"There is already a set {name}.", "Choose another name, or replace it with --replace.")
    for fault in find_faults(project, settings):
        raise fault


def run_job(project: Project, run_id: RunId, *, device: str = "auto", resume: bool = False) -> JobOutcome:
    """Execute a run with its progress on standard error; Ctrl+C cancels politely, a second one at once."""
    cancel = HostCancel()
    with Display() as display, cancelled_by_signals(cancel):
        return execute_run(project, run_id, on_event=display.on_event, cancel=cancel, device=device, resume=resume)


@contextmanager
def cancelled_by_signals(cancel: HostCancel) -> Iterator[None]:
    """Ctrl+C and a termination ask politely the first time, and insist the second."""

    def on_signal(number: int, frame: FrameType | None) -> None:
        if cancel.is_requested:
            cancel.request_now()
        cancel.request()

    earlier = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)


def _report(project: Project, run_id: RunId, outcome: JobOutcome, arguments: argparse.Namespace) -> int:
    match outcome:
        case JobFailed(message=message, hint=hint):
            raise RunEnded(run_id, "failed", message=message, hint=hint)
        case JobCancelled():
            raise RunEnded(run_id, "cancelled", message="The job was cancelled.", hint=_way_on(project, run_id))
        case JobFinished(result=result):
            folder = project.run_folder(run_id)
            if arguments.json:
                # Its own keys come last: the `run` of an evaluation is the training that was scored.
                head = {"run": run_id, "status": "finished", "job": run_id, "folder": str(folder)}
                print_json(head | result.model_dump(mode="json") | getattr(arguments, "told", {}))
            else:
                getattr(arguments, "tell", print_result)(result, folder)
            if isinstance(result, QualityResult) and not result.is_sound:
                return EXIT_NOT_SOUND
    return 0


def _way_on(project: Project, run_id: RunId) -> str:
    """How a cancelled training goes on, where it has left something; nothing for a job that cannot."""
    kind = project.runs.get(run_id).kind
    if not kind.startswith("train-") and kind != "search-recipes":
        return ""
    if not has_checkpoint(project.run_folder(run_id)):
        return "It had stored nothing to go on from."
    words = ("synthstudio", kind, str(project.folder), "--resume", run_id)
    return f"Go on with: {' '.join(shlex.quote(word) for word in words)}"
