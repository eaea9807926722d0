"""What judged suggestions leave behind in the Annotate workspace: artifacts on request, and where a mark came from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from synthstudio.domain.errors import UserError
from synthstudio.domain.guard import Guard
from synthstudio.domain.records import AnnotationSource, Role
from synthstudio.gui.main_window import MainWindow
from synthstudio.gui.pages.annotate.hard_negatives import choose_class
from synthstudio.project import Project
from synthstudio.project.guard import write_guard
from synthstudio.project.suggestion_verdicts import accept, reject
from tests.support.suggestions import suggest
from tests.support.windows import TIMEOUT_MS, annotate_page, make_project, open_window


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project with two rejected suggestions on two fields, an open one, and a class of artifacts."""
    folder = make_project(tmp_path / "study")
    project = Project.open(folder)
    write_guard(project, Guard(0.0))
    if not any(each.role is Role.ARTIFACT for each in project.classes.list()):
        project.classes.add("fibre", role=Role.ARTIFACT)
    for fov in project.fovs.list()[:2]:
        project.annotations.remove(project.annotations.list(fov.id))
        suggest(project, fov.id, [(20.0, 20.0, 0.9), (60.0, 20.0, 0.8)])
        reject(project, [project.suggestions.list(fov.id)[0].id], author="ada")
    project.close()
    return folder


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path, folder: Path) -> Iterator[MainWindow]:
    with open_window(qtbot, tmp_path / "private", folder) as opened:
        page = annotate_page(opened)
        qtbot.waitUntil(lambda: page.suggesting.facts.run_id is not None, timeout=TIMEOUT_MS)
        yield opened


def test_that_rejected_suggestions_of_all_fields_become_artifacts_and_undo_takes_them_back(
    qtbot: QtBot, window: MainWindow
) -> None:
    page = annotate_page(window)
    project = page.workspace.require_project()
    before = project.annotations.totals()
    action = window.findChild(QAction, "suggestions.artifacts")
    assert action.isEnabled()
    action.trigger()
    qtbot.waitUntil(lambda: page.workspace.undo_stack.count() == 1, timeout=TIMEOUT_MS)
    artifact = choose_class(project, None)
    marks = [mark for fov in project.fovs.list()[:2] for mark in project.annotations.list(fov.id)]
    assert [(mark.class_id, mark.x, mark.source) for mark in marks] == [
        (artifact.id, 20.0, AnnotationSource.SUGGESTED)
    ] * 2
    qtbot.waitUntil(lambda: len(page.editor.annotations) == 1, timeout=TIMEOUT_MS)  # the shown field follows
    page.workspace.undo_stack.undo()
    assert project.annotations.totals() == before
    page.workspace.undo_stack.redo()
    assert sum(project.annotations.totals().values()) == sum(before.values()) + 2


def test_that_the_class_of_artifacts_must_be_clear(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "p")
    with pytest.raises(UserError, match="no class of artifacts"):
        choose_class(project, None)
    first = project.classes.add("fibre", role=Role.ARTIFACT)
    assert choose_class(project, None) == first
    other = project.classes.add("bubble", role=Role.ARTIFACT)
    with pytest.raises(UserError, match="several classes of artifacts"):
        choose_class(project, None)
    assert choose_class(project, other.id) == other
    project.close()


def test_that_an_accepted_suggestion_tells_where_it_comes_from(qtbot: QtBot, window: MainWindow) -> None:
    page = annotate_page(window)
    project = page.workspace.require_project()
    fov_id = project.fovs.list()[0].id
    stored, told = accept(project, [project.suggestions.list(fov_id)[1].id], author="ada")
    page.workspace.announce(told)
    qtbot.waitUntil(lambda: len(page.editor.annotations) == 1, timeout=TIMEOUT_MS)
    model = page.annotation_panel.model
    tip = str(model.data(model.index(0, 0), Qt.ItemDataRole.ToolTipRole))
    assert "Suggested by model · Detector · " in tip
    assert "score 0.80; accepted by ada" in tip
    page.view.set_selection([stored[0].id])
    page.view.context_menu_requested.emit(page.view.mapToGlobal(QPoint(5, 5)), 60.0, 20.0)
    menu = next(each for each in page.findChildren(QMenu) if each.isVisible())
    assert "score 0.80" in menu.actions()[0].text()
    menu.close()
