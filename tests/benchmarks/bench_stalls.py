"""Longest stalls of the GUI thread while a real training runs, and how soon a changed setting is seen.

    QT_QPA_PLATFORM=offscreen PYTHONPATH=. python tests/benchmarks/bench_stalls.py [--seconds 60] [--json]

Opens the real window on the simulated demo project. First, with nothing else running: from a change of a control on
the Generate page until the first picture of the new preview has been painted. Then a real training is started from
the Train page, and, while it runs, the viewer is panned and zoomed, fields are stepped through, annotations are
clicked and the curves are looked at; a timer of 5 ms on the GUI thread measures the gaps.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PySide6.QtCore import QEvent, QEventLoop, QObject, QPoint, QPointF, QSettings, Qt, QTimer
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from typing_extensions import override

from synthstudio.client.demo import build_demo_project
from synthstudio.domain.ids import RunId
from synthstudio.domain.records import RunStatus
from synthstudio.gui.app import prepare_process, settle_memory
from synthstudio.gui.canvas.fov_view import FovView
from synthstudio.gui.garbage import GarbageCollector
from synthstudio.gui.main_window import MainWindow
from synthstudio.gui.pages.annotate import AnnotatePage
from synthstudio.gui.pages.generate import GeneratePage
from synthstudio.gui.pages.train import TrainPage
from synthstudio.gui.theme import apply_theme
from synthstudio.gui.widgets.image_grid import ImageGrid
from synthstudio.gui.workspace import Workspace

TICK_MS = 5
STALL_MS = 50.0
TIMEOUT_S = 120.0
N_CHANGES = 40
START_S = 20.0
ANNOTATE, GENERATE, TRAIN = 0, 1, 3


class StallMeter(QObject):
    """Measures the gaps between the ticks of a timer on the GUI thread."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.doing = ""
        self.gaps_ms: list[float] = []
        self.stalls: list[tuple[float, str]] = []
        self._last_s = time.perf_counter()
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._on_timeout)
        self._timer.start(TICK_MS)

    def _on_timeout(self) -> None:
        now_s = time.perf_counter()
        gap_ms = 1000 * (now_s - self._last_s)
        self._last_s = now_s
        self.gaps_ms.append(gap_ms)
        if gap_ms > STALL_MS:
            self.stalls.append((round(gap_ms, 1), self.doing))

    def start_anew(self) -> None:
        """Forget what was measured."""
        self.gaps_ms, self.stalls = [], []
        self._last_s = time.perf_counter()


class PaintWatch(QObject):
    """Notes which picture a grid showed first when it was last painted."""

    def __init__(self, grid: ImageGrid) -> None:
        super().__init__(grid)
        self._grid = grid
        self.painted_key = 0
        grid.viewport().installEventFilter(self)

    @override
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint and self._grid.images:
            self.painted_key = self._grid.images[0].image.cacheKey()
        return False


def run_events(duration_ms: int) -> None:
    """Let the window live for a while."""
    loop = QEventLoop()
    QTimer.singleShot(duration_ms, loop.quit)
    loop.exec()


def wait_for(condition: Callable[[], bool], what: str, *, poll_ms: int = 5) -> None:
    """Let the window live until a condition holds. Raises TimeoutError."""
    deadline_s = time.monotonic() + TIMEOUT_S
    while not condition():
        if time.monotonic() > deadline_s:
            raise TimeoutError(f"{what} did not come within {TIMEOUT_S:g} s")
        run_events(poll_ms)


def preview_latencies_ms(page: GeneratePage) -> list[float]:
    """From a change of a control to the first picture of its preview being painted, once per change."""
    view = page.compositing
    wait_for(lambda: bool(view.preview.facts.text()), "The first preview")
    watch = PaintWatch(view.preview.grid)
    found = []
    for number in range(N_CHANGES):
        wait_for(lambda: not view.maker._is_busy, "The whole preview")
        run_events(100)
        former = view.preview.grid.images[0].image.cacheKey()
        watch.painted_key = former
        started_s = time.perf_counter()
        view.form.show_value("composition.feather", 0.05 + 0.01 * (number + 1))
        wait_for(lambda former=former: watch.painted_key != former, "A new preview", poll_ms=1)  # type: ignore[misc]
        found.append(1000 * (time.perf_counter() - started_s))
    return found


