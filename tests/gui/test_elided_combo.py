"""Choices whose entries are longer than their boxes."""

from PySide6.QtCore import QEvent, QPoint
from PySide6.QtGui import QHelpEvent
from PySide6.QtWidgets import QApplication, QToolTip
from pytestqt.qtbot import QtBot

from synthstudio.gui.widgets.elided_combo import ElidedCombo

LONG = "11-21 18:40 · mix of both, small-yolo · finished · F1 0.848 on validation"


def test_that_a_long_entry_is_cut_in_its_middle_and_read_in_the_tip(qtbot: QtBot) -> None:
    combo = ElidedCombo(least_letters=6)
    qtbot.addWidget(combo)
    combo.addItems([LONG, "short"])
    combo.setToolTip("Which run")
    combo.resize(200, 30)
    combo.show()
    assert combo.minimumSizeHint().width() < 200
    shown = combo.text_shown
    assert shown.startswith("11-21")
    assert shown.endswith("validation"[-4:])
    assert "…" in shown
    QApplication.sendEvent(combo, QHelpEvent(QEvent.Type.ToolTip, QPoint(5, 5), combo.mapToGlobal(QPoint(5, 5))))
    assert QToolTip.text() == f"{LONG}\n\nWhich run"
    combo.setCurrentText("short")
    assert combo.text_shown == "short"
    QToolTip.hideText()


def test_that_nothing_is_cut_of_a_box_that_has_the_room_it_asks_for(qtbot: QtBot) -> None:
    combo = ElidedCombo()
    qtbot.addWidget(combo)
    combo.addItems(["project alone"])
    combo.resize(combo.sizeHint())
    assert combo.text_shown == "project alone"
    assert combo.minimumSizeHint().width() <= combo.sizeHint().width()
    combo.addItem(LONG)
    assert combo.minimumSizeHint().width() < combo.sizeHint().width(), "it gives way"


def test_that_the_list_is_as_wide_as_what_it_offers(qtbot: QtBot) -> None:
    combo = ElidedCombo(least_letters=6)
    qtbot.addWidget(combo)
    combo.addItems([LONG, "short"])
    combo.resize(120, 30)
    combo.show()
    combo.showPopup()
    wanted = min(combo.fontMetrics().horizontalAdvance(LONG), combo.screen().availableGeometry().width() // 2)
    assert combo.view().width() >= wanted
    combo.hidePopup()
