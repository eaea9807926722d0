"""The gallery over 100 000 images and 100 000 objects: until the first are seen, scrolling, sorting, charts, memory.

Run: QT_QPA_PLATFORM=offscreen PYTHONPATH=. python -m tests.benchmarks.bench_data_gallery [--count N]

The images are `N_FILES` files under many names: what is measured is the gallery, not the disk.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication

from synthstudio.core.imaging import sha256_of_file, write_png
from synthstudio.domain.ids import AnnotationId
from synthstudio.domain.records import Annotation, AnnotationSource, Box, Split, Storage
from synthstudio.gui.main_window import MainWindow
from synthstudio.gui.pages.quality import QualityPage
from synthstudio.gui.pages.quality.gallery_panel import GalleryPanel
from synthstudio.gui.widgets.brushed_plot import Cells
from synthstudio.gui.workspace import Workspace
from synthstudio.project import Project
from synthstudio.project.files import stored_path
from tests.benchmarks.bench_review import memory_mb, spin, tell, wait

N_FILES, N_SCROLLS, QUALITY = 200, 150, 4
SIZE_PX = (320, 240)


def main() -> None:
    parser = argparse.ArgumentParser(description="How fast a gallery of many images is.")
    parser.add_argument("--count", type=int, default=100_000)
    options = parser.parse_args()
    app = QApplication(sys.argv[:1])
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "study"
        build_project(folder, options.count)
        workspace = Workspace(preferences_file=Path(scratch) / "preferences.toml")
        settings = QSettings(str(Path(scratch) / "qt.ini"), QSettings.Format.IniFormat)
        window = MainWindow(workspace, settings=settings)
        window.resize(1920, 1080)
        window.open_project(folder)
        window.show()
        wait(app, lambda: workspace.current_fov_id is not None)
        spin(app, 3.0)
        measure(app, window)
        workspace.shut_down()


def build_project(folder: Path, count: int) -> None:
    """`count` fields and one box on each."""
    rng = np.random.default_rng(0)
    project = Project.create(folder)
    class_id = project.classes.add("cell", size_px=20.0).id
    files = []
    for number in range(N_FILES):
        path = folder.parent / f"file{number}.png"
        write_png(path, rng.integers(0, 255, (SIZE_PX[1] // 8, SIZE_PX[0] // 8, 3), np.uint8).repeat(8, 0).repeat(8, 1))
        files.append((stored_path(project.folder, path), sha256_of_file(path)))
    with project.transaction():
        sample = project.samples.get_or_add("many", split=Split.TRAIN)
        fov_ids = [
            project.fovs.add(
                sample_id=sample.id,
                name=f"{number:06d}.png",
                stored_path=files[number % N_FILES][0],
                storage=Storage.REFERENCE,
                sha256=files[number % N_FILES][1],
                width=SIZE_PX[0],
                height=SIZE_PX[1],
            )
            for number in range(count)
        ]
        corners, sides = rng.uniform(0, 200, (count, 2)), rng.uniform(8, 38, count)
        project.annotations.add(
            [
                Annotation(AnnotationId(0), fov_id, class_id, 0.0, 0.0, source=AnnotationSource.IMPORTED).with_box(
                    Box(x, y, x + side, y + side)
                )
                for fov_id, (x, y), side in zip(fov_ids, corners.tolist(), sides.tolist(), strict=True)
            ]
        )
    project.close()


def measure(app: QApplication, window: MainWindow) -> None:
    """Print one line for each figure."""
    before = memory_mb()
    window.show_page(QUALITY)
    page = window.page(QUALITY)
    assert isinstance(page, QualityPage)
    spin(app, 0.5)
    started = time.perf_counter()
    page.show_gallery()
    panel = page.gallery
    wait(app, lambda: bool(panel.grid.loaded))
    tell("images: until the first are seen", [time.perf_counter() - started])
    scroll(app, panel, "images")
    started = time.perf_counter()
    panel.choose_view("objects")
    wait(app, lambda: "objects" in panel.count.text() and bool(panel.grid.loaded))
    tell("objects: until the first are seen", [time.perf_counter() - started])
    started = time.perf_counter()
    panel.sorts.setCurrentIndex(panel.sorts.findData("size"))
    tell("objects: sorted by size", [time.perf_counter() - started])
    scroll(app, panel, "objects")
    measure_charts(app, page)
    sys.stdout.write(f"memory {before:.0f} -> {memory_mb():.0f} MB\n")


def measure_charts(app: QApplication, page: QualityPage) -> None:
    """From the click on the tab until the charts are there; and from a brush until its objects are seen."""
    started = time.perf_counter()
    page.show_charts()
    wait(app, lambda: "objects" in page.charts.grids)
    tell("charts of the objects: shown", [time.perf_counter() - started])
    plot, grid = page.charts.grids["objects"].maps[0], page.gallery.grid
    n_all = len(grid.keys)
    started = time.perf_counter()
    plot.brushed.emit(Cells(4, 4, 11, 11))
    wait(app, lambda: 0 < len(grid.keys) < n_all and any(key in grid.loaded for key in grid.keys[:10]))
    tell("charts: a part of the image, until its objects are seen", [time.perf_counter() - started])


def scroll(app: QApplication, panel: GalleryPanel, what: str) -> None:
    """Jump through the whole gallery, and then wheel through a part of it."""
    bar = panel.grid.verticalScrollBar()
    for name, step in (("jumping", bar.maximum() // N_SCROLLS), ("wheeling", 40)):
        bar.setValue(0)
        frames = []
        for number in range(N_SCROLLS):
            begun = time.perf_counter()
            bar.setValue(number * step)
            panel.grid.viewport().repaint()
            frames.append(time.perf_counter() - begun)
            spin(app, 0.005)
        tell(f"{what}: {name}, a frame", frames)


if __name__ == "__main__":
    main()
