"""The Quality workspace: what it will be, and what is checked already."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QVBoxLayout, QWidget

from synthstudio.gui.actions import ActionSpec
from synthstudio.gui.widgets.empty_state import EmptyState
from synthstudio.gui.workspace import Workspace

TEXT = (
    "The gallery, class balance, outliers, near-duplicates and leaks between splits come with a later version.\n\n"
    "Today an import names every damaged image and impossible annotation, a sample never stands in two splits, and"
    " synthstudio verify PROJECT in a terminal checks the database, every file by its hash, and that sets can be"
    " made again byte for byte.\n\n"
    "synthstudio quality PROJECT looks for files that are gone, impossible and repeated marks, pictures that are there"
    " twice, leaks between splits and synthetic images made from test images."
)


class QualityPage(QWidget):
    """An honest empty state: it has no controls."""

    title = "Quality"
    icon = "mdi6.shield-check-outline"

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.workspace = workspace
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 24, 24, 24)
        layout.addWidget(EmptyState(self.icon, "Quality is not here yet", TEXT))

    def actions(self) -> Sequence[ActionSpec]:  # type: ignore[override]  # a page declares its actions as data
        """Nothing can be done here yet."""
        return ()
