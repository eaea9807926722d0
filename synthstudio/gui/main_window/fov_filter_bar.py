"""What stands over the list of fields: the words, the choices and the order by which it is filtered and sorted."""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable, Sequence
from typing import TypeVar

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QMenu, QToolButton, QVBoxLayout, QWidget

from synthstudio.domain.records import AnnotationState, ObjectClass, Split
from synthstudio.gui.item_models.fov_listing import FovArrangement, FovFilter, FovOrder
from synthstudio.gui.widgets.icons import themed_icon

STATE_TEXTS = {
    AnnotationState.NONE: "Not annotated",
    AnnotationState.PARTIAL: "Partly annotated",
    AnnotationState.EXHAUSTIVE: "Annotated exhaustively",
    AnnotationState.REVIEWED: "Reviewed",
}
ORDER_TEXTS = {
    FovOrder.DATE: "Order of import",
    FovOrder.NAME: "Name",
    FovOrder.SAMPLE: "Sample",
    FovOrder.COUNT: "Number of annotations",
    FovOrder.STATE: "State",
}

Choice = TypeVar("Choice", bound=Hashable)


class FovFilterBar(QWidget):
    """A field for words, and two buttons with menus.

    Signals:
        filter_changed: (`FovFilter`)
        arrangement_changed: (`FovArrangement`)
    """

    filter_changed = Signal(object)
    arrangement_changed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.wanted, self.arrangement = FovFilter(), FovArrangement()
        self._classes: tuple[ObjectClass, ...] = ()
        self.text = QLineEdit()
        self.text.setPlaceholderText("Filter")
        self.text.setToolTip("Show fields whose name, sample, split, state or note has these words")
        self.text.setClearButtonEnabled(True)
        self.text.setAccessibleName("Filter fields")
        self.text.textChanged.connect(self._on_text_changed)
        self.filter_menu, self.sort_menu = QMenu(self), QMenu(self)
        self.filter_menu.aboutToShow.connect(self._fill_filter_menu)
        self.sort_menu.aboutToShow.connect(self._fill_sort_menu)
        self.filter_button = _menu_button("mdi6.filter-variant", "Filter by state, split, flag or class")
        self.filter_button.setMenu(self.filter_menu)
        self.sort_button = _menu_button("mdi6.sort", "Sort and group")
        self.sort_button.setMenu(self.sort_menu)
        self.shown = QLabel()
        self.shown.setProperty("muted", True)
        self.shown.setProperty("small", True)
        buttons = QHBoxLayout()
        buttons.setSpacing(2)
        buttons.addWidget(self.filter_button)
        buttons.addWidget(self.sort_button)
        buttons.addWidget(self.shown, 1, Qt.AlignmentFlag.AlignRight)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 0, 8, 0)
        layout.setSpacing(4)
        layout.addWidget(self.text)
        layout.addLayout(buttons)

    def set_classes(self, classes: Sequence[ObjectClass]) -> None:
        """Offer these classes; a chosen one that is gone is chosen no longer."""
        self._classes = tuple(classes)
        known = self.wanted.class_ids & {each.id for each in classes}
        self._adopt(dataclasses.replace(self.wanted, class_ids=known))

    def set_shown(self, n_shown: int, n_all: int) -> None:
        """Say how many fields are shown where it is not all."""
        is_all = n_shown == n_all
        self.shown.setText("" if is_all else f"{n_shown:,}/{n_all:,}")
        self.shown.setToolTip("" if is_all else f"{n_shown:,} of {n_all:,} fields are shown")

    def open_filter_menu(self) -> None:
        """Let the user choose what is shown."""
        self.filter_menu.popup(self.filter_button.mapToGlobal(self.filter_button.rect().bottomLeft()))

    def open_sort_menu(self) -> None:
        """Let the user choose the order."""
        self.sort_menu.popup(self.sort_button.mapToGlobal(self.sort_button.rect().bottomLeft()))

    def clear(self) -> None:
        """Show all fields again."""
        self.text.clear()
        self._adopt(FovFilter())

    def set_wanted(self, wanted: FovFilter) -> None:
        """Filter by this."""
        if wanted.text != self.text.text():
            self.text.blockSignals(True)
            self.text.setText(wanted.text)
            self.text.blockSignals(False)
        self._adopt(wanted)

    def set_arrangement(self, arrangement: FovArrangement) -> None:
        """Sort and group in this way."""
        if arrangement != self.arrangement:
            self.arrangement = arrangement
            self.arrangement_changed.emit(arrangement)

    def _adopt(self, wanted: FovFilter) -> None:
        if wanted == self.wanted:
            return
        self.wanted = wanted
        # The button is lit while its choices hide fields: else one would wonder where they are.
        self.filter_button.setCheckable(wanted.has_choices)
        self.filter_button.setChecked(wanted.has_choices)
        self.filter_changed.emit(wanted)

    def _on_text_changed(self, text: str) -> None:
        self._adopt(dataclasses.replace(self.wanted, text=text.strip()))

    # Menus: filled when they are opened, so that they show what holds then

    @Slot()
    def _fill_filter_menu(self) -> None:
        menu, wanted = self.filter_menu, self.wanted
        menu.clear()
        for state, text in STATE_TEXTS.items():
            states = _toggled(wanted.states, state)
            self._offer(menu, text, dataclasses.replace(wanted, states=states), is_on=state in wanted.states)
        menu.addSeparator()
        self._offer(
            menu, "Flagged", dataclasses.replace(wanted, is_flagged=not wanted.is_flagged), is_on=wanted.is_flagged
        )
        unannotated = dataclasses.replace(wanted, is_unannotated=not wanted.is_unannotated)
        self._offer(menu, "Without annotations", unannotated, is_on=wanted.is_unannotated)
        splits = menu.addMenu("Split")
        for split in (*Split, None):
            chosen = dataclasses.replace(wanted, splits=_toggled(wanted.splits, split))
            self._offer(splits, split.value if split else "no split", chosen, is_on=split in wanted.splits)
        classes = menu.addMenu("Has class")
        for each in self._classes:
            chosen = dataclasses.replace(wanted, class_ids=_toggled(wanted.class_ids, each.id))
            self._offer(classes, each.name.replace("&", "&&"), chosen, is_on=each.id in wanted.class_ids)
        menu.addSeparator()
        menu.addAction("Show all", self.clear).setEnabled(wanted != FovFilter())

    def _offer(self, menu: QMenu, text: str, chosen: FovFilter, *, is_on: bool) -> None:
        action = menu.addAction(text)
        action.setCheckable(True)
        action.setChecked(is_on)
        action.triggered.connect(lambda: self._adopt(chosen))

    @Slot()
    def _fill_sort_menu(self) -> None:
        menu, now = self.sort_menu, self.arrangement
        menu.clear()
        orders = QActionGroup(menu)
        for order, text in ORDER_TEXTS.items():
            action = self._offer_arrangement(text, dataclasses.replace(now, order=order), is_on=now.order is order)
            orders.addAction(action)
        menu.addSeparator()
        reverse = dataclasses.replace(now, is_reversed=not now.is_reversed)
        self._offer_arrangement("Last first", reverse, is_on=now.is_reversed)
        by_sample = dataclasses.replace(now, by_sample=not now.by_sample)
        self._offer_arrangement("Group by sample", by_sample, is_on=now.by_sample)

    def _offer_arrangement(self, text: str, chosen: FovArrangement, *, is_on: bool) -> QAction:
        action = self.sort_menu.addAction(text)
        action.setCheckable(True)
        action.setChecked(is_on)
        action.triggered.connect(lambda: self.set_arrangement(chosen))
        return action


def _menu_button(icon: str, text: str) -> QToolButton:
    button = QToolButton()
    button.setIcon(themed_icon(icon))
    button.setIconSize(QSize(16, 16))
    button.setToolTip(text)
    button.setAccessibleName(text)
    button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button


def _toggled(chosen: frozenset[Choice], each: Choice) -> frozenset[Choice]:
    return chosen ^ {each}
