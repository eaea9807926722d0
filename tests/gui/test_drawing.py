"""The thread behind the map editor: whose wish is drawn when, and what is left when it stops."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial

import numpy as np
import pytest
from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import RunId
from synthstudio.domain.maps import MapRegion, MapRequest
from synthstudio.domain.records import Box
from synthstudio.gui.drawing import Drawing, DrawingWish, Drawn
from synthstudio.project import Project
from tests.support.engine_project import build_engine_project
from tests.support.trained_gans import add_trained_gan
from tests.support.windows import TIMEOUT_MS

SIDE = 64


@pytest.fixture(scope="module")
def studied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Project, RunId]]:
    project = build_engine_project(tmp_path_factory.mktemp("thread") / "study", n_train=2, n_val=1, n_test=1)
    yield project, add_trained_gan(project)
    project.close()


@pytest.fixture(scope="module")
def drawing(qapp: QApplication, studied: tuple[Project, RunId]) -> Iterator[Drawing]:
    made = Drawing(device="cpu")
    made.set_project(studied[0])
    yield made
    made.stop()


class Customer(QObject):
    def __init__(self, drawing: Drawing) -> None:
        super().__init__()
        self._drawing = drawing
        self.drawn: list[Drawn] = []
        self.failures: list[Exception] = []

    def ask(self, wishes: list[DrawingWish]) -> None:
        self._drawing.draw(wishes, done=self.drawn.append, failed=self.failures.append, owner=self)


def wishes(run_id: RunId, numbers: range) -> list[DrawingWish]:
    """Maps with a box that lies further right with each number."""
    return [
        DrawingWish(run_id, MapRequest(SIDE, 0, (MapRegion("disc", Box(each, 8, each + 10, 30)),))) for each in numbers
    ]


def test_that_a_list_is_drawn_in_its_order_while_another_customer_has_turns(
    qtbot: QtBot, drawing: Drawing, studied: tuple[Project, RunId]
) -> None:
    first, second = Customer(drawing), Customer(drawing)
    many, one = wishes(studied[1], range(8)), wishes(studied[1], range(20, 21))
    first.ask(many)
    second.ask(one)
    qtbot.waitUntil(lambda: len(first.drawn) == 8 and len(second.drawn) == 1, timeout=TIMEOUT_MS)
    assert [each.wish for each in first.drawn] == many
    assert [each.wish for each in second.drawn] == one
    assert len({each.image.tobytes() for each in first.drawn}) == 8
    assert first.drawn[0].image.shape == (SIDE, SIDE, 3)
    qtbot.waitUntil(lambda: not drawing.is_busy, timeout=TIMEOUT_MS)


def test_that_a_newer_wish_takes_the_place_of_those_that_wait(
    qtbot: QtBot, drawing: Drawing, studied: tuple[Project, RunId]
) -> None:
    customer = Customer(drawing)
    all_wishes = wishes(studied[1], range(40))
    with drawing._condition:  # the thread takes none meanwhile
        for wish in all_wishes:
            customer.ask([wish])
    qtbot.waitUntil(lambda: bool(customer.drawn), timeout=TIMEOUT_MS)
    qtbot.waitUntil(lambda: not drawing.is_busy, timeout=TIMEOUT_MS)
    assert [each.wish for each in customer.drawn] == all_wishes[-1:]


def test_that_what_is_wished_for_meanwhile_is_sent_ahead_and_only_the_newest_of_it_made(
    qtbot: QtBot, drawing: Drawing, studied: tuple[Project, RunId]
) -> None:
    customer = Customer(drawing)
    moves = wishes(studied[1], range(50))

    def move(number: int) -> None:
        customer.ask([moves[number]])
        if number + 1 < len(moves):
            QTimer.singleShot(1, customer, partial(move, number + 1))

    move(0)
    qtbot.waitUntil(lambda: bool(customer.drawn) and customer.drawn[-1].wish == moves[-1], timeout=TIMEOUT_MS)
    qtbot.waitUntil(lambda: not drawing.is_busy, timeout=TIMEOUT_MS)
    places = [moves.index(each.wish) for each in customer.drawn]
    assert places == sorted(set(places))
    assert not customer.failures
    alone = Customer(drawing)
    alone.ask([customer.drawn[0].wish, moves[-1]])
    qtbot.waitUntil(lambda: len(alone.drawn) == 2, timeout=TIMEOUT_MS)
    for found, expected in zip((customer.drawn[0], customer.drawn[-1]), alone.drawn, strict=True):
        assert np.array_equal(found.image, expected.image)  # each image is that of its own wish


def test_that_what_cannot_be_drawn_does_not_hold_up_what_can(
    qtbot: QtBot, drawing: Drawing, studied: tuple[Project, RunId]
) -> None:
    customer = Customer(drawing)
    strange = DrawingWish(studied[1], MapRequest(SIDE, 0, (MapRegion("wart", Box(0, 0, 9, 9)),)))
    asked = wishes(studied[1], range(2))
    for wish in (asked[0], strange, asked[1]):
        customer.ask([wish])
    qtbot.waitUntil(lambda: bool(customer.drawn) and customer.drawn[-1].wish == asked[1], timeout=TIMEOUT_MS)
    qtbot.waitUntil(lambda: not drawing.is_busy, timeout=TIMEOUT_MS)
    assert len(customer.failures) <= 1


def test_that_a_failure_is_told_once_and_drops_the_rest_of_the_list(
    qtbot: QtBot, drawing: Drawing, studied: tuple[Project, RunId]
) -> None:
    customer = Customer(drawing)
    strange = DrawingWish(studied[1], MapRequest(SIDE, 0, (MapRegion("wart", Box(0, 0, 9, 9)),)))
    customer.ask([strange, *wishes(studied[1], range(3))])
    qtbot.waitUntil(lambda: bool(customer.failures), timeout=TIMEOUT_MS)
    assert isinstance(customer.failures[0], UserError)
    assert "wart" in customer.failures[0].message
    qtbot.waitUntil(lambda: not drawing.is_busy, timeout=TIMEOUT_MS)
    assert not customer.drawn
    customer.ask(wishes(studied[1], range(1)))
    qtbot.waitUntil(lambda: len(customer.drawn) == 1, timeout=TIMEOUT_MS)
    assert len(customer.failures) == 1


def test_that_who_is_forgotten_hears_nothing_and_others_do(
    qtbot: QtBot, drawing: Drawing, studied: tuple[Project, RunId]
) -> None:
    forgotten, other = Customer(drawing), Customer(drawing)
    forgotten.ask(wishes(studied[1], range(5)))
    drawing.forget(forgotten)
    other.ask(wishes(studied[1], range(1)))
    qtbot.waitUntil(lambda: bool(other.drawn), timeout=TIMEOUT_MS)
    assert not forgotten.drawn


def test_that_new_weights_are_drawn_with_as_soon_as_they_are_there(
    qtbot: QtBot, drawing: Drawing, studied: tuple[Project, RunId]
) -> None:
    project, run_id = studied
    other = project.run_folder(add_trained_gan(project, seed=9))
    customer = Customer(drawing)
    customer.ask(wishes(run_id, range(1)))
    qtbot.waitUntil(lambda: len(customer.drawn) == 1, timeout=TIMEOUT_MS)
    former = drawing.engine_pid
    for name in ("generator.onnx", "generator.safetensors"):
        (project.run_folder(run_id) / name).write_bytes((other / name).read_bytes())
    customer.ask(wishes(run_id, range(1)))
    qtbot.waitUntil(lambda: len(customer.drawn) == 2, timeout=TIMEOUT_MS)
    assert not np.array_equal(customer.drawn[0].image, customer.drawn[1].image)
    assert drawing.engine_pid != former


def test_that_a_stop_in_the_middle_leaves_no_engine_and_drawing_goes_on_later(
    qtbot: QtBot, drawing: Drawing, studied: tuple[Project, RunId]
) -> None:
    customer = Customer(drawing)
    customer.ask(wishes(studied[1], range(10)))
    qtbot.waitUntil(lambda: bool(customer.drawn), timeout=TIMEOUT_MS)
    pid = drawing.engine_pid
    assert pid is not None
    drawing.stop()
    assert drawing.engine_pid is None
    with pytest.raises(OSError):  # noqa: PT011 - each system has its own
        os.kill(pid, 0)
    again = Customer(drawing)
    again.ask(wishes(studied[1], range(1)))
    qtbot.waitUntil(lambda: len(again.drawn) == 1, timeout=TIMEOUT_MS)


def test_that_an_idle_engine_is_ended_and_the_next_wish_starts_another(
    qtbot: QtBot, drawing: Drawing, studied: tuple[Project, RunId], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("synthstudio.gui.drawing.IDLE_S", 0.05)
    customer = Customer(drawing)
    customer.ask(wishes(studied[1], range(1)))
    qtbot.waitUntil(lambda: len(customer.drawn) == 1, timeout=TIMEOUT_MS)
    qtbot.waitUntil(lambda: drawing.engine_pid is None, timeout=TIMEOUT_MS)
    customer.ask(wishes(studied[1], range(2)))
    qtbot.waitUntil(lambda: len(customer.drawn) == 3, timeout=TIMEOUT_MS)
