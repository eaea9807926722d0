"""The parts that every training of a classifier is made of: patches, crops, network, loss, card."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import Dataset

from synthstudio.core.imaging import sha256_of_file, write_bytes_atomically
from synthstudio.core.patches.bank import PatchBank, build_patch_bank
from synthstudio.core.patches.plates import add_plates
from synthstudio.core.training.model_card import ModelCard, ModelClass
from synthstudio.domain.errors import UserError
from synthstudio.domain.progress import Tick, part_of
from synthstudio.domain.records import FieldOfView
from synthstudio.engine.checkpoints import load_weights
from synthstudio.engine.context import JobContext
from synthstudio.engine.data.batches import Batch, Normalization, iter_batches
from synthstudio.engine.data.crops import CropStore, build_crop_store
from synthstudio.engine.data.fields import MarkedReader, open_fov
from synthstudio.engine.data.material import Material, TrainingSettings, choose_material
from synthstudio.engine.data.stored_sets import StoredReader, choose_stored_images, stored_state
from synthstudio.engine.device import choose_device
from synthstudio.engine.loops import TrainingLoop, TrainingState, Validation
from synthstudio.engine.losses import Loss
from synthstudio.engine.networks.base import ClassMapNetwork, round_up
from synthstudio.engine.networks.pretrained import load_backbone
from synthstudio.engine.networks.registry import build_network, choose_stride
from synthstudio.project import Project
from synthstudio.project.generated_patches import (
    describe_losses,
    generated_reader,
    list_generated,
    patch_state,
    with_sources,
)
from synthstudio.settings.compose import CompositionSettings, PatchSettings
from synthstudio.settings.train_classifier import (
    NetworkSettings,
    OptimizationSettings,
    TrainClassifierSettings,
)

CHECKPOINTS, STATE_NAME = "checkpoints", "project-state.txt"
N_MEASURED_BATCHES = 4


class TrainingJob:
    """What every execution of a training job begins with: its material, and the warnings that end in its result."""

    def __init__(self, settings: TrainingSettings, context: JobContext, *, is_whole: bool = False) -> None:
        self._context = context
        self._device = choose_device(context.device)
        self._warnings: list[str] = []
        self._set_name, self._patches = settings.set_name, settings.patches
        self._material: Material = choose_material(context.project, settings, is_whole=is_whole)
        self._names = [each.name for each in self._material.classes]
        self._reader = build_marked_reader(context.project, self._material, side=settings.composition.canvas_px)

    def _warn(self, text: str) -> None:
        self._warnings.append(text)
        self._context.warn(text)

    def _open_stored(self, settings: TrainingSettings) -> tuple[StoredReader, Sequence[FieldOfView]]:
        """What reads the images of the stored set, and those that may be trained on; see `choose_stored_images`."""
        project, material, composition = self._context.project, self._material, settings.composition
        self._context.stage(f"Reading the set {settings.set_name}")
        stored = choose_stored_images(
            project,
            settings.set_name,
            material,
            min_visible=composition.min_visible,
            side=composition.canvas_px,
            review=settings.review,
        )
        if stored.review:
            self._warn(stored.review)
        if stored.n_validation:
            self._warn(
                f"{stored.n_validation} of the {len(stored.fovs)} images of the set go back to validation images:"
                " scores on validation are too high. Put samples into the val split and make the set again."
            )
        reader = StoredReader(
            project,
            material.classes,
            sizes_px=material.sizes_px,
            scale=stored.scale,
            side=composition.canvas_px,
            annotations=stored.annotations,
        )
        return reader, stored.fovs

    def _state(self) -> str:
        """All of the project that the training depends on, as text."""
        project = self._context.project
        return patch_state(project, self._patches) + (stored_state(project, self._set_name) if self._set_name else "")

    def _check_project_state(self) -> None:
        """Remember what the training depends on, so that a resume on a changed project is noticed."""
        path = self._context.run_dir / STATE_NAME
        now = self._state()
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
    loop = TrainingLoop(
        network,
        settings,
        context,
        folder=context.shared_dir / CHECKPOINTS,
        loss=loss,
        validate=validate,
        seed=context.seed,
        processes=context.processes,
    )
    if context.resume:
        loop.resume()
    context.stage("Training")
    rows = context.processes.rows(settings.batch_size)
    return loop.run(
        lambda start, stop: iter_batches(batches, start=start, stop=stop, workers=settings.workers, rows=rows)
    )


def to_device(network: nn.Module, device: torch.device) -> None:
    """Move a network. The batches arrive channels last; weights that match save a fifth of the step on a CPU."""
    network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]


def build_marked_reader(project: Project, material: Material, *, side: int) -> MarkedReader:
    """Build the reader of the material's FOVs for crops of `side` px."""
    return MarkedReader(project, material.classes, sizes_px=material.sizes_px, scale=material.scale, side=side)


