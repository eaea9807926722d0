"""Training the weakly supervised classifier, on composites, on real crops, on a stored set or on a mix."""

from __future__ import annotations

import shutil
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from synthstudio.core.training.alarms import domain_gap_alarms, presence_alarms
from synthstudio.core.training.crops import plan_squares
from synthstudio.core.training.model_card import write_model_card
from synthstudio.core.training.montage import montage
from synthstudio.core.training.single_label import left_out_warning, show_one_class
from synthstudio.core.training.splits import limit_fovs
from synthstudio.domain.errors import UserError
from synthstudio.domain.records import FieldOfView
from synthstudio.engine.adaptation import adapt_statistics, has_statistics
from synthstudio.engine.calibration import PresenceValidator, tune_maps
from synthstudio.engine.context import JobContext
from synthstudio.engine.data.batches import CompositeBatches, CropBatches, MixBatches, Normalization, StepBatches
from synthstudio.engine.data.crops import CropStore
from synthstudio.engine.data.fields import MarkedReader
from synthstudio.engine.inference import TrainedClassifier, load_classifier, replace_best
from synthstudio.engine.loops import TrainingState
from synthstudio.engine.losses import build_loss, even_answers
from synthstudio.engine.networks.base import ClassMapNetwork
from synthstudio.engine.training import (
    TrainingJob,
    bare_card,
    build_training_bank,
    build_training_network,
    cut_crops,
    first_images,
    train_network,
)
from synthstudio.engine.training_facts import training_facts
from synthstudio.project.image_labels import image_labels_by_fov
from synthstudio.project.set_images import list_set_images
from synthstudio.protocol.results import TrainResult
from synthstudio.settings.train_classifier import TrainClassifierSettings

CACHE = "cache"
N_PREVIEW = 8
MAX_ADAPTING_FOVS = 200


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


def _refuse_composites(settings: TrainClassifierSettings) -> None:
    if settings.source == "synthetic" or (settings.source == "mix" and not settings.set_name):
        raise UserError(
            "Composites are not made of whole images, so there is nothing synthetic to train on.",
            "Name a stored set, train on real-crops, or let the network see crops.",
        )


