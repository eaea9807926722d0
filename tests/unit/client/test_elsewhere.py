"""Commands for other places: what a shell makes of them is what was meant."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

import pytest

from synthstudio.cli.choosing import COMMANDS
from synthstudio.client.elsewhere import Elsewhere, Place

WISH = Elsewhere("train-detector", Path("/data/my study's"), Path("/data/a b.toml"), gpus=4, machines=3)
RUN = ["synthstudio", "run", "/data/my study's", "/data/a b.toml"]


def test_that_commands_survive_the_shell() -> None:
    assert shlex.split(WISH.text(Place.TERMINAL)) == RUN
    assert shlex.split(WISH.text(Place.GPUS)) == [
        *("accelerate", "launch", "--multi_gpu", "--num_processes", "4", "-m"),
        *RUN,
    ]
    lines = [line for line in WISH.text(Place.MACHINES).splitlines() if not line.startswith("#")]
    assert len(lines) == 3
    for rank, line in enumerate(lines):
        words = shlex.split(line)
        assert words[words.index("--node-rank") + 1] == str(rank)
        assert words[words.index("-m") + 1 :] == RUN


@pytest.mark.skipif(os.name == "nt", reason="Slurm speaks bash")
def test_that_the_slurm_script_starts_one_torchrun_on_each_machine(tmp_path: Path) -> None:
    text = WISH.text(Place.SLURM)
    assert "#SBATCH --nodes=3" in text
    assert "#SBATCH --gpus-per-node=4" in text
    stubs = {
        "scontrol": 'printf "first\\nsecond\\nthird\\n"',
        "srun": 'shift; SLURM_NODEID=1 exec "$@"',
        "torchrun": 'printf "%s\\n" "$@"',
    }
    for name, body in stubs.items():
        stub = tmp_path / name
        stub.write_text(f"#!/bin/bash\n{body}\n", encoding="utf-8")
        stub.chmod(0o755)
    script = tmp_path / "train.sbatch"
    script.write_text(text, encoding="utf-8")
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "SLURM_JOB_NODELIST": "n[1-3]"}
    done = subprocess.run(["bash", script], check=True, capture_output=True, text=True, env=environment)
    told = done.stdout.splitlines()
    assert told[: told.index("-m")] == [
        *("--nnodes", "3", "--nproc-per-node", "4", "--node-rank", "1"),
        *("--master-addr", "first", "--master-port", "29500"),
    ]
    assert told[told.index("-m") + 1 :] == [*RUN, "--json"]


@pytest.mark.parametrize(("kind", "command"), [("compose", "run"), ("experiment", "experiment"), ("round", "round")])
def test_that_what_one_process_does_has_one_command(kind: str, command: str) -> None:
    wish = Elsewhere(kind, Path("p"), Path("r.toml"))
    assert wish.places() == (Place.TERMINAL,)
    assert shlex.split(wish.text(Place.TERMINAL)) == ["synthstudio", command, "p", "r.toml"]
    assert command in COMMANDS
