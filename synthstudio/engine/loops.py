"""The one training loop: steps, schedule, averaging, validation, checkpoints, resume."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn, Protocol

import torch
from torch import Tensor, nn
from typing_extensions import override

from synthstudio.domain.errors import Cancelled, UserError
from synthstudio.engine.checkpoints import (
    JsonValue,
    load_checkpoint,
    optimizer_tensors,
    restore_network,
    restore_optimizer,
    save_checkpoint,
)
from synthstudio.engine.networks.shared_norm import share_statistics
from synthstudio.engine.processes import ALONE, Processes
from synthstudio.settings.train_classifier import OptimizationSettings

LAST, BEST = "last.safetensors", "best.safetensors"
LOG_EVERY = 10
SCORE_TOLERANCE = 0.01
"""A later checkpoint this little below the best score replaces it: F1 on a few hundred crops cannot tell finer, and
class activation maps go on improving."""


@dataclass(frozen=True, slots=True)
class Validation:
    """What a look at the validation images gave: the score that picks the checkpoint, and figures to log."""

    score: float
    figures: dict[str, float] = field(default_factory=dict)


@dataclass(slots=True)
class TrainingState:
    """Where a training stands, apart from its tensors."""

    step: int = 0
    top_score: float = -math.inf
    best_step: int = 0
    best_figures: dict[str, float] = field(default_factory=dict)
    n_worse: int = 0
    seconds: float = 0.0
    is_over: bool = False

    def to_facts(self) -> dict[str, JsonValue]:
        """Say it in JSON."""
        return {
            "step": self.step,
            "top_score": self.top_score if math.isfinite(self.top_score) else None,
            "best_step": self.best_step,
            "best_figures": dict(self.best_figures),
            "n_worse": self.n_worse,
            "seconds": self.seconds,
            "is_over": self.is_over,
        }

    @classmethod
    def from_facts(cls, facts: dict[str, JsonValue]) -> TrainingState:
        """Read what `to_facts` said."""
        score, figures = facts["top_score"], facts["best_figures"]
        return cls(
            step=_number(facts["step"]),
            top_score=float(score) if isinstance(score, (int, float)) else -math.inf,
            best_step=_number(facts["best_step"]),
            best_figures={k: float(v) for k, v in figures.items() if isinstance(v, (int, float))}
            if isinstance(figures, dict)
            else {},
            n_worse=_number(facts["n_worse"]),
            seconds=float(seconds) if isinstance(seconds := facts["seconds"], (int, float)) else 0.0,
            is_over=facts["is_over"] is True,
        )


def _number(value: JsonValue) -> int:
    if not isinstance(value, int):
        raise UserError("The checkpoint is damaged.", "Start the training anew.")
    return value


def learning_rate(step: int, settings: OptimizationSettings) -> float:
    """Learning rate of a step, counted from 0: a linear warm-up, then the schedule."""
    warm = min(1.0, (step + 1) / settings.warmup_steps) if settings.warmup_steps else 1.0
    if settings.schedule == "constant":
        return settings.learning_rate * warm
    return settings.learning_rate * warm * 0.5 * (1.0 + math.cos(math.pi * step / settings.steps))


def build_optimizer(network: nn.Module, settings: OptimizationSettings) -> torch.optim.Optimizer:
    """Build the optimiser; scales and shifts of normalisations are not decayed."""
    weights = [each for each in network.parameters() if each.ndim > 1]
    others = [each for each in network.parameters() if each.ndim <= 1]
    groups = [
        {"params": weights, "weight_decay": settings.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    match settings.optimizer:
        case "sgd":
            return torch.optim.SGD(groups, lr=settings.learning_rate, momentum=0.9, nesterov=True)
        case "adam":
            return torch.optim.Adam(groups, lr=settings.learning_rate)
        case "rmsprop":
            return torch.optim.RMSprop(groups, lr=settings.learning_rate)
        case "adamw":
            return torch.optim.AdamW(groups, lr=settings.learning_rate)


@torch.no_grad()
def update_average(average: nn.Module, network: nn.Module, *, memory: float, step: int) -> None:
    """Move the average towards the network; early steps, which know nothing yet, are forgotten faster."""
    kept = min(memory, (1 + step) / (10 + step)) if memory else 0.0
    for mean, value in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
        if mean.dtype.is_floating_point:
            mean.mul_(kept).add_(value, alpha=1.0 - kept)
        else:
            mean.copy_(value)


class _Objective(nn.Module):
    """The loss as a module around its network: what accelerate prepares; it may spread it over processes."""

    def __init__(self, network: nn.Module, loss: Callable[[Tensor, Tensor], Tensor]) -> None:
        super().__init__()
        self.network = network
        self._loss = loss

    @override
    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        return self._loss(images, labels)


class LoopHost(Protocol):
    """What a training needs of the world: of the job's context, or of one that stands in for it."""

    def tick(self, done: int, total: int, /) -> None:
        """Report progress; raise Cancelled once a cancel was asked for."""

    def metric(self, name: str, value: float, *, step: int) -> None:
        """Log one value of a curve."""

    def take_checkpoint_request(self) -> bool:
        """Tell, once, whether a checkpoint was asked for since the last call."""


