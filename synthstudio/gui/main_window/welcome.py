"""What the window shows while no project is open."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QLabel, QPushButton, QWidget

from synthstudio.gui.widgets.empty_state import EmptyState

N_RECENT = 5


class Welcome(EmptyState):
    """Signals: open_requested (`Path`)."""

    open_requested = Signal(object)

    def __init__(self, actions: Sequence[QAction], parent: QWidget | None = None) -> None:
        super().__init__(
            "mdi6.microscope",
            "SynthStudio",
            "From a few hundred clicks on your images to a trained and explained model, on this machine.\n"
            "Drop a folder of images or a project here, or begin with one of these.",
            actions=actions,
            parent=parent,
        )
        self.recent_title = QLabel("Recent projects")
        self.recent_title.setProperty("muted", True)
        self.recent_buttons: list[QPushButton] = []
        self.body.setSpacing(2)
        self.body.addWidget(self.recent_title, alignment=Qt.AlignmentFlag.AlignHCenter)

    def set_recent(self, folders: Sequence[str]) -> None:
        """List the projects that still exist."""
        for button in self.recent_buttons:
            self.body.removeWidget(button)
            button.deleteLater()
        self.recent_buttons = []
        for folder in [Path(each) for each in folders if Path(each).is_dir()][:N_RECENT]:
            button = QPushButton(f"{folder.name}   {folder.parent}")
            button.setProperty("flat", True)
            button.setCursor(Qt.CursorShape.PointingHandCursor)
            button.clicked.connect(lambda _checked=False, folder=folder: self.open_requested.emit(folder))
            self.body.addWidget(button, alignment=Qt.AlignmentFlag.AlignHCenter)
            self.recent_buttons.append(button)
        self.recent_title.setVisible(bool(self.recent_buttons))
