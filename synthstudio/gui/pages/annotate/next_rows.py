"""How a field of the list looks: its name, and why it is there."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QIcon, QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem
from typing_extensions import override

from synthstudio.gui.theme import current_theme

REASON_ROLE = Qt.ItemDataRole.UserRole + 1
ICON_PX, _PADDING_PX, _GAP_PX = 14, 4, 6
REASON_LINES = 2


class NextRowDelegate(QStyledItemDelegate):
    """Paints the name, of which the end is kept, which tells fields apart, and below it two lines for the reason."""

    @override
    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(64, (1 + REASON_LINES) * option.fontMetrics.height() + 2 * _PADDING_PX)

    @override
    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        theme, state = current_theme(), option.state
        is_selected = bool(state & QStyle.StateFlag.State_Selected)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if is_selected or state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(theme.accent_soft if is_selected else theme.hover))
            painter.drawRoundedRect(option.rect.adjusted(0, 1, 0, -1), 4, 4)
        inner = option.rect.adjusted(_PADDING_PX, _PADDING_PX, -_PADDING_PX, -_PADDING_PX)
        line, metrics = option.fontMetrics.height(), option.fontMetrics
        icon = index.data(Qt.ItemDataRole.DecorationRole)
        if isinstance(icon, QIcon):
            icon.paint(painter, QRect(inner.left(), inner.top() + (line - ICON_PX) // 2, ICON_PX, ICON_PX))
        area = QRect(inner.left() + ICON_PX + _GAP_PX, inner.top(), inner.width() - ICON_PX - _GAP_PX, line)
        name, reason = index.data(Qt.ItemDataRole.DisplayRole), index.data(REASON_ROLE)
        painter.setPen(QColor(theme.text))
        flags = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
        painter.drawText(area, flags, metrics.elidedText(name, Qt.TextElideMode.ElideLeft, area.width()))
        painter.setPen(QColor(theme.text_muted))
        for text in two_lines(reason, metrics, area.width()):
            area.translate(0, line)
            painter.drawText(area, flags, text)
        painter.restore()


def two_lines(text: str, metrics: QFontMetrics, width_px: int) -> tuple[str, ...]:
    """Break a sentence between words into two lines at most, the last of which ends in an ellipsis if it must."""
    words = text.split()
    n_first = next(
        (n for n in range(len(words), 1, -1) if metrics.horizontalAdvance(" ".join(words[:n])) <= width_px), 1
    )
    lines = (" ".join(words[:n_first]), " ".join(words[n_first:]))
    return tuple(metrics.elidedText(each, Qt.TextElideMode.ElideRight, width_px) for each in lines if each)
