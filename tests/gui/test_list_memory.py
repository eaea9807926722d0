"""Filter and order of the list of fields come back with their project, and with no other."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSettings
from pytestqt.qtbot import QtBot

from synthstudio.domain.records import AnnotationState, Split
from synthstudio.gui.item_models.fov_listing import FovArrangement, FovFilter, FovOrder
from tests.support.windows import TIMEOUT_MS, make_project, open_window


def test_that_filter_and_order_are_remembered_per_project(qtbot: QtBot, tmp_path: Path) -> None:
    first, second = make_project(tmp_path / "first"), make_project(tmp_path / "second")
    order = FovArrangement(FovOrder.COUNT, is_reversed=True, by_sample=True)
    with open_window(qtbot, tmp_path / "private", first) as window:
        bar = window.fov_panel.bar
        qtbot.waitUntil(lambda: window.fov_panel.model.n_all > 0, timeout=TIMEOUT_MS)
        class_id = window.workspace.require_project().classes.list()[0].id
        wanted = FovFilter(
            "image", frozenset({AnnotationState.EXHAUSTIVE}), frozenset({Split.TRAIN, None}), frozenset({class_id})
        )
        bar.set_wanted(wanted)
        bar.set_arrangement(order)
        window.open_project(second)
        assert (bar.wanted, bar.arrangement) == (FovFilter(), FovArrangement())
        window.open_project(first)
        assert (bar.wanted, bar.arrangement) == (wanted, order)
    with open_window(qtbot, tmp_path / "private", first) as window:
        bar = window.fov_panel.bar
        qtbot.waitUntil(lambda: window.fov_panel.model.n_all > 0, timeout=TIMEOUT_MS)
        assert (bar.wanted, bar.arrangement, bar.text.text()) == (wanted, order, "image")
        bar.clear()
    with open_window(qtbot, tmp_path / "private", first) as window:
        assert window.fov_panel.bar.wanted == FovFilter()


def test_that_what_another_version_has_kept_is_passed_over(qtbot: QtBot, tmp_path: Path) -> None:
    study = make_project(tmp_path / "study")
    with open_window(qtbot, tmp_path / "private", study) as window:
        window.fov_panel.bar.set_arrangement(FovArrangement(FovOrder.NAME))
    settings = QSettings(str(tmp_path / "private" / "qt.ini"), QSettings.Format.IniFormat)
    for key in settings.allKeys():
        if key.startswith("lists/"):
            settings.setValue(key, '{"order": "by mood"')
    settings.sync()
    with open_window(qtbot, tmp_path / "private", study) as window:
        assert window.fov_panel.bar.arrangement == FovArrangement()
