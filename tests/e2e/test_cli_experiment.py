"""`synthstudio experiment` as a script would call it."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from synthstudio.domain.records import RunStatus
from synthstudio.project import Project
from tests.e2e.test_cli import assert_one_line_error, command, environment, result_of
from tests.support.engine_project import build_engine_project

TINY_RECIPE = """
kind = "experiment"
name = "tiny"
arms = ["real-share", "mix"]
seeds = 1
with_detector = false
n_explained = 0

[classifier.optimization]
steps = 6
batch_size = 4
evaluate_every = 3
workers = 0

[classifier.patches]
auto_scale = false

[classifier.composition]
canvas_px = 64
n_objects_max = 5
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    made = build_engine_project(tmp_path, n_train=4, n_val=2, n_test=2)
    made.close()
    return made.folder


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.toml"
    path.write_text(TINY_RECIPE)
    return path


def _kill_in_the_second_training(project: Path, recipe: Path) -> None:
    """Start the experiment and kill the command, with no chance to tidy up, once its second training has begun."""
    process = subprocess.Popen(
        [sys.executable, "-m", "synthstudio", "experiment", project, recipe],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        env=environment(),
    )
    assert process.stderr is not None
    for line in process.stderr:
        if "train-classifier" in line and "[3/4]" in line:
            os.kill(process.pid, signal.SIGKILL)
            break
    process.wait(timeout=60)
    process.stderr.close()


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_that_an_experiment_that_was_killed_goes_on_where_it_was_and_prints_its_table(
    project: Path, recipe: Path, tmp_path: Path
) -> None:
    _kill_in_the_second_training(project, recipe)
    planned = json.loads(command("experiment", project, recipe, "--plan", "--json").stdout)
    assert (planned["jobs"], planned["done"], planned["trainings"]) == (4, 2, 2)

    done = command("experiment", project, "--resume", "tiny")
    assert done.returncode == 0, done.stderr
    assert "[3/4]" in done.stderr
    assert "[1/4]" not in done.stderr  # what was finished is not done again
    for word in ("Presence F1", "Pointing", "10 % real alone", "Synthetic + 10 % real", "disc", "by chance"):
        assert word in done.stdout
    opened = Project.open(project)
    finished = [run for run in opened.runs.list() if run.status is RunStatus.FINISHED]
    opened.close()
    assert [run.kind for run in finished] == ["train-classifier", "evaluate"] * 2
    assert {run.experiment for run in finished} == {"tiny"}

    table = result_of("experiment-table", project, "tiny", "--csv", tmp_path / "table.csv")
    assert table["status"] == "finished"
    assert isinstance(table["arms"], list)
    assert [arm["arm"] for arm in table["arms"]] == ["real-share", "mix"]
    assert set(table["arms"][0]["measures"]["f1"]["per_class"]) == {"disc", "square"}
    rows = list(csv.DictReader((tmp_path / "table.csv").read_text().splitlines()))
    assert {(row["arm"], row["class"]) for row in rows} >= {
        ("10 % real alone", "all"),
        ("Synthetic + 10 % real", "square"),
    }


def test_that_what_an_experiment_cannot_do_is_told_before_it_starts(project: Path, recipe: Path) -> None:
    assert_one_line_error(command("experiment", project, recipe, "--seeds", "0"), "seeds", status=2)
    assert_one_line_error(command("experiment-table", project), "no experiment")
    assert_one_line_error(command("run", project, recipe), "many jobs")
