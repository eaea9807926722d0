"""Trainings that several processes share: the same weights, one writer, and nobody left waiting."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import torch.distributed as dist
from torch import nn

from synthstudio.__main__ import main
from synthstudio.domain.errors import UserError
from synthstudio.domain.records import RunStatus
from synthstudio.engine.acceleration import Team, build_accelerator, join
from synthstudio.engine.checkpoints import load_checkpoint
from synthstudio.engine.jobs import train_classifier
from synthstudio.engine.networks.shared_norm import SharedBatchNorm, share_statistics
from synthstudio.project import Project
from synthstudio.settings.recipe import recipe_text
from synthstudio.settings.train_classifier import TrainClassifierSettings
from tests.support.engine_project import RecordingContext, build_engine_project

ROOT = Path(__file__).parents[2]
SETTINGS = TrainClassifierSettings.model_validate(
    {
        "seed": 5,
        "source": "mix",
        "real_share": 0.3,
        # Not AdamW: in its first steps it makes a whole step of the least gradient, and so of rounding.
        "optimization": {
            "steps": 4,
            "batch_size": 8,
            "evaluate_every": 2,
            "workers": 0,
            "optimizer": "sgd",
            "warmup_steps": 0,
            "clip": 1.0,
        },
        "composition": {"canvas_px": 64, "n_objects_max": 5},
        "patches": {"auto_scale": False},
    }
)


def _launch(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Start two processes as `accelerate launch` and `torchrun` do."""
    # The name of a machine in CI may lead nowhere: all stays at the address of this one.
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--local-addr", "127.0.0.1"]
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
        "ACCELERATE_USE_CPU": "1",
        "CUDA_VISIBLE_DEVICES": "",
    }
    if sys.platform == "linux":
        environment["GLOO_SOCKET_IFNAME"] = "lo"
    return subprocess.run(
        [*command, "--nproc-per-node", "2", "-m", "synthstudio", *arguments],
        capture_output=True,
        text=True,
        env=environment,
        timeout=240,
        check=False,
    )


@pytest.mark.skipif(os.name == "nt", reason="torchrun on Windows wants a store of its own")
def test_that_two_processes_train_what_one_trains_and_one_of_them_writes(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    project = build_engine_project(tmp_path, n_train=4, n_val=2, n_test=1)
    alone = RecordingContext(project, "train-classifier", seed=SETTINGS.seed)
    train_classifier.run(SETTINGS, alone)
    folder = project.folder
    project.close()
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(recipe_text(SETTINGS))
    done = _launch("run", str(folder), str(recipe), "--json")
    assert done.returncode == 0, done.stderr
    (told,) = [json.loads(line) for line in done.stdout.splitlines()]

    project = Project.open(folder)
    runs = [each for each in project.runs.list(kind="train-classifier") if each.id != alone.run_id]
    assert [(each.id, each.status) for each in runs] == [(told["run"], RunStatus.FINISHED)]
    curve = project.runs.metrics(runs[0].id)["loss/train"]
    project.close()
    run_dir = Path(told["folder"])
    assert sorted(path.name for path in (run_dir / "checkpoints").iterdir()) == ["best.safetensors", "last.safetensors"]
    assert not (run_dir / "helpers").exists()
    expected, found = (load_checkpoint(each / "checkpoints" / "last.safetensors") for each in (alone.run_dir, run_dir))
    assert expected.tensors.keys() == found.tensors.keys()
    for name, tensor in expected.tensors.items():
        assert torch.allclose(found.tensors[name].float(), tensor.float(), rtol=1e-3, atol=1e-5), name
    assert curve[-1][1] == pytest.approx(alone.metrics("loss/train")[-1][1], rel=1e-4)


def test_that_only_trainings_are_shared(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert main(["new", str(tmp_path / "made")]) == 0
    assert not (tmp_path / "made").exists()
    monkeypatch.setenv("RANK", "0")
    assert main(["new", str(tmp_path / "made")]) == 0
    assert (tmp_path / "made").exists()
    assert "WORLD_SIZE" not in os.environ


@pytest.fixture
def group() -> Iterator[None]:
    """A group of this process alone."""
    dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
    yield
    dist.destroy_process_group()


def test_that_shared_statistics_are_those_of_batch_normalisation(group: None) -> None:
    images = torch.randn((6, 3, 5, 5), generator=torch.Generator().manual_seed(1)) * 3 + 1
    outcomes = []
    for is_shared in (False, True):
        network = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.ReLU())
        with torch.no_grad():
            for each in network.parameters():
                each.copy_(torch.linspace(-0.5, 0.7, each.numel()).reshape(each.shape))
        if is_shared:
            share_statistics(network)
            assert isinstance(network[1], SharedBatchNorm)
        values = images.clone().requires_grad_()
        network(values).square().mean().backward()
        outcomes.append([values.grad, *(each.grad for each in network.parameters()), *network.state_dict().values()])
        outcomes[-1].append(network.eval()(images).detach())
    for plain, shared in zip(*outcomes, strict=True):
        assert torch.allclose(plain.float(), shared.float(), atol=1e-5)


def test_that_the_loss_of_another_process_is_told_from_other_errors() -> None:
    several, one = (Team(SimpleNamespace(num_processes=count)) for count in (2, 1))
    lost = RuntimeError("[gloo/transport/tcp/pair.cc:545] Read error: Connection reset by peer")
    assert several.is_lost(lost)
    assert not one.is_lost(lost)
    assert not several.is_lost(RuntimeError("shapes do not fit"))


def test_that_what_several_processes_cannot_do_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match="cannot all train on cuda:7"):
        join("cuda:7")
    monkeypatch.setenv("ACCELERATE_USE_FSDP", "true")
    with pytest.raises(UserError, match="FSDP"):
        join("auto")


def test_that_a_configuration_of_accelerate_changes_no_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCELERATE_GRADIENT_ACCUMULATION_STEPS", "4")
    monkeypatch.setenv("ACCELERATE_MIXED_PRECISION", "bf16")
    accelerator = build_accelerator("fp32", torch.device("cpu"))
    weight = nn.Parameter(torch.ones(()))
    accelerator.backward(3.0 * weight)
    assert weight.grad == 3.0
    assert accelerator.mixed_precision == "no"
