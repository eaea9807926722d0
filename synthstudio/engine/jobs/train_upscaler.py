"""Training an upscaler: the compact network, or the diffusion upscaler on pairs from the lab's own images."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from synthstudio.core.evaluation.enlarging import EnlargedFigure, EnlargedFigures
from synthstudio.core.imaging import write_bytes_atomically
from synthstudio.core.training.gan_samples import find_samples
from synthstudio.core.training.upscaler_card import UpscalerCard, write_upscaler_card
from synthstudio.domain.errors import Cancelled, UserError
from synthstudio.domain.models import ModelKind
from synthstudio.domain.progress import part_of
from synthstudio.engine.checkpoints import load_checkpoint
from synthstudio.engine.compact_upscaling import CompactTraining, begin_compact
from synthstudio.engine.context import JobContext
from synthstudio.engine.data.batches import iter_batches
from synthstudio.engine.data.resolution_pairs import (
    MOST_JUDGED,
    PairBatches,
    PatchStore,
    build_patch_store,
    list_pictures,
    read_held_out,
)
from synthstudio.engine.device import choose_device
from synthstudio.engine.loops import BEST, TrainingLoop, TrainingState
from synthstudio.engine.training import to_device
from synthstudio.engine.training_facts import training_facts
from synthstudio.engine.upscaler_samples import UpscalerSampler, to_validation
from synthstudio.protocol.results import TrainUpscalerResult, UpscaledFigure
from synthstudio.settings.train_upscaler import TrainUpscalerSettings

CACHE, CHECKPOINTS, STATE_NAME = "cache", "checkpoints", "project-state.txt"
MOST_SAMPLED = 16
"""Held-out patches of the diffusion upscaler, which takes many steps for each."""


class UpscalerTraining(Protocol):
    """What is trained, of either method."""

    @property
    def network(self) -> nn.Module:
        """On its device; trained in place."""

    def loss(self, small: Tensor, large: Tensor) -> Tensor:
        """Mean loss of pairs, `(N, s, s, 3)` and `(N, S, S, 3)` uint8."""

    def enlarge(self, network: nn.Module, small: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """What `network`, of the same shape and in eval mode, makes of small patches."""

    def save(self, folder: Path, weights: Mapping[str, Tensor]) -> None:
        """Write weights into the run's folder, as its card names them."""


def run(settings: TrainUpscalerSettings, context: JobContext) -> TrainUpscalerResult:
    """Train, and leave the upscaler with its card and its samples in the run's folder.

    Raises:
        UserError: There is nothing to train on, an image or the model cannot be read, or the loss is no number.
        Cancelled: A checkpoint was written first, and the best network so far kept.
    """
    if context.processes.count > 1:
        raise UserError(
            "An upscaler is trained by one process.", "Start it without accelerate or torchrun; it takes one GPU."
        )
    try:
        return _Training(settings, context).run()
    finally:
        shutil.rmtree(context.run_dir / CACHE, ignore_errors=True)


