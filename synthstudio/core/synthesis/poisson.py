"""Poisson image editing (Perez, Gangnet and Blake 2003): the patch's gradients on what lies below.

The equation is solved exactly by sine transforms, on the window alone: a tenth of the time of a general solver.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def blend_gradients(
    patch: NDArray[np.uint8], below: NDArray[np.uint8], inside: NDArray[np.bool_], *, keep_stronger: bool
) -> NDArray[np.uint8]:
    """Return `patch` with its colours shifted such that it joins `below` without a seam.

    Args:
        patch: `(h, w, 3)` uint8.
        below: `(h + 2, w + 2, 3)` uint8, what lies below the window and one px around it.
        inside: `(h, w)` bool, where the patch's gradients count; elsewhere those of `below` do.
        keep_stronger: Take the stronger of both gradients at each place ("mixed" in the paper).

    Returns:
        `(h, w, 3)` uint8.
    """
    from scipy import fft  # noqa: PLC0415 - 28 MB that a window without Poisson blending need not hold

    source = np.pad(patch, ((1, 1), (1, 1), (0, 0)), mode="edge").astype(np.float32)
    target = below.astype(np.float32)
    chosen = np.pad(inside, 1)
    divergence = np.zeros((*patch.shape[:2], 3), np.float32)
    for axis in (0, 1):
        wanted, own = np.diff(source, axis=axis), np.diff(target, axis=axis)
        both = np.logical_and(*_neighbours(chosen, axis))[..., None]
        if keep_stronger:
            # By the length over the colours: mixing per colour gives false hues.
            both = both & ((wanted**2).sum(axis=2, keepdims=True) >= (own**2).sum(axis=2, keepdims=True))
        gradient = np.where(both, wanted, own)
        change = np.diff(gradient, axis=axis)
        divergence += change[:, 1:-1] if axis == 0 else change[1:-1]
    divergence[0] -= target[0, 1:-1]
    divergence[-1] -= target[-1, 1:-1]
    divergence[:, 0] -= target[1:-1, 0]
    divergence[:, -1] -= target[1:-1, -1]
    spectrum = fft.dstn(divergence, type=1, axes=(0, 1)) / _eigenvalues(*patch.shape[:2])[..., None]
    solved = fft.idstn(spectrum, type=1, axes=(0, 1))
    return np.asarray(np.clip(np.rint(solved), 0, 255), np.uint8)


def _neighbours(values: NDArray[np.bool_], axis: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Both ends of every step along an axis."""
    return (values[:-1], values[1:]) if axis == 0 else (values[:, :-1], values[:, 1:])


def _eigenvalues(rows: int, columns: int) -> NDArray[np.float32]:
    """Of the five-point Laplacian with fixed values around the window."""
    down = 2.0 * np.cos(np.pi * np.arange(1, rows + 1) / (rows + 1)) - 2.0
    across = 2.0 * np.cos(np.pi * np.arange(1, columns + 1) / (columns + 1)) - 2.0
    return np.asarray(down[:, None] + across[None, :], np.float32)
