"""Tabs that carry out plans, opened on a project with an engine that plays a part."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from synthstudio.gui.workspace import Workspace
from tests.support.scripted_engine import scripted_engine
from tests.support.windows import TIMEOUT_MS


class PlanTab(Protocol):
    """What is refreshed when records change."""

    def refresh(self) -> None: ...


Tab = TypeVar("Tab", bound=PlanTab)


class TabOpener(Generic[Tab]):
    """Opens the tab once for each part; every time it is another session on the same project.

    Args:
        folder: Of the project.
        preferences: Folder for the preferences of each session.
        make: Makes the tab.
        is_read: Whether the tab shows what it has read.
    """

    def __init__(
        self,
        qtbot: QtBot,
        *,
        folder: Path,
        preferences: Path,
        make: Callable[[Workspace], Tab],
        is_read: Callable[[Tab], bool],
    ) -> None:
        self._qtbot, self._folder, self._preferences = qtbot, folder, preferences
        self._make, self._is_read = make, is_read
        self._made: list[Workspace] = []

    def __call__(self, part: str) -> tuple[Tab, Workspace]:
        """Open it with an engine that plays this part."""
        preferences = self._preferences / f"{len(self._made)}.toml"
        workspace = Workspace(engine_command=scripted_engine(part), preferences_file=preferences)
        self._made.append(workspace)
        workspace.open_project(self._folder)
        tab = self._make(workspace)
        assert isinstance(tab, QWidget)
        self._qtbot.addWidget(tab)
        workspace.records_changed.connect(lambda _changed: tab.refresh())  # as the page does
        tab.resize(1000, 700)
        tab.show()
        tab.refresh()
        self._qtbot.waitUntil(lambda: self._is_read(tab), timeout=TIMEOUT_MS)
        return tab, workspace

    def shut_down(self) -> None:
        """End all sessions."""
        for workspace in self._made:
            workspace.shut_down()