class _Training:
    """One execution of the job."""

    def __init__(self, settings: TrainUpscalerSettings, context: JobContext) -> None:
        self._settings, self._context = settings, context
        self._device = choose_device(context.device)
        self._warnings: list[str] = []
        self._base_sha256 = ""
        self._pictures = list_pictures(context.project, settings)

    def run(self) -> TrainUpscalerResult:
        """Do the work."""
        context = self._context
        for text in self._pictures.notes:
            self._warn(text)
        self._check_project_state()
        training = self._begin()
        context.stage("Reading held-out patches")
        n_judged = MOST_JUDGED if self._settings.method == "compact" else MOST_SAMPLED
        held_out = read_held_out(
            self._pictures.held_out, self._settings, most=n_judged, tick=part_of(context.tick, 0.0, 0.3)
        )
        store = self._cut()
        sampler = UpscalerSampler(
            held_out,
            factor=self._settings.times,
            enlarge=training.enlarge,
            folder=context.run_dir,
            preview=context.preview,
            seed=context.seed,
        )
        try:
            state = self._train(training, store, sampler)
        except Cancelled:
            self._keep(training)  # who stops early wants what was learned until then
            raise
        self._keep(training)
        return self._finish(state, sampler.judge(training.network.eval(), step=state.best_step), len(store))

    def _begin(self) -> UpscalerTraining:
        """Load or build what is trained. Raises UserError where the model does not fit."""
        settings = self._settings
        if settings.method == "diffusion":
            return self._begin_diffusion()
        model = None
        if settings.model:
            self._context.stage("Checking the local model")
            model = self._context.project.models.locate(settings.model, ModelKind.COMPACT_UPSCALER)
            self._base_sha256 = model.sha256
        file = model.path if model is not None else None
        network = begin_compact(settings.network, factor=settings.times, file=file, seed=self._context.seed)
        if network.shape.factor != settings.times:
            raise UserError(
                f"{settings.model} enlarges {network.shape.factor} times, the training wants {settings.times} times.",
                "Choose the enlargement of the file, or train from random numbers.",
            )
        to_device(network, self._device)
        return CompactTraining(network)

    def _begin_diffusion(self) -> UpscalerTraining:
        # Not at the top: diffusers takes seconds to import, and the compact network needs none of it.
        from synthstudio.engine.diffusion_models import load_components  # noqa: PLC0415
        from synthstudio.engine.diffusion_upscaling import DiffusionTraining  # noqa: PLC0415

        settings = self._settings
        if not settings.model:
            raise UserError(
                "The diffusion upscaler is trained further from a local model, and none is named.",
                "Bring one in on the Models tab, or choose the compact network, which needs none.",
            )
        self._context.stage("Loading the upscaler")
        model = self._context.project.models.locate(settings.model, ModelKind.DIFFUSION_UPSCALER)
        self._base_sha256 = model.sha256
        components = load_components(model.path, device=self._device, sha256=model.sha256)
        return DiffusionTraining(
            components, settings.diffusion, subject=self._pictures.subject, seed=self._context.seed
        )

    def _cut(self) -> PatchStore:
        self._context.stage("Cutting patches")
        path = self._context.run_dir / CACHE / "patches.npy"
        tick = part_of(self._context.tick, 0.3, 1.0)
        return build_patch_store(self._pictures.training, self._settings, path, tick=tick)

    def _train(self, training: UpscalerTraining, store: PatchStore, sampler: UpscalerSampler) -> TrainingState:
        settings, context = self._settings, self._context
        batches = PairBatches(
            store,
            factor=settings.times,
            settings=settings.pairs,
            seed=context.seed,
            batch_size=settings.optimization.batch_size,
        )
        loop = TrainingLoop(
            training.network,
            settings.optimization,
            context,
            folder=context.run_dir / CHECKPOINTS,
            loss=training.loss,
            validate=lambda network: to_validation(sampler.judge(network, step=loop.state.step)),
            seed=context.seed,
        )
        if context.resume:
            loop.resume()
        context.stage("Training")
        workers = settings.optimization.workers
        return loop.run(lambda start, stop: iter_batches(batches, start=start, stop=stop, workers=workers))

    def _keep(self, training: UpscalerTraining) -> None:
        """Store the best network so far, where there is one, and its card; it is in `training` afterwards."""
        path = self._context.run_dir / CHECKPOINTS / BEST
        if not path.is_file():
            return
        best = load_checkpoint(path)
        weights = best.part("network")
        training.network.load_state_dict(weights)
        training.save(self._context.run_dir, weights)
        step = best.facts["step"]
        write_upscaler_card(self._context.run_dir, self._card(step=step if isinstance(step, int) else 0))

    def _finish(self, state: TrainingState, figures: EnlargedFigures, n_patches: int) -> TrainUpscalerResult:
        folder = self._context.run_dir
        return TrainUpscalerResult(
            **training_facts(self._context, state, warnings=self._warnings, device=self._device),
            method=self._settings.method,
            factor=self._settings.times,
            step=state.best_step,
            n_patches=n_patches,
            n_held_out=figures.n_patches,
            n_samples=figures.n_samples,
            psnr=_figure(figures.psnr),
            psnr_bicubic=_figure(figures.psnr_bicubic),
            psnr_gain=_figure(figures.psnr_gain),
            ssim=_figure(figures.ssim),
            ssim_bicubic=_figure(figures.ssim_bicubic),
            ssim_gain=_figure(figures.ssim_gain),
            is_reliable=figures.is_reliable,
            sample=str(find_samples(folder)[-1][1].relative_to(folder)),
        )

    def _warn(self, text: str) -> None:
        self._warnings.append(text)
        self._context.warn(text)

    def _card(self, *, step: int) -> UpscalerCard:
        pictures, settings = self._pictures, self._settings
        return UpscalerCard(
            method=settings.method,
            factor=settings.times,
            side=settings.pairs.small_side,
            base=settings.model,
            base_sha256=self._base_sha256,
            guides=settings.guides,
            subject=pictures.subject,
            seed=settings.seed,
            step=step,
            train_fov_ids=tuple(dict.fromkeys(int(each.fov.id) for each in pictures.training)),
            validation_fov_ids=tuple(dict.fromkeys(int(each.fov.id) for each in pictures.held_out)),
            versions={"torch": torch.__version__},
            threads=torch.get_num_threads(),
        )

    def _check_project_state(self) -> None:
        """Remember what the training depends on, so that a resume on a changed project is noticed."""
        path = self._context.run_dir / STATE_NAME
        parts = [(each.fov.content_key, each.window) for each in self._pictures.training + self._pictures.held_out]
        now = hashlib.sha256(repr(parts).encode()).hexdigest()
        if self._context.resume and path.is_file() and path.read_text(encoding="utf-8") != now:
            self._warn("The guide set or the images have changed since this training began; it goes on with them.")
        write_bytes_atomically(path, now.encode())


def _figure(found: EnlargedFigure) -> UpscaledFigure:
    return UpscaledFigure(mean=found.mean, ci95=found.ci95)
