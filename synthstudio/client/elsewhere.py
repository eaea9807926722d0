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


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A job that is to run outside the window.

    Attributes:
        kind: Of the job.
        project: Folder of the project, as all machines see it.
        recipe: File of its settings, likewise.
        gpus: Of each machine.
        machines: That share the work.
    """

    kind: str
    project: Path
    recipe: Path
    gpus: int = 2
    machines: int = 2

    def places(self) -> tuple[Place, ...]:
        """Where it can run."""
        return tuple(Place) if self.kind in SHARED_KINDS else (Place.TERMINAL,)

    def text(self, place: Place) -> str:
        """The lines for a place: commands to be typed, or a script of Slurm."""
        command = self.kind if self.kind in PLAN_WORDS else "run"
        run = ("synthstudio", command, str(self.project), str(self.recipe))
        match place:
            case Place.TERMINAL:
                return f"{shlex.join(run)}\n"
            case Place.GPUS:
                many = ("--multi_gpu",) if self.gpus > 1 else ()
                return f"{shlex.join(('accelerate', 'launch', *many, '--num_processes', str(self.gpus), '-m', *run))}\n"
            case Place.MACHINES:
                return "".join(f"# on machine {rank}\n{self._node(rank, run)}\n" for rank in range(self.machines))
            case Place.SLURM:
                template = Template((resource_path("slurm") / "train.sbatch").read_text(encoding="utf-8"))
                project, recipe = (shlex.quote(str(path)) for path in (self.project, self.recipe))
                return template.substitute(nodes=self.machines, gpus=self.gpus, project=project, recipe=recipe)

    def _node(self, rank: int, run: tuple[str, ...]) -> str:
        words = (
            *("torchrun", "--nnodes", str(self.machines), "--nproc-per-node", str(self.gpus)),
            *("--node-rank", str(rank), "--master-addr", "MACHINE0", "--master-port", str(PORT), "-m"),
        )
        return shlex.join((*words, *run))
