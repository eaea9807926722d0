"""All that is known of the selected model, with its licence; below, which features have the model that they want."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFormLayout, QFrame, QLabel, QPlainTextEdit, QScrollArea, QVBoxLayout, QWidget

from synthstudio.domain.models import LocalModel
from synthstudio.gui.pages.generate.diffusion.model_facts import PATH, facts_of, needs_html
from synthstudio.gui.theme import GRID_PX, scaled_px
from synthstudio.gui.widgets.elided_label import ElidedLabel
from synthstudio.gui.widgets.section import Section

LICENCE_HEIGHT_PX = 140
ONE_LINE_LETTERS = 24
NO_LICENCE = "No licence was found beside the model. Find out what you may do with it before you publish anything."


class ModelDetails(QScrollArea):
    """The column at the right of the table."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.selected = Section("Selected model")
        self.form = QFormLayout(self.selected.body)
        self.form.setContentsMargins(2 * GRID_PX, 0, 2 * GRID_PX, GRID_PX)
        self.form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        self.form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.DontWrapRows)
        self.licence_section = Section("Licence")
        self.licence = QPlainTextEdit(self.licence_section.body)
        self.licence.setReadOnly(True)
        self.licence.setTabChangesFocus(True)
        self.licence.setAccessibleName("Licence of the selected model")
        self.licence.setFixedHeight(scaled_px(LICENCE_HEIGHT_PX))
        inside = QVBoxLayout(self.licence_section.body)
        inside.setContentsMargins(2 * GRID_PX, 0, 2 * GRID_PX, GRID_PX)
        inside.addWidget(self.licence)
        self.needs_section = Section("What wants which model")
        self.needs = QLabel(self.needs_section.body)
        self.needs.setWordWrap(True)
        self.needs.setTextFormat(Qt.TextFormat.RichText)
        self.needs.setAlignment(Qt.AlignmentFlag.AlignTop)
        below = QVBoxLayout(self.needs_section.body)
        below.setContentsMargins(2 * GRID_PX, 0, 2 * GRID_PX, GRID_PX)
        below.addWidget(self.needs)
        body = QWidget(self)
        layout = QVBoxLayout(body)
        layout.setContentsMargins(0, 0, 0, 0)
        for section in (self.selected, self.licence_section, self.needs_section):
            layout.addWidget(section)
        layout.addStretch(1)
        self.setWidget(body)
        self.show_model(None)
        self.show_needs(())

    def show_model(self, model: LocalModel | None) -> None:
        """Show the facts and the licence of a model; nothing of them where there is none."""
        while self.form.rowCount():
            self.form.removeRow(0)
        self.selected.setVisible(model is not None)
        self.licence_section.setVisible(model is not None)
        if model is None:
            return
        self.selected.detail.setText(model.name)
        for title, value in facts_of(model).items():
            label = _value(value)
            self.form.addRow(_muted(title), label)
            if title == PATH:
                label.setToolTip(str(model.path))
        self.licence.setPlainText(model.licence or NO_LICENCE)

    def show_needs(self, models: Sequence[LocalModel] | None) -> None:
        """Say which features have a model; nothing where the models are not known."""
        self.needs_section.setVisible(models is not None)
        self.needs.setText(needs_html(models or ()))


def _muted(text: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("muted", True)
    label.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
    return label


def _value(text: str) -> QLabel:
    """One line of a path or a hash, which have no spaces to break at: the rest is in the tool tip."""
    label = QLabel(text) if " " in text or len(text) <= ONE_LINE_LETTERS else ElidedLabel()
    label.setText(text)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(not isinstance(label, ElidedLabel))
    return label
