"""A local Stable Diffusion in its parts, from a diffusers folder or one file; nothing is ever asked of a model hub.

The only module that decides how diffusers and transformers read files: absolute folders that exist, safetensors only,
the variant by the files that are there, and no weight left as chance made it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, cast

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from diffusers.utils import logging as diffusers_logging
from safetensors import SafetensorError
from torch import nn
from transformers import CLIPTextModel, CLIPTokenizer
from transformers.utils import logging as transformers_logging

from synthstudio.core.models.ldm_files import is_ldm_file, recognise_ldm_file, text_width
from synthstudio.core.models.tensor_files import read_tensor_file
from synthstudio.core.models.weight_files import find_weight_files
from synthstudio.core.models.what import IMAGES, PREDICTION
from synthstudio.domain.errors import UserError
from synthstudio.engine.ldm_files import config_folder, load_ldm_file, load_shipped_tokenizer

# Their bars would fill the log of the engine; their warnings about weights are checked here and said as errors.
for _logging in (diffusers_logging, transformers_logging):
    _logging.set_verbosity_error()
    _logging.disable_progress_bar()

JsonValue = str | int | float | bool | None | list["JsonValue"] | dict[str, "JsonValue"]

SCHEDULER_CONFIG = "scheduler_config.json"
UNET, VAE, TEXT_ENCODER, TOKENIZER, SCHEDULER = "unet", "vae", "text_encoder", "tokenizer", "scheduler"
LOW_RES_SCHEDULER = "low_res_scheduler"

_HARMLESS_KEYS = ("position_ids",)
"""Ends of tensors that newer versions compute and older files lack, or the other way round."""


class Tokenizer(Protocol):
    """What is used of a CLIPTokenizer."""

    model_max_length: int

    def __call__(
        self, text: Sequence[str], *, padding: str, max_length: int, truncation: bool, return_tensors: str
    ) -> Mapping[str, torch.Tensor]:
        """Turn texts into `input_ids`, `(N, max_length)` int64."""

    def tokenize(self, text: str) -> list[str]:
        """Split a text into tokens, without start and end."""

    def save_pretrained(self, save_directory: str) -> object:
        """Write the tokenizer's files into a folder."""


@dataclass(frozen=True, slots=True)
class Components:
    """A model in its parts; networks in eval mode, with gradients off.

    Attributes:
        tokenizer: Turns captions and prompts into token ids.
        text_encoder: A CLIPTextModel: token ids `(N, T)` -> states `(N, T, K)`.
        vae: An AutoencoderKL: images `(N, 3, H, W)` in -1..1 <-> latents `(N, 4, H/shrink, W/shrink)`.
        unet: A UNet2DConditionModel: the denoiser of latents.
        scheduler: The content of `scheduler_config.json`: the noise schedule that the denoiser learned with.
        low_res_scheduler: The schedule of the noise on the low-resolution input; only an upscaler has one.
        prediction: What the denoiser predicts: "epsilon" or "v_prediction".
        shrink: px of an image per element of its latents.
        latent_scale: Latents are multiplied by this before noise is added (`scaling_factor` of the VAE).
        side: Side in px that the denoiser was made for: 512 for Stable Diffusion 1.x.
        sha256: Of the model, as recorded.
        source: Folder or file it was read from.
    """

    tokenizer: Tokenizer
    text_encoder: nn.Module
    vae: nn.Module
    unet: nn.Module
    scheduler: dict[str, JsonValue]
    low_res_scheduler: dict[str, JsonValue] | None
    prediction: str
    shrink: int
    latent_scale: float
    side: int
    sha256: str
    source: Path


def load_components(
    source: Path,
    *,
    device: torch.device,
    dtype: torch.dtype = torch.float32,
    sha256: str = "",
    checkpoint: Path | None = None,
) -> Components:
    """Read a Stable Diffusion, or an x4 diffusion upscaler.

    Args:
        source: A diffusers folder, or a single .safetensors file of Stable Diffusion 1.x or 2.x.
        device: Where the networks go.
        dtype: Of all weights; float32 where they are to be trained.
        sha256: Of the model as `project.models` knows it, for provenance.
        checkpoint: Folder whose `unet/`, and `text_encoder/` if it has one, stand in for those of `source`.

    Raises:
        UserError: Something is missing, damaged, a pickle, or parts do not match one another.
    """
    path = source.expanduser().resolve()
    if path.is_dir():
        found = _load_folder(path, checkpoint, dtype=dtype, sha256=sha256)
    elif path.is_file():
        found = _load_file(path, checkpoint, dtype=dtype, sha256=sha256)
    else:
        raise UserError(f"There is no model in {source}.", "Name a diffusers folder, or bring the model in again.")
    for network in (found.unet, found.vae, found.text_encoder):
        network.requires_grad_(requires_grad=False).eval().to(device)
    return found


