"""The loop around a training on crops and their maps: steps, averaging, samples, checkpoints, resume.

All that is drawn depends on the seed and the step alone, so that a resumed training goes on as if it had never stopped.
It runs in one process: the batches are small, and a second GPU is of more use to a second training.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Generic, Protocol, TypeVar

import torch
from torch import Tensor, nn

from synthstudio.domain.errors import Cancelled
from synthstudio.engine.checkpoints import (
    JsonValue,
    load_checkpoint,
    optimizer_tensors,
    restore_network,
    restore_optimizer,
    save_checkpoint,
)
from synthstudio.engine.data.batches import Batch
from synthstudio.engine.loops import LAST, LOG_EVERY, LoopHost, TrainingState, Validation, update_average
from synthstudio.engine.step_figures import StepFigures

Network = TypeVar("Network", bound=nn.Module)
Network_co = TypeVar("Network_co", bound=nn.Module, covariant=True)


class RegionLearner(Protocol[Network_co]):
    """What learns: its networks, and what one batch does to them."""

    @property
    def trained(self) -> Network_co:
        """The network that makes images, as the last step left it."""

    @property
    def average(self) -> Network_co:
        """Its moving average, in eval mode: what is sampled and stored."""

    def networks(self) -> dict[str, nn.Module]:
        """All networks by their names in a checkpoint."""

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        """All optimisers by their names in a checkpoint."""

    def take_step(self, maps: Tensor, images: Tensor, *, step: int) -> Mapping[str, Tensor]:
        """Change the weights by one batch, of the step counted from 0; return scalars to log, by name."""

    def look_at(self, means: Mapping[str, float]) -> None:
        """Learn the means of what was logged since the last time."""

    def to_facts(self) -> dict[str, JsonValue]:
        """What a checkpoint must know besides tensors and the state of the loop."""

    def adopt_facts(self, facts: Mapping[str, JsonValue]) -> None:
        """Read what `to_facts` said."""


class RegionSchedule(Protocol):
    """How long is trained, and how often somebody looks."""

    @property
    def steps(self) -> int:
        """Of the whole training."""

    @property
    def sample_every(self) -> int:
        """Steps between two looks."""

    @property
    def ema(self) -> float:
        """Memory of the average per step."""


class RegionLoop(Generic[Network]):
    """Drives what learns.

    Args:
        learner: On its device; trained in place.
        schedule: Steps, samples, averaging.
        context: Told about progress, and asked whether to stop.
        folder: For the checkpoint.
        sample: Shows what the averaged network makes after a step, and judges it.
        keep: Stores it with its step.
        keeps_best: The one with the best score is kept instead of the last one.
    """

    def __init__(
        self,
        learner: RegionLearner[Network],
        schedule: RegionSchedule,
        context: LoopHost,
        *,
        folder: Path,
        sample: Callable[[Network, int], Validation],
        keep: Callable[[Network, int], None],
        keeps_best: bool = False,
    ) -> None:
        self.state = TrainingState()
        self._learner, self._schedule, self._context = learner, schedule, context
        self._sample, self._keep, self._keeps_best = sample, keep, keeps_best
        self._path = folder / LAST
        self._logged = StepFigures()
        self._owes_look = False
        """The samples of the present step were stopped: a resumed training takes them first."""
        self._began = 0.0

    def resume(self) -> bool:
        """Continue from the last checkpoint, where there is one; tell whether there was."""
        if not self._path.is_file():
            return False
        checkpoint = load_checkpoint(self._path)
        for name, network in self._learner.networks().items():
            restore_network(network, checkpoint.part(name), source=str(self._path))
        for name, optimizer in self._learner.optimizers().items():
            restore_optimizer(optimizer, checkpoint.part(name))
        self.state = TrainingState.from_facts(checkpoint.facts)
        self._owes_look = checkpoint.facts.get("owes_look") is True
        self._learner.adopt_facts(checkpoint.facts)
        return True

    def run(self, batches: Callable[[int, int], Iterator[Batch]]) -> TrainingState:
        """Train from the present state to the last step.

        Args:
            batches: Called with the first and the end step; gives maps and crops, `(N, S, S, 3)` uint8 both, of each
                step, the same ones every time.

        Raises:
            UserError: A loss is no longer a number.
            Cancelled: After a checkpoint was written, and the averaged network stored where the last one is kept.
        """
        self._began = time.monotonic() - self.state.seconds
        steps = self._schedule.steps
        try:
            if self._owes_look:
                self._look()
            for maps, images in batches(self.state.step, steps):
                self._context.tick(self.state.step, steps)
                self._take_step(maps, images)
                self._follow_up()
            self._context.tick(steps, steps)
        except Cancelled:
            self._save_last()
            if not self._keeps_best:  # who stops early wants what was learned until then
                self._keep(self._learner.average, self.state.step)
            raise
        return self.state

    def _take_step(self, maps: Tensor, images: Tensor) -> None:
        """Change the weights by one batch; the figures are read later, so that a GPU need not be waited for at each."""
        figures = self._learner.take_step(maps, images, step=self.state.step)
        self.state.step += 1
        for name, figure in figures.items():
            self._logged.note(name, figure)

    def _follow_up(self) -> None:
        """What comes after a step."""
        step, steps = self.state.step, self._schedule.steps
        update_average(self._learner.average, self._learner.trained, memory=self._schedule.ema, step=step - 1)
        if step % LOG_EVERY == 0 or step == steps:
            self._log()
        if step % self._schedule.sample_every == 0 or step == steps:
            self._look()
        elif self._context.take_checkpoint_request():
            self._save_last()

    def _log(self) -> None:
        """Tell the means since the last time."""
        means = self._logged.take(step=self.state.step)
        for name, mean in means.items():
            self._context.metric(name, mean, step=self.state.step)
        self._learner.look_at(means)

    def _look(self) -> None:
        """Show and judge what the averaged network makes, store it where it is to be kept, and write the last state."""
        self._owes_look = True
        found = self._sample(self._learner.average, self.state.step)
        self._owes_look = False
        for name, value in found.figures.items():
            self._context.metric(name, value, step=self.state.step)
        is_best = found.score > self.state.top_score
        if is_best or not self._keeps_best:
            self._keep(self._learner.average, self.state.step)
        if is_best:
            self.state.top_score, self.state.best_step = found.score, self.state.step
            self.state.best_figures = dict(found.figures)
        self._save_last()

    def _save_last(self) -> None:
        # A state in which nothing is a number any more must not take the place of a good one.
        self._logged.means(step=self.state.step)
        self.state.seconds = time.monotonic() - self._began
        parts = {name: network.state_dict() for name, network in self._learner.networks().items()}
        parts |= {name: optimizer_tensors(each) for name, each in self._learner.optimizers().items()}
        facts = {**self.state.to_facts(), "owes_look": self._owes_look, **self._learner.to_facts()}
        save_checkpoint(self._path, parts, facts)
