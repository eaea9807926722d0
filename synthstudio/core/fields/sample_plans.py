"""Which sample each FOV of a project would get from its name: a plan that can be looked at before it is applied."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from synthstudio.core.fields.images import SampleNaming, sample_name
from synthstudio.domain.records import FieldOfView, Sample, Split, Storage


@dataclass(frozen=True, slots=True)
class PlannedSample:
    """An FOV and the sample that it would get."""

    fov: FieldOfView
    sample: str

    @property
    def is_change(self) -> bool:
        return self.sample != self.fov.sample_name


@dataclass(frozen=True, slots=True)
class SamplePlan:
    """The samples that a naming makes.

    Attributes:
        rows: One for each FOV, in their given order.
        new_splits: Split of each sample that is new: that of all its FOVs, or None where they differ.
        problems: Why it cannot be applied; empty where it can.
        remarks: What a user should know before applying it.
    """

    rows: tuple[PlannedSample, ...]
    new_splits: dict[str, Split | None]
    problems: tuple[str, ...]
    remarks: tuple[str, ...]

    @property
    def n_samples(self) -> int:
        return len({row.sample for row in self.rows})

    @property
    def n_changes(self) -> int:
        return sum(row.is_change for row in self.rows)


def place_of(fov: FieldOfView) -> Path:
    """Where an image came from, as far as it is known: a copy in the project has only its name left."""
    return Path(fov.name) if fov.storage is Storage.COPY else Path(fov.path)


def plan_samples(fovs: Sequence[FieldOfView], samples: Sequence[Sample], naming: SampleNaming) -> SamplePlan:
    """Plan the samples of all FOVs by the rule of the import; folders count from the one that all have in common.

    Raises:
        UserError: The pattern is no regular expression with exactly one group.
    """
    root = _common_root([place_of(fov) for fov in fovs if fov.storage is not Storage.COPY])
    rows = tuple(PlannedSample(fov, sample_name(place_of(fov), root, naming)) for fov in fovs)
    known = {sample.name for sample in samples}
    splits: dict[str, set[Split | None]] = {}
    names: dict[tuple[str, str], int] = {}
    for row in rows:
        splits.setdefault(row.sample, set()).add(row.fov.split)
        names[row.sample, row.fov.name] = names.get((row.sample, row.fov.name), 0) + 1
    new_splits = {
        name: next(iter(found)) if len(found) == 1 else None for name, found in splits.items() if name not in known
    }
    return SamplePlan(rows, new_splits, _problems(names), _remarks(splits, known))


def _common_root(paths: Sequence[Path]) -> Path:
    """The folder that all images have in common; images on several drives have none."""
    if not paths:
        return Path()
    try:
        return Path(os.path.commonpath([path.parent for path in paths]))
    except ValueError:
        return Path()


def _problems(names: dict[tuple[str, str], int]) -> tuple[str, ...]:
    return tuple(
        f"{n} fields called {name} would be in the sample {sample}; the pattern must tell them apart."
        for (sample, name), n in names.items()
        if n > 1
    )


def _remarks(splits: dict[str, set[Split | None]], known: set[str]) -> tuple[str, ...]:
    remarks = []
    for name, found in splits.items():
        if len(found) > 1:
            parts = " and ".join(sorted(split.value if split else "no split" for split in found))
            fate = "keeps its split" if name in known else "gets no split"
            remarks.append(f"{name} takes in fields of {parts}; it {fate}.")
    return tuple(remarks)
