"""The right and wrong boxes of a detector: the matrix, the gallery, and the way to the viewer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from synthstudio.core.evaluation.detection import Detections
from synthstudio.core.evaluation.stored_detections import collect_detections, write_detections
from synthstudio.domain.records import Box, FieldOfView
from synthstudio.gui.pages.train.box_errors import BoxErrors
from synthstudio.gui.workspace import Workspace
from tests.support.engine_project import build_engine_project
from tests.support.windows import TIMEOUT_MS

DISC, SQUARE = 0, 1


@pytest.fixture
def workspace(qtbot: QtBot, tmp_path: Path) -> Iterator[Workspace]:
    made = Workspace(preferences_file=tmp_path / "preferences.toml")
    project = build_engine_project(tmp_path, n_train=1, n_val=0, n_test=1)
    project.close()
    made.open_project(project.folder)
    yield made
    made.shut_down()


def store_boxes(path: Path, fov: FieldOfView) -> None:
    """One disc that is found, one that is taken for a square, one that is missed, and one box on nothing."""
    true = np.array([(10, 10, 28, 28), (40, 10, 58, 28), (70, 70, 88, 88)], np.float64)
    found = np.array([(10, 10, 28, 28), (40, 10, 58, 28), (10, 60, 28, 78)], np.float64)
    stored = collect_detections(
        class_names=("disc", "square"),
        fov_ids=[fov.id],
        sample_ids=[fov.sample_id],
        found=[Detections(found, np.array([DISC, SQUARE, DISC]), np.array([0.9, 0.8, 0.7]))],
        true=[(true, np.array([DISC, DISC, DISC]))],
        scales=[1.0],
        thresholds=[0.5, 0.5],
    )
    write_detections(path, stored)


@pytest.fixture
def view(qtbot: QtBot, workspace: Workspace, tmp_path: Path) -> BoxErrors:
    fov = workspace.require_project().fovs.list()[0]
    store_boxes(tmp_path / "detections.npz", fov)
    made = BoxErrors(workspace)
    qtbot.addWidget(made)
    made.resize(900, 600)
    made.show()
    made.show_detections(tmp_path / "detections.npz")
    qtbot.waitUntil(lambda: bool(made.gallery.items), timeout=TIMEOUT_MS)
    return made


def test_that_every_object_and_every_box_is_in_one_cell(view: BoxErrors) -> None:
    shown = view.gallery.matrix.matrix
    assert shown.rows == ("disc", "square", "nothing there")
    assert shown.columns == ("disc", "square", "missed")
    assert shown.counts == ((1, 1, 1), (0, 0, 0), (1, 0, 0))


def test_that_missed_objects_are_seen_first_and_a_cell_shows_its_boxes(qtbot: QtBot, view: BoxErrors) -> None:
    (missed,) = view.gallery.items
    assert (missed.caption, missed.kind) == ("✗ missed", "disc")
    assert missed.outline == Box(70, 70, 88, 88)
    cell = view.gallery.matrix.cell_rect(DISC, SQUARE).center().toPoint()
    QTest.mouseClick(view.gallery.matrix, Qt.MouseButton.LeftButton, pos=cell)
    (taken,) = view.gallery.items
    assert taken.caption == "✗ square 0.80"
    assert "truth disc, answer square" in view.gallery.facts.text()
    qtbot.waitUntil(lambda: len(view.gallery.grid.loaded) == 1, timeout=TIMEOUT_MS)


def test_that_enter_leads_to_the_box_in_the_viewer(qtbot: QtBot, workspace: Workspace, view: BoxErrors) -> None:
    grid = view.gallery.grid
    grid.setFocus()
    QTest.keyClick(grid, Qt.Key.Key_Home)
    with qtbot.waitSignal(view.page_requested, timeout=TIMEOUT_MS):
        QTest.keyClick(grid, Qt.Key.Key_Return)
    fov = workspace.require_project().fovs.list()[0]
    assert workspace.wanted_region == (fov.id, Box(70, 70, 88, 88))


def test_that_without_stored_boxes_it_says_how_to_get_them(view: BoxErrors) -> None:
    view.show_detections(None)
    assert view.stack.currentWidget() is view.empty
    assert "Evaluate" in view.empty.text.text()
