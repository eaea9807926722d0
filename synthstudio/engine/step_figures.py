"""Figures of the steps of a training: kept as tensors, told as means from time to time."""

from __future__ import annotations

import math
from collections import defaultdict

import torch
from torch import Tensor

from synthstudio.domain.errors import UserError


class StepFigures:
    """Collects figures; they are read late, so that a GPU need not be waited for at each step."""

    def __init__(self) -> None:
        self._noted: dict[str, list[Tensor]] = defaultdict(list)

    def note(self, name: str, value: Tensor) -> None:
        """Keep a scalar of one step."""
        self._noted[name].append(value)

    def means(self, *, step: int) -> dict[str, float]:
        """Means since they were last taken. Raises UserError, naming `step`, where one is no number."""
        means = {name: float(torch.stack(values).mean()) for name, values in self._noted.items()}
        wrong = next((name for name, mean in means.items() if not math.isfinite(mean)), None)
        if wrong is not None:
            raise UserError(
                f"{wrong} became {means[wrong]} by step {step}; the training was stopped.",
                "Use lower learning rates or fp32 precision, and start again.",
            )
        return means

    def take(self, *, step: int) -> dict[str, float]:
        """The same, and begin anew."""
        means = self.means(step=step)
        self._noted.clear()
        return means
