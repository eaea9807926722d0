"""Tabs that are as narrow as the one that is shown can be."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QTabWidget, QWidget
from typing_extensions import override


class PageTabs(QTabWidget):
    """A wide tab that is out of sight must not widen the window."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setDocumentMode(True)
        self.currentChanged.connect(lambda _place: self.updateGeometry())

    @override
    def minimumSizeHint(self) -> QSize:
        page, bar = self.currentWidget(), self.tabBar().minimumSizeHint()
        inner = page.minimumSizeHint() if page is not None else QSize(0, 0)
        return QSize(max(inner.width(), bar.width()), inner.height() + bar.height())
