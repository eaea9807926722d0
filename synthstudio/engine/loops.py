"""The one training loop: steps, schedule, averaging, validation, checkpoints, resume."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

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
from synthstudio.engine.context import JobContext
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


class TrainingLoop:
    """Trains one network.

    Args:
        network: On its device; trained in place.
        settings: Steps, optimiser, schedule, averaging.
        context: Told about progress, and asked whether to stop.
        folder: For the checkpoints.
        loss: Maps a batch, as `batches` gives it, to a scalar; runs under the chosen precision.
        validate: Looks at the averaged network in eval mode.
    """

    def __init__[B](
        self,
        network: nn.Module,
        settings: OptimizationSettings,
        context: JobContext,
        *,
        folder: Path,
        loss: Callable[[B], Tensor],
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
