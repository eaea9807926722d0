"""Drop-down lists whose entries come and go with what there is."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QComboBox, QWidget

from synthstudio.gui.widgets.elided_combo import ElidedCombo


def make_choice(name: str, parent: QWidget) -> QComboBox:
    """Make a list as wide as its longest entry; `name` is for who cannot see what stands beside it."""
    combo = ElidedCombo(parent)
    combo.setAccessibleName(name)
    return combo


def fill_choice(combo: QComboBox, items: Sequence[tuple[str, object]], *, chosen: object = None) -> None:
    """Offer (text, value) pairs, without a signal; what was chosen stays so where it is still there.

    Args:
        chosen: What is chosen instead, where it is there.
    """
    wanted = combo.currentData() if chosen is None else chosen
    combo.blockSignals(True)
    combo.clear()
    for text, value in items:
        combo.addItem(text, value)
    combo.setCurrentIndex(max(0, combo.findData(wanted)))
    combo.blockSignals(False)
