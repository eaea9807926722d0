"""LoRA (Hu et al. 2021) by peft: small additions to the attention layers of denoiser and text encoder."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol, cast

import numpy as np
import torch
from peft import LoraConfig
from torch import nn

from synthstudio.core.synthesis.streams import LORA_START, open_stream
from synthstudio.core.training.diffusion_card import LORA_NAME
from synthstudio.domain.errors import UserError
from synthstudio.engine.checkpoints import Tensors, load_weights, write_weights
from synthstudio.settings.train_diffusion import LoraSettings

DENOISER_LAYERS = ("to_k", "to_q", "to_v", "to_out.0")
TEXT_LAYERS = ("q_proj", "k_proj", "v_proj", "out_proj")
ADAPTER = "default"
_DOWN, _UP = "lora_A", "lora_B"
_DENOISER, _TEXT, _TEXT_MODEL = "unet.", "text_encoder.", "text_model."


class _Adaptable(Protocol):
    def add_adapter(self, adapter_config: object, adapter_name: str) -> None: ...


class _Scaled(Protocol):
    scaling: Mapping[str, float]


def add_lora(network: nn.Module, settings: LoraSettings, *, layers: tuple[str, ...], seed: int) -> None:
    """Add trainable additions, in fp32, to these layers; all else is frozen. At first they add nothing.

    Args:
        network: A UNet2DConditionModel or CLIPTextModel.
        settings: Rank, alpha, dropout.
        layers: Ends of the names of the layers.
        seed: Of the first weights.
    """
    network.requires_grad_(requires_grad=False)
    device = next(network.parameters()).device
    with torch.random.fork_rng(
        devices=[device] if device.type == "cuda" else []
    ):  # what peft draws is drawn anew below
        cast("_Adaptable", network).add_adapter(
            LoraConfig(
                r=settings.rank,
                lora_alpha=settings.alpha,
                lora_dropout=settings.dropout,
                target_modules=list(layers),
                init_lora_weights=True,
            ),
            ADAPTER,
        )
    for index, (name, weight) in enumerate(lora_weights(network).items()):
        weight.data = weight.data.float()
        weight.requires_grad = True
        if _DOWN in name:  # Kaiming's uniform distribution, as peft's own
            bound = 1.0 / math.sqrt(weight.shape[1])
            drawn = open_stream(seed, LORA_START, index).uniform(-bound, bound, tuple(weight.shape))
            weight.data.copy_(torch.from_numpy(drawn.astype(np.float32)))


def lora_weights(network: nn.Module) -> dict[str, nn.Parameter]:
    """The additions of a network by their names."""
    return {name: each for name, each in network.named_parameters() if f".{_DOWN}." in name or f".{_UP}." in name}


def merged_weights(network: nn.Module) -> Tensors:
    """The weights of a network as if it had never had additions, with these added to them."""
    merged = {
        name.replace(".base_layer.", "."): each
        for name, each in network.state_dict().items()
        if f".{_DOWN}." not in name and f".{_UP}." not in name
    }
    weights = lora_weights(network)
    for name, down in weights.items():
        if f".{_DOWN}." in name:
            layer = name.partition(f".{_DOWN}.")[0]
            up = weights[f"{layer}.{_UP}.{ADAPTER}.weight"]
            factor = cast("_Scaled", network.get_submodule(layer)).scaling[ADAPTER]
            merged[f"{layer}.weight"] = merged[f"{layer}.weight"] + factor * (up @ down).detach()
    return merged


def save_lora(folder: Path, *, denoiser: nn.Module, text_encoder: nn.Module | None, settings: LoraSettings) -> None:
    """Write the additions as diffusers and other programs read them.

    alpha / rank is multiplied into them, since not every program reads an alpha.

    Raises:
        UserError: The file cannot be written.
    """
    tensors = {_DENOISER + name: each for name, each in _stored(denoiser, settings).items()}
    if text_encoder is not None:
        # Older programs know the text encoder's layers below text_model; newer ones take that away again.
        tensors |= {f"{_TEXT}{_TEXT_MODEL}{name}": each for name, each in _stored(text_encoder, settings).items()}
    write_weights(folder / LORA_NAME, tensors, {"format": "pt"})


def _stored(network: nn.Module, settings: LoraSettings) -> Tensors:
    factor = settings.alpha / settings.rank
    return {
        name.replace(f".{ADAPTER}", "").removeprefix(_TEXT_MODEL): weight.detach() * factor if _UP in name else weight
        for name, weight in lora_weights(network).items()
    }


def load_lora(folder: Path, *, denoiser: nn.Module, text_encoder: nn.Module) -> None:
    """Add the additions of a checkpoint to networks that have none.

    Raises:
        UserError: The file is missing or damaged, or belongs to another model.
    """
    path = folder / LORA_NAME
    tensors = load_weights(path)
    for network, prefix, layers in ((denoiser, _DENOISER, DENOISER_LAYERS), (text_encoder, _TEXT, TEXT_LAYERS)):
        own = {name.removeprefix(prefix): each for name, each in tensors.items() if name.startswith(prefix)}
        if own:
            _attach(network, {name.removeprefix(_TEXT_MODEL): each for name, each in own.items()}, layers, path)


def _attach(network: nn.Module, tensors: Mapping[str, torch.Tensor], layers: tuple[str, ...], path: Path) -> None:
    rank = next(each.shape[0] for name, each in tensors.items() if _DOWN in name)
    add_lora(network, LoraSettings(rank=rank, alpha=float(rank)), layers=layers, seed=0)
    weights = {
        name.replace(f".{ADAPTER}", "").removeprefix(_TEXT_MODEL): each for name, each in lora_weights(network).items()
    }
    if {name: each.shape for name, each in weights.items()} != {name: each.shape for name, each in tensors.items()}:
        raise UserError(
            f"The additions in {path} belong to another base model.", "Choose the base model that they were trained on."
        )
    for name, weight in weights.items():
        weight.data.copy_(tensors[name])
        weight.requires_grad = False
