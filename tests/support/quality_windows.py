"""The real window on a small project with a set, and its Quality page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pytestqt.qtbot import QtBot

from synthstudio.gui.main_window import MainWindow
from synthstudio.gui.pages.quality import QualityPage
from synthstudio.settings.compose import ComposeSettings, CompositionSettings
from tests.support.engine_project import build_engine_project
from tests.support.sets import add_set
from tests.support.windows import open_window

QUALITY = 4
SET_NAME, N_MADE = "made", 3


@contextmanager
def open_with_set(qtbot: QtBot, folder: Path) -> Iterator[MainWindow]:
    """Open the window on five images, beside a set of `N_MADE` composites."""
    project = build_engine_project(folder, n_train=3, n_val=1, n_test=1)
    composition = CompositionSettings(canvas_px=96)
    add_set(project, ComposeSettings(set_name=SET_NAME, count=N_MADE, composition=composition))
    project.close()
    with open_window(qtbot, folder / "private", project.folder) as opened:
        yield opened


def quality_page(window: MainWindow) -> QualityPage:
    """Go to the Quality page."""
    window.show_page(QUALITY)
    page = window.page(QUALITY)
    assert isinstance(page, QualityPage)
    return page
