"""A training whose engine is killed without warning: told, survived by the next job, and resumed to the same end."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from synthstudio.client import start_run
from synthstudio.core.training.model_card import read_model_card
from synthstudio.domain.ids import RunId
from synthstudio.domain.records import RunStatus
from synthstudio.engine.checkpoints import Checkpoint, load_checkpoint
from synthstudio.project import Project
from synthstudio.protocol.messages import AnyEvent, JobFailed, JobFinished, JobOutcome, Progress
from synthstudio.settings.compose import ComposeSettings, CompositionSettings
from synthstudio.settings.train_classifier import TrainClassifierSettings
from tests.support.engine_project import build_engine_project
from tests.support.killed_engines import execute, kill_own_engine

STEPS, EVALUATE_EVERY = 24, 6
SETTINGS = TrainClassifierSettings.model_validate(
    {
        "seed": 3,
        "source": "mix",
        "real_share": 0.3,
        "optimization": {
            "steps": STEPS,
            "batch_size": 4,
            "evaluate_every": EVALUATE_EVERY,
            "workers": 1,
            "accumulate": 2,
            "clip": 5.0,
        },
        "composition": {"canvas_px": 64, "n_objects_max": 5},
        "patches": {"auto_scale": False},
    }
)

pytestmark = pytest.mark.skipif(os.name == "nt", reason="POSIX signals")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    made = build_engine_project(tmp_path)
    yield made
    made.close()


def _killed_training(project: Project) -> tuple[RunId, JobOutcome]:
    """Train, and kill the engine between the second and the third checkpoint."""
    run_id = start_run(project, SETTINGS)
    is_killed = False

    def on_event(event: AnyEvent) -> None:
        nonlocal is_killed
        last = project.run_folder(run_id) / "checkpoints" / "last.safetensors"
        if isinstance(event, Progress) and event.total == STEPS and not is_killed and last.is_file():
            is_killed = True
            kill_own_engine()

    return run_id, execute(project, run_id, on_event=on_event)


def _checkpoint(project: Project, run_id: RunId, name: str) -> Checkpoint:
    return load_checkpoint(project.run_folder(run_id) / "checkpoints" / f"{name}.safetensors")


def _assert_same_end(project: Project, first: RunId, second: RunId) -> None:
    for name in ("best", "last"):
        expected, found = _checkpoint(project, first, name), _checkpoint(project, second, name)
        assert expected.tensors.keys() == found.tensors.keys()
        assert all(torch.equal(expected.tensors[key], found.tensors[key]) for key in expected.tensors), name
        ignored = {"seconds"}
        assert {k: v for k, v in expected.facts.items() if k not in ignored} == {
            k: v for k, v in found.facts.items() if k not in ignored
        }
    best = [(project.run_folder(each) / "checkpoints" / "best.safetensors").read_bytes() for each in (first, second)]
    assert best[0] == best[1]
    assert read_model_card(project.run_folder(first)) == read_model_card(project.run_folder(second))
    curves = [project.runs.metrics(each) for each in (first, second)]
    assert {name: curve for name, curve in curves[0].items() if name.startswith("f1/")} == {
        name: curve for name, curve in curves[1].items() if name.startswith("f1/")
    }


def test_that_a_killed_training_is_told_survived_and_resumed_to_the_same_end(project: Project) -> None:
    run_id, outcome = _killed_training(project)
    assert isinstance(outcome, JobFailed)
    recorded = project.runs.get(run_id)
    assert recorded.status is RunStatus.FAILED
    assert "was killed (SIGKILL)" in recorded.message
    assert "Resume the run" in recorded.hint
    step = _checkpoint(project, run_id, "last").facts["step"]
    assert isinstance(step, int)
    assert EVALUATE_EVERY <= step < STEPS

    small = CompositionSettings(canvas_px=64, n_objects_max=4)
    next_id = start_run(project, ComposeSettings(set_name="next", count=2, composition=small))
    assert isinstance(execute(project, next_id), JobFinished)

    assert isinstance(execute(project, run_id, resume=True), JobFinished)
    resumed = project.runs.get(run_id)
    assert (resumed.status, resumed.message, resumed.hint) == (RunStatus.FINISHED, "", "")
    assert json.loads(resumed.summary_json)["status"] == "finished"
    straight_id = start_run(project, SETTINGS)
    assert isinstance(execute(project, straight_id), JobFinished)
    _assert_same_end(project, straight_id, run_id)
    assert not (project.run_folder(run_id) / "cache").exists()
