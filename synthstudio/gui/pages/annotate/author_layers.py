"""Annotations of several authors as layers that can be shown and hidden."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtWidgets import QMenu, QToolButton, QWidget

from synthstudio.domain.records import Annotation
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
        self._count: Callable[[], Mapping[str, int]] = dict
        self.setIcon(themed_icon("mdi6.account-multiple-outline"))
        self.setIconSize(QSize(16, 16))
        self.setToolTip("Show and hide annotations by author")
        self.setAccessibleName("Authors")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.layers = QMenu(self)
        self.layers.aboutToShow.connect(self._fill)
        self.setMenu(self.layers)

    def set_source(self, count: Callable[[], Mapping[str, int]]) -> None:
        """Ask this, when the menu is opened, for the authors and the number of their annotations on the FOV."""
        self._count = count

    @Slot()
    def _fill(self) -> None:
        self.layers.clear()
        counts = self._count()
        for author in sorted(counts.keys() | self.hidden):
            name = (author or "nobody named").replace("&", "&&")
            action = self.layers.addAction(f"{name} ({counts.get(author, 0):,})")
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

    @Slot(object)
    def reveal(self, added: Sequence[Annotation]) -> None:
        """Draw the authors of annotations that were just made."""
        unseen = self.hidden & {each.author for each in added}
        if unseen:
            self.set_hidden(self.hidden - unseen)
