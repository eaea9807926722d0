"""Checkpoints of fine-tuned diffusion models in the files that diffusers reads, and back."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol, cast

import torch
from torch import nn

from synthstudio.core.imaging import sync_folder, translate_os_error, write_bytes_atomically
from synthstudio.core.training.diffusion_card import (
    DENOISER_FOLDER,
    TEXT_ENCODER_FOLDER,
    DiffusionCard,
    checkpoint_folder,
    find_checkpoint,
)
from synthstudio.domain.errors import UserError
from synthstudio.engine.checkpoints import write_weights
from synthstudio.engine.diffusion_lora import load_lora, merged_weights, save_lora
from synthstudio.engine.diffusion_models import SCHEDULER, TOKENIZER, VAE, Components, load_components
from synthstudio.settings.train_diffusion import LoraSettings

_DIFFUSERS_NAME, _TRANSFORMERS_NAME = "diffusion_pytorch_model.safetensors", "model.safetensors"
_TEXT_MODEL = "text_model."


class _Configured(Protocol):
    def to_dict(self) -> dict[str, object]: ...


def save_tuned(
    folder: Path,
    step: int,
    components: Components,
    *,
    has_text_encoder: bool,
    lora: LoraSettings | None,
    dtype: torch.dtype = torch.float32,
) -> Path:
    """Write the checkpoint of a step, whole or not at all; an earlier one of the same step is replaced.

    Args:
        folder: Of the run.
        step: Of the training.
        components: The model in its present state.
        has_text_encoder: The text encoder was trained, too.
        lora: Where only additions were trained.
        dtype: Of the stored weights of whole networks.

    Returns:
        The checkpoint's folder.

    Raises:
        UserError: It cannot be written.
    """
    final = checkpoint_folder(folder, step)
    aside = final.with_name(f".{final.name}")
    try:
        final.parent.mkdir(exist_ok=True)
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir()
        if lora is not None:
            text_encoder = components.text_encoder if has_text_encoder else None
            save_lora(aside, denoiser=components.unet, text_encoder=text_encoder, settings=lora)
        else:
            _save_network(aside / DENOISER_FOLDER, components.unet, dtype=dtype)
            if has_text_encoder:
                _save_text_encoder(aside / TEXT_ENCODER_FOLDER, components.text_encoder, dtype=dtype)
        shutil.rmtree(final, ignore_errors=True)
        aside.rename(final)
        sync_folder(final.parent)
    except OSError as error:
        shutil.rmtree(aside, ignore_errors=True)
        raise translate_os_error(error, final) from error
    except UserError:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    return final


def load_tuned(
    folder: Path,
    card: DiffusionCard,
    source: Path,
    *,
    device: torch.device,
    dtype: torch.dtype = torch.float32,
    step: int = 0,
) -> Components:
    """Read a fine-tuned model.

    Args:
        folder: Of the run.
        card: Of the run.
        source: Folder or file of its base model.
        device: Where the networks go.
        dtype: Of all weights.
        step: Of the checkpoint; 0 for the newest.

    Raises:
        UserError: There is no such checkpoint, or something is missing, damaged, or does not match.
    """
    _, checkpoint = find_checkpoint(folder, card, step=step)
    if card.method == "dreambooth":
        return load_components(source, device=device, dtype=dtype, sha256=card.base_sha256, checkpoint=checkpoint)
    components = load_components(source, device=device, dtype=dtype, sha256=card.base_sha256)
    load_lora(checkpoint, denoiser=components.unet, text_encoder=components.text_encoder)
    for network in (components.unet, components.text_encoder):
        network.to(dtype)
    return components


def write_pipeline(folder: Path, components: Components) -> None:
    """Write a whole model as programs built on diffusers read it: `StableDiffusionPipeline.from_pretrained(folder)`.

    Additions of LoRA are merged.

    Raises:
        UserError: It cannot be written.
    """
    aside = folder.with_name(f".{folder.name}")
    try:
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir()
        _save_network(aside / DENOISER_FOLDER, components.unet, dtype=torch.float32)
        _save_network(aside / VAE, components.vae, dtype=torch.float32)
        _save_text_encoder(aside / TEXT_ENCODER_FOLDER, components.text_encoder, dtype=torch.float32)
        _save_tokenizer(aside / TOKENIZER, components)
        scheduler = {"_class_name": "DDIMScheduler", **components.scheduler}
        _write_json(aside / SCHEDULER, "scheduler_config.json", scheduler)
        write_bytes_atomically(aside / "model_index.json", _json(_index(str(scheduler["_class_name"]))))
        shutil.rmtree(folder, ignore_errors=True)
        aside.rename(folder)
        sync_folder(folder.parent)
    except OSError as error:
        shutil.rmtree(aside, ignore_errors=True)
        raise translate_os_error(error, folder) from error
    except UserError:
        shutil.rmtree(aside, ignore_errors=True)
        raise


def _index(scheduler: str) -> dict[str, object]:
    return {
        "_class_name": "StableDiffusionPipeline",
        "feature_extractor": [None, None],
        "requires_safety_checker": False,
        "safety_checker": [None, None],
        "scheduler": ["diffusers", scheduler],
        "text_encoder": ["transformers", "CLIPTextModel"],
        "tokenizer": ["transformers", "CLIPTokenizer"],
        "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", "AutoencoderKL"],
    }


def _save_network(folder: Path, network: nn.Module, *, dtype: torch.dtype) -> None:
    """Write a network of diffusers."""
    _write_json(folder, "config.json", {"_class_name": type(network).__name__, **_config_of(network)})
    _write_floats(folder / _DIFFUSERS_NAME, merged_weights(network), dtype=dtype)


def _save_text_encoder(folder: Path, network: nn.Module, *, dtype: torch.dtype) -> None:
    _write_json(folder, "config.json", {"architectures": [type(network).__name__], **_config_of(network)})
    # transformers 5.6 left the prefix away; older versions, and other programs, want it, and newer ones read it, too.
    named = {_TEXT_MODEL + name.removeprefix(_TEXT_MODEL): each for name, each in merged_weights(network).items()}
    _write_floats(folder / _TRANSFORMERS_NAME, named, dtype=dtype)


def _save_tokenizer(folder: Path, components: Components) -> None:
    """Write the tokenizer with the files that older programs read, too."""
    folder.mkdir()
    components.tokenizer.save_pretrained(str(folder))
    content = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))["model"]
    if not (folder / "vocab.json").is_file():
        write_bytes_atomically(folder / "vocab.json", json.dumps(content["vocab"], ensure_ascii=False).encode())
    if not (folder / "merges.txt").is_file():
        merges = [each if isinstance(each, str) else " ".join(each) for each in content["merges"]]
        write_bytes_atomically(folder / "merges.txt", "\n".join(("#version: 0.2", *merges, "")).encode())


def _config_of(network: nn.Module) -> dict[str, object]:
    config = network.config
    values = dict(config) if isinstance(config, Mapping) else cast("_Configured", config).to_dict()
    return {name: each for name, each in values.items() if name != "_name_or_path"}


def _write_json(folder: Path, name: str, content: Mapping[str, object]) -> None:
    folder.mkdir()
    write_bytes_atomically(folder / name, _json(content))


def _json(content: Mapping[str, object]) -> bytes:
    return json.dumps(content, indent=2, sort_keys=True).encode()


def _write_floats(path: Path, tensors: Mapping[str, torch.Tensor], *, dtype: torch.dtype) -> None:
    stored = {name: each.to(dtype) if each.is_floating_point() else each for name, each in tensors.items()}
    write_weights(path, stored, {"format": "pt"})
