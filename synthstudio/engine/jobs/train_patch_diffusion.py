"""Training a diffusion model of patches from scratch."""

from __future__ import annotations

import diffusers
import torch

from synthstudio.core.training.patch_diffusion_card import (
    CARD_NAME,
    PatchDiffusionCard,
    read_patch_card,
    write_patch_card,
)
from synthstudio.engine.context import JobContext
from synthstudio.engine.data.region_batches import RegionBatches
from synthstudio.engine.device import choose_device
from synthstudio.engine.held_out import HeldOutCrops
from synthstudio.engine.loops import TrainingState
from synthstudio.engine.networks.patch_denoiser import MapReader, PatchDenoiser, build_patch_denoiser
from synthstudio.engine.patch_artist import load_denoiser, save_denoiser
from synthstudio.engine.patch_diffusion_loop import DenoiserLearner
from synthstudio.engine.patch_noise import Noising
from synthstudio.engine.patch_samples import N_JUDGED, PatchSampler
from synthstudio.engine.region_loop import RegionLoop
from synthstudio.engine.region_training import CHECKPOINTS, RegionMaterial, refuse_processes, remove_crops, train_on
from synthstudio.protocol.results import TrainPatchDiffusionResult
from synthstudio.settings.train_patch_diffusion import TrainPatchDiffusionSettings


def run(settings: TrainPatchDiffusionSettings, context: JobContext) -> TrainPatchDiffusionResult:
    """Train, and leave a denoiser with its card and its samples in the run's folder.

    Raises:
        UserError: There is nothing to train on, an image cannot be read, or the loss is no longer a number.
        Cancelled: A checkpoint was written first.
    """
    refuse_processes(context, "A diffusion model of patches")
    training = _Training(settings, context)
    try:
        return training.run()
    finally:
        remove_crops(context)


class _Training:
    """One execution of the job."""

    def __init__(self, settings: TrainPatchDiffusionSettings, context: JobContext) -> None:
        self._settings, self._context = settings, context
        self._device = choose_device(context.device)
        self._material = RegionMaterial(settings, context, n_judged=N_JUDGED)
        self._plans = self._material.plans
        self._read_maps = MapReader(self._plans.coding)
        self._earlier = self._material.find_earlier(CARD_NAME, read_patch_card)

    def run(self) -> TrainPatchDiffusionResult:
        """Do the work."""
        context = self._context
        self._material.warn_of_plans()
        # The card goes first, so that what is stored by and by can be asked for images while the training goes on.
        card = self._card(step=self._earlier.step if self._earlier is not None else 0)
        write_patch_card(context.run_dir, card)
        sampler = PatchSampler(
            HeldOutCrops(self._material.read_held_out(), self._plans.coding),
            card,
            self._read_maps,
            folder=context.run_dir,
            device=self._device,
            preview=context.preview,
            tick=lambda step: context.tick(step, self._settings.optimization.steps),
        )
        state = self._train(sampler)
        if not sampler.figures:  # the run was over already, and is only finished now
            sampler(load_denoiser(context.run_dir, card).to(self._device), state.step)
        return self._finish(state, sampler.figures)

    def _train(self, sampler: PatchSampler) -> TrainingState:
        settings, chosen, seed = self._settings, self._settings.optimization, self._context.seed
        store = self._material.cut()
        batches = RegionBatches(
            store,
            self._plans.coding,
            seed=seed,
            batch_size=chosen.batch_size,
            flips=chosen.flips,
            turns=chosen.turns,
            is_balanced=chosen.balance == "sampling",
        )
        network = build_patch_denoiser(
            settings.network,
            side=settings.crops.side_px,
            n_classes=len(self._plans.class_names),
            n_tones=len(self._plans.tone_levels),
            seed=seed,
        )
        mean, deviation = store.pixel_range()
        network.set_range(mean=mean, deviation=deviation)
        learner = DenoiserLearner(
            network.to(self._device),
            chosen,
            noising=Noising(settings.noise, seed=seed, device=self._device),
            read_maps=self._read_maps,
            seed=seed,
        )
        loop = RegionLoop(
            learner,
            chosen,
            self._context,
            folder=self._context.run_dir / CHECKPOINTS,
            sample=sampler,
            keep=self._keep,
        )
        return train_on(batches, loop, self._context)

    def _keep(self, network: PatchDenoiser, step: int) -> None:
        save_denoiser(self._context.run_dir, network, step=step)
        write_patch_card(self._context.run_dir, self._card(step=step))

    def _finish(self, state: TrainingState, figures: dict[str, float]) -> TrainPatchDiffusionResult:
        """Say what came out."""
        step = read_patch_card(self._context.run_dir).step
        facts = self._material.result_facts(state, figures, step=step, device=self._device)
        return TrainPatchDiffusionResult(**facts)

    def _card(self, *, step: int) -> PatchDiffusionCard:
        return PatchDiffusionCard(
            **self._material.card_facts(self._earlier, step=step),
            network=self._settings.network,
            noise=self._settings.noise,
            sampling=self._settings.sampling,
            crops=self._settings.crops,
            versions={"torch": torch.__version__, "diffusers": diffusers.__version__},
        )
