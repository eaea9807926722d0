"""The map of 100 000 objects: describing, laying out, until it is seen, a repaint, a search, a lasso.

Run: QT_QPA_PLATFORM=offscreen PYTHONPATH=. python -m tests.benchmarks.bench_similar [--count N]

The objects are squares of `N_FILES` files; `N_DESCRIBED` of them are described, the others get those features and a
little noise, so that the benchmark does not take five minutes more.
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
from PySide6.QtCore import QPointF, QSettings
from PySide6.QtWidgets import QApplication

from synthstudio.client.recording import Recorder
from synthstudio.domain.ids import RunId
from synthstudio.engine.jobs import embed
from synthstudio.gui.main_window import MainWindow
from synthstudio.gui.pages.quality import QualityPage
from synthstudio.gui.pages.quality.map_facts import find_like
from synthstudio.gui.pages.quality.map_panel import MapPanel
from synthstudio.gui.workspace import Workspace
from synthstudio.project import Project
from synthstudio.project.features import describe_pictures, keep_store, read_store
from synthstudio.project.pictures import list_pictures
from synthstudio.protocol.messages import JobFinished
from synthstudio.settings.embed import EmbedSettings
from tests.benchmarks.bench_data_gallery import build_project
from tests.benchmarks.bench_review import memory_mb, spin, tell, wait
from tests.support.engine_project import RecordingContext

N_DESCRIBED, N_SEARCHES, N_FRAMES, QUALITY = 2000, 50, 20, 4


def main() -> None:
    parser = argparse.ArgumentParser(description="How fast the map and the search are.")
    parser.add_argument("--count", type=int, default=100_000)
    options = parser.parse_args()
    app = QApplication(sys.argv[:1])
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "study"
        build_project(folder, options.count)
        make_map(folder)
        workspace = Workspace(preferences_file=Path(scratch) / "preferences.toml")
        window = MainWindow(workspace, settings=QSettings(str(Path(scratch) / "qt.ini"), QSettings.Format.IniFormat))
        window.resize(1920, 1080)
        window.open_project(folder)
        window.show()
        wait(app, lambda: workspace.current_fov_id is not None)
        spin(app, 3.0)
        window.show_page(QUALITY)
        page = window.page(QUALITY)
        assert isinstance(page, QualityPage)
        measure(app, page.map, page)
        workspace.shut_down()


def make_map(folder: Path) -> None:
    """Describe a part of the objects, invent the rest, and lay all of them out."""
    project = Project.open(folder)
    objects = list_pictures(project).objects
    started = time.perf_counter()
    known = describe_pictures(project, objects[:N_DESCRIBED])
    tell("describing an object", [(time.perf_counter() - started) / len(known)])
    store = read_store(project)
    fresh = list({each.key: None for each in objects if each.key not in store})
    rng = np.random.default_rng(0)
    vectors = known[rng.integers(0, len(known), len(fresh))]
    store.put(fresh, vectors + rng.normal(0, 0.05, vectors.shape).astype(np.float32))
    keep_store(project, store)
    context = RecordingContext(project, "embed")
    started = time.perf_counter()
    result = embed.run(EmbedSettings(), context)
    tell("the job where all is described: images, objects, two maps", [time.perf_counter() - started])
    with Recorder(project, project.runs.get(RunId(context.run_id))) as recorder:
        recorder.finish(JobFinished(result=result))
    project.close()


def measure(app: QApplication, panel: MapPanel, page: QualityPage) -> None:
    """Print one line for each figure."""
    before = memory_mb()
    panel.choose_view("objects")
    started = time.perf_counter()
    page.show_map()
    wait(app, lambda: panel.shown is not None)
    tell("until the map is seen", [time.perf_counter() - started])
    shown = panel.shown
    assert shown is not None
    frames = []
    for number in range(N_FRAMES):
        started = time.perf_counter()
        panel.map.zoom_by(1.1 if number % 2 else 1 / 1.1)
        panel.map.repaint()
        frames.append(time.perf_counter() - started)
    tell("zooming, a frame", frames)
    searches = []
    for number in range(N_SEARCHES):
        started = time.perf_counter()
        find_like(shown.pictures[number * 37], shown, count=48)
        searches.append(time.perf_counter() - started)
    tell("finding the 48 nearest", searches)
    started = time.perf_counter()
    middle = QPointF(panel.map.width() / 2, panel.map.height() / 2)
    corners = [middle + QPointF(dx, dy) for dx, dy in ((-200, -200), (200, -200), (200, 200), (-200, 200))]
    panel.map.select(panel.map.view.rows_within(corners))
    panel.map.selection_changed.emit()
    wait(app, lambda: bool(panel.results.grid.loaded))
    tell(f"a lasso round {len(panel.map.selected):,}: until the first tiles are seen", [time.perf_counter() - started])
    sys.stdout.write(f"memory {before:.0f} -> {memory_mb():.0f} MB\n")


if __name__ == "__main__":
    main()
