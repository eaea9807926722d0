"""A Stable Diffusion 1.x or 2.x from a single .safetensors file, whose tensors have the names of its first code.

The file holds weights alone. Configurations come with the program (`resources/diffusion`), and so does the tokenizer:
the byte-pair encoding that OpenAI published with CLIP. The UNet and the VAE are renamed by diffusers; the text encoder,
CLIP in 1.x and OpenCLIP in 2.x, here, because diffusers would fill what it does not find by chance.
"""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import Protocol, cast

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from synthstudio.core.models.ldm_files import DENOISER, TEXT_1, TEXT_2, VAE
from synthstudio.domain.errors import UserError
from synthstudio.engine.checkpoints import Tensors, load_weights
from synthstudio.settings.resources import resource_path

START, END = "<|startoftext|>", "<|endoftext|>"
MAX_TOKENS = 77
PADS = {768: END, 1024: "!"}
"""What fills up a short text, by the width of the text encoder: OpenCLIP was trained with the token 0."""
CONFIGS = {768: "sd1", 1024: "sd2"}

_RESBLOCK = re.compile(r"transformer\.resblocks\.(\d+)\.(.+)")
_OPEN_CLIP_NAMES = {
    "token_embedding.weight": "embeddings.token_embedding.weight",
    "positional_embedding": "embeddings.position_embedding.weight",
    "ln_final.weight": "final_layer_norm.weight",
    "ln_final.bias": "final_layer_norm.bias",
}
_OPEN_CLIP_PARTS = {
    "ln_1": "layer_norm1",
    "ln_2": "layer_norm2",
    "attn.out_proj": "self_attn.out_proj",
    "mlp.c_fc": "mlp.fc1",
    "mlp.c_proj": "mlp.fc2",
}


class _Renamer(Protocol):
    """What is used of the classes of diffusers that read single files."""

    def from_single_file(self, tensors: Tensors, **options: object) -> nn.Module: ...


def config_folder(width: int) -> Path:
    """The configurations for a text encoder of this width: those of Stable Diffusion 1.x and 2.x."""
    return resource_path("diffusion") / CONFIGS[width]


def load_ldm_file(path: Path, configs: Path, *, dtype: torch.dtype) -> tuple[nn.Module, nn.Module, nn.Module]:
    """Read text encoder, VAE and UNet, in this order, onto the CPU.

    Args:
        path: The file.
        configs: Folder with `unet/`, `vae/` and `text_encoder/`, each with a config.json.
        dtype: Of all weights.

    Raises:
        UserError: The file is damaged, or its tensors do not fit the configurations.
    """
    tensors = load_weights(path)
    unet = _renamed(cast("_Renamer", UNet2DConditionModel), tensors, DENOISER, configs / "unet", dtype=dtype, path=path)
    vae = _renamed(cast("_Renamer", AutoencoderKL), tensors, VAE, configs / "vae", dtype=dtype, path=path)
    return _text_encoder(tensors, configs / "text_encoder", dtype=dtype, path=path), vae, unet


def _renamed(
    reader: _Renamer, tensors: Tensors, prefix: str, config: Path, *, dtype: torch.dtype, path: Path
) -> nn.Module:
    own = {name: tensor for name, tensor in tensors.items() if name.startswith(prefix)}
    try:
        # A folder as `config`: with anything less diffusers asks the hub, even when told not to.
        network = reader.from_single_file(own, config=str(config), torch_dtype=dtype, local_files_only=True)
    except (ValueError, RuntimeError, KeyError, OSError) as error:
        raise _misfit(path, prefix) from error
    weights = list(network.parameters())
    is_whole = sum(each.numel() for each in weights) == sum(each.numel() for each in own.values())
    if not is_whole or any(each.is_meta for each in weights):
        raise _misfit(path, prefix)
    return network


def _text_encoder(tensors: Tensors, config: Path, *, dtype: torch.dtype, path: Path) -> nn.Module:
    wanted = CLIPTextConfig(**json.loads((config / "config.json").read_text(encoding="utf-8")))
    network = cast("nn.Module", CLIPTextModel(wanted)).to(dtype)
    if any(name.startswith(TEXT_1) for name in tensors):
        given = _clip_names(tensors)
    else:
        given = _open_clip_names(tensors, n_layers=cast("int", wanted.num_hidden_layers))
    try:
        network.load_state_dict({name: tensor.to(dtype) for name, tensor in given.items()})
    except RuntimeError as error:
        raise _misfit(path, "cond_stage_model.") from error
    return network


def _clip_names(tensors: Tensors) -> Tensors:
    """CLIP's text encoder as 1.x holds it; newer programs leave out `text_model.`, and position ids are computed."""
    return {
        name.removeprefix(TEXT_1).removeprefix("text_model."): tensor
        for name, tensor in tensors.items()
        if name.startswith(TEXT_1) and not name.endswith("position_ids")
    }


def _open_clip_names(tensors: Tensors, *, n_layers: int) -> Tensors:
    """OpenCLIP's text encoder as 2.x holds it; its last layer is not used, nor is what leads to images."""
    renamed: Tensors = {}
    for full_name, tensor in tensors.items():
        name = full_name.removeprefix(TEXT_2)
        if not full_name.startswith(TEXT_2):
            continue
        if name in _OPEN_CLIP_NAMES:
            renamed[_OPEN_CLIP_NAMES[name]] = tensor
        elif (found := _RESBLOCK.fullmatch(name)) and int(found[1]) < n_layers:
            renamed |= _open_clip_layer(f"encoder.layers.{found[1]}.", found[2], tensor)
    return renamed


def _open_clip_layer(layer: str, name: str, tensor: torch.Tensor) -> Tensors:
    """One tensor of a layer; query, key and value lie in one: (3 K, K)."""
    if name.startswith("attn.in_proj_"):
        kind = name.removeprefix("attn.in_proj_")
        parts = zip("qkv", tensor.chunk(3), strict=True)
        return {f"{layer}self_attn.{letter}_proj.{kind}": part for letter, part in parts}
    part, _, kind = name.rpartition(".")
    return {f"{layer}{_OPEN_CLIP_PARTS.get(part, part)}.{kind}": tensor}


def _misfit(path: Path, prefix: str) -> UserError:
    return UserError(
        f"The tensors of {path} below {prefix.rstrip('.')} do not fit a Stable Diffusion 1.x or 2.x.",
        "Copy the file again, or bring the model in as a diffusers folder.",
    )


def load_shipped_tokenizer(width: int) -> object:
    """The tokenizer of CLIP, for a text encoder of this width: a CLIPTokenizer."""
    with gzip.open(resource_path("diffusion") / "tokenizer" / "merges.txt.gz", "rt", encoding="utf-8") as stream:
        merges = [line.rstrip("\n") for line in stream][1:]
    pairs = [(first, second) for first, _, second in (line.partition(" ") for line in merges)]
    letters = _byte_letters()
    tokens = [*letters, *(f"{each}</w>" for each in letters), *(a + b for a, b in pairs), START, END]
    vocabulary = {token: number for number, token in enumerate(tokens)}
    return CLIPTokenizer(vocab=vocabulary, merges=pairs, pad_token=PADS.get(width, END), model_max_length=MAX_TOKENS)


def _byte_letters() -> list[str]:
    """A printable letter for each of the 256 bytes, in the order of CLIP's vocabulary: printable ones stand first."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = 256 - len(printable)
    return [chr(code) for code in printable] + [chr(256 + number) for number in range(others)]
