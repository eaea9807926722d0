"""What the commands of all plans share: their arguments, and carrying one out with a word about each job."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from synthstudio.cli.arguments import WrongUse, add_settings, has_settings, recipe_from_arguments
from synthstudio.cli.jobs import cancelled_by_signals
from synthstudio.cli.render import Display
from synthstudio.client.cancelling import HostCancel
from synthstudio.client.plans import PLAN_WORDS, Plan, PlannedJob, TrialState, list_plans, read_states, run_plan
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import RunId
from synthstudio.domain.records import Experiment
from synthstudio.project import Project
from synthstudio.protocol.messages import JobFailed, JobOutcome
from synthstudio.settings.registry import RecipeUnion

T = TypeVar("T", bound=Hashable)
EXIT_FAILED = 1


def add_plan_arguments(kind: str, parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command that carries out a plan."""
    word = PLAN_WORDS[kind]
    parser.add_argument("recipe_file", metavar="RECIPE.toml", nargs="?", type=Path, help="settings; flags override it")
    parser.add_argument("--resume", metavar="NAME", help=f"go on with this {word}, with its own settings")
    parser.add_argument("--plan", action="store_true", help="say what would be done and how long it takes; do nothing")
    parser.add_argument("--device", default="auto", metavar="D", help="auto, cpu, cuda or cuda:N [default auto]")
    add_settings(kind, parser)


def given_settings(kind: str, arguments: argparse.Namespace) -> RecipeUnion | None:
    """What recipe and flags say; None where a stored plan is to be gone on with. Raises WrongUse."""
    if arguments.recipe_file is not None:
        if arguments.recipe is not None or arguments.preset is not None:
            raise WrongUse("Two recipes were given.", "Give one, by its path.")
        arguments.recipe = arguments.recipe_file
    if arguments.resume is not None:
        if has_settings(arguments):
            raise WrongUse(
                f"A{'n' if kind == 'experiment' else ''} {PLAN_WORDS[kind]} that is gone on with keeps its settings.",
                "Leave the other settings out.",
            )
        return None
    return recipe_from_arguments(kind, arguments)


def newest_plan(project: Project, kind: str) -> Experiment:
    """The plan of a kind that was begun last. Raises UserError where there is none."""
    known = list_plans(project, kind)
    if not known:
        raise UserError(
            f"There is no {PLAN_WORDS[kind]} in {project.folder}.", f"Start one with: synthstudio {kind} PROJECT."
        )
    return known[-1]


class _Teller(Generic[T]):
    """Tells what a plan does, on standard error."""

    def __init__(self, project: Project, plan: Plan[T], display: Display) -> None:
        self.trouble = ""
        self.on_event = display.on_event
        self._project = project
        self._plan = plan
        self._display = display

    def job_begins(self, job: PlannedJob[T], run_id: RunId) -> None:
        done, planned = count_jobs(read_states(self._project, self._plan))
        again = " (resumed)" if job.resume_run is not None else ""
        self._display.note(f"[{done + 1}/{planned}] {job.title}{again}: {run_id}")

    def job_ends(self, job: PlannedJob[T], outcome: JobOutcome) -> None:
        if isinstance(outcome, JobFailed):
            said = f"{job.title} failed: {outcome.message}"
            self.trouble = self.trouble or said
            self._display.warn(f"{said} {outcome.hint}".strip())


@dataclass(frozen=True, slots=True)
class Ending:
    """How a plan ended: finished, cancelled or failed; and the reason where it is not finished."""

    status: str
    reason: str
    n_done: int
    n_planned: int

    def exit_status(self) -> int:
        """The exit status; says on standard error what is left."""
        if self.status == "finished":
            return 0
        sys.stderr.write(
            f"error: {self.reason} {self.n_done} of {self.n_planned} jobs are done. The same command goes on with the"
            " rest.\n"
        )
        return EXIT_FAILED


def carry_out(project: Project, plan: Plan[T], *, device: str) -> tuple[tuple[TrialState[T], ...], Ending]:
    """Do all that is left of a plan; return how far it has come, and how it ended."""
    cancel = HostCancel()
    with Display() as display, cancelled_by_signals(cancel):
        teller = _Teller(project, plan, display)
        failed = run_plan(project, plan, teller, cancel=cancel, device=device)
    states = read_states(project, plan)
    done, planned = count_jobs(states)
    is_complete = not failed and done == planned
    status = "finished" if is_complete else "cancelled" if cancel.is_requested else "failed"
    word = PLAN_WORDS[plan.settings.kind]
    return states, Ending(status, teller.trouble or f"The {word} was stopped.", done, planned)


def count_jobs(states: Sequence[TrialState[T]]) -> tuple[int, int]:
    """Numbers of jobs that are done and that are planned."""
    return sum(each.n_done for each in states), sum(len(each.stages) for each in states)
