"""What a person does wrong in the window: one clear sentence, nothing lost, no traceback."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from synthstudio.core.imaging import encode_png
from synthstudio.gui.main_window import MainWindow
from synthstudio.gui.main_window.import_dialog import ImportDialog
from tests.support.windows import TIMEOUT_MS, make_project, open_window


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[MainWindow]:
    with open_window(qtbot, tmp_path / "private", make_project(tmp_path / "study")) as opened:
        yield opened


def good_png() -> bytes:
    pixels = np.random.default_rng(1).integers(0, 255, (64, 64, 3), np.uint8)
    return encode_png(pixels)


def bomb_png() -> bytes:
    """A header that promises 60000 x 60000 pixels, with nothing behind it."""
    body = b"IHDR" + struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))
    return b"\x89PNG\r\n\x1a\n" + chunk + b"\x00\x00\x00\x00IEND\xaeB`\x82"


BAD = {"truncated.png": good_png()[:300], "bomb.png": bomb_png(), "text.jpg": b"this is no image\n"}


def test_that_damaged_images_are_named_and_the_good_one_is_imported(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    folder = tmp_path / "mixed"
    folder.mkdir()
    (folder / "good.png").write_bytes(good_png())
    for name, content in BAD.items():
        (folder / name).write_bytes(content)
    n_before = len(window.workspace.require_project().fovs.list())
    window.projects.take_dropped(folder)
    dialog = window.findChild(ImportDialog)
    assert dialog is not None
    qtbot.waitUntil(lambda: dialog.plan is not None, timeout=TIMEOUT_MS)
    lines = [dialog.problems.item(row).text() for row in range(dialog.problems.count())]
    for name in BAD:
        assert any(name in line for line in lines), f"nothing is said of {name}: {lines}"
    assert not [line for line in lines if "Traceback" in line or "\n" in line.strip()]
    with qtbot.waitSignal(dialog.accepted, timeout=TIMEOUT_MS):
        QTest.mouseClick(dialog.import_button, Qt.MouseButton.LeftButton)
    assert len(window.workspace.require_project().fovs.list()) == n_before + 1


@pytest.mark.parametrize("name", BAD)
def test_that_an_image_that_went_bad_is_named_when_it_is_opened(qtbot: QtBot, window: MainWindow, name: str) -> None:
    project = window.workspace.require_project()
    fov = project.fovs.list()[-1]
    Path(fov.path).write_bytes(BAD[name])
    window.workspace.forget_image(fov.id)
    window.workspace.set_current_fov(fov.id)
    qtbot.waitUntil(lambda: bool(window.message_bar.text), timeout=TIMEOUT_MS)
    assert Path(fov.path).name in window.message_bar.text
    assert "SynthStudio itself" not in window.message_bar.text
    assert project.annotations.list(fov.id), "the annotations are still there"


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only for root")
def test_that_a_project_is_not_made_in_a_read_only_folder(qtbot: QtBot, window: MainWindow, tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    former = window.workspace.require_project()
    assert not window.projects.create(locked / "study")
    assert "locked" in window.message_bar.text
    assert window.workspace.project is former


def test_that_a_project_is_not_made_in_the_place_of_a_file(window: MainWindow, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    former = window.workspace.require_project()
    assert not window.projects.create(tmp_path / "file")
    assert str(tmp_path / "file") in window.message_bar.text
    assert "SynthStudio itself" not in window.message_bar.text
    assert window.workspace.project is former
