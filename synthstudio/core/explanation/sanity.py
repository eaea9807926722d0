"""Whether a map shows what was learned: it must not look like that of a network that has learned nothing."""

from __future__ import annotations

import numpy as np
from scipy.stats import rankdata

from synthstudio.core.explanation.maps import Cam


def rank_correlation(first: Cam, second: Cam) -> float | None:
    """Spearman's rank correlation of two maps of one image; None where one of them is flat.

    Ranks, because maps of two networks have scales of their own (Adebayo et al. 2018).
    """
    if first.shape != second.shape:
        raise ValueError(f"Maps of {first.shape} and {second.shape} cells are not of one image.")
    ranks = [rankdata(cam, axis=None) for cam in (first, second)]
    spreads = [float(np.std(each)) for each in ranks]
    if min(spreads) == 0.0:
        return None
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])
