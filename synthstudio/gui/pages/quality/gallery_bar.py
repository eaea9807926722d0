"""What stands over the tiles of the gallery: what is shown, in which order, how large; and what it is filtered by."""

from __future__ import annotations

import html
from collections.abc import Sequence

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QSlider, QToolButton, QWidget
from typing_extensions import override

from synthstudio.core.review.gallery_filter import SORTS, GalleryView, SortKey
from synthstudio.gui.theme import GRID_PX, current_theme, scaled_px
from synthstudio.gui.widgets.choices import fill_choice, make_choice
from synthstudio.gui.widgets.segments import Segments
from synthstudio.gui.widgets.tile_grid import MAX_TILE_PX, MIN_TILE_PX

ZOOM_PX = 110
SORT_WORDS: dict[SortKey, str] = {
    "order": "As in the project",
    "name": "Name",
    "sample": "Sample",
    "split": "Split",
    "size": "Size",
    "aspect": "Width by height",
    "objects": "Objects on it",
    "class": "Class",
    "source": "Source of the mark",
    "verdict": "Verdict",
    "score": "Score",
    "tags": "Number of tags",
}
ALL_CHIPS = "all"


class GalleryBar(QWidget):
    """One line of controls."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.filters_button = QToolButton(self)
        self.filters_button.setText("Filters")
        self.filters_button.setCheckable(True)
        self.filters_button.setChecked(True)
        self.filters_button.setToolTip("Show or hide the filters")
        self.data = make_choice("Images of", self)
        self.view = Segments(
            [("images", "Images", ""), ("objects", "Objects", "One tile for each marked object")], self
        )
        self.sorts = make_choice("Sorted by", self)
        self.falling = QCheckBox("Largest first", self)
        self.boxes = QCheckBox("Boxes", self)
        self.zoom = QSlider(Qt.Orientation.Horizontal, self)
        self.zoom.setRange(MIN_TILE_PX, MAX_TILE_PX)
        self.zoom.setFixedWidth(scaled_px(ZOOM_PX))
        self.zoom.setAccessibleName("Size of the tiles")
        self.zoom.setToolTip("Size of the tiles; Ctrl and wheel, plus and minus change it, too")
        self._lay_out()

    def _lay_out(self) -> None:
        self.view.fit_texts()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2 * GRID_PX)
        row.addWidget(self.filters_button)
        row.addWidget(QLabel("Of", self))
        row.addWidget(self.data)
        row.addWidget(self.view)
        row.addWidget(QLabel("Sorted by", self))
        for widget in (self.sorts, self.falling, self.boxes):
            row.addWidget(widget)
        row.addStretch(1)
        row.addWidget(self.zoom)

    def offer_sorts(self, view: GalleryView) -> None:
        """Offer the orders of a view; what is chosen stays so where it can be."""
        fill_choice(self.sorts, [(SORT_WORDS[key], key) for key in SORTS[view]])

    def offer_sets(self, names: Sequence[str]) -> None:
        """Offer the project and these sets."""
        fill_choice(self.data, [("project", ""), *((f"set {name}", name) for name in names)])

    def choose_data(self, set_name: str) -> None:
        """Choose a set, or the project where the name is empty, without a signal."""
        self.data.blockSignals(True)
        if self.data.findData(set_name) < 0:  # what there is is not read yet
            self.data.addItem(f"set {set_name}" if set_name else "project", set_name)
        self.data.setCurrentIndex(self.data.findData(set_name))
        self.data.blockSignals(False)

    def choose_order(self, by: SortKey, *, is_falling: bool) -> None:
        """Choose an order, without a signal."""
        for widget in (self.sorts, self.falling):
            widget.blockSignals(True)
        self.sorts.setCurrentIndex(max(0, self.sorts.findData(by)))
        self.falling.setChecked(is_falling)
        for widget in (self.sorts, self.falling):
            widget.blockSignals(False)


class FilterChips(QLabel):
    """What is filtered by, as words that are dropped by a click.

    Signals:
        dropped: (name of the chip, or `ALL_CHIPS`)
    """

    dropped = Signal(str)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.chips: tuple[tuple[str, str], ...] = ()
        self.setWordWrap(True)
        self.setTextFormat(Qt.TextFormat.RichText)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.LinksAccessibleByMouse | Qt.TextInteractionFlag.LinksAccessibleByKeyboard
        )
        self.setAccessibleName("What is filtered by")
        self.linkActivated.connect(self.dropped)
        self.hide()

    def show_chips(self, chips: Sequence[tuple[str, str]]) -> None:
        """Show these, as (name, words); nothing where there is none."""
        self.chips = tuple(chips)
        self._write()
        self.setVisible(bool(chips))

    def _write(self) -> None:
        color = current_theme().accent
        links = [
            f'<a href="{html.escape(name)}" style="color:{color}; text-decoration:none">'
            f"{html.escape(words).replace(' ', '&nbsp;')}&nbsp;\N{MULTIPLICATION SIGN}</a>"
            for name, words in [*self.chips, *([(ALL_CHIPS, "drop all")] if len(self.chips) > 1 else [])]
        ]
        self.setText("Only:&nbsp;&nbsp; " + " &nbsp;&nbsp; ".join(links))

    @override
    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "chips"):  # Qt tells of it while this is made
            self._write()
