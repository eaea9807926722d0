"""The parts that every training of a classifier is made of: patches, crops, network, loss, card."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from torch import Tensor, nn
from torch.utils.data import Dataset

from synthstudio.core.imaging import write_bytes_atomically
from synthstudio.core.patches.bank import PatchBank, build_patch_bank
from synthstudio.core.patches.plates import add_plates
from synthstudio.core.training.model_card import ModelCard, ModelClass
from synthstudio.domain.progress import Tick, part_of
from synthstudio.domain.records import FieldOfView
from synthstudio.engine.checkpoints import load_weights
from synthstudio.engine.context import JobContext
from synthstudio.engine.data.batches import Batch, Normalization, iter_batches
from synthstudio.engine.data.crops import CropStore, build_crop_store
from synthstudio.engine.data.fields import MarkedReader, open_fov
from synthstudio.engine.data.material import Material, TrainingSettings, choose_material
from synthstudio.engine.device import choose_device
from synthstudio.engine.loops import TrainingLoop, TrainingState, Validation
from synthstudio.engine.networks.base import ClassMapNetwork
from synthstudio.engine.networks.registry import build_network, choose_stride, load_backbone
from synthstudio.project import Project
from synthstudio.settings.compose import CompositionSettings, PatchSettings
from synthstudio.settings.train_classifier import NetworkSettings, OptimizationSettings, TrainClassifierSettings

CHECKPOINTS, STATE_NAME = "checkpoints", "project-state.txt"
N_MEASURED_BATCHES = 4
Loss = Callable[[Tensor, Tensor], Tensor]
"""Maps images and labels, as batches give them, to a scalar."""


class TrainingJob:
    """What every execution of a training job begins with: its material, and the warnings that end in its result."""

    def __init__(self, settings: TrainingSettings, context: JobContext) -> None:
        self._context = context
        self._device = choose_device(context.device)
        self._warnings: list[str] = []
        self._material: Material = choose_material(context.project, settings)
        self._names = [each.name for each in self._material.classes]
        self._reader = build_marked_reader(context.project, self._material, side=settings.composition.canvas_px)

    def _warn(self, text: str) -> None:
        self._warnings.append(text)
        self._context.warn(text)

    def _check_project_state(self) -> None:
        """Remember what the training depends on, so that a resume on a changed project is noticed."""
        path = self._context.run_dir / STATE_NAME
        now = self._context.project.training_state()
        if self._context.resume and path.is_file() and path.read_text(encoding="utf-8") != now:
            self._warn("Annotations, classes or images have changed since this training began; it goes on with them.")
        write_bytes_atomically(path, now.encode())


def train_network(
    network: nn.Module,
    batches: Dataset[Batch],
    settings: OptimizationSettings,
    context: JobContext,
    *,
    loss: Loss,
    validate: Callable[[nn.Module], Validation],
) -> TrainingState:
    """Train from the beginning, or from the last checkpoint where the run is resumed; see `TrainingLoop`."""
    folder = context.run_dir / CHECKPOINTS
    loop = TrainingLoop(network, settings, context, folder=folder, loss=loss, validate=validate)
    if context.resume:
        loop.resume()
    context.stage("Training")
    return loop.run(lambda start, stop: iter_batches(batches, start=start, stop=stop, workers=settings.workers))


def to_device(network: nn.Module, device: torch.device) -> None:
    """Move a network. The batches arrive channels last; weights that match save a fifth of the step on a CPU."""
    network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]


def build_marked_reader(project: Project, material: Material, *, side: int) -> MarkedReader:
    """Build the reader of the material's FOVs for crops of `side` px."""
    return MarkedReader(project, material.classes, sizes_px=material.sizes_px, scale=material.scale, side=side)


def build_training_bank(
    project: Project, material: Material, patches: PatchSettings, *, with_plates: bool, tick: Tick
) -> PatchBank:
    """Cut the patches of the training FOVs at the material's scale, and the plates where canvases are made of them.

    Raises:
        UserError: An image cannot be read.
    """
    by_fov = project.annotations.by_fov()
    marks = [mark for fov in material.train for mark in by_fov.get(fov.id, [])]
    settings = patches.model_copy(update={"scale": material.scale})
    bank = build_patch_bank(
        material.train,
        marks,
        [*material.classes, *material.artifacts],
        settings=settings,
        read=open_fov,
        rejected=project.patch_verdicts.rejected(),
        tick=part_of(tick, 0.0, 0.5) if with_plates else tick,
    )
    if not with_plates:
        return bank
    return add_plates(bank, material.train, marks, settings=settings, read=open_fov, tick=part_of(tick, 0.5, 1.0))


def cut_crops(
    reader: MarkedReader,
    fovs: Sequence[FieldOfView],
    path: Path,
    *,
    material: Material,
    composition: CompositionSettings,
    tick: Tick,
    by_people: bool = False,
) -> CropStore:
    """Cut FOVs into crops of the size and with the label rule of the composites; see `build_crop_store`."""
    return build_crop_store(
        reader,
        fovs,
        path,
        scale=material.scale,
        side=composition.canvas_px,
        n_classes=len(material.classes),
        min_visible=composition.min_visible,
        by_people=by_people,
        tick=tick,
    )


def first_images(batches: Dataset[Batch]) -> Batch:
    """Images `(N, S, S, 3)` uint8 and labels `(N, C)` of the first batches: what the normalisation is measured on."""
    first = [batches[step] for step in range(N_MEASURED_BATCHES)]
    return torch.cat([each[0] for each in first]), torch.cat([each[1] for each in first])


def build_training_network(
    chosen: NetworkSettings, material: Material, *, seed: int, device: torch.device
) -> ClassMapNetwork:
    """Build the network on its device. Raises UserError where pretrained weights cannot be read."""
    network = build_network(
        chosen.name,
        len(material.classes),
        stride=choose_stride(chosen.stride, smallest_px=min(material.sizes_px)),
        pooling=chosen.pooling,
        sharpness=chosen.sharpness,
        seed=seed,
    )
    if chosen.weights:
        path = Path(chosen.weights).expanduser()
        load_backbone(network, load_weights(path), source=str(path))
    to_device(network, device)
    return network


def presence_loss(network: ClassMapNetwork, normalization: Normalization, device: torch.device) -> Loss:
    """Cross entropy of each class's answer on its own: an image may hold several classes, or none."""

    def loss(images: Tensor, labels: Tensor) -> Tensor:
        logits, _ = network(normalization.apply(images, device))
        return F.binary_cross_entropy_with_logits(logits, labels.to(device))

    return loss


def bare_card(
    settings: TrainClassifierSettings,
    material: Material,
    *,
    network: ClassMapNetwork,
    normalization: Normalization,
    step: int,
) -> ModelCard:
    """The card of a network whose thresholds have not been chosen yet."""
    return ModelCard(
        network=settings.network.name,
        pooling=settings.network.pooling,
        sharpness=settings.network.sharpness,
        stride=network.stride,
        classes=tuple(
            ModelClass(name=item.name, size_px=size)
            for item, size in zip(material.classes, material.sizes_px, strict=True)
        ),
        scale=material.scale,
        side=settings.composition.canvas_px,
        min_visible=settings.composition.min_visible,
        mean=normalization.mean,
        std=normalization.std,
        source=settings.source,
        seed=settings.seed,
        step=step,
        validation_fov_ids=tuple(fov.id for fov in material.validation),
        train_fov_ids=tuple(fov.id for fov in material.train),
        versions={"torch": torch.__version__},
        threads=torch.get_num_threads(),
    )
