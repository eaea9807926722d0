"""Using a trained classifier: answers on crops, class maps of whole FOVs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from synthstudio.core.explanation.maps import Cam
from synthstudio.core.imaging import ImageArray
from synthstudio.core.training.model_card import ModelCard, read_model_card
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import RunId
from synthstudio.domain.progress import Tick, no_tick
from synthstudio.domain.records import ObjectClass, RunStatus
from synthstudio.engine.checkpoints import load_checkpoint, restore_network, save_checkpoint
from synthstudio.engine.data.batches import Normalization
from synthstudio.engine.networks.answers import probabilities
from synthstudio.engine.networks.base import ClassMapNetwork
from synthstudio.engine.networks.registry import build_network
from synthstudio.engine.networks.tiling import tiled_grid
from synthstudio.project import Project
from synthstudio.settings.train_classifier import Task

CROPS_AT_ONCE = 64
BEST_WEIGHTS = Path("checkpoints") / "best.safetensors"


@dataclass(frozen=True, slots=True)
class TrainedClassifier:
    """A network in eval mode on its device, and what it is."""

    network: ClassMapNetwork
    card: ModelCard
    device: torch.device

    @property
    def normalization(self) -> Normalization:
        return Normalization(self.card.mean, self.card.std)


def find_training_run(project: Project, run: str, *, model: Literal["classifier", "detector"] = "classifier") -> RunId:
    """Return the id of a training run: the named one, or the newest finished one of this kind of model.

    Raises:
        UserError: There is none.
    """
    if run:
        return project.runs.find_named(run, kinds=(f"train-{model}",)).id
    finished = [each for each in project.runs.list(kind=f"train-{model}") if each.status is RunStatus.FINISHED]
    if not finished:
        raise UserError(f"No {model} has been trained in this project yet.", "Train one first.")
    return finished[-1].id


def restore_best(network: nn.Module, folder: Path) -> None:
    """Put the best weights of a run into its network. Raises UserError where there are none, or they are damaged."""
    path = folder / BEST_WEIGHTS
    restore_network(network, load_checkpoint(path).part("network"), source=str(path))


def replace_best(network: nn.Module, folder: Path) -> None:
    """Write a network in place of the best weights of a run; what is known about them stays."""
    path = folder / BEST_WEIGHTS
    facts = load_checkpoint(path).facts
    save_checkpoint(path, {"network": network.state_dict()}, facts)


def load_classifier(folder: Path, device: torch.device) -> TrainedClassifier:
    """Load the best network of a run's folder. Raises UserError where there is none, or it is damaged."""
    card = read_model_card(folder)
    network = build_network(
        card.network,
        len(card.classes),
        stride=card.stride,
        pooling=card.pooling,
        sharpness=card.sharpness,
        side=card.side,
        attention_dropout=card.attention_dropout,
    )
    restore_best(network, folder)
    return TrainedClassifier(network.to(device).eval(), card, device)


def find_classes(project: Project, names: Sequence[str]) -> list[ObjectClass]:
    """The project's classes that a model knows, in its order. Raises UserError where one is gone."""
    classes = []
    for name in names:
        found = project.classes.find(name)
        if found is None:
            raise UserError(
                f'The model knows a class "{name}" that this project no longer has.', "Rename the class back."
            )
        classes.append(found)
    return classes


@torch.inference_mode()
def predict_presence(
    network: nn.Module,
    pixels: NDArray[np.uint8],
    normalization: Normalization,
    device: torch.device,
    tick: Tick = no_tick,
    *,
    task: Task = "multi-label",
) -> NDArray[np.float64]:
    """Probability of each class on crops.

    Args:
        network: Gives logits and class maps; in eval mode.
        pixels: `(N, S, S, 3)` uint8.
        normalization: That of the training.
        device: Of the network.
        tick: Called once per batch.
        task: What was trained; see `networks.answers.probabilities`.

    Returns:
        `(N, C)` in 0-1.
    """
    found = []
    for start in range(0, len(pixels), CROPS_AT_ONCE):
        tick(start, len(pixels))
        images = torch.from_numpy(np.array(pixels[start : start + CROPS_AT_ONCE]))
        logits, _ = network(normalization.apply(images, device))
        found.append(probabilities(logits.double(), task).cpu().numpy())
    return np.concatenate(found) if found else np.empty((0, 0))


def predict_cams(classifier: TrainedClassifier, image: ImageArray, tick: Tick = no_tick) -> Cam:
    """Class activation maps of a whole FOV.

    Args:
        classifier: The classifier.
        image: `(H, W, 3)` uint8 at the working scale, of any size.
        tick: Called once per tile.

    Returns:
        `(C, h, w)` float32 on the grid of the network's stride.
    """
    tensor = classifier.normalization.apply(torch.from_numpy(np.ascontiguousarray(image))[None], classifier.device)
    return np.asarray(tiled_grid(classifier.network, tensor[0], tick=tick).numpy(), np.float32)
