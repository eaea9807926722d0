"""The fields that are worth annotating next, as a short list with reasons."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QListView,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from synthstudio.domain.ids import FovId
from synthstudio.gui.pages.annotate.next_rows import REASON_ROLE, NextRowDelegate
from synthstudio.gui.theme import scaled_px
from synthstudio.gui.widgets.icons import themed_icon
from synthstudio.gui.widgets.wrapped_label import WrappedLabel

if TYPE_CHECKING:
    from synthstudio.project.next_fields import NextField

LOW_PX, HIGH_PX = 120, 240
_FOV_ID = Qt.ItemDataRole.UserRole
LOT_ICON, GUARD_ICON, RANK_ICON = "mdi6.dice-5-outline", "mdi6.eye-off-outline", "mdi6.target"


class NextPanel(QWidget):
    """Shows the list; knows nothing of the project.

    Signals:
        next_requested: Go to the field that follows in the list.
        field_chosen: (`FovId`) Show this field.
        refresh_requested: Make the list anew.
        scores_requested: Tell how good suggestions are.
    """

    next_requested = Signal()
    field_chosen = Signal(object)
    refresh_requested = Signal()
    scores_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.next_button = QPushButton("Show next")
        self.next_button.setToolTip("Show the field where a click is worth most")
        self.next_button.setMinimumWidth(1)  # the column is narrow, and its words give way
        self.next_button.clicked.connect(self.next_requested)
        self.refresh_button = _button("mdi6.refresh", "Rank the fields anew")
        self.refresh_button.clicked.connect(self.refresh_requested)
        self.scores_button = _button("mdi6.scale-balance", "How good are the suggestions…")
        self.scores_button.clicked.connect(self.scores_requested)
        self.list = QListWidget()
        self.list.setAccessibleName("Fields to annotate next")
        self.list.setItemDelegate(NextRowDelegate(self.list))
        self.list.setUniformItemSizes(True)
        self.list.setMouseTracking(True)
        self.list.setResizeMode(QListView.ResizeMode.Adjust)
        self.list.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setMinimumHeight(scaled_px(LOW_PX))
        self.list.setMaximumHeight(scaled_px(HIGH_PX))
        # Not on every step of an arrow key: a hand that reads the list should not open images.
        self.list.itemClicked.connect(self._on_item_chosen)
        self.list.itemActivated.connect(self._on_item_chosen)
        self.words = WrappedLabel("muted")
        buttons = QHBoxLayout()
        buttons.setSpacing(4)
        buttons.addWidget(self.next_button, 1)
        buttons.addWidget(self.refresh_button)
        buttons.addWidget(self.scores_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 0, 8, 4)
        layout.setSpacing(4)
        layout.addLayout(buttons)
        layout.addWidget(self.list)
        layout.addWidget(self.words)
        self.set_fields((), words="")

    def set_fields(self, fields: Sequence[NextField], *, words: str) -> None:
        """Show a list, and a sentence about it."""
        self.list.clear()
        for place, each in enumerate(fields, start=1):
            self.list.addItem(_item(place, each))
        self.list.setVisible(bool(fields))
        self.words.setText(words)
        self.words.setVisible(bool(words))

    def set_current(self, fov_id: FovId | None) -> None:
        """Select the row of the field that is shown, if it is in the list."""
        for row in range(self.list.count()):
            if self.list.item(row).data(_FOV_ID) == fov_id:
                self.list.setCurrentRow(row)
                return
        self.list.setCurrentRow(-1)

    def set_ranking(self, *, is_ranking: bool, can_rank: bool) -> None:
        """Say whether a list is being made, and whether one can be."""
        self.next_button.setEnabled(can_rank and not is_ranking)
        self.refresh_button.setEnabled(can_rank and not is_ranking)
        self.scores_button.setEnabled(can_rank)

    @Slot(QListWidgetItem)
    def _on_item_chosen(self, item: QListWidgetItem) -> None:
        self.field_chosen.emit(item.data(_FOV_ID))


def _item(place: int, field: NextField) -> QListWidgetItem:
    reasons = list(field.pick.reasons)
    if field.is_guarded:
        reasons.append("to be annotated without suggestions, so that their influence can be measured")
    item = QListWidgetItem(field.fov.stem)
    item.setData(REASON_ROLE, reasons[0])
    icon = GUARD_ICON if field.is_guarded else LOT_ICON if field.pick.is_random else RANK_ICON
    item.setIcon(themed_icon(icon))
    item.setData(_FOV_ID, field.fov.id)
    standings = [f"{name.value}: above {round(100 * value)} %" for name, value in field.pick.standings.items()]
    looks = [f"Window {number}: {region.reason}" for number, region in enumerate(field.regions, start=1)]
    head = f"{place}. {field.fov.sample_name} / {field.fov.name}, worth {field.pick.worth:.2f}"
    item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{place}. {field.fov.name}: {reasons[0]}")
    item.setToolTip("\n".join((head, *reasons, *standings, *looks)))
    return item


def _button(icon: str, text: str) -> QToolButton:
    button = QToolButton()
    button.setIcon(themed_icon(icon))
    button.setIconSize(QSize(16, 16))
    button.setToolTip(text)
    button.setAccessibleName(text)
    return button
