"""Fine-tuning a local Stable Diffusion on a guide set, by DreamBooth or LoRA."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import torch

from synthstudio.core.imaging import ImageArray, write_bytes_atomically
from synthstudio.core.training.diffusion_card import (
    CARD_NAME,
    CHECKPOINTS,
    DiffusionCard,
    read_diffusion_card,
    write_diffusion_card,
)
from synthstudio.core.training.diffusion_memory import GB, ModelSize, advise, estimate_memory, in_bytes
from synthstudio.core.training.gan_samples import find_samples
from synthstudio.domain.errors import UserError
from synthstudio.domain.models import LocalModel, ModelKind
from synthstudio.domain.prompts import PromptRequest
from synthstudio.engine.context import JobContext
from synthstudio.engine.device import choose_device
from synthstudio.engine.diffusion_latents import LatentImages
from synthstudio.engine.diffusion_loop import DiffusionLoop, TuningMaterial
from synthstudio.engine.diffusion_models import Components, config_value, load_components
from synthstudio.engine.diffusion_samples import PromptSampler, choose_prompts
from synthstudio.engine.diffusion_sampling import PromptArtist
from synthstudio.engine.diffusion_tuning import DTYPES, has_eight_bit
from synthstudio.engine.diffusion_weights import load_tuned, save_tuned, write_pipeline
from synthstudio.engine.loops import TrainingState
from synthstudio.engine.memory_limits import device_bytes, is_out_of_memory, release_memory, too_little_memory
from synthstudio.engine.prior_images import gather_prior, list_supplied
from synthstudio.engine.training_facts import training_facts
from synthstudio.project.guide_material import GuideCrop, GuideMaterial, list_guide_material
from synthstudio.project.project import Project
from synthstudio.protocol.results import TrainDiffusionResult
from synthstudio.settings.train_diffusion import TrainDiffusionSettings

STATE_NAME = "project-state.txt"
PIPELINE = "pipeline"
FEW_GUIDES = 10
"""Guide images below this are said to be few; the paper had ten."""
LATENT_CHANNELS = 4


def run(settings: TrainDiffusionSettings, context: JobContext) -> TrainDiffusionResult:
    """Train, and leave checkpoints with their card and samples in the run's folder.

    Raises:
        UserError: There is no usable base model or guide set, the memory or the disk is too small, or a loss is no
            longer a number.
        Cancelled: The last state was written first.
    """
    if context.processes.count > 1:
        raise UserError(
            "A diffusion model is fine-tuned by one process.",
            "Start it without accelerate or torchrun; it takes one GPU.",
        )
    return _Training(settings, context).run()


class _Training:
    """One execution of the job."""

    def __init__(self, settings: TrainDiffusionSettings, context: JobContext) -> None:
        self._settings, self._context = settings, context
        self._device = choose_device(context.device)
        self._warnings: list[str] = []
        context.stage("Checking the base model")
        self._model = locate_base(context.project, settings.model, context)
        self._guides = list_guide_material(context.project, choose_guides(context.project, settings.guides))
        self._captions = [self._caption_of(each) for each in self._guides.training]
        self._class_prompt = settings.prior.prompt.strip() or f"a photo of {self._guides.guide_set.class_name}"
        self._supplied: list[Path] = []
        if settings.prior.weight:
            self._supplied = list_supplied(settings.prior.folder, count=settings.prior.n_images)
        self._prompts = choose_prompts(settings.samples.prompts, self._captions, self._class_prompt)
        self._card = self._begin_card()

    def run(self) -> TrainDiffusionResult:
        """Do the work."""
        context = self._context
        self._check_project_state()
        context.stage("Loading the base model")
        components = self._load()
        self._warn_of_captions(components)
        self._check_room(components)
        write_diffusion_card(context.run_dir, self._card)
        try:
            material = self._gather(components)
        except (RuntimeError, MemoryError) as error:
            if is_out_of_memory(error):
                raise too_little_memory(self._device, hint="Choose a smaller side, or close other programs.") from error
            raise
        state = self._train(components, material)
        if self._settings.samples.pipeline:
            self._write_pipeline()
        return self._result(state, material)

    def _load(self) -> Components:
        components = load_components(self._model.path, device=self._device, sha256=self._model.sha256)
        if config_value(components.unet, "in_channels") != LATENT_CHANNELS:
            raise UserError(
                f"The model {self._model.name} is one for inpainting alone, which cannot be fine-tuned here.",
                "Take a usual Stable Diffusion; it can inpaint, too.",
            )
        return components

    def _gather(self, components: Components) -> TuningMaterial:
        """Make the prior images, and bring all images into latents."""
        settings, context, guides = self._settings, self._context, self._guides
        prior = self._prior(components) if settings.prior.weight else []
        context.stage("Encoding images")
        learned = self._encode(components, [each.read(settings.side) for each in guides.training])
        judged, judged_captions = learned, self._captions
        if guides.held_out:
            judged = self._encode(components, [each.read(settings.side) for each in guides.held_out])
            judged_captions = [self._caption_of(each) for each in guides.held_out]
        return TuningMaterial(
            guides=learned,
            captions=self._captions,
            prior=self._encode(components, prior) if prior else None,
            prior_prompt=self._class_prompt,
            judged=judged,
            judged_captions=judged_captions,
        )

    def _prior(self, components: Components) -> list[ImageArray]:
        settings, context = self._settings, self._context
        n_made = settings.prior.n_images - len(self._supplied)
        context.stage(f"Making {n_made} prior images" if n_made else "Reading prior images")
        with self._quick_sampling():
            return gather_prior(
                PromptArtist(components),
                self._request(self._class_prompt),
                run_folder=context.run_dir,
                supplied=self._supplied,
                count=settings.prior.n_images,
                seed=context.seed,
                tick=context.tick,
            )

    def _encode(self, components: Components, images: list[ImageArray]) -> LatentImages:
        settings = self._settings
        return LatentImages(
            images,
            components.vae,
            scale=components.latent_scale,
            is_cached=settings.optimization.cache_latents,
            flips=settings.flips,
            tick=self._context.tick,
        )

    def _train(self, components: Components, material: TuningMaterial) -> TrainingState:
        settings, context = self._settings, self._context
        sampler = PromptSampler(
            PromptArtist(components),
            [self._request(prompt) for prompt in self._prompts],
            per_prompt=settings.samples.per_prompt,
            seed=context.seed,
            folder=context.run_dir,
            preview=context.preview,
            # The bar stands still while samples are made, and a cancel is heard.
            tick=lambda *_: context.tick(loop.state.step, settings.optimization.steps),
        )

        def keep(step: int) -> None:
            context.stage(f"Storing and sampling step {step}")
            self._keep(components, step, best_step=loop.state.best_step)
            self._sample(sampler, step)
            context.stage("Training")

        loop = DiffusionLoop(
            components,
            settings,
            material,
            context,
            folder=context.run_dir / CHECKPOINTS,
            keep=keep,
            warn=self._warn,
        )
        if context.resume:
            loop.resume()
        context.stage("Training")
        return loop.run()

    def _sample(self, sampler: PromptSampler, step: int) -> None:
        """Make the samples; where the memory does not hold them, the training goes on without."""
        try:
            with self._quick_sampling():
                sampler(step)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            release_memory(self._device)
            self._warn(f"There are no samples of step {step}: the memory is too small for them. The training goes on.")

    def _keep(self, components: Components, step: int, *, best_step: int) -> None:
        """Store the model as it is, and say so on the card."""
        settings = self._settings
        save_tuned(
            self._context.run_dir,
            step,
            components,
            has_text_encoder=self._card.has_text_encoder,
            lora=self._card.lora,
            dtype=DTYPES[settings.samples.stored],
        )
        steps = tuple(sorted({*self._card.steps, step}))
        self._card = self._card.model_copy(update={"steps": steps, "best_step": best_step})
        write_diffusion_card(self._context.run_dir, self._card)

    @contextmanager
    def _quick_sampling(self) -> Iterator[None]:
        """Images in bf16 where the training is; fp16 could overflow in the decoder."""
        is_quick = self._settings.optimization.precision == "bf16"
        with torch.autocast(self._device.type, torch.bfloat16, enabled=is_quick):
            yield

    def _request(self, prompt: str) -> PromptRequest:
        samples = self._settings.samples
        return PromptRequest(prompt, side=self._settings.side, steps=samples.sampler_steps, guidance=samples.guidance)

    def _write_pipeline(self) -> None:
        self._context.stage("Writing the folder for other programs")
        folder = self._context.run_dir
        write_pipeline(folder / PIPELINE, load_tuned(folder, self._card, self._model.path, device=torch.device("cpu")))

    def _result(self, state: TrainingState, material: TuningMaterial) -> TrainDiffusionResult:
        samples = find_samples(self._context.run_dir)
        return TrainDiffusionResult(
            **training_facts(self._context, state, warnings=self._warnings, device=self._device),
            step=state.step,
            method=self._settings.method,
            model=self._model.name,
            guides=self._guides.guide_set.name,
            n_guides=len(self._guides.training),
            n_held_out=len(self._guides.held_out),
            n_prior=len(material.prior) if material.prior is not None else 0,
            checkpoints=self._card.steps,
            sample=str(samples[-1][1].relative_to(self._context.run_dir)) if samples else "",
        )

    def _begin_card(self) -> DiffusionCard:
        """The card before the first step, or that of the run that goes on.

        Raises:
            UserError: The base model is another one than when the run began.
        """
        folder, settings, guide_set = self._context.run_dir, self._settings, self._guides.guide_set
        earlier = read_diffusion_card(folder) if self._context.resume and (folder / CARD_NAME).is_file() else None
        if earlier is not None and earlier.base_sha256 != self._model.sha256:
            raise UserError(
                f"The base model {self._model.name} is not the one that this training began with.",
                "Put that one back, or start a new training.",
            )
        learned = (*(earlier.train_fov_ids if earlier is not None else ()), *self._guides.train_fov_ids)
        return DiffusionCard(
            method=settings.method,
            base_model=self._model.name,
            base_sha256=self._model.sha256,
            prediction_type=earlier.prediction_type if earlier is not None else "epsilon",
            guide_set=guide_set.name,
            class_name=guide_set.class_name,
            identifier=guide_set.identifier,
            captions=tuple(dict.fromkeys(self._captions)),
            sample_prompts=self._prompts,
            side=settings.side,
            lora=settings.lora if settings.method == "lora" else None,
            has_text_encoder=settings.optimization.text_encoder_steps > 0,
            steps=earlier.steps if earlier is not None else (),
            best_step=earlier.best_step if earlier is not None else 0,
            train_fov_ids=tuple(sorted(set(learned))),
            prior_prompt=self._class_prompt if settings.prior.weight else "",
            n_prior=settings.prior.n_images if settings.prior.weight else 0,
            n_prior_supplied=len(self._supplied),
            seed=settings.seed,
            versions={name: version(name) for name in ("torch", "diffusers", "transformers", "peft")},
            threads=torch.get_num_threads(),
        )

    def _check_room(self, components: Components) -> None:
        """Say what fits the device; refuse what does not fit the disk."""
        self._card = self._card.model_copy(update={"prediction_type": components.prediction})
        size = ModelSize(*(_count(each) for each in (components.unet, components.text_encoder, components.vae)))
        estimate = estimate_memory(self._settings, size, has_eight_bit=has_eight_bit())
        self._context.stage(estimate.words.rstrip("."))
        if self._settings.optimization.optimizer == "adamw-8bit" and not has_eight_bit():
            self._warn("The package bitsandbytes is not installed: plain AdamW is taken, which needs more memory.")
        self._check_disk(estimate.disk_bytes)
        available = device_bytes(self._device)
        if available is None:
            return
        if advice := advise(self._settings, available, size, has_eight_bit=has_eight_bit()):
            self._warn(f"{estimate.words} There are {available / GB:.1f} GB of memory. {advice}")

    def _check_disk(self, needed: float) -> None:
        """Raises UserError where the disk will not hold what is still to be written."""
        folder = self._context.run_dir
        stored = sum(path.stat().st_size for path in (folder / CHECKPOINTS).rglob("*") if path.is_file())
        free = shutil.disk_usage(folder).free
        if needed - stored > free:
            raise UserError(
                f"The disk is too small: the training writes {in_bytes(needed - stored)}, {in_bytes(free)} are free.",
                "Free some space, take fewer checkpoints, or store them in fp16.",
            )

    def _caption_of(self, crop: GuideCrop) -> str:
        """The caption, or the subject alone where there is none."""
        return crop.caption.strip() or self._guides.guide_set.subject

    def _warn_of_captions(self, components: Components) -> None:
        guides = self._guides
        n_missing = sum(not each.caption.strip() for each in guides.training)
        if n_missing:
            which = "A guide image has" if n_missing == 1 else f"{n_missing} guide images have"
            self._warn(f'{which} no caption: "{guides.guide_set.subject}" stands for it.')
        longest = components.tokenizer.model_max_length - 2
        n_long = sum(len(components.tokenizer.tokenize(text)) > longest for text in self._captions)
        if n_long:
            self._warn(f"{n_long} captions have more than {longest} tokens: what comes after is not read.")
        if len(guides.training) < FEW_GUIDES:
            self._warn(f"There are {len(guides.training)} guide images only: about {FEW_GUIDES} are enough to start.")

    def _check_project_state(self) -> None:
        """Remember what the training depends on, so that a resume on a changed project is noticed."""
        path = self._context.run_dir / STATE_NAME
        now = _state_of(self._guides, self._class_prompt)
        if self._context.resume and path.is_file() and path.read_text(encoding="utf-8") != now:
            self._warn("The guide set or its images have changed since this training began; it goes on with them.")
        write_bytes_atomically(path, now.encode())

    def _warn(self, text: str) -> None:
        self._warnings.append(text)
        self._context.warn(text)


def locate_base(project: Project, reference: str, context: JobContext) -> LocalModel:
    """The base model that the settings name, or the only one that there is.

    Raises:
        UserError: None or several could be meant, or its files have changed.
    """
    if not reference:
        known = [each.name for each in project.models.list(ModelKind.STABLE_DIFFUSION)]
        if len(known) != 1:
            raise UserError(
                "No base model is named, and the project has"
                + (f" several: {', '.join(known)}." if known else " no Stable Diffusion."),
                "Name one of them." if known else "Bring one in first: synthstudio models add PROJECT PATH.",
            )
        reference = known[0]
    return project.models.locate(reference, ModelKind.STABLE_DIFFUSION, tick=context.tick)


def choose_guides(project: Project, name: str) -> str:
    """The name of the guide set that the settings name, or of the only one. Raises UserError where it is not clear."""
    if name:
        return name
    known = [each.name for each in project.guides.list()]
    if len(known) != 1:
        raise UserError(
            "No guide set is named, and the project has" + (f" several: {', '.join(known)}." if known else " none."),
            "Name one of them." if known else "Make one first: synthstudio guides new PROJECT NAME.",
        )
    return known[0]


def _state_of(guides: GuideMaterial, class_prompt: str) -> str:
    """All of the project that the training depends on, as text."""
    seen = [(each.fov.content_key, each.guide.box, each.caption) for each in (*guides.training, *guides.held_out)]
    return hashlib.sha256(repr((seen, guides.guide_set.subject, class_prompt)).encode()).hexdigest()


def _count(network: torch.nn.Module) -> float:
    return float(sum(each.numel() for each in network.parameters()))
