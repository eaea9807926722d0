"""A validation part where the user made none: whole samples, always the same ones."""

from __future__ import annotations

import hashlib

from synthstudio.domain.errors import UserError
from synthstudio.domain.records import FieldOfView


def carve_validation(
    fovs: list[FieldOfView], *, share: float, seed: int
) -> tuple[list[FieldOfView], list[FieldOfView]]:
    """Split training FOVs into a training and a validation part, by sample.

    Samples are ranked by a hash of seed and sample name: adding a sample later moves no other one.

    Args:
        fovs: FOVs of the training split.
        share: Share of the FOVs that goes to validation, at least one sample and never all.
        seed: Another seed gives another part.

    Returns:
        Training FOVs and validation FOVs, in their given order.

    Raises:
        UserError: There are fewer than two samples.
    """
    by_sample: dict[str, int] = {}
    for fov in fovs:
        by_sample[fov.sample_name] = by_sample.get(fov.sample_name, 0) + 1
    if len(by_sample) < 2:
        raise UserError(
            f"A validation part cannot be set aside: the training split has {len(by_sample)} sample(s).",
            "Import images of more samples, or put some samples into the val split.",
        )
    ranked = sorted(by_sample, key=lambda name: hashlib.sha256(f"{seed}/{name}".encode()).digest())
    wanted, taken, chosen = share * len(fovs), 0, set[str]()
    for name in ranked[:-1]:
        if chosen and taken + by_sample[name] / 2 > wanted:
            break
        chosen.add(name)
        taken += by_sample[name]
    return [fov for fov in fovs if fov.sample_name not in chosen], [fov for fov in fovs if fov.sample_name in chosen]
