"""The viewer under a real mouse: what is asked for, where, and what is seen."""

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from synthstudio.domain.ids import AnnotationId, ClassId
from synthstudio.domain.records import Box
from synthstudio.gui.canvas.annotation_table import AnnotationTable
from synthstudio.gui.canvas.fov_view import FovView
from synthstudio.gui.canvas.mark_painter import MarkStyle
from synthstudio.gui.canvas.pyramid import build_pyramid
from synthstudio.gui.canvas.view_state import ViewState
from tests.gui.canvas.conftest import CLASSES, a_box, a_center

Heard = Callable[[], list[tuple[object, ...]]]
LEFT, NO_KEY = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
SHIFT, CTRL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier


def at(view: FovView, x: float, y: float) -> QPoint:
    """The widget pixel that contains an image point."""
    position = view.image_to_widget(x, y)
    return QPoint(int(np.floor(position.x())), int(np.floor(position.y())))


def click(view: FovView, x: float, y: float, modifier: Qt.KeyboardModifier = NO_KEY) -> None:
    QTest.mouseClick(view, LEFT, modifier, at(view, x, y))


def drag(view: FovView, start: tuple[float, float], end: tuple[float, float], *, let_go: bool = True) -> None:
    begin, stop = at(view, *start), at(view, *end)
    QTest.mousePress(view, LEFT, NO_KEY, begin)
    QTest.mouseMove(view, (begin + stop) / 2)
    QTest.mouseMove(view, stop)
    if let_go:
        QTest.mouseRelease(view, LEFT, NO_KEY, stop)


