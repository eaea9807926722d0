"""The patches of the bank, class by class."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from synthstudio.core.patches.bank import PatchBank
from synthstudio.core.patches.ranking import PatchOrder, rank_patches
from synthstudio.domain.progress import Tick
from synthstudio.domain.records import Role
from synthstudio.gui.theme import GRID_PX, scaled_px
from synthstudio.gui.widgets.class_chips import color_icon
from synthstudio.gui.widgets.image_grid import GridBox, GridImage, to_qimage
from synthstudio.gui.widgets.paged_grid import PagedGrid
from synthstudio.gui.workspace import Workspace

PAGE_SIZE = 60
LIST_WIDTH_PX = 200
CHECKER_PX = 6


class PatchPanel(QWidget):
    """A list of classes with their counts, and the patches of the chosen one."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._bank: PatchBank | None = None
        self._shown: list[int] = []
        self.classes = QListWidget(self)
        self.classes.setFixedWidth(scaled_px(LIST_WIDTH_PX))
        self.classes.setAccessibleName("Classes")
        self.order = QComboBox(self)
        self.order.setAccessibleName("Order of the patches")
        for item in PatchOrder:
            self.order.addItem(item.value.capitalize(), item.value)
        self.gallery = PagedGrid(page_size=PAGE_SIZE, noun="patches", parent=self)
        self.note = QLabel(self)
        self.note.setProperty("muted", True)
        self.note.setWordWrap(True)
        self.note.setContentsMargins(2 * GRID_PX, GRID_PX, 2 * GRID_PX, 2 * GRID_PX)
        bar = QHBoxLayout()
        bar.setContentsMargins(2 * GRID_PX, GRID_PX, 2 * GRID_PX, GRID_PX)
        bar.setSpacing(2 * GRID_PX)
        bar.addWidget(QLabel("Order", self))
        bar.addWidget(self.order)
        bar.addStretch(1)
        right = QVBoxLayout()
        right.setSpacing(0)
        right.addLayout(bar)
        right.addWidget(self.gallery, 1)
        right.addWidget(self.note)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.classes)
        layout.addLayout(right, 1)
        self.classes.currentRowChanged.connect(self._on_classes_current_row_changed)
        self.order.currentIndexChanged.connect(self._on_order_current_index_changed)
        self.gallery.page_requested.connect(self._on_gallery_page_requested)

    def set_bank(self, bank: PatchBank | None) -> None:
        """Show another bank; the chosen class stays chosen."""
        row = max(0, self.classes.currentRow())
        self._bank = bank
        self.classes.blockSignals(True)
        self.classes.clear()
        if bank is not None:
            counts = bank.count_by_class()
            for item in bank.classes:
                entry = QListWidgetItem(f"{item.name}  {counts[item.id]:,}", self.classes)
                entry.setIcon(color_icon(item.color))
                entry.setData(Qt.ItemDataRole.UserRole, item.id)
                if item.role is Role.ARTIFACT:
                    entry.setToolTip("Artifacts are pasted, but give no label.")
        self.classes.blockSignals(False)
        self.classes.setCurrentRow(min(row, self.classes.count() - 1))
        self._on_classes_current_row_changed(self.classes.currentRow())

    @Slot(int)
    def _on_classes_current_row_changed(self, row: int) -> None:
        bank = self._bank
        if bank is None or row < 0:
            self._shown = []
            self.note.clear()
        else:
            class_id = self.classes.item(row).data(Qt.ItemDataRole.UserRole)
            numbers = [number for number, patch in enumerate(bank.patches) if patch.class_id == class_id]
            self.note.setText(_describe(bank, numbers))
            order = PatchOrder(self.order.currentData())  # Qt hands back its text
            if order is not PatchOrder.ANNOTATED:
                self._rank(bank, numbers, order)
                return
            self._shown = numbers
        self.gallery.set_count(len(self._shown))

    @Slot(int)
    def _on_order_current_index_changed(self, _index: int) -> None:
        self._on_classes_current_row_changed(self.classes.currentRow())

    def _rank(self, bank: PatchBank, numbers: list[int], order: PatchOrder) -> None:
        """Show the patches in an order that has to look at their pixels."""
        row = self.classes.currentRow()

        def show(ranked: list[int]) -> None:
            is_still_wanted = self.classes.currentRow() == row and PatchOrder(self.order.currentData()) is order
            if self._bank is bank and is_still_wanted:
                self._shown = ranked
                self.gallery.set_count(len(ranked))

        self._workspace.background.run(lambda _tick: rank_patches(bank, numbers, order), done=show, owner=self)

    @Slot(int, int)
    def _on_gallery_page_requested(self, first: int, count: int) -> None:
        bank, numbers = self._bank, self._shown[first : first + count]
        if bank is None:
            return

        def cut(_tick: Tick) -> list[GridImage]:
            return [patch_image(bank, number) for number in numbers]

        self._workspace.background.run(cut, done=lambda images: self.gallery.show_page(first, images), owner=self)


def patch_image(bank: PatchBank, number: int) -> GridImage:
    """The window of a patch without the margin that it keeps for turning."""
    patch, crop = bank.patches[number], bank.crop(number)
    left, top = max(0, round(patch.center[0] - patch.width / 2)), max(0, round(patch.center[1] - patch.height / 2))
    inner = np.s_[top : top + max(1, round(patch.height)), left : left + max(1, round(patch.width))]
    window = _on_checkers(bank.padded_crop(number)[inner]) if bank.has_foreground else crop[inner]
    source = patch.fov_id, patch.annotation_id
    # The box lies outside what is seen: the whole picture leads to its source, and nothing is drawn over it.
    whole = GridBox(-1.0, -1.0, window.shape[1] + 1.0, window.shape[0] + 1.0, "#00000000", source=source)
    return GridImage(to_qimage(window), (whole,))


def _on_checkers(patch: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Lay `(H, W, 4)` over a grey chequered ground: what is not pasted is seen as such on any stain."""
    rows, columns = np.indices(patch.shape[:2]) // CHECKER_PX
    ground = np.where((rows + columns) % 2, 236, 214).astype(np.float32)[..., None]
    opacity = patch[..., 3:].astype(np.float32) / 255
    return np.asarray(np.rint(patch[..., :3] * opacity + ground * (1 - opacity)), np.uint8)


def _describe(bank: PatchBank, numbers: list[int]) -> str:
    if not numbers:
        return "No annotation of this class lies on an image of the training split."
    widths = sorted(bank.patches[number].width for number in numbers)
    middle = widths[len(widths) // 2]
    fovs = len({bank.patches[number].fov_id for number in numbers})
    text = f"{len(numbers):,} patches from {fovs:,} fields, about {middle:.0f} px wide"
    if bank.scale != 1.0:
        text += f" at scale {bank.scale:g}"
    text += ", shown under even light."
    if bank.n_left_out:
        text += (
            f" {bank.n_left_out:,} annotations of all classes were left out: too near an edge, or thinned for memory."
        )
    return text
