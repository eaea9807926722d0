"""A grid of a hundred thousand pictures: what is loaded, what is selected, and how long it takes."""

from __future__ import annotations

import time
import timeit

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QImage, QPolygonF
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from synthstudio.gui.widgets.tile_grid import TileGrid
from synthstudio.gui.widgets.tile_pictures import CACHE_BYTES, Tile, draw_tile
from tests.support.windows import TIMEOUT_MS

N_MANY = 100_000


def plain_tile(key: int) -> QImage:
    image = QImage(100, 100, QImage.Format.Format_RGB32)
    image.fill(QColor.fromHsv(key % 360, 120, 200))
    return image


@pytest.fixture
def asked() -> list[int]:
    return []


@pytest.fixture
def grid(qtbot: QtBot, asked: list[int]) -> TileGrid:
    """A grid that is answered at once."""
    made = TileGrid()
    qtbot.addWidget(made)
    made.resize(900, 600)

    def answer(generation: int, keys: tuple[int, ...]) -> None:
        asked.extend(keys)
        made.put_tiles(generation, {key: plain_tile(key) for key in keys})

    made.tiles_requested.connect(answer)
    made.show()
    return made


def press(grid: TileGrid, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    QTest.keyClick(grid, key, modifier)


def test_that_only_what_is_in_sight_is_loaded_and_memory_is_bounded(
    qtbot: QtBot, grid: TileGrid, asked: list[int]
) -> None:
    grid.set_keys(range(N_MANY))
    qtbot.waitUntil(lambda: 0 in grid.loaded, timeout=TIMEOUT_MS)
    assert max(asked) < 300
    bar = grid.verticalScrollBar()
    for step in range(60):
        bar.setValue(bar.maximum() * step // 59)
        qtbot.waitUntil(lambda: grid.keys[grid.tiles.in_view().start] in grid.loaded, timeout=TIMEOUT_MS)
    assert N_MANY - 1 in grid.loaded
    assert sum(image.sizeInBytes() for image in grid.loaded.values()) <= CACHE_BYTES


def test_that_a_hundred_thousand_pictures_are_scrolled_and_selected_without_a_stall(
    qtbot: QtBot, grid: TileGrid
) -> None:
    assert min(timeit.repeat(lambda: grid.set_keys(range(N_MANY)), number=1, repeat=3)) < 0.5
    waits = []
    for step in range(30):
        started = time.perf_counter()
        grid.verticalScrollBar().setValue(step * 5_000)
        grid.grab()
        waits.append(time.perf_counter() - started)
    assert float(np.median(waits)) < 0.1  # a few ms on a quiet machine; here its order of magnitude is held
    assert min(timeit.repeat(grid.select_all, number=1, repeat=3)) < 0.5
    assert len(grid.selected) == N_MANY


def test_that_keys_move_extend_and_open(qtbot: QtBot, grid: TileGrid) -> None:
    grid.set_keys(range(500, 600))
    grid.setFocus()
    columns = grid.tiles.columns
    press(grid, Qt.Key.Key_Right)
    press(grid, Qt.Key.Key_Down)
    assert grid.selected == [501 + columns]
    press(grid, Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
    assert grid.selected == [500 + columns, 501 + columns]
    press(grid, Qt.Key.Key_End)
    assert grid.selected == [599]
    assert grid.viewport().rect().contains(grid.tile_rect(99))
    with qtbot.waitSignal(grid.activated, check_params_cb=lambda key: key == 599):
        press(grid, Qt.Key.Key_Return)
    press(grid, Qt.Key.Key_Home)
    assert grid.selected == [500]


def test_that_a_dragged_rectangle_selects_what_it_touches(grid: TileGrid) -> None:
    grid.set_keys(range(100))
    view, first, last = grid.viewport(), grid.tile_rect(1), grid.tile_rect(grid.tiles.columns + 2)
    QTest.mousePress(view, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, first.center())
    QTest.mouseMove(view, first.center() + QPoint(20, 20))
    QTest.mouseMove(view, last.center())
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, last.center())
    columns = grid.tiles.columns
    assert grid.selected == [1, 2, columns + 1, columns + 2]


def test_that_the_next_is_selected_where_the_selected_ones_have_gone(grid: TileGrid) -> None:
    grid.set_keys((1, 2, 3, 4))
    grid.select_key(3)
    grid.set_keys((1, 2, 4), keep_place=True)
    assert grid.selected == [4]
    grid.set_keys((1, 2), keep_place=True)
    assert grid.selected == [2]
    grid.set_keys((), keep_place=True)
    assert grid.selected == []
    grid.set_keys((7, 8))
    assert grid.selected == []


def test_that_pictures_of_another_look_are_dropped(qtbot: QtBot, grid: TileGrid, asked: list[int]) -> None:
    grid.set_keys((1, 2))
    qtbot.waitUntil(lambda: len(grid.loaded) == 2, timeout=TIMEOUT_MS)
    grid.redraw_tiles()
    grid.put_tiles(0, {1: plain_tile(1)})
    assert not grid.loaded
    assert grid._pictures.find(1) is not None  # still shown until its successor is there
    qtbot.waitUntil(lambda: len(grid.loaded) == 2, timeout=TIMEOUT_MS)
    assert asked == [1, 2, 1, 2]


def test_that_zooming_keeps_the_top_row(grid: TileGrid) -> None:
    grid.set_keys(range(5_000))
    grid.verticalScrollBar().setValue(3_000)
    top = grid.tiles.in_view().start
    grid.set_tile_px(200)
    assert top in range(grid.tiles.in_view().start, grid.tiles.in_view().start + grid.tiles.columns)


def test_that_a_picture_is_drawn_as_large_as_fits_with_its_outline() -> None:
    image = QImage(40, 20, QImage.Format.Format_RGB32)
    image.fill(QColor("#808080"))
    outline = QPolygonF([QPointF(10, 5), QPointF(30, 5), QPointF(30, 15), QPointF(10, 15)])
    drawn = draw_tile(Tile(image, (outline,), "#FF0000"), 80, ratio=2.0)
    assert (drawn.width(), drawn.height()) == (80, 40)
    assert drawn.deviceIndependentSize().width() == 40
    assert drawn.pixelColor(40, 10).red() > 180  # on the line
    assert drawn.pixelColor(40, 20) == QColor("#808080")
    assert draw_tile(Tile(image), 10).width() == 10


def test_that_tiles_are_drawn_anew_in_another_theme(qtbot: QtBot, grid: TileGrid, asked: list[int]) -> None:
    grid.set_keys(range(4))
    qtbot.waitUntil(lambda: set(asked) == set(range(4)), timeout=TIMEOUT_MS)
    asked.clear()
    palette = grid.palette()
    palette.setColor(palette.ColorRole.Window, QColor("#123456"))
    grid.setPalette(palette)
    qtbot.waitUntil(lambda: set(asked) == set(range(4)), timeout=TIMEOUT_MS)
