"""Suggestions in the viewer under a real mouse: drawn, picked, taken, dragged, and answered by marks."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from synthstudio.domain.ids import ClassId, FovId, RunId, SuggestionId
from synthstudio.domain.records import Box
from synthstudio.domain.suggestions import Suggestion
from synthstudio.gui.canvas.dashes import dashed_edges
from synthstudio.gui.canvas.pyramid import build_pyramid
from synthstudio.gui.canvas.suggested_view import SuggestedView
from synthstudio.gui.canvas.suggestion_table import SuggestionTable
from synthstudio.gui.canvas.view_state import ViewState
from tests.gui.canvas.conftest import CLASSES, a_center

Heard = Callable[[], list[tuple[object, ...]]]
LEFT = Qt.MouseButton.LeftButton
NO_KEY, SHIFT = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier


def suggest(number: int, x: float, y: float, *, score: float = 0.9, class_id: int = 1) -> Suggestion:
    return Suggestion(SuggestionId(number), FovId(1), RunId("r"), ClassId(class_id), x, y, score)


@pytest.fixture
def view(qtbot: QtBot, image: NDArray[np.uint8]) -> SuggestedView:
    suggested = SuggestedView()
    qtbot.addWidget(suggested)
    suggested.resize(800, 600)
    suggested.set_image(build_pyramid(image))
    suggested.set_annotations([], CLASSES, None)
    suggested.show()
    suggested.set_view_state(ViewState(200, 150, 2.0))
    show(suggested, [suggest(1, 100, 100), suggest(2, 200, 100, score=0.6), suggest(3, 300, 100, score=0.3)])
    return suggested


def show(view: SuggestedView, suggestions: list[Suggestion], *, least: float = 0.5) -> None:
    table = SuggestionTable(suggestions, CLASSES, None)
    table.set_thresholds(dict.fromkeys(CLASSES, least))
    view.set_suggestions(table)


@pytest.fixture
def heard(view: SuggestedView) -> Heard:
    wishes: list[tuple[object, ...]] = []
    view.take_requested.connect(lambda ids, dx, dy: wishes.append(("take", ids, dx, dy)))
    view.center_requested.connect(lambda x, y: wishes.append(("center", x, y)))
    return lambda: wishes


def at(view: SuggestedView, x: float, y: float) -> QPoint:
    return view.image_to_widget(x, y).toPoint()


def click(view: SuggestedView, x: float, y: float, keys: Qt.KeyboardModifier = NO_KEY) -> None:
    QTest.mouseClick(view, LEFT, keys, at(view, x, y))


def drag(view: SuggestedView, start: tuple[float, float], end: tuple[float, float]) -> None:
    QTest.mousePress(view, LEFT, NO_KEY, at(view, *start))
    QTest.mouseMove(view, (at(view, *start) + at(view, *end)) / 2)
    QTest.mouseMove(view, at(view, *end))
    QTest.mouseRelease(view, LEFT, NO_KEY, at(view, *end))


def pixels(view: SuggestedView) -> NDArray[np.uint8]:
    picture = view.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    return np.frombuffer(picture.bits(), np.uint8).reshape(picture.height(), -1).copy()


def test_that_only_what_reaches_the_threshold_of_its_class_is_drawn_and_hit(view: SuggestedView) -> None:
    assert view.shown_counts() == {1: 2, 2: 0}
    assert view.suggestion_at(300, 100) is None
    view.set_thresholds({ClassId(1): 0.2, ClassId(2): 0.5})
    assert view.shown_counts()[ClassId(1)] == 3
    assert view.suggestion_at(300, 100) == 3


def test_that_suggestions_are_seen_and_leave_no_trace_where_they_are_hidden(view: SuggestedView) -> None:
    suggested = pixels(view)
    view.set_suggestions_visible(False)
    plain = pixels(view)
    assert (suggested != plain).any()
    assert view.suggestions_in_view() == ()
    show(view, [])
    view.set_suggestions_visible(True)
    assert (pixels(view) == plain).all()


def test_that_a_click_of_the_centre_tool_takes_a_suggestion_and_marks_a_centre_beside_it(
    view: SuggestedView, heard: Heard
) -> None:
    view.set_tool("center")
    click(view, 100, 100)
    click(view, 150, 200)
    taken, marked = heard()
    assert taken == ("take", (1,), 0.0, 0.0)
    assert marked[0] == "center"
    assert marked[1:] == pytest.approx((150.0, 200.0), abs=0.5)


def test_that_a_drag_takes_a_suggestion_to_where_it_is_dropped(view: SuggestedView, heard: Heard) -> None:
    view.set_tool("center")
    drag(view, (100, 100), (110, 104))
    assert heard() == [("take", (1,), 10.0, 4.0)]


def test_that_no_drag_takes_a_suggestion_out_of_the_image(view: SuggestedView, heard: Heard) -> None:
    view.set_tool("select")
    drag(view, (100, 100), (100, -20))
    assert heard() == [("take", (1,), 0.0, -100.0)]


def test_that_escape_drops_what_is_dragged_and_then_what_is_picked(view: SuggestedView, heard: Heard) -> None:
    view.set_tool("select")
    QTest.mousePress(view, LEFT, NO_KEY, at(view, 100, 100))
    QTest.mouseMove(view, at(view, 120, 100))
    QTest.keyClick(view, Qt.Key.Key_Escape)
    QTest.mouseRelease(view, LEFT, NO_KEY, at(view, 120, 100))
    assert heard() == []
    assert view.picked == {1}
    QTest.keyClick(view, Qt.Key.Key_Escape)
    assert view.picked == frozenset()


def test_that_the_select_tool_picks_by_click_band_and_lasso(view: SuggestedView) -> None:
    view.set_tool("select")
    click(view, 105, 103)
    assert view.picked == {1}
    click(view, 200, 100, SHIFT)
    assert view.picked == {1, 2}
    drag(view, (150, 60), (250, 150))
    assert view.picked == {2}
    click(view, 20, 250)
    assert view.picked == frozenset()
    view.set_tool("lasso")
    QTest.mousePress(view, LEFT, NO_KEY, at(view, 60, 60))
    for place in ((140, 60), (140, 140), (60, 140)):
        QTest.mouseMove(view, at(view, *place))
    QTest.mouseRelease(view, LEFT, NO_KEY, at(view, 60, 140))
    assert view.picked == {1}


def test_that_a_mark_answers_the_suggestion_under_it_as_long_as_it_stands(view: SuggestedView) -> None:
    view.add_annotations([a_center(7, 103, 100)])
    assert view.suggestion_at(100, 100) is None
    view.replace_annotations([a_center(7, 160, 100)])
    assert view.suggestion_at(100, 100) == 1
    view.replace_annotations([a_center(7, 203, 100)])
    assert view.shown_counts()[ClassId(1)] == 1
    view.remove_annotations([a_center(7, 0, 0).id])
    assert view.shown_counts()[ClassId(1)] == 2
    view.set_annotations([a_center(8, 100, 98), a_center(9, 200, 98)], CLASSES, None)
    assert view.shown_counts()[ClassId(1)] == 0


def test_that_what_is_judged_goes_and_comes_back_with_an_undo(view: SuggestedView) -> None:
    view.set_picked([SuggestionId(1)])
    view.remove_suggestions([SuggestionId(1)])
    assert view.picked == frozenset()
    assert view.suggestion_at(100, 100) is None
    view.add_suggestions([suggest(1, 100, 100)])
    assert view.suggestion_at(100, 100) == 1


def test_that_one_walks_over_the_field_in_bands_to_and_fro(view: SuggestedView) -> None:
    places = [(300, 40), (20, 45), (150, 50), (300, 200), (20, 205)]
    show(view, [suggest(number, x, y) for number, (x, y) in enumerate(places, start=1)])
    seen, here = [], None
    for _ in range(6):
        here = view.step_from(here, 1)
        assert here is not None
        seen.append(int(here))
    assert sorted(seen[:5]) == [1, 2, 3, 4, 5]
    assert seen[5] == seen[0]
    assert view.step_from(SuggestionId(seen[1]), -1) == seen[0]
    first_band = seen[: seen.index(4) if seen.index(4) < seen.index(5) else seen.index(5)]
    assert set(first_band) == {1, 2, 3}


def test_that_the_way_goes_on_from_one_that_was_judged(view: SuggestedView) -> None:
    first = view.step_from(None, 1)
    assert first is not None
    second = view.step_from(first, 1)
    view.remove_suggestions([first])
    assert view.step_from(first, 1) == second
    view.set_thresholds(dict.fromkeys(CLASSES, 1.0))
    assert view.step_from(first, 1) is None


def test_that_a_suggestion_out_of_sight_is_brought_to_the_middle(view: SuggestedView) -> None:
    view.set_view_state(ViewState(350, 250, 16.0))
    view.reveal_suggestion(SuggestionId(1))
    assert (view.viewport.state.center_x, view.viewport.state.center_y) == (100, 100)


def test_that_another_image_has_none_of_the_suggestions(view: SuggestedView, image: NDArray[np.uint8]) -> None:
    view.set_picked([SuggestionId(1)])
    view.set_image(build_pyramid(image))
    assert (view.picked, view.shown_counts()) == (frozenset(), {})


def test_that_hidden_classes_have_no_suggestions(view: SuggestedView) -> None:
    view.set_hidden_classes(frozenset({ClassId(1)}))
    assert view.shown_counts() == {1: 0, 2: 0}


def test_that_a_crowd_and_boxes_are_painted(view: SuggestedView) -> None:
    rng = np.random.default_rng(1)
    places = rng.uniform([0, 0], [400, 300], (12_000, 2))
    crowd = [suggest(number, x, y, class_id=1 + number % 2) for number, (x, y) in enumerate(places, start=1)]
    show(view, crowd)
    crowded = pixels(view)
    boxes = [
        Suggestion(each.id, each.fov_id, each.run_id, each.class_id, each.x, each.y, 0.7, Box(each.x, each.y, 399, 299))
        for each in crowd[:300]
    ]
    show(view, boxes)
    assert (pixels(view) != crowded).any()


def test_that_dashes_leave_gaps_within_the_frame_and_draw_its_corners() -> None:
    frames = np.array([[10, 20, 110, 90]], dtype=np.int32)
    drawn = np.zeros((120, 140), dtype=bool)
    for left, top, right, bottom in dashed_edges(frames, line=2, dpr=1.0):
        drawn[top:bottom, left:right] = True
    rows, columns = np.nonzero(drawn)
    assert (columns.min(), rows.min(), columns.max(), rows.max()) == (9, 19, 110, 90)
    assert drawn[[19, 19, 90, 90], [9, 110, 9, 110]].all()
    assert 0.5 < drawn[19, 9:111].mean() < 0.75
    assert not drawn[30:80, 20:100].any()
