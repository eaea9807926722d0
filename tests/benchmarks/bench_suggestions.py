"""Suggestions in the real window: how they appear, how fast keys judge them, what they cost a frame.

Run: QT_QPA_PLATFORM=offscreen PYTHONPATH=. python tests/benchmarks/bench_suggestions.py [--suggestions N] [--json]

On a field of 4072 x 3072 px that is shown already, a search delivers N suggestions of two classes; a timer of 1 ms
measures the longest gap on the GUI thread until they are painted. Then every one of `--keys` of them is judged by a
key, T or R in turn: the time runs from the key press until it is committed and painted, and a second connection
compares. On a busy machine the time of the GUI thread alone is what the window itself takes. Frames of zooming are
measured with and without suggestions, and so is a threshold under a hand.
"""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QSettings, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from synthstudio.core.imaging import write_png
from synthstudio.core.suggestions.searched import FoundClass, FoundMark, FovSearch
from synthstudio.domain.records import changes
from synthstudio.gui.app import prepare_process, settle_memory
from synthstudio.gui.main_window import MainWindow
from synthstudio.gui.pages.annotate import AnnotatePage
from synthstudio.gui.workspace import Workspace
from synthstudio.project import Project
from synthstudio.project.recorded_searches import record_search
from tests.benchmarks.bench_viewer import IMAGE_HEIGHT, IMAGE_WIDTH, frame_times_ms, synthetic_image, zoom_factor
from tests.support.killed_window import build_clicking_project
from tests.support.suggestions import JOB, MODEL, add_model
from tests.support.windows import annotate_page

TIMEOUT_S = 120.0
N_MOVES = 60
SIDE_PX = 24.0


def main() -> None:
    parser = argparse.ArgumentParser(description="Suggestions in the real window.")
    parser.add_argument("--suggestions", type=int, default=500)
    parser.add_argument("--keys", type=int, default=500, help="how many are judged by keys")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of the text")
    options = parser.parse_args()
    prepare_process()
    app = QApplication(sys.argv[:1])
    with tempfile.TemporaryDirectory() as scratch:
        figures = measure(Path(scratch), n_suggestions=options.suggestions, n_keys=options.keys)
    sys.stdout.write(json.dumps(figures) + "\n" if options.json else text_of(figures))
    app.quit()


def measure(scratch: Path, *, n_suggestions: int, n_keys: int) -> dict[str, float]:
    """Times in ms."""
    _build_project(scratch)
    workspace = Workspace(preferences_file=scratch / "preferences.toml")
    window = MainWindow(workspace, settings=QSettings(str(scratch / "qt.ini"), QSettings.Format.IniFormat))
    filled: list[bool] = []
    window.pages_filled.connect(settle_memory)  # as the application does
    window.pages_filled.connect(lambda: filled.append(True))
    window.resize(1600, 1000)
    window.open_project(scratch / "study")
    window.show()
    page = annotate_page(window)
    _wait(lambda: page.shown_fov is not None)
    _wait(lambda: bool(filled))
    QTest.qWait(1000)  # the list is read
    plain = frame_times_ms(_zoom(page), page.view)
    figures = {"suggestions": float(n_suggestions), "keys": float(min(n_keys, n_suggestions))}
    figures |= _appear(workspace, page, n_suggestions)
    figures["plain_zoom_p50"], figures["plain_zoom_p95"] = plain
    figures["zoom_p50"], figures["zoom_p95"] = frame_times_ms(_zoom(page), page.view)
    figures |= _move_threshold(page)
    figures |= _judge(page, scratch / "study", n_keys=min(n_keys, n_suggestions))
    workspace.shut_down()
    return figures


def _build_project(scratch: Path) -> None:
    write_png(scratch / "field.png", synthetic_image())
    build_clicking_project(scratch / "study", scratch / "field.png")
    project = Project.open(scratch / "study")
    project.classes.add("platelet", size_px=SIDE_PX)
    add_model(project)
    project.close()


def _appear(workspace: Workspace, page: AnnotatePage, n: int) -> dict[str, float]:
    """The longest gap on the GUI thread from the news of a search to its painted suggestions."""
    project = workspace.require_project()
    fov = project.fovs.list()[0]
    places = _spread(n)
    marks = [FoundMark(x=x, y=y, score=0.6) for x, y in places.tolist()]
    classes = tuple(
        FoundClass(name=each.name, threshold=0.5, marks=tuple(marks[number::2]))
        for number, each in enumerate(project.classes.list())
    )
    found = FovSearch(run=MODEL, fov_id=fov.id, content_key=fov.content_key, min_score=0.1, classes=classes)
    record_search(project, found, job_id=JOB)
    gaps, busy = [0.0], [0.0]
    last, last_busy = time.perf_counter(), time.thread_time()

    def tick() -> None:
        nonlocal last, last_busy
        gaps.append(time.perf_counter() - last)
        busy.append(time.thread_time() - last_busy)
        last, last_busy = time.perf_counter(), time.thread_time()

    timer = QTimer()
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.timeout.connect(tick)
    timer.start(1)
    last = started = time.perf_counter()
    workspace.announce(changes("suggestions", fov_ids=frozenset({fov.id})))
    _wait(lambda: page.view.n_suggestions == n)
    shown_s = time.perf_counter() - started
    QTest.qWait(300)  # and painted, and counted
    timer.stop()
    return {"appear_ms": 1000 * shown_s, "appear_stall_ms": 1000 * max(gaps), "appear_cpu_ms": 1000 * max(busy)}


