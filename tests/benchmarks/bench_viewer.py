"""Frame times of the real viewer on a 4072 x 3072 image, beside one QGraphicsItem per annotation in the same run.

Then, each in a process of its own: opening a PNG and large TIFFs, and clicks that are committed through the window.

Run: QT_QPA_PLATFORM=offscreen PYTHONPATH=. python tests/benchmarks/bench_viewer.py [--json]
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen, QPixmap
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QGraphicsEllipseItem,
    QGraphicsRectItem,
    QGraphicsScene,
    QGraphicsView,
    QWidget,
)

from synthstudio.domain.ids import AnnotationId, ClassId, FovId
from synthstudio.domain.palette import class_color
from synthstudio.domain.records import Annotation, Box, ObjectClass, Role
from synthstudio.gui.canvas.fov_view import FovView
from synthstudio.gui.canvas.pyramid import build_pyramid
from tests.benchmarks import large_files

IMAGE_WIDTH, IMAGE_HEIGHT = 4072, 3072
VIEW_WIDTH, VIEW_HEIGHT = 1600, 1000
N_FRAMES = 60
OBJECT_PX = 24.0


def synthetic_image() -> NDArray[np.uint8]:
    """Smooth background with grain, so that no painting shortcut for flat colour can help."""
    rng = np.random.default_rng(1)
    grain = rng.integers(0, 24, (IMAGE_HEIGHT, IMAGE_WIDTH, 3), dtype=np.uint8)
    slope = np.linspace(170, 225, IMAGE_WIDTH).astype(np.uint8)[None, :, None]
    return np.asarray(slope + grain, dtype=np.uint8)


def object_classes() -> dict[ClassId, ObjectClass]:
    return {
        ClassId(i): ObjectClass(ClassId(i), f"class {i}", class_color(i), str(i), Role.OBJECT, None, OBJECT_PX)
        for i in range(1, 6)
    }


def make_annotations(n: int, *, as_boxes: bool) -> list[Annotation]:
    rng = np.random.default_rng(n)
    xs, ys = rng.uniform(20, IMAGE_WIDTH - 20, n), rng.uniform(20, IMAGE_HEIGHT - 20, n)
    half = OBJECT_PX / 2
    return [
        Annotation(
            AnnotationId(i + 1),
            FovId(1),
            ClassId(1 + i % 5),
            x,
            y,
            Box(x - half, y - half, x + half, y + half) if as_boxes else None,
        )
        for i, (x, y) in enumerate(zip(xs.tolist(), ys.tolist(), strict=True))
    ]


class PaintCounter(QObject):
    """Counts the paint events of a widget: a frame that was never painted must not pass for a fast one."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self.count = 0
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        self.count += event.type() == QEvent.Type.Paint
        return False


def show_exposed(widget: QWidget) -> None:
    """Show and wait until the widget really paints."""
    widget.show()
    if not QTest.qWaitForWindowExposed(widget):
        raise SystemExit("the window never appeared: nothing was measured")


def frame_times_ms(step: Callable[[int], None], widget: QWidget) -> tuple[float, float]:
    """Median and 95th percentile of N_FRAMES frames; a frame is the change and its painting."""
    times, counter = [], PaintCounter(widget)
    for i in range(N_FRAMES):
        start = time.perf_counter()
        step(i)
        widget.repaint()
        times.append((time.perf_counter() - start) * 1000)
    if counter.count < N_FRAMES:
        raise SystemExit(f"only {counter.count} of {N_FRAMES} frames were painted: nothing was measured")
    return float(np.percentile(times, 50)), float(np.percentile(times, 95))


def zoom_factor(i: int) -> float:
    """In by 12 notches and out again, over and over."""
    return 1.25 if i % 24 < 12 else 0.8


def bench_fov_view(annotations: list[Annotation]) -> dict[str, float]:
    view = FovView()
    view.resize(VIEW_WIDTH, VIEW_HEIGHT)
    start = time.perf_counter()
    pyramid = build_pyramid(synthetic_image_once())
    built = time.perf_counter()
    view.set_image(pyramid)
    show_exposed(view)
    shown = time.perf_counter()
    view.set_annotations(annotations, object_classes(), None)
    view.repaint()
    result = {"pyramid_ms": (built - start) * 1000, "show_annotations_ms": (time.perf_counter() - shown) * 1000}
    at = QPointF(700, 400)
    result["zoom_p50"], result["zoom_p95"] = frame_times_ms(lambda i: view.zoom_by(zoom_factor(i), at), view)
    view.fit()
    result["fit_p50"], result["fit_p95"] = frame_times_ms(lambda i: view.update(), view)
    view.one_to_one()
    result["pan_p50"], result["pan_p95"] = frame_times_ms(lambda i: view.pan_by(7, -3 if i % 2 else 4), view)
    view.fit()
    result["click_p50"], result["click_p99"] = click_times_ms(view, first_id=len(annotations) + 1)
    view.close()
    return result


