"""Commands for other places: what a shell makes of them is what was meant."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from synthstudio.cli.choosing import COMMANDS
from synthstudio.cli.main import main
from synthstudio.client.elsewhere import Elsewhere, Place
from synthstudio.settings.compose import ComposeSettings
from synthstudio.settings.recipe import recipe_text
from tests.support.engine_project import build_engine_project

WISH = Elsewhere("train-detector", Path("/data/my study's"), Path("/data/a b.toml"), gpus=4, machines=3)
RUN = ["synthstudio", "run", "/data/my study's", "/data/a b.toml"]


def commands_of(text: str) -> list[list[str]]:
    """The words of each command, as a shell splits them: a line that ends in a backslash goes on in the next."""
    lines = text.replace("\\\n", "").splitlines()
    return [shlex.split(line) for line in lines if not line.startswith("#")]


def test_that_commands_survive_the_shell() -> None:
    assert shlex.split(WISH.text(Place.TERMINAL)) == RUN
    assert commands_of(WISH.text(Place.GPUS)) == [
        ["accelerate", "launch", "--multi_gpu", "--num_processes", "4", "-m", *RUN]
    ]
    commands = commands_of(WISH.text(Place.MACHINES))
    assert len(commands) == 3
    for rank, words in enumerate(commands):
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


def test_that_a_set_is_made_in_parts_of_all_its_images_and_joined(tmp_path: Path) -> None:
    project = tmp_path / "my study"
    recipe = project / "recipes" / "compose.toml"
    wish = Elsewhere("compose", project, recipe, machines=3, images=range(100, 108), set_name="night")
    assert wish.places() == (Place.TERMINAL, Place.PARTS)
    *parts, joining = commands_of(wish.text(Place.PARTS))
    ranges = [range(int(words[-3]), int(words[-3]) + int(words[-1])) for words in parts]
    assert [number for each in ranges for number in each] == list(range(100, 108))
    copies = [tmp_path / f"my study-{number}" for number in range(3)]
    for copy, words in zip(copies, parts, strict=True):
        told = ["synthstudio", "compose", str(copy), "--recipe", str(copy / "recipes" / "compose.toml"), "--first"]
        assert words[: len(told)] == told
    assert joining == ["synthstudio", "join", str(project), *map(str, copies), "--set", "night"]
    few = Elsewhere("compose", project, recipe, machines=3, images=range(2), set_name="night").text(Place.PARTS)
    assert few.count("--count 1") == 2
    assert Elsewhere("compose", project, recipe, images=range(1)).places() == (Place.TERMINAL,)


def test_that_the_commands_of_parts_give_the_bytes_of_one_set(tmp_path: Path) -> None:
    made = build_engine_project(tmp_path, n_train=2, n_val=1, n_test=1)
    made.close()
    project = made.folder
    settings = ComposeSettings(set_name="night", count=5, workers=0)
    recipe = project / "recipes" / "compose.toml"
    recipe.parent.mkdir()
    recipe.write_text(recipe_text(settings), encoding="utf-8")
    for number in range(2):
        shutil.copytree(project, tmp_path / f"project-{number}")
    wish = Elsewhere("compose", project, recipe, images=range(5), set_name="night")
    for words in commands_of(wish.text(Place.PARTS)):
        assert main(words[1:], open_app=lambda _: 1) == 0
    whole = tmp_path / "whole"
    shutil.copytree(project, whole)
    shutil.rmtree(whole / "sets")
    assert main(["compose", str(whole), "--recipe", str(recipe), "--set", "whole"], open_app=lambda _: 1) == 0
    joined, at_once = (
        sorted((folder / "images").iterdir()) for folder in (project / "sets/night", whole / "sets/whole")
    )
    assert [path.name for path in joined] == [path.name for path in at_once]
    assert [path.read_bytes() for path in joined] == [path.read_bytes() for path in at_once]


@pytest.mark.parametrize(("kind", "command"), [("compose", "run"), ("experiment", "experiment"), ("round", "round")])
def test_that_what_one_process_does_has_one_command(kind: str, command: str) -> None:
    wish = Elsewhere(kind, Path("p"), Path("r.toml"))
    assert wish.places() == (Place.TERMINAL,)
    assert shlex.split(wish.text(Place.TERMINAL)) == ["synthstudio", command, "p", "r.toml"]
    assert command in COMMANDS
