"""Parts of the training images, by whole samples, always the same ones: what validates, what a limit leaves."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping

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
    by_sample = _sizes_by_sample(fovs)
    if len(by_sample) < 2:
        raise UserError(
            f"A validation part cannot be set aside: the training split has {len(by_sample)} sample(s).",
            "Import images of more samples, or put some samples into the val split.",
        )
    ranked = _ranked(by_sample, f"{seed}/")
    chosen = _take(ranked[:-1], by_sample, wanted=share * len(fovs))
    return [fov for fov in fovs if fov.sample_name not in chosen], [fov for fov in fovs if fov.sample_name in chosen]


def limit_fovs(fovs: list[FieldOfView], *, share: float, seed: int) -> list[FieldOfView]:
    """Return a share of the FOVs by whole samples, at least one sample, in their given order.

    A larger share with the same seed holds all of a smaller one.
    """
    if share >= 1.0:
        return fovs
    by_sample = _sizes_by_sample(fovs)
    chosen = _take(_ranked(by_sample, f"limit/{seed}/"), by_sample, wanted=share * len(fovs))
    return [fov for fov in fovs if fov.sample_name in chosen]


def _sizes_by_sample(fovs: list[FieldOfView]) -> Counter[str]:
    return Counter(fov.sample_name for fov in fovs)


def _ranked(names: Iterable[str], salt: str) -> list[str]:
    return sorted(names, key=lambda name: hashlib.sha256(f"{salt}{name}".encode()).digest())


def _take(ranked: Iterable[str], sizes: Mapping[str, int], *, wanted: float) -> set[str]:
    """Take samples in their order until about the wanted number of FOVs is reached; at least one."""
    taken, chosen = 0, set[str]()
    for name in ranked:
        if chosen and taken + sizes[name] / 2 > wanted:
            break
        chosen.add(name)
        taken += sizes[name]
    return chosen
