"""The view at all four quarter turns: what is clicked is what is painted, to the pixel."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from synthstudio.domain.ids import AnnotationId
from synthstudio.domain.records import Box
from synthstudio.gui.canvas.fov_view import FovView
from synthstudio.gui.canvas.mark_painter import MarkStyle
from synthstudio.gui.canvas.view_state import Viewport, ViewState, clamped_state, fit_scale
from tests.gui.canvas.conftest import CLASSES, a_box, a_center

Heard = Callable[[], list[tuple[object, ...]]]
LEFT, NO_KEY = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
ALL_TURNS = pytest.mark.parametrize("turns", [0, 1, 2, 3])

places = st.floats(-20_000, 80_000)
viewports = st.builds(
    Viewport,
    st.builds(ViewState, places, places, st.floats(0.005, 64), st.integers(0, 3)),
    st.integers(160, 4000).map(float),
    st.integers(120, 2500).map(float),
    st.sampled_from([1.0, 1.25, 1.5, 2.0]),
)


def pixels(picture: QImage) -> NDArray[np.int16]:
    """(H, W, 4) int16."""
    shown = picture.convertToFormat(QImage.Format.Format_RGB32)
    return np.array(shown.constBits(), dtype=np.int16).reshape(shown.height(), shown.width(), 4)


@given(viewport=viewports, x=places, y=places)
def test_that_the_way_there_and_back_ends_where_it_began(viewport: Viewport, x: float, y: float) -> None:
    slack = 1e-6 * max(1.0, 1 / viewport.scale)
    assert viewport.to_image(*viewport.to_widget(x, y)) == pytest.approx((x, y), abs=slack)


@given(viewport=viewports, x=places, y=places)
def test_that_arrays_map_as_single_points_do(viewport: Viewport, x: float, y: float) -> None:
    slack = 1e-6 * viewport.scale + 1e-6
    assert viewport.points_to_widget(np.array([[x, y]]))[0] == pytest.approx(viewport.to_widget(x, y), abs=slack)
    box = viewport.box_to_widget(Box(x, y, x + 10, y + 20))
    mapped = viewport.boxes_to_widget(np.array([[x, y, x + 10, y + 20]]).T)[0]
    assert mapped == pytest.approx([box.x0, box.y0, box.x1, box.y1], abs=slack)


@given(viewport=viewports, x=places, y=places)
def test_that_the_upright_picture_turned_is_the_turned_view(viewport: Viewport, x: float, y: float) -> None:
    upright = viewport.upright()
    across, down = upright.to_widget(x, y)
    width, height = (upright.height, upright.width) if viewport.turns % 2 else (upright.width, upright.height)
    turned = {
        0: (across, down),
        1: (width - down, across),
        2: (width - across, height - down),
        3: (down, height - across),
    }[viewport.turns]
    assert turned == pytest.approx(viewport.to_widget(x, y), abs=1e-5 * max(1.0, viewport.scale))


@given(viewport=viewports, dx=st.floats(-500, 500), dy=st.floats(-500, 500))
def test_that_a_pan_carries_each_point_along_with_the_pointer(viewport: Viewport, dx: float, dy: float) -> None:
    x, y = viewport.to_image(100, 100)
    after = Viewport(viewport.panned(dx, dy), viewport.width, viewport.height, viewport.dpr)
    assert after.to_widget(x, y) == pytest.approx((100 + dx, 100 + dy), abs=1.01 / viewport.dpr)


@given(viewport=viewports, scale=st.floats(0.01, 64))
def test_that_zooming_keeps_the_point_under_the_cursor(viewport: Viewport, scale: float) -> None:
    spot = viewport.width * 0.3, viewport.height * 0.8
    x, y = viewport.to_image(*spot)
    after = Viewport(viewport.zoomed(scale, at_x=spot[0], at_y=spot[1]), viewport.width, viewport.height, viewport.dpr)
    slack = (0.5 + 0.5 * scale / viewport.scale) / viewport.dpr + 1e-3
    assert after.to_widget(x, y) == pytest.approx(spot, abs=slack)


@given(viewport=viewports)
def test_that_four_turns_are_none_and_the_image_stays_in_reach(viewport: Viewport) -> None:
    state = clamped_state(viewport.state, viewport, image_width=4000, image_height=300)
    assert state.turned(4) == state
    assert state.turned(1).turned(-1) == state
    visible = Viewport(state, viewport.width, viewport.height, viewport.dpr).visible_box()
    assert visible.x0 < 4000
    assert visible.x1 > 0
    assert visible.y0 < 300
    assert visible.y1 > 0


@ALL_TURNS
def test_that_the_pixel_that_is_clicked_is_the_one_that_is_painted(view: FovView, heard: Heard, turns: int) -> None:
    view.set_tool("center")
    for scale in (1.0, 7.3, 64.0):
        view.set_view_state(ViewState(123.4, 56.7, scale, turns))
        picture = view.grab().toImage()
        for spot in (QPoint(400, 300), QPoint(377, 313), QPoint(431, 270)):
            QTest.mouseClick(view, LEFT, NO_KEY, spot)
            _, x, y = heard()[-1]
            assert picture.pixelColor(spot) == QColor(int(float(str(x))) % 256, int(float(str(y))) % 256, 128)


@ALL_TURNS
@pytest.mark.parametrize("style", list(MarkStyle))
def test_that_a_repaint_of_one_mark_is_that_of_the_whole_view(view: FovView, turns: int, style: MarkStyle) -> None:
    view.set_mark_style(style)
    view.set_view_state(ViewState(203.3, 140.1, 2.3, turns))
    QTest.qWaitForWindowExposed(view)
    view.repaint()
    view.add_annotations([a_center(1, 180, 120), a_box(2, 190, 130, 230, 150)])
    view.set_selection([AnnotationId(2)])
    QApplication.processEvents()
    on_screen = pixels(view.screen().grabWindow(view.winId()).toImage())
    # Qt's scaler, clipped, may take the neighbouring pixel of the image: one level in this picture.
    assert np.abs(on_screen - pixels(view.grab().toImage())).max() <= 1


@ALL_TURNS
def test_that_marks_lie_where_they_are_hit(view: FovView, turns: int) -> None:
    view.set_scale_bar_visible(False)
    view.set_annotations([a_center(1, 100, 100), a_box(2, 200, 130, 290, 150)], CLASSES, None)
    view.set_view_state(ViewState(200, 150, 2.0, turns))
    picture = view.grab().toImage()
    middle = view.image_to_widget(100, 100).toPoint()
    orange, blue = QColor("#E69F00"), QColor("#0072B2")
    assert any(picture.pixelColor(middle + QPoint(dx, dy)) == orange for dx in (-1, 0, 1) for dy in (-1, 0, 1))
    edge = view.image_to_widget(245, 130).toPoint()
    assert any(picture.pixelColor(edge + QPoint(dx, dy)) == blue for dx in (-1, 0, 1) for dy in (-1, 0, 1))
    QTest.mouseClick(view, LEFT, NO_KEY, middle)
    assert view.selection == {1}


@ALL_TURNS
def test_that_a_drag_moves_along_the_screen(view: FovView, heard: Heard, turns: int) -> None:
    view.set_annotations([a_center(1, 200, 150)], CLASSES, None)
    view.set_view_state(ViewState(200, 150, 2.0, turns))
    QTest.mousePress(view, LEFT, NO_KEY, QPoint(400, 300))
    QTest.mouseMove(view, QPoint(420, 300))
    QTest.mouseRelease(view, LEFT, NO_KEY, QPoint(440, 300))
    way = {0: (20, 0), 1: (0, -20), 2: (-20, 0), 3: (0, 20)}[turns]
    assert heard() == [("move", (1,), *way)]


@ALL_TURNS
def test_that_the_grip_that_is_seen_is_the_one_that_is_dragged(view: FovView, heard: Heard, turns: int) -> None:
    view.set_annotations([a_box(5, 150, 120, 250, 180)], CLASSES, None)
    view.set_view_state(ViewState(200, 150, 2.0, turns))
    view.set_selection([AnnotationId(5)])
    begin, end = view.image_to_widget(250, 180).toPoint(), view.image_to_widget(270, 190).toPoint()
    QTest.mousePress(view, LEFT, NO_KEY, begin)
    QTest.mouseMove(view, end)
    QTest.mouseRelease(view, LEFT, NO_KEY, end)
    assert heard() == [("resize", 5, Box(150, 120, 270, 190))]


@ALL_TURNS
def test_that_the_minimap_is_turned_as_the_view_is(view: FovView, turns: int) -> None:
    view.set_view_state(ViewState(200, 150, 16.0, turns))
    corner = QPoint(800 - 16, 600 - 16)
    QTest.mouseClick(view, LEFT, NO_KEY, corner)
    state = view.view_state
    assert (state.center_x > 380) == (turns in (0, 1))
    assert (state.center_y > 280) == (turns in (0, 3))


def test_that_a_fitted_image_stays_fitted_while_it_is_turned(view: FovView) -> None:
    view.resize(700, 300)
    view.fit()
    view.turn(1)
    assert view.view_state == ViewState(200, 150, fit_scale(400, 300, width=700, height=300, turns=1), 1)
    view.resize(500, 600)
    assert view.view_state.scale == fit_scale(400, 300, width=500, height=600, turns=1)
    view.turn(-1)
    assert view.view_state == ViewState(200, 150, fit_scale(400, 300, width=500, height=600))


def test_that_an_overlay_turns_with_the_image(view: FovView) -> None:
    rgba = np.zeros((2, 2, 4), dtype=np.uint8)
    rgba[0, 0] = (255, 0, 0, 255)
    view.set_overlay(rgba)
    view.turn(1)
    inside = view.image_to_widget(40, 30)
    assert view.grab().toImage().pixelColor(inside.toPoint()) == QColor(255, 0, 0)
    assert view.viewport.to_widget(0, 0) > (view.width() / 2, 0.0)
    assert QPointF(inside).x() > view.width() / 2
