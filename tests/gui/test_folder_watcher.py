"""The watched folder in the real window: images come, a suggestion job is queued, and it goes on after a restart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialogButtonBox
from pytestqt.qtbot import QtBot

from synthstudio.client.watch_options import read_watch
from synthstudio.gui.main_window.watch_dialog import WatchDialog
from synthstudio.gui.main_window.window import MainWindow
from tests.support.suggestions import add_model
from tests.support.windows import TIMEOUT_MS, make_project, open_window


def put(path: Path, seed: int) -> None:
    Image.fromarray(np.random.default_rng(seed).integers(0, 255, (24, 32, 3), np.uint8)).save(path)


def fill_in(qtbot: QtBot, window: MainWindow, folder: Path) -> WatchDialog:
    window.registry.action("file.watch").trigger()
    dialog = window.findChild(WatchDialog)
    assert dialog is not None
    dialog.folder.clear()
    qtbot.keyClicks(dialog.folder, str(folder))
    return dialog


def save(qtbot: QtBot, dialog: WatchDialog) -> None:
    buttons = dialog.findChild(QDialogButtonBox)
    assert buttons is not None
    qtbot.mouseClick(buttons.button(QDialogButtonBox.StandardButton.Save), Qt.MouseButton.LeftButton)


def test_that_images_that_come_are_imported_and_searched_also_after_a_restart(qtbot: QtBot, tmp_path: Path) -> None:
    folder, study = tmp_path / "scope", make_project(tmp_path / "study")
    folder.mkdir()
    put(folder / "new1.png", 1)
    with open_window(qtbot, tmp_path / "private", study) as window:
        project, queued = window.workspace.require_project(), []
        add_model(project)
        window.workspace.gpu_worker.pause()
        window.workspace.gpu_worker.job_queued.connect(queued.append)
        before = project.fovs.count()
        dialog = fill_in(qtbot, window, folder)
        qtbot.keyClick(dialog.suggests, Qt.Key.Key_Space)
        qtbot.waitUntil(lambda: dialog.model.count() == 2, timeout=TIMEOUT_MS)
        dialog.model.setCurrentIndex(1)
        save(qtbot, dialog)
        window.registry.refresh()
        assert window.registry.action("file.watch").isChecked()
        qtbot.waitUntil(lambda: not window.watcher._is_looking, timeout=TIMEOUT_MS)
        window.watcher.look()
        qtbot.waitUntil(lambda: project.fovs.count() == before + 1 and len(queued) == 1, timeout=TIMEOUT_MS)
        assert project.runs.get(queued[0]).kind == "suggest"
        window.workspace.gpu_worker.cancel_all()
    put(folder / "new2.png", 2)
    with open_window(qtbot, tmp_path / "private", study) as window:
        project = window.workspace.require_project()
        assert window.watcher.options is not None
        for _ in range(2):
            qtbot.waitUntil(lambda: not window.watcher._is_looking, timeout=TIMEOUT_MS)
            window.watcher.look()
        qtbot.waitUntil(lambda: project.fovs.count() == before + 2, timeout=TIMEOUT_MS)
        window.workspace.gpu_worker.cancel_all()
        dialog = fill_in(qtbot, window, folder)
        qtbot.keyClick(dialog.is_on, Qt.Key.Key_Space)
        save(qtbot, dialog)
        assert read_watch(project) is None


def test_that_a_folder_that_is_not_there_is_told_and_the_dialog_stays(qtbot: QtBot, tmp_path: Path) -> None:
    with open_window(qtbot, tmp_path / "private", make_project(tmp_path / "study")) as window:
        dialog = fill_in(qtbot, window, tmp_path / "nowhere")
        save(qtbot, dialog)
        assert "no folder" in window.message_bar.label.text()
        assert dialog.isVisible()
        dialog.reject()