class User:
    """Does what a user does while a training runs, a little of it at each turn."""

    def __init__(self, window: MainWindow, meter: StallMeter) -> None:
        self._window, self._meter = window, meter
        page = window.page(ANNOTATE)
        assert isinstance(page, AnnotatePage)
        self._page = page
        deeds = (self._zoom_in, self._pan, self._click, self._zoom_out, self._step, self._click, self._see_curves)
        self._deeds = itertools.cycle(deeds)

    def act(self) -> None:
        """Do the next thing."""
        deed = next(self._deeds)
        self._meter.doing = deed.__name__.strip("_")
        deed()

    @property
    def _view(self) -> FovView:
        return self._page.view

    def _turn_wheel(self, steps: int) -> None:
        middle = QPointF(self._view.rect().center())
        place = QPointF(self._view.mapToGlobal(middle))
        turn = QPoint(0, 120 * steps)
        buttons, keys = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier
        event = QWheelEvent(middle, place, QPoint(), turn, buttons, keys, Qt.ScrollPhase.NoScrollPhase, False)
        QApplication.sendEvent(self._view, event)

    def _zoom_in(self) -> None:
        self._window.show_page(ANNOTATE)
        for _ in range(3):
            self._turn_wheel(1)

    def _zoom_out(self) -> None:
        for _ in range(3):
            self._turn_wheel(-1)

    def _pan(self) -> None:
        middle = self._view.rect().center()
        QTest.mousePress(self._view, Qt.MouseButton.MiddleButton, pos=middle)
        for step in range(1, 9):
            QTest.mouseMove(self._view, middle + QPoint(6 * step, 4 * step))
        QTest.mouseRelease(self._view, Qt.MouseButton.MiddleButton, pos=middle + QPoint(48, 32))

    def _click(self) -> None:
        """Set a mark in the middle and take it back."""
        QTest.mouseClick(self._view, Qt.MouseButton.LeftButton, pos=self._view.rect().center())
        self._window.workspace.undo_stack.undo()

    def _step(self) -> None:
        self._window.workspace.step_fov(1)
        if self._window.workspace.current_fov_id == self._window.workspace.fov_order[-1]:
            self._window.workspace.set_current_fov(self._window.workspace.fov_order[0])

    def _see_curves(self) -> None:
        self._window.show_page(TRAIN)


def train_and_use(window: MainWindow, meter: StallMeter, seconds: float) -> None:
    """Start a training from its page and use the window while it runs; start another where it ends early."""
    page = window.page(TRAIN)
    assert isinstance(page, TrainPage)
    window.show_page(TRAIN)
    page.form.show_value("optimization.steps", 5000)
    run_events(1000)
    user = User(window, meter)
    meter.start_anew()
    run_id = _start(page)
    ends_s = time.monotonic() + seconds
    while time.monotonic() < ends_s:
        run_events(100)
        user.act()
        if _status(window, run_id) in (RunStatus.FINISHED, RunStatus.FAILED):
            run_id = _start(page)
    project = window.workspace.require_project()
    n_points = sum(len(points) for points in project.runs.metrics(run_id).values())
    if not n_points:
        raise RuntimeError(f"The training {run_id} logged nothing: {_status(window, run_id)}")


def _start(page: TrainPage) -> RunId:
    former = page.runs.chosen
    page.start_training()
    ends_s = time.monotonic() + START_S
    while page.runs.chosen in (None, former):
        if time.monotonic() > ends_s:
            raise RuntimeError("No training was started")
        run_events(20)
    assert page.runs.chosen is not None
    return page.runs.chosen


def _status(window: MainWindow, run_id: RunId) -> RunStatus:
    return window.workspace.require_project().runs.get(run_id).status


def percentile(values: list[float], share: float) -> float:
    return round(float(np.percentile(values, share)), 1)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    app = QApplication([])
    apply_theme(app, "light")
    with tempfile.TemporaryDirectory(prefix="synthstudio-stalls-") as scratch:
        folder = Path(scratch) / "demo"
        build_demo_project(folder).close()
        workspace = Workspace(preferences_file=Path(scratch) / "preferences.toml")
        settings = QSettings(str(Path(scratch) / "window.ini"), QSettings.Format.IniFormat)
        prepare_process()
        collector = GarbageCollector(app)  # all of this as the application does
        window = MainWindow(workspace, settings=settings)
        window.pages_filled.connect(settle_memory)
        window.resize(1280, 800)
        try:
            result = _measure(window, folder, options.seconds)
        finally:
            workspace.shut_down()
            window.close()
            collector.stop()
    lines = [f"{name}: {value}" for name, value in result.items()]
    sys.stdout.write((json.dumps(result) if options.json else "\n".join(lines)) + "\n")
    return 0


def _measure(window: MainWindow, folder: Path, seconds: float) -> dict[str, object]:
    result: dict[str, object] = {"load_before": round(os.getloadavg()[0], 2)}
    window.open_project(folder)
    window.show()
    run_events(50)
    meter = StallMeter(window)
    meter.doing = "start"
    run_events(4000)
    result["start_longest_ms"] = round(max(meter.gaps_ms), 1)
    window.show_page(GENERATE)
    page = window.page(GENERATE)
    assert isinstance(page, GeneratePage)
    latencies = preview_latencies_ms(page)
    result |= {"preview_p50_ms": percentile(latencies, 50), "preview_p95_ms": percentile(latencies, 95)}
    train_and_use(window, meter, seconds)
    result |= {
        "longest_ms": round(max(meter.gaps_ms), 1),
        "p99.9_ms": percentile(meter.gaps_ms, 99.9),
        "p50_ms": percentile(meter.gaps_ms, 50),
        "n_stalls": len(meter.stalls),
        "stalls": sorted(meter.stalls, reverse=True)[:8],
        "load_after": round(os.getloadavg()[0], 2),
    }
    return result


if __name__ == "__main__":
    sys.exit(main())
