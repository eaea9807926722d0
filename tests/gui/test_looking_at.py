"""Looking at a data set of another program, from the dialog to the window that shows it."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from synthstudio.client import foreign
from synthstudio.core.export.datasets import ExportData
from synthstudio.core.export.writers import WRITERS
from synthstudio.gui.main_window import MainWindow, looking_at
from synthstudio.gui.main_window.look_dialog import LookDialog
from synthstudio.gui.pages.quality import QualityPage
from synthstudio.project import Project
from synthstudio.project.origins import find_looked_at
from tests.support.engine_project import build_engine_project
from tests.support.windows import TIMEOUT_MS, make_project, open_window

QUALITY = 4


@pytest.fixture
def coco(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(foreign, "looked_at_folder", lambda: tmp_path / "cache")
    project = build_engine_project(tmp_path / "other", n_train=3, n_val=0, n_test=0)
    data = ExportData(project.fovs.list(), project.annotations.by_fov(), project.classes.list(), keep_names=True)
    project.close()
    return WRITERS["coco"](data, tmp_path / "cells").out


def choose(qtbot: QtBot, window: MainWindow, folder: Path) -> None:
    """Open the dialog by its action, choose a folder, wait until it has been read, and press the button."""
    window.registry.action("file.look").trigger()
    dialog = window.findChild(LookDialog)
    assert dialog is not None
    dialog.folder.setText(str(folder))  # typed: its format is guessed like that of one that is dropped
    qtbot.waitUntil(lambda: dialog.import_button.text() == "Look at 3 images", timeout=TIMEOUT_MS)
    assert dialog.format.currentData() == "coco"
    assert not dialog.form.isRowVisible(dialog.copy)
    qtbot.mouseClick(dialog.import_button, Qt.MouseButton.LeftButton)


def test_that_without_a_project_a_data_set_is_looked_at_in_the_window(qtbot: QtBot, tmp_path: Path, coco: Path) -> None:
    with open_window(qtbot, tmp_path / "private") as window:
        choose(qtbot, window, coco)
        qtbot.waitUntil(lambda: window.workspace.project is not None, timeout=TIMEOUT_MS)
        page = window.page(QUALITY)
        qtbot.waitUntil(page.isVisible, timeout=TIMEOUT_MS)
        assert isinstance(page, QualityPage)
        assert "looked at in place" in window.message_bar.label.text()
        assert window.workspace.preferences.recent_projects == ()
        page.show_gallery()
        qtbot.waitUntil(lambda: len(page.gallery.grid.loaded) == 3, timeout=TIMEOUT_MS)
        shown = find_looked_at(window.workspace.require_project())
        assert shown is not None
        assert shown.path == str(coco)


def test_that_the_open_project_stays_while_another_window_shows_the_data_set(
    qtbot: QtBot, tmp_path: Path, coco: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[Path] = []

    def start(folder: Path) -> bool:
        started.append(folder)
        return len(started) == 1

    monkeypatch.setattr(looking_at, "start_window", start)
    with open_window(qtbot, tmp_path / "private", make_project(tmp_path / "study")) as window:
        page = window.page(QUALITY)
        assert isinstance(page, QualityPage)
        window.show_page(QUALITY)
        before = window.workspace.require_project().fovs.list()
        choose(qtbot, window, coco)
        qtbot.waitUntil(lambda: len(started) == 1, timeout=TIMEOUT_MS)
        qtbot.waitUntil(lambda: window.findChild(LookDialog) is None, timeout=TIMEOUT_MS)
        assert "a window of its own" in window.message_bar.label.text()
        project = window.workspace.require_project()
        assert (project.name, project.fovs.list()) == ("study", before)
        kept = Project.open(started[0], read_only=True)
        assert len(kept.fovs.list()) == 3
        kept.close()
        window.looking.open(started[0])
        assert "No other window" in window.message_bar.label.text()


def test_that_the_page_of_quality_offers_to_look_at_a_data_set(qtbot: QtBot, tmp_path: Path) -> None:
    with open_window(qtbot, tmp_path / "private", make_project(tmp_path / "study")) as window:
        window.show_page(QUALITY)
        page = window.page(QUALITY)
        assert isinstance(page, QualityPage)
        qtbot.mouseClick(page.look, Qt.MouseButton.LeftButton)
        dialog = window.findChild(LookDialog)
        assert dialog is not None
        assert dialog.isVisible()
        assert "Nothing is written" in dialog.summary.text()
        dialog.reject()
