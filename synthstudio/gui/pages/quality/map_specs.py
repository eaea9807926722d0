"""What can be done on the map of the pictures, as data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from PySide6.QtWidgets import QPushButton, QWidget

from synthstudio.gui.actions import ActionSpec
from synthstudio.gui.pages.quality.map_results import MapResults
from synthstudio.gui.workspace import Workspace

MENU = "Quality"


class Map(Protocol):
    """What the actions need of the map."""

    results: MapResults
    file_button: QPushButton

    def isVisible(self) -> bool: ...
    def start(self) -> None: ...
    def ask_for_file(self) -> None: ...
    def show_in_gallery(self) -> None: ...


def map_actions(panel: Map, workspace: Workspace, *, area: QWidget) -> Sequence[ActionSpec]:
    """All actions of the map; `area` is its widget."""

    def has_choice() -> bool:
        return panel.isVisible() and panel.results.chosen is not None

    return (
        ActionSpec(
            "quality.make_map",
            "Make or update the map of the pictures",
            panel.start,
            icon="mdi6.map-outline",
            menu=MENU,
            enabled_when=lambda: panel.isVisible() and workspace.is_writable,
        ),
        ActionSpec(
            "quality.similar",
            "Find what is like the selected picture",
            panel.results.ask_for_similar,
            shortcut="S",
            icon="mdi6.image-search-outline",
            menu=MENU,
            enabled_when=has_choice,
            area=area,
        ),
        ActionSpec(
            "quality.show_picture",
            "Show the selected picture of the map",
            panel.results.open_selected,
            icon="mdi6.target",
            menu=MENU,
            enabled_when=has_choice,
        ),
        ActionSpec(
            "quality.similar_file",
            "Find what is like an image file…",
            panel.ask_for_file,
            menu=MENU,
            enabled_when=lambda: panel.isVisible() and panel.file_button.isEnabled(),
        ),
        ActionSpec(
            "quality.map_to_gallery",
            "Show the picked pictures in the gallery",
            panel.show_in_gallery,
            menu=MENU,
            enabled_when=lambda: panel.isVisible() and bool(panel.results.found),
        ),
    )
