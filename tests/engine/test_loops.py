import math
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from synthstudio.domain.errors import Cancelled, UserError
from synthstudio.engine.checkpoints import load_checkpoint
from synthstudio.engine.loops import TrainingLoop, Validation, learning_rate
from synthstudio.engine.networks.registry import build_network
from synthstudio.settings.train_classifier import OptimizationSettings
from tests.support.engine_project import RecordingContext, build_engine_project

SETTINGS = OptimizationSettings(steps=12, batch_size=4, evaluate_every=4, warmup_steps=3)


def _batches(start: int, stop: int) -> Iterator[tuple[Tensor, Tensor]]:
    for step in range(start, stop):
        generator = torch.Generator().manual_seed(step)
        labels = (torch.rand((4, 2), generator=generator) < 0.5).float()
        images = torch.randn((4, 3, 32, 32), generator=generator) * 0.1
        yield images + labels[:, :1, None, None], labels


@pytest.fixture
def context(tmp_path: Path) -> RecordingContext:
    return RecordingContext(build_engine_project(tmp_path, n_train=1, n_val=1, n_test=0), "train-classifier")


def _loop(
    context: RecordingContext,
    folder: Path,
    *,
    settings: OptimizationSettings = SETTINGS,
    scores: list[float] | None = None,
) -> TrainingLoop:
    torch.set_num_threads(1)
    network = build_network("small-cam", 2, seed=3)
    left = list(scores or [])

    def loss(images: Tensor, labels: Tensor) -> Tensor:
        return nn.functional.binary_cross_entropy_with_logits(network(images)[0], labels)

    def validate(average: nn.Module) -> Validation:
        return Validation(left.pop(0) if left else 0.5, {"f1/macro": 0.5})

    return TrainingLoop(network, settings, context, folder=folder, loss=loss, validate=validate)


def test_that_the_loss_falls(context: RecordingContext, tmp_path: Path) -> None:
    _loop(context, tmp_path, settings=SETTINGS.model_copy(update={"steps": 60})).run(_batches)
    losses = [value for _, value in context.metrics("loss/train")]
    assert losses[-1] < 0.8 * losses[0]


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_that_a_cancelled_and_resumed_training_equals_an_uninterrupted_one(
    context: RecordingContext, tmp_path: Path, optimizer: str
) -> None:
    settings = SETTINGS.model_copy(update={"optimizer": optimizer})
    straight = _loop(context, tmp_path / "a", settings=settings)
    straight.run(_batches)
    context.stop_at = (7, 12)
    with pytest.raises(Cancelled):
        _loop(context, tmp_path / "b", settings=settings).run(_batches)
    context.stop_at = None
    resumed = _loop(context, tmp_path / "b", settings=settings)
    assert resumed.resume()
    assert resumed.state.step == 7
    resumed.run(_batches)
    for name in ("best.safetensors", "last.safetensors"):
        first, second = load_checkpoint(tmp_path / "a" / name), load_checkpoint(tmp_path / "b" / name)
        assert first.tensors.keys() == second.tensors.keys()
        assert all(torch.equal(first.tensors[key], second.tensors[key]) for key in first.tensors)


def test_that_there_is_nothing_to_resume_without_a_checkpoint(context: RecordingContext, tmp_path: Path) -> None:
    assert not _loop(context, tmp_path).resume()


def test_that_the_best_checkpoint_is_kept(context: RecordingContext, tmp_path: Path) -> None:
    state = _loop(context, tmp_path, scores=[0.2, 0.9, 0.3]).run(_batches)
    assert state.best_step == 8
    assert load_checkpoint(tmp_path / "best.safetensors").facts["step"] == 8


def test_that_a_later_checkpoint_as_good_within_tolerance_is_preferred(
    context: RecordingContext, tmp_path: Path
) -> None:
    assert _loop(context, tmp_path, scores=[0.2, 0.9, 0.895]).run(_batches).best_step == 12


def test_that_patience_stops_a_training_that_no_longer_improves(context: RecordingContext, tmp_path: Path) -> None:
    settings = SETTINGS.model_copy(update={"steps": 40, "patience": 2})
    state = _loop(context, tmp_path, settings=settings, scores=[0.5, 0.9, 0.4, 0.3, 0.2]).run(_batches)
    assert (state.step, state.is_over) == (16, True)


def test_that_a_loss_that_is_no_number_ends_with_a_reason(context: RecordingContext, tmp_path: Path) -> None:
    loop = _loop(context, tmp_path)

    def spoiled(start: int, stop: int) -> Iterator[tuple[Tensor, Tensor]]:
        for images, labels in _batches(start, stop):
            yield images * math.inf, labels

    with pytest.raises(UserError, match="step 1"):
        loop.run(spoiled)


def test_that_a_checkpoint_is_written_when_asked_for(context: RecordingContext, tmp_path: Path) -> None:
    context._save_checkpoint.set()
    context.stop_at = (2, 12)
    loop = _loop(context, tmp_path)
    seen = []

    def watched(start: int, stop: int) -> Iterator[tuple[Tensor, Tensor]]:
        for batch in _batches(start, stop):
            seen.append((tmp_path / "last.safetensors").exists())
            yield batch

    with pytest.raises(Cancelled):
        loop.run(watched)
    assert seen == [False, True, True]


def test_that_the_learning_rate_warms_up_and_falls_to_nothing() -> None:
    rates = [learning_rate(step, SETTINGS) for step in range(12)]
    assert rates[0] == pytest.approx(SETTINGS.learning_rate / 3)
    assert max(rates) == rates[2] <= SETTINGS.learning_rate
    assert rates[-1] < 0.05 * SETTINGS.learning_rate
    constant = SETTINGS.model_copy(update={"schedule": "constant", "warmup_steps": 0})
    assert {learning_rate(step, constant) for step in range(12)} == {SETTINGS.learning_rate}


def test_that_bf16_learns_too(context: RecordingContext, tmp_path: Path) -> None:
    state = _loop(context, tmp_path, settings=SETTINGS.model_copy(update={"precision": "bf16"})).run(_batches)
    assert state.step == 12
