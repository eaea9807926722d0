"""The menu of the window: all that can be done now, by what it is about."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from PySide6.QtWidgets import QMenu

from synthstudio.gui.actions import ActionRegistry
from synthstudio.gui.main_window.specs import FILE, MENUS


def fill_menu(
    menu: QMenu, registry: ActionRegistry, *, recent: Iterable[str], open_project: Callable[[Path], bool]
) -> None:
    """Fill a menu anew.

    Args:
        registry: What can be done.
        recent: Folders of projects that were open lately; those that are gone are left out.
        open_project: Opens one of them.
    """
    menu.clear()
    shown = [spec for spec in registry.specs() if registry.is_reachable(spec.id)]
    names = [*MENUS, *dict.fromkeys(spec.menu for spec in shown if spec.menu and spec.menu not in MENUS)]
    for name in names:
        specs = [spec for spec in shown if spec.menu == name]
        if not specs:
            continue
        submenu = menu.addMenu(name)
        for spec in specs:
            submenu.addAction(registry.action(spec.id))
        if name == FILE:
            _add_recent(submenu, recent, open_project)


def _add_recent(menu: QMenu, recent: Iterable[str], open_project: Callable[[Path], bool]) -> None:
    known = [folder for each in recent if (folder := Path(each)).is_dir()]
    if known:
        submenu = menu.addMenu("Recent projects")
        for folder in known:
            submenu.addAction(str(folder), partial(open_project, folder))
