"""Judging a set of ten thousand images: until the first is seen, each key, and memory.

Run: QT_QPA_PLATFORM=offscreen PYTHONPATH=. python -m tests.benchmarks.bench_review [--images N]
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PySide6.QtCore import QSettings, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from synthstudio.core.synthesis.manifest import HEADER_NAME, MANIFEST_NAME
from synthstudio.gui.main_window import MainWindow
from synthstudio.gui.pages.review import ReviewPage
from synthstudio.gui.pages.review.verdicts_panel import VerdictsPanel
from synthstudio.gui.workspace import Workspace
from synthstudio.project import Project
from synthstudio.settings.compose import ComposeSettings, CompositionSettings
from tests.support.cell_projects import make_cell_project
from tests.support.sets import add_set

N_DIFFERENT, N_KEYS, N_SCROLLS = 200, 200, 120


def main() -> None:
    parser = argparse.ArgumentParser(description="How fast a large set is judged.")
    parser.add_argument("--images", type=int, default=10_000)
    options = parser.parse_args()
    app = QApplication(sys.argv[:1])
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "study"
        build_project(folder, options.images)
        workspace = Workspace(preferences_file=Path(scratch) / "preferences.toml")
        settings = QSettings(str(Path(scratch) / "qt.ini"), QSettings.Format.IniFormat)
        window = MainWindow(workspace, settings=settings)
        window.resize(1920, 1080)
        window.open_project(folder)
        window.show()
        wait(app, lambda: workspace.current_fov_id is not None)
        measure(app, window)
        workspace.shut_down()


def build_project(folder: Path, n_images: int) -> None:
    """A set of images of 256 px, of which `N_DIFFERENT` are different files."""
    project = make_cell_project(folder)
    settings = ComposeSettings(set_name="large", count=N_DIFFERENT, composition=CompositionSettings(canvas_px=256))
    written = add_set(project, settings)
    grow_set(project, n_images)
    project.sets.put(dataclasses.replace(written, n_images=n_images))
    project.close()


def grow_set(project: Project, n_images: int) -> None:
    """Repeat the images of the set until there are as many; each has files and a line of its own."""
    set_folder = project.set_folder("large")
    lines = (set_folder / MANIFEST_NAME).read_bytes().splitlines()
    grown = []
    for index in range(n_images):
        entry = json.loads(lines[index % N_DIFFERENT])
        source = set_folder / entry["file"]
        entry["index"], entry["file"] = index, f"images/{index:06d}.png"
        if index >= N_DIFFERENT:
            shutil.copyfile(source, set_folder / entry["file"])
        grown.append(json.dumps(entry, separators=(",", ":")) + "\n")
    manifest = "".join(grown).encode()
    (set_folder / MANIFEST_NAME).write_bytes(manifest)
    header = json.loads((set_folder / HEADER_NAME).read_bytes())
    header |= {"n_images": n_images, "manifest_sha256": hashlib.sha256(manifest).hexdigest()}
    (set_folder / HEADER_NAME).write_text(json.dumps(header))


def measure(app: QApplication, window: MainWindow) -> None:
    """Print one line for each figure."""
    before = memory_mb()
    started = time.perf_counter()
    window.show_page(2)
    page = window.page(2)
    assert isinstance(page, ReviewPage)
    panel = page.verdicts
    wait(app, lambda: bool(panel.grid.loaded))
    tell("until the first images are seen", [time.perf_counter() - started])
    tell("a key in the grid: verdict committed", [press(app, panel, Qt.Key.Key_K) for _ in range(N_KEYS)])
    panel.show_single()
    wait(app, lambda: panel.single.index == panel.grid.selected[0])
    keys = [press(app, panel, (Qt.Key.Key_K, Qt.Key.Key_R)[number % 2]) for number in range(N_KEYS)]
    tell("a key at one image: the next is seen", keys)
    panel.show_grid()
    bar, frames = panel.grid.verticalScrollBar(), []
    for step in range(N_SCROLLS):
        begun = time.perf_counter()
        bar.setValue(bar.maximum() * step // N_SCROLLS)
        panel.grid.viewport().repaint()
        frames.append(time.perf_counter() - begun)
        spin(app, 0.005)
    tell("scrolling, a frame", frames)
    begun = time.perf_counter()
    panel.grid.select_all()
    QTest.keyClick(panel.grid, Qt.Key.Key_R)
    tell("all at once", [time.perf_counter() - begun])
    sys.stdout.write(f"memory {before:.0f} -> {memory_mb():.0f} MB\n")


def press(app: QApplication, panel: VerdictsPanel, key: Qt.Key) -> float:
    """Seconds from a key until its verdict is committed and, with one image in view, the next one is painted."""
    spin(app, 0.15)  # about seven images a second: the hand of a fast reviewer
    started = time.perf_counter()
    QTest.keyClick(panel.single if panel.is_single else panel.grid, key)
    if panel.is_single:
        wait(app, lambda: panel.single.index == panel.grid.selected[0])
        panel.single.repaint()
    else:
        panel.grid.viewport().repaint()
    return time.perf_counter() - started


def wait(app: QApplication, condition: Callable[[], bool]) -> None:
    """Run events until something holds."""
    while not condition():
        app.processEvents()


def spin(app: QApplication, seconds: float) -> None:
    """Run events for a while."""
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        app.processEvents()


def memory_mb() -> float:
    """Resident memory of this process."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def tell(what: str, seconds: list[float]) -> None:
    p50, p95 = np.percentile(np.array(seconds) * 1000, [50, 95])
    sys.stdout.write(f"{what}: p50 {p50:.1f} ms, p95 {p95:.1f} ms, worst {max(seconds) * 1000:.1f} ms\n")


if __name__ == "__main__":
    main()
