"""A choice in a line, whose text is cut in the middle where the room ends."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt, Slot
from PySide6.QtGui import QHelpEvent
from PySide6.QtWidgets import QComboBox, QStyle, QStyleOptionComboBox, QToolTip, QWidget
from typing_extensions import override

LETTERS_KEPT = 16
FRAME_PX = 48
"""Arrow and padding."""
ICON_GAP_PX = 4
"""What the style leaves beside an icon."""


class ElidedCombo(QComboBox):
    """Qt cuts a text that is too long without saying so. Here an ellipsis in its middle says it: names begin alike and
    dates stand at the end. The tip tells the whole of it, and the list is as wide as what it offers.

    Args:
        parent: Where it stands.
        least_letters: It asks for as much room as so many letters need, whatever its entries are; None: for as much
            as the widest of them needs, and gives way where there is less.
    """

    _widest_px = -1
    """Of the texts; below 0 while it is not known."""

    def __init__(self, parent: QWidget | None = None, *, least_letters: int | None = None) -> None:
        super().__init__(parent)
        if least_letters is not None:
            self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            self.setMinimumContentsLength(least_letters)
            return
        # Not Qt's policy AdjustToContents: it resizes the box past its layout, 20 ms after each change.
        model = self.model()
        for changed in (model.rowsInserted, model.rowsRemoved, model.modelReset, model.dataChanged):
            changed.connect(self._on_model_changed)

    @property
    def text_shown(self) -> str:
        """The text of the chosen entry as far as there is room for it."""
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        return option.currentText

    @property
    def _fits_entries(self) -> bool:
        return self.sizeAdjustPolicy() is QComboBox.SizeAdjustPolicy.AdjustToContentsOnFirstShow

    @Slot()
    def _on_model_changed(self) -> None:
        self._widest_px = -1
        self.updateGeometry()

    @override
    def changeEvent(self, event: QEvent, /) -> None:
        self._widest_px = -1  # another font, perhaps
        super().changeEvent(event)

    @override
    def sizeHint(self) -> QSize:
        hint = super().sizeHint()
        if not self._fits_entries:
            return hint
        if self._widest_px < 0:
            texts = [self.placeholderText(), *(self.itemText(place) for place in range(self.count()))]
            self._widest_px = max(self.fontMetrics().horizontalAdvance(text) for text in texts)
        option = QStyleOptionComboBox()
        super().initStyleOption(option)
        icon_px = 0 if option.currentIcon.isNull() else option.iconSize.width() + ICON_GAP_PX
        content = QSize(self._widest_px + icon_px, self.fontMetrics().height())
        whole = self.style().sizeFromContents(QStyle.ContentsType.CT_ComboBox, option, content, self)
        return QSize(whole.width(), hint.height())

    @override
    def minimumSizeHint(self) -> QSize:
        """Never more than a short text needs: a long entry must not push the window wider than the screen."""
        hint = super().minimumSizeHint() if not self._fits_entries else self.sizeHint()
        most_px = self.fontMetrics().averageCharWidth() * LETTERS_KEPT + FRAME_PX
        return QSize(min(hint.width(), most_px), hint.height())

    @override
    def initStyleOption(self, option: QStyleOptionComboBox, /) -> None:
        super().initStyleOption(option)
        field = self.style().subControlRect(
            QStyle.ComplexControl.CC_ComboBox, option, QStyle.SubControl.SC_ComboBoxEditField, self
        )
        icon_px = 0 if option.currentIcon.isNull() else option.iconSize.width() + ICON_GAP_PX
        room_px = max(0, field.width() - icon_px)
        option.currentText = self.fontMetrics().elidedText(option.currentText, Qt.TextElideMode.ElideMiddle, room_px)

    @override
    def event(self, event: QEvent, /) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            whole, help_words = self.currentText(), self.toolTip()
            if self.text_shown != whole and whole not in help_words:
                QToolTip.showText(event.globalPos(), f"{whole}\n\n{help_words}".strip(), self)
                return True
        return super().event(event)

    @override
    def showPopup(self) -> None:
        view = self.view()
        view.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        wanted_px = view.sizeHintForColumn(0) + 2 * view.verticalScrollBar().sizeHint().width()
        view.setMinimumWidth(min(wanted_px, self.screen().availableGeometry().width() // 2))
        super().showPopup()
