"""An upscaler of either kind, loaded to enlarge images one by one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version

import torch

from synthstudio.core.imaging import ImageArray
from synthstudio.domain.errors import UserError
from synthstudio.engine.compact_upscaling import CompactEnlarger, load_compact
from synthstudio.engine.device import choose_device, device_words
from synthstudio.engine.memory_limits import is_out_of_memory
from synthstudio.project.upscalers import FoundUpscaler
from synthstudio.settings.upscale import UpscaleSettings

Enlarge = Callable[[ImageArray, str, int], ImageArray]
"""Enlarges `(H, W, 3)` uint8 RGB; the other arguments are the prompt of the image and its number, for the noise."""


@dataclass(frozen=True, slots=True)
class Enlarger:
    """Enlarges images.

    Attributes:
        device: What computes, in words.
        versions: Of what computes.
    """

    device: str
    versions: dict[str, str]
    _enlarge: Enlarge
    _tile: int

    def enlarge(self, image: ImageArray, *, prompt: str, index: int) -> ImageArray:
        """Enlarge `(H, W, 3)` to `(F H, F W, 3)`, uint8 RGB both.

        Raises:
            UserError: The memory is too small for one window, or the upscaler made no image.
        """
        try:
            return self._enlarge(image, prompt, index)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            raise UserError(
                f"The memory is too small to enlarge windows of {self._tile} px.",
                "Choose smaller windows, close other programs, or take the processor.",
            ) from error


def open_enlarger(found: FoundUpscaler, settings: UpscaleSettings, *, device: str) -> Enlarger:
    """Load an upscaler.

    Args:
        found: Which one.
        settings: How it enlarges; the seed is that of the noise.
        device: "auto" takes a GPU where there is one.

    Raises:
        UserError: Its files are missing or damaged, or are those of another model.
    """
    chosen = choose_device(device)
    versions = {"torch": version("torch")}
    if found.method == "compact":
        compact = CompactEnlarger(load_compact(found.path), chosen, tile=settings.tile)
        return Enlarger(
            device_words(chosen), versions, lambda image, _prompt, _index: compact.enlarge(image), settings.tile
        )
    enlarge = _open_diffusion(found, settings, chosen)
    versions["diffusers"] = version("diffusers")
    return Enlarger(device_words(chosen), versions, enlarge, settings.tile)


def _open_diffusion(found: FoundUpscaler, settings: UpscaleSettings, device: torch.device) -> Enlarge:
    # Not at the top: diffusers takes seconds to import, and the compact network needs none of it.
    from synthstudio.engine.diffusion_models import load_components  # noqa: PLC0415
    from synthstudio.engine.diffusion_upscaling import DiffusionEnlarger, UpscaleRequest  # noqa: PLC0415

    dtype = torch.float16 if device.type == "cuda" else torch.float32
    components = load_components(
        found.path, device=device, dtype=dtype, sha256=found.origin.model_sha256, checkpoint=found.folder
    )
    components.vae.to(torch.float32)  # it overflows in fp16
    request = UpscaleRequest(settings.steps, settings.guidance, settings.noise_level, settings.prompt)
    diffusion = DiffusionEnlarger(components, request, tile=settings.tile)
    seed = settings.seed
    return lambda image, prompt, index: diffusion.enlarge(image, prompt=prompt or found.subject, seed=seed, index=index)
