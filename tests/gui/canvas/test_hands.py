"""Lasso, two corners, wheel, ruler, loupe, crosshair, dimming and the reading grid, under a real mouse."""

import itertools
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QImage, QNativeGestureEvent, QPointingDevice, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from synthstudio.domain.ids import AnnotationId, ClassId
from synthstudio.domain.records import Box
from synthstudio.gui.canvas.drafts import Line, Pointer
from synthstudio.gui.canvas.fov_view import GROWTH, FovView
from synthstudio.gui.canvas.reading_grid import ReadingGrid
from synthstudio.gui.canvas.view_aids import LOUPE_PX, length_text, loupe_area
from synthstudio.gui.canvas.view_state import ViewState
from tests.gui.canvas.conftest import CLASSES, a_box, a_center

Heard = Callable[[], list[tuple[object, ...]]]
LEFT = Qt.MouseButton.LeftButton
NO_KEY, SHIFT = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier
ALT, CTRL = Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.ControlModifier


def at(view: FovView, x: float, y: float) -> QPoint:
    return view.image_to_widget(x, y).toPoint()


def draw(view: FovView, places: list[tuple[float, float]], keys: Qt.KeyboardModifier = NO_KEY) -> None:
    """Press at the first place, go through all of them and let go at the last one."""
    spots = [at(view, *place) for place in places]
    QTest.mousePress(view, LEFT, keys, spots[0])
    for before, after in itertools.pairwise(spots):
        for step in (0.25, 0.5, 0.75, 1.0):
            QTest.mouseMove(view, before + (after - before) * step)
    QTest.mouseRelease(view, LEFT, keys, spots[-1])


def turn_wheel(
    view: FovView, spot: QPoint, keys: Qt.KeyboardModifier, notches: int = 1, *, sideways: bool = False
) -> None:
    angle = QPoint(120 * notches, 0) if sideways else QPoint(0, 120 * notches)
    phase = Qt.ScrollPhase.NoScrollPhase
    place = QPointF(spot)
    wheel = QWheelEvent(place, view.mapToGlobal(place), QPoint(), angle, Qt.MouseButton.NoButton, keys, phase, False)
    QApplication.sendEvent(view, wheel)


@pytest.fixture
def marked(view: FovView) -> FovView:
    view.set_annotations(
        [a_center(i, 40.0 * i, 100) for i in range(1, 9)] + [a_box(9, 20, 180, 90, 240)], CLASSES, None
    )
    view.set_view_state(ViewState(200, 150, 2.0))
    return view


TRIANGLE = [(110.0, 60.0), (220.0, 60.0), (220.0, 140.0), (110.0, 60.0)]


def test_that_the_lasso_selects_the_centers_in_its_loop(marked: FovView) -> None:
    marked.set_tool("lasso")
    draw(marked, TRIANGLE)
    assert marked.selection == {5}
    draw(marked, [(60, 80), (130, 80), (130, 120), (60, 120)], SHIFT)
    assert marked.selection == {2, 3, 5}
    QTest.mouseClick(marked, LEFT, NO_KEY, at(marked, 300, 200))
    assert marked.selection == set()


@pytest.mark.parametrize(("tool", "keys"), [("select", ALT), ("center", ALT | CTRL), ("box", ALT | CTRL)])
def test_that_alt_lends_the_lasso(marked: FovView, heard: Heard, tool: str, keys: Qt.KeyboardModifier) -> None:
    marked.set_tool(tool)  # type: ignore[arg-type]
    draw(marked, TRIANGLE, keys)
    assert marked.selection == {5}
    assert heard() == []


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_that_the_lasso_selects_what_it_encircles_in_a_turned_view(marked: FovView, turns: int) -> None:
    marked.set_view_state(ViewState(200, 150, 1.3, turns))
    marked.set_tool("lasso")
    draw(marked, TRIANGLE)
    assert marked.selection == {5}


