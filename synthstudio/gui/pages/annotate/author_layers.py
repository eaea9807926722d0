"""Annotations of several authors as layers that can be shown and hidden."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtWidgets import QMenu, QToolButton, QWidget

from synthstudio.gui.widgets.icons import themed_icon


class AuthorLayers(QToolButton):
    """A button with the authors of the FOV in its menu.

    Signals:
        hidden_changed: (frozenset of str) Authors whose annotations are not drawn.
    """

    hidden_changed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.hidden: frozenset[str] = frozenset()
        self._counts: Mapping[str, int] = {}
        self.setIcon(themed_icon("mdi6.account-multiple-outline"))
        self.setIconSize(QSize(16, 16))
        self.setToolTip("Show and hide annotations by author")
        self.setAccessibleName("Authors")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.layers = QMenu(self)
        self.layers.aboutToShow.connect(self._fill)
        self.setMenu(self.layers)

    def set_counts(self, counts: Mapping[str, int]) -> None:
        """Offer these authors, with the number of their annotations on the FOV."""
        self._counts = counts

    @Slot()
    def _fill(self) -> None:
        self.layers.clear()
        for author in sorted(self._counts.keys() | self.hidden):
            name = (author or "nobody named").replace("&", "&&")
            action = self.layers.addAction(f"{name} ({self._counts.get(author, 0):,})")
            action.setCheckable(True)
            action.setChecked(author not in self.hidden)
            action.triggered.connect(lambda _checked=False, author=author: self.set_hidden(self.hidden ^ {author}))
        self.layers.addSeparator()
        self.layers.addAction("Show all authors", lambda: self.set_hidden(frozenset())).setEnabled(bool(self.hidden))

    def set_hidden(self, hidden: frozenset[str]) -> None:
        """Draw the annotations of all authors but these; the button is lit while it hides some."""
        self.hidden = hidden
        self.setCheckable(bool(hidden))
        self.setChecked(bool(hidden))
        self.hidden_changed.emit(hidden)
