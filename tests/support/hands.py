"""A user at the real window: everything goes through simulated keys and mouse, nothing through methods."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QDialog, QLineEdit
from pytestqt.qtbot import QtBot

from synthstudio.domain.ids import AnnotationId, ClassId
from synthstudio.domain.records import Annotation
from synthstudio.gui.main_window import MainWindow
from synthstudio.gui.main_window.export_dialog import ExportDialog
from synthstudio.gui.main_window.import_dialog import ImportDialog
from synthstudio.gui.pages.annotate import AnnotatePage
from synthstudio.project import Project
from tests.support.windows import annotate_page, wait_for_field

LEFT = Qt.MouseButton.LeftButton
NO_KEY, CTRL, ALT = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.AltModifier,
)
PATIENCE_MS = 30_000
DRAG_STEPS = 6

DialogT = TypeVar("DialogT", bound=QDialog)


class Hands:
    """Types and clicks in one window, and waits for what follows.

    Args:
        window: Shown, with a project or without one.

    Attributes:
        problems: What the last import dialog listed.
    """

    def __init__(self, qtbot: QtBot, window: MainWindow) -> None:
        self._qtbot, self.window = qtbot, window
        self.problems: list[str] = []

    @property
    def page(self) -> AnnotatePage:
        return annotate_page(self.window)

    def wait(self, what: Callable[[], bool]) -> None:
        """Wait until a callable says True."""
        self._qtbot.waitUntil(what, timeout=PATIENCE_MS)

    def _return_to_window(self) -> None:
        """What a window manager does when a dialog has closed; the offscreen platform has none."""
        self.wait(lambda: QApplication.activeModalWidget() is None)
        self.window.activateWindow()
        self.wait(self.window.isActiveWindow)

    # Keys

    def press(self, key: Qt.Key, modifier: Qt.KeyboardModifier = NO_KEY) -> None:
        """Press a key where the focus is."""
        QTest.keyClick(QApplication.focusWidget() or self.window, key, modifier)

    def type_over(self, line: QLineEdit, text: str) -> None:
        """Replace what stands in a line."""
        QTest.mouseClick(line, LEFT)
        QTest.keyClick(line, Qt.Key.Key_A, CTRL)
        QTest.keyClicks(line, text)

    def choose(self, box: QComboBox, text: str) -> None:
        """Choose an entry by typing its beginning into the focused box."""
        box.setFocus(Qt.FocusReason.TabFocusReason)
        QTest.keyClicks(box, text)
        assert box.currentText().startswith(text), f"{box.currentText()!r} instead of {text!r}"

    def click(self, button: QAbstractButton) -> None:
        """Press a button that can be pressed."""
        self.wait(button.isEnabled)
        QTest.mouseClick(button, LEFT)

    def dialog(self, kind: type[DialogT]) -> DialogT:
        """The dialog that has opened."""
        self.wait(lambda: self.window.findChild(kind) is not None)
        found = self.window.findChild(kind)
        assert isinstance(found, kind)
        return found

    # Data sets

    def import_folder(self, folder: Path, *, format_name: str) -> None:
        """Ctrl+I, the path typed, the format chosen, Import pressed."""
        self.press(Qt.Key.Key_I, CTRL)
        dialog = self.dialog(ImportDialog)
        self.type_over(dialog.folder, str(folder))
        self.choose(dialog.format, format_name)
        self.wait(lambda: dialog.plan is not None)
        assert dialog.plan is not None
        assert dialog.plan.fovs, dialog.summary.text()
        self.problems = [dialog.problems.item(row).text() for row in range(dialog.problems.count())]
        self.click(dialog.import_button)
        self.wait(lambda: self.window.findChild(ImportDialog) is None)
        self._return_to_window()
        wait_for_field(self._qtbot, self.window)

    def export_to(self, folder: Path, *, format_name: str) -> None:
        """Ctrl+E, the format chosen, the path typed, the names kept, Export pressed."""
        self.press(Qt.Key.Key_E, CTRL)
        dialog = self.dialog(ExportDialog)
        self.choose(dialog.format, format_name)
        self.type_over(dialog.out, str(folder))
        QTest.keyClick(dialog.keep_names, Qt.Key.Key_Space)
        assert dialog.keep_names.isChecked()
        self.click(dialog.export_button)
        self.wait(lambda: "Exported" in self.window.message_bar.text and self.window.workspace.background.is_idle)
        self._return_to_window()
        assert folder.is_dir(), self.window.message_bar.text

    # The viewer

    def go_to_next_field(self) -> None:
        """Press D and wait for the image."""
        self.press(Qt.Key.Key_D)
        wait_for_field(self._qtbot, self.window)

    def spot(self, x: float, y: float) -> QPoint:
        """The widget pixel over a place in the image."""
        return self.page.view.image_to_widget(x, y).toPoint()

    def click_at(self, x: float, y: float) -> None:
        """Click the viewer."""
        QTest.mouseClick(self.page.view, LEFT, pos=self.spot(x, y))

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Drag in the viewer, with the way in between."""
        view, first, last = self.page.view, self.spot(*start), self.spot(*end)
        QTest.mousePress(view, LEFT, pos=first)
        for step in range(1, DRAG_STEPS + 1):
            QTest.mouseMove(view, first + (last - first) * step / DRAG_STEPS)
        QTest.mouseRelease(view, LEFT, pos=last)

    def reachable_mark(self, *, spared: set[AnnotationId], class_id: ClassId | None = None) -> Annotation:
        """A mark that a click on its middle takes hold of."""
        view = self.page.view
        for mark in self.page.editor.annotations.values():
            fits = mark.id not in spared and (class_id is None or mark.class_id == class_id)
            if fits and view.annotation_at(mark.x, mark.y) == mark.id:
                return mark
        raise AssertionError("no mark of this field can be taken hold of")

    def free_place(self, margin_px: int) -> tuple[float, float]:
        """A place in the image far from every mark."""
        fov = self.page.shown_fov
        assert fov is not None
        marks = list(self.page.editor.annotations.values())
        places = [
            (float(x), float(y))
            for x in range(margin_px, fov.width - margin_px, 16)
            for y in range(margin_px, fov.height - margin_px, 16)
        ]
        return max(places, key=lambda at: min((abs(at[0] - m.x) + abs(at[1] - m.y) for m in marks), default=0.0))

    def committed(self) -> list[Annotation]:
        """What a second connection reads of the shown field."""
        fov = self.page.shown_fov
        assert fov is not None
        project = Project.open(self.window.workspace.require_project().folder, read_only=True)
        try:
            return project.annotations.list(fov.id)
        finally:
            project.close()
