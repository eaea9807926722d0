"""Opening images in the real viewer, in a process of its own: first paint, sharp paint, next field, frames, memory.

A helper of bench_viewer.py. Prints one JSON object.

Run: QT_QPA_PLATFORM=offscreen PYTHONPATH=. python tests/benchmarks/opening.py FOLDER IMAGE [IMAGE]
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PySide6.QtCore import QEvent, QObject, QPointF, Qt
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QApplication, QLabel

from synthstudio.core.imaging import Levels, read_image_size
from synthstudio.domain.ids import FovId
from synthstudio.domain.records import Storage
from synthstudio.gui.canvas.fov_view import FovView
from synthstudio.gui.canvas.pyramid import ImagePyramid
from synthstudio.gui.workspace import Workspace
from synthstudio.project import Project
from synthstudio.project.files import stored_path

VIEW_WIDTH, VIEW_HEIGHT = 1600, 1000
N_FRAMES = 60
TIMEOUT_S = 120.0


class PaintWatch(QObject):
    """Notes when the view last painted, and how often."""

    def __init__(self, view: FovView) -> None:
        super().__init__(view)
        self.count = 0
        view.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        self.count += event.type() == QEvent.Type.Paint
        return False


def make_project(folder: Path, images: list[Path]) -> Path:
    project = Project.create(folder)
    for path in images:
        width, height = read_image_size(path)
        project.fovs.add(
            sample_id=project.samples.get_or_add(path.stem).id,
            name=path.name,
            stored_path=stored_path(project.folder, path),
            storage=Storage.REFERENCE,
            sha256="0" * 64,
            width=width,
            height=height,
        )
    project.close()
    return folder


def wait_until(condition: Callable[[], bool]) -> None:
    until = time.perf_counter() + TIMEOUT_S
    while not condition():
        QApplication.processEvents()
        if time.perf_counter() > until:
            raise SystemExit("the image never came")
        time.sleep(0.0005)


def resident_mb(field: str) -> float:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(field):
            return int(line.split()[1]) / 1024
    return float("nan")


def open_image(workspace: Workspace, view: FovView, watch: PaintWatch, fov_id: FovId) -> float:
    """Seconds from asking for an image until it was painted."""
    painted: list[int] = []

    def show(pyramid: ImagePyramid) -> None:
        painted.append(watch.count)
        view.set_image(pyramid)

    start = time.perf_counter()
    workspace.current_fov_id = fov_id
    workspace.load_fov_image(fov_id, show, view)
    wait_until(lambda: bool(painted) and watch.count > painted[0])
    return time.perf_counter() - start


def bare_qt_s(path: Path) -> float:
    """The reference: seconds in which a bare label shows the image, the better of two tries."""
    times = []
    for _ in range(2):
        label = QLabel()
        label.resize(VIEW_WIDTH, VIEW_HEIGHT)
        label.show()
        QApplication.processEvents()
        start = time.perf_counter()
        label.setPixmap(QPixmap(str(path)).scaled(label.size(), Qt.AspectRatioMode.KeepAspectRatio))
        label.repaint()
        times.append(time.perf_counter() - start)
        label.close()
    return min(times)


def frames(view: FovView, watch: PaintWatch, step: Callable[[int], None]) -> tuple[float, float]:
    times, before = [], watch.count
    for number in range(N_FRAMES):
        start = time.perf_counter()
        step(number)
        view.repaint()
        times.append((time.perf_counter() - start) * 1000)
        QApplication.processEvents()  # tiles that were read meanwhile are handed over, outside of the frame's time
    if watch.count - before < N_FRAMES:
        raise SystemExit("frames were not painted: nothing was measured")
    return float(np.percentile(times, 50)), float(np.percentile(times, 95))


def measure(folder: Path, images: list[Path]) -> dict[str, float]:
    workspace = Workspace(preferences_file=folder / "preferences.toml")
    workspace.zoom_levels = folder / "zoom-levels"
    workspace.open_project(make_project(folder / "study", images))
    view = FovView()
    view.resize(VIEW_WIDTH, VIEW_HEIGHT)
    watch = PaintWatch(view)
    view.show()
    wait_until(lambda: watch.count > 0)
    order = workspace.fov_order
    result = {"first_paint_s": open_image(workspace, view, watch, order[0])}
    if images[0].suffix == ".png":
        result["per_qt"] = result["first_paint_s"] / bare_qt_s(images[0])
    start = time.perf_counter()
    if len(order) > 1:
        wait_until(lambda: order[1] in workspace._images)
        result["next_ms"] = 1000 * open_image(workspace, view, watch, order[1])
        wait_until(lambda: workspace.background.is_idle)
    wait_until(lambda: workspace.background.is_idle and workspace.tile_loader.is_idle)
    result["settled_s"] = time.perf_counter() - start
    result["rss_shown_mb"] = resident_mb("VmRSS")
    at = QPointF(700, 400)
    zoom = frames(view, watch, lambda i: view.zoom_by(1.25 if i % 48 < 24 else 0.8, at))
    view.one_to_one()
    pan = frames(view, watch, lambda i: view.pan_by(31, -13 if i % 2 else 17))
    pyramid = view.pyramid
    if pyramid is None:
        raise SystemExit("no image")
    looks = [Levels(black=0.01 * (i % 20), white=0.9, gamma=1.2) for i in range(N_FRAMES)]
    levels = frames(view, watch, lambda i: pyramid.set_levels(looks[i]))
    for name, pair in (("zoom", zoom), ("pan", pan), ("levels", levels)):
        result[f"{name}_p50"], result[f"{name}_p95"] = pair
    result["rss_mb"], result["rss_peak_mb"] = resident_mb("VmRSS"), resident_mb("VmHWM")
    view.close()
    workspace.shut_down()
    return result


if __name__ == "__main__":
    application = QApplication(sys.argv[:1])
    sys.stdout.write(json.dumps(measure(Path(sys.argv[1]), [Path(each) for each in sys.argv[2:]])) + "\n")
