"""Lines over an image: where they are, in few and in many."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QImage, QPainter

from synthstudio.domain.records import Box
from synthstudio.gui.canvas.line_layer import MAX_FINE_LINES, LineLayer, box_segments, paint_lines
from synthstudio.gui.canvas.view_state import Viewport, ViewState


def _painted(layer: LineLayer, *, turns: int = 0) -> QImage:
    image = QImage(200, 100, QImage.Format.Format_RGB32)
    image.fill(QColor("#808080"))
    viewport = Viewport(ViewState(50.0, 25.0, 2.0, turns), 200, 100, 1.0)  # image px 0 to 100 x 0 to 50
    with QPainter(image) as painter:
        paint_lines(painter, [layer], viewport, QRectF(0, 0, 200, 100))
    return image


def test_that_a_box_is_drawn_where_it_lies_and_stays_clear_inside(qapp: object) -> None:
    image = _painted(LineLayer(box_segments([Box(10, 10, 40, 40)]), "#FF0000", width=3.0))
    for x, y in ((20, 40), (80, 40), (40, 20), (40, 80)):
        assert image.pixelColor(x, y).red() > 200
        assert image.pixelColor(x, y).green() < 60
    assert image.pixelColor(50, 50) == QColor("#808080")


@pytest.mark.parametrize("n", [1, MAX_FINE_LINES + 1])
def test_that_many_lines_are_drawn_at_the_same_place_as_few(qapp: object, n: int) -> None:
    image = _painted(LineLayer(np.tile([[5.0, 20.0, 95.0, 20.0]], (n, 1)), "#00FF00"))
    column = [image.pixelColor(100, y).green() > 200 and image.pixelColor(100, y).red() < 90 for y in range(100)]
    assert {y for y, is_green in enumerate(column) if is_green} <= {39, 40}
    assert any(column)


def test_that_lines_turn_with_the_view_and_none_is_painted_outside(qapp: object) -> None:
    turned = _painted(LineLayer(np.array([[50.0, 0.0, 50.0, 50.0]]), "#00FF00", width=3.0), turns=1)
    assert turned.pixelColor(60, 50).green() > 200
    assert turned.pixelColor(100, 20) == QColor("#808080")
    nothing = _painted(LineLayer(np.array([[500.0, 500.0, 600.0, 600.0]]), "#00FF00"))
    assert nothing.pixelColor(199, 99) == QColor("#808080")
