"""What every training on crops around regions does besides training: plans, held-out crops, the file of all crops."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypedDict, TypeVar

import torch
from torch import nn

from synthstudio.core.imaging import write_bytes_atomically
from synthstudio.core.synthesis.region_crops import PlannedCrop, RegionCrop
from synthstudio.core.training.gan_samples import choose_spread, find_samples
from synthstudio.core.training.map_card import MapCard
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import FovId
from synthstudio.domain.maps import UNKNOWN_TONE
from synthstudio.domain.progress import part_of
from synthstudio.engine.context import JobContext
from synthstudio.engine.data.batches import iter_batches
from synthstudio.engine.data.region_batches import RegionBatches, RegionStore, build_region_store
from synthstudio.engine.loops import TrainingState
from synthstudio.engine.region_loop import RegionLoop
from synthstudio.engine.training_facts import TrainingFacts, training_facts
from synthstudio.project.region_crops import RegionCropPlans, list_region_crops, read_region_crops
from synthstudio.settings.region_crops import RegionLearning

CACHE, CHECKPOINTS, STATE_NAME = "cache", "checkpoints", "project-state.txt"
Card = TypeVar("Card", bound=MapCard)
Network = TypeVar("Network", bound=nn.Module)


class RegionCardFacts(TypedDict):
    """What the cards of all that learns from crops of regions say alike; see `GanCard`."""

    class_names: tuple[str, ...]
    tone_levels: tuple[str, ...]
    has_unknown_tone: bool
    side: int
    seed: int
    step: int
    train_fov_ids: tuple[FovId, ...]
    validation_fov_ids: tuple[FovId, ...]
    threads: int


class RegionTrainingFacts(TrainingFacts):
    """The fields of `RegionTrainingResult`."""

    step: int
    validation: dict[str, float]
    n_crops: int
    n_validation_crops: int
    classes: tuple[str, ...]
    tones: tuple[str, ...]
    sample: str


class RegionMaterial:
    """The crops that a job learns from, and those that are held out.

    Args:
        settings: Of the job.
        context: Of the job.
        n_judged: Held-out crops that are looked at, at most.

    Raises:
        UserError: There is nothing to learn from.
        Cancelled: By the tick.
    """

    def __init__(self, settings: RegionLearning, context: JobContext, *, n_judged: int) -> None:
        self._settings, self._context = settings, context
        self.warnings: list[str] = []
        context.stage("Planning crops")
        project, tick = context.project, context.tick
        self.plans = list_region_crops(project, settings, split="train", tick=part_of(tick, 0.0, 0.5))
        self.validation = list_region_crops(project, settings, split="val", tick=part_of(tick, 0.5, 1.0))
        requests = [crop.request for crop in self.validation.crops]
        self.held_out = [self.validation.crops[number] for number in choose_spread(requests, n_judged)]

    def warn(self, text: str) -> None:
        """Tell the user, now and in the result."""
        self.warnings.append(text)
        self._context.warn(text)

    def warn_of_plans(self) -> None:
        """Say what the user should know of the crops, and whether they have changed since the run began."""
        for text in (*self.plans.notes, *unlearned_tones(self.plans)):
            self.warn(text)
        self._check_project_state()

    def read_held_out(self) -> list[RegionCrop]:
        """Cut the held-out crops. Raises UserError where an image cannot be read."""
        self._context.stage("Reading held-out crops")
        return list(self._read(self.held_out))

    def cut(self) -> RegionStore:
        """Cut the training crops into a file. Raises UserError where an image cannot be read, or the disk is full."""
        crops, side = self.plans.crops, self._settings.crops.side_px
        self._context.stage(f"Cutting {len(crops)} crops ({len(crops) * side * side * 3 / 1e6:.0f} MB)")
        path = self._context.run_dir / CACHE / "crops.npy"
        return build_region_store(self._read(crops), path, n_crops=len(crops), side=side, tick=self._context.tick)

    def find_earlier(self, name: str, read: Callable[[Path], Card]) -> Card | None:
        """Read the card of the run that goes on, where it has left one of this name.

        Raises:
            UserError: Its maps would mean something else now.
        """
        folder = self._context.run_dir
        if not self._context.resume or not (folder / name).is_file():
            return None
        card = read(folder)
        self._check_earlier(card)
        return card

    def _check_earlier(self, card: MapCard) -> None:
        plans = self.plans
        if (card.class_names, card.tone_levels) != (plans.class_names, plans.tone_levels):
            raise UserError(
                "The conditions of the training images, or the tone scale, have changed since this training began: the"
                " colours of its maps would mean something else.",
                "Put them back, or start a new training.",
            )

    def card_facts(self, earlier: MapCard | None, *, step: int) -> RegionCardFacts:
        """What a card says after a step; what was learned from once stays so, though it has gone to another split."""
        before = tuple(FovId(each) for each in earlier.train_fov_ids) if earlier is not None else ()
        learned = tuple(dict.fromkeys((*before, *self.plans.fov_ids)))
        return RegionCardFacts(
            class_names=self.plans.class_names,
            tone_levels=self.plans.tone_levels,
            has_unknown_tone=self.plans.has_unknown or (earlier is not None and earlier.has_unknown_tone),
            side=self._settings.crops.side_px,
            seed=self._settings.seed,
            step=step,
            train_fov_ids=learned,
            validation_fov_ids=tuple(each for each in self.validation.fov_ids if each not in learned),
            threads=torch.get_num_threads(),
        )

    def result_facts(
        self, state: TrainingState, figures: dict[str, float], *, step: int, device: torch.device
    ) -> RegionTrainingFacts:
        """Tell of a training that has come to its end.

        Args:
            state: Where its loop has ended.
            figures: Of the last samples.
            step: Of the network that is kept.
            device: Where it was trained.
        """
        folder = self._context.run_dir
        samples = find_samples(folder)
        return RegionTrainingFacts(
            **training_facts(self._context, state, warnings=self.warnings, device=device),
            step=step,
            validation=figures,
            n_crops=len(self.plans.crops),
            n_validation_crops=len(self.held_out),
            classes=self.plans.class_names,
            tones=self.plans.tone_levels,
            sample=str(samples[-1][1].relative_to(folder)) if samples else "",
        )

    def _read(self, crops: Sequence[PlannedCrop]) -> Iterator[RegionCrop]:
        return read_region_crops(self._context.project, crops)

    def _check_project_state(self) -> None:
        """Remember what the training depends on, so that a resume on a changed project is noticed."""
        path = self._context.run_dir / STATE_NAME
        now = self._state()
        if self._context.resume and path.is_file() and path.read_text(encoding="utf-8") != now:
            self.warn("Annotations, tones or images have changed since this training began; it goes on with them.")
        write_bytes_atomically(path, now.encode())

    def _state(self) -> str:
        """All of the project that the training depends on, as text: its crops and the contents of their images."""
        held = self._context.project.fovs
        contents = [held.get(each).content_key for each in self.plans.fov_ids]
        return hashlib.sha256(repr((self.plans.coding, self.plans.crops, contents)).encode()).hexdigest()


def train_on(batches: RegionBatches, loop: RegionLoop[Network], context: JobContext) -> TrainingState:
    """Do all steps that are left. Raises as `RegionLoop.run`."""
    if context.resume:
        loop.resume()
    context.stage("Training")
    return loop.run(lambda start, stop: iter_batches(batches, start=start, stop=stop, workers=0))


def remove_crops(context: JobContext) -> None:
    """Remove the file of the crops of a run."""
    shutil.rmtree(context.run_dir / CACHE, ignore_errors=True)


def refuse_processes(context: JobContext, what: str) -> None:
    """Raises UserError where several processes share a training that one alone can do."""
    if context.processes.count > 1:
        raise UserError(
            f"{what} is trained by one process.", "Start it without accelerate or torchrun; it takes one GPU."
        )


def unlearned_tones(plans: RegionCropPlans) -> list[str]:
    """Say which tones are on no training crop, of a project that has a scale."""
    learned = {each.request.tone for each in plans.crops}
    if plans.tone_levels and learned == {UNKNOWN_TONE}:
        return ["No training image has a tone, so that all tones will look the same: set the tones first."]
    missing = [name for level, name in enumerate(plans.tone_levels, 1) if level not in learned]
    if not missing:
        return []
    return [f"No training crop has the tone {', '.join(missing)}: what is asked for in it is a guess."]
