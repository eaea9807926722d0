"""Images as latents of a VAE, encoded once for a whole training: mean and spread are kept, and drawn from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from synthstudio.core.imaging import ImageArray
from synthstudio.domain.progress import Tick, no_tick
from synthstudio.engine.diffusion_passes import latent_moments


def to_pixels(images: NDArray[np.uint8], device: torch.device) -> Tensor:
    """Images `(N, S, S, 3)` uint8 as `(N, 3, S, S)` float32 in -1..1 on a device."""
    pixels = torch.from_numpy(np.ascontiguousarray(images)).to(device)
    return pixels.permute(0, 3, 1, 2).float().div_(127.5).sub_(1.0)


class LatentImages:
    """Images of one size that latents are drawn of.

    Args:
        images: `(S, S, 3)` uint8 each; at least one.
        vae: Of the base model, on its device; it is kept for what is not cached.
        scale: Latents are multiplied by this.
        is_cached: Keep mean and spread of all images; else images are encoded each time.
        flips: Mirrored images are wanted, too.
        tick: Called with the number of images that have been encoded, and of all.
    """

    def __init__(
        self,
        images: Sequence[ImageArray],
        vae: nn.Module,
        *,
        scale: float,
        is_cached: bool,
        flips: bool,
        tick: Tick = no_tick,
    ) -> None:
        self._vae, self._scale = vae, scale
        self._images = np.stack(images)
        self._moments: dict[bool, tuple[Tensor, Tensor]] = {}
        if is_cached:
            for is_mirrored in (False, True) if flips else (False,):
                done = len(images) if is_mirrored else 0
                self._moments[is_mirrored] = self._encode_all(is_mirrored, tick, done, len(images) * (1 + flips))

    def __len__(self) -> int:
        return len(self._images)

    def draw(self, numbers: NDArray[np.int64], *, mirrored: NDArray[np.bool_], noise: Tensor) -> Tensor:
        """Draw scaled latents.

        Args:
            numbers: Of the images, `(N,)`.
            mirrored: Which of them are mirrored left to right, `(N,)`.
            noise: From a standard normal, of the shape of the latents `(N, C, h, w)`, on their device.
        """
        moments = [self._of(int(number), bool(each)) for number, each in zip(numbers, mirrored, strict=True)]
        mean, spread = (torch.stack([each[part] for each in moments]).to(noise.device) for part in (0, 1))
        return (mean + spread * noise) * self._scale

    def _of(self, number: int, is_mirrored: bool) -> tuple[Tensor, Tensor]:
        if self._moments:
            mean, spread = self._moments[is_mirrored]
            return mean[number], spread[number]
        mean, spread = self._encode(number, is_mirrored)
        return mean[0], spread[0]

    @torch.no_grad()
    def _encode(self, number: int, is_mirrored: bool) -> tuple[Tensor, Tensor]:
        image = self._images[number : number + 1]
        device = next(self._vae.parameters()).device
        mean, spread = latent_moments(self._vae, to_pixels(image[:, :, ::-1] if is_mirrored else image, device))
        return mean.float(), spread.float()

    def _encode_all(self, is_mirrored: bool, tick: Tick, done: int, total: int) -> tuple[Tensor, Tensor]:
        means, spreads = [], []
        for number in range(len(self)):  # one by one: the same latents whatever the memory holds
            tick(done + number, total)
            mean, spread = self._encode(number, is_mirrored)
            means.append(mean)
            spreads.append(spread)
        return torch.cat(means), torch.cat(spreads)
