"""Training images side by side, to be looked at."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from synthstudio.core.imaging import ImageArray


def montage(images: NDArray[np.uint8]) -> ImageArray:
    """Images `(N, S, S, 3)` side by side in two rows, `(2 S, ceil(N / 2) S, 3)`."""
    n_columns = -(-len(images) // 2)
    rows = np.zeros((2, n_columns, *images.shape[1:]), np.uint8)
    rows.reshape(-1, *images.shape[1:])[: len(images)] = images
    side = images.shape[1]
    return rows.transpose(0, 2, 1, 3, 4).reshape(2 * side, n_columns * side, 3)
