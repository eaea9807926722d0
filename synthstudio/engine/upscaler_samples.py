"""What an upscaler makes of held-out patches: looked at, and judged against bicubic enlargement."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import nn

from synthstudio.core.evaluation.enlarging import EnlargedFigures, compare_enlarged
from synthstudio.core.imaging import ImageArray, encode_png, translate_os_error, write_bytes_atomically
from synthstudio.core.training.gan_samples import sample_grid, sample_name, shrink_preview
from synthstudio.core.training.resolution_pairs import enlarge_bicubic
from synthstudio.engine.data.resolution_pairs import HeldOutPairs
from synthstudio.engine.loops import Validation

PSNR, PSNR_BICUBIC = "psnr/upscaler", "psnr/bicubic"
SSIM, SSIM_BICUBIC = "ssim/upscaler", "ssim/bicubic"
N_SHOWN = 6
ROWS = ("bicubic", "enlarged", "true")
"""Of the picture, from the top."""
Enlarge = Callable[[nn.Module, NDArray[np.uint8]], NDArray[np.uint8]]


class UpscalerSampler:
    """Takes the samples of a training: a picture in the run's folder, and the figures.

    Args:
        held_out: At least one pair.
        factor: How many times larger the large patches are.
        enlarge: What the network under training makes of small patches.
        folder: Of the run.
        preview: Shows a small picture.
        seed: Of the draws behind the intervals.
    """

    def __init__(
        self,
        held_out: HeldOutPairs,
        *,
        factor: int,
        enlarge: Enlarge,
        folder: Path,
        preview: Callable[[ImageArray, str], None],
        seed: int,
    ) -> None:
        self._held_out, self._enlarge = held_out, enlarge
        self._folder, self._preview, self._seed = folder, preview, seed
        self._bicubic = np.stack([enlarge_bicubic(each, factor) for each in held_out.small])

    def judge(self, network: nn.Module, *, step: int) -> EnlargedFigures:
        """Show and judge a network in eval mode. Raises UserError where the picture cannot be written."""
        made = self._enlarge(network, self._held_out.small)
        chosen = np.linspace(0, len(made) - 1, min(N_SHOWN, len(made))).round().astype(int)
        grid = sample_grid(*(each[chosen] for each in (self._bicubic, made, self._held_out.large)))
        path = self._folder / sample_name(step)
        try:
            path.parent.mkdir(exist_ok=True)
        except OSError as error:
            raise translate_os_error(error, path.parent) from error
        write_bytes_atomically(path, encode_png(grid))
        self._preview(shrink_preview(grid), f"Bicubic, enlarged and true patches after {step} steps")
        return compare_enlarged(
            list(made), list(self._bicubic), list(self._held_out.large), self._held_out.sample_ids, seed=self._seed
        )


def to_validation(figures: EnlargedFigures) -> Validation:
    """The PSNR is the score."""
    return Validation(
        figures.psnr.mean,
        {
            PSNR: figures.psnr.mean,
            PSNR_BICUBIC: figures.psnr_bicubic.mean,
            SSIM: figures.ssim.mean,
            SSIM_BICUBIC: figures.ssim_bicubic.mean,
        },
    )
