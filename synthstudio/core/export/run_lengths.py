"""Masks in run lengths, as COCO writes them: column by column, how many pixels outside, then inside, and so on."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def encode_run_lengths(labels: NDArray[np.unsignedinteger], numbers: Sequence[int]) -> list[list[int]]:
    """Return the run lengths of some objects of an instance mask.

    Args:
        labels: `(H, W)`, which object is seen at each pixel; at least one pixel.
        numbers: Of the objects.

    Returns:
        For each, the lengths of its runs in px, outside and inside in turns; the first is 0 where the first pixel is
        inside. They add up to `H W`, every other one to the object's area. An object that is nowhere seen has one run.
    """
    pixels = labels.ravel(order="F")
    edges = np.flatnonzero(pixels[1:] != pixels[:-1]) + 1
    starts, ends = np.concatenate(([0], edges)), np.concatenate((edges, [pixels.size]))
    # Sorted by object once: to look through all runs for each of 2,000 objects takes longer than to read the file.
    order = np.argsort(pixels[starts], kind="stable")
    owners = pixels[starts[order]]
    firsts, lasts = np.searchsorted(owners, numbers, "left"), np.searchsorted(owners, numbers, "right")
    encoded = []
    for first, last in zip(firsts, lasts, strict=True):
        own = order[first:last]
        bounds = np.stack((starts[own], ends[own]), axis=1).ravel()
        counts = np.diff(bounds, prepend=0, append=pixels.size)
        encoded.append((counts if counts[-1] else counts[:-1]).tolist())
    return encoded