def _load_folder(folder: Path, checkpoint: Path | None, *, dtype: torch.dtype, sha256: str) -> Components:
    parts = (
        load_tokenizer(folder / TOKENIZER),
        load_network(_part(folder, TEXT_ENCODER, checkpoint), dtype=dtype),
        load_network(folder / VAE, dtype=dtype),
        load_network(_part(folder, UNET, checkpoint), dtype=dtype),
    )
    low_res = folder / LOW_RES_SCHEDULER / SCHEDULER_CONFIG
    return _assembled(
        parts,
        read_config(folder / SCHEDULER / SCHEDULER_CONFIG),
        low_res=read_config(low_res) if low_res.is_file() else None,
        sha256=sha256,
        source=folder,
    )


def _load_file(path: Path, checkpoint: Path | None, *, dtype: torch.dtype, sha256: str) -> Components:
    """A single file: configurations and tokenizer are those that come with the program."""
    header = read_tensor_file(path)
    if not is_ldm_file(header):
        raise UserError(f"{path} holds no Stable Diffusion.", "Name a diffusers folder, or the file of a whole model.")
    width = text_width(header)
    facts = dict(recognise_ldm_file(header, path).facts)
    configs = config_folder(width)
    text_encoder, vae, unet = load_ldm_file(path, configs, dtype=dtype)
    if checkpoint is not None:
        unet = load_network(checkpoint / UNET, dtype=dtype) if (checkpoint / UNET).is_dir() else unet
        if (checkpoint / TEXT_ENCODER).is_dir():
            text_encoder = load_network(checkpoint / TEXT_ENCODER, dtype=dtype)
    scheduler = read_config(configs / SCHEDULER / SCHEDULER_CONFIG) | {"prediction_type": facts[PREDICTION]}
    parts = (cast("Tokenizer", load_shipped_tokenizer(width)), text_encoder, vae, unet)
    found = _assembled(parts, scheduler, low_res=None, sha256=sha256, source=path)
    return replace(found, side=int(facts[IMAGES].split()[0]))


def _part(folder: Path, name: str, checkpoint: Path | None) -> Path:
    if checkpoint is not None and (checkpoint / name).is_dir():
        return checkpoint / name
    return folder / name


def _assembled(
    parts: tuple[Tokenizer, nn.Module, nn.Module, nn.Module],
    scheduler: dict[str, JsonValue],
    *,
    low_res: dict[str, JsonValue] | None,
    sha256: str,
    source: Path,
) -> Components:
    """Put parts together once they are known to match."""
    tokenizer, text_encoder, vae, unet = parts
    _check_widths(text_encoder, vae, unet, source=source)
    shrink = 2 ** (len(cast("list[int]", config_value(vae, "block_out_channels"))) - 1)
    return Components(
        tokenizer=tokenizer,
        text_encoder=text_encoder,
        vae=vae,
        unet=unet,
        scheduler=scheduler,
        low_res_scheduler=low_res,
        prediction=str(scheduler.get("prediction_type", "epsilon")),
        shrink=shrink,
        latent_scale=float(cast("float", config_value(vae, "scaling_factor"))),
        side=int(cast("int", config_value(unet, "sample_size"))) * shrink,
        sha256=sha256,
        source=source,
    )


