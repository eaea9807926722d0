"""The caption grid: a picture with its caption below, which is edited in place."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from PySide6.QtCore import (
    QAbstractItemModel,
    QEvent,
    QItemSelection,
    QItemSelectionModel,
    QObject,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QFont, QFontMetrics, QImage, QKeyEvent, QPainter, QPen, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemDelegate,
    QAbstractItemView,
    QListView,
    QPlainTextEdit,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)
from typing_extensions import override

from synthstudio.domain.ids import GuideId
from synthstudio.gui.pages.generate.diffusion.guide_model import NAME_ROLE, TROUBLE_ROLE, GuideModel, Index
from synthstudio.gui.theme import GRID_PX, current_theme, scaled_px

PICTURE_PX, TILE_WIDTH_PX = 192, 264
CAPTION_LINES = 5
NO_CAPTION = "No caption yet: F2 writes one"
DOT_PX = 7
FILLED = "filled"
"""Property of an editor that has its caption."""
_ENDS: Mapping[int, QAbstractItemDelegate.EndEditHint] = {
    Qt.Key.Key_Return: QAbstractItemDelegate.EndEditHint.NoHint,
    Qt.Key.Key_Enter: QAbstractItemDelegate.EndEditHint.NoHint,
    Qt.Key.Key_Tab: QAbstractItemDelegate.EndEditHint.EditNextItem,
    Qt.Key.Key_Backtab: QAbstractItemDelegate.EndEditHint.EditPreviousItem,
}
"""Keys that end an edit, and what comes after it."""


class GuideGrid(QListView):
    """Arrow keys walk, Ctrl and Shift select several, F2, Return or a double click edits.

    Signals:
        selection_changed: Other images are selected.
    """

    selection_changed = Signal()

    def __init__(self, model: GuideModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._guides = model
        self.setModel(model)
        self.setItemDelegate(CaptionDelegate(self))
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setMovement(QListView.Movement.Static)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setUniformItemSizes(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.DoubleClicked | QAbstractItemView.EditTrigger.EditKeyPressed)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setFrameShape(QListView.Shape.NoFrame)
        self.setAccessibleName("Guide images with captions")
        self.selectionModel().selectionChanged.connect(self.selection_changed)

    @property
    def selected(self) -> list[GuideId]:
        """The selected images, in the order in which they are shown."""
        rows = sorted(index.row() for index in self.selectionModel().selectedIndexes())
        return [self._guides.crops[row].guide.id for row in rows]

    def select(self, guide_ids: Collection[GuideId]) -> None:
        """Select these images, the first of them in sight and under the keyboard."""
        places = [place for each in guide_ids if (place := self._guides.place_of(each)) is not None]
        selection = QItemSelection()
        for place in sorted(places):
            selection.select(self._guides.index(place), self._guides.index(place))
        flags = QItemSelectionModel.SelectionFlag
        if places:
            first = self._guides.index(min(places))
            self.selectionModel().setCurrentIndex(first, flags.NoUpdate)
            self.scrollTo(first)
        self.selectionModel().select(selection, flags.ClearAndSelect)

    def edit_current(self) -> None:
        """Edit the caption under the keyboard."""
        index = self.currentIndex()
        if index.isValid():
            self.setFocus()
            self.edit(index)

    @override
    def closeEditor(self, editor: QWidget, hint: QAbstractItemDelegate.EndEditHint) -> None:
        """Go on to the caption before or after, where that is meant; Qt would take the tile above or below."""
        hints = QAbstractItemDelegate.EndEditHint
        row = self.currentIndex().row() + {hints.EditNextItem: 1, hints.EditPreviousItem: -1}.get(hint, 0)
        super().closeEditor(editor, hints.NoHint)
        if row != self.currentIndex().row() and 0 <= row < self._guides.rowCount():
            self.setCurrentIndex(self._guides.index(row))
            self.edit_current()

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        """Share the width among as many columns as have room."""
        height = scaled_px(PICTURE_PX) + (CAPTION_LINES + 1) * self.fontMetrics().lineSpacing() + 6 * GRID_PX
        # Qt lays out as if the scroll bar were there, and were as wide as the style says.
        bar = self.style().pixelMetric(QStyle.PixelMetric.PM_ScrollBarExtent, None, self.verticalScrollBar())
        width = self.maximumViewportSize().width() - max(bar, self.verticalScrollBar().sizeHint().width()) - 2
        columns = max(1, width // scaled_px(TILE_WIDTH_PX))
        self.setGridSize(QSize(width // columns, height))
        super().resizeEvent(event)

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        is_return = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if is_return and not event.modifiers() and self.state() != QAbstractItemView.State.EditingState:
            self.edit_current()
        else:
            super().keyPressEvent(event)


class CaptionDelegate(QStyledItemDelegate):
    """Paints a tile, and edits its caption where it stands: Return takes it, Escape leaves it, Tab goes to the next."""

    @override
    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        view = self.parent()
        assert isinstance(view, GuideGrid)  # which made it
        return view.gridSize() - QSize(GRID_PX, GRID_PX)

    @override
    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        theme, area = current_theme(), QRect(option.rect)
        state = option.state
        painter.save()
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        is_selected = bool(state & QStyle.StateFlag.State_Selected)
        painter.setPen(QPen(QColor(theme.accent if is_selected else theme.border), 1))
        painter.setBrush(QColor(theme.accent_soft if is_selected else theme.panel))
        painter.drawRoundedRect(QRectF(area).adjusted(0.5, 0.5, -0.5, -0.5), GRID_PX, GRID_PX)
        self._paint_picture(painter, _picture_rect(area), index)
        self._paint_words(painter, area, index)
        if state & QStyle.StateFlag.State_HasFocus:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(theme.text), 1, Qt.PenStyle.DotLine))
            painter.drawRoundedRect(QRectF(area).adjusted(2.5, 2.5, -2.5, -2.5), GRID_PX, GRID_PX)
        painter.restore()

    def _paint_picture(self, painter: QPainter, rect: QRect, index: Index) -> None:
        picture = index.data(Qt.ItemDataRole.DecorationRole)
        if isinstance(picture, QImage):
            painter.drawImage(rect, picture)
        else:
            painter.fillRect(rect, QColor(current_theme().surround))

    def _paint_words(self, painter: QPainter, area: QRect, index: Index) -> None:
        theme, metrics = current_theme(), painter.fontMetrics()
        name_rect, caption_rect = _name_rect(area, metrics), caption_rect_of(area, metrics)
        if index.data(TROUBLE_ROLE):
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(theme.warning))
            dot = QRectF(name_rect.right() - DOT_PX, name_rect.center().y() - DOT_PX / 2, DOT_PX, DOT_PX)
            painter.drawEllipse(dot)
        painter.setPen(QColor(theme.text_muted))
        room = name_rect.width() - DOT_PX - GRID_PX
        name = metrics.elidedText(str(index.data(NAME_ROLE)), Qt.TextElideMode.ElideMiddle, room)
        painter.drawText(name_rect, int(Qt.AlignmentFlag.AlignVCenter), name)
        caption = str(index.data(Qt.ItemDataRole.DisplayRole))
        if not caption:
            font = QFont(painter.font())
            font.setItalic(True)
            painter.setFont(font)
        else:
            painter.setPen(QColor(theme.text))
        flags = Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap
        painter.drawText(caption_rect, int(flags), _fitting(caption or NO_CAPTION, caption_rect, metrics))

    @override
    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:
        editor = QPlainTextEdit(parent)
        editor.setAccessibleName("Caption")
        editor.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        editor.document().setDocumentMargin(2)
        editor.setStyleSheet("QPlainTextEdit { padding: 0px; }")
        return editor

    @override
    def setEditorData(self, editor: QWidget, index: Index) -> None:
        assert isinstance(editor, QPlainTextEdit)  # made above
        if not editor.property(FILLED):  # Qt fills it anew when anything is read again: what is being typed stays
            editor.setProperty(FILLED, True)
            editor.setPlainText(str(index.data(Qt.ItemDataRole.EditRole)))
            editor.selectAll()

    @override
    def setModelData(self, editor: QWidget, model: QAbstractItemModel, index: Index) -> None:
        assert isinstance(editor, QPlainTextEdit)
        model.setData(index, editor.toPlainText(), Qt.ItemDataRole.EditRole)

    @override
    def updateEditorGeometry(self, editor: QWidget, option: QStyleOptionViewItem, index: Index) -> None:
        area = QRect(option.rect)
        editor.setGeometry(caption_rect_of(area, editor.fontMetrics()).adjusted(-GRID_PX, 0, GRID_PX, 2))

    @override
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            hint = _ENDS.get(event.key())
            # Qt leaves these keys to editors of several lines; a caption is one.
            if hint is not None and isinstance(watched, QPlainTextEdit):
                self.commitData.emit(watched)
                self.closeEditor.emit(watched, hint)
                return True
        return super().eventFilter(watched, event)


def _picture_rect(area: QRect) -> QRect:
    side = scaled_px(PICTURE_PX)
    return QRect(area.center().x() - side // 2, area.top() + 2 * GRID_PX, side, side)


def _name_rect(area: QRect, metrics: QFontMetrics) -> QRect:
    top = _picture_rect(area).bottom() + GRID_PX
    return QRect(area.left() + 2 * GRID_PX, top, area.width() - 4 * GRID_PX, metrics.lineSpacing())


def caption_rect_of(area: QRect, metrics: QFontMetrics) -> QRect:
    """Where the caption of a tile stands."""
    name = _name_rect(area, metrics)
    return QRect(name.left(), name.bottom() + 2, name.width(), CAPTION_LINES * metrics.lineSpacing() + GRID_PX)


def _fitting(text: str, rect: QRect, metrics: QFontMetrics) -> str:
    """The text as far as it goes into the rectangle when it is wrapped, with an ellipsis where it does not."""
    flags = int(Qt.TextFlag.TextWordWrap)
    shown = text
    while metrics.boundingRect(QRect(0, 0, rect.width(), 100_000), flags, shown).height() > rect.height():
        text = text[: max(1, len(text) - 8)]
        shown = f"{text.rstrip()}…"
    return shown
