"""The row above the captions: which guide set, what it shows, and what can be added."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QSignalBlocker, Qt, Signal, Slot
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QLineEdit, QMenu, QPushButton, QWidget

from synthstudio.domain.guides import GuideSet
from synthstudio.gui.theme import GRID_PX, scaled_px
from synthstudio.gui.widgets.elided_combo import ElidedCombo

SET_WIDTH_PX, CLASS_WIDTH_PX, IDENTIFIER_WIDTH_PX = 150, 180, 80


class GuideBar(QWidget):
    """Knows nothing of the project.

    Signals:
        set_chosen: (name) Another guide set is to be shown.
        words_changed: (class name, identifier) Others are written for the set.
    """

    set_chosen = Signal(str)
    words_changed = Signal(str, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown: GuideSet | None = None
        self.sets = ElidedCombo(self)
        self.sets.setAccessibleName("Guide set")
        self.sets.setPlaceholderText("none yet")
        self.sets.setMinimumWidth(scaled_px(SET_WIDTH_PX))
        self.class_name = ElidedCombo(self)
        self.class_name.setEditable(True)
        self.class_name.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.class_name.setAccessibleName("Class name")
        self.class_name.setMinimumWidth(scaled_px(CLASS_WIDTH_PX))
        self.class_name.setToolTip("What the images show, as their captions say it; made images get it as their label")
        line = self.class_name.lineEdit()
        assert line is not None  # it is editable
        self._line = line
        self.identifier = QLineEdit(self)
        self.identifier.setAccessibleName("Identifier")
        self.identifier.setFixedWidth(scaled_px(IDENTIFIER_WIDTH_PX))
        self.identifier.setToolTip("A rare word before the class name that stands for what is learned, such as zxq")
        self.new = QPushButton("New set…", self)
        self.add = QPushButton("Add", self)
        self.add.setAccessibleName("Add guide images")
        self.add_menu = QMenu(self.add)
        self.add.setMenu(self.add_menu)
        self.crop = QPushButton("Crop…", self)
        self.crop.setToolTip("Crops the selected images, or all, to the marked regions on them; captions stay")
        self.export = QPushButton("Export…", self)
        self._lay_out()
        self.sets.activated.connect(lambda _: self.set_chosen.emit(self.sets.currentText()))
        self.identifier.editingFinished.connect(self._tell_words)
        self.class_name.activated.connect(self._tell_words)
        self._line.editingFinished.connect(self._tell_words)

    def _lay_out(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(2 * GRID_PX, 2 * GRID_PX, 2 * GRID_PX, 2 * GRID_PX)
        row.setSpacing(2 * GRID_PX)
        row.addWidget(self.sets)
        row.addWidget(self.new)
        for text, field in (("Class name", self.class_name), ("Identifier", self.identifier)):
            label = QLabel(text, self)
            label.setProperty("muted", True)
            label.setBuddy(field)
            label.setAlignment(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight)
            row.addSpacing(GRID_PX)
            row.addWidget(label)
            row.addWidget(field)
        row.addStretch(1)
        row.addWidget(self.add)
        row.addWidget(self.crop)
        row.addWidget(self.export)

    def fill_menu(self, entries: Sequence[tuple[str, Callable[[], None]]]) -> None:
        """Say what can be added."""
        self.add_menu.clear()
        for text, callback in entries:
            self.add_menu.addAction(text, callback)

    def show_sets(
        self, sets: Sequence[GuideSet], chosen: GuideSet | None, class_names: Sequence[str], *, is_writable: bool
    ) -> None:
        """Show the sets and the words of the chosen one; what is being typed stays."""
        blockers = [QSignalBlocker(each) for each in (self.sets, self.class_name, self.identifier)]
        self.sets.clear()
        self.sets.addItems([each.name for each in sets])
        is_other = chosen is None or self._shown is None or chosen.name != self._shown.name
        if chosen is not None:
            self.sets.setCurrentText(chosen.name)
            if is_other or not self.class_name.hasFocus():
                self.class_name.clear()
                self.class_name.addItems(list(class_names))
                self.class_name.setEditText(chosen.class_name)
                self._line.setCursorPosition(0)
            if is_other or not self.identifier.hasFocus():
                self.identifier.setText(chosen.identifier)
        self._shown = chosen
        for widget in (self.class_name, self.identifier, self.add):
            widget.setEnabled(chosen is not None and is_writable)
        self.export.setEnabled(chosen is not None and bool(chosen.images))
        self.crop.setEnabled(chosen is not None and bool(chosen.images) and is_writable)
        self.new.setEnabled(is_writable)
        del blockers

    @Slot()
    def _tell_words(self) -> None:
        words = " ".join(self.class_name.currentText().split()), " ".join(self.identifier.text().split())
        if self._shown is not None and words != (self._shown.class_name, self._shown.identifier):
            self.words_changed.emit(*words)
