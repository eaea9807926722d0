"""Tones in the window: the scale, a choice, a suggestion, a table."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from synthstudio.core.annotations.imagefolder import read_imagefolder
from synthstudio.core.imaging import write_png
from synthstudio.gui.main_window.tone_scale_dialog import ToneScaleDialog
from synthstudio.project import Project
from synthstudio.project.imports import apply_import
from synthstudio.project.tones import find_tone_scale
from tests.support.windows import TIMEOUT_MS, annotate_page, open_window


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    """A light skin, a dark one, and none."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for name, lab in (("light", (75, 12, 14)), ("dark", (32, 12, 12)), ("grey", (60, 0, 0))):
        pixels = np.full((90, 120, 3), lab, np.float32)
        write_png(
            folder / f"{name}.png", np.rint(np.asarray(cv2.cvtColor(pixels, cv2.COLOR_LAB2RGB)) * 255).astype(np.uint8)
        )
    project = Project.create(tmp_path / "study")
    apply_import(project, read_imagefolder(folder), copy=False)
    project.close()
    return tmp_path / "study"


def test_the_journey_from_a_scale_to_tones(qtbot: QtBot, tmp_path: Path, photographs: Path) -> None:
    with open_window(qtbot, tmp_path / "private", photographs) as window:
        page, registry = annotate_page(window), window.registry
        project = window.workspace.require_project()

        def tones() -> dict[str, int | None]:
            return {fov.name: fov.tone for fov in project.fovs.list()}

        registry.refresh()
        assert not page.field_panel.tone.isVisible()
        assert not registry.action("field.suggest_tones").isEnabled()
        registry.action("field.tone_scale").trigger()
        dialog = window.findChild(ToneScaleDialog)
        assert dialog is not None
        dialog.kind.setCurrentIndex(2)
        dialog.levels.setText("one")
        dialog.save()
        assert "2 to 20 levels" in dialog.problem.text()
        dialog.kind.setCurrentIndex(1)
        dialog.save()
        scale = find_tone_scale(project)
        assert scale is not None
        assert page.field_panel.tone.isVisible()
        assert page.field_panel.tone.count() == 1 + len(scale.levels)

        window.fov_panel.list.selectAll()
        registry.refresh()
        registry.action("field.suggest_tones").trigger()
        qtbot.waitUntil(lambda: "suggested for 2 of 3" in window.message_bar.text, timeout=TIMEOUT_MS)
        assert tones() == {"light.png": 1, "dark.png": 6, "grey.png": None}
        shown = page.shown_fov
        assert shown is not None
        assert page.field_panel.tone.currentData() == (tones()[shown.name] or 0)

        page.field_panel.tone.setCurrentIndex(4)
        page.field_panel.tone.activated.emit(4)
        assert tones()[shown.name] == 4
        registry.action("annotate.undo").trigger()
        registry.action("annotate.undo").trigger()
        assert set(tones().values()) == {None}


def test_that_a_table_is_brought_and_undone_in_the_window(qtbot: QtBot, tmp_path: Path, photographs: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text("image,tone,condition\nlight.png,II,NEV\nnobody.png,1,MEL\n")
    with open_window(qtbot, tmp_path / "private", photographs) as window:
        project = window.workspace.require_project()
        window.tones.read_table(table)
        qtbot.waitUntil(lambda: "1 fields: 1 tones, 1 conditions" in window.message_bar.text, timeout=TIMEOUT_MS)
        assert {fov.name: fov.tone for fov in project.fovs.list()}["light.png"] == 2
        assert annotate_page(window).field_panel.tone.count() == 7
        window.registry.action("annotate.undo").trigger()
        assert {fov.tone for fov in project.fovs.list()} == {None}
        assert annotate_page(window).field_panel.tone.count() == 1
