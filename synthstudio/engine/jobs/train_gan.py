"""Training a GAN that makes images from semantic maps."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator, Sequence

import torch

from synthstudio.core.imaging import write_bytes_atomically
from synthstudio.core.synthesis.region_crops import PlannedCrop, RegionCrop
from synthstudio.core.training.gan_card import CARD_NAME, ONNX_NAME, GanCard, read_gan_card, write_gan_card
from synthstudio.core.training.gan_samples import choose_spread, find_samples
from synthstudio.domain.errors import UserError
from synthstudio.domain.maps import UNKNOWN_TONE
from synthstudio.domain.progress import part_of
from synthstudio.engine.context import JobContext
from synthstudio.engine.data.batches import iter_batches
from synthstudio.engine.data.region_batches import RegionBatches, RegionStore, build_region_store
from synthstudio.engine.device import choose_device, device_words
from synthstudio.engine.gan_loop import GanLoop
from synthstudio.engine.gan_onnx import export_generator
from synthstudio.engine.gan_samples import N_JUDGED, GanSampler, HeldOut
from synthstudio.engine.gan_weights import load_gan, save_generator
from synthstudio.engine.loops import TrainingState
from synthstudio.engine.networks.gan import UNetGenerator, build_discriminator, build_generator
from synthstudio.project.region_crops import RegionCropPlans, list_region_crops, read_region_crops
from synthstudio.protocol.results import TrainGanResult
from synthstudio.settings.train_gan import TrainGanSettings

CACHE, CHECKPOINTS, STATE_NAME = "cache", "checkpoints", "project-state.txt"


def run(settings: TrainGanSettings, context: JobContext) -> TrainGanResult:
    """Train, and leave a generator with its card, its samples and its graph in the run's folder.

    Raises:
        UserError: There is nothing to train on, an image cannot be read, or a loss is no longer a number.
        Cancelled: A checkpoint was written first.
    """
    if context.processes.count > 1:
        raise UserError(
            "A GAN is trained by one process.", "Start it without accelerate or torchrun; it takes one GPU."
        )
    training = _Training(settings, context)
    try:
        return training.run()
    finally:
        shutil.rmtree(context.run_dir / CACHE, ignore_errors=True)


class _Training:
    """One execution of the job."""

    def __init__(self, settings: TrainGanSettings, context: JobContext) -> None:
        self._settings, self._context = settings, context
        self._device = choose_device(context.device)
        self._warnings: list[str] = []
        context.stage("Planning crops")
        project, tick = context.project, context.tick
        self._plans = list_region_crops(project, settings, split="train", tick=part_of(tick, 0.0, 0.5))
        self._coding = self._plans.coding
        self._validation = list_region_crops(project, settings, split="val", tick=part_of(tick, 0.5, 1.0))
        requests = [crop.request for crop in self._validation.crops]
        self._held_out = [self._validation.crops[number] for number in choose_spread(requests, N_JUDGED)]
        self._earlier = self._find_earlier_card()

    def run(self) -> TrainGanResult:
        """Do the work."""
        context, settings = self._context, self._settings
        for text in (*self._plans.notes, *unlearned_tones(self._plans)):
            self._warn(text)
        self._check_project_state()
        (context.run_dir / ONNX_NAME).unlink(missing_ok=True)  # of an earlier end of a run that now goes on
        # The card goes first, so that what is stored by and by can be asked for images while the training goes on.
        write_gan_card(context.run_dir, self._card(step=self._earlier.step if self._earlier is not None else 0))
        context.stage("Reading held-out crops")
        sampler = GanSampler(
            HeldOut(
                list(self._read(self._held_out)),
                self._coding,
                n_noise=settings.network.noise,
                seed=context.seed,
            ),
            folder=context.run_dir,
            device=self._device,
            preview=context.preview,
        )
        state = self._train(self._cut(), sampler)
        if not sampler.figures:  # the run was over already, and is only finished now
            sampler(load_gan(context.run_dir, self._device).generator, state.step)
        return self._finish(state, sampler.figures)

    def _train(self, store: RegionStore, sampler: GanSampler) -> TrainingState:
        chosen, seed = self._settings.optimization, self._context.seed
        generator = build_generator(self._settings.network, side=self._settings.crops.side_px, seed=seed)
        discriminator = build_discriminator(self._settings.network, side=self._settings.crops.side_px, seed=seed + 1)
        batches = RegionBatches(
            store,
            self._coding,
            seed=seed,
            batch_size=chosen.batch_size,
            flips=chosen.flips,
            is_balanced=chosen.balance == "sampling",
        )
        loop = GanLoop(
            generator.to(self._device),
            discriminator.to(self._device),
            self._settings,
            self._context,
            folder=self._context.run_dir / CHECKPOINTS,
            sample=sampler,
            keep=self._keep,
            warn=self._warn,
            seed=seed,
        )
        if self._context.resume:
            loop.resume()
        self._context.stage("Training")
        return loop.run(lambda start, stop: iter_batches(batches, start=start, stop=stop, workers=0))

    def _keep(self, generator: UNetGenerator, step: int) -> None:
        save_generator(self._context.run_dir, generator, step=step)
        write_gan_card(self._context.run_dir, self._card(step=step))

    def _finish(self, state: TrainingState, figures: dict[str, float]) -> TrainGanResult:
        """Export the kept generator, and say what came out."""
        folder, plans = self._context.run_dir, self._plans
        samples = find_samples(folder)
        return TrainGanResult(
            run=self._context.run_id,
            status="finished",
            seconds=round(state.seconds, 3),
            best={"step": float(state.best_step), **state.best_figures},
            warnings=tuple(self._warnings),
            device=device_words(self._device),
            step=read_gan_card(folder).step,
            validation=figures,
            n_crops=len(plans.crops),
            n_validation_crops=len(self._held_out),
            classes=plans.class_names,
            tones=plans.tone_levels,
            sample=str(samples[-1][1].relative_to(folder)) if samples else "",
            onnx=self._export(),
        )

    def _export(self) -> str:
        """Write the kept generator as a graph; return its name, or nothing where that failed."""
        self._context.stage("Exporting")
        trained = load_gan(self._context.run_dir, torch.device("cpu"))
        try:
            export_generator(trained.generator, trained.card, self._context.run_dir / ONNX_NAME)
        except UserError as error:
            self._warn(f"The generator was not exported: {error.message} {error.hint}")
            return ""
        return ONNX_NAME

    def _read(self, crops: Sequence[PlannedCrop]) -> Iterator[RegionCrop]:
        return read_region_crops(self._context.project, crops)

    def _cut(self) -> RegionStore:
        """Cut the training crops into a file."""
        crops, side = self._plans.crops, self._settings.crops.side_px
        self._context.stage(f"Cutting {len(crops)} crops ({len(crops) * side * side * 3 / 1e6:.0f} MB)")
        path = self._context.run_dir / CACHE / "crops.npy"
        return build_region_store(self._read(crops), path, n_crops=len(crops), side=side, tick=self._context.tick)

    def _warn(self, text: str) -> None:
        self._warnings.append(text)
        self._context.warn(text)

    def _find_earlier_card(self) -> GanCard | None:
        """The card of the run that goes on. Raises UserError where its maps would mean something else now."""
        folder, plans = self._context.run_dir, self._plans
        if not self._context.resume or not (folder / CARD_NAME).is_file():
            return None
        card = read_gan_card(folder)
        if (card.class_names, card.tone_levels) != (plans.class_names, plans.tone_levels):
            raise UserError(
                "The conditions of the training images, or the tone scale, have changed since this training began: the"
                " colours of its maps would mean something else.",
                "Put them back, or start a new training.",
            )
        return card

    def _card(self, *, step: int) -> GanCard:
        plans, settings = self._plans, self._settings
        # What was learned from once stays so, also where an image has gone to another split since.
        learned = (*(self._earlier.train_fov_ids if self._earlier is not None else ()), *plans.fov_ids)
        return GanCard(
            class_names=plans.class_names,
            tone_levels=plans.tone_levels,
            has_unknown_tone=plans.has_unknown or (self._earlier is not None and self._earlier.has_unknown_tone),
            side=settings.crops.side_px,
            network=settings.network,
            crops=settings.crops,
            seed=settings.seed,
            step=step,
            train_fov_ids=tuple(dict.fromkeys(learned)),
            validation_fov_ids=tuple(each for each in self._validation.fov_ids if each not in learned),
            versions={"torch": torch.__version__},
            threads=torch.get_num_threads(),
        )

    def _check_project_state(self) -> None:
        """Remember what the training depends on, so that a resume on a changed project is noticed."""
        path = self._context.run_dir / STATE_NAME
        now = self._state()
        if self._context.resume and path.is_file() and path.read_text(encoding="utf-8") != now:
            self._warn("Annotations, tones or images have changed since this training began; it goes on with them.")
        write_bytes_atomically(path, now.encode())

    def _state(self) -> str:
        """All of the project that the training depends on, as text: its crops and the contents of their images."""
        held = self._context.project.fovs
        contents = [held.get(each).content_key for each in self._plans.fov_ids]
        return hashlib.sha256(repr((self._coding, self._plans.crops, contents)).encode()).hexdigest()


def unlearned_tones(plans: RegionCropPlans) -> list[str]:
    """Say which tones are on no training crop, of a project that has a scale."""
    learned = {each.request.tone for each in plans.crops}
    if plans.tone_levels and learned == {UNKNOWN_TONE}:
        return ["No training image has a tone, so that all tones will look the same: set the tones first."]
    missing = [name for level, name in enumerate(plans.tone_levels, 1) if level not in learned]
    if not missing:
        return []
    return [f"No training crop has the tone {', '.join(missing)}: what is asked for in it is a guess."]
