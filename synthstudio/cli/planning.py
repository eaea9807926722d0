"""What the commands of all plans share: their arguments, and carrying one out with a word about each job."""

from __future__ import annotations

import argparse
import sys
import threading
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Generic, TypeVar

from synthstudio.cli.arguments import WrongUse, add_settings, has_settings, recipe_from_arguments
from synthstudio.cli.jobs import cancelled_by_signals
from synthstudio.cli.render import Display
from synthstudio.client.cancelling import HostCancel
from synthstudio.client.plan_status import PlanStatus, status_of
from synthstudio.client.plans import (
    PLAN_WORDS,
    Course,
    Plan,
    PlanCourse,
    PlannedJob,
    TrialState,
    list_plans,
    read_states,
    run_course,
)
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
    add_course_arguments(parser)
    add_settings(kind, parser)


def add_course_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare on what, and until when, many jobs are done."""
    parser.add_argument("--device", default="auto", metavar="D", help="auto, cpu, cuda or cuda:N [default auto]")
    add_until(
        parser, "stop at this time of the clock, a training at a checkpoint; the same command goes on with the rest"
    )


def add_until(parser: argparse.ArgumentParser, text: str) -> None:
    """Declare `--until`, the next moment at which the clock on the wall shows a time."""
    parser.add_argument("--until", metavar="HH:MM", type=_moment, help=text)


def _moment(text: str) -> datetime:
    """The next time that the clock shows this."""
    try:
        wanted = datetime.strptime(text, "%H:%M").time()
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text} is no time of the clock: write 07:00, for example") from error
    return next_moment(wanted, now=datetime.now())


def next_moment(wanted: time, *, now: datetime) -> datetime:
    """The next moment, today or tomorrow, at which the clock on the wall shows a time."""
    today = datetime.combine(now.date(), wanted)
    return today if today > now else today + timedelta(days=1)


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
            f"There is no {PLAN_WORDS[kind]} in {project.folder}.",
            f"Start one with: synthstudio {'run PROJECT BATCH.toml' if kind == 'batch' else f'{kind} PROJECT'}.",
        )
    return known[-1]


class _Teller(Generic[T]):
    """Tells what a course does, on standard error."""

    def __init__(self, count: Callable[[], tuple[int, int]], display: Display) -> None:
        self.trouble = ""
        self.on_event = display.on_event
        self._count = count
        self._display = display

    def job_begins(self, job: PlannedJob[T], run_id: RunId) -> None:
        done, planned = self._count()
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

    status: PlanStatus
    reason: str
    n_done: int
    n_planned: int

    def exit_status(self) -> int:
        """The exit status; says on standard error what is left."""
        if self.status is PlanStatus.FINISHED:
            return 0
        sys.stderr.write(
            f"error: {self.reason} {self.n_done} of {self.n_planned} jobs are done. The same command goes on with the"
            " rest.\n"
        )
        return EXIT_FAILED


def carry_out(
    project: Project, plan: Plan[T], *, device: str, until: datetime | None = None
) -> tuple[tuple[TrialState[T], ...], Ending]:
    """Do all that is left of a plan; return how far it has come, and how it ended."""

    def count() -> tuple[int, int]:
        return count_jobs(read_states(project, plan))

    ending = carry_out_course(project, PlanCourse(plan), count, device=device, until=until)
    return read_states(project, plan), ending


def carry_out_course(
    project: Project,
    course: Course[T],
    count: Callable[[], tuple[int, int]],
    *,
    device: str,
    until: datetime | None = None,
) -> Ending:
    """Do all that is left of a course, with a word about each job; return how it ended.

    Args:
        count: Tells how many jobs are done, and how many there are.
        until: When the running job is asked to stop, and the course with it.
    """
    cancel = HostCancel()
    with Display() as display, cancelled_by_signals(cancel), cancelled_at(until, cancel):
        teller: _Teller[T] = _Teller(count, display)
        run_course(project, course, teller, cancel=cancel, device=device)
    done, planned = count()
    status = status_of(
        n_done=done, n_planned=planned, has_failed=bool(teller.trouble), was_cancelled=cancel.is_requested
    )
    is_late = until is not None and datetime.now() >= until
    stopped = f"The {course.word} was stopped{f' at {until:%H:%M}' if until is not None and is_late else ''}."
    return Ending(status, teller.trouble or stopped, done, planned)


@contextmanager
def cancelled_at(until: datetime | None, cancel: HostCancel) -> Iterator[None]:
    """Ask politely at a moment of the clock on the wall; never where it is None."""
    if until is None:
        yield
        return
    timer = threading.Timer((until - datetime.now()).total_seconds(), cancel.request)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def count_jobs(states: Sequence[TrialState[T]]) -> tuple[int, int]:
    """Numbers of jobs that are done and that are planned."""
    return sum(each.n_done for each in states), sum(len(each.stages) for each in states)
