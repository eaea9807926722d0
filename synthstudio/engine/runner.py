"""Runs one job: looks it up by kind, hands it a context, turns every ending into exactly one final event."""

from __future__ import annotations

import importlib
import logging
import platform
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, cast

import cv2
import numpy as np

from synthstudio import __version__
from synthstudio.domain.errors import Cancelled, UserError
from synthstudio.domain.os_errors import translate_named_error
from synthstudio.engine.context import CancelToken, DrawingDesk, JobContext
from synthstudio.engine.processes import ALONE, Processes
from synthstudio.project import Project
from synthstudio.protocol.messages import AnyEvent, JobCancelled, JobFailed, JobFinished, JobRequest, JobStarted
from synthstudio.protocol.results import JobResult
from synthstudio.settings.base import JobSettings, module_name

_log = logging.getLogger(__name__)


HELPERS = "helpers"
"""Folder, within that of a run, of what the processes write that help in a training; they remove it."""


class JobModule(Protocol):
    """What a module in engine/jobs offers."""

    def run(self, settings: JobSettings, context: JobContext) -> JobResult:
        """Do the work; raise UserError or Cancelled, or return the result."""


class Acceleration(Protocol):
    """What `engine.acceleration` offers to the processes that share a training."""

    def share_request(self, request: JobRequest) -> str:
        """As the main process: tell the others what to do; return the device."""

    def receive_request(self) -> tuple[JobRequest, str]:
        """As one of the others: wait for what is to be done; return it and the device."""


def find_acceleration() -> Acceleration:
    """Import what joins the processes of a training; a job in one process does without."""
    return cast("Acceleration", importlib.import_module("synthstudio.engine.acceleration"))


def find_job(kind: str) -> JobModule:
    """Import the module of a job kind; only here, so that a job that needs no torch does not load it."""
    return cast("JobModule", importlib.import_module(f"synthstudio.engine.jobs.{module_name(kind)}"))


def versions() -> dict[str, str]:
    """Versions that every result depends on; torch is added by the jobs that use it, in their checkpoints."""
    return {
        "synthstudio": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "opencv": cv2.__version__,
    }


def run_request(
    request: JobRequest, *, emit: Callable[[AnyEvent], None], context: Callable[[Project], JobContext]
) -> None:
    """Run a request to its end. Emits `JobStarted` first and exactly one final event last; never raises."""
    try:
        emit(_run(request, emit=emit, context=context))
    except Cancelled:
        emit(JobCancelled())
    except UserError as error:
        emit(JobFailed(message=error.message, hint=error.hint, traceback=traceback.format_exc()))
    except OSError as error:
        emit(_disk_failure(error))
    except MemoryError:
        emit(_out_of_memory("main"))
    except Exception as error:  # noqa: BLE001 - one of the three doors where errors end: nothing may pass it
        emit(_failure(error))


def _run(
    request: JobRequest, *, emit: Callable[[AnyEvent], None], context: Callable[[Project], JobContext]
) -> JobFinished:
    project = Project.open(Path(request.project), read_only=True)
    try:
        emit(JobStarted(device=request.device, versions=versions()))
        result = find_job(request.settings.kind).run(request.settings, context(project))
        return JobFinished.model_validate({"result": result.model_dump()})
    finally:
        project.close()


def _disk_failure(error: OSError) -> JobFailed:
    """A file that went away under the job, a full disk: the world's fault wherever it was met, if it names a file."""
    told = translate_named_error(error)
    if told is None:
        return _failure(error)
    return JobFailed(message=told.message, hint=told.hint, traceback=traceback.format_exc())


def _failure(error: Exception) -> JobFailed:
    if type(error).__name__ == "OutOfMemoryError":  # torch's, which this module must not import
        return _out_of_memory("GPU")
    _log.exception("A job failed because of a bug")
    return JobFailed(
        message=f"The job stopped because of an error in the program ({type(error).__name__}: {error}).",
        hint="The log has the details; please report it.",
        traceback=traceback.format_exc(),
    )


def _out_of_memory(which: str) -> JobFailed:
    return JobFailed(
        message=f"The {which} memory is too small for these settings.",
        hint="Choose a smaller batch or canvas, or close other programs, and start again.",
        traceback=traceback.format_exc(),
    )


def build_context(
    request: JobRequest,
    project: Project,
    *,
    emit: Callable[[AnyEvent], None],
    cancel: CancelToken,
    save_checkpoint: threading.Event,
    desk: DrawingDesk | None = None,
    processes: Processes = ALONE,
) -> JobContext:
    """Make the context of a request. A process that only helps gets a folder of its own within that of the run."""
    folder = Path(request.run_dir)
    return JobContext(
        project=project,
        run_id=request.run_id,
        run_dir=folder if processes.is_main else folder / HELPERS / str(processes.index),
        shared_dir=folder,
        processes=processes,
        device=request.device,
        seed=request.settings.seed,
        resume=request.resume,
        emit=emit,
        cancel=cancel,
        save_checkpoint=save_checkpoint,
        desk=desk,
    )