def test_that_two_clicks_are_the_corners_of_a_box(marked: FovView, heard: Heard) -> None:
    marked.set_tool("box")
    QTest.mouseClick(marked, LEFT, NO_KEY, at(marked, 300, 200))
    QTest.mouseMove(marked, at(marked, 320, 220))
    QTest.mouseClick(marked, LEFT, NO_KEY, at(marked, 350, 260))
    assert heard() == [("box", Box(300.25, 200.25, 350.25, 260.25))]


def test_that_a_press_whose_release_was_lost_does_not_hold_the_next_one(marked: FovView, heard: Heard) -> None:
    marked.set_tool("box")
    QTest.mousePress(marked, LEFT, NO_KEY, at(marked, 300, 200))
    QTest.mousePress(marked, LEFT, NO_KEY, at(marked, 330, 230))
    QTest.mouseMove(marked, at(marked, 350, 250))
    QTest.mouseRelease(marked, LEFT, NO_KEY, at(marked, 350, 250))
    assert heard() == [("box", Box(330.25, 230.25, 350.25, 250.25))]


def test_that_escape_drops_the_first_corner(marked: FovView, heard: Heard) -> None:
    marked.set_tool("box")
    QTest.mouseClick(marked, LEFT, NO_KEY, at(marked, 300, 200))
    QTest.keyClick(marked, Qt.Key.Key_Escape)
    draw(marked, [(310, 210), (330, 230)])
    assert heard() == [("box", Box(310.25, 210.25, 330.25, 230.25))]


def test_that_a_click_on_a_mark_selects_it_with_the_box_tool(marked: FovView, heard: Heard) -> None:
    marked.set_tool("box")
    QTest.mouseClick(marked, LEFT, NO_KEY, at(marked, 24, 184))
    assert marked.selection == {9}
    assert heard() == []


@pytest.mark.parametrize("sideways", [False, True])
def test_that_alt_and_the_wheel_resize_what_is_under_the_pointer(marked: FovView, sideways: bool) -> None:
    asked: list[tuple[object, float]] = []
    marked.grow_requested.connect(lambda ids, factor: asked.append((ids, factor)))
    before = marked.view_state
    turn_wheel(marked, at(marked, 80, 100), ALT, 2, sideways=sideways)
    marked.set_selection([AnnotationId(1), AnnotationId(2)])
    turn_wheel(marked, at(marked, 80, 100), ALT, -1, sideways=sideways)
    turn_wheel(marked, at(marked, 300, 200), ALT, sideways=sideways)
    turn_wheel(marked, at(marked, 200, 100), ALT, sideways=sideways)
    assert [ids for ids, _ in asked] == [(2,), (1, 2), (1, 2), (5,)]
    assert [factor for _, factor in asked] == pytest.approx([GROWTH**2, 1 / GROWTH, GROWTH, GROWTH])
    assert marked.view_state == before


def test_that_alt_shift_and_the_wheel_resize_the_class(marked: FovView) -> None:
    asked: list[object] = []
    marked.class_grow_requested.connect(lambda class_id, _factor: asked.append(class_id))
    turn_wheel(marked, at(marked, 300, 200), ALT | SHIFT)
    marked.set_current_class(CLASSES[ClassId(1)])
    turn_wheel(marked, at(marked, 300, 200), ALT | SHIFT)
    turn_wheel(marked, at(marked, 30, 190), ALT | SHIFT)
    assert asked == [1, 2]


def test_that_a_class_drawn_at_another_size_is_hit_at_that_size(marked: FovView) -> None:
    marked.resize_class(ClassId(1), 80.0)
    assert marked.annotation_at(40, 135) == 1
    assert marked.class_size_px(ClassId(1)) == 80.0
    marked.resize_class(ClassId(1), 4.0)
    assert marked.annotation_at(40, 135) is None


