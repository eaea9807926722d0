"""How an FOV looks in the list: a card in a narrow list, a line in a wide one."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget
from typing_extensions import override

from synthstudio.domain.records import AnnotationState
from synthstudio.gui.item_models.fov_list import FovRow, HeadingRole, RowRole
from synthstudio.gui.theme import current_theme

WIDE_FROM_PX = 176
"""List width from which a line is shown instead of a card."""
LINE_THUMBNAIL_PX = 52
CARD_THUMBNAIL_PX = 72
_PADDING_PX = 6


class FovDelegate(QStyledItemDelegate):
    """Paints thumbnail, name, sample, number of annotations, split and state."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._list = parent

    @property
    def is_wide(self) -> bool:
        return self._list.width() >= WIDE_FROM_PX

    @override
    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        line = option.fontMetrics.height()
        above = line + 2 * _PADDING_PX if index.data(HeadingRole) else 0
        if self.is_wide:
            return QSize(120, max(LINE_THUMBNAIL_PX, 3 * line) + 2 * _PADDING_PX + above)
        return QSize(64, CARD_THUMBNAIL_PX + 2 * line + 2 * _PADDING_PX + 4 + above)

    @override
    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        row: FovRow = index.data(RowRole)
        theme = current_theme()
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        whole = QRect(option.rect)
        if row.heading:
            above = option.fontMetrics.height() + 2 * _PADDING_PX
            _paint_heading(painter, whole.adjusted(8, 0, -8, above - whole.height()), row.heading)
            whole.setTop(whole.top() + above)
        state = option.state
        if state & QStyle.StateFlag.State_Selected or state & QStyle.StateFlag.State_MouseOver:
            is_selected = bool(state & QStyle.StateFlag.State_Selected)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(theme.accent_soft if is_selected else theme.hover))
            painter.drawRoundedRect(whole.adjusted(4, 1, -4, -1), 4, 4)
        inner = whole.adjusted(8, _PADDING_PX, -8, -_PADDING_PX)
        if self.is_wide:
            self._paint_line(painter, option, inner, row)
        else:
            self._paint_card(painter, option, inner, row)
        painter.restore()

    def _paint_line(self, painter: QPainter, option: QStyleOptionViewItem, inner: QRect, row: FovRow) -> None:
        picture = QRect(inner.left(), inner.top(), LINE_THUMBNAIL_PX, LINE_THUMBNAIL_PX)
        picture.moveTop(inner.top() + (inner.height() - LINE_THUMBNAIL_PX) // 2)
        _paint_picture(painter, picture, row)
        text = inner.adjusted(LINE_THUMBNAIL_PX + 10, 0, 0, 0)
        line = option.fontMetrics.height()
        top = text.top() + (text.height() - 3 * line) // 2
        texts = (row.fov.name, row.fov.sample_name, f"{row.n_annotations:,} · {row.fov.split or 'no split'}")
        theme = current_theme()
        for number, each in enumerate(texts):
            painter.setPen(QColor(theme.text if number == 0 else theme.text_muted))
            area = QRect(text.left(), top + number * line, text.width(), line)
            is_last = number == len(texts) - 1
            room = area.adjusted(16, 0, 0, 0) if is_last else area
            _paint_text(painter, option, room, each)
            if is_last:
                _paint_state(painter, QPointF(area.left() + 5, area.center().y() + 0.5), row.fov.state)
        if row.fov.is_flagged:
            _paint_flag(painter, picture)

    def _paint_card(self, painter: QPainter, option: QStyleOptionViewItem, inner: QRect, row: FovRow) -> None:
        picture = QRect(inner.left(), inner.top(), inner.width(), CARD_THUMBNAIL_PX)
        _paint_picture(painter, picture, row)
        theme = current_theme()
        line = option.fontMetrics.height()
        name = QRect(inner.left(), picture.bottom() + 4, inner.width(), line)
        painter.setPen(QColor(theme.text))
        # In a narrow card the end of the name tells fields apart; the suffix does not.
        _paint_text(painter, option, name, row.fov.stem, elide_left=True)
        below = name.translated(0, line)
        painter.setPen(QColor(theme.text_muted))
        split = row.fov.split or "–"
        _paint_text(painter, option, below.adjusted(16, 0, 0, 0), f"{row.n_annotations:,} · {split}")
        _paint_state(painter, QPointF(below.left() + 5, below.center().y() + 0.5), row.fov.state)
        if row.fov.is_flagged:
            _paint_flag(painter, picture)


def _paint_text(
    painter: QPainter, option: QStyleOptionViewItem, area: QRect, text: str, *, elide_left: bool = False
) -> None:
    mode = Qt.TextElideMode.ElideLeft if elide_left else Qt.TextElideMode.ElideMiddle
    elided = option.fontMetrics.elidedText(text, mode, area.width())
    painter.drawText(area, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, elided)


def _paint_picture(painter: QPainter, area: QRect, row: FovRow) -> None:
    theme = current_theme()
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(theme.surround))
    painter.drawRoundedRect(area, 3, 3)
    if row.thumbnail is not None:
        size = row.thumbnail.size().scaled(area.size(), Qt.AspectRatioMode.KeepAspectRatio)
        target = QRect(0, 0, size.width(), size.height())
        target.moveCenter(area.center())
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawPixmap(target, row.thumbnail)
    elif row.is_broken:
        font = QFont(painter.font())
        font.setBold(True)
        painter.setFont(font)
        painter.setPen(QColor(theme.danger))
        painter.drawText(area, Qt.AlignmentFlag.AlignCenter, "!")
        font.setBold(False)
        painter.setFont(font)


