"""A diffusion model trained from scratch and asked for patches, by hand in the window and without a network."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from synthstudio.core.imaging import read_image_size
from synthstudio.gui.pages.generate.diffusion.patches_panel import PatchesPanel
from synthstudio.gui.pages.generate.diffusion.scratch_panel import ScratchPanel
from tests.support.engine_project import build_engine_project
from tests.support.watched import Watched, show_diffusion, wait_for_job
from tests.support.windows import TIMEOUT_MS, open_window

pytestmark = pytest.mark.slow
LEFT = Qt.MouseButton.LeftButton
SMALL = {
    "crops.side": "32",
    "crops.crops_per_fov": 1,
    "network.base_channels": 8,
    "optimization.steps": 2,
    "optimization.batch_size": 2,
    "optimization.sample_every": 1,
    "sampling.sampler_steps": 2,
}


def test_that_a_model_is_trained_from_scratch_and_writes_patches_by_hand_without_a_socket(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = build_engine_project(tmp_path, n_train=4, n_val=2, n_test=1)
    project.close()
    watched = Watched(tmp_path, monkeypatch)
    with open_window(qtbot, tmp_path / "private", project.folder) as window:
        view = show_diffusion(window, "From scratch")
        panel = view.panel("From scratch")
        assert isinstance(panel, ScratchPanel)
        qtbot.waitUntil(panel.side.start.isEnabled, timeout=TIMEOUT_MS)
        for name, value in SMALL.items():
            panel.side.form.show_value(name, value)
        QTest.mouseClick(panel.side.start, LEFT)
        trained = wait_for_job(qtbot, window, "train-patch-diffusion")
        qtbot.waitUntil(lambda: view.scratch.given is not None, timeout=TIMEOUT_MS)
        qtbot.waitUntil(lambda: panel.samples.steps == (1, 2) and bool(panel.samples.grid.images), timeout=TIMEOUT_MS)
        view.show_tab("Patches")
        patches = view.panel("Patches")
        assert isinstance(patches, PatchesPanel)
        qtbot.waitUntil(lambda: patches.counts is not None and patches.side.write.isEnabled(), timeout=TIMEOUT_MS)
        patches.side.form.show_value("count", 3)
        QTest.mouseClick(patches.side.write, LEFT)
        wait_for_job(qtbot, window, "generate")
        opened = window.workspace.require_project()
        assert opened.sets.get("patches").n_images == 3
        written = opened.set_folder("patches")
    assert [read_image_size(path) for path in (written / "images").iterdir()] == [(32, 32)] * 3
    assert trained.id in (written / "set.json").read_text()
    watched.check(n_engines=2)
