"""What a denoiser makes of held-out maps, and how well it takes noise from held-out crops."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from synthstudio.core.imaging import ImageArray
from synthstudio.core.synthesis.streams import draw_noise
from synthstudio.core.training.patch_diffusion_card import PatchDiffusionCard
from synthstudio.domain.progress import Tick
from synthstudio.engine.data.region_batches import from_network, to_network
from synthstudio.engine.held_out import KID, HeldOutCrops
from synthstudio.engine.loops import Validation
from synthstudio.engine.networks.patch_denoiser import MapLayers, MapReader, PatchDenoiser
from synthstudio.engine.patch_noise import Noising, noise_shape, sample_patches

N_JUDGED = 32
"""Held-out crops in the figures, at most."""
DENOISING = "validation/denoising"
_N_AT_ONCE = 16
_N_NOISED = 8
"""Times at which each held-out crop is noised for the figure; always the same ones, with the same noise."""


class PatchSampler:
    """Takes the samples of a training: a picture in the run's folder, and the figures.

    Args:
        held_out: What the network is asked for.
        card: How it was built and samples.
        read_maps: Turns maps into what the network takes.
        folder: Of the run.
        device: Of the network.
        preview: Shows a small picture.
        tick: Asked between two steps of the sampling, of which a CPU makes a few in a second, whether to stop.
            Called with the step of the training.
    """

    def __init__(
        self,
        held_out: HeldOutCrops,
        card: PatchDiffusionCard,
        read_maps: MapReader,
        *,
        folder: Path,
        device: torch.device,
        preview: Callable[[ImageArray, str], None],
        tick: Callable[[int], None],
    ) -> None:
        self._held_out, self._card, self._device = held_out, card, device
        self._folder, self._preview = folder, preview
        self._tick = tick
        self._layers = read_maps(torch.from_numpy(held_out.maps))
        shape = noise_shape(card.side)
        noise = [draw_noise(int(np.prod(shape)), seed=card.seed, index=index) for index in range(len(held_out))]
        self._noise = torch.from_numpy(np.stack(noise).reshape(-1, *shape))
        self._noising = Noising(card.noise.model_copy(update={"without_request": 0.0}), seed=card.seed, device=device)
        self.figures: dict[str, float] = {}
        """Of the last samples."""

    def __call__(self, network: PatchDenoiser, step: int) -> Validation:
        """Show and judge a network in eval mode; a higher score is better.

        The error of denoising falls while there is something to learn and rises when crops are learned by heart; so it
        is the score, and the kernel distance stands beside it.

        Raises:
            UserError: The picture cannot be written.
            Cancelled: By the tick.
        """
        made = self._make(network, lambda *_: self._tick(step))
        self._held_out.show(made, step, folder=self._folder, preview=self._preview)
        self.figures = {DENOISING: self._denoise(network, lambda *_: self._tick(step))}
        kid = self._held_out.kid(made)
        if kid is not None:
            self.figures[KID] = kid
        return Validation(-self.figures[DENOISING], self.figures)

    def _make(self, network: PatchDenoiser, tick: Tick) -> NDArray[np.uint8]:
        """What the network makes of the maps, `(N, S, S, 3)`."""
        made = [
            sample_patches(
                network,
                self._part(rows),
                self._noise[rows].to(self._device),
                noising=self._card.noise,
                sampling=self._card.sampling,
                tick=tick,
            )
            for rows in self._parts()
        ]
        return np.concatenate([from_network(each) for each in made])

    @torch.no_grad()
    def _denoise(self, network: PatchDenoiser, tick: Tick) -> float:
        """Mean error of denoising the held-out crops."""
        total, count = 0.0, 0
        for number in range(_N_NOISED):
            for rows in self._parts():
                tick(0, 1)
                real = to_network(torch.from_numpy(self._held_out.real[rows]), self._device).contiguous()
                # Numbers far above any step of a training, so that no noise that it sees is among these.
                step = (1 << 40) + number * len(self._held_out) + rows.start
                drawn = self._noising.draw(tuple(real.shape), step=step)
                loss = self._noising.loss(network, real, self._part(rows), drawn)
                total, count = total + float(loss) * len(real), count + len(real)
        return total / count

    def _part(self, rows: slice) -> MapLayers:
        return MapLayers(self._layers.masks[rows], self._layers.tones[rows]).to(self._device)

    def _parts(self) -> list[slice]:
        starts = range(0, len(self._held_out), _N_AT_ONCE)
        return [slice(start, min(start + _N_AT_ONCE, len(self._held_out))) for start in starts]
