"""Centre clicks through the real window on a 4072 x 3072 field: from the press to committed and painted.

A helper of bench_viewer.py. Prints one JSON object.

Run: QT_QPA_PLATFORM=offscreen PYTHONPATH=. python tests/benchmarks/clicking.py FOLDER IMAGE N_ANNOTATIONS
"""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PySide6.QtCore import QEvent, QObject, QPoint, QSettings, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from typing_extensions import override

from synthstudio.domain.ids import AnnotationId
from synthstudio.domain.records import Annotation, Role
from synthstudio.gui.app import prepare_process, settle_memory
from synthstudio.gui.main_window import MainWindow
from synthstudio.gui.pages.annotate.page import AnnotatePage
from synthstudio.gui.workspace import Workspace
from synthstudio.project import Project
from tests.benchmarks.opening import make_project, resident_mb, wait_until

N_CLICKS = 300


def write_project(folder: Path, image: Path, n_annotations: int) -> None:
    """Make the annotated project; in a process of its own, whose memory is not measured."""
    project = Project.open(make_project(folder, [image]))
    class_id = project.classes.add("cell", role=Role.OBJECT, size_px=24.0).id
    (fov,) = project.fovs.list()
    places = np.random.default_rng(1).uniform(20, 3000, (n_annotations, 2)).tolist()
    project.annotations.add([Annotation(AnnotationId(0), fov.id, class_id, x, y) for x, y in places])
    project.close()


class WatchingApplication(QApplication):
    """Notes when a widget has been painted, in seconds of the performance counter."""

    def __init__(self, arguments: list[str]) -> None:
        super().__init__(arguments)
        self.watched: QWidget | None = None
        self.painted: list[float] = []

    @override
    def notify(self, receiver: QObject, event: QEvent) -> bool:
        is_done = super().notify(receiver, event)
        if receiver is self.watched and event.type() == QEvent.Type.Paint:
            self.painted.append(time.perf_counter())
        return is_done


def measure(application: WatchingApplication, folder: Path, image: Path, n_annotations: int) -> dict[str, float]:
    path, rng = folder / "study", np.random.default_rng(2)
    writer = multiprocessing.get_context("spawn").Process(target=write_project, args=(path, image, n_annotations))
    writer.start()
    writer.join()
    workspace = Workspace(preferences_file=folder / "preferences.toml")
    window = MainWindow(workspace, settings=QSettings(str(folder / "qt.ini"), QSettings.Format.IniFormat))
    window.pages_filled.connect(settle_memory)
    window.resize(1900, 1100)
    window.open_project(path)
    window.show()
    page = window.findChild(AnnotatePage)
    if not isinstance(page, AnnotatePage):
        raise SystemExit("there is no Annotate page")
    wait_until(lambda: page.shown_fov is not None and workspace.background.is_idle)
    page.view.set_tool("center")
    page.view.one_to_one()
    QApplication.processEvents()
    if page.shown_fov is None:
        raise SystemExit("the image never came")
    fov = page.shown_fov
    committed, painted = [], []
    application.watched, seen = page.view, application.painted
    for _ in range(N_CLICKS):
        spot = QPoint(int(rng.integers(60, page.view.width() - 60)), int(rng.integers(60, page.view.height() - 60)))
        before = len(page.editor.annotations)
        QTest.mouseMove(page.view, spot)
        QApplication.processEvents()
        seen.clear()
        start = time.perf_counter()
        QTest.mousePress(page.view, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, spot)
        took = (time.perf_counter() - start) * 1000
        QApplication.processEvents()
        if len(page.editor.annotations) > before:  # else it hit an existing mark, which it picks
            committed.append(took)
            painted.append((seen[0] - start) * 1000)
        QTest.mouseRelease(page.view, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, spot)
        QApplication.processEvents()
    stored = len(workspace.require_project().annotations.list(fov.id))
    if stored != n_annotations + len(committed) or len(committed) < N_CLICKS // 4:
        raise SystemExit(f"{stored} of {n_annotations + len(committed)} annotations are stored: nothing was measured")
    result = {"n_clicks": float(len(committed)), "rss_mb": resident_mb("VmRSS")}
    for name, times in (("committed", committed), ("painted", painted)):
        result[f"{name}_p50"], result[f"{name}_p99"] = (float(np.percentile(times, each)) for each in (50, 99))
    workspace.shut_down()
    return result


if __name__ == "__main__":
    app = WatchingApplication(sys.argv[:1])
    prepare_process()
    sys.stdout.write(json.dumps(measure(app, Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))) + "\n")
