"""Adding and changing an object class."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor, QIcon, QPixmap
from PySide6.QtWidgets import (
    QColorDialog,
    QComboBox,
    QDialog,
    QDoubleSpinBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QWidget,
)

from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import ClassId
from synthstudio.domain.palette import ARTIFACT_COLOR, class_color
from synthstudio.domain.records import ObjectClass, Role
from synthstudio.gui.widgets.dialog_layout import add_row, fill_dialog, hint_label
from synthstudio.gui.widgets.inset import inset_number

NO_KEY = "none"
MAX_SIZE = 10_000.0
MAX_GOAL = 10_000_000


def new_class(existing: Sequence[ObjectClass]) -> ObjectClass:
    """Return a draft of a further class with the next free colour and key."""
    used = {each.key for each in existing}
    key = next((digit for digit in "123456789" if digit not in used), "")
    n_objects = sum(each.role is Role.OBJECT for each in existing)
    return ObjectClass(ClassId(0), "", class_color(n_objects), key, Role.OBJECT, None, None)


class ClassDialog(QDialog):
    """Edits a draft of a class; `save` commits it and raises UserError where that is impossible.

    Args:
        draft: The class as it is; an id of 0 is a new one.
        others: All other classes, whose keys are taken.
        save: Called with the edited class when the user accepts; the dialog stays open where it raises.
    """

    def __init__(
        self,
        draft: ObjectClass,
        others: Sequence[ObjectClass],
        *,
        save: Callable[[ObjectClass], None],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Edit class" if draft.id else "New class")
        self._draft, self._save = draft, save
        self._color = draft.color
        self.name = QLineEdit(draft.name)
        self.name.setPlaceholderText("for example RBC")
        self.role = QComboBox()
        self.role.addItem("Object: learned and labelled", Role.OBJECT.value)
        self.role.addItem("Artifact: pasted, never labelled", Role.ARTIFACT.value)
        self.role.setCurrentIndex(self.role.findData(draft.role.value))
        self.role.currentIndexChanged.connect(self._on_role_changed)
        self.mean_size, self.unit = QDoubleSpinBox(), QComboBox()
        inset_number(self.mean_size)
        self.goal = QSpinBox()
        inset_number(self.goal)
        self.goal.setRange(0, MAX_GOAL)
        self.goal.setSpecialValueText("none")
        self.goal.setSuffix(" annotations")
        self.goal.setToolTip("Wanted in the whole project; the panel of classes shows how far it is")
        self.goal.setValue(draft.goal or 0)
        self.color_button = QPushButton()
        self.color_button.clicked.connect(self._choose_color)
        self.key = QComboBox()
        self._fill_key(others)
        self._fill_size()
        self.problem = QLabel()
        self.problem.setProperty("danger", True)
        self.problem.setWordWrap(True)
        self.problem.hide()
        self._lay_out()
        self._show_color()

    def _fill_key(self, others: Sequence[ObjectClass]) -> None:
        taken = {each.key: each.name for each in others if each.key}
        self.key.addItem(NO_KEY, "")
        for digit in "123456789":
            if digit not in taken:
                self.key.addItem(digit, digit)
        self.key.setCurrentIndex(max(self.key.findData(self._draft.key), 0))

    def _fill_size(self) -> None:
        self.mean_size.setRange(0.0, MAX_SIZE)
        self.mean_size.setDecimals(2)
        self.mean_size.setSpecialValueText("not known")
        self.unit.addItem("µm", "um")
        self.unit.addItem("px", "px")
        in_um = self._draft.size_um is not None or self._draft.size_px is None
        self.unit.setCurrentIndex(0 if in_um else 1)
        self.mean_size.setValue((self._draft.size_um if in_um else self._draft.size_px) or 0.0)

    def _lay_out(self) -> None:
        size_row = QHBoxLayout()
        size_row.addWidget(self.mean_size, 1)
        size_row.addWidget(self.unit)
        form = QFormLayout()
        form.setSpacing(8)
        add_row(form, "Name", self.name)
        add_row(form, "Role", self.role)
        add_row(form, "Mean size", size_row)
        add_row(form, "Colour", self.color_button)
        add_row(form, "Number key", self.key)
        add_row(form, "Goal", self.goal)
        hint = hint_label("The size sets the window that is cut out around a click. µm needs calibrated fields.")
        fill_dialog(self, form, hint, self.problem, save=self.accept_draft, width=380)

    def _on_role_changed(self) -> None:
        if self._draft.id == 0 and self.role.currentData() == Role.ARTIFACT.value:
            self._color = ARTIFACT_COLOR
            self._show_color()

    def _show_color(self) -> None:
        self.color_button.setIcon(color_chip(self._color))
        self.color_button.setText(self._color.upper())

    def _choose_color(self) -> None:
        dialog = QColorDialog(QColor(self._color), self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.colorSelected.connect(self._on_color_selected)
        dialog.open()

    def _on_color_selected(self, color: QColor) -> None:
        self._color = color.name().upper()
        self._show_color()

    def draft(self) -> ObjectClass:
        """The class as the dialog shows it."""
        size = self.mean_size.value() or None
        in_um = self.unit.currentData() == "um"
        return dataclasses.replace(
            self._draft,
            name=self.name.text().strip(),
            role=Role(self.role.currentData()),
            color=self._color,
            key=self.key.currentData(),
            size_um=size if in_um else None,
            size_px=None if in_um else size,
            goal=self.goal.value() or None,
        )

    def accept_draft(self) -> None:
        """Save and close, or say why that is impossible."""
        try:
            if not self.name.text().strip():
                raise UserError("A class needs a name.", "Type one, for example RBC.")
            self._save(self.draft())
        except UserError as error:
            self.problem.setText(str(error))
            self.problem.show()
            return
        self.accept()


def color_chip(color: str, side_px: int = 14) -> QIcon:
    """A square of a colour, as an icon."""
    pixmap = QPixmap(QSize(side_px, side_px))
    pixmap.fill(QColor(color))
    icon = QIcon(pixmap)
    icon.addPixmap(pixmap, QIcon.Mode.Selected)  # else the selection would tint the very colour that is meant
    return icon
