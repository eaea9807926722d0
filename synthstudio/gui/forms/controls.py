"""One control per type of setting. A control shows a value, tells when the user changes it, and knows no model."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QWidget,
)
from typing_extensions import override

from synthstudio.gui.forms.lines import LinesControl
from synthstudio.gui.forms.numbers import NumberControl
from synthstudio.gui.forms.setting_control import SettingControl
from synthstudio.gui.widgets.choices import fill_choice
from synthstudio.gui.widgets.elided_combo import ElidedCombo
from synthstudio.gui.widgets.wheel_guard import guard_wheel
from synthstudio.settings.schema import SettingKind, SettingSpec, SettingValue

Choice = tuple[str, str]
"""A value and the words for it."""

LIST_ROWS_SHOWN = 6
LEAST_LETTERS = 8
"""A combo box may be as narrow as so many letters: forms stand in side panels."""


class BoolControl(SettingControl):
    """A tick box."""

    def __init__(self, spec: SettingSpec, parent: QWidget | None = None) -> None:
        super().__init__(spec, parent)
        self.box = QCheckBox(self)
        self._fill_with(self.box)
        self.box.toggled.connect(self._tell)

    @override
    def value(self) -> SettingValue:
        return self.box.isChecked()

    @override
    def show_value(self, value: SettingValue) -> None:
        self.box.setChecked(bool(value))


class ChoiceControl(SettingControl):
    """A combo box of words; the value is what stands in the recipe."""

    def __init__(
        self, spec: SettingSpec, choices: Sequence[Choice] | None = None, parent: QWidget | None = None
    ) -> None:
        super().__init__(spec, parent)
        self.combo = ElidedCombo(self, least_letters=LEAST_LETTERS)
        self.combo.setPlaceholderText("none yet")
        guard_wheel(self.combo)
        self._fill_with(self.combo)
        self.set_choices(choices if choices is not None else [(each, in_words(each)) for each in spec.choices])
        self.combo.currentIndexChanged.connect(self._tell)

    def set_choices(self, choices: Sequence[Choice]) -> None:
        """Offer these; the present value stays where it is among them."""
        fill_choice(self.combo, [(words, value) for value, words in choices])

    @override
    def value(self) -> SettingValue:
        data = self.combo.currentData()
        if self.spec.kind == "int" and data is not None:
            return int(data)
        return str(data) if data is not None else ""

    @override
    def show_value(self, value: SettingValue) -> None:
        index = self.combo.findData(str(value))
        if index < 0:  # a recipe may name what is not offered here; it must not be changed silently
            self.combo.addItem(str(value), str(value))
            index = self.combo.count() - 1
        self.combo.setCurrentIndex(index)

    @override
    def offers(self, value: SettingValue) -> bool:
        return self.combo.findData(str(value)) >= 0


class TextControl(SettingControl):
    """A line of text."""

    def __init__(self, spec: SettingSpec, parent: QWidget | None = None) -> None:
        super().__init__(spec, parent)
        self.line = QLineEdit(self)
        self._fill_with(self.line)
        self.line.textChanged.connect(self._tell)

    @override
    def value(self) -> SettingValue:
        return self.line.text()

    @override
    def show_value(self, value: SettingValue) -> None:
        if self.line.text() != value:
            self.line.setText("" if value is None else str(value))


class SuggestionControl(SettingControl):
    """A line of text with a list of what it may hold, among other things."""

    def __init__(self, spec: SettingSpec, parent: QWidget | None = None) -> None:
        super().__init__(spec, parent)
        self.combo = QComboBox(self)
        self.combo.setEditable(True)
        self.combo.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.combo.setMinimumContentsLength(LEAST_LETTERS)
        self.combo.addItems(list(spec.choices))
        guard_wheel(self.combo)
        self._fill_with(self.combo)
        self.combo.setCurrentText(str(spec.default))
        self.combo.currentTextChanged.connect(self._tell)

    @override
    def value(self) -> SettingValue:
        return self.combo.currentText().strip()

    @override
    def show_value(self, value: SettingValue) -> None:
        if self.value() != value:
            self.combo.setCurrentText("" if value is None else str(value))


class WordsControl(SettingControl):
    """Several values in one line, with commas between them: for lists whose choices are not known."""

    def __init__(self, spec: SettingSpec, parent: QWidget | None = None) -> None:
        super().__init__(spec, parent)
        self.line = QLineEdit(self)
        self.line.setPlaceholderText("separated by commas")
        self._fill_with(self.line)
        self.line.textChanged.connect(self._tell)

    @override
    def value(self) -> SettingValue:
        return tuple(word for word in (part.strip() for part in self.line.text().split(",")) if word)

    @override
    def show_value(self, value: SettingValue) -> None:
        words = value if isinstance(value, tuple) else ()
        if self.value() != tuple(str(word) for word in words):
            self.line.setText(", ".join(str(word) for word in words))


class ChecksControl(SettingControl):
    """Names to be ticked. All ticked means "all there are", which is the empty list: new ones join by themselves."""

    def __init__(self, spec: SettingSpec, choices: Sequence[Choice], parent: QWidget | None = None) -> None:
        super().__init__(spec, parent)
        self.list = QListWidget(self)
        self._fill_with(self.list)
        self.set_choices(choices)
        self.list.itemChanged.connect(self._tell)

    def set_choices(self, choices: Sequence[Choice]) -> None:
        """Offer these names; those that were ticked stay ticked."""
        kept = self.value() if self.list.count() else ()
        self.list.blockSignals(True)
        self.list.clear()
        for value, words in choices:
            item = QListWidgetItem(words, self.list)
            item.setData(Qt.ItemDataRole.UserRole, value)
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
        self.list.blockSignals(False)
        self._tick(kept)
        rows = min(max(1, self.list.count()), LIST_ROWS_SHOWN)
        height = self.list.sizeHintForRow(0) if self.list.count() else self.fontMetrics().height()
        self.list.setFixedHeight(rows * max(height, 20) + 4)

    def _tick(self, value: SettingValue) -> None:
        wanted = {str(each) for each in value} if isinstance(value, tuple) else set()
        self.list.blockSignals(True)
        for row in range(self.list.count()):
            item = self.list.item(row)
            is_on = not wanted or item.data(Qt.ItemDataRole.UserRole) in wanted
            item.setCheckState(Qt.CheckState.Checked if is_on else Qt.CheckState.Unchecked)
        self.list.blockSignals(False)

    @override
    def value(self) -> SettingValue:
        items = [self.list.item(row) for row in range(self.list.count())]
        ticked = [item for item in items if item.checkState() == Qt.CheckState.Checked]
        if len(ticked) == len(items):
            return ()
        return tuple(str(item.data(Qt.ItemDataRole.UserRole)) for item in ticked)

    @override
    def problem(self) -> str:
        items = [self.list.item(row) for row in range(self.list.count())]
        if items and all(item.checkState() != Qt.CheckState.Checked for item in items):
            return "Tick at least one."
        return ""

    @override
    def show_value(self, value: SettingValue) -> None:
        if self.value() != value:
            self._tick(value)
            self._tell()


class OptionalControl(SettingControl):
    """A setting that may be left unset: a tick box before the control of its type."""

    def __init__(
        self, spec: SettingSpec, build: Callable[[QWidget], SettingControl], parent: QWidget | None = None
    ) -> None:
        super().__init__(spec, parent)
        holder = QWidget(self)
        self.box = QCheckBox(holder)
        self.box.setToolTip("Set this value; otherwise it is left to the program.")
        self.inner = inner = build(holder)
        layout = QHBoxLayout(holder)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.box)
        layout.addWidget(inner, 1)
        self._fill_with(holder)
        inner.setEnabled(False)
        self.box.toggled.connect(self._on_box_toggled)
        inner.value_changed.connect(self._tell)

    @Slot(bool)
    def _on_box_toggled(self, is_set: bool) -> None:
        self.inner.setEnabled(is_set)
        self._tell()

    @override
    def value(self) -> SettingValue:
        return self.inner.value() if self.box.isChecked() else None

    @override
    def show_value(self, value: SettingValue) -> None:
        if value is not None:
            self.inner.show_value(value)
        self.box.setChecked(value is not None)


def in_words(value: str) -> str:
    """A choice as it stands in recipe and help text, without the underscores."""
    return value.replace("_", " ")


_FACTORIES: dict[SettingKind, Callable[[SettingSpec, QWidget | None], SettingControl]] = {
    "bool": BoolControl,
    "int": NumberControl,
    "float": NumberControl,
    "text": TextControl,
    "choice": lambda spec, parent: ChoiceControl(spec, None, parent),
    "list": WordsControl,
    "lines": lambda spec, parent: LinesControl(spec, (), parent),
}


def build_control(
    spec: SettingSpec, choices: Sequence[Choice] | None = None, parent: QWidget | None = None
) -> SettingControl:
    """Build the control for a setting.

    Args:
        spec: The setting.
        choices: What a text or a list may hold, where the caller knows (class names, runs).
        parent: The row.
    """
    if spec.optional:
        return OptionalControl(spec, lambda holder: _build_plain(spec, choices, holder), parent)
    return _build_plain(spec, choices, parent)


def _build_plain(spec: SettingSpec, choices: Sequence[Choice] | None, parent: QWidget | None) -> SettingControl:
    if choices is not None and spec.kind == "lines":
        return LinesControl(spec, choices, parent)
    if choices is not None and spec.kind == "list":
        return ChecksControl(spec, choices, parent)
    if choices is not None:
        return ChoiceControl(spec, choices, parent)
    if spec.kind == "text" and spec.choices:
        return SuggestionControl(spec, parent)
    return _FACTORIES[spec.kind](spec, parent)
