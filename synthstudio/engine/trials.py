"""One recipe, trained once from the beginning and scored on fixed validation images."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from synthstudio.core.evaluation.presence import cross_fit_f1, mean_defined
from synthstudio.core.explanation.matching import CenterCounts, cross_fit_centers
from synthstudio.core.patches.bank import PatchBank
from synthstudio.core.stats import draw_halves
from synthstudio.core.training.recipe_ranking import RecipeScores
from synthstudio.domain.errors import UserError
from synthstudio.domain.progress import Tick
from synthstudio.domain.records import FieldOfView
from synthstudio.engine.data.batches import CompositeBatches, Normalization, iter_batches
from synthstudio.engine.data.crops import CropStore
from synthstudio.engine.data.fields import MarkedReader
from synthstudio.engine.data.material import Material
from synthstudio.engine.inference import TrainedClassifier, predict_presence
from synthstudio.engine.loops import TrainingLoop, Validation
from synthstudio.engine.losses import build_loss
from synthstudio.engine.scoring import ClassOnFov, score_fov
from synthstudio.engine.training import bare_card, build_training_network, first_images
from synthstudio.project.models import Models
from synthstudio.settings.train_classifier import TrainClassifierSettings


class ImpossibleRecipe(UserError):
    """A recipe whose images cannot be made from this project: no reason to give up the others."""


class TrialHost:
    """What the training loop may do to the outside while it tries a recipe: it ticks, and its curves are not kept."""

    def __init__(self, tick: Tick) -> None:
        self.tick = tick

    def metric(self, name: str, value: float, *, step: int) -> None:
        """Keep nothing: hundreds of curves would bury the scores."""

    def take_checkpoint_request(self) -> bool:
        """A trial is too short to be resumed in its middle."""
        return False


@dataclass(frozen=True, slots=True)
class Bench:
    """What all trials of a search share: the validation images, and how they are divided.

    Attributes:
        fovs: Validation FOVs.
        crops: Their crops.
        reader: Reads the FOVs with their annotations.
        first_crops: `(len(crops),)` whether a crop is in the first half; thresholds are chosen across.
        first_fovs: `(len(fovs),)` likewise.
        min_visible: From which visible share on an object counts as present, whatever a recipe labels by.
    """

    fovs: Sequence[FieldOfView]
    crops: CropStore
    reader: MarkedReader
    first_crops: NDArray[np.bool_]
    first_fovs: NDArray[np.bool_]
    min_visible: float

    @property
    def is_halved(self) -> bool:
        return bool(self.first_fovs.any())


def build_bench(
    fovs: Sequence[FieldOfView], crops: CropStore, reader: MarkedReader, *, min_visible: float, seed: int
) -> Bench:
    """Divide validation FOVs into halves by sample; by FOV where there is one sample only."""
    samples = np.array([fov.sample_id for fov in fovs], np.int64)
    ids = np.array([fov.id for fov in fovs], np.int64)
    first_fovs = draw_halves(samples if len(np.unique(samples)) > 1 else ids, seed=seed)
    first_crops = np.isin(crops.fov_ids, ids[first_fovs])
    return Bench(fovs, crops, reader, first_crops, first_fovs, min_visible)


@dataclass(frozen=True, slots=True)
class TrialMaterial:
    """What a trial is made from; `scratch` is emptied afterwards; `models` are the local ones it may begin with."""

    material: Material
    bank: PatchBank
    scratch: Path
    device: torch.device
    models: Models


def train_on_trial(settings: TrainClassifierSettings, given: TrialMaterial, tick: Tick) -> TrainedClassifier:
    """Train on composites of a recipe, without looking at validation.

    Raises:
        ImpossibleRecipe: The project does not have what the composites need.
        UserError: The loss is no longer a number.
    """
    batches = CompositeBatches(
        given.bank,
        settings.composition,
        seed=settings.seed,
        batch_size=settings.optimization.batch_size,
        scratch=given.scratch,
    )
    try:
        images, labels = first_images(batches)
        normalization = Normalization.measure(images)
    except UserError as error:
        raise ImpossibleRecipe(error.message, error.hint) from error
    network = build_training_network(
        settings.network,
        given.material,
        side=settings.composition.canvas_px,
        seed=settings.seed,
        device=given.device,
        weights=given.models.find_weights(settings.network.weights),
    )
    loop = TrainingLoop(
        network,
        settings.optimization,
        TrialHost(tick),
        folder=given.scratch,
        loss=build_loss(
            settings.loss,
            network,
            normalization,
            given.device,
            shares=np.asarray(labels.mean(dim=0).numpy(), np.float64),
        ),
        validate=lambda _network: Validation(0.0),
        seed=settings.seed,
    )
    workers = settings.optimization.workers
    loop.run(lambda start, stop: iter_batches(batches, start=start, stop=stop, workers=workers))
    card = bare_card(
        settings, given.material, network=network, normalization=normalization, step=settings.optimization.steps
    )
    network.load_state_dict(loop.average.state_dict())
    shutil.rmtree(given.scratch, ignore_errors=True)
    return TrainedClassifier(network.eval(), card, given.device)


def score_trial(classifier: TrainedClassifier, bench: Bench, tick: Tick) -> RecipeScores:
    """Score a classifier; its thresholds are chosen on one half of the samples and used on the other."""
    card = classifier.card.model_copy(update={"min_visible": bench.min_visible})
    classifier = dataclasses.replace(classifier, card=card)
    answers = predict_presence(
        classifier.network, bench.crops.open_pixels(), classifier.normalization, classifier.device
    )
    f1 = cross_fit_f1(answers, bench.crops.presence, bench.first_crops)
    by_class: list[list[ClassOnFov]] = [[] for _ in card.classes]
    for done, marked in enumerate(bench.reader.iter_read(bench.fovs)):
        tick(done, len(bench.fovs))
        for found, seen in zip(by_class, score_fov(classifier, marked), strict=True):
            found.append(seen)
    return RecipeScores(
        macro_f1=mean_defined(f1),
        pointing=mean_defined([_pointing(found) for found in by_class]),
        center_f1=mean_defined([_center_f1(found, bench) for found in by_class]),
        f1={each.name: value for each, value in zip(card.classes, f1, strict=True)},
    )


def _pointing(found: Sequence[ClassOnFov]) -> float | None:
    hits = [crop.hit for each in found for crop in each.crops]
    return float(np.mean(hits)) if hits else None


def _center_f1(found: Sequence[ClassOnFov], bench: Bench) -> float | None:
    """Where objects may be unmarked a peak that matches none is no proof of a false alarm: then there is no F1."""
    if not all(fov.state.is_complete for fov in bench.fovs):
        return None
    counts: CenterCounts = cross_fit_centers(
        [each.peaks for each in found],
        [each.centers for each in found],
        max_distance=found[0].reach_px,
        first=bench.first_fovs,
    )
    return counts.f1 if counts.n_true else None
