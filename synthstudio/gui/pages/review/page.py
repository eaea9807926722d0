"""The Review workspace: synthetic images are judged before anything learns from them."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from synthstudio.gui.actions import ActionSpec
from synthstudio.gui.pages.review.specs import verdict_specs
from synthstudio.gui.pages.review.verdicts_panel import VerdictsPanel
from synthstudio.gui.workspace import Workspace


class ReviewPage(QWidget):
    """Verdicts."""

    title = "Review"
    icon = "mdi6.check-decagram-outline"

    actions_outdated = Signal()
    """Other actions may be possible now."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.verdicts = VerdictsPanel(workspace, self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.verdicts)
        self.verdicts.actions_outdated.connect(self.actions_outdated)

    def actions(self) -> Sequence[ActionSpec]:  # type: ignore[override]  # a page declares its actions as data
        """What can be done here."""
        return verdict_specs(self.verdicts)
