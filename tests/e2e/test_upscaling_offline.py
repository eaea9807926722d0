"""A diffusion upscaler trained further and applied to a set, by hand in the window and without a network."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from synthstudio.core.imaging import read_image_size
from synthstudio.domain.records import Split
from synthstudio.gui.pages.generate.diffusion.upscaling_panel import UpscalingPanel
from synthstudio.settings.compose import ComposeSettings, CompositionSettings
from tests.support.cell_projects import make_cell_project
from tests.support.sets import add_set
from tests.support.tiny_diffusion import write_tiny_upscaler
from tests.support.watched import Watched, show_diffusion, wait_for_job
from tests.support.windows import TIMEOUT_MS, open_window

pytestmark = pytest.mark.slow
LEFT = Qt.MouseButton.LeftButton
SMALL = {
    "method": "diffusion",
    "model": "x4",
    "pairs.small_side": 16,
    "pairs.per_image": 4,
    "diffusion.sample_steps": 1,
    "optimization.steps": 2,
    "optimization.batch_size": 2,
    "optimization.evaluate_every": 2,
}


def build_project(folder: Path) -> Path:
    """A set of two composites, and a tiny x4 diffusion upscaler."""
    project = make_cell_project(folder / "study", splits=(Split.VAL,))
    add_set(
        project,
        ComposeSettings(set_name="composed", count=2, composition=CompositionSettings(canvas_px=64, n_objects_max=4)),
    )
    project.models.add(write_tiny_upscaler(folder / "x4"), name="x4")
    project.close()
    return project.folder


def test_that_a_diffusion_upscaler_is_trained_and_enlarges_a_set_by_hand_without_a_socket(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = build_project(tmp_path)
    watched = Watched(tmp_path, monkeypatch)
    with open_window(qtbot, tmp_path / "private", folder) as window:
        view = show_diffusion(window, "Upscaling")
        panel = view.panel("Upscaling")
        assert isinstance(panel, UpscalingPanel)
        training = panel.training
        qtbot.waitUntil(training.side.start.isEnabled, timeout=TIMEOUT_MS)
        for name, value in SMALL.items():
            training.side.form.show_value(name, value)
        QTest.mouseClick(training.side.start, LEFT)
        trained = wait_for_job(qtbot, window, "train-upscaler")
        qtbot.waitUntil(lambda: view.upscalers.given is not None, timeout=TIMEOUT_MS)
        qtbot.waitUntil(lambda: "PSNR" in " ".join(training.figures.texts), timeout=TIMEOUT_MS)
        QTest.mouseClick(panel.switch.button("enlarge"), LEFT)
        enlarging = panel.enlarging
        qtbot.waitUntil(enlarging.write.isEnabled, timeout=TIMEOUT_MS)
        for name, wanted in {"source_set": "composed", "set_name": "larger", "steps": 2}.items():
            enlarging.form.show_value(name, wanted)
        QTest.mouseClick(enlarging.write, LEFT)
        wait_for_job(qtbot, window, "upscale")
        qtbot.waitUntil(lambda: enlarging.sets.currentData() == "larger", timeout=TIMEOUT_MS)
        qtbot.waitUntil(lambda: len(enlarging.pairs.images) == 4, timeout=TIMEOUT_MS)
        project = window.workspace.require_project()
        written = project.set_folder("larger")
        assert project.sets.get("larger").n_images == 2
    pictures = sorted((written / "images").iterdir())
    assert [read_image_size(path) for path in pictures] == [(256, 256)] * 2
    assert trained.id in (written / "set.json").read_text()
    watched.check(n_engines=2)
