"""Many images, a page at a time: only the page in sight is ever loaded."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSlider, QToolButton, QVBoxLayout, QWidget

from synthstudio.gui.theme import GRID_PX
from synthstudio.gui.widgets.image_grid import GridImage, ImageGrid


class PagedGrid(QWidget):
    """An image grid with a pager. Emits `page_requested(first, count)`; answer it with `show_page`."""

    page_requested = Signal(int, int)

    def __init__(self, *, page_size: int, noun: str = "images", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._page_size = page_size
        self._noun = noun
        self._n_images = 0
        self.grid = ImageGrid(self)
        self.back = self._arrow(Qt.ArrowType.LeftArrow, "Page back")
        self.forth = self._arrow(Qt.ArrowType.RightArrow, "Page forth")
        self.slider = QSlider(Qt.Orientation.Horizontal, self)
        self.slider.setAccessibleName("Page")
        self.place = QLabel(self)
        self.place.setProperty("muted", True)
        bar = QHBoxLayout()
        bar.setContentsMargins(2 * GRID_PX, GRID_PX, 2 * GRID_PX, GRID_PX)
        bar.addWidget(self.place)
        bar.addStretch(1)
        bar.addWidget(self.back)
        bar.addWidget(self.slider, 2)
        bar.addWidget(self.forth)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.grid, 1)
        layout.addLayout(bar)
        self.back.clicked.connect(lambda: self.slider.setValue(self.slider.value() - 1))
        self.forth.clicked.connect(lambda: self.slider.setValue(self.slider.value() + 1))
        self.slider.valueChanged.connect(self._on_slider_value_changed)
        self.set_count(0)

    def _arrow(self, arrow: Qt.ArrowType, name: str) -> QToolButton:
        button = QToolButton(self)
        button.setArrowType(arrow)
        button.setAccessibleName(name)
        button.setToolTip(name)
        return button

    @property
    def first(self) -> int:
        """Number of the first image of the page."""
        return self.slider.value() * self._page_size

    def set_count(self, n_images: int, *, keep_page: bool = False) -> None:
        """Say how many images there are, and ask for the first page of them."""
        self._n_images = n_images
        pages = max(1, -(-n_images // self._page_size))
        page = min(self.slider.value(), pages - 1) if keep_page else 0
        self.slider.blockSignals(True)
        self.slider.setRange(0, pages - 1)
        self.slider.setValue(page)
        self.slider.blockSignals(False)
        for widget in (self.slider, self.back, self.forth):
            widget.setVisible(pages > 1)
        self._on_slider_value_changed()

    def show_page(self, first: int, images: Sequence[GridImage]) -> None:
        """Show a page that was asked for; one that is no longer wanted is dropped."""
        if first == self.first:
            self.grid.set_images(images)

    @Slot()
    def _on_slider_value_changed(self) -> None:
        count = max(0, min(self._page_size, self._n_images - self.first))
        if count:
            self.place.setText(f"{self.first + 1:,}–{self.first + count:,} of {self._n_images:,} {self._noun}")
            self.page_requested.emit(self.first, count)
        else:
            self.place.setText(f"No {self._noun}")
            self.grid.set_images(())