def click_times_ms(view: FovView, *, first_id: int) -> tuple[float, float]:
    """From the mouse press to the painted mark, through the event loop and a slot that answers at once."""
    next_id = iter(range(first_id, first_id + 10_000))

    def _add(x: float, y: float) -> None:
        view.add_annotations([Annotation(AnnotationId(next(next_id)), FovId(1), ClassId(1), x, y)])

    view.center_requested.connect(_add)
    view.set_tool("center")
    view.set_current_class(object_classes()[ClassId(1)])
    QApplication.processEvents()
    rng, times = np.random.default_rng(3), []
    for _ in range(100):
        spot = QPoint(int(rng.integers(300, 1300)), int(rng.integers(100, 900)))
        QTest.mouseMove(view, spot)
        QApplication.processEvents()
        start = time.perf_counter()
        QTest.mousePress(view, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, spot)
        QApplication.processEvents()
        times.append((time.perf_counter() - start) * 1000)
        QTest.mouseRelease(view, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, spot)
        QApplication.processEvents()
    return float(np.percentile(times, 50)), float(np.percentile(times, 99))


def bench_graphics_view(annotations: list[Annotation]) -> dict[str, float]:
    """The reference: QGraphicsView, the image as a pixmap item, one ellipse or rectangle item per annotation."""
    scene = QGraphicsScene()
    pixels = synthetic_image_once()
    image = QImage(pixels.data, IMAGE_WIDTH, IMAGE_HEIGHT, 3 * IMAGE_WIDTH, QImage.Format.Format_RGB888)
    scene.addPixmap(QPixmap.fromImage(image))
    start = time.perf_counter()
    for annotation in annotations:
        _add_item(scene, annotation)
    view = QGraphicsView(scene)
    view.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    view.setTransformationAnchor(QGraphicsView.ViewportAnchor.AnchorUnderMouse)
    view.resize(VIEW_WIDTH, VIEW_HEIGHT)
    show_exposed(view)
    view.fitInView(scene.sceneRect(), Qt.AspectRatioMode.KeepAspectRatio)
    view.viewport().repaint()
    result = {"show_annotations_ms": (time.perf_counter() - start) * 1000}
    paint = view.viewport()
    result["zoom_p50"], result["zoom_p95"] = frame_times_ms(lambda i: view.scale(zoom_factor(i), zoom_factor(i)), paint)
    view.fitInView(scene.sceneRect(), Qt.AspectRatioMode.KeepAspectRatio)
    result["fit_p50"], result["fit_p95"] = frame_times_ms(lambda i: view.viewport().update(), paint)
    view.resetTransform()
    view.centerOn(IMAGE_WIDTH / 2, IMAGE_HEIGHT / 2)
    bar = view.horizontalScrollBar()
    result["pan_p50"], result["pan_p95"] = frame_times_ms(lambda i: bar.setValue(bar.value() - 7), paint)
    view.close()
    return result


def _add_item(scene: QGraphicsScene, annotation: Annotation) -> None:
    box = annotation.extent(OBJECT_PX)
    kind = QGraphicsRectItem if annotation.is_box else QGraphicsEllipseItem
    item = kind(box.x0, box.y0, box.width, box.height)
    pen = QPen(QColor(class_color(int(annotation.class_id))), 1.5)
    pen.setCosmetic(True)
    item.setPen(pen)
    scene.addItem(item)


_IMAGES: list[NDArray[np.uint8]] = []


def synthetic_image_once() -> NDArray[np.uint8]:
    if not _IMAGES:
        _IMAGES.append(synthetic_image())
    return _IMAGES[0]


