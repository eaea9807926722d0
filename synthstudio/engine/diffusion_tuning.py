"""What is trained of a Stable Diffusion: which weights, by which optimiser, at which rate, and their average."""

from __future__ import annotations

import importlib
import importlib.util
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol, cast

import torch
from torch import nn

from synthstudio.domain.errors import UserError
from synthstudio.engine.checkpoints import Tensors, optimizer_tensors, restore_optimizer
from synthstudio.engine.diffusion_lora import DENOISER_LAYERS, TEXT_LAYERS, add_lora, lora_weights
from synthstudio.settings.train_diffusion import DiffusionOptimizationSettings, TrainDiffusionSettings

EIGHT_BIT_PACKAGE = "bitsandbytes"
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}

_Optimizer = Callable[..., torch.optim.Optimizer]


class _Checkpointing(Protocol):
    """The ways in which diffusers and transformers, of this and of earlier versions, are asked for it."""

    def enable_gradient_checkpointing(self) -> None: ...
    def activation_checkpointing_enable(self, *, activation_checkpointing_kwargs: Mapping[str, bool]) -> None: ...
    def gradient_checkpointing_enable(self, *, gradient_checkpointing_kwargs: Mapping[str, bool]) -> None: ...


def has_eight_bit() -> bool:
    """Whether the package of the 8-bit optimiser is installed."""
    return importlib.util.find_spec(EIGHT_BIT_PACKAGE) is not None


def build_adamw(weights: list[nn.Parameter], settings: DiffusionOptimizationSettings) -> torch.optim.Optimizer:
    """Build the optimiser of a network: 8-bit where it is wanted and there."""
    if settings.optimizer == "adamw-8bit" and has_eight_bit():
        eight_bit = cast("_Optimizer", importlib.import_module(f"{EIGHT_BIT_PACKAGE}.optim").AdamW8bit)
        return eight_bit(weights, lr=settings.rate, weight_decay=settings.weight_decay)
    return torch.optim.AdamW(weights, lr=settings.rate, weight_decay=settings.weight_decay, fused=True)


def rate_at(step: int, rate: float, *, steps: int, settings: DiffusionOptimizationSettings) -> float:
    """Learning rate of a step, counted from 0, of a network that is trained for `steps`."""
    warm = min(1.0, (step + 1) / settings.warmup_steps) if settings.warmup_steps else 1.0
    match settings.schedule:
        case "constant":
            return rate * warm
        case "linear":
            return rate * warm * (1.0 - step / steps)
        case "cosine":
            return rate * warm * 0.5 * (1.0 + math.cos(math.pi * step / steps))


def prepare_network(
    network: nn.Module, settings: TrainDiffusionSettings, *, is_trained: bool, is_text: bool
) -> dict[str, nn.Parameter]:
    """Make a network ready to be trained, or not; return the weights that are trained, in fp32, by name.

    What is frozen goes into the precision of the computation: half the memory.
    """
    is_lora, dtype = settings.method == "lora", DTYPES[settings.optimization.precision]
    if is_lora or not is_trained:
        network.to(dtype)
    if not is_trained:
        return {}
    if settings.optimization.gradient_checkpointing:
        _save_memory(network, is_text=is_text)
    if is_lora:
        layers = TEXT_LAYERS if is_text else DENOISER_LAYERS
        add_lora(network, settings.lora, layers=layers, seed=2 * settings.seed + is_text)
        return lora_weights(network)
    network.requires_grad_(requires_grad=True)
    return dict(network.named_parameters())


def _save_memory(network: nn.Module, *, is_text: bool) -> None:
    able = cast("_Checkpointing", network)
    options = {"use_reentrant": False}  # the older way of it finds no gradient behind embeddings that are frozen
    if not is_text:
        able.enable_gradient_checkpointing()
    elif hasattr(network, "activation_checkpointing_enable"):
        able.activation_checkpointing_enable(activation_checkpointing_kwargs=options)
    else:
        able.gradient_checkpointing_enable(gradient_checkpointing_kwargs=options)


class TunedNetwork:
    """A network of which all or a part is trained.

    Args:
        network: On its device.
        weights: Those that are trained; see `prepare_network`.
        settings: Optimiser, averaging, schedule.
        rate: Learning rate.
        steps: For how many steps it is trained; then it stays.
    """

    def __init__(
        self,
        network: nn.Module,
        weights: dict[str, nn.Parameter],
        settings: DiffusionOptimizationSettings,
        *,
        rate: float,
        steps: int,
    ) -> None:
        self.network, self.weights, self.steps = network, weights, steps if weights else 0
        self.optimizer: torch.optim.Optimizer | None = None
        self._settings, self._rate = settings, rate
        self._average: Tensors = {}
        if weights:
            self.optimizer = build_adamw(list(weights.values()), settings)
        if settings.ema:
            self._average = {name: each.detach().clone() for name, each in weights.items()}

    def is_trained_at(self, step: int) -> bool:
        """Whether the step, counted from 0, changes it."""
        return step < self.steps

    def set_rate(self, step: int) -> float:
        """Set the learning rate of a step, and return it."""
        assert self.optimizer is not None  # it is trained
        rate = rate_at(step, self._rate, steps=self.steps, settings=self._settings)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        return rate

    def stop(self) -> None:
        """Leave it as it is from now on: gradients and the optimiser's state are given up."""
        self.network.requires_grad_(requires_grad=False)
        self.network.eval()
        for weight in self.weights.values():
            weight.grad = None
        self.optimizer = None

    @torch.no_grad()
    def update_average(self, step: int) -> None:
        """Move the average towards the weights after a step, counted from 0; early steps are forgotten faster."""
        kept = min(self._settings.ema, (1 + step) / (10 + step))
        for name, mean in self._average.items():
            mean.lerp_(self.weights[name].detach(), 1.0 - kept)

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """The network with its averaged weights, for as long."""
        present = {name: self.weights[name].data for name in self._average}
        for name, mean in self._average.items():
            self.weights[name].data = mean
        try:
            yield
        finally:
            for name, weight in present.items():
                self.weights[name].data = weight

    def tensors(self, name: str) -> dict[str, Tensors]:
        """All of its state, by parts of a checkpoint that begin with `name`."""
        weights: Tensors = {key: each.detach() for key, each in self.weights.items()}
        parts = {name: weights, f"{name}-average": self._average}
        if self.optimizer is not None:
            parts[f"{name}-optimizer"] = optimizer_tensors(self.optimizer)
        return parts

    def restore(self, part: Callable[[str], Tensors], name: str, *, source: str) -> None:
        """Put back what `tensors` gave. Raises UserError where it does not fit."""
        for own, name_of_part in ((self.weights, name), (self._average, f"{name}-average")):
            stored = part(name_of_part)
            if {key: each.shape for key, each in own.items()} != {key: each.shape for key, each in stored.items()}:
                raise UserError(
                    f"The weights in {source} do not fit the base model and the settings.",
                    "Put back the base model that this training began with, or start a new one.",
                )
            for key, each in own.items():
                each.data.copy_(stored[key])
        if self.optimizer is not None:
            restore_optimizer(self.optimizer, part(f"{name}-optimizer"))
