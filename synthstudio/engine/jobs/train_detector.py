"""Training a detector, on composites, on real boxes or on both."""

from __future__ import annotations

import shutil

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from synthstudio.core.evaluation.detection import tune_score_threshold
from synthstudio.core.patches.bank import PatchBank
from synthstudio.core.training.anchors import SizeArray, find_anchors
from synthstudio.core.training.crops import MarkedImage
from synthstudio.core.training.detector_card import DetectorCard, DetectorClass, write_detector_card
from synthstudio.core.training.montage import montage
from synthstudio.core.training.splits import limit_fovs
from synthstudio.domain.errors import UserError
from synthstudio.domain.records import FieldOfView
from synthstudio.engine.checkpoints import load_weights
from synthstudio.engine.context import JobContext
from synthstudio.engine.data.batches import Normalization
from synthstudio.engine.data.detection_batches import DetectionBatches, FieldStore, build_field_store
from synthstudio.engine.detection import DetectionValidator, build_detector, load_detector, load_detector_weights
from synthstudio.engine.loops import TrainingState
from synthstudio.engine.losses import Loss
from synthstudio.engine.networks.detector import DetectorNetwork
from synthstudio.engine.networks.fcos import SHAPES
from synthstudio.engine.networks.tiling import pad_to_alignment
from synthstudio.engine.training import (
    N_MEASURED_BATCHES,
    TrainingJob,
    build_training_bank,
    to_device,
    train_network,
)
from synthstudio.engine.training_facts import training_facts
from synthstudio.protocol.results import TrainDetectorResult
from synthstudio.settings.train_detector import TrainDetectorSettings

CACHE = "cache"
N_PREVIEW = 8
MIN_ANCHOR_PX = 4.0


