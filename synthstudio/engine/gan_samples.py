"""What a generator makes of held-out maps: looked at, and judged against the crops that the maps were drawn from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from synthstudio.core.imaging import ImageArray
from synthstudio.core.synthesis.region_crops import RegionCrop
from synthstudio.core.synthesis.semantic_maps import MapCoding
from synthstudio.core.synthesis.streams import draw_noise
from synthstudio.engine.data.region_batches import from_network, to_network
from synthstudio.engine.held_out import KID, HeldOutCrops
from synthstudio.engine.loops import Validation
from synthstudio.engine.networks.gan import UNetGenerator

N_JUDGED = 64
"""Held-out crops in the figures, at most."""
_N_AT_ONCE = 8
IMAGE, REGION = "validation/image", "validation/region"


class HeldOut(HeldOutCrops):
    """Held-out crops, their maps, and the noise that belongs to each.

    Args:
        crops: At least one; the first ones are shown.
        coding: Of the maps.
        n_noise: Numbers of noise that the generator takes.
        seed: Of the noise.
    """

    def __init__(self, crops: Sequence[RegionCrop], coding: MapCoding, *, n_noise: int, seed: int) -> None:
        super().__init__(crops, coding)
        self._noise = np.stack([draw_noise(n_noise, seed=seed, index=index) for index in range(len(crops))])

    @torch.no_grad()
    def make(self, generator: UNetGenerator, device: torch.device) -> NDArray[np.uint8]:
        """What the generator makes of the maps, `(N, S, S, 3)`."""
        made = []
        for start in range(0, len(self), _N_AT_ONCE):
            part = slice(start, start + _N_AT_ONCE)
            noise = torch.from_numpy(self._noise[part]).to(device) if generator.noise else None
            made.append(from_network(generator(to_network(torch.from_numpy(self.maps[part]), device), noise)))
        return np.concatenate(made)

    def judge(self, made: NDArray[np.uint8]) -> Validation:
        """Figures of what was made; a higher score is better.

        Mean absolute differences are in grey levels; where many images are possible, they are least for a blurred
        mean of them. The kernel distance sees that; so it is the score where there are crops enough.
        """
        differences = np.abs(made.astype(np.int16) - self.real).mean(axis=3)
        figures = {IMAGE: float(differences.mean()), REGION: float(differences[self.masks].mean())}
        kid = self.kid(made)
        if kid is None:
            return Validation(-figures[IMAGE], figures)
        figures[KID] = kid
        return Validation(-kid, figures)


class GanSampler:
    """Takes the samples of a training: a picture in the run's folder, and the figures.

    Args:
        held_out: What the generator is asked for.
        folder: Of the run.
        device: Of the generator.
        preview: Shows a small picture.
    """

    def __init__(
        self, held_out: HeldOut, *, folder: Path, device: torch.device, preview: Callable[[ImageArray, str], None]
    ) -> None:
        self._held_out = held_out
        self._folder, self._device, self._preview = folder, device, preview
        self.figures: dict[str, float] = {}
        """Of the last samples."""

    def __call__(self, generator: UNetGenerator, step: int) -> Validation:
        """Show and judge a generator in eval mode. Raises UserError where the picture cannot be written."""
        made = self._held_out.make(generator, self._device)
        self._held_out.show(made, step, folder=self._folder, preview=self._preview)
        found = self._held_out.judge(made)
        self.figures = found.figures
        return found