class _Training(TrainingJob):
    """One execution of the job."""

    def __init__(self, settings: TrainClassifierSettings, context: JobContext) -> None:
        is_whole = settings.view == "whole-images"
        if is_whole:
            _refuse_composites(settings)
        super().__init__(settings, context, is_whole=is_whole)
        # One class on whole images is a question of yes or no, which the sigmoid answers.
        if is_whole and len(self._names) == 1:
            settings = settings.model_copy(update={"loss": settings.loss.model_copy(update={"task": "multi-label"})})
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
        normalization, shares = self._look_at(batches)
        network = build_training_network(
            self._settings.network,
            self._material,
            side=self._side,
            seed=self._context.seed,
            device=self._device,
            weights=self._context.project.models.find_weights(self._settings.network.weights),
        )
        if network.origin:
            self._context.stage(f"Begins with {network.origin}")
        chosen = self._settings.loss
        validator = PresenceValidator(validation, self._names, normalization, self._device, task=chosen.task)
        state = train_network(
            network,
            batches,
            self._settings.optimization,
            self._context,
            loss=build_loss(chosen, network, normalization, self._device, shares=shares),
            validate=validator,
        )
        self._write_model(network, normalization, validator, state, even=even_answers(chosen, shares))
        return TrainResult(
            **training_facts(self._context, state, warnings=self._warnings, device=self._device),
        )

    @override
    def _state(self) -> str:
        """As for any training; labels of whole images belong to it where they count."""
        state = super()._state()
        if not self._material.scale.whole_px:
            return state
        return f"{state} {sorted(image_labels_by_fov(self._context.project).items())}"

    def _cut(
        self, fovs: Sequence[FieldOfView], name: str, *, by_people: bool = False, reader: MarkedReader | None = None
    ) -> CropStore:
        return cut_crops(
            reader or self._reader,
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
            for square in plan_squares(fov.width, fov.height, side=side, scale=scale.of(fov))
        )
        if labelled and not fitting:
            side_px = round(side / scale.of(labelled[0]))
            self._warn(f"The labels of whole crops were given for crops of another size than {side_px} px: not used.")

    def _build_batches(self) -> StepBatches:
        match self._settings.source:
            case "synthetic":
                return self._composite()
            case "stored-set":
                return self._open_set()
            case "real-crops":
                return self._cut_real()
            case "mix":
                synthetic = self._open_set() if self._settings.set_name else self._composite()
                return MixBatches(synthetic, self._cut_real(), real_share=self._settings.real_share)

    def _composite(self) -> StepBatches:
        composition = self._settings.composition
        if self._settings.loss.balance == "sampling":
            self._warn("Sampling balances crops alone: what is on composites follows from their composition.")
        self._context.stage("Cutting patches")
        bank = build_training_bank(
            self._context.project,
            self._material,
            self._settings.patches,
            with_plates=composition.needs_plates,
            warn=self._warn,
            tick=self._context.tick,
        )
        return CompositeBatches(
            bank,
            composition,
            seed=self._context.seed,
            batch_size=self._settings.optimization.batch_size,
            scratch=self._context.run_dir / CACHE,
        )

    def _cut_real(self) -> StepBatches:
        self._context.stage("Cutting training images")
        reader = self._reader
        known = [fov for fov in self._material.train if reader.is_marked(fov) or reader.judged_crops(fov)]
        if self._settings.real_part == "negatives":
            known = self._choose_negatives(known)
        known = limit_fovs(known, share=self._settings.real_limit, seed=self._settings.seed)
        self._check_crop_labels(known)
        return self._over_crops(self._cut(known, "training.npy", by_people=True))

    def _choose_negatives(self, fovs: list[FieldOfView]) -> list[FieldOfView]:
        """Those that show no class of the stored set. Raises UserError where there is none."""
        name, min_visible = self._settings.set_name, self._settings.composition.min_visible
        asked = {each.id for each in self._material.classes}
        if name:
            _, made = list_set_images(self._context.project, name, min_visible=min_visible)
            asked &= {mark.class_id for marks in made.values() for mark in marks}
        kept = [fov for fov in fovs if self._reader.lacks(fov, asked)]
        if not kept:
            names = " or ".join(each.name for each in self._material.classes if each.id in asked)
            raise UserError(
                f"No real training image is known to show no {names}, so there are no real negatives.",
                "Import images that are labelled without it, or say that images without it are annotated exhaustively.",
            )
        return kept

    def _open_set(self) -> StepBatches:
        reader, fovs = self._open_stored(self._settings)
        return self._over_crops(self._cut(fovs, "set.npy", reader=reader))

    def _over_crops(self, store: CropStore) -> StepBatches:
        return CropBatches(
            store,
            self._settings.composition.image,
            side=self._side,
            seed=self._context.seed,
            batch_size=self._settings.optimization.batch_size,
            is_balanced=self._settings.loss.balance == "sampling",
        )

    def _look_at(self, batches: StepBatches) -> tuple[Normalization, NDArray[np.float64]]:
        """Measure the first training images, show some, and raise the alarm about classes that are everywhere.

        Returns:
            Their grey levels, and the share of them with each class, `(C,)`; of those with one label, where an image
            is to have one.
        """
        images, labels = first_images(batches)
        self._context.preview(montage(images[:N_PREVIEW].numpy()), "Training images")
        presence = batches.presence if isinstance(batches, CropBatches) else labels.numpy() > 0
        if self._settings.loss.task == "single-label":
            if warning := left_out_warning(presence):
                self._warn(warning)
            presence = presence[show_one_class(presence)]
        shares = np.asarray(presence.mean(axis=0), np.float64)
        for alarm in presence_alarms(self._names, shares=shares):
            self._warn(alarm)
        return Normalization.measure(images), shares

    def _write_model(
        self,
        network: ClassMapNetwork,
        normalization: Normalization,
        validator: PresenceValidator,
        state: TrainingState,
        *,
        even: NDArray[np.float64] | None,
    ) -> None:
        """Write the model's card: first bare, so that the best network can be loaded, then with its thresholds."""
        self._context.stage("Choosing thresholds")
        card = bare_card(
            self._settings, self._material, network=network, normalization=normalization, step=state.best_step
        )
        write_model_card(self._context.run_dir, card)
        classifier = load_classifier(self._context.run_dir, self._device)
        if self._settings.batch_norm == "adapted":
            self._adapt(classifier, validator, state)
        scores = validator.predict(classifier.network)
        if even is not None:
            predicted, annotated = (scores >= even).mean(axis=0), validator.labels.mean(axis=0)
            for alarm in domain_gap_alarms(self._names, predicted=predicted, annotated=annotated):
                self._warn(alarm)
        classes = tune_maps(classifier, self._reader, self._material.validation, self._context.tick)
        thresholds = validator.thresholds(scores)
        tuned = tuple(
            each.model_copy(update={"threshold": threshold})
            for each, threshold in zip(classes, thresholds, strict=True)
        )
        write_model_card(self._context.run_dir, card.model_copy(update={"classes": tuned}))

    def _adapt(self, classifier: TrainedClassifier, validator: PresenceValidator, state: TrainingState) -> None:
        """Bring the best network's normalisations to real images, and keep it so."""
        if not has_statistics(classifier.network):
            self._warn("The network has no batch normalisation, so there was nothing to adapt.")
            return
        self._context.stage("Adapting to real images")
        train = self._material.train
        store = self._cut(train[:: -(-len(train) // MAX_ADAPTING_FOVS)], "adapting.npy")
        adapt_statistics(
            classifier.network, store.open_pixels(), classifier.normalization, self._device, self._context.tick
        )
        replace_best(classifier.network, self._context.run_dir)
        before, after = state.best_figures.get("f1/macro"), validator(classifier.network).score
        self._context.metric("f1/adapted", after, step=state.best_step)
        if before is not None and after < before:
            self._warn(
                f"Adapting the normalisations to real images lowered F1 on validation from {before:.2f} to {after:.2f}."
            )