def run(settings: TrainDetectorSettings, context: JobContext) -> TrainDetectorResult:
    """Train, choose thresholds on validation, and write the run's detector.

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

    def __init__(self, settings: TrainDetectorSettings, context: JobContext) -> None:
        super().__init__(settings, context)
        self._settings = settings

    def run(self) -> TrainDetectorResult:
        """Do the work."""
        self._check_project_state()
        if not self._material.is_exhaustive:
            self._warn(
                "No validation image is annotated exhaustively: right detections of objects that were not clicked count"
                " as false, so validation scores are too low and thresholds too high."
            )
        self._context.stage("Reading validation images")
        validation = self._read(self._material.validation)
        bank, store = self._prepare()
        batches = DetectionBatches(
            bank,
            store,
            real_share=self._settings.real_share,
            settings=self._settings.composition,
            seed=self._context.seed,
            batch_size=self._settings.optimization.batch_size,
            scratch=self._context.run_dir / CACHE,
        )
        first = [batches[step] for step in range(N_MEASURED_BATCHES)]
        images = torch.cat([each for each, _ in first])
        self._context.preview(montage(images[:N_PREVIEW].numpy()), "Training images")
        card = self._begin_card(Normalization.measure(images), self._anchors([marks for _, marks in first]))
        # The card goes first, so that a resumed training starts from the very same anchors.
        write_detector_card(self._context.run_dir, card)
        network = self._build_network(card)
        validator = DetectionValidator(validation, card, self._device)
        state = train_network(
            network,
            batches,
            self._settings.optimization,
            self._context,
            loss=self._loss(network, Normalization(card.mean, card.std)),
            validate=validator,
        )
        self._finish_card(card, validator, state)
        return TrainDetectorResult(
            **training_facts(self._context, state, warnings=self._warnings, device=self._device),
        )

    def _read(self, fovs: list[FieldOfView]) -> list[MarkedImage]:
        marked = []
        for done, each in enumerate(self._reader.iter_read(fovs)):
            self._context.tick(done, len(fovs))
            marked.append(each)
        return marked

    def _prepare(self) -> tuple[PatchBank | FieldStore | None, FieldStore | None]:
        """Cut the patches, or read the set, and read the real images, as far as the source needs them."""
        source, store = self._settings.source, None
        bank: PatchBank | FieldStore | None = None
        folder = self._context.run_dir / CACHE
        if source == "stored-set" or (source == "mix" and self._settings.set_name):
            reader, fovs = self._open_stored(self._settings)
            bank = build_field_store(reader, fovs, folder / "set.npy", tick=self._context.tick)
        elif source != "real-boxes":
            self._context.stage("Cutting patches")
            bank = build_training_bank(
                self._context.project,
                self._material,
                self._settings.patches,
                with_plates=self._settings.composition.needs_plates,
                warn=self._warn,
                tick=self._context.tick,
            )
        if source in ("real-boxes", "mix"):
            whole = [fov for fov in self._material.train if fov.state.is_complete]
            if not whole:
                raise UserError(
                    "No training image is annotated exhaustively: a detector would learn that the objects that were not"
                    " clicked are background.",
                    "Annotate some images completely and mark them as such, or train on composites.",
                )
            whole = limit_fovs(whole, share=self._settings.real_limit, seed=self._settings.seed)
            self._context.stage("Reading training images")
            store = build_field_store(self._reader, whole, folder / "fields.npy", tick=self._context.tick)
        return bank, store

    def _anchors(self, marks: list[Tensor]) -> SizeArray:
        """Box shapes to start from, where the network wants any."""
        if self._settings.network.name in SHAPES:
            return np.empty((0, 2))
        return find_anchors(_sizes(marks), self._settings.network.n_anchors)

    def _build_network(self, card: DetectorCard) -> DetectorNetwork:
        network = build_detector(card, seed=self._context.seed)
        path = self._context.project.models.find_weights(self._settings.network.weights)
        if path is not None:
            load_detector_weights(network, load_weights(path), source=str(path))
        to_device(network, self._device)
        return network

    def _begin_card(self, normalization: Normalization, anchors: SizeArray) -> DetectorCard:
        material = self._material
        return DetectorCard(
            network=self._settings.network.name,
            anchors=tuple((round(width, 3), round(height, 3)) for width, height in anchors.tolist()),
            overlap=self._settings.network.overlap,
            classes=tuple(
                DetectorClass(name=item.name, size_px=size)
                for item, size in zip(material.classes, material.sizes_px, strict=True)
            ),
            scale=material.scale.factor,
            um_per_px=material.scale.um_per_px,
            side=self._settings.composition.canvas_px,
            mean=normalization.mean,
            std=normalization.std,
            source=self._settings.source,
            seed=self._settings.seed,
            step=0,
            validation_fov_ids=tuple(fov.id for fov in material.validation),
            train_fov_ids=tuple(fov.id for fov in material.train),
            versions={"torch": torch.__version__},
            threads=torch.get_num_threads(),
        )

    def _loss(self, network: DetectorNetwork, normalization: Normalization) -> Loss:
        def loss(images: Tensor, marks: Tensor) -> Tensor:
            padded = pad_to_alignment(normalization.apply(images, self._device), network.alignment)
            height, width = padded.shape[2:]
            return network.loss(network(padded), marks.to(self._device), height=height, width=width)

        return loss

    def _finish_card(self, card: DetectorCard, validator: DetectionValidator, state: TrainingState) -> None:
        """Choose the thresholds of the best network on validation."""
        self._context.stage("Choosing thresholds")
        matches = validator.match(load_detector(self._context.run_dir, self._device).network)
        thresholds = [tune_score_threshold(each) for each in matches]
        classes = tuple(
            each.model_copy(update={"threshold": 0.5 if threshold is None else threshold})
            for each, threshold in zip(card.classes, thresholds, strict=True)
        )
        write_detector_card(
            self._context.run_dir, card.model_copy(update={"classes": classes, "step": state.best_step})
        )


def _sizes(marks: list[Tensor]) -> NDArray[np.float64]:
    """Widths and heights `(N, 2)` of boxes, `(B, M, 5)` each, as many of every class: a rare one needs an anchor too.

    One of the least size where there are no boxes.
    """
    known = torch.cat([each[each[..., 0] >= 0] for each in marks]).double().numpy()
    sizes = np.maximum(known[:, 3:] - known[:, 1:3], MIN_ANCHOR_PX)
    if not len(sizes):
        return np.full((1, 2), MIN_ANCHOR_PX)
    rows = [np.flatnonzero(known[:, 0] == label) for label in np.unique(known[:, 0])]
    most = max(len(each) for each in rows)
    return np.concatenate([sizes[np.resize(each, most)] for each in rows])
