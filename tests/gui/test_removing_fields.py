"""Removing fields from the list, and taking that back."""

from pathlib import Path

from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from synthstudio.domain.records import Annotation
from tests.gui.test_lost_files import drive, study
from tests.support.windows import TIMEOUT_MS, annotate_page, open_window, wait_for_field

__all__ = ["drive", "study"]  # fixtures


def test_that_removed_fields_come_back_by_undo_and_earlier_edits_can_be_undone_too(
    qtbot: QtBot, tmp_path: Path, study: Path
) -> None:
    with open_window(qtbot, tmp_path / "private", study) as window:
        workspace, page = window.workspace, annotate_page(window)
        project = workspace.require_project()
        first = workspace.fov_order[0]
        qtbot.mouseClick(page.view, Qt.MouseButton.LeftButton, pos=page.view.rect().center())
        qtbot.waitUntil(lambda: len(project.annotations.list(first)) == 2, timeout=TIMEOUT_MS)
        marks: list[Annotation] = project.annotations.list(first)
        window.fov_panel.list.selectAll()
        window.registry.action("field.remove").trigger()
        qtbot.waitUntil(lambda: workspace.fov_order == (), timeout=TIMEOUT_MS)
        assert "4 fields were removed from the project, with 5 annotations." in window.message_bar.text
        window.registry.action("annotate.undo").trigger()
        qtbot.waitUntil(lambda: len(workspace.fov_order) == 4, timeout=TIMEOUT_MS)
        wait_for_field(qtbot, window)
        assert project.annotations.list(first) == marks
        window.registry.action("annotate.undo").trigger()  # the click before
        assert project.annotations.list(first) == marks[:1]
        window.registry.action("annotate.redo").trigger()
        window.registry.action("annotate.redo").trigger()
        qtbot.waitUntil(lambda: workspace.fov_order == (), timeout=TIMEOUT_MS)
        assert project.fovs.list() == []
