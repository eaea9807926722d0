"""The patches of the training images, looked through by class and sample; doubtful ones are rejected and restored."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, Qt, Signal, Slot
from PySide6.QtGui import QAction, QImage
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QMenu, QPushButton, QVBoxLayout, QWidget

from synthstudio.core.patches.generated import is_generated
from synthstudio.core.patches.ranking import PatchOrder, score_patches
from synthstudio.core.patches.table import Shown
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import AnnotationId, ClassId
from synthstudio.domain.progress import Tick
from synthstudio.domain.scale import WorkingScale
from synthstudio.gui.errors import report
from synthstudio.gui.pages.generate.bank_loader import Gallery
from synthstudio.gui.pages.generate.patch_filters import PatchFilters
from synthstudio.gui.pages.generate.patch_tiles import MaskView, TileStyle, patch_tile, patch_tip
from synthstudio.gui.pages.generate.patch_verdict_command import PatchVerdictCommand, judge_patches
from synthstudio.gui.theme import GRID_PX, scaled_px
from synthstudio.gui.widgets.elided_combo import ElidedCombo
from synthstudio.gui.widgets.tile_grid import TileGrid
from synthstudio.gui.widgets.tile_pictures import draw_tile
from synthstudio.gui.workspace import Workspace
from synthstudio.settings.compose import ComposeSettings

SHOWN: tuple[tuple[Shown, str], ...] = (("used", "Used"), ("rejected", "Rejected"), ("all", "Used and rejected"))
COMBO_PX = 88
"""Least width of a choice: they must not make the window wider than 1280 px."""
MENU_ACTIONS = ("generate.reject", "generate.restore", "generate.show_annotation", "generate.select_all")

Scores = NDArray[np.float64]


class PatchPanel(QWidget):
    """Classes and samples with their counts, and the patches of the chosen ones.

    Signals:
        source_requested: (`FovId`, `AnnotationId`) that a patch was cut from.
        selection_changed: Other patches are selected.
    """

    source_requested = Signal(object)
    selection_changed = Signal()

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._gallery: Gallery | None = None
        self._is_rejected: NDArray[np.bool_] = np.zeros(0, np.bool_)
        self._style = TileStyle()
        self._scores: dict[tuple[PatchOrder, ClassId], Scores] = {}
        self._scoring: tuple[PatchOrder, ClassId] | None = None
        self.filters = PatchFilters(self)
        self.order = self._choice("Order of the patches", ((each.value, each.value) for each in PatchOrder))
        self.shown = self._choice("Which patches", SHOWN)
        self.mask_view = self._choice("Mask", ((each.value, each.value) for each in MaskView))
        self.mask_view.setToolTip("The outline of what is pasted, that alone, or the window without it")
        self.grid = TileGrid(self)
        self.grid.setAccessibleName("Patches")
        self.reject_button = self._button("Reject", "Use the selected patches in no composite (Delete)")
        self.restore_button = self._button("Restore", "Use the selected patches again (Insert)")
        self.facts = QLabel(self)
        self.note = QLabel(self)
        self._lay_out()
        self._connect()

    def _choice(self, name: str, entries: Iterable[tuple[str, str]]) -> QComboBox:
        combo = ElidedCombo(self)
        combo.setAccessibleName(name)
        combo.setMinimumWidth(scaled_px(COMBO_PX))
        for value, words in entries:
            combo.addItem(words[:1].upper() + words[1:], value)
        return combo

    def _button(self, words: str, tip: str) -> QPushButton:
        button = QPushButton(words, self)
        button.setToolTip(tip)
        button.setEnabled(False)
        return button

    def _lay_out(self) -> None:
        bar = QHBoxLayout()
        bar.setContentsMargins(2 * GRID_PX, GRID_PX, 2 * GRID_PX, GRID_PX)
        bar.setSpacing(2 * GRID_PX)
        for words, combo in (("Order", self.order), ("Show", self.shown), ("Mask", self.mask_view)):
            bar.addWidget(QLabel(words, self))
            bar.addWidget(combo)
        bar.addStretch(1)
        right = QVBoxLayout()
        right.setSpacing(0)
        right.addLayout(bar)
        for label in (self.facts, self.note):
            label.setProperty("muted", True)
            label.setWordWrap(True)
            label.setContentsMargins(2 * GRID_PX, GRID_PX // 2, 2 * GRID_PX, GRID_PX)
        facts = QHBoxLayout()
        facts.setContentsMargins(0, 0, 2 * GRID_PX, GRID_PX)
        facts.setSpacing(GRID_PX)
        facts.addWidget(self.facts, 1)
        facts.addWidget(self.reject_button)
        facts.addWidget(self.restore_button)
        right.addLayout(facts)
        right.addWidget(self.grid, 1)
        right.addWidget(self.note)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.filters)
        layout.addLayout(right, 1)

    def _connect(self) -> None:
        self.filters.changed.connect(self._on_filters_changed)
        self.order.currentIndexChanged.connect(self._on_filters_changed)
        self.shown.currentIndexChanged.connect(self._on_filters_changed)
        self.mask_view.currentIndexChanged.connect(self._on_mask_current_index_changed)
        self.reject_button.clicked.connect(self.reject)
        self.restore_button.clicked.connect(self.restore)
        self.grid.tiles_requested.connect(self._on_grid_tiles_requested)
        self.grid.activated.connect(self._on_grid_activated)
        self.grid.menu_requested.connect(self._on_grid_menu_requested)
        self.grid.selection_changed.connect(self._on_grid_selection_changed)

    # What is shown

    def set_gallery(self, gallery: Gallery | None) -> None:
        """Show other patches, or other verdicts about the same ones; what was chosen stays chosen."""
        former, self._gallery = self._gallery, gallery
        is_same_bank = former is not None and gallery is not None and former.bank is gallery.bank
        self._is_rejected = (
            gallery.table.rejected_rows(gallery.rejected) if gallery is not None else np.zeros(0, np.bool_)
        )
        if not is_same_bank:
            self._scores.clear()
            self._scoring = None
            self.grid.forget_tiles()
        self.filters.show_counts(gallery, self._is_rejected)
        self.grid.set_crossed(frozenset(np.flatnonzero(self._is_rejected).tolist()))
        self._show(keep_place=is_same_bank)

    def set_settings(self, settings: ComposeSettings) -> None:
        """Draw the outlines as this composition would paste the patches, and show the foregrounds."""
        self.filters.set_settings(settings.patches)
        composition = settings.composition
        feather = 0.0 if composition.blend == "paste" else composition.feather
        style = dataclasses.replace(self._style, shape=composition.mask, feather=feather)
        if style != self._style:
            self._style = style
            self.grid.redraw_tiles()

    @property
    def selected_ids(self) -> list[AnnotationId]:
        """Annotations of the selected patches."""
        if self._gallery is None:
            return []
        return [AnnotationId(each) for each in self._gallery.table.annotation_ids[self.grid.selected].tolist()]

    def can_judge(self, *, rejected: bool) -> bool:
        """Whether a selected patch is not rejected (or restored) yet."""
        is_rejected = self._is_rejected[self.grid.selected]
        return self._workspace.is_writable and bool((is_rejected != rejected).any())

    def _show(self, *, keep_place: bool) -> None:
        """Fill the grid, ranked once that is done where the order looks at the pixels."""
        gallery, class_id = self._gallery, self.filters.class_id
        if gallery is None or class_id is None:
            self.facts.clear()
            self.note.clear()
            self.grid.set_keys(())
            return
        order = PatchOrder(self.order.currentData())  # Qt hands back its text
        scores = self._scores.get((order, class_id))
        if scores is None and order is not PatchOrder.ANNOTATED:
            self._score(gallery, class_id, order)
            return
        shown: Shown = SHOWN[self.shown.currentIndex()][0]
        numbers = gallery.table.select(
            class_id, fov_ids=self.filters.fov_ids, shown=shown, is_rejected=self._is_rejected
        )
        if scores is not None:
            numbers = numbers[np.argsort(scores[numbers], kind="stable")]
        self.grid.set_placeholder(_why_empty(shown))
        self.grid.set_keys(numbers, keep_place=keep_place)
        self._describe(gallery, class_id)

    def _score(self, gallery: Gallery, class_id: ClassId, order: PatchOrder) -> None:
        """Rank the patches of a class off the GUI thread; then show them, if that is still wanted."""
        if self._scoring == (order, class_id):
            return
        self._scoring = order, class_id
        bank = gallery.bank
        numbers = gallery.table.select(class_id, is_rejected=self._is_rejected)

        def work(tick: Tick) -> Scores:
            scores = np.zeros(len(bank.patches))
            scores[numbers] = score_patches(bank, numbers.tolist(), order, tick=tick)
            return scores

        def keep(scores: Scores) -> None:
            if self._gallery is not None and self._gallery.bank is bank:
                self._scores[order, class_id] = scores
                if (PatchOrder(self.order.currentData()), self.filters.class_id) == (order, class_id):
                    self._show(keep_place=False)

        def end() -> None:
            if self._scoring == (order, class_id):
                self._scoring = None

        task = self._workspace.background.run(work, done=keep, owner=self, title="Ranking patches")
        task.ended.connect(end)

    def _describe(self, gallery: Gallery, class_id: ClassId) -> None:
        every = gallery.table.select(class_id, fov_ids=self.filters.fov_ids, is_rejected=self._is_rejected)
        numbers = every[~self._is_rejected[every]]
        n_rejected = len(every) - len(numbers)
        sources = gallery.table.fov_ids[numbers]
        clicked = sources >= 0  # ids of generated images are below 0
        fov_ids = np.unique(sources[clicked]).tolist()
        n_samples = len({gallery.fovs[fov_id].sample_name for fov_id in fov_ids})
        text = f"{int(clicked.sum()):,} patches used, from {len(fov_ids):,} fields of {n_samples:,} samples"
        if n_made := len(numbers) - int(clicked.sum()):
            text += f" · {n_made:,} made by a generator"
        if n_rejected:
            text += f" · {n_rejected:,} rejected"
        if self.grid.selection.places:
            text += f" · {len(self.grid.selection.places):,} selected"
        self.facts.setText(text)
        self.note.setText(_describe_sizes(gallery, numbers))

    @Slot()
    def _on_filters_changed(self) -> None:
        self._show(keep_place=False)

    @Slot(int)
    def _on_mask_current_index_changed(self, _index: int) -> None:
        self._style = dataclasses.replace(self._style, view=MaskView(self.mask_view.currentData()))
        self.grid.redraw_tiles()

    @Slot(int, object)
    def _on_grid_tiles_requested(self, generation: int, numbers: tuple[int, ...]) -> None:
        gallery, style = self._gallery, self._style
        if gallery is None:
            return
        colors = {item.id: item.color for item in gallery.bank.classes}
        side, ratio = self.grid.picture_px, self.grid.devicePixelRatioF()

        def draw(number: int) -> QImage:
            color = colors[gallery.bank.patches[number].class_id]
            return draw_tile(patch_tile(gallery.bank, number, style, color), side, ratio=ratio)

        def work(_tick: Tick) -> tuple[dict[int, QImage], dict[int, str]]:
            tiles = {each: draw(each) for each in numbers}
            return tiles, {each: patch_tip(gallery, each) for each in numbers}

        self._workspace.background.run(
            work, done=lambda made: self.grid.put_tiles(generation, made[0], made[1]), owner=self
        )

    # What is done

    @Slot()
    def _on_grid_selection_changed(self) -> None:
        if self._gallery is not None and self.filters.class_id is not None:
            self._describe(self._gallery, self.filters.class_id)
        self.reject_button.setEnabled(self.can_judge(rejected=True))
        self.restore_button.setEnabled(self.can_judge(rejected=False))
        self.selection_changed.emit()

    @Slot(int)
    def _on_grid_activated(self, number: int) -> None:
        if self._gallery is not None:
            bank, patch = self._gallery.bank, self._gallery.bank.patches[number]
            if is_generated(patch.fov_id):
                place = bank.generated[patch.fov_id]
                made = UserError(
                    "This patch was made by a generator; nobody has clicked it.",
                    f"It is from image {place.index} of the set {place.set_name}, see Sets.",
                )
                report(made, parent=self)
                return
            self.source_requested.emit((patch.fov_id, patch.annotation_id))

    def show_annotation(self) -> None:
        """Show the annotation that the first selected patch was cut from."""
        if self.grid.selected:
            self._on_grid_activated(self.grid.selected[0])

    @Slot()
    def reject(self) -> None:
        """Use the selected patches nowhere any more."""
        self._judge(rejected=True)

    @Slot()
    def restore(self) -> None:
        """Use the selected patches again."""
        self._judge(rejected=False)

    def _judge(self, *, rejected: bool) -> None:
        ids = self.selected_ids
        if ids:
            try:
                judge_patches(self._workspace, ids, rejected=rejected, window=self)
            except UserError as error:
                report(error, parent=self)

    def show_verdicts(self) -> None:
        """Read the verdicts anew, at once: the banks follow in the background."""
        project, gallery = self._workspace.project, self._gallery
        if project is not None and gallery is not None:
            self.set_gallery(dataclasses.replace(gallery, rejected=project.patch_verdicts.rejected()))

    @property
    def can_undo(self) -> bool:
        """Whether the last thing that was done is a verdict; edits of annotations are undone where they are seen."""
        stack = self._workspace.undo_stack
        return stack.canUndo() and isinstance(stack.command(stack.index() - 1), PatchVerdictCommand)

    @property
    def can_redo(self) -> bool:
        """Whether the next thing that would be done again is a verdict."""
        stack = self._workspace.undo_stack
        return stack.canRedo() and isinstance(stack.command(stack.index()), PatchVerdictCommand)

    @Slot(QPoint)
    def _on_grid_menu_requested(self, position: QPoint) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for action_id in MENU_ACTIONS:
            action = self.window().findChild(QAction, action_id)
            if action is not None:
                menu.addAction(action)
        menu.popup(position)


def _why_empty(shown: Shown) -> str:
    if shown == "rejected":
        return "No patch of this choice is rejected. Select patches and press Delete to reject them."
    return "No annotation of this choice lies on an image of the training split."


def _describe_sizes(gallery: Gallery, numbers: NDArray[np.int64]) -> str:
    bank, parts = gallery.bank, []
    if len(numbers):
        middle = float(np.median(gallery.table.widths[numbers]))
        scale = f" at scale {bank.scale}" if bank.scale != WorkingScale() else ""
        parts.append(f"About {middle:.0f} px wide{scale}, shown under even light.")
    if bank.n_left_out:
        parts.append(
            f"{bank.n_left_out:,} annotations of all classes were left out: too near an edge, or thinned for memory."
        )
    return " ".join(parts)
