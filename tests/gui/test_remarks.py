"""Flags and notes of annotations are seen in the view, whatever the style and however the view is turned."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from synthstudio.domain.records import Annotation
from synthstudio.gui.canvas.mark_painter import MarkStyle
from synthstudio.gui.canvas.sprites import FLAG_COLOR, NOTE_COLOR
from synthstudio.gui.pages.annotate import AnnotatePage
from tests.support.windows import TIMEOUT_MS, annotate_page, make_project, open_window

REACH_PX = 14


@pytest.fixture
def page(qtbot: QtBot, tmp_path: Path) -> Iterator[AnnotatePage]:
    with open_window(qtbot, tmp_path / "private", make_project(tmp_path / "study")) as window:
        yield annotate_page(window)


def pixels(page: AnnotatePage) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    image = page.view.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()


def sign_is_seen(page: AnnotatePage, mark: Annotation, color: tuple[int, int, int]) -> bool:
    """Whether the colour is somewhere between the middle of a mark and what lies to its upper right."""
    box = page.view.box_of(mark.id)
    half = (box.x1 - box.x0) / 2 * page.view.viewport.scale
    middle = page.view.image_to_widget(mark.x, mark.y)
    x, y, reach = round(middle.x()), round(middle.y()), round(half) + REACH_PX
    shown = pixels(page)[max(y - reach, 0) : y + 1, x : x + reach]
    return bool((shown == color).all(axis=2).any())


@pytest.mark.parametrize("style", list(MarkStyle))
@pytest.mark.parametrize("turns", [0, 1])
def test_that_a_flag_is_seen_and_goes_with_the_undo(page: AnnotatePage, style: MarkStyle, turns: int) -> None:
    fov = page.shown_fov
    assert fov is not None
    page.view.set_mark_style(style)
    for _ in range(turns):
        page.view.turn(1)
    mark = min(page.editor.annotations.values(), key=lambda m: abs(m.x - fov.width / 2) + abs(m.y - fov.height / 2))
    page.view.set_selection([mark.id])
    page.editor.flag_selected()
    page.view.set_selection(())
    color = (FLAG_COLOR.red(), FLAG_COLOR.green(), FLAG_COLOR.blue())
    assert sign_is_seen(page, mark, color)
    page.workspace.undo_stack.undo()
    assert not sign_is_seen(page, mark, color)


def test_that_a_note_is_seen_and_read_under_the_pointer(qtbot: QtBot, page: AnnotatePage) -> None:
    mark = next(iter(page.editor.annotations.values()))
    page.view.set_selection([mark.id])
    page.editor.note_selected("two cells?")
    page.view.set_selection(())
    assert sign_is_seen(page, mark, (NOTE_COLOR.red(), NOTE_COLOR.green(), NOTE_COLOR.blue()))
    QTest.mouseMove(page.view, page.view.image_to_widget(mark.x, mark.y).toPoint())
    qtbot.waitUntil(lambda: "two cells?" in page.readout.text(), timeout=TIMEOUT_MS)
    QTest.keyClick(page.view, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert next(iter(page.editor.annotations.values())).note == ""
