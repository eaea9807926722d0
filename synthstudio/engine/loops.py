"""The one training loop: steps, schedule, averaging, validation, checkpoints, resume."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor, nn

from synthstudio.domain.errors import Cancelled, UserError
from synthstudio.engine.checkpoints import (
    JsonValue,
    load_checkpoint,
    optimizer_tensors,
    restore_network,
    restore_optimizer,
    save_checkpoint,
)
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
    if settings.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=settings.learning_rate, momentum=0.9, nesterov=True)
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
        loss: Maps images and labels, as `batches` gives them, to a scalar; calls the network.
        validate: Looks at the averaged network, which is in eval mode.
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
    ) -> None:
        self.network = network
        self.average = copy.deepcopy(network).eval()
        self.state = TrainingState()
        self._settings = settings
        self._context = context
        self._folder = folder
        self._loss = loss
        self._validate = validate
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
        return True

    def run(self, batches: Callable[[int, int], Iterator[tuple[Tensor, Tensor]]]) -> TrainingState:
        """Train from the present state to the last step, or until validation stops it.

        Args:
            batches: Called with the first and the end step; gives one batch per step, the same ones every time.

        Raises:
            UserError: The loss is no longer a number.
            Cancelled: After a checkpoint was written.
        """
        self._began = time.monotonic() - self.state.seconds
        if self.state.is_over or self.state.step >= self._settings.steps:
            return self.state
        try:
            for images, labels in batches(self.state.step, self._settings.steps):
                self._context.tick(self.state.step, self._settings.steps)
                self._take_step(images, labels)
                if self._is_time_to_validate():
                    self._look()
                elif self._context.take_checkpoint_request():
                    self._save_last()
                if self.state.is_over:
                    break
        except Cancelled:
            self._save_last()
            raise
        self._context.tick(self._settings.steps, self._settings.steps)
        return self.state

    def _take_step(self, images: Tensor, labels: Tensor) -> None:
        rate = learning_rate(self.state.step, self._settings)
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        self.network.train()
        with self._precision():
            loss = self._loss(images, labels)
        value = float(loss.item())
        if not math.isfinite(value):
            raise UserError(
                f"The loss became {value} at step {self.state.step + 1}; the training was stopped.",
                "Use a lower learning rate or fp32 precision, and start again.",
            )
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call] # torch has no annotation for it
        self._optimizer.step()
        update_average(self.average, self.network, memory=self._settings.ema, step=self.state.step)
        self.state.step += 1
        self._losses.append(value)
        if self.state.step % LOG_EVERY == 0 or self.state.step == self._settings.steps:
            self._context.metric("loss/train", sum(self._losses) / len(self._losses), step=self.state.step)
            self._losses.clear()

    def _precision(self) -> AbstractContextManager[object]:
        if self._settings.precision == "fp32":
            return nullcontext()
        device = next(self.network.parameters()).device
        return torch.autocast(device.type, dtype=torch.bfloat16)

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
            self.state.to_facts(),
        )