def turn_wheel(view: FovView, position: QPointF, notches: int) -> None:
    wheel = QWheelEvent(
        position,
        view.mapToGlobal(position),
        QPoint(),
        QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton,
        NO_KEY,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(view, wheel)


@pytest.mark.parametrize(
    ("scale", "center"), [(0.97, (200, 150)), (1.0, (200, 150)), (3.7, (90.3, 77.7)), (64.0, (301.25, 40.5))]
)
def test_that_a_click_asks_for_the_image_point_under_the_middle_of_the_pixel(
    view: FovView, heard: Heard, scale: float, center: tuple[float, float]
) -> None:
    view.set_tool("center")
    view.set_view_state(ViewState(*center, scale))
    for dx, dy in itertools.product((-60, 0, 55), (-40, 0, 33)):
        spot = QPoint(400 + dx, 300 + dy)
        QTest.mouseClick(view, LEFT, NO_KEY, spot)
        _, x, y = heard()[-1]
        shown = view.image_to_widget(float(str(x)), float(str(y)))
        assert abs(shown.x() - spot.x() - 0.5) < 1e-6
        assert abs(shown.y() - spot.y() - 0.5) < 1e-6
        assert abs(float(str(x)) - (center[0] + (dx + 0.5) / scale)) <= 0.5 / scale + 1e-9
    assert len(heard()) == 9


def test_that_a_click_at_64_fold_hits_the_very_pixel_that_is_painted_there(view: FovView, heard: Heard) -> None:
    view.set_tool("center")
    view.set_view_state(ViewState(123.4, 56.7, 64.0))
    picture = view.grab().toImage()
    for spot in (QPoint(100, 200), QPoint(401, 313), QPoint(555, 250)):
        QTest.mouseClick(view, LEFT, NO_KEY, spot)
        _, x, y = heard()[-1]
        assert picture.pixelColor(spot) == QColor(int(float(str(x))) % 256, int(float(str(y))) % 256, 128)


def test_that_the_wheel_keeps_the_point_under_the_cursor_all_the_way_in_and_out(view: FovView) -> None:
    position = QPointF(250, 180)
    before = view.viewport.to_image(position.x(), position.y())
    for notches in [1] * 14 + [-1] * 10:
        turn_wheel(view, position, notches)
        x, y = view.viewport.to_widget(*before)
        # The view moves by whole device pixels: half of one now, and what half of one was at the first scale.
        slack = 0.51 + 0.5 * view.view_state.scale / 1.8
        assert abs(x - position.x()) <= slack
        assert abs(y - position.y()) <= slack


def test_that_zoom_stops_at_64_device_pixels_per_pixel(view: FovView) -> None:
    turn_wheel(view, QPointF(400, 300), 60)
    assert view.viewport.device_scale == pytest.approx(64.0)


def test_that_middle_drag_and_space_drag_pan_the_image(view: FovView, heard: Heard) -> None:
    view.set_tool("center")
    view.one_to_one()
    before = view.view_state
    QTest.mousePress(view, Qt.MouseButton.MiddleButton, NO_KEY, QPoint(400, 300))
    QTest.mouseMove(view, QPoint(430, 280))
    QTest.mouseRelease(view, Qt.MouseButton.MiddleButton, NO_KEY, QPoint(430, 280))
    assert view.view_state == ViewState(before.center_x - 30, before.center_y + 20, 1.0)
    QTest.keyPress(view, Qt.Key.Key_Space)
    QTest.mousePress(view, LEFT, NO_KEY, QPoint(400, 300))
    QTest.mouseMove(view, QPoint(370, 320))
    QTest.mouseRelease(view, LEFT, NO_KEY, QPoint(370, 320))
    QTest.keyRelease(view, Qt.Key.Key_Space)
    assert view.view_state == before
    assert heard() == []


def test_that_a_click_outside_the_image_asks_for_nothing(view: FovView, heard: Heard) -> None:
    view.set_tool("center")
    QTest.mouseClick(view, LEFT, NO_KEY, QPoint(3, 3))
    assert heard() == []


def test_that_two_quick_clicks_are_two_clicks(view: FovView, heard: Heard) -> None:
    view.set_tool("center")
    click(view, 50, 50)
    QTest.mouseDClick(view, LEFT, NO_KEY, at(view, 250, 200))
    assert len(heard()) >= 2


def test_that_the_center_tool_picks_an_existing_center_instead_of_doubling_it(view: FovView, heard: Heard) -> None:
    view.set_annotations([a_center(7, 100, 100)], CLASSES, None)
    view.set_tool("center")
    click(view, 100.5, 100)
    assert heard() == []
    assert view.selection == {7}


def test_that_the_center_tool_drags_an_existing_center(view: FovView, heard: Heard) -> None:
    view.set_annotations([a_center(7, 100, 100)], CLASSES, None)
    view.set_tool("center")
    view.set_view_state(ViewState(150, 120, 2.0))
    drag(view, (100, 100), (130, 90))
    assert heard() == [("move", (7,), 30.0, -10.0)]


def test_that_a_click_inside_a_circle_but_off_its_middle_sets_a_new_center(view: FovView, heard: Heard) -> None:
    view.set_annotations([a_center(7, 100, 100, class_id=2)], CLASSES, None)
    view.set_tool("center")
    click(view, 122, 100)
    assert [wish[0] for wish in heard()] == ["center"]


def test_that_the_box_tool_asks_for_the_dragged_box_within_the_image(view: FovView, heard: Heard) -> None:
    view.set_tool("box")
    view.set_view_state(ViewState(200, 150, 1.0))
    drag(view, (120, 200), (20, 40))
    drag(view, (380, 280), (500, 400))
    assert heard() == [("box", Box(20.5, 40.5, 120.5, 200.5)), ("box", Box(380.5, 280.5, 400, 300))]


def test_that_escape_drops_the_draft(view: FovView, heard: Heard) -> None:
    view.set_tool("box")
    drag(view, (50, 50), (120, 120), let_go=False)
    QTest.keyClick(view, Qt.Key.Key_Escape)
    QTest.mouseRelease(view, LEFT, NO_KEY, at(view, 120, 120))
    assert heard() == []


def test_that_a_drag_moves_the_whole_selection_and_stays_inside_the_image(view: FovView, heard: Heard) -> None:
    view.set_annotations([a_center(1, 30, 30), a_center(2, 100, 100), a_center(3, 200, 200)], CLASSES, None)
    view.set_view_state(ViewState(200, 150, 1.0))
    view.set_selection([AnnotationId(1), AnnotationId(2)])
    drag(view, (100, 100), (40, 110))
    assert heard() == [("move", (1, 2), -30.0, 10.0)]


def test_that_dragging_an_unselected_mark_selects_and_moves_it_alone(view: FovView, heard: Heard) -> None:
    view.set_annotations([a_center(1, 30, 30), a_center(2, 100, 100)], CLASSES, None)
    view.set_view_state(ViewState(200, 150, 1.0))
    view.set_selection([AnnotationId(1)])
    drag(view, (100, 100), (110, 100))
    assert heard() == [("move", (2,), 10.0, 0.0)]
    assert view.selection == {2}


@pytest.mark.parametrize(
    ("grip", "target", "expected"),
    [
        ((200, 160), (220, 190), Box(100, 80, 220, 190)),
        ((100, 120), (90, 60), Box(90, 80, 200, 160)),
        ((150, 80), (150, 170), Box(100, 160, 200, 170)),
        ((200, 160), (480, 390), Box(100, 80, 400, 300)),
    ],
)
def test_that_a_grip_resizes_the_selected_box(
    view: FovView, heard: Heard, grip: tuple[int, int], target: tuple[int, int], expected: Box
) -> None:
    view.set_annotations([a_box(5, 100, 80, 200, 160)], CLASSES, None)
    view.set_view_state(ViewState(200, 150, 1.0))
    view.set_selection([AnnotationId(5)])
    drag(view, grip, target)
    assert heard() == [("resize", 5, expected)]


def test_that_clicks_select_add_and_clear(view: FovView, qtbot: QtBot) -> None:
    view.set_annotations([a_center(1, 50, 50), a_center(2, 150, 50), a_box(3, 30, 30, 250, 250)], CLASSES, None)
    with qtbot.waitSignal(view.selection_changed, timeout=10_000, check_params_cb=lambda ids: ids == (1,)):
        click(view, 50, 50)
    click(view, 150, 50, SHIFT)
    assert view.selection == {1, 2}
    click(view, 50, 50, SHIFT)
    assert view.selection == {2}
    click(view, 200, 200)
    assert view.selection == {3}
    click(view, 300, 280)
    assert view.selection == set()


def test_that_ctrl_lends_the_selection_to_the_other_tools(view: FovView, heard: Heard) -> None:
    view.set_annotations([a_center(1, 50, 50, class_id=2)], CLASSES, None)
    view.set_tool("center")
    click(view, 70, 50, CTRL)
    assert view.selection == {1}
    assert heard() == []


def test_that_the_rubber_band_selects_the_centers_in_it(view: FovView) -> None:
    view.set_annotations([a_center(i, 20 + 30 * i, 100) for i in range(1, 6)], CLASSES, None)
    drag(view, (65, 70), (150, 130))
    assert view.selection == {2, 3, 4}


def test_that_a_hidden_class_is_neither_drawn_nor_hit(view: FovView) -> None:
    view.set_annotations([a_center(1, 100, 100)], CLASSES, None)
    view.set_scale_bar_visible(False)
    shown = view.grab().toImage()
    view.set_hidden_classes({ClassId(1)})
    assert view.grab().toImage() != shown
    assert view.annotation_at(100, 100) is None
    view.set_hidden_classes(())
    assert view.grab().toImage() == shown


def test_that_removed_annotations_leave_view_and_selection(view: FovView) -> None:
    bare = view.grab().toImage()
    view.add_annotations([a_center(1, 100, 100), a_box(2, 10, 10, 60, 60)])
    view.set_selection([AnnotationId(1), AnnotationId(2)])
    assert view.grab().toImage() != bare
    view.remove_annotations([AnnotationId(1), AnnotationId(2)])
    assert view.selection == set()
    assert view.grab().toImage() == bare


def test_that_a_replaced_annotation_is_hit_at_its_new_place_only(view: FovView) -> None:
    view.set_annotations([a_center(1, 100, 100)], CLASSES, None)
    view.replace_annotations([a_center(1, 200, 150)])
    assert view.annotation_at(100, 100) is None
    assert view.annotation_at(200, 150) == 1


@pytest.mark.parametrize("style", list(MarkStyle))
@pytest.mark.parametrize("n", [3, 2_000, 12_000])
def test_that_marks_of_every_style_and_number_are_painted_in_their_color(
    view: FovView, style: MarkStyle, n: int
) -> None:
    rng = np.random.default_rng(4)
    places = rng.uniform((40, 40), (360, 260), (n, 2)).tolist()
    view.set_scale_bar_visible(False)
    view.set_mark_style(style)
    view.set_annotations([a_center(i + 1, x, y) for i, (x, y) in enumerate(places)], CLASSES, None)
    picture = view.grab().toImage()
    orange = QColor("#E69F00")
    hits = 0
    for x, y in places[:3]:
        spot = at(view, x, y)
        near = itertools.product(range(-3, 4), repeat=2)
        hits += any(picture.pixelColor(spot + QPoint(dx, dy)) == orange for dx, dy in near)
    assert hits == 3


def test_that_an_overlay_is_blended_over_the_image(view: FovView) -> None:
    rgba = np.zeros((3, 4, 4), dtype=np.uint8)
    rgba[:, :, 0], rgba[:, :, 3] = 255, 255
    spot = at(view, 200, 150)
    bare = view.grab().toImage().pixelColor(spot)
    view.set_overlay(rgba, 1.0)
    assert view.grab().toImage().pixelColor(spot) == QColor(255, 0, 0)
    view.set_overlay_opacity(0.5)
    blended = view.grab().toImage().pixelColor(spot)
    assert abs(blended.red() - (bare.red() + 255) / 2) <= 2
    assert abs(blended.green() - bare.green() / 2) <= 2
    view.set_overlay(None)
    assert view.grab().toImage().pixelColor(spot) == bare


def test_that_predicted_places_are_crosses_where_they_belong(view: FovView) -> None:
    view.set_marks(np.array([[200.0, 150.0]]), "#FFFFFF")
    picture, spot = view.grab().toImage(), at(view, 200, 150)
    assert picture.pixelColor(spot) == QColor("#FFFFFF")
    assert picture.pixelColor(spot + QPoint(0, 5)) != QColor("#FFFFFF")


def test_that_linked_views_show_the_same_region(view: FovView, qtbot: QtBot) -> None:
    assert view.pyramid is not None
    other = FovView()
    qtbot.addWidget(other)
    other.resize(500, 400)
    other.set_image(view.pyramid)
    other.show()
    view.link_view(other)
    assert other.view_state == view.view_state
    turn_wheel(view, QPointF(300, 200), 4)
    assert other.view_state == view.view_state
    other.pan_by(20, 10)
    assert view.view_state == other.view_state
    view.unlink_view(other)
    view.fit()
    assert view.view_state != other.view_state


def test_that_the_cursor_readout_tells_place_and_color(view: FovView, qtbot: QtBot) -> None:
    view.one_to_one()
    heard: list[tuple[float, float, object]] = []
    view.cursor_moved.connect(lambda x, y, rgb: heard.append((x, y, rgb)))
    QTest.mouseMove(view, at(view, 210.5, 170.5))
    qtbot.waitUntil(lambda: bool(heard), timeout=10_000)
    x, y, color = heard[-1]
    assert (x, y) == pytest.approx((210.5, 170.5))
    assert color == (210, 170, 128)


def test_that_a_right_click_asks_for_a_menu_at_the_image_point(view: FovView, qtbot: QtBot) -> None:
    view.one_to_one()
    with qtbot.waitSignal(view.context_menu_requested, timeout=10_000) as menu:
        QTest.mouseClick(view, Qt.MouseButton.RightButton, NO_KEY, at(view, 100.5, 90.5))
    assert menu.args is not None
    assert menu.args[1:] == pytest.approx([100.5, 90.5])


def test_that_a_press_in_the_minimap_moves_the_view_and_marks_nothing(view: FovView, heard: Heard) -> None:
    view.set_tool("center")
    view.set_view_state(ViewState(50, 50, 16.0))
    QTest.mouseClick(view, LEFT, NO_KEY, QPoint(800 - 14, 600 - 14))
    assert view.view_state.center_x > 390
    assert heard() == []


def test_that_a_view_without_image_ignores_the_mouse(qtbot: QtBot) -> None:
    empty = FovView()
    qtbot.addWidget(empty)
    empty.set_placeholder("Drop images here")
    empty.show()
    QTest.mouseClick(empty, LEFT, NO_KEY, QPoint(20, 20))
    turn_wheel(empty, QPointF(20, 20), 1)
    assert not empty.grab().isNull()


def test_that_hit_testing_finds_each_of_100_000_marks_on_a_grid() -> None:
    annotations = [a_center(i + 1, 25.0 * (i % 400), 25.0 * (i // 400)) for i in range(100_000)]
    table = AnnotationTable(annotations, CLASSES, None)
    for i in (0, 1, 399, 400, 55_555, 99_999):
        assert table.find_at(annotations[i].x + 3, annotations[i].y - 2, scale=4.0) == i + 1
    assert table.find_at(12.5, 12.5, scale=4.0) is None
    table.remove([AnnotationId(55_556)])
    assert table.find_at(annotations[55_555].x, annotations[55_555].y, scale=4.0) is None


def test_that_the_whole_of_a_large_image_is_there_when_it_is_asked_for(qtbot: QtBot) -> None:
    rows, columns = np.mgrid[0:2000, 0:2100]
    image = np.stack([columns % 251, rows % 241, columns % 7], axis=2).astype(np.uint8)
    pyramid = build_pyramid(image)  # its whole picture is made while the smaller ones are shown
    assert (pyramid.width, pyramid.height) == (2100, 2000)
    assert pyramid.level_for(0.5).width() == 1050
    assert pyramid.color_at(2099.5, 1999.5) == tuple(image[-1, -1].tolist())
    whole = pyramid.level_for(1.0)
    found = np.frombuffer(whole.constBits(), np.uint8).reshape(2000, 2100, 4)[:, :, 2::-1]
    assert np.array_equal(found, image)
    assert pyramid.n_bytes == 4 * 2000 * 2100 + sum(
        pyramid.level_for(0.5**level).sizeInBytes() for level in range(1, 6)
    )
