"""Which FOV belongs to which sample, and which sample to which split: changed as a whole, and back again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from synthstudio.domain.ids import FovId
from synthstudio.domain.records import Changes, Split, changes
from synthstudio.project.project import Project


@dataclass(frozen=True, slots=True)
class SampleAssignment:
    """Names of samples, and their splits.

    Attributes:
        sample_of: Name of the sample of each FOV that is spoken of.
        split_of: Split of each sample that is spoken of, by its name.
    """

    sample_of: Mapping[FovId, str] = field(default_factory=dict)
    split_of: Mapping[str, Split | None] = field(default_factory=dict)


def present_assignment(project: Project, *, only_splits: bool = False) -> SampleAssignment:
    """Return how it is now, for all FOVs and samples: what leads back after any other assignment.

    Args:
        only_splits: The FOVs stay in their samples: only the splits are told, which is quick.
    """
    return SampleAssignment(
        {} if only_splits else {fov.id: fov.sample_name for fov in project.fovs.list()},
        {sample.name: sample.split for sample in project.samples.list()},
    )


def assign_samples(project: Project, wanted: SampleAssignment) -> Changes:
    """Make it so, in one transaction: samples that are missing are added, those left without any FOV removed.

    An FOV or sample that the project no longer has is passed over, so that an undo is possible after a removal.

    Raises:
        UserError: Two FOVs of one name would be in one sample, or the project cannot be written.
    """
    with project.transaction(before="change of samples" if _count_changes(project, wanted) > 1 else ""):
        known = {fov.id: fov for fov in project.fovs.list()} if wanted.sample_of else {}
        moved = {
            fov_id: name
            for fov_id, name in wanted.sample_of.items()
            if fov_id in known and known[fov_id].sample_name != name
        }
        if moved:
            ids = {
                name: project.samples.get_or_add(name, split=wanted.split_of.get(name)).id
                for name in dict.fromkeys(moved.values())
            }
            project.fovs.set_sample({fov_id: ids[name] for fov_id, name in moved.items()})
        for split in (*Split, None):
            chosen = [
                sample.id
                for sample in project.samples.list()
                if sample.name in wanted.split_of
                and wanted.split_of[sample.name] is split
                and sample.split is not split
            ]
            project.samples.set_split(chosen, split)
    return changes("samples", "fovs")


def _count_changes(project: Project, wanted: SampleAssignment) -> int:
    """How many FOVs get another sample, and samples another split."""
    fovs = project.fovs.list() if wanted.sample_of else []
    return sum(wanted.sample_of.get(fov.id, fov.sample_name) != fov.sample_name for fov in fovs) + sum(
        wanted.split_of.get(sample.name, sample.split) is not sample.split for sample in project.samples.list()
    )
