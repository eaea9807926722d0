"""What the journeys of `demo` have in common: their jobs one after another, and how their ends are told."""

from __future__ import annotations

import sys

from synthstudio.cli.jobs import run_job
from synthstudio.client.replacing import put_back, set_aside
from synthstudio.client.session import start_run
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import RunId
from synthstudio.domain.records import RunStatus
from synthstudio.project import Project
from synthstudio.protocol.messages import JobCancelled, JobFailed
from synthstudio.settings.base import JobSettings


def run_step(project: Project, settings: JobSettings, title: str) -> RunId:
    """Run a job of a journey to its end.

    Raises:
        UserError: It failed, or was cancelled.
    """
    run_id = start_run(project, settings, title=title)
    outcome = run_job(project, run_id)
    if isinstance(outcome, JobFailed):
        raise UserError(outcome.message, outcome.hint)
    if isinstance(outcome, JobCancelled):
        raise UserError("The demo was cancelled.", "Start it again; what is complete is kept.")
    assert project.runs.get(run_id).status is RunStatus.FINISHED
    return run_id


def write_set_again(project: Project, settings: JobSettings, set_name: str, title: str) -> RunId:
    """Write a set; one of an earlier or interrupted demo is replaced once the new one is complete."""
    set_aside(project, set_name)
    try:
        return run_step(project, settings, title)
    finally:
        put_back(project, set_name)


def program_name() -> str:
    """What was typed to start the program."""
    return "synthstudio" if not sys.argv[0].endswith(".py") else "python -m synthstudio"
