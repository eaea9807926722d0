"""The real window over a small project, with settings and questions of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from synthstudio.gui.errors import Questions
from synthstudio.gui.main_window import MainWindow
from synthstudio.gui.pages.annotate import AnnotatePage
from synthstudio.gui.workspace import Workspace
from tests.support.cell_projects import make_cell_project

TIMEOUT_MS = 20_000


class ScriptedQuestions(Questions):
    """Answers what the window asks; `asked` tells the titles."""

    def __init__(self, *, paths: Sequence[Path] = (), choice: int | None = 0) -> None:
        self.asked: list[str] = []
        self.paths = list(paths)
        self.choice = choice

    def choose(
        self, parent: QWidget, *, title: str, text: str, choices: Sequence[str], answered: Callable[[int], None]
    ) -> None:
        self.asked.append(title)
        if self.choice is not None:
            answered(self.choice)

    def folder(self, parent: QWidget, *, title: str, start: Path, answered: Callable[[Path], object]) -> None:
        self.asked.append(title)
        answered(self.paths.pop(0))

    def new_folder(self, parent: QWidget, *, title: str, start: Path, answered: Callable[[Path], object]) -> None:
        self.folder(parent, title=title, start=start, answered=answered)

    def file(
        self, parent: QWidget, *, title: str, start: Path, name_filter: str, answered: Callable[[Path], object]
    ) -> None:
        self.folder(parent, title=title, start=start, answered=answered)


def make_project(folder: Path) -> Path:
    """Make a closed project with annotated fields."""
    make_cell_project(folder).close()
    return folder


@contextmanager
def open_window(
    qtbot: QtBot, private: Path, project: Path | None = None, *, engine_command: Sequence[str] | None = None
) -> Iterator[MainWindow]:
    """Show the window; wait for the first field where a project is named; shut everything down in the end."""
    private.mkdir(parents=True, exist_ok=True)
    workspace = Workspace(preferences_file=private / "preferences.toml", engine_command=engine_command)
    settings = QSettings(str(private / "qt.ini"), QSettings.Format.IniFormat)
    window = MainWindow(workspace, settings=settings)
    qtbot.addWidget(window)
    window.resize(1280, 800)
    try:
        if project is not None:
            assert window.open_project(project)
        window.show()
        if project is not None:
            wait_for_field(qtbot, window)
        yield window
    finally:
        workspace.shut_down()


def annotate_page(window: MainWindow) -> AnnotatePage:
    """The Annotate page of a window."""
    page = window.page(0)
    assert isinstance(page, AnnotatePage)
    return page


def wait_for_field(qtbot: QtBot, window: MainWindow) -> None:
    """Wait until the viewer shows the current field."""
    page = annotate_page(window)

    def is_shown() -> bool:
        return page.shown_fov is not None and page.shown_fov.id == window.workspace.current_fov_id

    qtbot.waitUntil(is_shown, timeout=TIMEOUT_MS)