def run_helper(module: str, *arguments: str) -> dict[str, float]:
    """Run a helper of this benchmark in a process of its own and return its figures."""
    command = [sys.executable, "-m", f"tests.benchmarks.{module}", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{module} failed: {done.stderr[-2000:]}")
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def bench_opening() -> dict[str, dict[str, float]]:
    """Open images and click, in files that are made for it and removed again (1.4 GB)."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pngs = [folder / "a.png", folder / "b.png"]
        for number, png in enumerate(pngs):
            large_files.write_png(png, seed=number)
        large_files.write_flat(folder / "flat.tif")
        large_files.write_pyramid(folder / "pyramid.tif", folder / "flat.tif")
        large_files.write_sparse(folder / "sparse.tif")
        if hasattr(os, "sync"):
            os.sync()  # half a minute later the system would write these gigabytes out, in the midst of the clicks
        cases = {
            "PNG 4072 x 3072": pngs,
            "BigTIFF 20000 x 20000 flat": [folder / "flat.tif"],
            "BigTIFF 20000 x 20000 pyramid": [folder / "pyramid.tif"],
            "BigTIFF 60000 x 60000 flat": [folder / "sparse.tif"],
        }
        results: dict[str, dict[str, float]] = {}
        for number, (case, images) in enumerate(cases.items()):
            (folder / str(number)).mkdir()
            results[case] = run_helper("opening", str(folder / str(number)), *map(str, images))
        for n in (1_000, 100_000):
            (folder / f"clicks{n}").mkdir()
            results[f"clicks at {n:,}"] = run_helper("clicking", str(folder / f"clicks{n}"), str(pngs[0]), str(n))
    return results


TARGETS: tuple[tuple[str, str, str, float], ...] = (
    ("PNG 4072 x 3072", "first_paint_s", "first paint, s", 0.35),
    ("PNG 4072 x 3072", "per_qt", "first paint / that of a bare QLabel", 1.5),
    ("PNG 4072 x 3072", "next_ms", "next field, ms", 60),
    ("PNG 4072 x 3072", "levels_p50", "frame with levels, p50, ms", 8),
    ("PNG 4072 x 3072", "rss_mb", "resident after looking round, MB", 350),
    ("BigTIFF 20000 x 20000 flat", "first_paint_s", "first paint, s", 0.5),
    ("BigTIFF 20000 x 20000 flat", "rss_peak_mb", "most resident, MB", 400),
    ("BigTIFF 20000 x 20000 pyramid", "first_paint_s", "first paint, s", 0.2),
    ("BigTIFF 20000 x 20000 pyramid", "rss_peak_mb", "most resident, MB", 400),
    ("BigTIFF 60000 x 60000 flat", "first_paint_s", "first paint, s", 0.5),
    ("BigTIFF 60000 x 60000 flat", "rss_peak_mb", "most resident, MB", 400),
    ("clicks at 1,000", "committed_p99", "press to committed, p99, ms", 30),
    ("clicks at 100,000", "committed_p99", "press to committed, p99, ms", 30),
    ("clicks at 100,000", "painted_p50", "press to painted, p50, ms", 10),
    ("clicks at 100,000", "rss_mb", "resident, the whole window, MB", 350),
)
"""Case, figure, what it is, and its bar: `targets.md`, section 1."""


def target_table(results: dict[str, dict[str, float]]) -> str:
    """The figures beside their bars."""
    lines = [f"{'case':32}{'figure':36}{'measured':>10}{'bar':>8}"]
    for case, name, text, bar in TARGETS:
        value = results[case][name]
        lines.append(f"{case:32}{text:36}{value:10.2f}{bar:8g}  {'' if value <= bar else 'MISSED'}".rstrip())
    return "\n".join([*lines, ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object instead of the tables")
    parser.add_argument("--no-reference", action="store_true", help="skip QGraphicsView")
    parser.add_argument("--only", choices=("frames", "opening"), help="one half of the benchmark")
    options = parser.parse_args()
    found: dict[str, object] = {}
    if options.only != "frames":
        opened = bench_opening()
        found["opening"] = opened
        if not options.json:
            sys.stdout.write(target_table(opened) + "\n")
    if options.only != "opening":
        rows, peak_mb = bench_frames(has_reference=not options.no_reference)
        found |= {"rows": rows, "peak_mb": peak_mb}
        if not options.json:
            sys.stdout.write(table(rows, peak_mb))
    if options.json:
        sys.stdout.write(json.dumps(found) + "\n")


def bench_frames(*, has_reference: bool) -> tuple[list[dict[str, str | int | float]], float]:
    """Frame times with 1 k to 100 k annotations, and the most memory that was resident."""
    app = QApplication.instance() or QApplication(sys.argv[:1])
    rows: list[dict[str, str | int | float]] = []
    for n in (1_000, 10_000, 100_000):
        for as_boxes in (False, True):
            annotations = make_annotations(n, as_boxes=as_boxes)
            kind = "boxes" if as_boxes else "centres"
            rows.append({"view": "FovView", "n": n, "kind": kind, **bench_fov_view(annotations)})
            if has_reference:
                rows.append({"view": "QGraphicsView", "n": n, "kind": kind, **bench_graphics_view(annotations)})
    app.quit()
    return rows, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def table(rows: list[dict[str, str | int | float]], peak_mb: float) -> str:
    """The figures as text, times in ms."""
    columns: tuple[str, ...] = (
        "zoom_p50",
        "zoom_p95",
        "fit_p50",
        "fit_p95",
        "pan_p50",
        "pan_p95",
        "click_p50",
        "click_p99",
        "show_annotations_ms",
    )
    lines = [f"{'view':14}{'n':>8} {'kind':8}" + "".join(f"{name[:9]:>11}" for name in columns)]
    for row in rows:
        cells = "".join(f"{row[name]:11.1f}" if name in row else f"{'-':>11}" for name in columns)
        lines.append(f"{row['view']:14}{row['n']:>8} {row['kind']:8}{cells}")
    return "\n".join([*lines, f"peak resident memory of the whole run: {peak_mb:.0f} MB", ""])


if __name__ == "__main__":
    main()
