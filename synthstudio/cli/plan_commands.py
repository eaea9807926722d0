"""The two commands that plans have: one carries a plan out, the other shows the table of what it found."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from synthstudio.cli.jobs import open_to_write
from synthstudio.cli.planning import add_plan_arguments, carry_out, count_jobs, given_settings, newest_plan
from synthstudio.cli.render import print_json, print_lines
from synthstudio.client.experiment_times import Estimate
from synthstudio.client.plan_facts import PlanTable
from synthstudio.client.plan_status import status_of
from synthstudio.client.plans import PLAN_WORDS, Plan, read_states, was_cancelled
from synthstudio.core.imaging import write_bytes_atomically
from synthstudio.project import Project
from synthstudio.settings.base import JobSettings

S = TypeVar("S", bound=JobSettings)
P = TypeVar("P", bound=Plan[Hashable])
P_contra = TypeVar("P_contra", bound=Plan[Hashable], contravariant=True)


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a plan would do.

    Attributes:
        told: Facts for a program: the plan's name by its word, and how much there is to learn from or to train.
        lines: The same for a reader, the number of jobs included.
    """

    told: dict[str, object]
    lines: Sequence[str]
    time: Estimate


class Outlooker(Protocol[P_contra]):
    """Tells what a plan would do."""

    def __call__(self, project: Project, plan: P_contra, /, *, jobs: str) -> Outlook:
        """`jobs`: How many jobs there are and how many of them are done, in words."""


class Teller(Protocol[P_contra]):
    """Prints what a plan has found."""

    def __call__(self, project: Project, plan: P_contra, /, *, status: str, is_json: bool) -> None:
        """`status`: How it ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanCommand(Generic[S, P]):
    """The command that carries out plans of one kind.

    Attributes:
        kind: Of the plan, which is the command's name.
        settings: Their class.
        planned: The plan with given settings.
        stored: The plan of this name in the project. Raises UserError where there is none, or it cannot be read.
        outlook: What `--plan` says.
        tell: Prints what was found.
    """

    kind: str
    settings: type[S]
    planned: Callable[[Project, S], P]
    stored: Callable[[Project, str], P]
    outlook: Outlooker[P]
    tell: Teller[P]

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare its arguments."""
        add_plan_arguments(self.kind, parser)

    def execute(self, arguments: argparse.Namespace) -> int:
        """Do all that is left of the plan, or say what that is; return the exit status."""
        given = given_settings(self.kind, arguments)
        assert given is None or isinstance(given, self.settings)  # the recipe's kind has been compared
        if arguments.plan:
            self._show(given, arguments)
            return 0
        project = open_to_write(arguments.project)
        try:
            plan = self._plan(project, given, arguments.resume)
            _, ending = carry_out(project, plan, device=arguments.device, until=arguments.until)
            self.tell(project, plan, status=ending.status, is_json=arguments.json)
        finally:
            project.close()
        return ending.exit_status()

    def _plan(self, project: Project, given: S | None, name: str | None) -> P:
        if given is not None:
            return self.planned(project, given)
        return self.stored(project, name if name is not None else newest_plan(project, self.kind).name)

    def _show(self, given: S | None, arguments: argparse.Namespace) -> None:
        project = Project.open(arguments.project)
        try:
            plan = self._plan(project, given, arguments.resume)
            done, planned = count_jobs(read_states(project, plan))
            outlook = self.outlook(project, plan, jobs=f"{planned} jobs, {done} of them done")
        finally:
            project.close()
        if arguments.json:
            told = {**outlook.told, "jobs": planned, "done": done}
            print_json({**told, "seconds": round(outlook.time.seconds), "is_measured": outlook.time.is_measured})
            return
        print_lines(*outlook.lines, f"time left: {outlook.time.words}")


Table = TypeVar("Table", bound=PlanTable)
Table_contra = TypeVar("Table_contra", bound=PlanTable, contravariant=True)


class TableTeller(Protocol[Table_contra]):
    """Prints a table."""

    def __call__(self, table: Table_contra, /, *, status: str, is_json: bool) -> None:
        """`status`: How far the plan has come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableCommand(Generic[Table]):
    """The command that shows what a plan of one kind found, and changes nothing.

    Attributes:
        kind: Of the plan.
        csv_help: What `--csv` writes.
        read: The table of the plan of this name. Raises UserError as `PlanCommand.stored`.
        to_csv: The same as a file.
        tell: Prints it.
    """

    kind: str
    csv_help: str
    read: Callable[[Project, str], Table]
    to_csv: Callable[[Table], bytes]
    tell: TableTeller[Table]

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare its arguments."""
        word = PLAN_WORDS[self.kind]
        parser.add_argument("name", metavar="NAME", nargs="?", help=f"the {word} [default: the newest]")
        parser.add_argument("--csv", metavar="FILE", type=Path, help=self.csv_help)

    def execute(self, arguments: argparse.Namespace) -> int:
        """Show it; return the exit status."""
        project = Project.open(arguments.project)
        try:
            name = arguments.name if arguments.name is not None else newest_plan(project, self.kind).name
            table = self.read(project, name)
            stopped = was_cancelled(project, (name,))
        finally:
            project.close()
        if arguments.csv is not None:
            write_bytes_atomically(arguments.csv, self.to_csv(table))
        status = status_of(
            n_done=table.n_done, n_planned=table.n_planned, has_failed=bool(table.failures), was_cancelled=stopped
        )
        self.tell(table, status=status, is_json=arguments.json)
        return 0
