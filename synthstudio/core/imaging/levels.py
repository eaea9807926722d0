"""Levels: how samples become what is shown. For the eye alone; stored pixels are never changed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from synthstudio.core.imaging.formats import ImageArray

Samples = NDArray[np.uint8] | NDArray[np.uint16]

MAX_BINS = 4096
"""So fine that the narrow range of a dim 16-bit image still spans many bins."""
AUTO_SHARE = 0.001
"""Share of the samples that automatic levels let become black, and white."""
MIN_SPAN = 1 / 65536
"""Black and white stay at least this far apart, as a share of the full scale."""
LUMINANCE = (0.299, 0.587, 0.114)  # ITU-R BT.601


class Channel(StrEnum):
    """Which colours are shown; one alone is shown as grey."""

    ALL = "all"
    RED = "red"
    GREEN = "green"
    BLUE = "blue"
    LUMINANCE = "luminance"


@dataclass(frozen=True, slots=True)
class Levels:
    """How samples are shown.

    Attributes:
        black: Share of the full scale that is shown as black, 0 to 1.
        white: Share of the full scale that is shown as white, above `black`.
        gamma: More than 1 lightens the middle tones.
        is_inverted: Show the negative.
        channel: Which colours are shown.
    """

    black: float = 0.0
    white: float = 1.0
    gamma: float = 1.0
    is_inverted: bool = False
    channel: Channel = Channel.ALL

    @property
    def is_neutral(self) -> bool:
        """Whether everything is shown as it is."""
        return self == Levels()


def build_table(levels: Levels, *, full_scale: int, n_values: int) -> NDArray[np.uint8]:
    """Return what each sample value is shown as, `(n_values,)` uint8.

    Args:
        levels: The levels; their channel plays no part.
        full_scale: The sample value that a neutral table shows as white.
        n_values: 256 or 65536.
    """
    share = np.arange(n_values, dtype=np.float64) / full_scale
    span = max(levels.white - levels.black, MIN_SPAN)
    shown = np.clip((share - levels.black) / span, 0.0, 1.0) ** (1.0 / levels.gamma)
    values = np.floor(shown * 255.0 + 0.5).astype(np.uint8)
    return np.asarray(255 - values if levels.is_inverted else values, np.uint8)


def apply_levels(samples: NDArray[np.generic], levels: Levels, *, full_scale: int) -> ImageArray:
    """Return `(h, w)`, `(h, w, 3)` or `(h, w, 4)` uint8 or uint16 samples in RGB(A) order as `(h, w, 3)` uint8 RGB.

    The fourth channel is dropped.
    """
    n_values = 256 if samples.dtype == np.uint8 else 65536
    table = build_table(levels, full_scale=full_scale, n_values=n_values)
    color = samples if samples.ndim == 2 else np.ascontiguousarray(samples[:, :, :3])
    shown = look_up(pick_channel(color, levels.channel), table)
    return np.asarray(cv2.cvtColor(shown, cv2.COLOR_GRAY2RGB), np.uint8) if shown.ndim == 2 else shown


def pick_channel(samples: NDArray[np.generic], channel: Channel) -> NDArray[np.generic]:
    """Return one channel `(h, w)` of `(h, w, 3)` RGB samples, or the samples themselves for all."""
    if channel is Channel.ALL or samples.ndim == 2:
        return samples
    if channel is Channel.LUMINANCE:
        return np.asarray(cv2.transform(cast(Samples, samples), np.array([LUMINANCE], np.float32)), samples.dtype)
    index = (Channel.RED, Channel.GREEN, Channel.BLUE).index(channel)
    return np.ascontiguousarray(samples[:, :, index])


def look_up(samples: NDArray[np.generic], table: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the table's value for each uint8 or uint16 sample."""
    if samples.dtype == np.uint8 or int(cv2.__version__.split(".")[0]) >= 5:
        return np.asarray(cv2.LUT(cast(Samples, samples), table), np.uint8)
    return np.asarray(table[samples], np.uint8)  # OpenCV 4 looks up 8 bit only; half as fast


@dataclass(frozen=True, slots=True)
class Histogram:
    """How often each brightness occurs.

    Attributes:
        counts: `(3, n)` or, of a grey image, `(1, n)`; n bins of equal width from 0 to the full scale, 256 for 8 bit.
        full_scale: The sample value at the right end.
    """

    counts: NDArray[np.int64]
    full_scale: int


def count_samples(samples: NDArray[np.generic], *, full_scale: int) -> Histogram:
    """Count `(h, w)`, `(h, w, 3)` or `(h, w, 4)` uint8 or uint16 samples; the fourth channel is left out."""
    planes = [samples] if samples.ndim == 2 else [samples[:, :, index] for index in range(min(samples.shape[2], 3))]
    n_bins = min(full_scale + 1, MAX_BINS)
    counts = []
    for plane in planes:
        by_value = np.bincount(plane.reshape(-1).astype(np.int64), minlength=full_scale + 1)
        bins = np.minimum(np.arange(len(by_value)) * n_bins // (full_scale + 1), n_bins - 1)
        counts.append(np.bincount(bins, weights=by_value, minlength=n_bins))
    return Histogram(np.array(counts).astype(np.int64), full_scale)


def auto_range(histogram: Histogram, channel: Channel = Channel.ALL) -> tuple[float, float]:
    """Return black and white as shares of the full scale, between which all but `AUTO_SHARE` at each end lie."""
    counts = histogram.counts.sum(axis=0)
    if len(histogram.counts) == 3 and channel in (Channel.RED, Channel.GREEN, Channel.BLUE):
        counts = histogram.counts[(Channel.RED, Channel.GREEN, Channel.BLUE).index(channel)]
    cumulated = np.cumsum(counts) / max(1, int(counts.sum()))
    black = int(np.searchsorted(cumulated, AUTO_SHARE, side="right"))
    white = int(np.searchsorted(cumulated, 1.0 - AUTO_SHARE)) + 1
    if white - black < 2:  # an even picture: nothing to stretch
        return 0.0, 1.0
    return black / len(counts), min(white / len(counts), 1.0)
