"""What can be done in the gallery, as data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from PySide6.QtWidgets import QCheckBox, QToolButton, QWidget

from synthstudio.gui.actions import ActionSpec
from synthstudio.gui.pages.quality.gallery_tags import GalleryTags
from synthstudio.gui.pages.quality.gallery_views import GalleryViews
from synthstudio.gui.widgets.tile_grid import TileGrid
from synthstudio.gui.workspace import Workspace

MENU = "Quality"


class Gallery(Protocol):
    """What the actions need of the gallery."""

    grid: TileGrid
    tags: GalleryTags
    views: GalleryViews
    boxes: QCheckBox
    filters_button: QToolButton

    @property
    def has_selection(self) -> bool: ...
    @property
    def is_filtered(self) -> bool: ...
    def isVisible(self) -> bool: ...
    def open_selected(self) -> None: ...
    def copy_names(self) -> None: ...
    def drop_all(self) -> None: ...


def gallery_actions(panel: Gallery, workspace: Workspace, *, area: QWidget) -> Sequence[ActionSpec]:
    """All actions of the gallery; `area` is its widget."""
    return (*_of_selection(panel, workspace, area), *_of_changes(panel, workspace, area), *_of_view(panel, area))


def _of_selection(panel: Gallery, workspace: Workspace, area: QWidget) -> list[ActionSpec]:
    def rests() -> bool:
        return panel.isVisible() and panel.has_selection

    def can_tag() -> bool:
        return rests() and workspace.is_writable

    return [
        ActionSpec(
            "quality.open_tile",
            "Show the selected image or object",
            panel.open_selected,
            icon="mdi6.target",
            menu=MENU,
            enabled_when=rests,
        ),
        ActionSpec(
            "quality.copy_names",
            "Copy the names of the selected images",
            panel.copy_names,
            shortcut="Ctrl+C",
            menu=MENU,
            enabled_when=rests,
            focus=panel.grid,
        ),
        ActionSpec(
            "quality.tag",
            "Tags of the selected images or objects…",
            panel.tags.open,
            shortcut="T",
            icon="mdi6.tag-outline",
            menu=MENU,
            enabled_when=can_tag,
            area=area,
        ),
        ActionSpec(
            "quality.tag_again",
            "Put the last tag on the selected ones",
            panel.tags.repeat,
            shortcut="Shift+T",
            icon="mdi6.tag-plus-outline",
            menu=MENU,
            enabled_when=lambda: can_tag() and bool(panel.tags.last),
            area=area,
        ),
        ActionSpec(
            "quality.select_all",
            "Select everything in the gallery",
            panel.grid.select_all,
            shortcut="Ctrl+A",
            menu=MENU,
            enabled_when=panel.isVisible,
            focus=panel.grid,
        ),
    ]


def _of_changes(panel: Gallery, workspace: Workspace, area: QWidget) -> list[ActionSpec]:
    stack = workspace.undo_stack
    return [
        ActionSpec(
            "quality.undo_tag",
            "Undo in the gallery",
            stack.undo,
            shortcut="Ctrl+Z",
            icon="mdi6.undo",
            menu=MENU,
            enabled_when=lambda: panel.isVisible() and stack.canUndo(),
            area=area,
        ),
        ActionSpec(
            "quality.redo_tag",
            "Redo in the gallery",
            stack.redo,
            shortcut=("Ctrl+Shift+Z", "Ctrl+Y"),
            icon="mdi6.redo",
            menu=MENU,
            enabled_when=lambda: panel.isVisible() and stack.canRedo(),
            area=area,
        ),
    ]


def _of_view(panel: Gallery, area: QWidget) -> list[ActionSpec]:
    return [
        ActionSpec(
            "quality.boxes",
            "Boxes in the gallery",
            panel.boxes.toggle,
            shortcut="B",
            icon="mdi6.vector-square",
            menu=MENU,
            enabled_when=panel.isVisible,
            checked_when=panel.boxes.isChecked,
            area=area,
        ),
        ActionSpec(
            "quality.filters",
            "Filters of the gallery",
            panel.filters_button.toggle,
            shortcut="F",
            icon="mdi6.filter-variant",
            menu=MENU,
            enabled_when=panel.isVisible,
            checked_when=panel.filters_button.isChecked,
            area=area,
        ),
        ActionSpec(
            "quality.drop_filters",
            "Drop all filters of the gallery",
            panel.drop_all,
            shortcut="Ctrl+Shift+F",
            icon="mdi6.filter-off-outline",
            menu=MENU,
            enabled_when=lambda: panel.isVisible() and panel.is_filtered,
            area=area,
        ),
        ActionSpec(
            "quality.save_view",
            "Save the view of the gallery…",
            panel.views.ask,
            icon="mdi6.content-save-outline",
            menu=MENU,
            enabled_when=lambda: panel.isVisible() and panel.views.can_save,
        ),
    ]