def _spread(n: int) -> NDArray[np.float64]:
    """(n, 2) places on a trembling grid: an accepted one must not answer its neighbour before that is judged."""
    step = float(np.sqrt(IMAGE_WIDTH * IMAGE_HEIGHT / n))
    n_columns = int(np.ceil(IMAGE_WIDTH / step))
    rows, columns = np.divmod(np.arange(n), n_columns)
    grid = np.stack([columns, rows * IMAGE_HEIGHT / step / (rows.max() + 1)], axis=1) * step + step / 2
    places = grid + np.random.default_rng(5).uniform(-step / 8, step / 8, (n, 2))
    return np.asarray(places.clip([0, 0], [IMAGE_WIDTH - 1, IMAGE_HEIGHT - 1]).round(1))


def _zoom(page: AnnotatePage) -> Callable[[int], None]:
    at = QPointF(page.view.rect().center())
    return lambda i: page.view.zoom_by(zoom_factor(i), at)


def _move_threshold(page: AnnotatePage) -> dict[str, float]:
    """A slider that is moved from end to end: from each step to the painted view."""
    page.view.fit()
    class_id = next(iter(page.suggesting.facts.thresholds))
    times = []
    for number in range(N_MOVES):
        started = time.perf_counter()
        page.suggesting.set_threshold(class_id, (number * 7 % 100) / 100)
        page.view.repaint()
        times.append(1000 * (time.perf_counter() - started))
        QApplication.processEvents()
    page.suggesting.reset_thresholds()
    p50, p95 = np.percentile(times, [50, 95])
    return {"threshold_p50": float(p50), "threshold_p95": float(p95)}


def _judge(page: AnnotatePage, folder: Path, *, n_keys: int) -> dict[str, float]:
    """Judge one after the other by keys, with the view so near that it has to follow."""
    page.view.one_to_one()
    page.view.setFocus()
    QTest.keyClick(page.view, "n")
    QApplication.processEvents()
    committed = sqlite3.connect(f"file:{next(folder.glob('*.sqlite'))}?mode=ro", uri=True)
    times, busy = [], []
    for number in range(n_keys):
        started, began = time.perf_counter(), time.thread_time()
        QTest.keyClick(page.view, "tr"[number % 2])
        QApplication.processEvents()  # painted, and counted beside
        times.append(1000 * (time.perf_counter() - started))
        busy.append(1000 * (time.thread_time() - began))
        counted = committed.execute("SELECT count(*) FROM suggestion WHERE state <> 'open'").fetchone()[0]
        assert counted == number + 1, f"{counted} committed after {number + 1} keys"
    n_marks = committed.execute("SELECT count(*) FROM annotation").fetchone()[0]
    assert n_marks == (n_keys + 1) // 2
    committed.close()
    started = time.perf_counter()
    for _ in range(n_keys):
        page.workspace.undo_stack.undo()
    undone_ms = 1000 * (time.perf_counter() - started) / n_keys
    (p50, p99), (busy_p50, busy_p99) = np.percentile(times, [50, 99]), np.percentile(busy, [50, 99])
    figures = {"key_p50": p50, "key_p99": p99, "key_max": max(times), "key_cpu_p50": busy_p50, "key_cpu_p99": busy_p99}
    return {**{name: float(value) for name, value in figures.items()}, "undo_ms": undone_ms}


def _wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("what was waited for did not come")
        QTest.qWait(2)


def text_of(figures: dict[str, float]) -> str:
    """The figures in words."""
    f = figures
    return (
        f"{f['suggestions']:,.0f} suggestions: shown {f['appear_ms']:.0f} ms after the news, longest stall "
        f"{f['appear_stall_ms']:.0f} ms (of the GUI thread alone {f['appear_cpu_ms']:.0f} ms)\n"
        f"{f['keys']:.0f} judged by keys, all committed: p50 {f['key_p50']:.1f} ms, p99 {f['key_p99']:.1f} ms, longest "
        f"{f['key_max']:.1f} ms (of the GUI thread alone p50 {f['key_cpu_p50']:.1f}, p99 {f['key_cpu_p99']:.1f} ms); "
        f"{f['undo_ms']:.1f} ms an undo\n"
        f"zoom frame p50 / p95 {f['zoom_p50']:.1f} / {f['zoom_p95']:.1f} ms (without any "
        f"{f['plain_zoom_p50']:.1f} / {f['plain_zoom_p95']:.1f}); threshold p50 / p95 {f['threshold_p50']:.1f} / "
        f"{f['threshold_p95']:.1f} ms\n"
    )


if __name__ == "__main__":
    main()
