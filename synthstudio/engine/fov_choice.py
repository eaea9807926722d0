"""Which FOVs an evaluation scores on, and what a reader of its figures must know about them."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from synthstudio.core.stats import MIN_RELIABLE_GROUPS
from synthstudio.domain.errors import NotFound, UserError
from synthstudio.domain.records import FieldOfView, Split
from synthstudio.engine.data.fields import MarkedReader
from synthstudio.project import Project


def choose_fovs(project: Project, names: Sequence[str], split: Split) -> list[FieldOfView]:
    """Return the FOVs of these names, or all of a split where none is named.

    Raises:
        UserError: A name is unknown, or the split is empty.
    """
    if names:
        return [_find_fov(project, name) for name in names]
    fovs = project.fovs.list(split=split)
    if not fovs:
        raise UserError(f"The {split.value} split has no images.", "Choose another split, or name the images.")
    return fovs


def choose_unfinished(project: Project, names: Sequence[str], split: Split | None) -> list[FieldOfView]:
    """Return the FOVs of these names, or all of a split; without one all that are not annotated completely yet.

    Those of the test split are then left out: they are best annotated without suggestions.

    Raises:
        UserError: A name is unknown, or there is none.
    """
    if names or split is not None:
        return choose_fovs(project, names, split or Split.TRAIN)
    fovs = [fov for fov in project.fovs.list() if not fov.state.is_complete and fov.split is not Split.TEST]
    if not fovs:
        raise UserError(
            "All images are annotated completely, or are in the test split.", "Choose a split, or name the images."
        )
    return fovs


def _find_fov(project: Project, name: str) -> FieldOfView:
    fov = project.fovs.find_named(name)
    if fov is None:
        known = ", ".join(each.name for each in project.fovs.list()[:5])
        raise NotFound(f"There is no image {name} in this project.", f"The first ones are: {known}.")
    return fov


def choose_marked_fovs(
    project: Project, reader: MarkedReader, split: Split, validation_fov_ids: Collection[int]
) -> list[FieldOfView]:
    """Return the FOVs of a split about which something is known.

    Args:
        project: Where they are.
        reader: Knows which are marked.
        split: Wanted.
        validation_fov_ids: What the training set aside by itself, where the project has no val split.

    Raises:
        UserError: There is none.
    """
    fovs = [fov for fov in project.fovs.list(split=split) if reader.is_marked(fov)]
    if split is Split.VAL and not fovs:
        fovs = [fov for fov in project.fovs.list() if fov.id in set(validation_fov_ids)]  # some may be gone since
    if not fovs:
        raise UserError(
            f"No image of the {split.value} split is annotated, so there is nothing to score against.",
            "Put annotated samples into that split, or choose another one.",
        )
    return fovs


def reading_notes(
    project: Project,
    fovs: Sequence[FieldOfView],
    *,
    split: Split,
    n_groups: int,
    used_fov_ids: Collection[int],
) -> list[str]:
    """Say what makes figures on these FOVs unreliable or too good.

    Args:
        project: Where they are.
        fovs: Those that were scored on.
        split: Theirs.
        n_groups: Number of their samples.
        used_fov_ids: FOVs that the training learned from or chose by.
    """
    notes = []
    if n_groups < MIN_RELIABLE_GROUPS:
        notes.append(
            f"Intervals are unreliable: they resample only {n_groups} samples, {MIN_RELIABLE_GROUPS} are needed."
        )
    used = set(used_fov_ids)
    seen = {fov.sample_id for fov in project.fovs.list() if fov.id in used}
    n_seen = sum(fov.sample_id in seen for fov in fovs)
    if split is Split.TEST and n_seen:
        notes.append(
            f"{n_seen} of the {len(fovs)} images are of samples that the training saw before they were moved to the"
            " test split: the scores are too good. Train again to have honest ones."
        )
    if split is not Split.TEST:
        notes.append(f"The {split.value} split was seen by the training or chose its thresholds.")
    return notes
