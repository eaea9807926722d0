"""Single files of Stable Diffusion, with the tensor names of its first, "latent diffusion", code."""

from __future__ import annotations

from pathlib import Path

from synthstudio.core.models.diffusers_folders import XL_HINT
from synthstudio.core.models.tensor_files import TensorFile
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

DENOISER = "model.diffusion_model."
FIRST_LAYER = f"{DENOISER}input_blocks.0.0.weight"
VAE = "first_stage_model."
TEXT_1, TEXT_2 = "cond_stage_model.transformer.", "cond_stage_model.model."
"""Beginnings of the text encoder's tensors: CLIP of 1.x, OpenCLIP of 2.x."""
_XL = "conditioner.embedders."
_METADATA_PREDICTION = "modelspec.prediction_type"


def is_ldm_file(file: TensorFile) -> bool:
    """Whether this is a single file of a Stable Diffusion."""
    return file.has(FIRST_LAYER)


def recognise_ldm_file(file: TensorFile, path: Path) -> Recognised:
    """Tell which Stable Diffusion a single file holds.

    Raises:
        UserError: A version that is not used here, or without VAE or text encoder.
    """
    if any(name.startswith(_XL) for name in file.shapes):
        raise UserError(f"{path.name} is a Stable Diffusion XL, which has two text encoders.", XL_HINT)
    for prefix, what in (((VAE,), "VAE"), ((TEXT_1, TEXT_2), "text encoder")):
        if not any(name.startswith(prefix) for name in file.shapes):
            raise UserError(f"{path.name} holds a denoiser without its {what}.", "Take the file of the whole model.")
    channels = file.shape(FIRST_LAYER)[1]
    if channels == INPAINTING_CHANNELS:
        raise UserError(
            f"{path.name} is an inpainting model, with {INPAINTING_CHANNELS} channels.",
            "Drawing into a box works with the plain model: bring in that one.",
        )
    if channels == UPSCALER_CHANNELS:
        raise UserError(
            f"{path.name} is the x4 upscaler as a single file.",
            "Bring it in as a diffusers folder; where diffusers may use the internet it is made by"
            f" StableDiffusionUpscalePipeline.from_single_file({path.name!r}).save_pretrained({path.stem!r}).",
        )
    width = text_width(file)
    if width not in TEXT_WIDTHS:
        raise UserError(f"{path.name} is a diffusion model with texts of width {width}, unknown here.", XL_HINT)
    prediction = _prediction(file, path, width=width)
    facts = (
        (IMAGES, "768 px" if prediction == "v_prediction" else "512 px"),
        (PREDICTION, prediction),
        ("Weights", f"{weights_in_words(file.n_weights(DENOISER))} in the denoiser"),
    )
    return Recognised(ModelKind.STABLE_DIFFUSION, f"{TEXT_WIDTHS[width]}, one file", facts)


def text_width(file: TensorFile) -> int:
    """Numbers per token that the denoiser takes; 0 where it takes none."""
    widths = {
        shape[1]
        for name, shape in file.shapes.items()
        if name.startswith(DENOISER) and name.endswith("attn2.to_k.weight") and len(shape) == 2
    }
    return min(widths, default=0)


def _prediction(file: TensorFile, path: Path, *, width: int) -> str:
    """What the denoiser predicts: no tensor tells.

    By the file's metadata, by the .yaml of the same name that comes with such files, else as the usual ones: 1.x the
    noise, 2.x v.
    """
    told = file.metadata.get(_METADATA_PREDICTION, "")
    if not told and (yaml := path.with_suffix(".yaml")).is_file():
        told = "v" if 'parameterization: "v"' in yaml.read_text(encoding="utf-8", errors="replace") else "epsilon"
    if told:
        return "v_prediction" if told.lower().startswith("v") else "epsilon"
    return "epsilon" if width == 768 else "v_prediction"
