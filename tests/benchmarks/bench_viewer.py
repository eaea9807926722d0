"""Frame times of the real viewer on a 4072 x 3072 image, beside one QGraphicsItem per annotation in the same run.

Run: QT_QPA_PLATFORM=offscreen PYTHONPATH=. python tests/benchmarks/bench_viewer.py [--json]
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import time
from collections.abc import Callable

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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object instead of the table")
    parser.add_argument("--no-reference", action="store_true", help="skip QGraphicsView")
    options = parser.parse_args()
    app = QApplication.instance() or QApplication(sys.argv[:1])
    rows: list[dict[str, str | int | float]] = []
    for n in (1_000, 10_000, 100_000):
        for as_boxes in (False, True):
            annotations = make_annotations(n, as_boxes=as_boxes)
            kind = "boxes" if as_boxes else "centres"
            rows.append({"view": "FovView", "n": n, "kind": kind, **bench_fov_view(annotations)})
            if not options.no_reference:
                rows.append({"view": "QGraphicsView", "n": n, "kind": kind, **bench_graphics_view(annotations)})
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(json.dumps({"rows": rows, "peak_mb": peak_mb}) + "\n" if options.json else table(rows, peak_mb))
    app.quit()


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
