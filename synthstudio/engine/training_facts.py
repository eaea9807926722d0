"""What the result of every training says, whatever was trained."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

import torch

from synthstudio.engine.context import JobContext
from synthstudio.engine.device import device_words
from synthstudio.engine.loops import TrainingState


class TrainingFacts(TypedDict):
    """The fields of `TrainingResult`."""

    run: str
    status: str
    seconds: float
    best: dict[str, float | None]
    warnings: tuple[str, ...]
    device: str


def training_facts(
    context: JobContext, state: TrainingState, *, warnings: Sequence[str], device: torch.device
) -> TrainingFacts:
    """Tell of a training that has come to its end.

    Args:
        context: Of the job.
        state: Where its loop has ended.
        warnings: What the user was told.
        device: Where it was trained.
    """
    return TrainingFacts(
        run=context.run_id,
        status="finished",
        seconds=round(state.seconds, 3),
        best={"step": float(state.best_step), **state.best_figures},
        warnings=tuple(warnings),
        device=device_words(device),
    )
