"""Which annotations are drawn: all, none, those of the classes with an open eye, or those of the current class."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from PySide6.QtCore import QObject, Slot

from synthstudio.domain.ids import ClassId
from synthstudio.domain.records import Annotation
from synthstudio.gui.canvas.marked_view import MarkedView
from synthstudio.gui.pages.annotate.class_panel import ClassPanel
from synthstudio.gui.pages.annotate.display_panel import DisplayPanel
from synthstudio.gui.pages.annotate.looking import Look, Looking
from synthstudio.gui.workspace import Workspace


class Hiding(QObject):
    """Tells the view what to hide.

    Args:
        classes: Gives the classes of the project.
    """

    def __init__(
        self,
        workspace: Workspace,
        view: MarkedView,
        looking: Looking,
        *,
        class_panel: ClassPanel,
        display_panel: DisplayPanel,
        classes: Callable[[], Collection[ClassId]],
    ) -> None:
        super().__init__(looking)
        self._workspace, self._view, self._looking, self._classes = workspace, view, looking, classes
        self._class_panel, self._display_panel = class_panel, display_panel
        self._hides_marks = False
        class_panel.hidden_changed.connect(lambda _hidden: self.apply())
        display_panel.marks_toggled.connect(lambda shown: self.set_marks_hidden(hidden=not shown))
        looking.changed.connect(self._on_look_changed)

    @property
    def hides_marks(self) -> bool:
        """Whether all annotations are hidden."""
        return self._hides_marks

    def set_marks_hidden(self, *, hidden: bool) -> None:
        """Hide or show all annotations."""
        self._hides_marks = hidden
        self._display_panel.set_marks_shown(shown=not hidden)
        self.apply()

    @Slot(object)
    def reveal(self, added: Sequence[Annotation]) -> None:
        """Show what is hidden of annotations that were just made: nobody makes a mark to see none."""
        if self._hides_marks:
            self.set_marks_hidden(hidden=False)
        unseen = self._class_panel.hidden & {each.class_id for each in added}
        if unseen:
            self._class_panel.set_hidden(self._class_panel.hidden - unseen)

    def apply(self) -> None:
        """Hide in the view what is to be hidden."""
        everything, current = frozenset(self._classes()), self._workspace.current_class_id
        hidden = everything if self._hides_marks else self._class_panel.hidden
        if self._looking.look.shows_one and current is not None and not self._hides_marks:
            hidden = everything - {current}
        self._view.set_hidden_classes(hidden)

    @Slot(object)
    def _on_look_changed(self, look: Look) -> None:
        self._display_panel.set_look(look)
        self.apply()
