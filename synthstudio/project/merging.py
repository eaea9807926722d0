"""What an import brings to FOVs that were there before: the marks, labels and captions that they lack."""

from __future__ import annotations

from dataclasses import dataclass

from synthstudio.core.annotations.merging import build_extent, find_new
from synthstudio.domain.guides import GuideImage
from synthstudio.domain.ids import AnnotationId, ClassId, FovId, GuideId
from synthstudio.domain.plans import PlannedAnnotation, PlannedFov
from synthstudio.domain.records import Annotation, AnnotationSource, AnnotationState, Changes, FieldOfView
from synthstudio.project.guide_imports import bring_guides_back, take_back_guides
from synthstudio.project.project import Project


@dataclass(frozen=True, slots=True)
class Merged:
    """What an import changed in FOVs that were there before.

    Attributes:
        annotations: Marks that were added, with their ids.
        states: FOVs whose annotation state grew: the state before and after.
        calibrations: FOVs that had no pixel size, and the one that they got.
        labels: Image labels that were added.
        guides: Guide images that they became, with the names of the sets.
        captions: Guide images that had no caption, and the one that they got.
    """

    annotations: tuple[Annotation, ...] = ()
    states: tuple[tuple[FovId, AnnotationState, AnnotationState], ...] = ()
    calibrations: tuple[tuple[FovId, float], ...] = ()
    labels: tuple[tuple[FovId, ClassId, bool], ...] = ()
    guides: tuple[tuple[str, GuideImage], ...] = ()
    captions: tuple[tuple[GuideId, str], ...] = ()

    def __add__(self, other: Merged) -> Merged:
        return Merged(
            self.annotations + other.annotations,
            self.states + other.states,
            self.calibrations + other.calibrations,
            self.labels + other.labels,
            self.guides + other.guides,
            self.captions + other.captions,
        )


NOTHING_MERGED = Merged()


def to_annotation(
    mark: PlannedAnnotation, fov_id: FovId, class_ids: dict[str, ClassId], source: AnnotationSource
) -> Annotation:
    """The record of a mark that is to be added to an FOV."""
    return Annotation(
        id=AnnotationId(0),
        fov_id=fov_id,
        class_id=class_ids[mark.class_name],
        x=mark.x,
        y=mark.y,
        box=mark.box,
        size_px=mark.size_px,
        source=source,
        note=mark.note,
        is_flagged=mark.is_flagged,
    )


def merge(
    project: Project,
    planned: PlannedFov,
    fov: FieldOfView,
    *,
    class_ids: dict[str, ClassId],
    source: AnnotationSource,
) -> Merged:
    """Add the marks and labels that an FOV lacks. Its sample and split stay as they are."""
    classes = {each.id: each for each in project.classes.list()}
    by_name = {each.name: each.size_in(fov.um_per_px) for each in classes.values()}
    there = [
        PlannedAnnotation(classes[mark.class_id].name, mark.x, mark.y, mark.box, mark.size_px)
        for mark in project.annotations.list(fov.id)
    ]
    old, new = (
        [build_extent(mark, by_name[mark.class_name], width=fov.width, height=fov.height) for mark in marks]
        for marks in (there, planned.annotations)
    )
    added = [planned.annotations[index] for index in find_new(new, old)]
    stored, _ = project.annotations.add([to_annotation(mark, fov.id, class_ids, source) for mark in added])
    order = list(AnnotationState)
    grown = order.index(planned.state) > order.index(fov.state)
    if grown:
        project.fovs.set_state(fov.id, planned.state)
    calibrations: tuple[tuple[FovId, float], ...] = ()
    if fov.um_per_px is None and planned.um_per_px is not None:
        project.fovs.set_calibration([fov.id], planned.um_per_px)
        calibrations = ((fov.id, planned.um_per_px),)
    labelled = project.fovs.image_labels(fov.id)
    labels = tuple(
        (fov.id, class_ids[name], present) for name, present in planned.labels if class_ids[name] not in labelled
    )
    for fov_id, class_id, present in labels:
        project.fovs.set_image_label(fov_id, class_id, present=present)
    return Merged(tuple(stored), ((fov.id, fov.state, planned.state),) if grown else (), calibrations, labels)


def undo_merge(project: Project, merged: Merged) -> Changes:
    """Take back what an import brought to FOVs that were there before."""
    with project.transaction(before="undo of import"):
        told = project.annotations.remove(merged.annotations)
        for fov_id, before, _ in merged.states:
            told |= project.fovs.set_state(fov_id, before)
        for fov_id, _ in merged.calibrations:
            told |= project.fovs.set_calibration([fov_id], None)
        for fov_id, class_id, _ in merged.labels:
            told |= project.fovs.set_image_label(fov_id, class_id, present=None)
        told |= take_back_guides(project, merged.guides, merged.captions)
    return told


def redo_merge(project: Project, merged: Merged) -> Changes:
    """Bring them back, under the same ids. Nothing is lost by it: no snapshot is kept."""
    with project.transaction():
        _, told = project.annotations.add(merged.annotations)
        for fov_id, _, after in merged.states:
            told |= project.fovs.set_state(fov_id, after)
        for fov_id, um_per_px in merged.calibrations:
            told |= project.fovs.set_calibration([fov_id], um_per_px)
        for fov_id, class_id, present in merged.labels:
            told |= project.fovs.set_image_label(fov_id, class_id, present=present)
        told |= bring_guides_back(project, merged.guides, merged.captions)
    return told
