"""Which patches are looked at: a class, and a sample or all of them, each with its counts."""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QModelIndex, QStringListModel, Qt, Signal, Slot
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QListView,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from synthstudio.domain.ids import ClassId, FovId
from synthstudio.domain.records import Role
from synthstudio.gui.pages.generate.bank_loader import Gallery
from synthstudio.gui.theme import GRID_PX, scaled_px
from synthstudio.gui.widgets.class_chips import color_icon
from synthstudio.gui.widgets.elided_combo import ElidedCombo
from synthstudio.gui.widgets.wheel_guard import guard_wheel
from synthstudio.settings.compose import ForegroundMethod, PatchSettings

WIDTH_PX = 188
METHODS: dict[ForegroundMethod, str] = {"none": "None", "ellipse": "Soft ellipse", "threshold": "Local threshold"}
CLASS_ROWS = 8


class PatchFilters(QWidget):
    """Two lists. `changed` tells that something else was chosen."""

    changed = Signal()
    foreground_chosen = Signal(str, str)
    """(name of the class, method); an empty method is the one that classes have without one of their own."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._gallery: Gallery | None = None
        self._is_rejected: NDArray[np.bool_] = np.zeros(0, np.bool_)
        self._samples: list[str] = []
        self.classes = QListWidget(self)
        self.classes.setAccessibleName("Classes")
        self._settings = PatchSettings()
        self._foreground_title = QLabel(self)
        self.foreground = ElidedCombo(self)
        guard_wheel(self.foreground)
        self.samples = QListView(self)
        self.samples.setAccessibleName("Samples")
        self.samples.setUniformItemSizes(True)
        self.samples.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self._sample_words = QStringListModel(self)
        self.samples.setModel(self._sample_words)
        self.setFixedWidth(scaled_px(WIDTH_PX))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.classes)
        layout.addWidget(self._heading(self._foreground_title))
        holder = QHBoxLayout()
        holder.setContentsMargins(2 * GRID_PX, 0, 2 * GRID_PX, GRID_PX)
        holder.addWidget(self.foreground)
        layout.addLayout(holder)
        layout.addWidget(self._heading(QLabel("Samples", self)))
        layout.addWidget(self.samples, 1)
        self.classes.currentRowChanged.connect(self._on_classes_current_row_changed)
        self.samples.selectionModel().currentChanged.connect(self._on_samples_current_changed)
        self.foreground.activated.connect(self._on_foreground_activated)
        self._show_foreground()

    def _heading(self, label: QLabel) -> QLabel:
        label.setProperty("muted", True)
        label.setContentsMargins(2 * GRID_PX, 2 * GRID_PX, 0, GRID_PX)
        return label

    @property
    def class_id(self) -> ClassId | None:
        """The chosen class."""
        item = self.classes.currentItem()
        return ClassId(item.data(Qt.ItemDataRole.UserRole)) if item is not None else None

    @property
    def sample(self) -> str | None:
        """Name of the chosen sample; None for all of them."""
        row = self.samples.currentIndex().row()
        return self._samples[row - 1] if 0 < row <= len(self._samples) else None

    @property
    def fov_ids(self) -> frozenset[FovId] | None:
        """FOVs of the chosen sample; None for all."""
        if self._gallery is None or self.sample is None:
            return None
        return frozenset(fov.id for fov in self._gallery.fovs.values() if fov.sample_name == self.sample)

    def set_settings(self, settings: PatchSettings) -> None:
        """Show the foregrounds of these settings."""
        if settings != self._settings:
            self._settings = settings
            self._show_foreground()

    def _class_name(self) -> str:
        if self._gallery is None:
            return ""
        return next((item.name for item in self._gallery.bank.classes if item.id == self.class_id), "")

    def _show_foreground(self) -> None:
        name = self._class_name()
        self._foreground_title.setText(f"Foreground of {name}" if name else "Foreground")
        self.foreground.setAccessibleName(self._foreground_title.text())
        self.foreground.setEnabled(bool(name))
        self.foreground.clear()
        self.foreground.addItem(f"As all ({METHODS[self._settings.foreground].lower()})", "")
        for method, words in METHODS.items():
            self.foreground.addItem(words, method)
        own = self._settings.own_foregrounds.get(name, "")
        self.foreground.setCurrentIndex(self.foreground.findData(own))

    @Slot(int)
    def _on_foreground_activated(self, _index: int) -> None:
        self.foreground_chosen.emit(self._class_name(), self.foreground.currentData())

    def show_counts(self, gallery: Gallery | None, is_rejected: NDArray[np.bool_]) -> None:
        """Count the patches of another gallery, or after a verdict; what was chosen stays chosen."""
        self._gallery, self._is_rejected = gallery, is_rejected
        row = max(0, self.classes.currentRow())
        self.classes.blockSignals(True)
        self.classes.clear()
        if gallery is not None:
            self._fill_classes(gallery)
        self.classes.setCurrentRow(min(row, self.classes.count() - 1))
        self.classes.blockSignals(False)
        rows = min(max(1, self.classes.count()), CLASS_ROWS)
        self.classes.setFixedHeight(rows * max(20, self.classes.sizeHintForRow(0)) + 6)
        self._show_foreground()
        self._fill_samples()

    def _fill_classes(self, gallery: Gallery) -> None:
        used, rejected = (_count(gallery.table.class_ids[rows]) for rows in (~self._is_rejected, self._is_rejected))
        for item in gallery.bank.classes:
            words = f"{item.name}  {used[item.id]:,}"
            if rejected[item.id]:
                words += f" · {rejected[item.id]:,} rejected"
            entry = QListWidgetItem(color_icon(item.color), words, self.classes)
            entry.setData(Qt.ItemDataRole.UserRole, item.id)
            if item.role is Role.ARTIFACT:
                entry.setToolTip("Artifacts are pasted, but give no label.")

    def _fill_samples(self) -> None:
        gallery, class_id, chosen = self._gallery, self.class_id, self.sample
        words: list[str] = []
        self._samples = []
        if gallery is not None and class_id is not None:
            numbers = gallery.table.select(class_id, shown="used", is_rejected=self._is_rejected)
            by_fov = _count(gallery.table.fov_ids[numbers])
            counts: Counter[str] = Counter()
            for fov in gallery.fovs.values():
                counts[fov.sample_name] += by_fov[fov.id]
            self._samples = sorted(counts)
            words = [f"All samples  {len(numbers):,}", *(f"{name}  {counts[name]:,}" for name in self._samples)]
        choice = self.samples.selectionModel()
        choice.blockSignals(True)
        self._sample_words.setStringList(words)
        row = self._samples.index(chosen) + 1 if chosen in self._samples else 0
        self.samples.setCurrentIndex(self._sample_words.index(row))
        choice.blockSignals(False)

    @Slot(int)
    def _on_classes_current_row_changed(self, _row: int) -> None:
        self._show_foreground()
        self._fill_samples()
        self.changed.emit()

    @Slot(QModelIndex, QModelIndex)
    def _on_samples_current_changed(self, _now: QModelIndex, _former: QModelIndex) -> None:
        self.changed.emit()


def _count(values: NDArray[np.int64]) -> Counter[int]:
    """How often each value occurs; a hundred times faster than counting them one by one."""
    found, counts = np.unique(values, return_counts=True)
    return Counter(dict(zip(found.tolist(), counts.tolist(), strict=True)))
