"""What the command palette finds: actions, of this page and of others, and fields."""

from __future__ import annotations

from functools import partial
from typing import Protocol

from PySide6.QtWidgets import QWidget

from synthstudio.gui.actions import ActionRegistry, ActionSpec, matching, shown_key
from synthstudio.gui.main_window.fov_panel import FovPanel
from synthstudio.gui.main_window.pages import PAGES
from synthstudio.gui.widgets.command_palette import PaletteItem
from synthstudio.gui.workspace import Workspace

MAX_FIELDS = 20


class Window(Protocol):
    """What the search needs of the window."""

    workspace: Workspace
    registry: ActionRegistry
    fov_panel: FovPanel

    def place_of(self, page: QWidget | None) -> int: ...
    def show_page(self, place: int) -> None: ...


class PaletteSearch:
    """Searches by words."""

    def __init__(self, window: Window) -> None:
        self._window = window

    def search(self, query: str) -> list[PaletteItem]:
        """Actions of the window and the page, then fields, then actions of other pages and those that are disabled."""
        registry = self._window.registry
        found = matching(registry.specs(), query)
        here = [self._item(spec) for spec in found if registry.is_reachable(spec.id)]
        items = [*(item for item in here if item.is_enabled), *self._field_items(query)]
        if query.strip():
            items += [self._item_elsewhere(spec) for spec in found if not registry.is_reachable(spec.id)]
            items += [item for item in here if not item.is_enabled]
        return items

    def _item(self, spec: ActionSpec) -> PaletteItem:
        keys = shown_key(spec.shortcuts[0]) if spec.shortcuts else ""
        action = self._window.registry.action(spec.id)
        return PaletteItem(spec.plain_text, action.trigger, spec.menu, keys, action.isEnabled())

    def _item_elsewhere(self, spec: ActionSpec) -> PaletteItem:
        window = self._window
        place = window.place_of(window.registry.owner(spec.id))

        def go_and_do() -> None:
            window.show_page(place)
            window.registry.action(spec.id).trigger()

        is_enabled = window.workspace.project is not None
        return PaletteItem(spec.plain_text, go_and_do, f"in {PAGES[place].title}", "", is_enabled)

    def _field_items(self, query: str) -> list[PaletteItem]:
        words, panel = query.casefold().split(), self._window.fov_panel
        if not words or self._window.workspace.project is None:
            return []
        items = []
        for fov in panel.model.all_fovs:
            text = f"{fov.sample_name} / {fov.name}"
            if all(word in text.casefold() for word in words):
                items.append(PaletteItem(text, partial(panel.go_to, fov.id), "Field"))
                if len(items) == MAX_FIELDS:
                    break
        return items