def test_that_arrows_pan_the_image(marked: FovView) -> None:
    QTest.keyClick(marked, Qt.Key.Key_Right)
    assert marked.view_state == ViewState(232, 150, 2.0)
    QTest.keyClick(marked, Qt.Key.Key_Up)
    assert marked.view_state == ViewState(232, 118, 2.0)


def test_that_the_ruler_stays_till_escape_and_marks_nothing(marked: FovView, heard: Heard) -> None:
    marked.set_tool("ruler")
    draw(marked, [(100, 200), (130, 240)])
    assert marked.ruler == Line(100.25, 200.25, 130.25, 240.25)
    assert marked.ruler.length == pytest.approx(50.0)
    QTest.keyClick(marked, Qt.Key.Key_Escape)
    assert marked.ruler is None
    draw(marked, [(100, 200), (130, 205)], SHIFT)
    QTest.mouseMove(marked, at(marked, 10, 10))
    assert heard() == []


@pytest.mark.parametrize(
    ("length", "um_per_px", "text"),
    [(50.0, None, "50.0 px"), (50.0, 0.25, "50.0 px · 12.50 µm"), (9000, 0.25, "9000.0 px · 2.250 mm")],
)
def test_that_the_length_is_told_in_px_and_um(length: float, um_per_px: float | None, text: str) -> None:
    assert length_text(length, um_per_px) == text


def test_that_a_line_over_a_scale_bar_tells_its_length(marked: FovView, qtbot: QtBot) -> None:
    marked.set_tool("calibrate")
    with qtbot.waitSignal(marked.calibration_drawn, timeout=10_000) as told:
        draw(marked, [(100, 200), (180, 200)])
    assert told.args == [80.0]


def colors_near(picture: QImage, spot: QPoint) -> set[str]:
    return {picture.pixelColor(spot + QPoint(dx, dy)).name() for dx in range(-2, 3) for dy in range(-2, 3)}


@pytest.mark.parametrize("n", [8, 20_000])
def test_that_dimmed_classes_are_faint_and_the_current_one_is_not(view: FovView, n: int) -> None:
    marks = [a_center(i + 10, 300 + i % 80, 200 + i % 60) for i in range(n)]
    view.set_annotations([a_center(1, 50, 50), a_center(2, 120, 50, class_id=2), *marks], CLASSES, None)
    view.set_current_class(CLASSES[ClassId(1)])
    view.set_others_dimmed(True)
    picture = view.grab().toImage()
    assert QColor("#E69F00").name() in colors_near(picture, at(view, 50, 50))
    assert QColor("#0072B2").name() not in colors_near(picture, at(view, 120, 50))
    view.set_others_dimmed(False)
    assert QColor("#0072B2").name() in colors_near(view.grab().toImage(), at(view, 120, 50))


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_that_the_loupe_magnifies_the_pixel_under_the_pointer(view: FovView, turns: int) -> None:
    view.set_view_state(ViewState(200, 150, 4.0, turns))
    view.set_loupe(8)
    spot = QPoint(390, 310)
    QTest.mouseMove(view, spot + QPoint(1, 1))  # a pointer that is there already would not be told of
    QTest.mouseMove(view, spot)
    QApplication.processEvents()
    pointer = Pointer(0, 0, spot.x(), spot.y())
    middle = loupe_area(pointer, view.viewport).center().toPoint()
    picture = view.grab().toImage()
    assert picture.pixelColor(middle) == picture.pixelColor(spot)


@pytest.mark.parametrize("spot", [(5, 5), (795, 5), (5, 595), (795, 595), (400, 300)])
def test_that_the_loupe_stays_in_the_view_and_off_the_pointer(view: FovView, spot: tuple[int, int]) -> None:
    area = loupe_area(Pointer(0, 0, *spot), view.viewport)
    assert 0 <= area.left() <= 800 - LOUPE_PX
    assert 0 <= area.top() <= 600 - LOUPE_PX
    assert not area.contains(QPointF(*spot))


