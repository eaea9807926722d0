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
from synthstudio.engine.processes import ALONE, Processes
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


class _Dropping(nn.Module):
    """A network without batch normalisation that draws by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 8), nn.ReLU(), nn.Dropout(), nn.Linear(8, 2))
        with torch.no_grad():
            for each in self.parameters():
                each.copy_(torch.linspace(-0.1, 0.1, each.numel()).reshape(each.shape))

    def forward(self, images: Tensor) -> Tensor:
        return self.layers(images)


def _plain_loop(
    context: RecordingContext, folder: Path, *, network: nn.Module, settings: OptimizationSettings, seed: int = 0
) -> TrainingLoop:
    torch.set_num_threads(1)

    def loss(images: Tensor, labels: Tensor) -> Tensor:
        return nn.functional.binary_cross_entropy_with_logits(network(images), labels)

    def validate(average: nn.Module) -> Validation:
        return Validation(0.5)

    return TrainingLoop(network, settings, context, folder=folder, loss=loss, validate=validate, seed=seed)


def test_that_dropout_is_the_same_after_a_resume_and_another_with_another_seed(
    context: RecordingContext, tmp_path: Path
) -> None:
    straight = _plain_loop(context, tmp_path / "a", network=_Dropping(), settings=SETTINGS)
    straight.run(_batches)
    other = _plain_loop(context, tmp_path / "c", network=_Dropping(), settings=SETTINGS, seed=1)
    other.run(_batches)
    context.stop_at = (5, 12)
    with pytest.raises(Cancelled):
        _plain_loop(context, tmp_path / "b", network=_Dropping(), settings=SETTINGS).run(_batches)
    context.stop_at = None
    torch.rand(17)  # what else draws numbers meanwhile does not matter
    resumed = _plain_loop(context, tmp_path / "b", network=_Dropping(), settings=SETTINGS)
    resumed.resume()
    resumed.run(_batches)
    weights = [list(each.network.parameters()) for each in (straight, resumed, other)]
    assert all(torch.equal(first, second) for first, second in zip(weights[0], weights[1], strict=True))
    assert not torch.equal(weights[0][0], weights[2][0])


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_that_a_batch_in_parts_teaches_what_the_whole_teaches(
    context: RecordingContext, tmp_path: Path, optimizer: str
) -> None:
    weights = []
    for parts in (1, 4):
        network = _Dropping()
        network.layers[3] = nn.Identity()
        settings = SETTINGS.model_copy(update={"accumulate": parts, "optimizer": optimizer})
        _plain_loop(context, tmp_path / f"{parts}", network=network, settings=settings).run(_batches)
        weights.append(torch.cat([each.detach().reshape(-1) for each in network.parameters()]))
    assert torch.allclose(weights[0], weights[1], atol=2e-5)
    assert context.metrics("loss/train")[0][1] == pytest.approx(context.metrics("loss/train")[2][1], rel=1e-4)


def test_that_a_long_gradient_is_shortened(context: RecordingContext, tmp_path: Path) -> None:
    settings = SETTINGS.model_copy(update={"optimizer": "sgd", "steps": 1, "warmup_steps": 0, "weight_decay": 0.0})
    moves = []
    for clip in (0.0, 0.01):
        network = _Dropping()
        before = torch.cat([each.detach().clone().reshape(-1) for each in network.parameters()])
        chosen = settings.model_copy(update={"clip": clip})
        _plain_loop(context, tmp_path / f"{clip}", network=network, settings=chosen).run(_batches)
        moves.append(torch.cat([each.detach().reshape(-1) for each in network.parameters()]) - before)
    # Nesterov's first step is 1.9 times the gradient.
    assert float(moves[1].norm()) == pytest.approx(1.9 * settings.learning_rate * 0.01, rel=1e-3)
    assert float(moves[0].norm()) > 2 * float(moves[1].norm())
    assert torch.allclose(moves[0] / moves[0].norm(), moves[1] / moves[1].norm(), atol=1e-3)


def test_that_fp16_is_refused_without_a_gpu(context: RecordingContext, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="fp16"):
        _loop(context, tmp_path, settings=SETTINGS.model_copy(update={"precision": "fp16"}))


def test_that_a_batch_is_divided_evenly_or_refused(context: RecordingContext, tmp_path: Path) -> None:
    assert list(Processes(1, 2).rows(8)) == [4, 5, 6, 7]
    with pytest.raises(UserError, match="batch of 4 images cannot be divided among 3"):
        Processes(0, 3).rows(4)
    with pytest.raises(ValueError, match="cannot be divided into 3 parts"):
        OptimizationSettings(batch_size=4, accumulate=3)
    network = _Dropping()
    with pytest.raises(UserError, match="into 4 parts in each of 2 processes"):
        TrainingLoop(
            network,
            SETTINGS.model_copy(update={"accumulate": 4}),
            context,
            folder=tmp_path,
            loss=lambda images, labels: network(images).mean(),
            validate=lambda average: Validation(0.5),
            processes=Processes(0, 2),
        )


def test_that_the_place_among_processes_is_read_from_the_environment() -> None:
    assert Processes.from_environment({}) == ALONE
    assert Processes.from_environment({"WORLD_SIZE": "4"}) == ALONE
    assert Processes.from_environment({"RANK": "3", "WORLD_SIZE": "4"}) == Processes(3, 4)
    with pytest.raises(UserError, match="no numbers"):
        Processes.from_environment({"RANK": "x", "WORLD_SIZE": "4"})


def test_that_the_scaling_of_fp16_is_kept_for_a_resume(context: RecordingContext, tmp_path: Path) -> None:
    """A processor does not train in fp16, but it can scale the loss."""

    def scaled_loop(folder: Path) -> TrainingLoop:
        loop = _plain_loop(context, folder, network=_Dropping(), settings=SETTINGS)
        loop._accelerator.scaler = torch.amp.GradScaler("cpu", init_scale=8.0, growth_interval=3)
        return loop

    straight = scaled_loop(tmp_path / "a")
    straight.run(_batches)
    context.stop_at = (7, 12)
    with pytest.raises(Cancelled):
        scaled_loop(tmp_path / "b").run(_batches)
    context.stop_at = None
    resumed = scaled_loop(tmp_path / "b")
    resumed.resume()
    assert resumed._accelerator.scaler.get_scale() == 32.0
    resumed.run(_batches)
    first, second = (load_checkpoint(tmp_path / name / "last.safetensors") for name in ("a", "b"))
    assert first.facts["scaling"] == second.facts["scaling"]
    assert first.facts["scaling"]["scale"] == 8.0 * 2**4  # type: ignore[index, call-overload]
    assert all(torch.equal(first.tensors[key], second.tensors[key]) for key in first.tensors)
