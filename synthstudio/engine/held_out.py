"""Held-out crops that a training is looked at with: shown side by side with what was made of their maps, and judged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from synthstudio.core.evaluation.quick_score import LEAST_IMAGES, ScoredAgainst
from synthstudio.core.imaging import ImageArray, encode_png, translate_os_error, write_bytes_atomically
from synthstudio.core.synthesis.region_crops import RegionCrop
from synthstudio.core.synthesis.semantic_maps import MapCoding, region_mask
from synthstudio.core.training.gan_samples import sample_grid, sample_name, shrink_preview

N_SHOWN = 8
"""Held-out crops in the picture."""
KID = "kid/held-out"


class HeldOutCrops:
    """Held-out crops and their maps.

    Args:
        crops: At least one; the first ones are shown.
        coding: Of the maps.
    """

    def __init__(self, crops: Sequence[RegionCrop], coding: MapCoding) -> None:
        self.real: NDArray[np.uint8] = np.stack([each.image for each in crops])
        self.maps: NDArray[np.uint8] = np.stack([coding.draw(each.request) for each in crops])
        self.masks: NDArray[np.bool_] = np.stack([region_mask(each.request) for each in crops])
        self._scored = ScoredAgainst(list(self.real)) if len(crops) >= LEAST_IMAGES else None

    def __len__(self) -> int:
        return len(self.real)

    def kid(self, made: NDArray[np.uint8]) -> float | None:
        """Kernel distance of images `(N, S, S, 3)` to the crops; None where these are too few."""
        return None if self._scored is None else self._scored.score(list(made)).kid

    def show(
        self, made: NDArray[np.uint8], step: int, *, folder: Path, preview: Callable[[ImageArray, str], None]
    ) -> None:
        """Write the picture of a step into a run's folder, and show it small.

        Raises:
            UserError: It cannot be written.
        """
        grid = sample_grid(*(each[:N_SHOWN] for each in (self.maps, self.real, made)))
        path = folder / sample_name(step)
        try:
            path.parent.mkdir(exist_ok=True)
        except OSError as error:
            raise translate_os_error(error, path.parent) from error
        write_bytes_atomically(path, encode_png(grid))
        preview(shrink_preview(grid), f"Maps, real crops and samples after {step} steps")