def test_that_the_crosshair_runs_through_the_pointer_and_leaves_with_it(view: FovView) -> None:
    bare = view.grab().toImage()
    view.set_crosshair(True)
    QTest.mouseMove(view, QPoint(300, 200))
    QTest.mouseMove(view, QPoint(333, 222))
    picture = view.grab().toImage()
    assert picture.pixelColor(100, 222).lightness() > 200
    assert picture.pixelColor(333, 100).lightness() > 200
    view.set_crosshair(False)
    assert view.grab().toImage() == bare


def test_that_tiles_are_read_in_order_until_none_is_left() -> None:
    grid, seen = ReadingGrid.of_size(1000, 700, 300), []
    assert (grid.n_columns, grid.n_rows, len(grid)) == (4, 3, 12)
    while (grid := grid.left()).current is not None:
        seen.append(grid.tile(grid.current))
    assert len(seen) == 12
    assert seen[0] == Box(0, 0, 300, 300)
    assert seen[3:5] == [Box(900, 0, 1000, 300), Box(900, 300, 1000, 600)]
    assert sum(tile.width * tile.height for tile in seen) == 1000 * 700
    for before, after in itertools.pairwise(seen):  # each tile lies beside the one before
        assert (before.x0 == after.x0) != (before.y0 == after.y0)
    assert grid.cleared().left().current == 0


@pytest.mark.parametrize(("n_columns", "n_rows"), [(7, 3), (1, 1), (100, 100), (3, 49)])
def test_that_columns_and_rows_divide_the_image_evenly(n_columns: int, n_rows: int) -> None:
    for width, height in ((1000, 700), (4072, 3072), (60000, 60001)):
        grid = ReadingGrid.of_count(width, height, n_columns, n_rows)
        assert (grid.n_columns, grid.n_rows) == (n_columns, n_rows)
        tiles = [grid.tile(number) for number in range(len(grid))]
        assert max(tile.x1 for tile in tiles) == pytest.approx(width)
        assert max(tile.y1 for tile in tiles) == pytest.approx(height)
        assert sum(tile.width * tile.height for tile in tiles) == pytest.approx(width * height)
        assert min(tile.width for tile in tiles) == pytest.approx(width / n_columns)
    tiny = ReadingGrid.of_count(3, 2, n_columns, n_rows)
    assert (tiny.n_columns, tiny.n_rows) == (min(n_columns, 3), min(n_rows, 2))


def test_that_read_tiles_are_darker_and_another_image_has_none(view: FovView) -> None:
    view.set_view_state(ViewState(200, 150, 2.0))
    bare = view.grab().toImage()
    view.set_grid(ReadingGrid(400, 300, 100, 100, read=frozenset({0}), current=1))
    picture = view.grab().toImage()
    read, unread = at(view, 50, 50), at(view, 250, 50)
    assert picture.pixelColor(read).lightness() < bare.pixelColor(read).lightness()
    assert picture.pixelColor(unread) == bare.pixelColor(unread)
    assert view.pyramid is not None
    view.set_image(view.pyramid, keep_view=True)
    assert view.grab().toImage() == bare


def scroll(view: FovView, pixels: QPoint, keys: Qt.KeyboardModifier = NO_KEY) -> None:
    """Two fingers on a trackpad."""
    place, phase = QPointF(300, 200), Qt.ScrollPhase.ScrollUpdate
    turned = pixels * 2
    event = QWheelEvent(place, view.mapToGlobal(place), pixels, turned, Qt.MouseButton.NoButton, keys, phase, False)
    QApplication.sendEvent(view, event)


def pinch(view: FovView, kind: Qt.NativeGestureType, value: float) -> None:
    place = QPointF(300, 200)
    device = QPointingDevice.primaryPointingDevice()
    event = QNativeGestureEvent(kind, device, 2, place, place, view.mapToGlobal(place), value, QPointF(), 0)
    QApplication.sendEvent(view, event)


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_that_two_fingers_pan_the_image_with_them(marked: FovView, turns: int) -> None:
    marked.set_view_state(ViewState(200, 150, 2.0, turns))
    before = marked.image_to_widget(200, 150)
    scroll(marked, QPoint(30, -12))
    assert marked.image_to_widget(200, 150) - before == QPointF(30, -12)
    assert marked.view_state.scale == 2.0


