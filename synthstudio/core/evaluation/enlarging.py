"""How near an enlarged image comes to the one that was made small: PSNR and SSIM, beside plain bicubic enlargement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from synthstudio.core.evaluation.resampling import draw_groups
from synthstudio.core.imaging import ImageArray
from synthstudio.core.stats import divide, percentile_interval

MOST_DB = 99.0
"""Stands for the infinite PSNR of an image that came out exactly."""
_SSIM_SIDE, _SSIM_SIGMA = 11, 1.5
_SSIM_C1, _SSIM_C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


def psnr(image: ImageArray, truth: ImageArray) -> float:
    """Peak signal-to-noise ratio in dB of two `(H, W, 3)` uint8 images, over all channels; at most `MOST_DB`."""
    error = float(np.mean((image.astype(np.float64) - truth.astype(np.float64)) ** 2))
    return min(MOST_DB, 10 * float(np.log10(255.0**2 / error))) if error else MOST_DB


def ssim(image: ImageArray, truth: ImageArray) -> float:
    """Structural similarity (Wang et al. 2004: Gaussian of 11 px, sigma 1.5) of `(H, W, 3)` uint8 images, at most 1.

    The mean over channels and over the places whose window lies inside; over all places of an image of at most
    11 px.
    """
    first, second = image.astype(np.float64), truth.astype(np.float64)
    margin = _SSIM_SIDE // 2 if min(image.shape[:2]) > _SSIM_SIDE else 0

    def blurred(values: NDArray[np.float64]) -> NDArray[np.float64]:
        window = (_SSIM_SIDE, _SSIM_SIDE)
        inner = np.asarray(cv2.GaussianBlur(values, window, _SSIM_SIGMA), np.float64)
        return inner[margin : inner.shape[0] - margin, margin : inner.shape[1] - margin]

    mean1, mean2 = blurred(first), blurred(second)
    variance1, variance2 = blurred(first * first) - mean1**2, blurred(second * second) - mean2**2
    covariance = blurred(first * second) - mean1 * mean2
    numerator = (2 * mean1 * mean2 + _SSIM_C1) * (2 * covariance + _SSIM_C2)
    return float(np.mean(numerator / ((mean1**2 + mean2**2 + _SSIM_C1) * (variance1 + variance2 + _SSIM_C2))))


@dataclass(frozen=True, slots=True)
class EnlargedFigure:
    """A mean over held-out patches, and the 95 % interval from resampling samples; None below two samples."""

    mean: float
    ci95: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class EnlargedFigures:
    """PSNR in dB and SSIM of an upscaler and of bicubic enlargement on the same patches, and what it gains.

    Attributes:
        is_reliable: There are samples enough for the intervals to be trusted.
    """

    psnr: EnlargedFigure
    psnr_bicubic: EnlargedFigure
    psnr_gain: EnlargedFigure
    ssim: EnlargedFigure
    ssim_bicubic: EnlargedFigure
    ssim_gain: EnlargedFigure
    n_patches: int
    n_samples: int
    is_reliable: bool


def compare_enlarged(
    made: Sequence[ImageArray],
    bicubic: Sequence[ImageArray],
    truth: Sequence[ImageArray],
    sample_ids: Sequence[int],
    *,
    seed: int,
) -> EnlargedFigures:
    """Compare enlarged patches with the true ones, and bicubic ones with them.

    Args:
        made, bicubic, truth: `(S, S, 3)` uint8 each, in the same order; at least one.
        sample_ids: Sample of each patch: samples are drawn, not patches.
        seed: Of the draws.
    """
    draws = draw_groups(np.array(sample_ids, np.int64), seed=seed)
    counts = draws.sum(np.ones(len(truth)))

    def figure(values: NDArray[np.float64]) -> EnlargedFigure:
        interval = percentile_interval(divide(draws.sum(values), counts)) if draws.n_groups > 1 else None
        return EnlargedFigure(float(values.mean()), interval)

    psnrs, plain_psnrs, ssims, plain_ssims = (
        np.array([measure(each, true) for each, true in zip(images, truth, strict=True)])
        for measure, images in ((psnr, made), (psnr, bicubic), (ssim, made), (ssim, bicubic))
    )
    return EnlargedFigures(
        psnr=figure(psnrs),
        psnr_bicubic=figure(plain_psnrs),
        psnr_gain=figure(psnrs - plain_psnrs),
        ssim=figure(ssims),
        ssim_bicubic=figure(plain_ssims),
        ssim_gain=figure(ssims - plain_ssims),
        n_patches=len(truth),
        n_samples=draws.n_groups,
        is_reliable=draws.is_reliable,
    )
