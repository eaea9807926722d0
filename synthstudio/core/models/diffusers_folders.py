"""Folders as diffusers writes them: a model_index.json, and a folder for each part."""

from __future__ import annotations

import json
from pathlib import Path

from synthstudio.core.models.licences import is_licence_file
from synthstudio.core.models.tensor_files import read_tensor_file
from synthstudio.core.models.weight_files import STEMS, find_weight_files
from synthstudio.core.models.what import (
    IMAGES,
    INPAINTING_CHANNELS,
    PREDICTION,
    TEXT_WIDTHS,
    UPSCALER_CHANNELS,
    Recognised,
    weights_in_words,
)
from synthstudio.domain.errors import UserError
from synthstudio.domain.models import ModelKind

SMALL_PARTS = ("tokenizer", "scheduler", "low_res_scheduler")
"""Folders without weights; only an upscaler has the last one."""
SMALL_FILES = ("tokenizer.json", "vocab.json", "merges.txt", "config.json", "scheduler_config.json")
XL_HINT = "Stable Diffusion 1.x and 2.x can be trained on a handful of images here; bring in one of those."

Json = dict[str, object]


def recognise_folder(folder: Path) -> tuple[Recognised, tuple[Path, ...]]:
    """Tell what a diffusers folder is, and which of its files belong to it.

    Raises:
        UserError: A part is missing or damaged, or it is a model that is not used here.
    """
    index_file = folder / "model_index.json"
    index = _read_json(index_file) if index_file.is_file() else {}
    _refuse_other_pipelines(folder, str(index.get("_class_name", "")))
    files = _list_files(folder)
    config = _read_json(folder / "unet" / "config.json")
    channels, width = _number(config, "in_channels"), _number(config, "cross_attention_dim")
    if channels == INPAINTING_CHANNELS:
        raise UserError(
            f"{folder.name} is an inpainting model, with {INPAINTING_CHANNELS} channels.",
            "Drawing into a box works with the plain model: bring in that one.",
        )
    _refuse_other_texts(folder, width)
    sides = 2 ** (len(_list(_read_json(folder / "vae" / "config.json"), "block_out_channels")) - 1)
    schedule = _read_json(folder / "scheduler" / "scheduler_config.json")
    n_weights = sum(
        read_tensor_file(each).n_weights() for each in find_weight_files(folder / "unet", STEMS["unet"]).tensors
    )
    facts = (
        (IMAGES, f"{_number(config, 'sample_size') * sides} px"),
        (PREDICTION, str(schedule.get("prediction_type", "epsilon"))),
        ("Weights", f"{weights_in_words(n_weights)} in the denoiser"),
    )
    if channels == UPSCALER_CHANNELS:
        return Recognised(ModelKind.DIFFUSION_UPSCALER, "x4 diffusion upscaler", facts), files
    name = TEXT_WIDTHS.get(width, f"Stable Diffusion with texts of width {width}")
    return Recognised(ModelKind.STABLE_DIFFUSION, name, facts), files


def _refuse_other_pipelines(folder: Path, pipeline: str) -> None:
    if "XL" in pipeline or (folder / "text_encoder_2").is_dir():
        raise UserError(f"{folder.name} is a Stable Diffusion XL, which has two text encoders.", XL_HINT)
    if pipeline and not pipeline.startswith("StableDiffusion"):
        raise UserError(f"{folder.name} holds a {pipeline}, which is not used here.", XL_HINT)
    if pipeline.startswith("StableDiffusion3"):
        raise UserError(f"{folder.name} is a Stable Diffusion 3, which has no UNet.", XL_HINT)


def _refuse_other_texts(folder: Path, width: int) -> None:
    """Where the text encoder is that of another model, every image would fail long after it was brought in."""
    own = _number(_read_json(folder / "text_encoder" / "config.json"), "hidden_size")
    if own and width and own != width:
        raise UserError(
            f"The text encoder of {folder.name} writes texts of width {own}, but its denoiser reads width {width}:"
            " they are of different models.",
            "Copy the text_encoder and tokenizer that belong to this unet.",
        )


def _list_files(folder: Path) -> tuple[Path, ...]:
    """All files that are used, and the licence."""
    files = [each for each in sorted(folder.iterdir()) if each.is_file() and is_licence_file(each)]
    files += [folder / "model_index.json"] if (folder / "model_index.json").is_file() else []
    for part, stem in STEMS.items():
        if not (folder / part).is_dir():
            raise UserError(
                f"{folder.name} has no folder {part}.", "Copy the whole model: unet, vae, text_encoder, tokenizer."
            )
        files += [folder / part / "config.json", *find_weight_files(folder / part, stem).files]
    for part in SMALL_PARTS:
        if (folder / part).is_dir():
            files += sorted(each for each in (folder / part).iterdir() if each.suffix in (".json", ".txt"))
    if not any(each.name in ("tokenizer.json", "merges.txt") for each in files):
        raise UserError(
            f"{folder.name} has no tokenizer.", f"Put vocab.json and merges.txt into {folder / 'tokenizer'}."
        )
    return tuple(files)


def _read_json(path: Path) -> Json:
    """Raises UserError where the file is missing or holds no JSON object."""
    hint = "Copy the whole model again, with the small .json files of each part."
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UserError(f"{path} is missing.", hint) from error
    except ValueError as error:
        raise UserError(f"{path} is damaged ({error}).", hint) from error
    if not isinstance(content, dict):
        raise UserError(f"{path} holds no JSON object.", hint)
    return content


def _number(config: Json, key: str) -> int:
    value = config.get(key)
    return value if isinstance(value, int) else 0


def _list(config: Json, key: str) -> list[object]:
    value = config.get(key)
    return value if isinstance(value, list) else [0]
