"""What every panel does that reads the project in the background."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot
from typing_extensions import override

from synthstudio.domain.errors import UserError
from synthstudio.domain.progress import Tick
from synthstudio.domain.records import changes
from synthstudio.gui import errors
from synthstudio.gui.reading_panel import ReadingPanel
from synthstudio.gui.workspace import Workspace
from synthstudio.project import Project
from tests.support.windows import TIMEOUT_MS


class Names(ReadingPanel[str, list[str]]):
    """Names of the classes that begin with what is wanted."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace, follows=("classes",))
        self.beginning = ""
        self.adopted: list[list[str] | None] = []
        self.n_read = 0
        self.error: Exception | None = None
        self.offer_error: Exception | None = None
        self.is_held = threading.Event()
        self.hold: threading.Event | None = None
        """Keeps the next read back once it has read."""

    @override
    def _wish(self) -> str:
        return self.beginning

    @override
    def _offer(self, project: Project | None) -> None:
        if self.offer_error is not None:
            raise self.offer_error

    @override
    def _find(self, project: Project, wish: str, tick: Tick) -> list[str]:
        self.n_read += 1
        error = self.error
        found = [each.name for each in project.classes.list() if each.name.startswith(wish)]
        hold, self.hold = self.hold, None
        if hold is not None:
            self.is_held.set()
            hold.wait(TIMEOUT_MS / 1000)
        if error is not None:
            raise error
        return found

    @override
    def _adopt(self, facts: list[str] | None) -> None:
        self.adopted.append(facts)


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    project = Project.create(tmp_path / "study")
    for name in ("RBC", "WBC"):
        project.classes.add(name)
    project.close()
    workspace = Workspace(preferences_file=tmp_path / "preferences.toml")
    workspace.open_project(tmp_path / "study")
    yield workspace
    workspace.shut_down()


@pytest.fixture
def panel(qtbot: QtBot, workspace: Workspace) -> Names:
    panel = Names(workspace)
    qtbot.addWidget(panel)
    return panel


def _wait_for(qtbot: QtBot, panel: Names, names: list[str]) -> None:
    qtbot.waitUntil(lambda: panel.adopted[-1:] == [names], timeout=TIMEOUT_MS)


def test_that_a_panel_reads_when_it_is_seen_and_not_before(qtbot: QtBot, workspace: Workspace, panel: Names) -> None:
    panel.refresh()
    workspace.background.drain()
    assert panel.n_read == 0
    panel.show()
    _wait_for(qtbot, panel, ["RBC", "WBC"])
    assert panel.n_read == 1


def test_that_only_records_that_it_follows_are_read_again(qtbot: QtBot, workspace: Workspace, panel: Names) -> None:
    panel.show()
    _wait_for(qtbot, panel, ["RBC", "WBC"])
    workspace.announce(changes("runs"))
    assert not panel._reread.isActive()
    workspace.require_project().classes.add("Platelets")
    workspace.announce(changes("classes"))
    _wait_for(qtbot, panel, ["RBC", "WBC", "Platelets"])


def test_that_what_was_read_for_another_wish_is_not_shown(qtbot: QtBot, workspace: Workspace, panel: Names) -> None:
    panel.show()
    _wait_for(qtbot, panel, ["RBC", "WBC"])
    panel.refresh()
    panel.beginning = "W"
    panel.refresh()
    _wait_for(qtbot, panel, ["WBC"])
    assert panel.adopted == [["RBC", "WBC"], ["WBC"]]


def test_that_a_closed_project_leaves_nothing(qtbot: QtBot, workspace: Workspace, panel: Names) -> None:
    panel.show()
    _wait_for(qtbot, panel, ["RBC", "WBC"])
    workspace.close_project()
    assert panel.adopted[-1] is None


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[Exception]:
    """The errors that were shown."""
    told: list[Exception] = []
    monkeypatch.setattr(errors, "report", lambda error, parent=None: told.append(error))
    return told


DAMAGED = UserError("The set is damaged.", "Write it again.")


def test_that_what_cannot_be_read_is_said_and_leaves_nothing_of_before(
    qtbot: QtBot, workspace: Workspace, panel: Names, told: list[Exception]
) -> None:
    panel.show()
    _wait_for(qtbot, panel, ["RBC", "WBC"])
    panel.error, panel.beginning = DAMAGED, "W"
    panel.refresh()
    qtbot.waitUntil(lambda: panel.adopted[1:] == [None], timeout=TIMEOUT_MS)
    assert told == [DAMAGED]
    assert panel.has_failed
    panel.error = None
    panel.hide()
    panel.show()
    _wait_for(qtbot, panel, ["WBC"])
    assert not panel.has_failed


def test_that_lists_that_cannot_be_offered_leave_nothing_of_before(
    qtbot: QtBot, workspace: Workspace, panel: Names, told: list[Exception]
) -> None:
    panel.show()
    _wait_for(qtbot, panel, ["RBC", "WBC"])
    hold = panel.hold = threading.Event()
    panel.refresh()
    assert panel.is_held.wait(TIMEOUT_MS / 1000)
    panel.offer_error = DAMAGED
    panel.refresh()
    assert told == [DAMAGED]
    assert panel.has_failed
    hold.set()
    qtbot.waitUntil(lambda: workspace.background.is_idle, timeout=TIMEOUT_MS)
    assert panel.adopted == [["RBC", "WBC"], None]  # what was read before is too late
    panel.offer_error = None
    panel.hide()
    panel.show()
    _wait_for(qtbot, panel, ["RBC", "WBC"])
    assert not panel.has_failed


def test_that_a_failed_read_of_another_wish_takes_nothing_away(
    qtbot: QtBot, workspace: Workspace, panel: Names, told: list[Exception]
) -> None:
    hold = panel.hold = threading.Event()
    panel.error = DAMAGED
    panel.show()
    assert panel.is_held.wait(TIMEOUT_MS / 1000)
    panel.error, panel.beginning = None, "W"
    panel.refresh()
    _wait_for(qtbot, panel, ["WBC"])
    hold.set()
    qtbot.waitUntil(lambda: told == [DAMAGED], timeout=TIMEOUT_MS)
    assert panel.adopted == [["WBC"]]
    assert not panel.has_failed


def test_that_a_slow_read_does_not_come_last(qtbot: QtBot, workspace: Workspace, panel: Names) -> None:
    panel.show()
    _wait_for(qtbot, panel, ["RBC", "WBC"])
    hold = panel.hold = threading.Event()
    panel.refresh()
    assert panel.is_held.wait(TIMEOUT_MS / 1000)
    workspace.require_project().classes.add("Platelets")
    panel.refresh()
    _wait_for(qtbot, panel, ["RBC", "WBC", "Platelets"])
    hold.set()
    qtbot.waitUntil(lambda: workspace.background.is_idle, timeout=TIMEOUT_MS)
    assert panel.adopted == [["RBC", "WBC"], ["RBC", "WBC", "Platelets"]]
