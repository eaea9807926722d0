"""Which FOVs patches may be cut from, and the patch bank of a project."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from synthstudio.core.imaging import ImageArray, ImageSource, read_or_open
from synthstudio.core.patches.bank import PatchBank, build_patch_bank
from synthstudio.core.patches.plates import add_plates
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import AnnotationId
from synthstudio.domain.progress import Tick, no_tick, part_of
from synthstudio.domain.records import FieldOfView, Split
from synthstudio.project.generated_patches import generated_reader, list_generated, with_sources
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


def build_project_bank(
    project: Project,
    settings: PatchSettings,
    *,
    rejected: Collection[AnnotationId] | None = None,
    with_plates: bool = False,
    tick: Tick = no_tick,
) -> PatchBank:
    """Cut the patches of all annotations on training FOVs, and of the sets of generated images that are wanted.

    Args:
        project: Where the annotations are.
        settings: How the patches are cut.
        rejected: Annotations that give no patch; those that the project has rejected where it is None.
        with_plates: Keep the emptied backgrounds too, for canvases that are made of them.
        tick: Called once per FOV.

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
    classes = project.classes.list()
    check_class_names(settings, [each.name for each in classes])
    by_fov = project.annotations.by_fov()
    annotations = [mark for fov in fovs for mark in by_fov.get(fov.id, [])]
    generated = list_generated(
        project,
        settings.generated_sets,
        fovs=fovs,
        annotations=annotations,
        classes=classes,
        review=settings.generated_review,
    )
    bank = build_patch_bank(
        [*fovs, *generated.fovs],
        [*annotations, *generated.annotations],
        classes,
        settings=settings,
        read=generated_reader(_read),
        rejected=project.patch_verdicts.rejected() if rejected is None else rejected,
        tick=part_of(tick, 0.0, 0.5) if with_plates else tick,
    )
    bank = with_sources(bank, generated)
    if not with_plates:
        return bank
    return add_plates(bank, fovs, annotations, settings=settings, read=_read, tick=part_of(tick, 0.5, 1.0))


def check_class_names(settings: PatchSettings, known: Sequence[str]) -> None:
    """Raises UserError where the settings give a foreground to a class that does not exist."""
    for name in settings.own_foregrounds:
        if name not in known:
            raise UserError(
                f'There is no class "{name}" to give a foreground of its own.',
                f"The classes are: {', '.join(known)}. See Foreground by class among the advanced settings.",
            )


def _read(fov: FieldOfView) -> ImageArray | ImageSource:
    return read_or_open(Path(fov.path), page=fov.page)
