"""The working scale: how far real images are reduced before a network sees them."""

from __future__ import annotations

LARGEST_SHARE = 0.75
"""The largest class fills this share of a training image's side."""

SMALLEST_PX = 12.0
"""Below this an object is a blur."""

STEP = 0.05


def choose_scale(sizes_px: list[float], *, side: int) -> float:
    """Choose a scale for classes of these mean sizes (full-resolution px, not empty) and training images of `side` px.

    Returns:
        At most 1, a multiple of 0.05 where it is above that.
    """
    wanted = max(LARGEST_SHARE * side / max(sizes_px), SMALLEST_PX / min(sizes_px))
    if wanted >= 1.0:
        return 1.0
    return round(int(wanted / STEP + 1e-9) * STEP, 2) if wanted > STEP else wanted
