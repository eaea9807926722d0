"""Two alarms that need no labels of the real images they look at (targets: section 4, point 5)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MAX_PRESENCE = 0.85
"""A class on more crops than this cannot be told from "always there": nothing forces its CAM onto the objects."""

MIN_RATE_RATIO = 0.5
MAX_RATE_RATIO = 2.0
MIN_RATE_DIFFERENCE = 0.05


def domain_gap_alarms(names: list[str], *, predicted: NDArray[np.float64], annotated: NDArray[np.float64]) -> list[str]:
    """Compare how often each class is predicted on real crops with how often it is annotated.

    Args:
        names: Class names.
        predicted: `(C,)` share of real crops with a probability of at least 0.5.
        annotated: `(C,)` share of real crops on which the class is marked.

    Returns:
        One sentence for each class whose rates differ widely.
    """
    alarms = []
    for name, found, truth in zip(names, predicted, annotated, strict=True):
        is_far = found < MIN_RATE_RATIO * truth or found > MAX_RATE_RATIO * truth
        if is_far and abs(found - truth) > MIN_RATE_DIFFERENCE:
            alarms.append(
                f"{name} is predicted on {found:.0%} of the real crops but annotated on {truth:.0%}: the training"
                " images look different from the real ones, or the annotations are incomplete."
            )
    return alarms


def presence_alarms(names: list[str], *, shares: NDArray[np.float64]) -> list[str]:
    """Point out the classes that are present on nearly all training crops.

    Args:
        names: Class names.
        shares: `(C,)` share of the training crops on which the class is present.
    """
    return [
        f"{name} is present on {share:.0%} of the training crops: its class activation map is not to be trusted,"
        " because the network never sees what an image without it looks like."
        for name, share in zip(names, shares, strict=True)
        if share > MAX_PRESENCE
    ]
