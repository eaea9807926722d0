"""The tiny Stable Diffusion as a single file, with the tensor names of the first code of Stable Diffusion."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from safetensors.torch import save_file
from transformers import CLIPTextModel

Tensors = dict[str, torch.Tensor]

_RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
_UNET_ENDS = {
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "conv_in": "input_blocks.0.0",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
}
_ATTENTION = {"group_norm": "norm", "to_q": "q", "to_k": "k", "to_v": "v", "to_out.0": "proj_out"}
_OPEN_CLIP_ENDS = {
    "embeddings.token_embedding.weight": "token_embedding.weight",
    "embeddings.position_embedding.weight": "positional_embedding",
    "final_layer_norm.weight": "ln_final.weight",
    "final_layer_norm.bias": "ln_final.bias",
}
_OPEN_CLIP_PARTS = {
    "layer_norm1": "ln_1",
    "layer_norm2": "ln_2",
    "self_attn.out_proj": "attn.out_proj",
    "mlp.fc1": "mlp.c_fc",
    "mlp.fc2": "mlp.c_proj",
}


def write_tiny_ldm(folder: Path, path: Path, *, text: Literal["clip", "open_clip"] = "clip") -> Path:
    """Write the weights of a tiny diffusers folder as one file; return its path."""
    unet = UNet2DConditionModel.from_pretrained(str(folder / "unet")).state_dict()
    vae = AutoencoderKL.from_pretrained(str(folder / "vae")).state_dict()
    words = CLIPTextModel.from_pretrained(str(folder / "text_encoder")).state_dict()
    tensors = {f"model.diffusion_model.{_unet_name(name)}": each for name, each in unet.items()}
    tensors |= {f"first_stage_model.{_vae_name(name)}": _as_in_vae(name, each) for name, each in vae.items()}
    if text == "clip":
        tensors |= {f"cond_stage_model.transformer.text_model.{name}": each for name, each in words.items()}
        tensors["cond_stage_model.transformer.text_model.embeddings.position_ids"] = torch.arange(77)[None]
    else:
        tensors |= {f"cond_stage_model.model.{name}": each for name, each in _open_clip(words).items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: each.contiguous().clone() for name, each in tensors.items()}, path)
    return path


def _unet_name(name: str) -> str:
    """Two levels with one layer each: blocks of the input 1-3, of the output 0-3."""
    for ours, theirs in _UNET_ENDS.items():
        if name.startswith(f"{ours}."):
            return theirs + name.removeprefix(ours)
    if found := re.fullmatch(r"mid_block\.(resnets|attentions)\.(\d)\.(.+)", name):
        place = 1 if found[1] == "attentions" else 2 * int(found[2])
        return f"middle_block.{place}.{_inner(found[1], found[3])}"
    found = re.fullmatch(r"(down|up)_blocks\.(\d)\.(\w+)\.(\d)\.(.+)", name)
    assert found, name
    side, level, kind, layer, rest = found[1], int(found[2]), found[3], int(found[4]), found[5]
    if kind == "downsamplers":
        return f"input_blocks.{2 * (level + 1)}.0.{rest.replace('conv', 'op')}"
    if kind == "upsamplers":
        return f"output_blocks.{2 * level + 1}.{2 if level == 0 else 1}.{rest}"
    block = f"input_blocks.{1 + 2 * level + layer}" if side == "down" else f"output_blocks.{2 * level + layer}"
    return f"{block}.{1 if kind == 'attentions' else 0}.{_inner(kind, rest)}"


def _inner(kind: str, rest: str) -> str:
    if kind == "attentions":
        return rest
    part, _, end = rest.rpartition(".")
    return f"{_RESNET[part]}.{end}"


def _vae_name(name: str) -> str:
    name = name.replace("conv_norm_out", "norm_out").replace("conv_shortcut", "nin_shortcut")
    name = re.sub(r"mid_block\.resnets\.(\d)", lambda found: f"mid.block_{int(found[1]) + 1}", name)
    name = name.replace("mid_block.attentions.0", "mid.attn_1")
    if ".attn_1." in name:
        for ours, theirs in _ATTENTION.items():
            name = name.replace(f"attn_1.{ours}.", f"attn_1.{theirs}.")
    name = re.sub(r"down_blocks\.(\d)\.resnets\.(\d)", r"down.\1.block.\2", name)
    name = re.sub(r"down_blocks\.(\d)\.downsamplers\.0", r"down.\1.downsample", name)
    name = re.sub(r"up_blocks\.(\d)\.resnets\.(\d)", lambda found: f"up.{3 - int(found[1])}.block.{found[2]}", name)
    return re.sub(r"up_blocks\.(\d)\.upsamplers\.0", lambda found: f"up.{3 - int(found[1])}.upsample", name)


def _as_in_vae(name: str, tensor: torch.Tensor) -> torch.Tensor:
    """Attention of the VAE is made of convolutions there."""
    is_linear = re.search(r"attentions\.0\.to_\w+(\.0)?\.weight", name)
    return tensor[:, :, None, None] if is_linear else tensor


def _open_clip(words: Tensors) -> Tensors:
    """With a last layer and a projection that Stable Diffusion 2 does not use."""
    renamed: Tensors = {"text_projection": torch.zeros(4, 4), "logit_scale": torch.zeros(())}
    for name, tensor in words.items():
        if name in _OPEN_CLIP_ENDS:
            renamed[_OPEN_CLIP_ENDS[name]] = tensor
            continue
        found = re.fullmatch(r"encoder\.layers\.(\d)\.(.+)\.(weight|bias)", name)
        assert found, name
        block = f"transformer.resblocks.{found[1]}"
        if re.fullmatch(r"self_attn\.[qkv]_proj", found[2]):
            stem = f"encoder.layers.{found[1]}.self_attn."
            parts = [words[f"{stem}{letter}_proj.{found[3]}"] for letter in "qkv"]
            renamed[f"{block}.attn.in_proj_{found[3]}"] = torch.cat(parts)
        else:
            renamed[f"{block}.{_OPEN_CLIP_PARTS[found[2]]}.{found[3]}"] = tensor
    last = {name.replace(".1.", ".2.", 1): each for name, each in renamed.items() if "resblocks.1." in name}
    return renamed | last
