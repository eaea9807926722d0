"""A Stable Diffusion, and an x4 upscaler, that nobody has trained: the real classes, tiny, with random weights.

Images of 64 px have latents of 8 x 8, as with the published model: the VAE shrinks by 8 in three steps.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel

Prediction = Literal["epsilon", "v_prediction"]

TEXT_WIDTH = 32
MAX_TOKENS = 77
START, END = "<|startoftext|>", "<|endoftext|>"
WORDS = ("cell", "skin", "lesion", "red", "blue", "photo", "of", "with", "pox")
"""Words that are one token; all others are spelled."""


def write_tiny_diffusion(
    folder: Path, *, seed: int = 0, prediction: Prediction = "epsilon", text_width: int = TEXT_WIDTH
) -> Path:
    """Write a diffusers folder of a Stable Diffusion for images of 64 px (any multiple of 16 works).

    Args:
        folder: Is made; its parents too.
        seed: Of the random weights.
        prediction: What the denoiser is said to predict.
        text_width: Width of the text encoder; another than `TEXT_WIDTH` does not match the denoiser.

    Returns:
        The folder.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)  # the only way to seed layers, and only within this block
        unet = _tiny_unet(in_channels=4)
        vae = _tiny_vae(channels=(8, 8, 8, 8), latent_scale=0.18215)
        text_encoder = _tiny_text_encoder(text_width)
    unet.save_pretrained(folder / "unet")
    vae.save_pretrained(folder / "vae")
    text_encoder.save_pretrained(folder / "text_encoder")
    write_tiny_tokenizer(folder / "tokenizer")
    _write_scheduler(folder / "scheduler", class_name="DDIMScheduler", prediction=prediction)
    _write_index(folder, "StableDiffusionPipeline", scheduler="DDIMScheduler")
    return folder


def write_tiny_upscaler(folder: Path, *, seed: int = 0) -> Path:
    """Write a diffusers folder of an x4 diffusion upscaler: 32 px become 128 px. Returns the folder."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        unet = _tiny_unet(in_channels=7, num_class_embeds=1000)
        vae = _tiny_vae(channels=(8, 8, 8), latent_scale=0.08333)
        text_encoder = _tiny_text_encoder(TEXT_WIDTH)
    unet.save_pretrained(folder / "unet")
    vae.save_pretrained(folder / "vae")
    text_encoder.save_pretrained(folder / "text_encoder")
    write_tiny_tokenizer(folder / "tokenizer")
    _write_scheduler(folder / "scheduler", class_name="DDIMScheduler", prediction="v_prediction")
    _write_scheduler(folder / "low_res_scheduler", class_name="DDPMScheduler", prediction="epsilon")
    _write_index(folder, "StableDiffusionUpscalePipeline", scheduler="DDIMScheduler")
    return folder


def write_tiny_tokenizer(folder: Path) -> Path:
    """Write `vocab.json`, `merges.txt` and `tokenizer_config.json` of a CLIP tokenizer with a small vocabulary."""
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary, merges = _small_vocabulary()
    (folder / "vocab.json").write_text(json.dumps(vocabulary), encoding="utf-8")
    (folder / "merges.txt").write_text("\n".join(("#version: 0.2", *merges, "")), encoding="utf-8")
    config = {
        "tokenizer_class": "CLIPTokenizer",
        "model_max_length": MAX_TOKENS,
        "bos_token": START,
        "eos_token": END,
        "unk_token": END,
        "pad_token": END,
        "do_lower_case": True,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")
    return folder


def _small_vocabulary() -> tuple[dict[str, int], list[str]]:
    """All printable ASCII characters, inside and at the end of a word, and a few whole words."""
    letters = [chr(code) for code in range(33, 127)]
    tokens = letters + [f"{letter}</w>" for letter in letters]
    merges: list[str] = []
    for word in WORDS:
        parts = [*word[:-1], f"{word[-1]}</w>"]
        while len(parts) > 1:
            pair = f"{parts[0]} {parts[1]}"
            if pair not in merges:
                merges.append(pair)
                tokens.append(parts[0] + parts[1])
            parts = [parts[0] + parts[1], *parts[2:]]
    unique = list(dict.fromkeys(tokens))
    return {token: number for number, token in enumerate((*unique, START, END))}, merges


def _tiny_text_encoder(width: int) -> CLIPTextModel:
    vocabulary, _ = _small_vocabulary()
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(vocabulary),
            hidden_size=width,
            intermediate_size=2 * width,
            num_hidden_layers=2,
            num_attention_heads=2,
            max_position_embeddings=MAX_TOKENS,
            bos_token_id=vocabulary[START],
            eos_token_id=vocabulary[END],
            pad_token_id=vocabulary[END],
        )
    )


def _tiny_unet(*, in_channels: int, num_class_embeds: int | None = None) -> UNet2DConditionModel:
    return UNet2DConditionModel(
        sample_size=8,
        in_channels=in_channels,
        out_channels=4,
        block_out_channels=(16, 32),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=TEXT_WIDTH,
        attention_head_dim=2,
        norm_num_groups=8,
        num_class_embeds=num_class_embeds,
    )


def _tiny_vae(*, channels: tuple[int, ...], latent_scale: float) -> AutoencoderKL:
    return AutoencoderKL(
        sample_size=64,
        block_out_channels=channels,
        down_block_types=("DownEncoderBlock2D",) * len(channels),
        up_block_types=("UpDecoderBlock2D",) * len(channels),
        layers_per_block=1,
        latent_channels=4,
        scaling_factor=latent_scale,
        norm_num_groups=4,
    )


def _write_scheduler(folder: Path, *, class_name: str, prediction: Prediction) -> None:
    """The schedule of Stable Diffusion 1 and 2."""
    folder.mkdir(parents=True, exist_ok=True)
    config = {
        "_class_name": class_name,
        "num_train_timesteps": 1000,
        "beta_start": 0.00085,
        "beta_end": 0.012,
        "beta_schedule": "scaled_linear",
        "clip_sample": False,
        "prediction_type": prediction,
    }
    if class_name == "DDIMScheduler":
        config |= {"set_alpha_to_one": False, "steps_offset": 1}
    (folder / "scheduler_config.json").write_text(json.dumps(config), encoding="utf-8")


def _write_index(folder: Path, pipeline: str, *, scheduler: str) -> None:
    """`model_index.json`: which class reads which folder."""
    index: dict[str, object] = {
        "_class_name": pipeline,
        "scheduler": ["diffusers", scheduler],
        "text_encoder": ["transformers", "CLIPTextModel"],
        "tokenizer": ["transformers", "CLIPTokenizer"],
        "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", "AutoencoderKL"],
        "safety_checker": [None, None],
        "feature_extractor": [None, None],
    }
    if pipeline == "StableDiffusionUpscalePipeline":
        index |= {"low_res_scheduler": ["diffusers", "DDPMScheduler"], "max_noise_level": 350}
    else:
        index |= {"requires_safety_checker": False}
    (folder / "model_index.json").write_text(json.dumps(index, indent=2), encoding="utf-8")
