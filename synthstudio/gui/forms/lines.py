"""A list whose entries are too long to stand in one line, with a menu of those that may be wanted."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QAction, QTextCursor
from PySide6.QtWidgets import QFrame, QMenu, QPlainTextEdit, QToolButton, QVBoxLayout, QWidget
from typing_extensions import override

from synthstudio.gui.forms.setting_control import SettingControl
from synthstudio.gui.theme import GRID_PX
from synthstudio.settings.schema import SettingSpec, SettingValue

MIN_LINES, MAX_LINES = 3, 10
FRAME_PX = 4 * GRID_PX
"""Border and padding of the style sheet, above and below together."""


class LinesControl(SettingControl):
    """One entry a line.

    Args:
        offers: Entries and the words for them; choosing one from the menu appends it.
    """

    is_wide = True

    def __init__(
        self, spec: SettingSpec, offers: Sequence[tuple[str, str]] = (), parent: QWidget | None = None
    ) -> None:
        super().__init__(spec, parent)
        holder = QWidget(self)
        self.text = QPlainTextEdit(holder)
        self.text.setAccessibleName(spec.title)
        self.text.setTabChangesFocus(True)
        self.text.setFrameShape(QFrame.Shape.StyledPanel)
        self.add = QToolButton(holder)
        self.add.setText("Add…")
        self.add.setAccessibleName(f"Add to {spec.title}")
        self.add.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.menu = QMenu(self.add)
        self.add.setMenu(self.menu)
        layout = QVBoxLayout(holder)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID_PX)
        layout.addWidget(self.text)
        layout.addWidget(self.add, 0, Qt.AlignmentFlag.AlignLeft)
        self._fill_with(holder)
        holder.setFocusProxy(self.text)
        self.set_choices(offers)
        self.menu.triggered.connect(self._on_menu_triggered)
        self.text.textChanged.connect(self._tell)
        self.text.document().documentLayout().documentSizeChanged.connect(self._fit)
        self._fit()

    def set_choices(self, offers: Sequence[tuple[str, str]]) -> None:
        """Offer these entries; what is written stays."""
        self.menu.clear()
        for entry, words in offers:
            self.menu.addAction(words).setData(entry)
        self.add.setVisible(bool(offers))

    @Slot(QAction)
    def _on_menu_triggered(self, action: QAction) -> None:
        self.text.setPlainText("\n".join([*self._lines(), str(action.data())]))
        self.text.moveCursor(QTextCursor.MoveOperation.End)
        self.text.setFocus()

    def _lines(self) -> tuple[str, ...]:
        return tuple(line for line in (each.strip() for each in self.text.toPlainText().splitlines()) if line)

    @Slot()
    def _fit(self) -> None:
        """As high as what is written, within bounds: the form itself scrolls."""
        metrics, document = self.text.fontMetrics(), self.text.document()
        n_lines = min(max(MIN_LINES, round(document.size().height())), MAX_LINES)  # of plain text the size is in lines
        inner_px = round(n_lines * metrics.lineSpacing() + 2 * document.documentMargin())
        self.text.setFixedHeight(inner_px + FRAME_PX)

    @override
    def value(self) -> SettingValue:
        return self._lines()

    @override
    def show_value(self, value: SettingValue) -> None:
        lines = value if isinstance(value, tuple) else ()
        if self._lines() != tuple(str(line) for line in lines):
            self.text.setPlainText("\n".join(str(line) for line in lines))
