"""One run from request to end: what the window's worker and the command line share."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable, Sequence

from synthstudio.client.cancelling import DEFAULT_GRACES, Graces, HostCancel
from synthstudio.client.endings import has_checkpoint
from synthstudio.client.launch import engine_command
from synthstudio.client.recording import Recorder
from synthstudio.client.supervision import supervise
from synthstudio.core.imaging import translate_os_error, write_bytes_atomically
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import RunId
from synthstudio.domain.records import Run, RunStatus
from synthstudio.project import Project
from synthstudio.project.runs import new_run_id
from synthstudio.protocol.messages import AnyEvent, JobFailed, JobOutcome, JobRequest
from synthstudio.settings.base import JobSettings
from synthstudio.settings.recipe import recipe_text, settings_from_toml
from synthstudio.settings.registry import MODELS_BY_RECIPE_KIND, SettingsUnion

_log = logging.getLogger(__name__)

RECIPE_NAME = "recipe.toml"


def start_run(project: Project, settings: JobSettings, *, title: str = "", experiment: str = "") -> RunId:
    """Enter a run into the project, with its folder and its recipe; `execute_run` then does the work.

    Args:
        experiment: Name of the stored experiment that the run is a part of.

    Raises:
        UserError: The project is read-only, or its disk cannot be written.
    """
    run_id = new_run_id(settings.kind)
    # Files first, the row follows: a row always has its folder.
    folder = project.run_folder(run_id)
    settings_json = json.dumps(settings.model_dump(mode="json", exclude_none=True), ensure_ascii=False)
    with project.transaction():
        try:
            folder.mkdir(parents=True)
        except OSError as error:
            raise translate_os_error(error, folder) from error
        try:
            write_bytes_atomically(folder / RECIPE_NAME, recipe_text(settings).encode())
            project.runs.add(
                run_id,
                kind=settings.kind,
                title=title or settings.kind,
                settings_json=settings_json,
                experiment=experiment,
            )
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
    return run_id


def execute_run(
    project: Project,
    run_id: RunId,
    *,
    on_event: Callable[[AnyEvent], None],
    cancel: HostCancel,
    device: str = "auto",
    resume: bool = False,
    command: Sequence[str] | None = None,
    graces: Graces = DEFAULT_GRACES,
) -> JobOutcome:
    """Do the work of a run in an engine process; block until it has ended.

    Every event goes to `on_event`, in this thread, after what it tells is in the project. The last one is the outcome
    that is also returned; a crash of the engine is one, too. Whatever raises meanwhile, the engine is ended and the run
    is recorded as failed.

    Args:
        device: "auto", "cpu" or a torch device string.
        resume: Go on from the last checkpoint.
        command: Command line of the engine, where it is not the usual one.

    Raises:
        UserError: The engine cannot be started, or the project cannot be written.
    """
    run = project.runs.get(run_id)
    try:
        settings = stored_settings(run)
    except UserError as error:
        if run.status is RunStatus.QUEUED:  # or it would be begun in vain each time that the project is opened
            _record_failure(project, run_id, error)
        raise
    request = JobRequest(
        run_id=run_id,
        project=str(project.folder),
        run_dir=str(project.run_folder(run_id)),
        settings=settings,
        device=device,
        resume=resume,
    )
    if resume:
        _refuse_resume_without_checkpoint(project, run)
    project.runs.set_running(run_id)
    try:
        outcome = _recorded(project, run, request, command=command, cancel=cancel, graces=graces, on_event=on_event)
    except BaseException as error:
        _record_failure(project, run_id, error)
        raise
    on_event(outcome)
    return outcome


def stored_settings(run: Run) -> SettingsUnion:
    """Return the settings of a run. Raises UserError where this version cannot read them."""
    again = "Set the job up again in the window, or start it with its recipe."
    try:
        content = json.loads(run.settings_json)
    except ValueError as error:
        raise UserError(f"The stored settings of the run {run.id} are damaged.", again) from error
    kind = content.get("kind") if isinstance(content, dict) else None
    if not isinstance(kind, str):
        raise UserError(f"The stored settings of the run {run.id} do not say what kind of job it is.", again)
    if kind not in MODELS_BY_RECIPE_KIND:
        raise UserError(
            f"The run {run.id} is a job of the kind {kind}, which this version of SynthStudio does not know.",
            "Update SynthStudio, or set up another job.",
        )
    return settings_from_toml(content, origin=f"The run {run.id}")


def _recorded(
    project: Project,
    run: Run,
    request: JobRequest,
    *,
    command: Sequence[str] | None,
    cancel: HostCancel,
    graces: Graces,
    on_event: Callable[[AnyEvent], None],
) -> JobOutcome:
    with Recorder(project, run) as recorder:

        def pass_on(event: AnyEvent) -> None:
            recorder.record(event)
            on_event(event)

        outcome = supervise(command or engine_command(), request, on_event=pass_on, cancel=cancel, graces=graces)
        if isinstance(outcome, JobFailed) and outcome.traceback:
            _log.error("Run %s failed: %s\n%s", run.id, outcome.message, outcome.traceback)
        recorder.finish(outcome)
    return outcome


def _refuse_resume_without_checkpoint(project: Project, run: Run) -> None:
    if not has_checkpoint(project.run_folder(run.id)):
        raise UserError(f"The run {run.id} has no checkpoint to resume from.", "Start a new run with its recipe.")


def _record_failure(project: Project, run_id: RunId, error: BaseException) -> None:
    """Record why the host gave a run up, where the project can still be written."""
    if isinstance(error, UserError):
        message, hint = error.message, error.hint
    elif isinstance(error, KeyboardInterrupt):
        message, hint = "The run was interrupted.", "Start it again."
    else:
        message, hint = f"The program that drove the run failed ({type(error).__name__}: {error}).", "See its log."
    try:
        project.runs.set_ended(run_id, RunStatus.FAILED, message=message, hint=hint)
    except UserError:
        _log.warning("The end of run %s could not be recorded", run_id)