def _check_widths(text_encoder: nn.Module, vae: nn.Module, unet: nn.Module, *, source: Path) -> None:
    """Refuse parts of different models: they would fail deep inside the first step."""
    given, wanted = config_value(text_encoder, "hidden_size"), config_value(unet, "cross_attention_dim")
    if given != wanted:
        raise UserError(
            f"The text encoder in {source} does not match the denoiser: it gives {given} numbers per token, the"
            f" denoiser takes {wanted}.",
            "Take both from the same model: 768 belong to Stable Diffusion 1.x, 1024 to 2.x.",
        )
    made, taken = config_value(vae, "latent_channels"), config_value(unet, "out_channels")
    if made != taken:
        raise UserError(
            f"The VAE in {source} does not match the denoiser: {made} channels against {taken}.",
            "Take both from the same model.",
        )


class _Reader(Protocol):
    """What is used of the classes of diffusers and transformers that read a folder."""

    def from_pretrained(self, folder: str, **options: object) -> tuple[nn.Module, dict[str, list[str]]]: ...


_READERS: dict[str, _Reader] = {
    "UNet2DConditionModel": cast("_Reader", UNet2DConditionModel),
    "AutoencoderKL": cast("_Reader", AutoencoderKL),
    "CLIPTextModel": cast("_Reader", CLIPTextModel),
}


def load_network(folder: Path, *, dtype: torch.dtype = torch.float32) -> nn.Module:
    """Read a UNet2DConditionModel, AutoencoderKL or CLIPTextModel from its folder, onto the CPU.

    Raises:
        UserError: The folder or its weights are missing, damaged, only there as a pickle, or of another class.
    """
    config = read_config(folder / "config.json")
    architectures = config.get("architectures")
    named = config.get("_class_name") or (architectures[0] if isinstance(architectures, list) else "")
    reader = _READERS.get(str(named))
    if reader is None:
        raise UserError(
            f"{folder} holds a {named or 'network of unknown class'}, which is not used here.",
            f"Networks that can be read: {', '.join(_READERS)}.",
        )
    options: dict[str, object] = {"dtype": dtype} if reader is CLIPTextModel else {"torch_dtype": dtype}
    variant = find_weight_files(folder, "model" if reader is CLIPTextModel else "diffusion_pytorch_model").variant
    try:
        network, info = reader.from_pretrained(
            str(folder),
            use_safetensors=True,
            local_files_only=True,
            variant=variant,
            output_loading_info=True,
            **options,
        )
    except (OSError, ValueError, RuntimeError, SafetensorError, KeyError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise UserError(
            f"The weights in {folder} are damaged, or do not fit their config.json ({reason.rstrip('.')}).",
            "Copy the model again from where it came from.",
        ) from error
    _check_complete(info, folder)
    return network


def _check_complete(info: Mapping[str, Sequence[str]], folder: Path) -> None:
    """Refuse a network of which a part is as chance made it: both libraries only warn."""
    missing = [each for each in info.get("missing_keys", ()) if not str(each).endswith(_HARMLESS_KEYS)]
    if missing or info.get("mismatched_keys"):
        what = f"{len(missing)} tensors are missing, such as {missing[0]}" if missing else "shapes differ"
        raise UserError(
            f"The weights in {folder} do not fit their config.json: {what}.",
            "Copy the model again from where it came from.",
        )


def load_tokenizer(folder: Path) -> Tokenizer:
    """Read a CLIP tokenizer from `vocab.json` and `merges.txt`, or from `tokenizer.json`.

    Raises:
        UserError: Its files are missing or damaged.
    """
    is_there = (folder / "tokenizer.json").is_file() or all(
        (folder / name).is_file() for name in ("vocab.json", "merges.txt")
    )
    if not is_there:
        raise UserError(
            f"There is no tokenizer in {folder}.", "Put vocab.json and merges.txt of the same model into that folder."
        )
    try:
        return cast("Tokenizer", CLIPTokenizer.from_pretrained(str(folder), local_files_only=True))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"The tokenizer in {folder} is damaged ({error}).", "Copy its files again.") from error


def read_config(path: Path) -> dict[str, JsonValue]:
    """Read a JSON object. Raises UserError where the file is missing or something else."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UserError(f"{path} is missing.", "Copy the whole model, with the small .json files of each part.") from (
            error
        )
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read ({error}).", "Copy the model again.") from error
    if not isinstance(content, dict):
        raise UserError(f"{path} holds no JSON object.", "Copy the model again.")
    return content


def config_value(network: nn.Module, name: str) -> object:
    """One value of the configuration that a network was built with."""
    return getattr(network.config, name)