def _paint_heading(painter: QPainter, area: QRect, text: str) -> None:
    theme = current_theme()
    painter.setPen(QPen(QColor(theme.border), 1))
    painter.drawLine(area.topLeft(), area.topRight())
    font = QFont(painter.font())
    font.setBold(True)
    painter.setFont(font)
    painter.setPen(QColor(theme.text_muted))
    # As with the names: the end tells samples apart.
    elided = QFontMetrics(font).elidedText(text, Qt.TextElideMode.ElideLeft, area.width())
    painter.drawText(area, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, elided)
    font.setBold(False)
    painter.setFont(font)


def _paint_flag(painter: QPainter, picture: QRect) -> None:
    """A pennant in the picture's upper right corner, with a rim that shows on any image."""
    theme = current_theme()
    x, y = picture.right() - 11.0, picture.top() + 3.0
    pennant = QPolygonF([QPointF(x, y), QPointF(x + 9, y + 4), QPointF(x, y + 8)])
    painter.setPen(QPen(QColor(theme.panel), 3))
    painter.drawLine(QPointF(x, y), QPointF(x, y + 13))
    painter.drawPolygon(pennant)
    painter.setPen(QPen(QColor(theme.warning), 1.4))
    painter.drawLine(QPointF(x, y), QPointF(x, y + 13))
    painter.setBrush(QColor(theme.warning))
    painter.drawPolygon(pennant)


def _paint_state(painter: QPainter, middle: QPointF, state: AnnotationState) -> None:
    """An empty, half or full disc: not, partly, exhaustively annotated; a ring round the full one: reviewed."""
    theme = current_theme()
    radius = 4.5
    color = QColor(theme.success if state.is_complete else theme.text_muted)
    painter.setPen(QPen(color, 1.2))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawEllipse(middle, radius, radius)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(color)
    if state is AnnotationState.REVIEWED:
        painter.drawEllipse(middle, radius - 2, radius - 2)
    elif state is AnnotationState.EXHAUSTIVE:
        painter.drawEllipse(middle, radius, radius)
    elif state is AnnotationState.PARTIAL:
        disc = QRectF(middle.x() - radius, middle.y() - radius, 2 * radius, 2 * radius)
        painter.drawPie(disc, 90 * 16, 180 * 16)
