"""Sweeps in the window: a grid that the engine draws, saved as one picture and kept in a set."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from synthstudio.core.imaging import read_image
from synthstudio.core.synthesis.sweeps import centered_request
from synthstudio.domain.maps import MapRequest
from synthstudio.domain.records import Generator
from synthstudio.gui import errors
from synthstudio.gui.drawing import DrawingWish, Drawn
from synthstudio.gui.pages.generate.gan.sweep_panel import SweepPanel
from synthstudio.gui.pages.generate.gan.sweep_side import SweepSide
from synthstudio.gui.workspace import Workspace
from synthstudio.project.set_images import list_set_images
from tests.support.skin_study import build_skin_study
from tests.support.trained_gans import add_trained_gan
from tests.support.windows import TIMEOUT_MS

ENGINE_MS = 3 * TIMEOUT_MS
"""The engine is a program that has to start."""


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("study") / "project"
    project = build_skin_study(folder, n_train=6, n_val=1, n_test=1, size_px=(120, 96))
    add_trained_gan(project)
    project.close()
    return folder


@pytest.fixture
def workspace(qtbot: QtBot, study: Path, tmp_path: Path) -> Iterator[Workspace]:
    opened = Workspace(preferences_file=tmp_path / "preferences.toml")
    opened.open_project(study)
    yield opened
    opened.shut_down()


def show_panel(qtbot: QtBot, workspace: Workspace) -> SweepPanel:
    panel = SweepPanel(workspace)
    qtbot.addWidget(panel)
    panel.resize(1000, 640)
    panel.set_run(workspace.require_project().runs.list(kind="train-gan")[0])
    panel.show()
    return panel


def choose(side: SweepSide, *, rows: str, columns: str) -> None:
    side.rows.setCurrentIndex(side.rows.findData(rows))
    side.columns.setCurrentIndex(side.columns.findData(columns))


def test_that_a_sweep_is_drawn_saved_as_one_picture_kept_and_taken_back(qtbot: QtBot, workspace: Workspace) -> None:
    panel, project = show_panel(qtbot, workspace), workspace.require_project()
    choose(panel.side, rows="", columns="tone")
    qtbot.waitUntil(lambda: panel.sheet.is_complete and len(panel.drawn) == 6, timeout=ENGINE_MS)
    assert panel.sheet.columns == ("I", "II", "III", "IV", "V", "VI")
    picture = panel.sheet.to_image()
    assert picture.width() > 6 * 64
    assert picture.height() > 64
    panel.side.set_name.setText("tones")
    QTest.mouseClick(panel.side.keep, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: project.sets.find("tones") is not None, timeout=TIMEOUT_MS)
    recorded = project.sets.get("tones")
    assert (recorded.generator, recorded.n_images) == (Generator.GAN, 6)
    fovs, marks = list_set_images(project, "tones")
    assert [fov.tone for fov in fovs] == [1, 2, 3, 4, 5, 6]
    assert {len(each) for each in marks.values()} == {1}
    for place, fov in enumerate(fovs):
        assert (read_image(Path(fov.path)) == panel.drawn[place].image).all()
    qtbot.waitUntil(workspace.undo_stack.canUndo, timeout=TIMEOUT_MS)
    workspace.undo_stack.undo()
    assert project.sets.find("tones") is None


class Recorded:
    """Stands for the drawing engine: notes what is wished for, and answers when it is told to."""

    def __init__(self, workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
        self.wishes: list[DrawingWish] = []
        monkeypatch.setattr(workspace.drawing, "draw", self._draw)

    def _draw(self, wishes, *, done, failed, owner) -> None:  # type: ignore[no-untyped-def]
        self.wishes, self._done = list(wishes), done

    def answer(self) -> None:
        import numpy as np

        for number, wish in enumerate(self.wishes):
            self._done(Drawn(wish, np.full((wish.request.side,) * 2 + (3,), number, np.uint8), 0.0))


def test_that_rows_columns_base_and_seed_are_what_the_controls_say(
    qtbot: QtBot, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Recorded(workspace, monkeypatch)
    panel = show_panel(qtbot, workspace)
    side = panel.side
    qtbot.waitUntil(lambda: bool(engine.wishes), timeout=TIMEOUT_MS)
    assert panel.sheet.rows == tuple(side.base.itemText(place) for place in range(side.base.count()))
    assert not side.seed.isEnabled()
    assert not side.save.isEnabled()
    engine.answer()
    assert panel.sheet.is_complete
    assert side.save.isEnabled()
    choose(side, rows="tone", columns="size")
    side.sizes.setValue(4)
    qtbot.waitUntil(lambda: len(engine.wishes) == 24, timeout=TIMEOUT_MS)
    assert panel.sheet.rows == ("I", "II", "III", "IV", "V", "VI")
    assert panel.sheet.columns[0] == "15 %"
    assert panel.sheet.words_of(4) == "II · 15 %"
    assert not panel.sheet.is_complete
    choose(side, rows="size", columns="size")
    qtbot.waitUntil(lambda: "two different ones" in side.note.text(), timeout=TIMEOUT_MS)
    assert not side.keep.isEnabled()


def test_that_a_sweep_starts_from_the_map_of_the_editor(
    qtbot: QtBot, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Recorded(workspace, monkeypatch)
    panel = show_panel(qtbot, workspace)
    name = workspace.require_project().classes.list()[1].name
    drawn: list[MapRequest | None] = [None]
    panel.set_base_source(lambda: drawn[0])
    choose(panel.side, rows="", columns="tone")
    qtbot.waitUntil(lambda: len(engine.wishes) == 6, timeout=TIMEOUT_MS)
    panel.side.base.setCurrentIndex(panel.side.base.findData(""))
    qtbot.waitUntil(lambda: "editor has no map" in panel.side.note.text(), timeout=TIMEOUT_MS)
    drawn[0] = centered_request(64, 3, name, share=0.6)
    panel.hide()
    panel.show()
    qtbot.waitUntil(lambda: {each.request.regions for each in engine.wishes} == {drawn[0].regions}, timeout=TIMEOUT_MS)
    assert [each.request.tone for each in engine.wishes] == [1, 2, 3, 4, 5, 6]


def test_that_a_set_without_a_fit_name_keeps_nothing(
    qtbot: QtBot, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Recorded(workspace, monkeypatch)
    panel = show_panel(qtbot, workspace)
    qtbot.waitUntil(lambda: bool(engine.wishes), timeout=TIMEOUT_MS)
    engine.answer()
    assert panel.side.keep.isEnabled()
    panel.side.set_name.setText("a/b")
    assert not panel.side.keep.isEnabled()
    assert "letters, digits" in panel.side.note.text()


def test_that_without_a_gan_the_panel_says_what_to_do_next(qtbot: QtBot, workspace: Workspace) -> None:
    panel = SweepPanel(workspace)
    qtbot.addWidget(panel)
    panel.set_run(None)
    panel.show()
    assert panel.stack.currentWidget() is panel.notice
    assert not any(spec.enabled_when() for spec in panel.actions())


def test_that_images_of_a_gan_that_was_trained_further_are_drawn_anew_instead_of_kept(
    qtbot: QtBot, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Recorded(workspace, monkeypatch)
    panel = show_panel(qtbot, workspace)
    qtbot.waitUntil(lambda: bool(engine.wishes), timeout=TIMEOUT_MS)
    engine.answer()  # of no weights that the run has
    told: list[str] = []
    monkeypatch.setattr(errors, "post", lambda notice, **_: told.append(notice.message))
    engine.wishes = []
    QTest.mouseClick(panel.side.keep, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bool(engine.wishes), timeout=TIMEOUT_MS)
    assert told == ["The GAN was trained further since these images were made."]
    assert workspace.require_project().sets.find("sweep") is None
    assert not panel.sheet.is_complete
