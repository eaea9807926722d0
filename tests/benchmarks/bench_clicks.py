"""Time per centre click in the real window: from the mouse press to the committed row and the painted mark.

Run: QT_QPA_PLATFORM=offscreen PYTHONPATH=. python tests/benchmarks/bench_clicks.py [--clicks N] [--marks N] [--json]
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PySide6.QtCore import QSettings
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from synthstudio.core.imaging import write_png
from synthstudio.domain.ids import AnnotationId
from synthstudio.gui.app import prepare_process, settle_memory
from synthstudio.gui.garbage import GarbageCollector
from synthstudio.gui.main_window import MainWindow
from synthstudio.gui.workspace import Workspace
from synthstudio.project import Project
from tests.benchmarks.bench_viewer import make_annotations, synthetic_image
from tests.support.centre_clicks import ClickRun, Committed, assert_committed, click_centres
from tests.support.killed_window import build_clicking_project
from tests.support.windows import annotate_page

TIMEOUT_S = 30.0


def main() -> None:
    parser = argparse.ArgumentParser(description="Time per centre click in the real window.")
    parser.add_argument("--clicks", type=int, default=1000)
    parser.add_argument("--marks", type=int, default=100_000, help="annotations that the field has already")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of the text")
    options = parser.parse_args()
    app = QApplication(sys.argv[:1])
    prepare_process()
    collector = GarbageCollector(app)  # all of this as the application does
    with tempfile.TemporaryDirectory() as scratch:
        figures = measure(Path(scratch), n_clicks=options.clicks, n_marks=options.marks)
    collector.stop()
    sys.stdout.write(json.dumps(figures) + "\n" if options.json else text_of(figures))
    app.quit()


def measure(scratch: Path, *, n_clicks: int, n_marks: int) -> dict[str, float]:
    """Times in ms; every click is compared with what a second connection reads."""
    _build_project(scratch, n_marks=n_marks)
    workspace = Workspace(preferences_file=scratch / "preferences.toml")
    settings = QSettings(str(scratch / "qt.ini"), QSettings.Format.IniFormat)
    window = MainWindow(workspace, settings=settings)
    window.pages_filled.connect(settle_memory)
    window.resize(1600, 1000)
    window.open_project(scratch / "study")
    window.show()
    page, deadline = annotate_page(window), time.monotonic() + TIMEOUT_S
    while page.shown_fov is None and time.monotonic() < deadline:
        QTest.qWait(10)
    QTest.qWait(1000)  # the other pages are loaded and the list is read
    committed = Committed(scratch / "study")
    first_id = committed.last_id()
    run = click_centres(page, committed, n_clicks=n_clicks, seed=3)
    undone_ms = _undo_and_redo(workspace, committed, first_id, run)
    committed.close()
    workspace.shut_down()
    p50, p99 = np.percentile(run.times_ms, [50, 99])
    figures = {"clicks": n_clicks, "marks": n_marks, "p50_ms": p50, "p99_ms": p99, "max_ms": max(run.times_ms)}
    return {**{name: float(value) for name, value in figures.items()}, "undo_ms": undone_ms}


def _undo_and_redo(workspace: Workspace, committed: Committed, first_id: int, run: ClickRun) -> float:
    """ms per undo."""
    n_clicks = len(run.expected)
    started = time.perf_counter()
    for _ in range(n_clicks):
        workspace.undo_stack.undo()
    undone_s = time.perf_counter() - started
    assert committed.places(first_id) == []
    for _ in range(n_clicks):
        workspace.undo_stack.redo()
    assert_committed(committed.places(first_id), run)
    return undone_s * 1000 / n_clicks


def _build_project(scratch: Path, *, n_marks: int) -> None:
    """One FOV of 4072 x 3072 px with so many marks."""
    write_png(scratch / "field.png", synthetic_image())
    build_clicking_project(scratch / "study", scratch / "field.png")
    project = Project.open(scratch / "study")
    fov_id, class_id = project.fovs.list()[0].id, project.classes.list()[0].id
    marks = make_annotations(n_marks, as_boxes=False)
    project.annotations.add([replace(each, id=AnnotationId(0), fov_id=fov_id, class_id=class_id) for each in marks])
    project.close()


def text_of(figures: dict[str, float]) -> str:
    return (
        f"{figures['clicks']:.0f} clicks among {figures['marks']:,.0f} marks, "
        "all committed to the pixel, undone and redone: "
        f"p50 {figures['p50_ms']:.1f} ms, p99 {figures['p99_ms']:.1f} ms, longest {figures['max_ms']:.1f} ms a click; "
        f"{figures['undo_ms']:.1f} ms an undo\n"
    )


if __name__ == "__main__":
    main()
