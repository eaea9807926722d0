"""Images that show exactly one class: what a classifier learns from, and is judged on, that gives one label each."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from synthstudio.domain.errors import UserError

HINT = "Compose with one object on each image, choose a smaller canvas, or train with several labels an image."
FEW = 0.5
"""Below this share of usable images the training is told to be slow for that reason."""


def show_one_class(presence: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Tell which images show exactly one class; presence `(N, C)`, answer `(N,)`."""
    return np.asarray(presence.sum(axis=1) == 1)


def choose_validation(presence: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Rows of the validation images that can be judged, ascending.

    Raises:
        UserError: There are none, or there is nothing to choose from.
    """
    if presence.shape[1] < 2:
        raise UserError(
            "A classifier that gives one label to each image needs two classes at least.",
            "Annotate a second class, or train with several labels an image: with one class that is yes or no.",
        )
    rows = np.flatnonzero(show_one_class(presence))
    if not len(rows):
        raise UserError(f"None of the {len(presence)} validation images shows exactly one class.", HINT)
    return rows


def left_out_warning(presence: NDArray[np.bool_]) -> str:
    """Say how many training images are left out; empty where none is. Raises UserError where all are.

    Args:
        presence: `(N, C)` of the training images, or of a first part of them.
    """
    left_out = int((~show_one_class(presence)).sum())
    if left_out == len(presence):
        raise UserError(f"None of the first {len(presence)} training images shows exactly one class.", HINT)
    if not left_out:
        return ""
    slow = f" {HINT}" if left_out > FEW * len(presence) else ""
    return (
        f"{left_out} of the first {len(presence)} training images show no class or several: these are left out, since"
        f" each image is to have one label.{slow}"
    )


def label_weights(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights with which all classes count the same where each image has one label.

    Args:
        shares: `(C,)` share of the images that show the class, among those that show one.

    Returns:
        `(C,)` within 1/10 to 10, 1 for a class as frequent as it would be if all were; 1 for a class without images.
    """
    wanted = 1.0 / len(shares)
    return np.clip(np.divide(wanted, shares, out=np.ones_like(shares), where=shares > 0), 0.1, 10.0)
