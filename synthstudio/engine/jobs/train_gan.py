"""Training a GAN that makes images from semantic maps."""

from __future__ import annotations

import torch

from synthstudio.core.training.gan_card import CARD_NAME, ONNX_NAME, GanCard, read_gan_card, write_gan_card
from synthstudio.domain.errors import UserError
from synthstudio.engine.context import JobContext
from synthstudio.engine.data.region_batches import RegionBatches
from synthstudio.engine.device import choose_device
from synthstudio.engine.gan_loop import GanLearner
from synthstudio.engine.gan_onnx import export_generator
from synthstudio.engine.gan_samples import N_JUDGED, GanSampler, HeldOut
from synthstudio.engine.gan_weights import load_gan, save_generator
from synthstudio.engine.loops import TrainingState
from synthstudio.engine.networks.gan import UNetGenerator, build_discriminator, build_generator
from synthstudio.engine.region_loop import RegionLoop
from synthstudio.engine.region_training import CHECKPOINTS, RegionMaterial, refuse_processes, remove_crops, train_on
from synthstudio.protocol.results import TrainGanResult
from synthstudio.settings.train_gan import TrainGanSettings


def run(settings: TrainGanSettings, context: JobContext) -> TrainGanResult:
    """Train, and leave a generator with its card, its samples and its graph in the run's folder.

    Raises:
        UserError: There is nothing to train on, an image cannot be read, or a loss is no longer a number.
        Cancelled: A checkpoint was written first.
    """
    refuse_processes(context, "A GAN")
    training = _Training(settings, context)
    try:
        return training.run()
    finally:
        remove_crops(context)


class _Training:
    """One execution of the job."""

    def __init__(self, settings: TrainGanSettings, context: JobContext) -> None:
        self._settings, self._context = settings, context
        self._device = choose_device(context.device)
        self._material = RegionMaterial(settings, context, n_judged=N_JUDGED)
        self._plans = self._material.plans
        self._earlier = self._material.find_earlier(CARD_NAME, read_gan_card)

    def run(self) -> TrainGanResult:
        """Do the work."""
        context, settings = self._context, self._settings
        self._material.warn_of_plans()
        (context.run_dir / ONNX_NAME).unlink(missing_ok=True)  # of an earlier end of a run that now goes on
        # The card goes first, so that what is stored by and by can be asked for images while the training goes on.
        write_gan_card(context.run_dir, self._card(step=self._earlier.step if self._earlier is not None else 0))
        sampler = GanSampler(
            HeldOut(
                self._material.read_held_out(),
                self._plans.coding,
                n_noise=settings.network.noise,
                seed=context.seed,
            ),
            folder=context.run_dir,
            device=self._device,
            preview=context.preview,
        )
        state = self._train(sampler)
        if not sampler.figures:  # the run was over already, and is only finished now
            sampler(load_gan(context.run_dir, self._device).generator, state.step)
        return self._finish(state, sampler.figures)

    def _train(self, sampler: GanSampler) -> TrainingState:
        chosen, seed = self._settings.optimization, self._context.seed
        store = self._material.cut()
        generator = build_generator(self._settings.network, side=self._settings.crops.side_px, seed=seed)
        discriminator = build_discriminator(self._settings.network, side=self._settings.crops.side_px, seed=seed + 1)
        batches = RegionBatches(
            store,
            self._plans.coding,
            seed=seed,
            batch_size=chosen.batch_size,
            flips=chosen.flips,
            is_balanced=chosen.balance == "sampling",
        )
        learner = GanLearner(
            generator.to(self._device),
            discriminator.to(self._device),
            self._settings,
            warn=self._material.warn,
            seed=seed,
        )
        loop = RegionLoop(
            learner,
            chosen,
            self._context,
            folder=self._context.run_dir / CHECKPOINTS,
            sample=sampler,
            keep=self._keep,
            keeps_best=chosen.keep == "best",
        )
        return train_on(batches, loop, self._context)

    def _keep(self, generator: UNetGenerator, step: int) -> None:
        save_generator(self._context.run_dir, generator, step=step)
        write_gan_card(self._context.run_dir, self._card(step=step))

    def _finish(self, state: TrainingState, figures: dict[str, float]) -> TrainGanResult:
        """Export the kept generator, and say what came out."""
        step, onnx = read_gan_card(self._context.run_dir).step, self._export()  # before the warnings are told
        facts = self._material.result_facts(state, figures, step=step, device=self._device)
        return TrainGanResult(**facts, onnx=onnx)

    def _export(self) -> str:
        """Write the kept generator as a graph; return its name, or nothing where that failed."""
        self._context.stage("Exporting")
        trained = load_gan(self._context.run_dir, torch.device("cpu"))
        try:
            export_generator(trained.generator, trained.card, self._context.run_dir / ONNX_NAME)
        except UserError as error:
            self._material.warn(f"The generator was not exported: {error.message} {error.hint}")
            return ""
        return ONNX_NAME

    def _card(self, *, step: int) -> GanCard:
        return GanCard(
            **self._material.card_facts(self._earlier, step=step),
            network=self._settings.network,
            crops=self._settings.crops,
            versions={"torch": torch.__version__},
        )
