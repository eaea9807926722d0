"""A choice among runs of one kind."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from synthstudio.gui.widgets.elided_combo import ElidedCombo
from synthstudio.gui.widgets.wheel_guard import guard_wheel

LEAST_LETTERS = 12


class RunChoice(ElidedCombo):
    """Names runs, newest first; what is chosen stays chosen.

    Args:
        name: What a screen reader says.
        follows_newest: Unless a newer run has begun: then that one is chosen.
    """

    def __init__(self, name: str, parent: QWidget | None = None, *, follows_newest: bool = True) -> None:
        super().__init__(parent, least_letters=LEAST_LETTERS)
        self._follows_newest = follows_newest
        self.setAccessibleName(name)
        guard_wheel(self)

    def show_runs(self, runs: Sequence[tuple[str, str]]) -> None:
        """Offer these: what is said of each, and its id. Tells nobody of the change."""
        known = {self.itemData(place) for place in range(self.count())}
        is_new = self._follows_newest and bool(runs) and runs[0][1] not in known
        kept = runs[0][1] if is_new else self.currentData()
        self.blockSignals(True)
        self.clear()
        for line, run_id in runs:
            self.addItem(line, run_id)
            self.setItemData(self.count() - 1, line, Qt.ItemDataRole.ToolTipRole)
        self.setCurrentIndex(max(0, self.findData(kept)) if runs else -1)
        self.blockSignals(False)
