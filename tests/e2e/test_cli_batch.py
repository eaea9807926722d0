"""`synthstudio run` with a batch, as a script would call it: killed twice, and gone on with to the same end."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from synthstudio.client import HostCancel, execute_run, start_run
from synthstudio.domain.records import Run, RunStatus
from synthstudio.project import Project
from synthstudio.settings.train_classifier import TrainClassifierSettings
from tests.e2e.test_cli import assert_one_line_error, command, environment
from tests.support.engine_project import build_engine_project

TRAIN = {
    "kind": "train-classifier",
    "source": "mix",
    "optimization": {"steps": 40, "batch_size": 4, "evaluate_every": 5, "workers": 0},
    "patches": {"auto_scale": False},
    "composition": {"canvas_px": 64, "n_objects_max": 5},
}
PATIENCE_S = 120.0
"""For the first checkpoint of an engine that has just been started."""
NIGHT = """
kind = "batch"
name = "night"

[[jobs]]
name = "score"
recipe = { kind = "evaluate", run = "@train" }

[[jobs]]
name = "train"
recipe = { kind = "train-classifier", source = "mix", optimization = { steps = 40, batch_size = 4, \
evaluate_every = 5, workers = 0 }, patches = { auto_scale = false }, composition = { canvas_px = 64, \
n_objects_max = 5 } }
"""


def _kill_in_a_training(project: Path, recipe: Path, wanted: str) -> None:
    """Kill the command, with no chance to tidy up, once this training has left a new checkpoint."""
    process = subprocess.Popen(
        [sys.executable, "-m", "synthstudio", "run", project, recipe],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        env=environment(),
    )
    assert process.stderr is not None
    said = next(line for line in process.stderr if wanted in line)
    stored = project / "runs" / said.rsplit(" ", 1)[-1].strip() / "checkpoints" / "last.safetensors"
    earlier = stored.stat().st_mtime_ns if stored.exists() else 0
    until = time.monotonic() + PATIENCE_S
    while not stored.exists() or stored.stat().st_mtime_ns == earlier:
        assert time.monotonic() < until
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait(timeout=60)
    process.stderr.close()


def _weights(project: Project, run: Run) -> str:
    best = project.run_folder(run.id) / "checkpoints" / "best.safetensors"
    return hashlib.sha256(best.read_bytes()).hexdigest()


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_that_a_batch_killed_twice_ends_with_the_weights_of_an_undisturbed_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    made = build_engine_project(tmp_path, n_train=4, n_val=2, n_test=2)
    made.close()
    recipe = tmp_path / "night.toml"
    recipe.write_text(NIGHT, encoding="utf-8")
    _kill_in_a_training(made.folder, recipe, "night: train:")
    _kill_in_a_training(made.folder, recipe, "night: train (resumed):")
    done = command("run", made.folder, recipe, "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["status"], told["done"], told["jobs"]) == ("finished", 2, 2)
    assert "night: train (resumed):" in done.stderr
    table = command("batch", made.folder)
    assert "batch night: finished, 2 of 2 jobs" in table.stdout

    project = Project.open(made.folder)
    trained, scored = project.runs.of_experiment("night")
    assert (trained.status, scored.kind, scored.status) == (RunStatus.FINISHED, "evaluate", RunStatus.FINISHED)
    undisturbed = start_run(project, TrainClassifierSettings.model_validate(TRAIN))
    execute_run(project, undisturbed, on_event=lambda _event: None, cancel=HostCancel(), device="cpu")
    other = project.runs.get(undisturbed)
    assert json.loads(other.summary_json)["best"] == json.loads(trained.summary_json)["best"]
    assert _weights(project, other) == _weights(project, trained)
    project.close()


def test_that_a_batch_that_cannot_be_done_is_one_sentence(tmp_path: Path) -> None:
    made = build_engine_project(tmp_path, n_train=1, n_val=1, n_test=1)
    made.close()
    recipe = tmp_path / "night.toml"
    recipe.write_text(NIGHT.replace("@train", "@trian"), encoding="utf-8")
    assert_one_line_error(command("run", made.folder, recipe), "needs the job trian")


def test_that_a_folder_is_watched_from_a_terminal(tmp_path: Path) -> None:
    made = build_engine_project(tmp_path / "made", n_train=1, n_val=1, n_test=1)
    n_before = made.fovs.count()
    images = tmp_path / "scope"
    images.mkdir()
    (images / "new.png").write_bytes(Path(made.fovs.list()[0].path).read_bytes() + b"\0")  # other bytes, so a new image
    made.close()
    done = command("watch", made.folder, images, "--every", "0.1", "--once", "--json")
    assert done.returncode == 0, done.stderr
    came, ended = map(json.loads, done.stdout.splitlines())
    assert (came["event"], came["name"], ended["n_images"]) == ("image", "new.png", 1)
    project = Project.open(made.folder, read_only=True)
    assert project.fovs.count() == n_before + 1
    project.close()
    assert_one_line_error(command("watch", made.folder, tmp_path / "nowhere"), "no folder")
