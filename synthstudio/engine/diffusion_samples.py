"""Samples of a fine-tuning: the same prompts with the same noise at every checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from synthstudio.core.imaging import ImageArray, encode_png, translate_os_error, write_bytes_atomically
from synthstudio.core.training.gan_samples import sample_grid, sample_name, shrink_preview
from synthstudio.domain.progress import Tick, no_tick
from synthstudio.domain.prompts import PromptRequest
from synthstudio.engine.diffusion_sampling import PromptArtist

N_CAPTIONS = 3
"""Captions of guide images that are sampled where no prompts are given."""


def choose_prompts(given: Sequence[str], captions: Sequence[str], class_prompt: str) -> tuple[str, ...]:
    """Prompts of the samples: those given, else some captions, and the class alone to see what is forgotten."""
    if chosen := [each.strip() for each in given if each.strip()]:
        return tuple(dict.fromkeys(chosen))
    return tuple(dict.fromkeys((*dict.fromkeys(captions[:N_CAPTIONS]), class_prompt)))


class PromptSampler:
    """Takes the samples: a picture in the run's folder, one row for each prompt.

    Args:
        artist: Of the model that is trained.
        requests: One for each row.
        per_prompt: Images of each.
        seed: Of the noise; image k of row r has the index r * per_prompt + k.
        folder: Of the run.
        preview: Shows a small picture.
        tick: Called with the number of images that have been made, and of all.
    """

    def __init__(
        self,
        artist: PromptArtist,
        requests: Sequence[PromptRequest],
        *,
        per_prompt: int,
        seed: int,
        folder: Path,
        preview: Callable[[ImageArray, str], None],
        tick: Tick = no_tick,
    ) -> None:
        self._artist, self._requests, self._per_prompt, self._seed = artist, requests, per_prompt, seed
        self._folder, self._preview, self._tick = folder, preview, tick

    def __call__(self, step: int) -> None:
        """Make and store the samples of a step. Raises UserError where the picture cannot be written."""
        total = len(self._requests) * self._per_prompt
        rows = []
        for row, request in enumerate(self._requests):
            images = []
            for index in range(row * self._per_prompt, (row + 1) * self._per_prompt):
                self._tick(index, total)
                images.append(self._artist.draw(request, seed=self._seed, index=index))
            rows.append(np.stack(images))
        grid = sample_grid(*rows)
        path = self._folder / sample_name(step)
        try:
            path.parent.mkdir(exist_ok=True)
        except OSError as error:
            raise translate_os_error(error, path.parent) from error
        write_bytes_atomically(path, encode_png(grid))
        self._preview(shrink_preview(grid), f"Samples after {step} steps")