class TrainingLoop:
    """Trains one network.

    Args:
        network: On its device; trained in place.
        settings: Steps, optimiser, schedule, averaging.
        context: Told about progress, and asked whether to stop.
        folder: For the checkpoints.
        loss: Maps images and labels, as `batches` gives them, to a scalar, their mean; calls the network.
        validate: Looks at the averaged network, which is in eval mode.
        seed: Of what networks draw by themselves, as dropout does.
        processes: Which process this is of those that share the training. Each takes its part of every batch; the main
            one alone validates, tells and writes.

    Raises:
        UserError: The batch cannot be divided, or the device cannot compute in the precision.
    """

    def __init__(
        self,
        network: nn.Module,
        settings: OptimizationSettings,
        context: LoopHost,
        *,
        folder: Path,
        loss: Callable[[Tensor, Tensor], Tensor],
        validate: Callable[[nn.Module], Validation],
        seed: int = 0,
        processes: Processes = ALONE,
    ) -> None:
        # Not at the top: jobs that only want the words of this module would wait for it.
        from synthstudio.engine.acceleration import Team, build_accelerator  # noqa: PLC0415

        self.network = network
        self.average = copy.deepcopy(network).eval()
        self.state = TrainingState()
        self._settings = settings
        self._context = context
        self._folder = folder
        self._validate = validate
        self._seed = seed
        self._processes = processes
        if len(processes.rows(settings.batch_size)) % settings.accumulate:
            raise UserError(
                f"A batch of {settings.batch_size} images cannot be divided into {settings.accumulate} parts in each of"
                f" {processes.count} processes.",
                f"Choose a batch that is a multiple of {settings.accumulate * processes.count}.",
            )
        if processes.count > 1:
            share_statistics(network)
        self._accelerator = build_accelerator(settings.precision, next(network.parameters()).device)
        self._team = Team(self._accelerator)
        self._objective: nn.Module = _Objective(network, loss)
        self._optimizer = build_optimizer(network, settings)
        self._losses: list[float] = []
        self._began = 0.0

    def resume(self) -> bool:
        """Continue from the last checkpoint, where there is one; tell whether there was."""
        path = self._folder / LAST
        if not path.is_file():
            return False
        checkpoint = load_checkpoint(path)
        restore_network(self.network, checkpoint.part("network"), source=str(path))
        restore_network(self.average, checkpoint.part("average"), source=str(path))
        restore_optimizer(self._optimizer, checkpoint.part("optimizer"))
        self.state = TrainingState.from_facts(checkpoint.facts)
        if self._accelerator.scaler is not None and isinstance(scaling := checkpoint.facts.get("scaling"), dict):
            self._accelerator.scaler.load_state_dict(scaling)
        return True

    def run(self, batches: Callable[[int, int], Iterator[tuple[Tensor, Tensor]]]) -> TrainingState:
        """Train from the present state to the last step, or until validation stops it.

        Args:
            batches: Called with the first and the end step; gives one batch per step, the same ones every time.

        Raises:
            UserError: The loss is no longer a number, or another process of the training has ended.
            Cancelled: After a checkpoint was written; or this process has helped to the end, and what follows is for
                the main one.
        """
        self._began = time.monotonic() - self.state.seconds
        if not self.state.is_over and self.state.step < self._settings.steps:
            # Only now: processes take over the weights of the main one, which may have been resumed.
            self._objective, self._stepper = self._accelerator.prepare(self._objective, self._optimizer)
            try:
                self._take_steps(batches)
            except Cancelled:
                if self._processes.is_main:
                    self._team.agree(goes_on=False)
                    self._save_last()
                raise
            except RuntimeError as error:
                if self._team.is_lost(error):
                    raise UserError(
                        "Another process of this training has ended, so that it cannot go on.",
                        "The messages of the launcher say why; then resume the run from its last checkpoint.",
                    ) from error
                raise
            # Not before: by now the other processes may have gone, and nobody is there to agree with.
            self._context.tick(self._settings.steps, self._settings.steps)
        if not self._processes.is_main:
            raise Cancelled
        return self.state

    def _take_steps(self, batches: Callable[[int, int], Iterator[tuple[Tensor, Tensor]]]) -> None:
        for images, labels in batches(self.state.step, self._settings.steps):
            self._context.tick(self.state.step, self._settings.steps)
            if not self._team.agree(goes_on=True):
                return
            loss = self._take_step(images, labels)
            if self._processes.is_main:
                self._follow_up(loss)
            if self.state.is_over:
                self._team.agree(goes_on=False)
                return

    def _follow_up(self, loss: float) -> None:
        """What the main process does after a step."""
        self._losses.append(loss)
        update_average(self.average, self.network, memory=self._settings.ema, step=self.state.step - 1)
        if self.state.step % LOG_EVERY == 0 or self.state.step == self._settings.steps:
            self._context.metric("loss/train", sum(self._losses) / len(self._losses), step=self.state.step)
            self._losses.clear()
        if self._is_time_to_validate():
            self._look()
        elif self._context.take_checkpoint_request():
            self._save_last()

    def _take_step(self, images: Tensor, labels: Tensor) -> float:
        """Change the weights by one batch; return its loss."""
        rate = learning_rate(self.state.step, self._settings)
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        self._seed_dropout()
        self.network.train()
        self._optimizer.zero_grad(set_to_none=True)
        n_parts = self._settings.accumulate
        parts = zip(images.chunk(n_parts), labels.chunk(n_parts), strict=True)
        values = [self._pass(*part, is_last=number == n_parts) for number, part in enumerate(parts, 1)]
        if self._settings.clip:
            self._accelerator.clip_grad_norm_(self.network.parameters(), self._settings.clip)
        self._stepper.step()
        self.state.step += 1
        return sum(values) / n_parts

    def _seed_dropout(self) -> None:
        """Let what networks draw by themselves depend on seed, step and process alone, not on where it was resumed."""
        number = ((self._seed << 20) + self.state.step) * 1024 + self._processes.index
        # Not torch.manual_seed: without a GPU it writes down the call stack each time, a tenth of a small step.
        torch.default_generator.manual_seed(number)
        if next(self.network.parameters()).is_cuda:
            torch.cuda.manual_seed(number)

    def _pass(self, images: Tensor, labels: Tensor, *, is_last: bool) -> float:
        """Pass a part of a batch through the network and back; return its loss."""
        with self._team.keeps_apart(self._objective, is_last=is_last):
            loss = self._objective(images, labels)
            value = self._team.mean(loss)
            if not math.isfinite(value):
                self._stop_for(value)
            n_parts = self._settings.accumulate
            self._accelerator.backward(loss if n_parts == 1 else loss / n_parts)
        return value

    def _stop_for(self, value: float) -> NoReturn:
        if not self._processes.is_main:
            raise Cancelled  # the main process tells it
        raise UserError(
            f"The loss became {value} at step {self.state.step + 1}; the training was stopped.",
            "Use a lower learning rate or fp32 precision, and start again.",
        )

    def _is_time_to_validate(self) -> bool:
        return self.state.step % self._settings.evaluate_every == 0 or self.state.step == self._settings.steps

    def _look(self) -> None:
        """Validate, keep the best, decide whether to go on, and write the last state."""
        found = self._validate(self.average)
        for name, value in found.figures.items():
            self._context.metric(name, value, step=self.state.step)
        if found.score >= self.state.top_score - SCORE_TOLERANCE:
            self.state.best_step = self.state.step
            self.state.best_figures = dict(found.figures)
            save_checkpoint(
                self._folder / BEST, {"network": self.average.state_dict()}, {"step": self.state.step, **found.figures}
            )
        self.state.n_worse = 0 if found.score > self.state.top_score else self.state.n_worse + 1
        self.state.top_score = max(self.state.top_score, found.score)
        self.state.is_over = 0 < self._settings.patience <= self.state.n_worse
        self._save_last()

    def _save_last(self) -> None:
        self.state.seconds = time.monotonic() - self._began
        save_checkpoint(
            self._folder / LAST,
            {
                "network": self.network.state_dict(),
                "average": self.average.state_dict(),
                "optimizer": optimizer_tensors(self._optimizer),
            },
            self.state.to_facts() | self._scaling(),
        )

    def _scaling(self) -> dict[str, JsonValue]:
        """State of the scaling of the loss, in fp16."""
        return {} if self._accelerator.scaler is None else {"scaling": self._accelerator.scaler.state_dict()}
