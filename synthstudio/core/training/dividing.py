"""Dividing samples into train, validation and test: whole samples, always the same ones for the same seed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import SampleId
from synthstudio.domain.records import Split


def divide_samples(
    sizes: Mapping[SampleId, tuple[str, int]], *, val: float, test: float, seed: int
) -> dict[SampleId, Split]:
    """Draw samples for test and validation until each has its share of the FOVs; the rest is train.

    Samples are ranked by a hash of seed and name, so that the division depends on nothing else.

    Args:
        sizes: Name and number of FOVs of each sample.
        val, test: Wanted shares of the FOVs, each 0 or more, together below 1.
        seed: Another seed gives another division.

    Returns:
        The split of each sample. A share above 0 gets one sample at least, and train is never empty.

    Raises:
        UserError: The shares are impossible, or there are fewer samples than parts.
    """
    if val < 0 or test < 0 or val + test >= 1:
        raise UserError(
            f"Shares of {val:g} for val and {test:g} for test leave nothing to train on.",
            "Give shares of 0 or more that add up to less than 1, for example 0.15 and 0.2.",
        )
    n_parts = 1 + (val > 0) + (test > 0)
    if len(sizes) < n_parts:
        raise UserError(
            f"{len(sizes)} sample(s) cannot be divided into {n_parts} parts.",
            "Import images of more samples; a sample is never divided.",
        )
    ranked = sorted(sizes, key=lambda each: hashlib.sha256(f"{seed}/{sizes[each][0]}".encode()).digest())
    total = sum(n_fovs for _, n_fovs in sizes.values())
    division: dict[SampleId, Split] = {}
    for split, share in ((Split.TEST, test), (Split.VAL, val)):
        taken = 0
        n_parts -= share > 0
        while share > 0 and len(ranked) > n_parts and (not taken or taken + sizes[ranked[0]][1] / 2 <= share * total):
            chosen = ranked.pop(0)
            division[chosen] = split
            taken += sizes[chosen][1]
    return division | dict.fromkeys(ranked, Split.TRAIN)
