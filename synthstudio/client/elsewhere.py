"""The command lines that do a job in a terminal, on several GPUs, on several machines, or under Slurm."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from string import Template

from synthstudio.client.plans import PLAN_WORDS
from synthstudio.settings.resources import resource_path

SHARED_KINDS = frozenset({"train-classifier", "train-detector"})
"""Trainings that several processes share."""
PORT = 29500


class Place(StrEnum):
    """Where a job is to run."""

    TERMINAL = "terminal"
    GPUS = "gpus"
    MACHINES = "machines"
    SLURM = "slurm"
    PARTS = "parts"
    """Each machine makes a range of the images of a set, in a copy of the project; then the parts are joined."""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A job that is to run outside the window.

    Attributes:
        kind: Of the job.
        project: Folder of the project, as all machines see it.
        recipe: File of its settings, likewise.
        gpus: Of each machine.
        machines: That share the work.
        images: Numbers of the images of a set that can be made in parts; empty for any other job.
        set_name: Of this set.
    """

    kind: str
    project: Path
    recipe: Path
    gpus: int = 2
    machines: int = 2
    images: range = range(0)
    set_name: str = ""

    def places(self) -> tuple[Place, ...]:
        """Where it can run."""
        if self.kind in SHARED_KINDS:
            return (Place.TERMINAL, Place.GPUS, Place.MACHINES, Place.SLURM)
        return (Place.TERMINAL, Place.PARTS) if len(self.images) > 1 else (Place.TERMINAL,)

    def text(self, place: Place) -> str:
        """The lines for a place: commands to be typed, or a script of Slurm."""
        command = self.kind if self.kind in PLAN_WORDS else "run"
        run = ("synthstudio", command, str(self.project), str(self.recipe))
        match place:
            case Place.TERMINAL:
                return f"{shlex.join(run)}\n"
            case Place.GPUS:
                many = ("--multi_gpu",) if self.gpus > 1 else ()
                return _launched(("accelerate", "launch", *many, "--num_processes", str(self.gpus)), run)
            case Place.MACHINES:
                return "".join(f"# on machine {rank}\n{self._node(rank, run)}" for rank in range(self.machines))
            case Place.PARTS:
                return self._parts()
            case Place.SLURM:
                template = Template((resource_path("slurm") / "train.sbatch").read_text(encoding="utf-8"))
                project, recipe = (shlex.quote(str(path)) for path in (self.project, self.recipe))
                return template.substitute(nodes=self.machines, gpus=self.gpus, project=project, recipe=recipe)

    def _parts(self) -> str:
        """A line for each machine, and the one that joins what they have made."""
        lines: list[str] = []
        n_parts = min(self.machines, len(self.images))
        copies = [self.project.with_name(f"{self.project.name}-{number}") for number in range(n_parts)]
        for number, copy in enumerate(copies):
            first, end = (place * len(self.images) // n_parts for place in (number, number + 1))
            inside = self.recipe.is_relative_to(self.project)
            recipe = copy / self.recipe.relative_to(self.project) if inside else self.recipe
            making = ("synthstudio", self.kind, str(copy), "--recipe", str(recipe))
            which = ("--first", str(self.images[first]), "--count", str(end - first))
            lines += [
                f"# on machine {number}, {shlex.quote(str(copy))} being a copy of the project",
                f"{shlex.join(making)} \\",
                f"    {shlex.join(which)}",
            ]
        joining = ("synthstudio", "join", str(self.project), *map(str, copies), "--set", self.set_name)
        return "\n".join([*lines, "# then, with the copies beside the project", shlex.join(joining), ""])

    def _node(self, rank: int, run: tuple[str, ...]) -> str:
        words = (
            *("torchrun", "--nnodes", str(self.machines), "--nproc-per-node", str(self.gpus)),
            *("--node-rank", str(rank), "--master-addr", "MACHINE0", "--master-port", str(PORT)),
        )
        return _launched(words, run)


def _launched(launcher: tuple[str, ...], run: tuple[str, ...]) -> str:
    """One command in two lines, as a window has room for."""
    return f"{shlex.join(launcher)} \\\n    {shlex.join(('-m', *run))}\n"