def build_training_bank(
    project: Project,
    material: Material,
    patches: PatchSettings,
    *,
    with_plates: bool,
    warn: Callable[[str], None],
    tick: Tick,
) -> PatchBank:
    """Cut the patches of the training FOVs at the material's scale, and the plates where canvases are made of them.

    `warn` is told what reviewers have left out of the sets that patches are cut from.

    Raises:
        UserError: An image cannot be read.
    """
    by_fov = project.annotations.by_fov()
    marks = [mark for fov in material.train for mark in by_fov.get(fov.id, [])]
    settings = patches.model_copy(update={"scale": material.scale.factor})
    classes = [*material.classes, *material.artifacts]
    generated = list_generated(
        project,
        patches.generated_sets,
        fovs=material.train,
        annotations=marks,
        classes=classes,
        review=patches.generated_review,
    )
    bank = build_patch_bank(
        [*material.train, *generated.fovs],
        [*marks, *generated.annotations],
        classes,
        settings=settings,
        read=generated_reader(open_fov),
        rejected=project.patch_verdicts.rejected(),
        tick=part_of(tick, 0.0, 0.5) if with_plates else tick,
    )
    bank = with_sources(bank, generated)
    for loss in describe_losses(bank):
        warn(loss)
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
    chosen: NetworkSettings,
    material: Material,
    *,
    side: int,
    seed: int,
    device: torch.device,
    weights: Path | None = None,
) -> ClassMapNetwork:
    """Build the network on its device.

    Args:
        chosen: What is built.
        material: What it will be trained on.
        side: Of the training images in px.
        seed: Of its random weights.
        device: Where it will be.
        weights: File with pretrained weights, as `project.models.find_weights` found it.

    Raises:
        UserError: There is no such network, it takes no images of this size, or pretrained weights do not fit.
    """
    network = build_network(
        chosen.name,
        len(material.classes),
        stride=choose_stride(chosen.stride, smallest_px=min(material.sizes_px), network=chosen.name),
        pooling=chosen.pooling,
        sharpness=chosen.sharpness,
        side=side,
        attention_dropout=chosen.attention_dropout,
        seed=seed,
    )
    if side % network.alignment and network.alignment > network.stride:
        raise UserError(
            f"{chosen.name} takes no training images of {side} px: their side must be a multiple of"
            f" {network.alignment}.",
            f"Choose a canvas of {round_up(side, network.alignment)} px.",
        )
    if weights is not None:
        network.origin = take_weights(network, weights)
    to_device(network, device)
    return network


def take_weights(network: ClassMapNetwork, path: Path) -> str:
    """Put pretrained weights from a file into a network's backbone; return in words what was taken.

    Raises:
        UserError: The file cannot be read, or does not fit.
    """
    fit = load_backbone(network, load_weights(path), source=str(path))
    left = f", {fit.n_left} left out" if fit.n_left else ""
    return f"{fit.n_taken} pretrained tensors from {path.name}{left} (SHA-256 {sha256_of_file(path)[:16]})"


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
        attention_dropout=settings.network.attention_dropout,
        task=settings.loss.task,
        pretrained=network.origin,
        stride=network.stride,
        classes=tuple(
            ModelClass(name=item.name, size_px=size)
            for item, size in zip(material.classes, material.sizes_px, strict=True)
        ),
        scale=material.scale.factor,
        um_per_px=material.scale.um_per_px,
        whole_px=material.scale.whole_px,
        side=settings.composition.canvas_px,
        min_visible=settings.composition.min_visible,
        mean=normalization.mean,
        std=normalization.std,
        source=settings.source,
        seed=settings.seed,
        step=step,
        validation_fov_ids=tuple(fov.id for fov in material.validation),
        train_fov_ids=tuple(fov.id for fov in material.train),
        versions={name: version(name) for name in ("torch", "torchvision", "timm")},
        threads=torch.get_num_threads(),
    )
