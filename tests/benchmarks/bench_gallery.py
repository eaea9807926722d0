"""The gallery of patches with a hundred thousand of them: scrolling, selecting, rejecting.

Run: QT_QPA_PLATFORM=offscreen PYTHONPATH=. python tests/benchmarks/bench_gallery.py [--patches N]
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QApplication

from synthstudio.core.patches.ranking import PatchOrder, score_patches
from synthstudio.core.patches.table import tabulate
from synthstudio.domain.ids import AnnotationId
from synthstudio.gui.pages.generate.bank_loader import Gallery
from synthstudio.gui.pages.generate.patch_panel import PatchPanel
from synthstudio.gui.workspace import Workspace
from tests.support.cells import make_bank, make_cells

N_STEPS = 120
N_RANKED = 5_000


def main() -> None:
    parser = argparse.ArgumentParser(description="How fluid the gallery of patches is.")
    parser.add_argument("--patches", type=int, default=100_000)
    options = parser.parse_args()
    app = QApplication(sys.argv[:1])
    with tempfile.TemporaryDirectory() as scratch:
        workspace = Workspace(preferences_file=Path(scratch) / "preferences.toml")
        workspace.create_project(Path(scratch) / "project")
        measure(workspace, options.patches)
        workspace.shut_down()
    app.quit()


def measure(workspace: Workspace, n_patches: int) -> None:
    """Print one line for each figure."""
    gallery = make_gallery(n_patches)
    panel = PatchPanel(workspace)
    panel.resize(1000, 700)
    panel.show()
    tell("showing the gallery", [timed(lambda: panel.set_gallery(gallery))])
    run_events(500)
    bar, frames = panel.grid.verticalScrollBar(), []
    for step in range(N_STEPS):
        frames.append(timed(lambda step=step: scroll(panel, bar.maximum() * step // N_STEPS)))  # type: ignore[misc]
        run_events(5)
    tell("scrolling, a frame", frames)
    tell("selecting all", [timed(lambda: repaint_after(panel, panel.grid.select_all))])
    panel.grid.select_key(0)
    verdicts = workspace.require_project().patch_verdicts
    rejecting = []
    for number in range(1, 41):
        started = time.perf_counter()
        verdicts.reject([AnnotationId(number)])
        panel.show_verdicts()
        panel.grid.viewport().repaint()
        rejecting.append(time.perf_counter() - started)
    tell("rejecting one, committed and seen", rejecting)
    tell("rejecting all", [timed(lambda: verdicts.reject([AnnotationId(each) for each in range(1, n_patches + 1)]))])
    for order in (PatchOrder.BLURRED, PatchOrder.DOUBTFUL):
        spent = timed(lambda order=order: score_patches(gallery.bank, range(N_RANKED), order))  # type: ignore[misc]
        sys.stdout.write(f"ranking, {order.value}: {spent / N_RANKED * 1e6:.0f} us a patch, in the background\n")
    panel.close()


def make_gallery(n_patches: int) -> Gallery:
    """So many patches, which share the pixels of a few."""
    cells = make_cells()
    bank = make_bank(cells)
    few = [patch for patch in bank.patches if patch.class_id == 1]
    patches = tuple(
        dataclasses.replace(few[number % len(few)], annotation_id=AnnotationId(number + 1))
        for number in range(n_patches)
    )
    many = dataclasses.replace(bank, patches=patches)
    return Gallery(many, tabulate(many), frozenset(), {fov.id: fov for fov in cells.fovs})


def scroll(panel: PatchPanel, top: int) -> None:
    panel.grid.verticalScrollBar().setValue(top)
    panel.grid.viewport().repaint()


def repaint_after(panel: PatchPanel, action: Callable[[], None]) -> None:
    action()
    panel.grid.viewport().repaint()


def timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def tell(what: str, seconds: list[float]) -> None:
    middle, high = np.percentile(np.array(seconds) * 1e3, [50, 95])
    sys.stdout.write(f"{what}: {middle:.1f} ms" + (f", p95 {high:.1f} ms\n" if len(seconds) > 1 else "\n"))


def run_events(duration_ms: int) -> None:
    loop = QEventLoop()
    QTimer.singleShot(duration_ms, loop.quit)
    loop.exec()


if __name__ == "__main__":
    main()
