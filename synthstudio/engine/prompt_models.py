"""Loading a model that makes images from prompts."""

from __future__ import annotations

import torch

from synthstudio.domain.errors import UserError
from synthstudio.engine.device import choose_device
from synthstudio.engine.diffusion_models import config_value, load_components
from synthstudio.engine.diffusion_sampling import PromptArtist
from synthstudio.engine.diffusion_weights import load_tuned
from synthstudio.project.prompt_sources import PromptSource
from synthstudio.settings.generate import SamplingPrecision

_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
LATENT_CHANNELS = 4


def open_prompt_artist(
    source: PromptSource, *, device: str = "auto", precision: SamplingPrecision = "auto", threads: int = 0
) -> PromptArtist:
    """Load a model.

    Args:
        source: Which one.
        device: "auto" takes a GPU where there is one.
        precision: Of its arithmetic; images are decoded in fp32 all the same, as some decoders overflow in fp16.
        threads: Of the processor, for this process; 0 leaves them as they are.

    Raises:
        UserError: Its files are missing or damaged, do not belong together, or are those of a model for another use.
    """
    chosen = choose_device(device)
    if threads:
        torch.set_num_threads(threads)
    dtype = _DTYPES[resolve_precision(precision, chosen)]
    if source.folder is not None and source.card is not None:
        step = source.origin.step
        parts = load_tuned(source.folder, source.card, source.base.path, device=chosen, dtype=dtype, step=step)
    else:
        parts = load_components(source.base.path, device=chosen, dtype=dtype, sha256=source.base.sha256)
    if config_value(parts.unet, "in_channels") != LATENT_CHANNELS:
        raise UserError(
            f"The model {source.base.name} is one for inpainting alone: it cannot make images from words.",
            "Take a usual Stable Diffusion; it can inpaint, too.",
        )
    parts.vae.to(torch.float32)
    return PromptArtist(parts)


def resolve_precision(precision: SamplingPrecision, device: torch.device) -> SamplingPrecision:
    """What "auto" comes to on a device."""
    if precision != "auto":
        return precision
    return "fp16" if device.type == "cuda" else "fp32"
