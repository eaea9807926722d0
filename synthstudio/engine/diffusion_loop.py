"""Fine-tuning a Stable Diffusion: DreamBooth or LoRA, with prior images, checkpoints, resume.

All that is drawn depends on the seed and the step alone, so that a resumed training goes on as if it had never stopped.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from synthstudio.domain.errors import Cancelled, UserError
from synthstudio.engine.checkpoints import JsonValue, Tensors, load_checkpoint, save_checkpoint
from synthstudio.engine.diffusion_draws import LatentShape, StepDraw, draw_fixed, draw_step
from synthstudio.engine.diffusion_latents import LatentImages
from synthstudio.engine.diffusion_losses import FineTuningLoss, NoiseSchedule, fine_tuning_loss, image_losses
from synthstudio.engine.diffusion_models import Components, config_value
from synthstudio.engine.diffusion_passes import predict
from synthstudio.engine.diffusion_texts import TextStates
from synthstudio.engine.diffusion_tuning import DTYPES, TunedNetwork, prepare_network
from synthstudio.engine.loops import LAST, LOG_EVERY, LoopHost, TrainingState
from synthstudio.engine.memory_limits import is_out_of_memory, release_memory, too_little_memory
from synthstudio.engine.step_figures import StepFigures
from synthstudio.settings.train_diffusion import TrainDiffusionSettings

DENOISER, TEXT_ENCODER = "denoiser", "text_encoder"
GUIDES, PRIOR, FIXED = "loss/guides", "loss/prior", "loss/fixed"
RATES = {DENOISER: "rate/denoiser", TEXT_ENCODER: "rate/text encoder"}
N_FIXED = 8
"""Images that the loss with fixed noise is taken on, at most."""


@dataclass(frozen=True, slots=True)
class TuningMaterial:
    """What is learned from.

    Attributes:
        guides: The guide images.
        captions: Of each.
        prior: Prior images; None without.
        prior_prompt: Of all of them.
        judged: What the loss with fixed noise is taken on, held-out images or the guide images; with their captions.
    """

    guides: LatentImages
    captions: Sequence[str]
    prior: LatentImages | None
    prior_prompt: str
    judged: LatentImages
    judged_captions: Sequence[str]


class DiffusionLoop:
    """Trains the denoiser of a Stable Diffusion and, for its own number of steps, the text encoder.

    Args:
        components: All parts on their device; denoiser and text encoder are trained in place.
        settings: Of the training.
        material: What is learned from.
        context: Told about progress, and asked whether to stop.
        folder: For the last state.
        keep: Stores and shows the model, which has its averaged weights then, after a step.
        warn: Told what the user should know.

    Raises:
        UserError: The device cannot compute in the precision, or the model cannot be trained.
    """

    def __init__(
        self,
        components: Components,
        settings: TrainDiffusionSettings,
        material: TuningMaterial,
        context: LoopHost,
        *,
        folder: Path,
        keep: Callable[[int], None],
        warn: Callable[[str], None],
    ) -> None:
        chosen = settings.optimization
        self._device = next(components.unet.parameters()).device
        if chosen.precision == "fp16" and self._device.type == "cpu":
            raise UserError("A processor does not train in fp16.", "Choose bf16 or fp32, or a GPU.")
        self.state = TrainingState()
        self.networks = build_networks(components, settings)
        self._unet = components.unet
        self._settings, self._chosen, self._material = settings, chosen, material
        self._context, self._keep, self._warn = context, keep, warn
        self._path = folder / LAST
        self._schedule = NoiseSchedule(components.scheduler, prediction=components.prediction, device=self._device)
        side = settings.side // components.shrink
        self._shape: LatentShape = (int(cast("int", config_value(components.unet, "out_channels"))), side, side)
        self._texts = TextStates(
            components,
            (*material.captions, *material.judged_captions, material.prior_prompt),
            is_frozen=lambda: not self._is_trained(TEXT_ENCODER),
        )
        self._scaler = torch.amp.GradScaler(self._device.type, enabled=chosen.precision == "fp16")
        self._at_once = chosen.batch_size
        self._figures = StepFigures()
        self._owes_look = False
        self._began = 0.0

    def resume(self) -> bool:
        """Continue from the last state, where there is one; tell whether there was.

        Raises:
            UserError: It is damaged, or does not fit the model and the settings.
        """
        if not self._path.is_file():
            return False
        checkpoint = load_checkpoint(self._path)
        self.state = TrainingState.from_facts(checkpoint.facts)
        self._stop_what_is_over()
        for name, tuned in self.networks.items():
            tuned.restore(checkpoint.part, name, source=str(self._path))
        if isinstance(scaling := checkpoint.facts.get("scaling"), dict) and scaling:
            self._scaler.load_state_dict(scaling)
        self._owes_look = checkpoint.facts.get("owes_look") is True
        if isinstance(at_once := checkpoint.facts.get("at_once"), int):
            self._at_once = min(self._at_once, at_once)
        return True

    def run(self) -> TrainingState:
        """Train from the present state to the last step.

        Raises:
            UserError: A loss is no longer a number, the memory is too small, or the disk is full.
            Cancelled: After the last state was written.
        """
        self._began = time.monotonic() - self.state.seconds
        steps = self._chosen.steps
        try:
            if self._owes_look:  # it was stopped while it made the samples
                self._look()
            for step in range(self.state.step, steps):
                self._context.tick(step, steps)
                self._take_step()
                self._follow_up()
            self._context.tick(steps, steps)
        except Cancelled:
            self._save_last()
            raise
        return self.state

    def _is_trained(self, name: str) -> bool:
        return self.networks[name].is_trained_at(self.state.step)

    def _stop_what_is_over(self) -> None:
        for name, tuned in self.networks.items():
            if not self._is_trained(name) and tuned.optimizer is not None:
                tuned.stop()
                release_memory(self._device)

    def _take_step(self) -> None:
        """Change the weights by one step."""
        self._stop_what_is_over()
        trained = [tuned for name, tuned in self.networks.items() if self._is_trained(name)]
        for tuned in trained:
            tuned.network.train()
        guides, prior = self._draw()
        while not self._gather(guides, prior, trained):
            self._halve()
        if self._scaler.is_enabled():
            for tuned in trained:
                self._scaler.unscale_(_optimizer(tuned))
        if self._chosen.clip:
            weights = [weight for tuned in trained for weight in tuned.weights.values()]
            torch.nn.utils.clip_grad_norm_(weights, self._chosen.clip)
        try:
            for tuned in trained:
                tuned.set_rate(self.state.step)
                self._scaler.step(_optimizer(tuned))
        except RuntimeError as error:
            if is_out_of_memory(error):  # not tried again: a part of the weights may have changed already
                raise self._too_little() from error
            raise
        self._scaler.update()
        self.state.step += 1
        for tuned in self.networks.values():
            tuned.update_average(self.state.step - 1)

    def _draw(self) -> tuple[StepDraw, StepDraw | None]:
        material = self._material
        return draw_step(
            seed=self._settings.seed,
            step=self.state.step,
            count=self._chosen.batch_size * self._chosen.accumulate,
            n_guides=len(material.guides),
            n_prior=len(material.prior) if material.prior is not None else 0,
            shape=self._shape,
            n_times=self._schedule.n_times,
            flips=self._settings.flips,
        )

    def _gather(self, guides: StepDraw, prior: StepDraw | None, trained: Sequence[TunedNetwork]) -> bool:
        """Gather the gradients of a step, part by part; tell whether the memory was enough."""
        for tuned in trained:
            _optimizer(tuned).zero_grad(set_to_none=True)
        self._seed_dropout()
        count = len(guides.times)
        losses = []
        try:
            for start in range(0, count, self._at_once):
                stop = start + self._at_once
                part = self._pass(guides.part(start, stop), prior and prior.part(start, stop), n_step=count)
                torch.autograd.backward(self._scaler.scale(part.total))
                losses.append(part)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            if self._at_once == 1:
                told = self._too_little()
                if self.state.step:  # no weight has changed in this step yet
                    self._save_last()
                raise told from error
            return False
        self._figures.note(GUIDES, torch.stack([part.guides.detach() for part in losses]).sum())
        priors = [part.prior.detach() for part in losses if part.prior is not None]
        if priors:
            self._figures.note(PRIOR, torch.stack(priors).sum())
        return True

    def _pass(self, guides: StepDraw, prior: StepDraw | None, *, n_step: int) -> FineTuningLoss:
        """Loss of a part of a step: guide and prior images together."""
        material = self._material
        captions = [material.captions[number] for number in guides.numbers]
        latents = self._latents(material.guides, guides)
        noise, times = guides.noise, guides.times
        if prior is not None and material.prior is not None:
            latents = torch.cat([latents, self._latents(material.prior, prior)])
            noise, times = np.concatenate([noise, prior.noise]), np.concatenate([times, prior.times])
            captions += [material.prior_prompt] * len(prior.times)
        losses = self._losses(latents, self._send(noise), self._send(times), captions)
        return fine_tuning_loss(
            losses, n_guides=len(guides.times), n_step=n_step, prior_weight=self._settings.prior.weight
        )

    def _losses(self, latents: Tensor, noise: Tensor, times: Tensor, captions: Sequence[str]) -> Tensor:
        """Loss of each image, `(N,)`."""
        weights = self._schedule.weights(times, gamma=self._chosen.min_snr)
        noisy = self._schedule.noised(latents, noise, times)
        with self._autocast():
            answer = predict(self._unet, noisy, times, self._texts.find(captions))
        return image_losses(answer, self._schedule.target(latents, noise, times), weights)

    def _autocast(self) -> torch.autocast:
        dtype = DTYPES[self._chosen.precision]
        return torch.autocast(self._device.type, dtype, enabled=dtype is not torch.float32)

    def _latents(self, images: LatentImages, drawn: StepDraw) -> Tensor:
        return images.draw(drawn.numbers, mirrored=drawn.mirrored, noise=self._send(drawn.spread))

    def _send(self, values: NDArray[np.float32] | NDArray[np.int64]) -> Tensor:
        return torch.from_numpy(values).to(self._device)

    def _seed_dropout(self) -> None:
        """Let what networks draw by themselves depend on seed and step alone, not on where it was resumed."""
        if self._settings.method == "lora" and self._settings.lora.dropout:
            number = (self._settings.seed << 24) + self.state.step
            torch.default_generator.manual_seed(number)
            if self._device.type == "cuda":
                torch.cuda.manual_seed(number)

    def _halve(self) -> None:
        """Take fewer images at once, and as many per step as before."""
        for tuned in self.networks.values():
            for weight in tuned.weights.values():
                weight.grad = None
        release_memory(self._device)
        self._at_once = (self._at_once + 1) // 2
        self._warn(
            f"The memory was too small for this batch: {self._at_once} at once are computed now, and their gradients"
            " summed. The steps are the same, and take longer."
        )

    def _too_little(self) -> UserError:
        """What is said when a single image is too much."""
        for tuned in self.networks.values():
            for weight in tuned.weights.values():
                weight.grad = None
        release_memory(self._device)
        options = [
            ("gradient checkpointing", not self._chosen.gradient_checkpointing),
            ("bf16 precision", self._chosen.precision == "fp32"),
            ("the 8-bit optimiser", self._chosen.optimizer == "adamw"),
            ("LoRA", self._settings.method == "dreambooth"),
            ("a smaller side", True),
        ]
        hint = f"Start again with {', or '.join(words for words, is_open in options if is_open)}."
        return too_little_memory(self._device, hint=hint)

    def _follow_up(self) -> None:
        """What comes after a step."""
        step, steps = self.state.step, self._chosen.steps
        if step % LOG_EVERY == 0 or step == steps:
            for name, mean in self._figures.take(step=step).items():
                self._context.metric(name, mean, step=step)
            self._tell_rates()
        if step % self._settings.samples.every == 0 or step == steps:
            self._look()
        elif self._context.take_checkpoint_request():
            self._save_last()

    def _tell_rates(self) -> None:
        for name, tuned in self.networks.items():
            if tuned.weights:
                optimizer = tuned.optimizer if tuned.is_trained_at(self.state.step - 1) else None
                rate = optimizer.param_groups[0]["lr"] if optimizer is not None else 0.0
                self._context.metric(RATES[name], rate, step=self.state.step)

    def _look(self) -> None:
        """Judge, store and show the model, then write the last state."""
        self._owes_look = True
        with self._averaged():
            loss = self._fixed_loss()
            self._context.metric(FIXED, loss, step=self.state.step)
            if -loss > self.state.top_score:
                self.state.top_score, self.state.best_step = -loss, self.state.step
                self.state.best_figures = {FIXED: loss}
            self._keep(self.state.step)
        self._owes_look = False
        self._save_last()

    @contextmanager
    def _averaged(self) -> Iterator[None]:
        """The model with its averaged weights, asked and not trained, for as long."""
        with ExitStack() as stack:
            for tuned in self.networks.values():
                stack.enter_context(tuned.averaged())
                tuned.network.eval()
            self._texts.forget()
            yield
        self._texts.forget()

    @torch.no_grad()
    def _fixed_loss(self) -> float:
        """Mean loss with the same noise and times as ever, without weights."""
        material, losses = self._material, []
        for number in range(min(N_FIXED, len(material.judged))):
            drawn = draw_fixed(
                seed=self._settings.seed, number=number, shape=self._shape, n_times=self._schedule.n_times
            )
            latents = self._latents(material.judged, drawn)
            for place in range(len(drawn.times)):  # one by one: it fits wherever a step does
                one = slice(place, place + 1)
                times = self._send(drawn.times[one])
                noise = self._send(drawn.noise[one])
                noisy = self._schedule.noised(latents[one], noise, times)
                with self._autocast():
                    states = self._texts.find([material.judged_captions[number]])
                    answer = predict(self._unet, noisy, times, states)
                target = self._schedule.target(latents[one], noise, times)
                losses.append(image_losses(answer, target, torch.ones_like(times, dtype=torch.float32)))
        return float(torch.cat(losses).mean())

    def _save_last(self) -> None:
        self._figures.means(step=self.state.step)  # a state that is no number must not take the place of a good one
        self.state.seconds = time.monotonic() - self._began
        parts: dict[str, Tensors] = {}
        for name, tuned in self.networks.items():
            parts |= tuned.tensors(name)
        facts: dict[str, JsonValue] = {**self.state.to_facts(), "at_once": self._at_once, "owes_look": self._owes_look}
        if self._scaler.is_enabled():
            facts["scaling"] = self._scaler.state_dict()
        save_checkpoint(self._path, parts, facts)


def build_networks(components: Components, settings: TrainDiffusionSettings) -> dict[str, TunedNetwork]:
    """Make denoiser and text encoder ready to be trained."""
    chosen = settings.optimization
    text_steps = min(chosen.text_encoder_steps, chosen.steps)
    built = {}
    plans: tuple[tuple[str, nn.Module, float, int], ...] = (
        (DENOISER, components.unet, chosen.rate, chosen.steps),
        (TEXT_ENCODER, components.text_encoder, chosen.text_encoder_rate, text_steps),
    )
    for name, network, rate, steps in plans:
        weights = prepare_network(network, settings, is_trained=steps > 0, is_text=name == TEXT_ENCODER)
        built[name] = TunedNetwork(network, weights, chosen, rate=rate, steps=steps)
    return built


def _optimizer(tuned: TunedNetwork) -> torch.optim.Optimizer:
    assert tuned.optimizer is not None  # only of what is trained
    return tuned.optimizer