def test_that_two_fingers_zoom_with_ctrl(marked: FovView) -> None:
    scroll(marked, QPoint(0, 60), CTRL)
    assert marked.view_state.scale == pytest.approx(2.0 * 2**0.5)


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_that_a_pinch_zooms_at_the_fingers(marked: FovView, turns: int) -> None:
    marked.set_view_state(ViewState(200, 150, 2.0, turns))
    x, y = marked.viewport.to_image(300, 200)
    for _ in range(10):
        pinch(marked, Qt.NativeGestureType.ZoomNativeGesture, 0.05)
    assert marked.view_state.scale == pytest.approx(2.0 * 1.05**10)
    held = marked.image_to_widget(x, y)
    assert (held.x(), held.y()) == pytest.approx((300, 200), abs=1.5)


def test_that_a_double_tap_goes_to_one_to_one_and_back(marked: FovView) -> None:
    marked.fit()
    fitted = marked.view_state
    pinch(marked, Qt.NativeGestureType.SmartZoomNativeGesture, 0.0)
    assert marked.viewport.device_scale == 1.0
    pinch(marked, Qt.NativeGestureType.SmartZoomNativeGesture, 0.0)
    assert marked.view_state == fitted


def test_that_a_pinch_without_an_image_does_nothing(qtbot: QtBot) -> None:
    empty = FovView()
    qtbot.addWidget(empty)
    pinch(empty, Qt.NativeGestureType.ZoomNativeGesture, 0.5)
    assert empty.view_state.scale == 1.0


spots = st.builds(QPoint, st.integers(-20, 820), st.integers(-20, 620))
keys = st.sampled_from([NO_KEY, NO_KEY, NO_KEY, SHIFT, CTRL, ALT, ALT | CTRL, ALT | SHIFT])
gestures = st.one_of(
    st.tuples(st.sampled_from(["press", "move", "move", "release", "wheel"]), spots, keys),
    st.tuples(st.just("key"), st.sampled_from([Qt.Key.Key_Escape, Qt.Key.Key_Left, Qt.Key.Key_Space]), keys),
    st.tuples(st.just("tool"), st.sampled_from(["select", "center", "box", "lasso", "ruler", "calibrate"]), keys),
    st.tuples(st.just("turn"), st.integers(1, 3), keys),
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(sequence=st.lists(gestures, min_size=5, max_size=60))
def test_that_no_sequence_of_hands_asks_for_what_cannot_be(
    marked: FovView, heard: Heard, sequence: list[tuple[str, object, Qt.KeyboardModifier]]
) -> None:
    heard().clear()
    for what, where, modifier in sequence:
        match what, where:
            case "press", QPoint():
                QTest.mousePress(marked, LEFT, modifier, where)
            case "move", QPoint():
                QTest.mouseMove(marked, where)
            case "release", QPoint():
                QTest.mouseRelease(marked, LEFT, modifier, where)
            case "wheel", QPoint():
                turn_wheel(marked, where, modifier)
            case "key", Qt.Key():
                QTest.keyClick(marked, where, modifier)
            case "tool", str():
                marked.set_tool(where)  # type: ignore[arg-type]
            case "turn", int():
                marked.turn(where)
    marked.grab()
    for wish in heard():
        match wish:
            case "center", float(x), float(y):
                assert 0 <= x < 400
                assert 0 <= y < 300
            case ("box", Box() as box) | ("resize", _, Box() as box):
                assert min(box.width, box.height) >= 1
                assert 0 <= box.x0 < box.x1 <= 400
                assert 0 <= box.y0 < box.y1 <= 300
            case "move", ids, _, _:
                assert ids
