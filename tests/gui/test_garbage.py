"""Where reference cycles with widgets in them are collected."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from synthstudio.gui.garbage import GarbageCollector
from tests.support.windows import TIMEOUT_MS


@pytest.fixture
def collector(qapp: QObject) -> Iterator[GarbageCollector]:
    gc.collect()
    was_enabled = gc.isenabled()
    made = GarbageCollector()
    yield made
    made.stop()
    if not was_enabled:
        gc.disable()


class Cyclic(QWidget):
    """A widget that holds itself, as one does whose slots are closures."""

    def __init__(self) -> None:
        super().__init__()
        self.itself = self


def make_garbage(n: int) -> None:
    for _ in range(n):
        cycle: list[object] = []
        cycle.append(cycle)


def test_that_a_widget_in_a_cycle_is_destroyed_in_the_gui_thread_whoever_allocates(
    qtbot: QtBot, collector: GarbageCollector
) -> None:
    threads: list[int] = []
    widget = Cyclic()
    widget.destroyed.connect(lambda: threads.append(threading.get_ident()), Qt.ConnectionType.DirectConnection)
    gone = weakref.ref(widget)
    del widget
    worker = threading.Thread(target=make_garbage, args=(20 * gc.get_threshold()[0],))
    worker.start()
    worker.join()
    assert gone() is not None
    assert not threads
    qtbot.waitUntil(lambda: gone() is None, timeout=TIMEOUT_MS)
    assert threads == [threading.get_ident()]


def test_that_what_has_survived_is_looked_through_seldom(collector: GarbageCollector) -> None:
    young, middle, old = gc.get_threshold()
    generations = []
    for _ in range((middle + 2) * (old + 2)):
        make_garbage(2 * young)
        generations.append(collector.collect_due())
    assert generations.count(2) == 1
    assert generations.count(1) >= old
    assert generations.count(0) > generations.count(1)


def test_that_nothing_is_collected_where_little_was_made(collector: GarbageCollector) -> None:
    gc.collect()
    assert collector.collect_due() is None


def test_that_pythons_own_collector_goes_on_afterwards(qapp: QObject) -> None:
    was_enabled = gc.isenabled()
    try:
        collector = GarbageCollector()
        assert not gc.isenabled()
        collector.stop()
        assert gc.isenabled()
    finally:
        if not was_enabled:
            gc.disable()
