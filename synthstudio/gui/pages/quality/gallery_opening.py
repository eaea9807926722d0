"""From a tile of the gallery to where its image is worked on."""

from __future__ import annotations

from dataclasses import dataclass, replace

from PySide6.QtWidgets import QWidget

from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import AnnotationId, FovId
from synthstudio.domain.records import Box
from synthstudio.gui import errors
from synthstudio.gui.actions import trigger_action
from synthstudio.gui.pages.quality.gallery_tiles import GallerySource, part_of
from synthstudio.gui.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Place:
    """A part of an image.

    Attributes:
        mark_id: The annotation that is meant; None where it is the part as such.
        set_name: Where the image is; empty for the project.
    """

    fov_id: FovId
    part: Box
    mark_id: AnnotationId | None = None
    set_name: str = ""


def open_elsewhere(workspace: Workspace, source: GallerySource, row: int, *, set_name: str, panel: QWidget) -> None:
    """Show an image or object of the project in Annotate; of a set, the set in Review."""
    try:
        place = Place(source.table.fovs[int(source.table.fov[row])].id, part_of(source, row), set_name=set_name)
        if source.table.has_objects:
            place = replace(place, mark_id=source.table.marks[row].id)
    except UserError as error:  # it has just been removed
        errors.report(error, parent=panel)
        return
    open_place(workspace, place, panel=panel)


def open_place(workspace: Workspace, place: Place, *, panel: QWidget) -> None:
    """Show a place of the project where it is annotated, one of a set where its images are judged."""
    if place.set_name:
        workspace.ask_for_review(place.set_name)
        trigger_action("go.review", panel)
        return
    try:
        if place.mark_id is not None:
            workspace.show_annotation(place.fov_id, place.mark_id)
        else:
            workspace.show_region(place.fov_id, place.part)
    except UserError as error:
        errors.report(error, parent=panel)
        return
    trigger_action("go.annotate", panel)
