"""Lines that end where the room ends."""

from pytestqt.qtbot import QtBot

from synthstudio.gui.widgets.elided_label import ElidedLabel


def test_that_a_cut_line_is_read_in_the_tool_tip_and_a_whole_one_has_none(qtbot: QtBot) -> None:
    label = ElidedLabel()
    qtbot.addWidget(label)
    label.setText("three images, written on a Saturday")
    label.resize(label.fontMetrics().horizontalAdvance(label.text()) + 10, 20)
    label.grab()
    assert label.toolTip() == ""
    whole = label.grab().toImage()
    label.resize(60, 20)
    cut = label.grab().toImage()
    assert label.toolTip() == label.text()
    assert cut != whole.copy(0, 0, 60, 20), "the ellipsis is seen"
    label.resize(400, 20)
    label.grab()
    assert label.toolTip() == ""


def test_that_a_tool_tip_of_its_own_stays(qtbot: QtBot) -> None:
    label = ElidedLabel()
    qtbot.addWidget(label)
    label.setText("a long title of a training")
    label.setToolTip("run 5")
    label.resize(40, 20)
    label.grab()
    assert label.toolTip() == "run 5"
