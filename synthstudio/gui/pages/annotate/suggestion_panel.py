"""What a model suggests on the shown field: which model, from which score on, and how far judging has come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from synthstudio.domain.ids import ClassId, RunId
from synthstudio.domain.records import ObjectClass
from synthstudio.gui.pages.annotate.class_dialog import color_chip
from synthstudio.gui.widgets.elided_label import ElidedLabel
from synthstudio.gui.widgets.icons import themed_icon
from synthstudio.gui.widgets.run_choice import RunChoice
from synthstudio.gui.widgets.wheel_guard import guard_wheel
from synthstudio.gui.widgets.wrapped_label import WrappedLabel

STEPS = 100
CHIP, WIDE, NUMBER = range(3)


class SuggestionPanel(QWidget):
    """Knows nothing of the project.

    Signals:
        model_chosen: (`RunId`) Show what this model suggests.
        search_requested: Let it search the shown field.
        threshold_moved: (`ClassId`, float) Show suggestions of a class from this score on.
    """

    model_chosen = Signal(object)
    search_requested = Signal()
    threshold_moved = Signal(object, float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._class_ids: tuple[ClassId, ...] = ()
        self.model = RunChoice("Model that suggests", self, follows_newest=False)
        self.model.activated.connect(lambda: self.model_chosen.emit(RunId(self.model.currentData())))
        self.search = QPushButton("Search this field")
        self.search.setMinimumWidth(1)  # a narrow column cuts its words rather than itself
        self.search.clicked.connect(self.search_requested)
        self.more = QToolButton()
        self.more.setIcon(themed_icon("mdi6.dots-horizontal"))
        self.more.setToolTip("More fields, thresholds, rejected suggestions")
        self.more.setAccessibleName("More about suggestions")
        self.more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.more.setMenu(QMenu(self.more))
        self.progress = WrappedLabel("muted")
        self.words = WrappedLabel("muted")
        self.buttons = QHBoxLayout()
        self.buttons.setSpacing(4)
        self.rows = QGridLayout()
        self.rows.setHorizontalSpacing(4)
        self.rows.setVerticalSpacing(2)
        self.rows.setColumnStretch(WIDE, 1)
        self._sliders: list[QSlider] = []
        self._values: list[QLabel] = []
        self._counts: list[QLabel] = []
        self._lay_out()

    def _lay_out(self) -> None:
        searching = QHBoxLayout()
        searching.setSpacing(4)
        searching.addWidget(self.search, 1)
        searching.addWidget(self.more)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 0, 8, 4)
        layout.setSpacing(4)
        layout.addWidget(self.model)
        layout.addLayout(searching)
        layout.addWidget(self.progress)
        layout.addLayout(self.rows)
        layout.addLayout(self.buttons)
        layout.addWidget(self.words)
        self.progress.hide()

    def set_actions(self, judging: Sequence[QAction], more: Sequence[QAction]) -> None:
        """Offer these as buttons, and those in the menu."""
        for action in judging:
            button = QToolButton()
            button.setDefaultAction(action)
            button.setIconSize(QSize(16, 16))
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.setAccessibleName(action.text())
            self.buttons.addWidget(button)
        self.buttons.addStretch(1)
        self.more.menu().addActions(more)

    def show_models(self, models: Sequence[tuple[str, str]], chosen: str | None) -> None:
        """Offer these models (what is said of each, its run), one of them chosen; without any there is no choice."""
        self.model.show_runs(models)
        self.model.setCurrentIndex(max(0, self.model.findData(chosen)) if models else -1)
        self.model.setVisible(bool(models))
        self.search.setVisible(bool(models))
        self.more.setVisible(bool(models))

    def show_thresholds(self, classes: Sequence[ObjectClass], thresholds: Mapping[ClassId, float]) -> None:
        """Show a slider for each of these classes."""
        wanted = tuple(each.id for each in classes)
        if wanted != self._class_ids:
            self._class_ids = wanted
            self._build_rows(classes)
        for slider, value_label, each in zip(self._sliders, self._values, classes, strict=True):
            slider.blockSignals(True)
            slider.setValue(round(thresholds.get(each.id, 1.0) * STEPS))
            slider.blockSignals(False)
            value_label.setText(f"{thresholds.get(each.id, 1.0) * STEPS:.0f}")

    def _build_rows(self, classes: Sequence[ObjectClass]) -> None:
        while (item := self.rows.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()
        self._sliders, self._values, self._counts = [], [], []
        for row, each in enumerate(classes):
            self._build_row(row, each)

    def _build_row(self, row: int, each: ObjectClass) -> None:
        """Two lines: a slider needs the width of the column to be moved by one step."""
        chip, name = QLabel(), ElidedLabel()
        chip.setPixmap(color_chip(each.color).pixmap(10, 10))
        name.setText(each.name)
        slider = QSlider(Qt.Orientation.Horizontal)
        slider.setRange(0, STEPS)
        slider.setPageStep(5)
        guard_wheel(slider)
        slider.setAccessibleName(f"Least score of {each.name}")
        slider.setToolTip(f"{each.name}: least score of what is shown, 0 to 100. Nothing is searched anew")
        slider.valueChanged.connect(lambda value: self._on_slider_moved(row, value))
        value, count = QLabel(), QLabel()
        for label, tip in ((value, "Least score"), (count, f"Suggestions of {each.name} that are shown")):
            label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            label.setToolTip(tip)
            label.setMinimumWidth(label.fontMetrics().horizontalAdvance("100"))
        value.setProperty("muted", True)
        self.rows.addWidget(chip, 2 * row, CHIP)
        self.rows.addWidget(name, 2 * row, WIDE)
        self.rows.addWidget(count, 2 * row, NUMBER)
        self.rows.addWidget(slider, 2 * row + 1, CHIP, 1, 2)
        self.rows.addWidget(value, 2 * row + 1, NUMBER)
        self._sliders.append(slider)
        self._values.append(value)
        self._counts.append(count)

    def _on_slider_moved(self, row: int, value: int) -> None:
        self._values[row].setText(str(value))
        self.threshold_moved.emit(self._class_ids[row], value / STEPS)

    def slider_of(self, class_id: ClassId) -> QSlider:
        """The slider of a class. Raises ValueError where it has none."""
        return self._sliders[self._class_ids.index(class_id)]

    def show_counts(self, counts: Mapping[ClassId, int]) -> None:
        """Show how many of each class are drawn."""
        for label, class_id in zip(self._counts, self._class_ids, strict=True):
            label.setText(f"{counts.get(class_id, 0):,}")

    def say(self, words: str, more: str = "", *, can_search: bool, is_searched: bool) -> None:
        """Say how things stand, with more of it in the tip, and what the button does."""
        self.words.setText(words)
        self.words.setToolTip(more)
        self.words.setVisible(bool(words))
        self.search.setEnabled(can_search)
        self.search.setText("Search again" if is_searched else "Search this field")

    def set_progress(self, words: str) -> None:
        """Say how far a search has come; "" where none is under way."""
        self.progress.setText(words)
        self.progress.setVisible(bool(words))
