"""Levels in the window: what is dragged is seen, each image keeps its own, and no stored pixel changes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from synthstudio.core.imaging import Channel, Levels, apply_levels, read_deep_samples, sha256_of_file
from synthstudio.gui.canvas.fov_view import FovView
from synthstudio.gui.canvas.large_images import open_for_view
from synthstudio.gui.canvas.pyramid import WholePyramid, build_pyramid
from synthstudio.gui.main_window import MainWindow
from synthstudio.gui.pages.annotate.page import AnnotatePage
from tests.support.windows import TIMEOUT_MS, make_project, open_window


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[MainWindow]:
    with open_window(qtbot, tmp_path / "private", make_project(tmp_path / "study")) as opened:
        yield opened


@pytest.fixture
def page(window: MainWindow) -> AnnotatePage:
    found = window.findChild(AnnotatePage)
    assert isinstance(found, AnnotatePage)
    return found


def seen(view: FovView) -> NDArray[np.uint8]:
    picture = view.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(picture.constBits(), np.uint8).reshape(picture.height(), picture.bytesPerLine())
    return rows[:, : 3 * picture.width()].reshape(picture.height(), picture.width(), 3).copy()


@pytest.fixture
def plain_view(qtbot: QtBot) -> FovView:
    view = FovView()
    qtbot.addWidget(view)
    view.resize(400, 300)
    view.set_scale_bar_visible(False)
    view.show()
    return view


@pytest.mark.parametrize(
    "levels",
    [
        Levels(black=0.2, white=0.7),
        Levels(gamma=2.2, is_inverted=True),
        Levels(channel=Channel.GREEN),
        Levels(channel=Channel.LUMINANCE, black=0.1),
    ],
)
def test_that_what_is_seen_is_what_the_levels_say(plain_view: FovView, levels: Levels) -> None:
    image = np.random.default_rng(4).integers(0, 256, (900, 1200, 3), dtype=np.uint8)
    pyramid = build_pyramid(image)
    plain_view.set_image(pyramid)
    plain_view.one_to_one()
    before = seen(plain_view)
    pyramid.set_levels(levels)
    expected = apply_levels(before[20:200, 20:300], levels, full_scale=255)
    np.testing.assert_array_equal(seen(plain_view)[20:200, 20:300], expected)
    assert pyramid.color_at(3, 5) == tuple(image[5, 3])


def test_that_a_sixteen_bit_image_is_shown_in_its_full_depth(plain_view: FovView, tmp_path: Path) -> None:
    samples = np.random.default_rng(4).integers(2000, 2200, (600, 800)).astype(np.uint16)
    cv2.imwrite(str(tmp_path / "deep.png"), samples)
    pyramid = open_for_view(tmp_path / "deep.png", tmp_path)
    assert isinstance(pyramid, WholePyramid)
    assert pyramid.lacks_depth
    pyramid.set_depth(read_deep_samples(tmp_path / "deep.png"))
    assert pyramid.full_scale == 4095
    plain_view.set_image(pyramid)
    plain_view.one_to_one()
    levels = Levels(black=2000 / 4095, white=2200 / 4095)
    pyramid.set_levels(levels)
    x, y = (round(value) for value in plain_view.viewport.to_image(0, 0))
    expected = apply_levels(samples[y : y + 250, x : x + 350], levels, full_scale=4095)
    np.testing.assert_array_equal(seen(plain_view)[:250, :350], expected)
    assert len(np.unique(expected)) > 150


def test_that_each_image_keeps_its_levels_unless_they_are_locked(
    qtbot: QtBot, window: MainWindow, page: AnnotatePage
) -> None:
    workspace = page.workspace
    first, second = workspace.fov_order[:2]
    page.levels_panel.invert.click()
    assert page.levels.levels.is_inverted
    workspace.set_current_fov(second)
    qtbot.waitUntil(lambda: page.shown_fov is not None and page.shown_fov.id == second, timeout=TIMEOUT_MS)
    assert page.levels.levels.is_neutral
    assert not page.levels_panel.invert.isChecked()
    workspace.set_current_fov(first)
    qtbot.waitUntil(lambda: page.shown_fov is not None and page.shown_fov.id == first, timeout=TIMEOUT_MS)
    assert page.levels.levels.is_inverted
    page.levels_panel.lock.click()
    workspace.set_current_fov(second)
    qtbot.waitUntil(lambda: page.shown_fov is not None and page.shown_fov.id == second, timeout=TIMEOUT_MS)
    assert page.view.pyramid is not None
    assert page.view.pyramid.levels.is_inverted


def test_that_keys_stretch_invert_and_reset(qtbot: QtBot, page: AnnotatePage) -> None:
    path = page.shown_fov.path if page.shown_fov else ""
    before = sha256_of_file(Path(path))
    page.view.setFocus()
    qtbot.keyClick(page.view, Qt.Key.Key_W)
    qtbot.waitUntil(lambda: page.levels.levels.black > 0 or page.levels.levels.white < 1, timeout=TIMEOUT_MS)
    qtbot.keyClick(page.view, Qt.Key.Key_I)
    assert page.levels.levels.is_inverted
    qtbot.keyClick(page.view, Qt.Key.Key_I, Qt.KeyboardModifier.ShiftModifier)
    assert page.levels.levels.channel is Channel.RED
    qtbot.keyClick(page.view, Qt.Key.Key_W, Qt.KeyboardModifier.ShiftModifier)
    assert page.levels.levels.is_neutral
    assert sha256_of_file(Path(path)) == before


def test_that_the_ends_of_the_histogram_can_be_dragged(qtbot: QtBot, page: AnnotatePage) -> None:
    page.levels_section.set_folded(False)
    plot = page.levels_panel.plot
    qtbot.waitUntil(lambda: plot._histogram is not None and plot.width() > 50, timeout=TIMEOUT_MS)
    qtbot.mousePress(plot, Qt.MouseButton.LeftButton, pos=QPoint(8, 10))
    qtbot.mouseMove(plot, QPoint(plot.width() // 2, 10))
    qtbot.mouseRelease(plot, Qt.MouseButton.LeftButton, pos=QPoint(plot.width() // 2, 10))
    assert page.levels.levels.black == pytest.approx(0.5, abs=0.02)
    assert page.levels_panel.black.value() == round(page.levels.levels.black * 255)
    qtbot.keyClick(plot, Qt.Key.Key_Left)
    assert page.levels.levels.black == pytest.approx(0.5 - 1 / 256, abs=0.02)
    page.levels_panel.white.setValue(100)  # below black: black gives way
    assert page.levels.levels.white == pytest.approx(100 / 255)
    assert page.levels.levels.black < page.levels.levels.white
