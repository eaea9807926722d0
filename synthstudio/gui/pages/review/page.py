"""The Review workspace: what it will be, and where synthetic images can be looked at today."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QVBoxLayout, QWidget

from synthstudio.gui.actions import ActionSpec
from synthstudio.gui.widgets.empty_state import EmptyState
from synthstudio.gui.workspace import Workspace

TEXT = (
    "Judging synthetic images by keyboard (keep, reject, unsure) and blinded reading studies come with a later"
    " version.\n\nToday the images of a set can be browsed in Generate, under Sets; its manifest lies in the"
    " project's folder sets/."
)


class ReviewPage(QWidget):
    """An honest empty state: it has no controls."""

    title = "Review"
    icon = "mdi6.check-decagram-outline"

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.workspace = workspace
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 24, 24, 24)
        layout.addWidget(EmptyState(self.icon, "Review is not here yet", TEXT))

    def actions(self) -> Sequence[ActionSpec]:  # type: ignore[override]  # a page declares its actions as data
        """Nothing can be done here yet."""
        return ()
