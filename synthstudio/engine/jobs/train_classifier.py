"""Training the weakly supervised classifier, on composites or on real crops."""

from __future__ import annotations

import shutil

import numpy as np
from torch.utils.data import Dataset

from synthstudio.core.training.alarms import domain_gap_alarms, presence_alarms
from synthstudio.core.training.crops import plan_squares
from synthstudio.core.training.model_card import write_model_card
from synthstudio.core.training.montage import montage
from synthstudio.domain.records import FieldOfView
from synthstudio.engine.calibration import PresenceValidator, tune_maps, tune_presence
from synthstudio.engine.context import JobContext
from synthstudio.engine.data.batches import Batch, CompositeBatches, CropBatches, Normalization
from synthstudio.engine.data.crops import CropStore
from synthstudio.engine.inference import load_classifier
from synthstudio.engine.loops import TrainingState
from synthstudio.engine.networks.base import ClassMapNetwork
from synthstudio.engine.training import (
    TrainingJob,
    bare_card,
    build_training_bank,
    build_training_network,
    cut_crops,
    first_images,
    presence_loss,
    train_network,
)
from synthstudio.protocol.results import TrainResult
from synthstudio.settings.train_classifier import TrainClassifierSettings

CACHE = "cache"
N_PREVIEW = 8


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


class _Training(TrainingJob):
    """One execution of the job."""

    def __init__(self, settings: TrainClassifierSettings, context: JobContext) -> None:
        super().__init__(settings, context)
        self._settings = settings
        self._side = settings.composition.canvas_px

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
        network = build_training_network(
            self._settings.network, self._material, seed=self._context.seed, device=self._device
        )
        validator = PresenceValidator(validation, self._names, normalization, self._device)
        state = train_network(
            network,
            batches,
            self._settings.optimization,
            self._context,
            loss=presence_loss(network, normalization, self._device),
            validate=validator,
        )
        self._write_model(network, normalization, validation, validator, state)
        return TrainResult(
            run=self._context.run_id,
            status="finished",
            seconds=round(state.seconds, 3),
            best={"step": float(state.best_step), **state.best_figures},
            warnings=tuple(self._warnings),
        )

    def _cut(self, fovs: list[FieldOfView], name: str, *, by_people: bool = False) -> CropStore:
        return cut_crops(
            self._reader,
            fovs,
            self._context.run_dir / CACHE / name,
            material=self._material,
            composition=self._settings.composition,
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
        bank = build_training_bank(
            self._context.project,
            self._material,
            self._settings.patches,
            with_plates=composition.needs_plates,
            tick=self._context.tick,
        )
        scratch = self._context.run_dir / CACHE
        return CompositeBatches(bank, composition, seed=seed, batch_size=batch_size, scratch=scratch)

    def _look_at(self, batches: Dataset[Batch]) -> Normalization:
        """Measure the first training images, show some, and raise the alarm about classes that are everywhere."""
        images, labels = first_images(batches)
        self._context.preview(montage(images[:N_PREVIEW].numpy()), "Training images")
        shares = batches.presence.mean(axis=0) if isinstance(batches, CropBatches) else labels.mean(dim=0).numpy()
        for alarm in presence_alarms(self._names, shares=np.asarray(shares, np.float64)):
            self._warn(alarm)
        return Normalization.measure(images)

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
        card = bare_card(
            self._settings, self._material, network=network, normalization=normalization, step=state.best_step
        )
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
