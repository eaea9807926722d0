"""Images of a Stable Diffusion from prompts: out of noise, upon a real picture, or inside a box of one.

The steps are those of `StableDiffusionPipeline`, its image-to-image and its inpainting twin (diffusers), so that the
same latents give the same image there. Noise comes from (seed, index) alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from synthstudio.core.imaging import ImageArray
from synthstudio.core.synthesis.streams import draw_noise
from synthstudio.domain.errors import UserError
from synthstudio.domain.prompts import PromptRequest
from synthstudio.domain.records import Box
from synthstudio.engine.diffusion_models import Components
from synthstudio.engine.diffusion_passes import decode_latents, latent_moments, predict, text_states, token_ids
from synthstudio.engine.diffusion_schedules import Schedule, build_schedule

FEATHER_SHARE = 0.1
"""Width of the seam, as a share of the shorter side of a painted box; within the box, so that the label holds it."""


def draw_latents(shape: tuple[int, int, int], *, seed: int, index: int) -> NDArray[np.float32]:
    """The noise that an image starts from: `shape` (4, side/8, side/8) float32 from a standard normal."""
    return draw_noise(int(np.prod(shape)), seed=seed, index=index).reshape(shape)


@dataclass(frozen=True, slots=True)
class PromptArtist:
    """Makes images with the parts of a model, on the device and in the precision that they have.

    They may be those of a training that goes on: they are asked in eval mode, and left in the mode they were in.
    """

    components: Components

    @property
    def device(self) -> torch.device:
        """Where the denoiser is."""
        return next(self.components.unet.parameters()).device

    def find_cut(self, prompts: Sequence[str]) -> list[str]:
        """Prompts of which the text encoder reads only the beginning."""
        tokenizer = self.components.tokenizer
        return [each for each in prompts if len(tokenizer.tokenize(each)) > tokenizer.model_max_length - 2]

    def draw(
        self, request: PromptRequest, *, seed: int, index: int = 0, ground: ImageArray | None = None
    ) -> ImageArray:
        """Make one image; see `draw_batch`."""
        return self.draw_batch([request], seed=seed, indices=[index], grounds=[ground] if ground is not None else None)[
            0
        ]

    def draw_batch(
        self,
        requests: Sequence[PromptRequest],
        *,
        seed: int,
        indices: Sequence[int],
        grounds: Sequence[ImageArray] | None = None,
    ) -> list[ImageArray]:
        """Make images at once; on a GPU it is faster than one by one, and the last digits may differ.

        Args:
            requests: What they show; all but prompt and place must be the same, and the strength of the places.
            seed, indices: Of the noise of each.
            grounds: `(side, side, 3)` uint8 RGB: the window of each place, where the requests have places.

        Returns:
            `(side, side, 3)` uint8 RGB each.

        Raises:
            UserError: The model cannot make images of this side, or made something that is no number.
        """
        first = requests[0]
        if len({_common(each) for each in requests}) > 1:
            raise ValueError("images that are made at once share side, steps, guidance, scheduler and strength")
        if (grounds is not None) != (first.place is not None):
            raise ValueError("a real picture belongs to a request with a place, and to none else")
        self._check_side(first.side)
        with torch.no_grad(), _asked(self.components):
            latents = self._denoise(requests, self._noise(first.side, seed=seed, indices=indices), grounds)
            images = self._decode(latents)
        if grounds is None:
            return images
        return [_pasted(image, ground, each) for image, ground, each in zip(images, grounds, requests, strict=True)]

    def _check_side(self, side: int) -> None:
        shrink = self.components.shrink
        if side % shrink:
            raise UserError(
                f"The model makes images whose side is a multiple of {shrink} px, not of {side} px.",
                f"Choose {max(1, round(side / shrink)) * shrink} px.",
            )

    def _noise(self, side: int, *, seed: int, indices: Sequence[int]) -> torch.Tensor:
        cells = side // self.components.shrink
        drawn = np.stack([draw_latents((4, cells, cells), seed=seed, index=index) for index in indices])
        return torch.from_numpy(drawn).to(self.device)  # (N, 4, h, w)

    def _denoise(
        self, requests: Sequence[PromptRequest], noise: torch.Tensor, grounds: Sequence[ImageArray] | None
    ) -> torch.Tensor:
        """Latents `(N, 4, h, w)` float32 of the images."""
        first = requests[0]
        strength = first.place.strength if first.place is not None else 1.0
        schedule, steps = build_schedule(
            first.scheduler, self.components.scheduler, steps=first.steps, device=self.device, strength=strength
        )
        states = self._states(requests)
        latents, known, mask = noise * schedule.init_noise_sigma, None, None
        if grounds is not None:
            known = self._encode(grounds)
            mask = self._masks(requests) if first.place is not None and first.place.box is not None else None
            if mask is None or strength < 1.0:
                latents = schedule.add_noise(known, noise, steps[0].expand(len(requests)))
        for number, step in enumerate(steps):
            guess = self._guess(schedule, latents, step, states, guidance=first.guidance)
            latents = schedule.step(guess, step, latents, return_dict=False)[0]
            if mask is not None and known is not None:
                is_last = number + 1 == len(steps)
                kept = known if is_last else schedule.add_noise(known, noise, steps[number + 1].expand(len(requests)))
                latents = kept + mask * (latents - kept)
        return latents

    def _states(self, requests: Sequence[PromptRequest]) -> torch.Tensor:
        """States of the words, `(N, T, K)`; with guidance those of the negative prompts stand before, `(2 N, T, K)`."""
        texts = [each.prompt for each in requests]
        if requests[0].guidance > 1.0:
            texts = [each.negative for each in requests] + texts
        parts = self.components
        # Each text once: many variants of a prompt share it.
        different = list(dict.fromkeys(texts))
        found = text_states(parts.text_encoder, token_ids(parts.tokenizer, different))
        return found[[different.index(text) for text in texts]]

    def _guess(
        self, schedule: Schedule, latents: torch.Tensor, step: torch.Tensor, states: torch.Tensor, *, guidance: float
    ) -> torch.Tensor:
        """What the denoiser says of the latents, `(N, 4, h, w)` float32, drawn to the words (Ho, Salimans 2022)."""
        scaled = schedule.scale_model_input(latents, step)
        n = len(latents)
        if guidance > 1.0:
            scaled = torch.cat([scaled, scaled])
        unet = self.components.unet
        dtype = next(unet.parameters()).dtype
        said = predict(unet, scaled.to(dtype), step, states.to(dtype)).float()
        return said[:n] + guidance * (said[n:] - said[:n]) if guidance > 1.0 else said

    def _encode(self, grounds: Sequence[ImageArray]) -> torch.Tensor:
        """Latents `(N, 4, h, w)` float32 of real pictures: the mean, so that no more random numbers enter."""
        parts = self.components
        dtype = next(parts.vae.parameters()).dtype
        pixels = torch.from_numpy(np.stack(grounds)).permute(0, 3, 1, 2).to(self.device, torch.float32)
        mean, _ = latent_moments(parts.vae, (pixels / 127.5 - 1.0).to(dtype))
        return mean.float() * parts.latent_scale

    def _masks(self, requests: Sequence[PromptRequest]) -> torch.Tensor:
        """1 where latents are painted anew, `(N, 1, h, w)`: each element that a box touches."""
        shrink, side = self.components.shrink, requests[0].side
        cells = side // shrink
        masks = torch.zeros(len(requests), 1, cells, cells, device=self.device)
        for mask, request in zip(masks, requests, strict=True):
            box = _box_of(request)
            x0, y0 = int(box.x0) // shrink, int(box.y0) // shrink
            x1, y1 = -(-int(box.x1) // shrink), -(-int(box.y1) // shrink)
            mask[:, y0:y1, x0:x1] = 1.0
        return masks

    def _decode(self, latents: torch.Tensor) -> list[ImageArray]:
        """Pixels; one image after another, because decoding takes more memory than all else."""
        parts = self.components
        dtype = next(parts.vae.parameters()).dtype
        images = []
        for each in latents:
            values = decode_latents(parts.vae, each[None].to(dtype), latent_scale=parts.latent_scale)[0].float()
            if not bool(torch.isfinite(values).all()):
                raise UserError(
                    "The model has made an image that is no image: its values are not numbers.",
                    "Choose the precision fp32, or another checkpoint.",
                )
            pixels = ((values / 2 + 0.5).clamp(0.0, 1.0) * 255.0).round()
            images.append(np.ascontiguousarray(pixels.permute(1, 2, 0).to(torch.uint8).cpu().numpy()))
        return images


def _common(request: PromptRequest) -> tuple[object, ...]:
    place = request.place
    kind = None if place is None else (place.strength, place.box is None)
    return request.side, request.steps, request.guidance, request.scheduler, kind


@contextmanager
def _asked(parts: Components) -> Iterator[None]:
    """Networks in eval mode for the time being."""
    networks: tuple[nn.Module, ...] = (parts.unet, parts.vae, parts.text_encoder)
    learning = [module for network in networks for module in network.modules() if module.training]
    for network in networks:
        network.eval()
    try:
        yield
    finally:
        for module in learning:
            module.training = True


def _box_of(request: PromptRequest) -> Box:
    box = request.place.box_within(request.side) if request.place is not None else None
    assert box is not None  # asked for where there is one only
    return box


def _pasted(image: ImageArray, ground: ImageArray, request: PromptRequest) -> ImageArray:
    """The image where it was painted, and the real picture everywhere else, to the last bit."""
    if request.place is None or request.place.box is None:
        return image
    box = _box_of(request)
    x0, y0, x1, y1 = (int(corner) for corner in (box.x0, box.y0, box.x1, box.y1))
    width, height = x1 - x0, y1 - y0
    seam = max(1.0, FEATHER_SHARE * min(width, height))
    across, down = np.arange(width) + 0.5, np.arange(height) + 0.5
    near = np.minimum.outer(np.minimum(down, height - down), np.minimum(across, width - across))
    share = np.clip(near / seam, 0.0, 1.0)[:, :, None]
    pasted = ground.copy()
    old, new = ground[y0:y1, x0:x1].astype(np.float64), image[y0:y1, x0:x1].astype(np.float64)
    pasted[y0:y1, x0:x1] = np.rint(old + share * (new - old)).astype(np.uint8)
    return pasted
