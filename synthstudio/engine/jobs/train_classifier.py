"""Training the weakly supervised classifier, on composites or on real crops."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from synthstudio.core.imaging import ImageArray, write_bytes_atomically
from synthstudio.core.patches.bank import build_patch_bank
from synthstudio.core.training.alarms import domain_gap_alarms, presence_alarms
from synthstudio.core.training.crops import plan_squares
from synthstudio.core.training.model_card import ModelCard, ModelClass, write_model_card
from synthstudio.domain.records import FieldOfView
from synthstudio.engine.calibration import PresenceValidator, tune_maps, tune_presence
from synthstudio.engine.checkpoints import load_weights
from synthstudio.engine.context import JobContext
from synthstudio.engine.data.batches import Batch, CompositeBatches, CropBatches, Normalization, iter_batches
from synthstudio.engine.data.crops import CropStore, build_crop_store
from synthstudio.engine.data.fields import MarkedReader, open_fov
from synthstudio.engine.data.material import Material, choose_material
from synthstudio.engine.device import choose_device
from synthstudio.engine.inference import load_classifier
from synthstudio.engine.loops import TrainingLoop, TrainingState
from synthstudio.engine.networks.base import ClassMapNetwork
from synthstudio.engine.networks.registry import build_network, choose_stride, load_backbone
from synthstudio.protocol.results import TrainResult
from synthstudio.settings.train_classifier import TrainClassifierSettings

CHECKPOINTS, CACHE, STATE_NAME = "checkpoints", "cache", "project-state.txt"
N_PREVIEW = 8
N_MEASURED_BATCHES = 4


def run(settings: TrainClassifierSettings, context: JobContext) -> TrainResult:
    """Train, choose thresholds on validation, and write the run's model.

    Raises:
        UserError: There is nothing to train on, an image cannot be read, or the loss is no longer a number.
        Cancelled: A checkpoint was written first.
    """
    training = _Training(settings, context)
    try:
        return training.run()
    finally:
        shutil.rmtree(context.run_dir / CACHE, ignore_errors=True)


class _Training:
    """One execution of the job."""

    def __init__(self, settings: TrainClassifierSettings, context: JobContext) -> None:
        self._settings = settings
        self._context = context
        self._device = choose_device(context.device)
        self._side = settings.composition.canvas_px
        self._warnings: list[str] = []
        self._material: Material = choose_material(context.project, settings)
        self._names = [each.name for each in self._material.classes]
        self._reader = MarkedReader(
            context.project,
            self._material.classes,
            sizes_px=self._material.sizes_px,
            scale=self._material.scale,
            side=self._side,
        )

    def run(self) -> TrainResult:
        """Do the work."""
        self._check_project_state()
        if not self._material.is_exhaustive:
            self._warn(
                "No validation image is annotated exhaustively: objects that were not clicked count as absent, so"
                " validation scores are too low and thresholds approximate."
            )
        self._context.stage("Reading validation images")
        validation = self._cut(self._material.validation, "validation.npy")
        batches = self._build_batches()
        normalization = self._look_at(batches)
        network = self._build_network()
        validator = PresenceValidator(validation, self._names, normalization, self._device)
        state = self._train(network, batches, normalization, validator)
        self._write_model(network, normalization, validation, validator, state)
        return TrainResult(
            run=self._context.run_id,
            status="finished",
            seconds=round(state.seconds, 3),
            best={"step": float(state.best_step), **state.best_figures},
            warnings=tuple(self._warnings),
        )

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

    def _cut(self, fovs: list[FieldOfView], name: str, *, by_people: bool = False) -> CropStore:
        return build_crop_store(
            self._reader,
            fovs,
            self._context.run_dir / CACHE / name,
            scale=self._material.scale,
            side=self._side,
            n_classes=len(self._names),
            min_visible=self._settings.composition.min_visible,
            by_people=by_people,
            tick=self._context.tick,
        )

    def _check_crop_labels(self, fovs: list[FieldOfView]) -> None:
        """Say so where crops were labelled in another size than that of this training: they do not count then."""
        labelled = [fov for fov in fovs if self._reader.judged_crops(fov)]
        scale, side = self._material.scale, self._side
        fitting = any(
            square in self._reader.judged_crops(fov)
            for fov in labelled
            for square in plan_squares(fov.width, fov.height, side=side, scale=scale)
        )
        if labelled and not fitting:
            self._warn(
                f"The labels of whole crops were given for crops of another size than {round(side / scale)} px and are"
                " not used."
            )

    def _build_batches(self) -> Dataset[Batch]:
        composition = self._settings.composition
        batch_size, seed = self._settings.optimization.batch_size, self._context.seed
        if self._settings.source == "real-crops":
            self._context.stage("Cutting training images")
            reader = self._reader
            known = [fov for fov in self._material.train if reader.is_marked(fov) or reader.judged_crops(fov)]
            self._check_crop_labels(known)
            store = self._cut(known, "training.npy", by_people=True)
            return CropBatches(store, composition.image, side=self._side, seed=seed, batch_size=batch_size)
        self._context.stage("Cutting patches")
        by_fov = self._context.project.annotations.by_fov()
        bank = build_patch_bank(
            self._material.train,
            [mark for fov in self._material.train for mark in by_fov.get(fov.id, [])],
            [*self._material.classes, *self._material.artifacts],
            settings=self._settings.patches.model_copy(update={"scale": self._material.scale}),
            read=open_fov,
            tick=self._context.tick,
        )
        scratch = self._context.run_dir / CACHE
        return CompositeBatches(bank, composition, seed=seed, batch_size=batch_size, scratch=scratch)

    def _look_at(self, batches: Dataset[Batch]) -> Normalization:
        """Measure the first training images, show some, and raise the alarm about classes that are everywhere."""
        first = [batches[step] for step in range(N_MEASURED_BATCHES)]
        images, labels = torch.cat([each[0] for each in first]), torch.cat([each[1] for each in first])
        self._context.preview(_montage(images[:N_PREVIEW].numpy()), "Training images")
        shares = batches.presence.mean(axis=0) if isinstance(batches, CropBatches) else labels.mean(dim=0).numpy()
        for alarm in presence_alarms(self._names, shares=np.asarray(shares, np.float64)):
            self._warn(alarm)
        return Normalization.measure(images)

    def _build_network(self) -> ClassMapNetwork:
        chosen = self._settings.network
        network = build_network(
            chosen.name,
            len(self._names),
            stride=choose_stride(chosen.stride, smallest_px=min(self._material.sizes_px)),
            pooling=chosen.pooling,
            sharpness=chosen.sharpness,
            seed=self._context.seed,
        )
        if chosen.weights:
            path = Path(chosen.weights).expanduser()
            load_backbone(network, load_weights(path), source=str(path))
        # The batches arrive channels last; weights that match save a fifth of the step on a CPU.
        network.to(device=self._device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        return network

    def _train(
        self,
        network: ClassMapNetwork,
        batches: Dataset[Batch],
        normalization: Normalization,
        validator: PresenceValidator,
    ) -> TrainingState:
        def loss(images: Tensor, labels: Tensor) -> Tensor:
            logits, _ = network(normalization.apply(images, self._device))
            return F.binary_cross_entropy_with_logits(logits, labels.to(self._device))

        optimization = self._settings.optimization
        folder = self._context.run_dir / CHECKPOINTS
        loop = TrainingLoop(network, optimization, self._context, folder=folder, loss=loss, validate=validator)
        if self._context.resume:
            loop.resume()
        self._context.stage("Training")
        return loop.run(lambda start, stop: iter_batches(batches, start=start, stop=stop, workers=optimization.workers))

    def _write_model(
        self,
        network: ClassMapNetwork,
        normalization: Normalization,
        validation: CropStore,
        validator: PresenceValidator,
        state: TrainingState,
    ) -> None:
        """Write the model's card: first bare, so that the best network can be loaded, then with its thresholds."""
        self._context.stage("Choosing thresholds")
        card = self._bare_card(network, normalization, state)
        write_model_card(self._context.run_dir, card)
        classifier = load_classifier(self._context.run_dir, self._device)
        scores = validator.predict(classifier.network)
        for alarm in domain_gap_alarms(
            self._names, predicted=(scores >= 0.5).mean(axis=0), annotated=validation.presence.mean(axis=0)
        ):
            self._warn(alarm)
        classes = tune_maps(classifier, self._reader, self._material.validation, self._context.tick)
        thresholds = tune_presence(scores, validation.presence)
        tuned = tuple(
            each.model_copy(update={"threshold": threshold})
            for each, threshold in zip(classes, thresholds, strict=True)
        )
        write_model_card(self._context.run_dir, card.model_copy(update={"classes": tuned}))

    def _bare_card(self, network: ClassMapNetwork, normalization: Normalization, state: TrainingState) -> ModelCard:
        chosen = self._settings.network
        return ModelCard(
            network=chosen.name,
            pooling=chosen.pooling,
            sharpness=chosen.sharpness,
            stride=network.stride,
            classes=tuple(
                ModelClass(name=name, size_px=size)
                for name, size in zip(self._names, self._material.sizes_px, strict=True)
            ),
            scale=self._material.scale,
            side=self._side,
            min_visible=self._settings.composition.min_visible,
            mean=normalization.mean,
            std=normalization.std,
            source=self._settings.source,
            seed=self._context.seed,
            step=state.best_step,
            validation_fov_ids=tuple(fov.id for fov in self._material.validation),
            train_fov_ids=tuple(fov.id for fov in self._material.train),
            versions={"torch": torch.__version__},
            threads=torch.get_num_threads(),
        )


def _montage(images: NDArray[np.uint8]) -> ImageArray:
    """Images `(N, S, S, 3)` side by side in two rows, `(2 S, ceil(N / 2) S, 3)`."""
    n_columns = -(-len(images) // 2)
    rows = np.zeros((2, n_columns, *images.shape[1:]), np.uint8)
    rows.reshape(-1, *images.shape[1:])[: len(images)] = images
    side = images.shape[1]
    return rows.transpose(0, 2, 1, 3, 4).reshape(2 * side, n_columns * side, 3)
