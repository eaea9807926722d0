"""Which FOVs patches may be cut from, and the patch bank of a project."""

from __future__ import annotations

from pathlib import Path

from synthstudio.core.imaging import ImageArray, ImageSource, read_or_open
from synthstudio.core.patches.bank import PatchBank, build_patch_bank
from synthstudio.domain.errors import UserError
from synthstudio.domain.progress import Tick, no_tick
from synthstudio.domain.records import FieldOfView, Split
from synthstudio.project.project import Project
from synthstudio.settings.compose import PatchSettings


def list_train_fovs(project: Project) -> list[FieldOfView]:
    """Return the FOVs that may go into synthetic images and trainings.

    Those of the train split; where no sample of the project has a split yet, all of them. Once one has, an FOV without
    a split is left out: it may belong to the same specimen as one that is tested on.
    """
    fovs = project.fovs.list()
    if any(fov.split is not None for fov in fovs):
        return [fov for fov in fovs if fov.split is Split.TRAIN]
    return fovs


def build_project_bank(project: Project, settings: PatchSettings, *, tick: Tick = no_tick) -> PatchBank:
    """Cut the patches of all annotations on training FOVs.

    Raises:
        UserError: There is no training FOV, no patch can be cut, an annotated class has no size, or an image is
            missing or damaged.
    """
    fovs = list_train_fovs(project)
    if not fovs:
        raise UserError(
            f"The project {project.name} has no training images.",
            "Import images, or put some samples into the train split.",
        )
    by_fov = project.annotations.by_fov()
    annotations = [mark for fov in fovs for mark in by_fov.get(fov.id, [])]
    return build_patch_bank(fovs, annotations, project.classes.list(), settings=settings, read=_read, tick=tick)


def _read(fov: FieldOfView) -> ImageArray | ImageSource:
    return read_or_open(Path(fov.path))
